// Writes the frame of an RDB file: its head, the databases, its end with the checksum. Entries come serialised by the
// engine, which alone knows how values look.
import {
  RDB_AUX,
  RDB_ENCODED,
  RDB_ENCODED_INT16,
  RDB_ENCODED_INT32,
  RDB_ENCODED_INT8,
  RDB_EOF,
  RDB_LENGTH_32,
  RDB_LENGTH_64,
  RDB_RESIZEDB,
  RDB_SELECTDB,
  RDB_VERSION,
} from "../../assembly/rdbformat.ts";
import { REDIS_VERSION } from "../resp/compatibility.ts";

/** CRC-64 of `bytes`, going on from `crc`; the engine's. */
export type Checksum = (crc: bigint, bytes: Uint8Array) => bigint;

/** What the head says about whoever wrote the file. */
export interface RdbOrigin {
  readonly createdAtMs: number;
  readonly usedMemory: number;
  /** True in the base file of an append-only file. */
  readonly aofBase: boolean;
  /** Which history the data is part of, so that a restarted server can go on from here. */
  readonly replication?: { readonly database: number; readonly replId: string; readonly offset: number };
}

const encoder = new TextEncoder();

export class RdbWriter {
  #crc = 0n;
  #database = -1;

  /**
   * @param checksum undefined = the file gets none
   * @param write takes each piece; the bytes are the caller's again afterwards
   */
  constructor(
    private readonly checksum: Checksum | undefined,
    private readonly write: (bytes: Uint8Array) => void,
  ) {}

  head(origin: RdbOrigin): void {
    this.#put(encoder.encode(`REDIS${String(RDB_VERSION).padStart(4, "0")}`));
    this.#aux("redis-ver", REDIS_VERSION);
    this.#aux("redis-bits", 64);
    this.#aux("ctime", Math.floor(origin.createdAtMs / 1000));
    this.#aux("used-mem", origin.usedMemory);
    if (origin.replication !== undefined) {
      this.#aux("repl-stream-db", origin.replication.database);
      this.#aux("repl-id", origin.replication.replId);
      this.#aux("repl-offset", origin.replication.offset);
    }
    this.#aux("aof-base", origin.aofBase ? 1 : 0);
  }

  /**
   * Entries of one database, as the engine serialised them.
   * @param sizes how many keys there are and how many of them expire: a hint for the reader's tables
   */
  entries(database: number, sizes: { keys: number; expires: number }, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (database !== this.#database) {
      this.#database = database;
      this.#put(Uint8Array.of(RDB_SELECTDB, ...rdbLength(database)));
      this.#put(Uint8Array.of(RDB_RESIZEDB, ...rdbLength(sizes.keys), ...rdbLength(sizes.expires)));
    }
    this.#put(bytes);
  }

  end(): void {
    this.#put(Uint8Array.of(RDB_EOF));
    const tail = new Uint8Array(8);
    new DataView(tail.buffer).setBigUint64(0, this.#crc, true);
    this.write(tail);
  }

  #aux(name: string, value: string | number): void {
    this.#put(Uint8Array.of(RDB_AUX, ...rdbString(name), ...rdbString(value)));
  }

  #put(bytes: Uint8Array): void {
    if (this.checksum !== undefined) this.#crc = this.checksum(this.#crc, bytes);
    this.write(bytes);
  }
}

/** A length in as few bytes as the format has for it. */
export function rdbLength(value: number): number[] {
  if (value < 64) return [value];
  if (value < 16384) return [0x40 | (value >> 8), value & 255];
  const wide = value > 0xffffffff;
  const bytes = new Uint8Array(wide ? 8 : 4);
  const view = new DataView(bytes.buffer);
  if (wide) view.setBigUint64(0, BigInt(value));
  else view.setUint32(0, value);
  return [wide ? RDB_LENGTH_64 : RDB_LENGTH_32, ...bytes];
}

function rdbString(value: string | number): number[] {
  if (typeof value === "number") {
    const integer = rdbInteger(value);
    if (integer !== undefined) return integer;
  }
  const bytes = encoder.encode(String(value));
  return [...rdbLength(bytes.length), ...bytes];
}

function rdbInteger(value: number): number[] | undefined {
  const encoded = (encoding: number, size: number): number[] => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    return [(RDB_ENCODED << 6) | encoding, ...bytes.subarray(0, size)];
  };
  if (value >= -128 && value <= 127) return encoded(RDB_ENCODED_INT8, 1);
  if (value >= -32768 && value <= 32767) return encoded(RDB_ENCODED_INT16, 2);
  if (value >= -2147483648 && value <= 2147483647) return encoded(RDB_ENCODED_INT32, 4);
  return undefined;
}
