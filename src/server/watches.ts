// Keys that clients WATCH. A change of one, by anybody, makes the EXEC of whoever watches it a failure; what only looks
// like a change does not: a key that had expired before it was watched may be deleted.
import { HOW_PEEK, type Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import { byteText } from "../resp/byte-text.ts";
import type { Slice } from "../resp/reply.ts";
import type { ClientConnection } from "./client.ts";
import type { KeyListener } from "./key-feed.ts";

interface Watch {
  readonly client: ClientConnection;
  readonly database: number;
  readonly key: Uint8Array;
  readonly place: string;
  /** The key was there when it was watched. */
  readonly existed: boolean;
}

const placeOf = (database: number, key: string): string => `${database} ${key}`;

export class Watches implements KeyListener {
  /** By database and key. */
  readonly #byKey = new Map<string, Watch[]>();
  /** By client id. */
  readonly #byClient = new Map<number, Watch[]>();

  /** @param switched called when the first key is watched, and when none is any more */
  constructor(
    private readonly memory: Memory,
    private readonly keys: Keys,
    private readonly switched: () => void,
  ) {}

  get isOn(): boolean {
    return this.#byClient.size > 0;
  }

  get awaitsKeys(): boolean {
    return this.isOn;
  }

  add(client: ClientConnection, key: Slice): void {
    if (client.isDirty) return; // its EXEC fails whatever happens
    const bytes = this.memory.copy(key);
    const { database } = client;
    const place = placeOf(database, byteText(bytes));
    const mine = this.#byClient.get(client.id) ?? [];
    const others = this.#byKey.get(place) ?? [];
    if (others.some((watch) => watch.client === client)) return;
    const watch = {
      client,
      database,
      key: bytes,
      place,
      existed: this.keys.hasIn(database, bytes, HOW_PEEK),
    };
    others.push(watch);
    mine.push(watch);
    this.#byKey.set(place, others);
    this.#byClient.set(client.id, mine);
    if (this.#byClient.size === 1 && mine.length === 1) this.switched();
  }

  /** Forgets what a client watches. */
  drop(client: ClientConnection): void {
    const mine = this.#byClient.get(client.id);
    if (mine === undefined) return;
    this.#byClient.delete(client.id);
    for (const { place } of mine) {
      const left = (this.#byKey.get(place) ?? []).filter((watch) => watch.client !== client);
      if (left.length > 0) this.#byKey.set(place, left);
      else this.#byKey.delete(place);
    }
    if (!this.isOn) this.switched();
  }

  changed(database: number, key: string): void {
    const watches = this.#byKey.get(placeOf(database, key));
    if (watches !== undefined) this.#spoil(watches, (watch) => this.#exists(watch));
  }

  /** A key may have expired that nobody has looked for since. */
  expire(client: ClientConnection): void {
    const mine = this.#byClient.get(client.id) ?? [];
    if (mine.some((watch) => watch.existed && !this.#exists(watch))) this.#fail(client);
  }

  /** A database, or each, is about to lose its keys. */
  emptying(database?: number): void {
    for (const watches of Array.from(this.#byKey.values())) {
      const isMeant = database === undefined || watches[0]?.database === database;
      if (isMeant) this.#spoil(watches, (watch) => this.#exists(watch));
    }
  }

  /** Two databases are about to change places. */
  swapping(a: number, b: number): void {
    for (const watches of Array.from(this.#byKey.values())) {
      const { database } = watches[0]!;
      if (database !== a && database !== b) continue;
      const other = database === a ? b : a;
      this.#spoil(watches, (watch) => this.#exists(watch) || this.keys.hasIn(other, watch.key, HOW_PEEK));
    }
  }

  /** The data is replaced by another server's. */
  replacing(): void {
    for (const watches of Array.from(this.#byKey.values())) this.#spoil(watches, () => true);
  }

  #exists({ database, key }: Watch): boolean {
    return this.keys.hasIn(database, key, HOW_PEEK);
  }

  /** @param differs whether what happened made a difference to a key that was not there */
  #spoil(watches: readonly Watch[], differs: (watch: Watch) => boolean): void {
    for (const watch of Array.from(watches)) {
      if (!watch.existed && !differs(watch)) continue;
      this.#fail(watch.client);
    }
  }

  #fail(client: ClientConnection): void {
    client.isDirty = true;
    this.drop(client);
  }
}
