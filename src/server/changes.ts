// What requests change: how many changes, and their records in the mutation log. A record is the request itself unless
// its handler said something else; deletions of keys that had expired stand before it.
//
// Requests of one batch lie behind one another in memory. Those that are logged as they are, are noted as one run and
// copied together, so a pipeline of writes costs the log one copy.
import { STATE_EXPIRED_COUNT } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import type { Memory } from "../engine/memory.ts";
import type { MutationLog } from "../replication/log.ts";
import type { Part } from "../resp/encode.ts";
import type { Slice } from "../resp/reply.ts";

const EXPIRED_COUNT = STATE_EXPIRED_COUNT >> 2;

/** Told of changes that the request at hand does not say itself. */
export interface Watcher {
  /** What replicas are told in place of a request; slices die with the next change of the keyspace. */
  recorded(parts: readonly (string | Slice | Uint8Array)[]): void;
  /** A key that had expired was deleted. */
  gone(key: Uint8Array): void;
}

export class Changes {
  /** Changes since the last snapshot on disk. */
  sinceSave = 0;
  /** Keys that expired since the counters were reset. */
  expiredKeys = 0;
  /** A replica logs its master's stream as it comes, and nothing of its own. */
  isFollowing = false;
  watcher: Watcher | undefined;
  /** What the handler at hand has changed so far. */
  #count = 0;
  #isRewritten = false;
  /** Addresses of the run of requests that is to be logged; empty = none. */
  #runFrom = 0;
  #runTo = 0;
  #runDatabase = 0;

  constructor(
    private readonly memory: Memory,
    private readonly args: Args,
    readonly log: MutationLog,
  ) {}

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
    this.settleExpired();
    this.watcher?.recorded(parts);
    if (this.#isLogged)
      this.log.appendParts(
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
    if (this.memory.u32[EXPIRED_COUNT] !== 0) this.settleExpired();
    if (from === to) return this.#logArguments(database);
    if (from !== this.#runTo || database !== this.#runDatabase || this.#runFrom === this.#runTo) {
      this.flush();
      this.#runFrom = from;
      this.#runDatabase = database;
    }
    this.#runTo = to;
  }

  /** Logs the run noted so far. To be called before its bytes are moved and before the log is read. */
  flush(): void {
    if (this.#runFrom === this.#runTo) return;
    this.log.append(this.#runDatabase, this.memory.bytes.subarray(this.#runFrom, this.#runTo));
    this.#runFrom = this.#runTo = 0;
  }

  /** Keys the engine found expired are gone: replicas are told. */
  settleExpired(): void {
    if (this.memory.u32[EXPIRED_COUNT] === 0) return;
    this.flush();
    const gone: [database: number, key: Uint8Array][] = [];
    this.memory.takeExpired((database, key) => gone.push([database, this.memory.copy(key)]));
    this.expiredKeys += gone.length;
    if (this.watcher !== undefined) for (const [, key] of gone) this.watcher.gone(key);
    if (!this.#isLogged) return;
    for (const [database, key] of gone) this.log.appendParts(database, ["DEL", key]);
  }

  get #isLogged(): boolean {
    return this.log.wanted && !this.isFollowing;
  }

  #logArguments(database: number): void {
    this.flush();
    const parts: Part[] = [];
    for (let i = 0; i < this.args.count; i++) parts.push(this.args.bytes(i));
    this.log.appendParts(database, parts);
  }

  #owned(part: string | Slice | Uint8Array): Part {
    return typeof part === "string" || part instanceof Uint8Array ? part : this.memory.copy(part);
  }
}
