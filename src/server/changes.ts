// What requests change: how many changes, and their records in the mutation log. A record is the request itself unless
// its handler said something else; deletions of keys that had expired stand before it.
//
// Requests of one batch lie behind one another in memory. Those that are logged as they are, are noted as one run and
// copied together, so a pipeline of writes costs the log one copy.
import { EVENT_EVICTED, EVENT_EXPIRED, EVENT_MODIFIED, STATE_EVENT_COUNT } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import type { Memory } from "../engine/memory.ts";
import { eachRecord, recordBytes } from "../engine/record.ts";
import type { MutationLog } from "../replication/log.ts";
import { encodeRequest, type Part } from "../resp/encode.ts";
import type { Slice } from "../resp/reply.ts";
import { LogUnit } from "./log-unit.ts";

const EVENT_COUNT = STATE_EVENT_COUNT >> 2;

/** Told of changes that the request at hand does not say itself. */
export interface Watcher {
  /** What replicas are told in place of a request; slices die with the next change of the keyspace. */
  recorded(database: number, parts: readonly (string | Slice | Uint8Array)[]): void;
  /** A key that had expired was deleted, or one was evicted. */
  gone(database: number, key: Uint8Array): void;
  /** A key was changed. The request at hand changed no others than those it says so of. */
  touched(database: number, key: Uint8Array): void;
}

/** Told what happened to a key: an EVENT_ constant, and how far the reply arena reached if the engine tells it. */
export type EventListener = (
  kind: number,
  database: number,
  key: Uint8Array,
  answeredBytes: number | undefined,
) => void;

export class Changes {
  /** Changes since the last snapshot on disk. */
  sinceSave = 0;
  /** Keys that expired since the counters were reset. */
  expiredKeys = 0;
  /** Keys that were evicted since then. */
  evictedKeys = 0;
  /** A replica logs its master's stream as it comes, and nothing of its own. */
  isFollowing = false;
  watcher: Watcher | undefined;
  listener: EventListener = () => {};
  /** What the handler at hand has changed so far. */
  #count = 0;
  #isRewritten = false;
  /** Addresses of the run of requests that is to be logged; empty = none. */
  #runFrom = 0;
  #runTo = 0;
  #runDatabase = 0;
  /** How many requests the run is made of. */
  #runCount = 0;
  readonly #unit: LogUnit;

  constructor(
    private readonly memory: Memory,
    private readonly args: Args,
    readonly log: MutationLog,
  ) {
    this.#unit = new LogUnit(log);
  }

  /** A handler is about to run. */
  begin(): void {
    this.flush();
    this.#count = 0;
    this.#isRewritten = false;
  }

  changed(count: number): void {
    this.#count += count;
  }

  propagate(database: number, parts: readonly (string | Slice | Uint8Array)[]): void {
    this.#count++;
    this.#isRewritten = true;
    this.settleEvents();
    this.watcher?.recorded(database, parts);
    if (this.#isLogged)
      this.#append(
        database,
        parts.map((part) => this.#owned(part)),
      );
  }

  /** Whether the handler that has run changed something and its request says what. */
  get isAsSent(): boolean {
    return this.#count > 0 && !this.#isRewritten;
  }

  /** The handler has run; `from` and `to` say where its request lies, as in `applied`. */
  commit(database: number, from: number, to: number): void {
    if (this.#count === 0) return;
    if (this.#isRewritten) this.sinceSave += this.#count;
    else this.applied(this.#count, database, from, to);
  }

  /**
   * A request has made `count` changes and is logged as it is.
   * @param from address of its first byte; equal to `to` when its bytes are not RESP (an inline request)
   */
  applied(count: number, database: number, from: number, to: number): void {
    this.sinceSave += count;
    if (!this.#isLogged) return;
    if (this.memory.u32[EVENT_COUNT] !== 0) this.settleEvents();
    if (from === to) return this.#logArguments(database);
    if (from !== this.#runTo || database !== this.#runDatabase || this.#runFrom === this.#runTo) {
      this.flush();
      this.#runFrom = from;
      this.#runDatabase = database;
    }
    this.#runTo = to;
    this.#runCount++;
  }

  /** A request the engine ran has made `count` changes, and replicas are told what stands in the record block. */
  rewritten(count: number, database: number): void {
    this.sinceSave += count;
    this.settleEvents();
    if (this.watcher !== undefined) this.#show(this.watcher, database);
    if (!this.#isLogged) return;
    this.flush();
    const isSeveral = this.#unit.isEmpty && this.#hasSeveralRecords();
    this.#unit.append(database, recordBytes(this.memory), isSeveral);
  }

  /** Replicas are told the request at hand although it has changed nothing. */
  relay(database: number): void {
    if (this.#isLogged) this.#logArguments(database);
  }

  /** Logs the run noted so far. To be called before its bytes are moved and before the log is read. */
  flush(): void {
    if (this.#runFrom === this.#runTo) return;
    const bytes = this.memory.bytes.subarray(this.#runFrom, this.#runTo);
    this.#unit.append(this.#runDatabase, bytes, this.#runCount > 1);
    this.#runFrom = this.#runTo = this.#runCount = 0;
  }

  /** Takes what happened to keys in the engine: replicas are told of those gone by themselves, the listener of all. */
  settleEvents(): void {
    if (this.memory.u32[EVENT_COUNT] === 0) return;
    const events: Parameters<EventListener>[] = [];
    this.memory.takeEvents((kind, database, key, answeredBytes) =>
      events.push([kind, database, this.memory.copy(key), answeredBytes]),
    );
    for (const event of events) {
      const [kind, database, key] = event;
      if (kind === EVENT_EXPIRED || kind === EVENT_EVICTED) this.#gone(kind, database, key);
      if (kind === EVENT_MODIFIED) this.watcher?.touched(database, key);
      else this.listener(...event);
    }
  }

  /** A handler tells what it did to a key. */
  notify(database: number, kind: number, key: Slice | Uint8Array): void {
    if (!this.memory.wants(kind)) return;
    this.settleEvents();
    this.listener(kind, database, key instanceof Uint8Array ? key : this.memory.copy(key), undefined);
  }

  #gone(kind: number, database: number, key: Uint8Array): void {
    if (kind === EVENT_EXPIRED) this.expiredKeys++;
    else this.evictedKeys++;
    this.watcher?.gone(database, key);
    if (!this.#isLogged) return;
    this.flush();
    this.#append(database, ["DEL", key]);
  }

  /** What is logged from here to `apart` takes effect at once on whoever reads the log. */
  together(): void {
    this.flush();
    this.#unit.begin();
  }

  apart(): void {
    if (this.#runCount === 1 && this.#unit.isEmpty) this.#unit.end(); // its only record: nothing need be held
    this.flush();
    this.#unit.end();
  }

  #append(database: number, parts: readonly Part[]): void {
    this.#unit.append(database, encodeRequest(parts), false);
  }

  #hasSeveralRecords(): boolean {
    let count = 0;
    eachRecord(this.memory, () => count++);
    return count > 1;
  }

  /** The records the engine made; a watcher may call the engine about each. */
  #show(watcher: Watcher, database: number): void {
    const records: (readonly Uint8Array[])[] = [];
    eachRecord(this.memory, (parts) => records.push(parts.map((part) => this.memory.copy(part))));
    for (const parts of records) watcher.recorded(database, parts);
  }

  /** Whether anybody is told of single keys: a replica, or a client that waits for their changes. */
  get tellsKeys(): boolean {
    return this.#isLogged || this.watcher !== undefined;
  }

  get #isLogged(): boolean {
    return this.log.wanted && !this.isFollowing;
  }

  #logArguments(database: number): void {
    this.flush();
    const parts: Part[] = [];
    for (let i = 0; i < this.args.count; i++) parts.push(this.args.bytes(i));
    this.#append(database, parts);
  }

  #owned(part: string | Slice | Uint8Array): Part {
    return typeof part === "string" || part instanceof Uint8Array ? part : this.memory.copy(part);
  }
}
