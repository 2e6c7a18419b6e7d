// What is read from an RDB, be it a file or a master's copy, on its way into the keyspace.
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import type { Rdb } from "../engine/rdb.ts";
import { DiskError } from "../io/disk.ts";
import { RdbError, type RdbCodec, type RdbKey } from "../replication/rdb-reader.ts";
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
    crc64: (crc, bytes) => rdb.crc64(crc, bytes),
    decompress: (packed, length) => rdb.decompress(packed, length),
  };
}

/** Whether an RDB is refused: by what it holds, for memory, or by the disk. Anything else is a fault of ours. */
export function isRefusal(error: unknown): error is RdbError | ReplyError | DiskError {
  return error instanceof RdbError || error instanceof ReplyError || error instanceof DiskError;
}

/** Throws the RdbError of a key this server has no database for. */
export function checkDatabase({ databaseCount }: IntakeParts, { database }: RdbKey): void {
  if (database < databaseCount) return;
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
  if (clock === undefined) keys.setString(key, value, options);
  else keys.stamped(clock, () => keys.setString(key, value, options));
}
