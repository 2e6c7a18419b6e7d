// Which keys change, request by request, for those who wait for changes of keys: clients that cache them, and clients
// that WATCH them. A request tells by its own keys, where the row says they are written, unless replicas are told other
// words: then those tell. A command that changes other keys than these says so itself (`touched`). While nobody waits
// nothing here runs: the dispatcher looks at `isOn`, and what must be known before a command runs hangs on a gate.
import { EVENT_MODIFIED } from "../../assembly/abi.ts";
import { findKeys, KeyPlaces } from "../commands/getkeys.ts";
import type { KeyFlag } from "../commands/row.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Args } from "../engine/args.ts";
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import { byteText } from "../resp/byte-text.ts";
import type { Slice } from "../resp/reply.ts";
import type { Changes, Watcher } from "./changes.ts";
import type { ClientConnection } from "./client.ts";
import { NEEDS_LOOK, type Gates } from "./gates.ts";
import { RecordWords } from "./record-words.ts";

/** Somebody who waits for changes of keys. */
export interface KeyListener {
  /** Whether requests are to be looked at for its sake. */
  readonly isOn: boolean;
  /** Whether there is any key it waits for. */
  readonly awaitsKeys: boolean;
  /** @param key one character per byte @param by id of the client that changed it; 0 = none, it expired */
  changed(database: number, key: string, by: number): void;
}

export interface KeyFeedParts {
  readonly table: CommandTable;
  readonly memory: Memory;
  readonly args: Args;
  readonly keys: Keys;
  readonly gates: Gates;
  readonly changes: Changes;
}

const NONE: ReadonlySet<number> = new Set();

const isWrite = (flags: readonly KeyFlag[]): boolean =>
  flags.includes("RW") || flags.includes("OW") || flags.includes("RM");

export class KeyFeed implements Watcher {
  isOn = false;
  /** Whose request runs. */
  running: ClientConnection | undefined;
  readonly #listeners: KeyListener[] = [];
  readonly #places = new KeyPlaces();
  /** By row id: 1 = it deletes the keys it names, where they exist. */
  readonly #deletes: Uint8Array;
  /** By row id: 1 = it changes the last of its keys first. */
  readonly #backwards: Uint8Array;
  /** The request at hand says itself which keys it changes. */
  #isTold = false;
  /** Arguments of the running request that name keys to delete which were not there. */
  readonly #absent = new Set<number>();

  constructor(private readonly parts: KeyFeedParts) {
    this.#deletes = Uint8Array.from(parts.table.rows, ({ command: { keys = [] } }) =>
      keys.some(({ flags }) => flags.includes("RM")) ? 1 : 0,
    );
    this.#backwards = Uint8Array.from(parts.table.rows, ({ command }) =>
      command.changesLastFirst === true ? 1 : 0,
    );
  }

  add(listener: KeyListener): void {
    this.#listeners.push(listener);
  }

  /** To be called when a listener begins or ceases to listen. */
  refresh(): void {
    const { gates, changes, memory } = this.parts;
    this.isOn = this.#listeners.some((listener) => listener.isOn);
    gates.set(NEEDS_LOOK, this.isOn);
    changes.watcher = this.isOn ? this : undefined;
    memory.want(EVENT_MODIFIED, this.isOn);
    if (this.isOn) return;
    this.running = undefined;
    this.#isTold = false;
    this.#absent.clear();
  }

  /** A request is about to run: what cannot be seen afterwards. */
  about(client: ClientConnection, id: number): void {
    this.running = client;
    this.#isTold = false;
    if (this.#deletes[id] === 0 || !this.#isAwaited) return;
    const { table, args, keys } = this.parts;
    if (!findKeys(table, id, args, this.#places) || this.#places.count < 2) return;
    for (let n = 0; n < this.#places.count; n++) {
      const place = this.#places.place(n);
      if (this.#places.flags(n).includes("RM") && !keys.has(args.at(place))) this.#absent.add(place);
    }
  }

  /** A request has run. @param asSent it changed something, and what it says is what it changed */
  ran(client: ClientConnection, id: number, asSent: boolean): void {
    const { table, args, memory } = this.parts;
    const isTold = this.#takeTold();
    if (asSent && !isTold && this.#isAwaited && findKeys(table, id, args, this.#places)) {
      this.running = client;
      this.#gather(id, memory.database, this.#absent, (place) => args.latin1(place));
    }
    if (this.#absent.size > 0) this.#absent.clear();
  }

  /** The request, with all that was queued if it was EXEC, is done. */
  done(): void {
    this.running = undefined;
  }

  recorded(database: number, parts: readonly (string | Slice | Uint8Array)[]): void {
    if (this.#takeTold() || !this.#isAwaited) return;
    const words = new RecordWords(this.parts.memory, parts);
    const row = this.parts.table.named(words.latin1(0));
    if (row === undefined || !findKeys(this.parts.table, row.id, words, this.#places)) return;
    this.#gather(row.id, database, NONE, (place) => words.latin1(place));
  }

  gone(database: number, key: Uint8Array): void {
    if (this.#isAwaited) this.#tell(database, byteText(key), 0);
  }

  touched(database: number, key: Uint8Array): void {
    this.#isTold = true;
    if (this.#isAwaited) this.#tell(database, byteText(key), this.running?.id ?? 0);
  }

  /** Whether the changes of the request at hand have been told; the next begins anew. */
  #takeTold(): boolean {
    const isTold = this.#isTold;
    this.#isTold = false;
    return isTold;
  }

  get #isAwaited(): boolean {
    return this.#listeners.some((listener) => listener.awaitsKeys);
  }

  /** Tells of the keys found last that are written. */
  #gather(id: number, database: number, absent: ReadonlySet<number>, keyAt: (place: number) => string): void {
    const by = this.running?.id ?? 0;
    // What listeners do about a key may look for keys itself.
    const changed: string[] = [];
    for (let n = 0; n < this.#places.count; n++) {
      const place = this.#places.place(n);
      if (isWrite(this.#places.flags(n)) && !absent.has(place)) changed.push(keyAt(place));
    }
    if (this.#backwards[id] === 1) changed.reverse();
    for (const key of changed) this.#tell(database, key, by);
  }

  #tell(database: number, key: string, by: number): void {
    for (const listener of this.#listeners) if (listener.awaitsKeys) listener.changed(database, key, by);
  }
}
