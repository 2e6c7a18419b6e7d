// What is read from an RDB, be it a file or a master's copy, on its way into the keyspace.
import type { Incoming } from "../engine/incoming.ts";
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import type { Rdb } from "../engine/rdb.ts";
import { DiskError } from "../io/disk.ts";
import { RdbError, type RdbCodec, type RdbKey, type RdbValue } from "../replication/rdb-reader.ts";
import { ReplyError } from "../resp/errors.ts";

export interface IntakeParts {
  readonly memory: Memory;
  readonly keys: Keys;
  readonly rdb: Rdb;
  readonly databaseCount: number;
}

const FOR_EVER = {};

/** What an RdbReader needs of the engine. */
export function codecOf(rdb: Rdb): RdbCodec {
  return {
    longestString: rdb.longestString,
    crc64: (crc, bytes) => rdb.crc64(crc, bytes),
    decompress: (packed, length) => rdb.decompress(packed, length),
  };
}

/** Whether an RDB is refused: by what it holds, for memory, or by the disk. Anything else is a fault of ours. */
export function isRefusal(error: unknown): error is RdbError | ReplyError | DiskError {
  return error instanceof RdbError || error instanceof ReplyError || error instanceof DiskError;
}

/** Whether this server has such a database. */
export function isDatabase({ databaseCount }: IntakeParts, database: number): boolean {
  return Number.isInteger(database) && database >= 0 && database < databaseCount;
}

/** Throws the RdbError of a database this server does not have. */
export function checkDatabase(parts: IntakeParts, { database }: Pick<RdbKey, "database">): void {
  const { databaseCount } = parts;
  if (isDatabase(parts, database)) return;
  throw new RdbError(`database ${database} is beyond the ${databaseCount} this server has`);
}

/** Puts a string into the keyspace with the expiry and the age it had. Throws OUT_OF_MEMORY. */
export function storeString(parts: IntakeParts, about: RdbKey, value: Uint8Array): void {
  const { memory, keys } = parts;
  const { database, key, expireAtMs } = about;
  checkDatabase(parts, about);
  memory.database = database;
  const options = expireAtMs === undefined ? FOR_EVER : { expireAtMs };
  const clock = keys.clockFor(about);
  const store = (): void => memory.unheard(() => keys.setString(key, value, options));
  if (clock === undefined) store();
  else keys.stamped(clock, store);
}

/** A collection on its way into the keyspace, with the expiry and the age it had. One without elements is left out. */
export class CollectionIntake implements RdbValue {
  readonly #incoming: Incoming;

  /** @param isKept false: it is only looked through for faults */
  constructor(
    private readonly parts: IntakeParts,
    private readonly about: RdbKey,
    type: number,
    private readonly isKept: boolean,
  ) {
    checkDatabase(parts, about);
    const key = about.key.slice(); // the reader's own dies
    this.#incoming = parts.rdb.incoming(about.key, type, about.expireAtMs ?? 0, isKept, () => {
      throw new RdbError(`the value of key ${new TextDecoder().decode(key)} is damaged`);
    });
  }

  get needed(): number {
    return this.#incoming.needed;
  }

  feed(bytes: Uint8Array): number {
    const taken = this.#incoming.feed(bytes);
    if (this.#incoming.needed === 0) this.#end();
    return taken;
  }

  abandon(): void {
    this.#incoming.abandon();
  }

  #end(): void {
    if (!this.isKept || this.#incoming.isEmpty) return this.abandon();
    const { keys, memory } = this.parts;
    const { database } = this.about;
    const clock = keys.clockFor(this.about);
    const store = (): void => memory.unheard(() => this.#incoming.store(database));
    if (clock === undefined) store();
    else keys.stamped(clock, store);
  }
}
