// Writing Redis's RDB form: what is written gathers in one block of the heap, which the host reads through
// STATE_RESULT_PTR and _LENGTH before the next call that writes.
//
//   length:   1, 2 or 5 bytes, the top two bits of the first say which
//   string:   | length | bytes |     or an encoded integer, or LZF, whichever Redis would choose
import { STATE_RESULT_LENGTH, STATE_RESULT_PTR } from "./abi";
import { crc64 } from "./crc64";
import { alloc, free, resize, sizeOf } from "./heap";
import { parse, parsed, render } from "./integers";
import { lzfCompress } from "./lzf";
import {
  RDB_ENCODED,
  RDB_ENCODED_INT16,
  RDB_ENCODED_INT32,
  RDB_ENCODED_INT8,
  RDB_ENCODED_LZF,
  RDB_LENGTH_14,
  RDB_LENGTH_32,
  RDB_PAYLOAD_FOOTER,
  RDB_UNCOMPRESSED_LIMIT,
  RDB_VERSION,
} from "./rdbformat";

/** The most a head of a string takes: two lengths and a byte. */
const HEAD_ROOM: u32 = 16;
const FIRST_ROOM: u32 = 65536;
/** A block that has grown beyond this is given back when it is next emptied. */
const KEPT_ROOM: u32 = 1048576;
/** Longest string that spells an integer RDB has a form for: "-2147483648". */
const INTEGER_LIMIT: u32 = 11;
const DIGITS: usize = memory.data(24);

let block: usize = 0;
let room: u32 = 0;
let length: u32 = 0;
/** Whether strings are compressed: rdbcompression. */
export let compresses: bool = true;
/** Longest string that is compressed. */
let compressUpTo: u32 = u32.MAX_VALUE;

export function setRdbCompression(on: bool): void {
  compresses = on;
}

export abstract class Out {
  /** Bytes written since `begin`. */
  @inline static length(): u32 {
    return length;
  }
  @inline static ptr(): usize {
    return block;
  }
  /** Reserved before, as for all that follow. */
  @inline static byte(value: u32): void {
    store<u8>(block + length, <u8>value);
    length += 1;
  }
  @inline static u16(value: u32): void {
    store<u16>(block + length, <u16>value);
    length += 2;
  }
  @inline static u64(value: u64): void {
    store<u64>(block + length, value);
    length += 8;
  }
  @inline static f64(value: f64): void {
    store<f64>(block + length, value);
    length += 8;
  }
  @inline static bytes(from: usize, count: u32): void {
    memory.copy(block + length, from, count);
    length += count;
  }
}

/** Forgets what was written. @param upTo longest string that is compressed from here on */
export function beginWriting(upTo: u32): void {
  length = 0;
  compressUpTo = upTo;
  if (room <= KEPT_ROOM) return;
  free(block);
  block = 0;
  room = 0;
}

/**
 * Ends a payload with its version and its checksum.
 * @param crc of what was written before this block began
 * @returns false = no memory
 */
export function endPayload(crc: u64): bool {
  if (!reserve(RDB_PAYLOAD_FOOTER)) return false;
  Out.u16(RDB_VERSION);
  Out.u64(crc64(crc, Out.ptr(), Out.length()));
  return true;
}

/** Hands what was written to the host. */
export function publishWritten(): void {
  store<u32>(STATE_RESULT_PTR, <u32>block);
  store<u32>(STATE_RESULT_LENGTH, length);
}

/** Room for `more` bytes behind what was written; false = no memory. */
export function reserve(more: u32): bool {
  const need = <u64>length + more;
  if (need <= room) return true;
  // By half as much again, so that many small elements do not move what is there for each of them.
  return need <= 0xf0000000 && (growTo(<u32>min(need + (room >> 1), <u64>0xf0000000)) || growTo(<u32>need));
}

function growTo(size: u32): bool {
  const wanted = max(size, FIRST_ROOM);
  const moved = block == 0 ? alloc(wanted) : resize(block, length, wanted);
  if (moved == 0) return false;
  block = moved;
  room = sizeOf(moved);
  return true;
}

/** Reserved before: five bytes. */
export function writeLength(value: u32): void {
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
function writeEncoded(value: i64): bool {
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

/** Writes the digits of an integer; false = no memory. */
export function writeInteger(value: i64): bool {
  if (!reserve(HEAD_ROOM + 24)) return false;
  if (writeEncoded(value)) return true;
  const digits = render(value, DIGITS);
  writeLength(digits);
  memory.copy(block + length, DIGITS, digits);
  length += digits;
  return true;
}

/** Writes bytes as Redis would; false = no memory. */
export function writeString(ptr: usize, size: u32): bool {
  if (!reserve(HEAD_ROOM + size)) return false;
  if (size <= INTEGER_LIMIT && parse(ptr, size) && writeEncoded(parsed)) return true;
  const isWorthIt = compresses && size > <u32>RDB_UNCOMPRESSED_LIMIT && size <= compressUpTo;
  if (isWorthIt && compress(ptr, size)) return true;
  writeLength(size);
  memory.copy(block + length, ptr, size);
  length += size;
  return true;
}

/** Writes a string that is compressed already; false = no memory. */
export function writeCompressed(packed: usize, packedSize: u32, size: u32): bool {
  if (!reserve(HEAD_ROOM + packedSize)) return false;
  writeCompressedHead(packedSize, size);
  memory.copy(block + length, packed, packedSize);
  length += packedSize;
  return true;
}

/** Reserved before: HEAD_ROOM. */
export function writeCompressedHead(packedSize: u32, size: u32): void {
  Out.byte((RDB_ENCODED << 6) | RDB_ENCODED_LZF);
  writeLength(packedSize);
  writeLength(size);
}

/** Writes the bytes compressed when that saves four at least; true = done. */
function compress(ptr: usize, size: u32): bool {
  // Compressed first behind room for the longest head, then moved up to the head it really needs.
  const start = length;
  const packed = lzfCompress(ptr, size, block + start + HEAD_ROOM, size - 4);
  if (packed == 0) return false;
  writeCompressedHead(packed, size);
  memory.copy(block + length, block + start + HEAD_ROOM, packed);
  length += packed;
  return true;
}
