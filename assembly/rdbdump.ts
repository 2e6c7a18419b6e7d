// The DUMP payload of one key in steps, for a value too big to be written while everybody waits.
//
// Between two steps anything may happen but a change of the value: its parts may be moved, snapshots and other payloads
// may be written, and the key itself may go (it expires, is evicted, flushed). So nothing is kept but where the writing
// stands (rdbvalue.ts); the key is looked up again in each step, and what is there must have the same shape.
//
//   dump (80 bytes and the key):
//     | database u32 | slot u32 | key length u32 | begun u8 | compresses u8 | type u8 | encoding u8 |
//     | value length u32 | elements u32 | buckets u32 | unused u32 | CRC-64 u64 | standing, 24 bytes | … | key bytes |
import {
  ENCODING_HASHTABLE,
  EXPIRED_ALIVE,
  REFUSED_OUT_OF_MEMORY,
  STATE_DB,
  STATE_KEEP_EXPIRED,
  STATE_RESULT_PTR,
} from "./abi";
import { Bytes } from "./bytes";
import { Cell, Chain } from "./chain";
import { crc64 } from "./crc64";
import { Database } from "./database";
import { ENTRIES } from "./element";
import { Entry } from "./entry";
import { hasExpired } from "./expiry";
import { hashOf } from "./hash";
import { alloc, free } from "./heap";
import { RDB_DUMP_GONE, RDB_DUMP_OPEN, RDB_DUMP_WHOLE } from "./rdbformat";
import { LongText } from "./rdbtext";
import { Standing, endWriting, isWriting, rdbTypeOf, writeMore, writeValue } from "./rdbvalue";
import {
  Out,
  beginWriting,
  compresses,
  endPayload,
  publishWritten,
  reserve,
  setRdbCompression,
} from "./rdbwrite";
import { TableRecord } from "./tablerecord";

/** What is written at once, bytes about: a value that is longer is for steps. */
const SMALL_BYTES: u32 = 16384;

const CRC: usize = 32;
const STANDING: usize = 40;
const KEY: u32 = 80;

/**
 * Writes the payload of a key of the selected database at once, unless it is long; looking is all that is done to it.
 * @returns RDB_DUMP_WHOLE; RDB_DUMP_OPEN: nothing is written, it is for `rdbDumpBegin`; RDB_DUMP_GONE: there is no such
 * key; REFUSED_OUT_OF_MEMORY
 */
export function rdbDumpSmall(slot: u32, key: usize, keyLength: u32): i32 {
  const entry = entryOf(load<u32>(STATE_DB), slot, key, keyLength);
  if (entry == 0) return RDB_DUMP_GONE;
  beginWriting(u32.MAX_VALUE);
  LongText.resume(0, 0, 0);
  const isWritten = reserve(1) && writeHead(entry) && writeMore(SMALL_BYTES);
  const isOpen = isWriting() || LongText.isOpen();
  if (LongText.job() != 0) free(LongText.job());
  LongText.suspend();
  endWriting();
  if (!isWritten) return REFUSED_OUT_OF_MEMORY;
  if (isOpen) return RDB_DUMP_OPEN;
  if (!endPayload(0)) return REFUSED_OUT_OF_MEMORY;
  publishWritten();
  return RDB_DUMP_WHOLE;
}

/** Writes the type and the value, or its beginning. */
function writeHead(entry: usize): bool {
  Out.byte(rdbTypeOf(entry));
  return writeValue(entry);
}

/**
 * Begins to write a key of the selected database; looking is all that is done to it.
 * @returns 1 = begun, the dump is in STATE_RESULT_PTR; 0 = there is no such key; REFUSED_OUT_OF_MEMORY
 */
export function rdbDumpBegin(slot: u32, key: usize, keyLength: u32): i32 {
  const database = load<u32>(STATE_DB);
  const entry = entryOf(database, slot, key, keyLength);
  if (entry == 0) return 0;
  const dump = alloc(KEY + keyLength);
  if (dump == 0) return REFUSED_OUT_OF_MEMORY;
  memory.fill(dump, 0, KEY);
  store<u32>(dump, database);
  store<u32>(dump, slot, 4);
  store<u32>(dump, keyLength, 8);
  store<u8>(dump, <u8>compresses, 13);
  Bytes.copy(dump + KEY, key, keyLength);
  Shape.note(dump, entry);
  store<u32>(STATE_RESULT_PTR, <u32>dump);
  return 1;
}

/** The living entry of a key; 0 = none. */
function entryOf(database: u32, slot: u32, key: usize, length: u32): usize {
  const record = Database.slot(Database.at(database), slot);
  if (record == 0 || TableRecord.buckets(record) == 0) return 0;
  const cell = Chain.find(record, hashOf(key, length), key, length, ENTRIES);
  if (cell == 0) return 0;
  const entry = Cell.element(cell);
  return hasExpired(entry) && load<u32>(STATE_KEEP_EXPIRED) != EXPIRED_ALIVE ? 0 : entry;
}

/** What a value looks like from outside: while it is the same, the place where the writing stands is in it. */
abstract class Shape {
  static note(dump: usize, entry: usize): void {
    store<u8>(dump, <u8>Entry.type(entry), 14);
    store<u8>(dump, <u8>Entry.encoding(entry), 15);
    store<u32>(dump, Entry.valueLength(entry), 16);
    store<u32>(dump, elementsOf(entry), 20);
    store<u32>(dump, bucketsOf(entry), 24);
  }
  static isThatOf(dump: usize, entry: usize): bool {
    return (
      load<u8>(dump, 14) == <u8>Entry.type(entry) &&
      load<u8>(dump, 15) == <u8>Entry.encoding(entry) &&
      load<u32>(dump, 16) == Entry.valueLength(entry) &&
      load<u32>(dump, 20) == elementsOf(entry) &&
      load<u32>(dump, 24) == bucketsOf(entry)
    );
  }
}

/** Of a hashtable, a list of nodes or a tree. */
function elementsOf(entry: usize): u32 {
  return Entry.encoding(entry) < <u32>ENCODING_HASHTABLE ? 0 : TableRecord.count(Entry.value(entry));
}

/** Of a hashtable. */
function bucketsOf(entry: usize): u32 {
  return Entry.encoding(entry) != <u32>ENCODING_HASHTABLE ? 0 : TableRecord.buckets(Entry.value(entry));
}

/**
 * Writes on.
 * @param enough bytes after which to stop; of a string that is being compressed so many bytes are read
 * @returns RDB_DUMP_OPEN, RDB_DUMP_WHOLE, RDB_DUMP_GONE or REFUSED_OUT_OF_MEMORY
 */
export function rdbDumpMore(dump: usize, enough: u32): i32 {
  const entry = entryOf(load<u32>(dump), load<u32>(dump, 4), dump + KEY, load<u32>(dump, 8));
  if (entry == 0 || !Shape.isThatOf(dump, entry)) return RDB_DUMP_GONE;
  const compressed = compresses;
  setRdbCompression(load<u8>(dump, 13) != 0);
  beginWriting(u32.MAX_VALUE);
  const isWritten = load<u8>(dump, 12) == 0 ? begin(dump, entry) : goOn(dump, entry, enough);
  const isOpen = isWriting();
  Standing.save(dump + STANDING);
  setRdbCompression(compressed);
  if (!isWritten || !sum(dump, isOpen)) return REFUSED_OUT_OF_MEMORY;
  publishWritten();
  return isOpen ? RDB_DUMP_OPEN : RDB_DUMP_WHOLE;
}

function begin(dump: usize, entry: usize): bool {
  store<u8>(dump, 1, 12);
  LongText.resume(0, 0, 0);
  return reserve(1) && writeHead(entry);
}

function goOn(dump: usize, entry: usize, enough: u32): bool {
  Standing.resume(dump + STANDING, entry);
  return writeMore(enough);
}

/** Counts what was written into the checksum, and writes that at the end. */
function sum(dump: usize, isOpen: bool): bool {
  const crc = load<u64>(dump, CRC);
  if (!isOpen) return endPayload(crc);
  store<u64>(dump, crc64(crc, Out.ptr(), Out.length()), CRC);
  return true;
}

/** Gives a dump up, or back when it is whole. */
export function rdbDumpClose(dump: usize): void {
  const job = Standing.job(dump + STANDING);
  if (job != 0) free(job);
  free(dump);
}
