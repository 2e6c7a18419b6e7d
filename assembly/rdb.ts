// Values in Redis's RDB form: as DUMP and RESTORE exchange them one by one, and as a snapshot writes them slot by slot.
//
//   string:   | length | bytes |     or an encoded integer, or LZF, whichever Redis would choose
//   entry:    | EXPIRE_MS u8, unix milliseconds i64 (only when it expires) | type u8 | key | value |
//   payload:  | type u8 | value | version u16 | CRC-64 of all before u64 |
//
// What is written gathers in one block of the heap, which the host reads through STATE_RESULT_PTR and _LENGTH before
// the next call here.
import { ENCODING_INT, REFUSED_OUT_OF_MEMORY, STATE_RESULT_LENGTH, STATE_RESULT_PTR } from "./abi";
import { crc64 } from "./crc64";
import { Database } from "./database";
import { Entry } from "./entry";
import { lookupRead } from "./expiry";
import { alloc, free, resize, sizeOf } from "./heap";
import { parse, parsed, render } from "./integers";
import { lzfCompress, lzfDecompress } from "./lzf";
import {
  RDB_ENCODED,
  RDB_ENCODED_INT16,
  RDB_ENCODED_INT32,
  RDB_ENCODED_INT8,
  RDB_ENCODED_LZF,
  RDB_EXPIRE_MS,
  RDB_LENGTH_14,
  RDB_LENGTH_32,
  RDB_LENGTH_6,
  RDB_LENGTH_64,
  RDB_PAYLOAD_DAMAGED,
  RDB_PAYLOAD_OTHER_TYPE,
  RDB_PAYLOAD_REJECTED,
  RDB_TYPE_STRING,
  RDB_UNCOMPRESSED_LIMIT,
  RDB_VERSION,
} from "./rdbformat";
import { Bucket, bucketAt } from "./bucket";
import { TableRecord } from "./tablerecord";

const FOOTER: u32 = 10;
/** The most a head of a string takes: two lengths and a byte. */
const HEAD_ROOM: u32 = 16;
const FIRST_ROOM: u32 = 65536;
/** A block that has grown beyond this is given back when it is next emptied. */
const KEPT_ROOM: u32 = 1048576;
/** Longest string that spells an integer RDB has a form for: "-2147483648". */
const INTEGER_LIMIT: u32 = 11;

/** Longest string a snapshot compresses: it does so between requests, and they weigh more than the bytes saved. */
const SNAPSHOT_COMPRESS_LIMIT: u32 = 262144;

const DIGITS: usize = memory.data(24);

let block: usize = 0;
let room: u32 = 0;
let length: u32 = 0;
/** Whether strings are compressed: rdbcompression. */
let compresses: bool = true;
/** Longest string that is compressed. */
let compressUpTo: u32 = u32.MAX_VALUE;

export function setRdbCompression(on: bool): void {
  compresses = on;
}

/** Forgets what was written. */
function begin(): void {
  length = 0;
  if (room <= KEPT_ROOM) return;
  free(block);
  block = 0;
  room = 0;
}

/** Room for `more` bytes behind what was written; false = no memory. */
function reserve(more: u32): bool {
  const need = <u64>length + more;
  if (need <= room) return true;
  if (need > 0xf0000000) return false;
  const size = <u32>max(need, <u64>FIRST_ROOM);
  const moved = block == 0 ? alloc(size) : resize(block, length, size);
  if (moved == 0) return false;
  block = moved;
  room = sizeOf(moved);
  return true;
}

function publish(): void {
  store<u32>(STATE_RESULT_PTR, <u32>block);
  store<u32>(STATE_RESULT_LENGTH, length);
}

abstract class Out {
  @inline static byte(value: u32): void {
    store<u8>(block + length, <u8>value);
    length += 1;
  }
}

function writeLength(value: u32): void {
  if (value < 64) {
    Out.byte(value);
  } else if (value < 16384) {
    Out.byte((RDB_LENGTH_14 << 6) | (value >> 8));
    Out.byte(value);
  } else {
    Out.byte(RDB_LENGTH_32);
    store<u32>(block + length, bswap(value));
    length += 4;
  }
}

/** Writes an integer in the smallest form that RDB has for it, if there is one. Reserved before: HEAD_ROOM. */
function writeInteger(value: i64): bool {
  const at = block + length + 1;
  if (value >= -128 && value <= 127) {
    Out.byte((RDB_ENCODED << 6) | RDB_ENCODED_INT8);
    store<u8>(at, <u8>value);
    length += 1;
  } else if (value >= -32768 && value <= 32767) {
    Out.byte((RDB_ENCODED << 6) | RDB_ENCODED_INT16);
    store<u16>(at, <u16>value);
    length += 2;
  } else if (value >= -2147483648 && value <= 2147483647) {
    Out.byte((RDB_ENCODED << 6) | RDB_ENCODED_INT32);
    store<u32>(at, <u32>value);
    length += 4;
  } else {
    return false;
  }
  return true;
}

/** Writes bytes as Redis would; false = no memory. */
function writeString(ptr: usize, size: u32): bool {
  if (!reserve(HEAD_ROOM + size)) return false;
  if (size <= INTEGER_LIMIT && parse(ptr, size) && writeInteger(parsed)) return true;
  const isWorthIt = compresses && size > <u32>RDB_UNCOMPRESSED_LIMIT && size <= compressUpTo;
  if (isWorthIt && writeCompressed(ptr, size)) return true;
  writeLength(size);
  memory.copy(block + length, ptr, size);
  length += size;
  return true;
}

/** Writes the bytes compressed when that saves four at least; true = done. */
function writeCompressed(ptr: usize, size: u32): bool {
  // Compressed first behind room for the longest head, then moved up to the head it really needs.
  const start = length;
  const packed = lzfCompress(ptr, size, block + start + HEAD_ROOM, size - 4);
  if (packed == 0) return false;
  Out.byte((RDB_ENCODED << 6) | RDB_ENCODED_LZF);
  writeLength(packed);
  writeLength(size);
  memory.copy(block + length, block + start + HEAD_ROOM, packed);
  length += packed;
  return true;
}

function writeValue(entry: usize): bool {
  if (Entry.encoding(entry) != ENCODING_INT) return writeString(Entry.value(entry), Entry.valueLength(entry));
  if (!reserve(HEAD_ROOM + 24)) return false;
  const value = Entry.integer(entry);
  if (writeInteger(value)) return true;
  const digits = render(value, DIGITS);
  writeLength(digits);
  memory.copy(block + length, DIGITS, digits);
  length += digits;
  return true;
}

function writeEntry(entry: usize): bool {
  if (!reserve(HEAD_ROOM)) return false;
  if (Entry.expires(entry)) {
    Out.byte(RDB_EXPIRE_MS);
    store<i64>(block + length, <i64>Entry.expireAt(entry));
    length += 8;
  }
  Out.byte(RDB_TYPE_STRING);
  return writeString(Entry.key(entry), Entry.keyLength(entry)) && writeValue(entry);
}

/**
 * Writes the entries of a slot of database `db`, expired ones included: whoever reads them sees their expiry.
 * @param from 0, or what the call before returned; the slot must not have changed since
 * @param enough bytes after which to stop at the next bucket
 * @returns where to go on, 0 = that was all, REFUSED_OUT_OF_MEMORY
 */
export function rdbSlot(db: u32, slot: u32, from: u32, enough: u32): i32 {
  begin();
  publish();
  compressUpTo = SNAPSHOT_COMPRESS_LIMIT;
  const record = Database.slot(Database.at(db), slot);
  if (record == 0) return 0;
  const buckets = TableRecord.buckets(record);
  let index = from;
  while (index < buckets) {
    if (length >= enough) break;
    for (let line = bucketAt(record, index); line != 0; line = Bucket.next(line)) {
      for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
        if (!writeEntry(Bucket.entry(line, ctz(taken)))) return REFUSED_OUT_OF_MEMORY;
      }
    }
    index++;
  }
  publish();
  return index < buckets ? <i32>index : 0;
}

/**
 * Writes the DUMP payload of a key of the selected database.
 * @returns 1 = done, 0 = there is no such key, REFUSED_OUT_OF_MEMORY
 */
export function rdbDump(slot: u32, key: usize, keyLength: u32): i32 {
  begin();
  const entry = lookupRead(slot, key, keyLength);
  if (entry == 0) return 0;
  if (!reserve(1)) return REFUSED_OUT_OF_MEMORY;
  compressUpTo = u32.MAX_VALUE;
  Out.byte(RDB_TYPE_STRING);
  if (!writeValue(entry) || !reserve(FOOTER)) return REFUSED_OUT_OF_MEMORY;
  store<u16>(block + length, <u16>RDB_VERSION);
  length += 2;
  store<u64>(block + length, crc64(0, block, length));
  length += 8;
  publish();
  return 1;
}

/**
 * Reads a DUMP payload. The string in it is then in STATE_RESULT_PTR and _LENGTH, inside the payload or written out.
 * @returns 0 = done, RDB_PAYLOAD_REJECTED, RDB_PAYLOAD_DAMAGED, RDB_PAYLOAD_OTHER_TYPE or REFUSED_OUT_OF_MEMORY
 */
export function rdbParse(ptr: usize, size: u32): i32 {
  if (size < FOOTER) return RDB_PAYLOAD_REJECTED;
  const footer = ptr + size - FOOTER;
  if (load<u16>(footer) > <u16>RDB_VERSION) return RDB_PAYLOAD_REJECTED;
  if (load<u64>(footer, 2) != crc64(0, ptr, size - 8)) return RDB_PAYLOAD_REJECTED;
  if (ptr == footer) return RDB_PAYLOAD_DAMAGED;
  if (load<u8>(ptr) != RDB_TYPE_STRING)
    return isOtherType(load<u8>(ptr)) ? RDB_PAYLOAD_OTHER_TYPE : RDB_PAYLOAD_DAMAGED;
  readAt = ptr + 1;
  readEnd = footer;
  return readString();
}

/** Types Redis 7.0 has besides strings: 1 to 19 without the gap at 8. */
function isOtherType(type: u32): bool {
  return type >= 1 && type <= 19 && type != 8;
}

let readAt: usize = 0;
let readEnd: usize = 0;
let readFailed: bool = false;

function readByte(): u32 {
  if (readAt >= readEnd) {
    readFailed = true;
    return 0;
  }
  return load<u8>(readAt++);
}

function readLength(first: u32): u32 {
  const form = first >> 6;
  if (form == RDB_LENGTH_6) return first & 63;
  if (form == RDB_LENGTH_14) return ((first & 63) << 8) | readByte();
  const wide = first == RDB_LENGTH_64;
  const size: usize = wide ? 8 : 4;
  if ((!wide && first != RDB_LENGTH_32) || size > readEnd - readAt) {
    readFailed = true;
    return 0;
  }
  if (wide && load<u32>(readAt) != 0) readFailed = true;
  if (wide) readAt += 4;
  const value = bswap(load<u32>(readAt));
  readAt += 4;
  return value;
}

function readString(): i32 {
  readFailed = false;
  const first = readByte();
  if (readFailed) return RDB_PAYLOAD_DAMAGED;
  if (first >> 6 != RDB_ENCODED) {
    const size = readLength(first);
    if (readFailed || size > <u32>(readEnd - readAt)) return RDB_PAYLOAD_DAMAGED;
    store<u32>(STATE_RESULT_PTR, <u32>readAt);
    store<u32>(STATE_RESULT_LENGTH, size);
    return 0;
  }
  const encoding = first & 63;
  if (encoding == RDB_ENCODED_LZF) return readCompressed();
  if (encoding > <u32>RDB_ENCODED_INT32) return RDB_PAYLOAD_DAMAGED;
  if (readEnd - readAt < 1 << encoding) return RDB_PAYLOAD_DAMAGED;
  let value: i64 = load<i8>(readAt);
  if (encoding == RDB_ENCODED_INT16) value = load<i16>(readAt);
  else if (encoding == RDB_ENCODED_INT32) value = load<i32>(readAt);
  store<u32>(STATE_RESULT_PTR, <u32>DIGITS);
  store<u32>(STATE_RESULT_LENGTH, render(value, DIGITS));
  return 0;
}

function readCompressed(): i32 {
  const packed = readLength(readByte());
  if (readFailed) return RDB_PAYLOAD_DAMAGED;
  const size = readLength(readByte());
  if (readFailed || packed == 0 || packed > <u32>(readEnd - readAt)) return RDB_PAYLOAD_DAMAGED;
  return rdbExpand(readAt, packed, size);
}

/**
 * Expands an LZF string, which must not stand in this file's own block.
 * @returns as `rdbParse`
 */
export function rdbExpand(ptr: usize, packed: u32, size: u32): i32 {
  // No input of LZF gives more than 264 bytes for 3: a claimed size beyond that costs no memory.
  if (<u64>size > <u64>packed * 88) return RDB_PAYLOAD_DAMAGED;
  begin();
  if (!reserve(max(size, 1))) return REFUSED_OUT_OF_MEMORY;
  if (!lzfDecompress(ptr, packed, block, size)) return RDB_PAYLOAD_DAMAGED;
  length = size;
  publish();
  return 0;
}
