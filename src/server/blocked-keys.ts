// Clients that wait for keys: who waits for which, and who is served when one comes to hold something. Keys are served
// in the order in which they came to be, clients of a key in the order in which they began to wait; and never before the
// request, or the whole transaction, that made the key has run.
import { EVENT_READY, STATE_DB, STATE_PROTOCOL } from "../../assembly/abi.ts";
import type { Blocking, Want } from "../commands/blocking.ts";
import type { Client } from "../commands/context.ts";
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import { byteText } from "../resp/byte-text.ts";
import type { ReplyError } from "../resp/errors.ts";
import type { Changes } from "./changes.ts";
import { type ClientConnection, connectionOf } from "./client.ts";
import type { RequestContext } from "./request-context.ts";
import type { Snapshots } from "./snapshots.ts";
import type { Waiting } from "./waiting.ts";

interface Blocked {
  readonly client: ClientConnection;
  readonly database: number;
  readonly keys: readonly Uint8Array[];
  readonly want: Want;
}

/** A key that clients wait for. */
interface Awaited {
  readonly database: number;
  readonly key: Uint8Array;
  /** In the order they began to wait. */
  readonly by: Set<Blocked>;
}

export interface BlockedKeysParts {
  readonly memory: Memory;
  readonly keys: Keys;
  readonly changes: Changes;
  readonly snapshots: Snapshots;
  readonly waiting: Waiting;
  context(): RequestContext;
  /** Whether a key is on its way to another server, and so not to be written. */
  isInFlight(key: Uint8Array): boolean;
  /** Why a slot's keys cannot be waited for here, if they cannot. */
  refusal(slot: number): ReplyError | undefined;
}

const placeOf = (database: number, key: Uint8Array): string => `${database} ${byteText(key)}`;

export class BlockedKeys implements Blocking {
  /** A key has come to be that somebody waits for. */
  hasReady = false;
  /** By database and key. */
  readonly #awaited = new Map<string, Awaited>();
  #ready = new Set<Awaited>();
  /** Keys whose clients would have been served, had they not wanted to write one that is in flight. */
  #postponed = new Set<Awaited>();

  constructor(private readonly parts: BlockedKeysParts) {}

  wait(client: Client, keys: readonly Uint8Array[], want: Want, timeoutMs: number): void {
    const connection = connectionOf(client);
    const blocked = { client: connection, database: client.database, keys, want };
    for (const key of keys) this.#await(blocked, key);
    this.parts.memory.want(EVENT_READY, true);
    this.parts.waiting.begin(connection, timeoutMs, {
      timedOut: (reply) => reply.nullArray(),
      ended: () => this.#forget(blocked),
    });
  }

  /** A list or a sorted set has come to be. */
  appeared(database: number, key: Uint8Array): void {
    const awaited = this.#awaited.get(placeOf(database, key));
    if (awaited !== undefined) this.#note(awaited);
  }

  swapped(a: number, b: number): void {
    for (const awaited of this.#awaited.values())
      if (awaited.database === a || awaited.database === b) this.#note(awaited);
  }

  /** Serves whoever can be served. What that brings about, as BLMOVE feeds another list, is served in the next round. */
  serve(): void {
    while (this.#ready.size > 0) {
      const ready = this.#ready;
      this.#ready = new Set();
      for (const awaited of ready) this.#serveKey(awaited);
    }
    this.hasReady = false;
  }

  /** Keys that were in flight no longer are. */
  landed(): void {
    const postponed = this.#postponed;
    this.#postponed = new Set();
    for (const awaited of postponed) this.#note(awaited);
  }

  /** Slots may have gone to another node: whoever waits for their keys is told. */
  recheck(): void {
    for (const { key, by } of Array.from(this.#awaited.values())) {
      const refusal = this.parts.refusal(this.parts.keys.slotOf(key));
      if (refusal === undefined) continue;
      for (const { client } of Array.from(by)) this.parts.waiting.refuse(client, refusal);
    }
  }

  #await(blocked: Blocked, key: Uint8Array): void {
    const { database } = blocked;
    const place = placeOf(database, key);
    const awaited = this.#awaited.get(place) ?? { database, key, by: new Set() };
    awaited.by.add(blocked);
    this.#awaited.set(place, awaited);
  }

  #forget(blocked: Blocked): void {
    for (const key of blocked.keys) {
      const place = placeOf(blocked.database, key);
      const awaited = this.#awaited.get(place);
      if (awaited?.by.delete(blocked) === true && awaited.by.size === 0) this.#awaited.delete(place);
    }
    if (this.#awaited.size === 0) this.parts.memory.want(EVENT_READY, false);
  }

  #note(awaited: Awaited): void {
    this.#ready.add(awaited);
    this.hasReady = true;
  }

  #serveKey(awaited: Awaited): void {
    const { memory, keys, isInFlight } = this.parts;
    const { database, key, by } = awaited;
    for (const blocked of Array.from(by)) {
      const { target } = blocked.want;
      // The key itself may have set out while its clients waited for the target of one of them.
      if (isInFlight(key) || (target !== undefined && isInFlight(target))) {
        this.#postponed.add(awaited);
        return;
      }
      memory.database = database;
      const type = keys.type(key);
      if (type === blocked.want.type) this.#give(blocked, key);
      else if (type === 0) return;
    }
  }

  #give({ client, want }: Blocked, key: Uint8Array): void {
    const { memory, keys, changes, snapshots, waiting } = this.parts;
    const context = this.parts.context();
    memory.setU32(STATE_DB, client.database);
    memory.setU32(STATE_PROTOCOL, client.protocol);
    snapshots.beforeSlot(keys.slotOf(key));
    if (want.target !== undefined) snapshots.beforeSlot(keys.slotOf(want.target));
    changes.begin();
    context.begin(client);
    const goOn = (): void => {
      client.loggedTo = changes.log.end; // what it was given is a write of its own
      client.resume();
    };
    waiting.answer(client, (reply) => want.take(context, key, reply), goOn);
    changes.commit(client.database, 0, 0);
    changes.settleEvents();
  }
}
