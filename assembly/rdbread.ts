// Reading Redis's RDB form from bytes that may end anywhere: in the middle of a length, too.
//
// Each reading function is true when it read what it was asked for. Otherwise `Input.isDamaged()` tells whether the
// bytes make no sense (or want more memory than there is: `Input.isOutOfMemory`); if not, they end too early, and
// `Input.wanted()` bytes more would have let it go on.
import { REFUSED_OUT_OF_MEMORY, STATE_RESULT_LENGTH, STATE_RESULT_PTR, STRING_LIMIT } from "./abi";
import { parseDouble, parsedDouble } from "./double";
import { alloc, free, sizeOf } from "./heap";
import { render } from "./integers";
import { lzfDecompress } from "./lzf";
import {
  RDB_ENCODED,
  RDB_ENCODED_INT16,
  RDB_ENCODED_INT32,
  RDB_ENCODED_LZF,
  RDB_LENGTH_14,
  RDB_LENGTH_32,
  RDB_LENGTH_6,
  RDB_LENGTH_64,
  RDB_PAYLOAD_DAMAGED,
} from "./rdbformat";

/** A block of expanded text that has grown beyond this is not kept. */
const KEPT_ROOM: u32 = 1048576;
/** No input of LZF gives more than 264 bytes for 3: a claimed size beyond that is a lie, and costs no memory. */
const BEST_RATIO: u64 = 88;

/** What stands in place of the length of a double's text; one more is minus infinity. */
const TEXT_NAN: u32 = 253;
const TEXT_INFINITY: u32 = 254;

/** The longest string that is believed: a claim beyond it is refused before its bytes are waited for. */
let longest: u32 = STRING_LIMIT;

let at: usize = 0;
let end: usize = 0;
let wanted: u32 = 0;
let isDamaged: bool = false;
let isOutOfMemory: bool = false;

/** Two texts can be read and looked at side by side, a field and its value: each has a block and digits of its own. */
const BLOCKS: usize = memory.data(8);
const DIGITS: usize = memory.data(48);
/** What `readString` read: in the input, or written out in the text's block or digits. */
export let textPtr: usize = 0;
export let textLength: u32 = 0;
/** What `readDouble` and `readTextDouble` read. */
export let doubleRead: f64 = 0;
/** What `readLength` read. */
export let lengthRead: u64 = 0;

export abstract class Input {
  static begin(ptr: usize, length: u32): void {
    at = ptr;
    end = ptr + length;
    wanted = 0;
    isDamaged = false;
    isOutOfMemory = false;
  }
  @inline static at(): usize {
    return at;
  }
  @inline static wanted(): u32 {
    return wanted;
  }
  @inline static isDamaged(): bool {
    return isDamaged;
  }
  @inline static isOutOfMemory(): bool {
    return isOutOfMemory;
  }
  /** What was read is refused: it makes no sense, or there is no memory for it. */
  static refuse(forMemory: bool): void {
    isOutOfMemory = forMemory;
    isDamaged = true;
  }
  /** The next `length` bytes are behind the reader afterwards; 0 = they are not there. */
  static take(length: u32): usize {
    const left = <u32>(end - at);
    if (length > left) {
      wanted = length - left;
      return 0;
    }
    const taken = at;
    at += length;
    return taken;
  }
}

export function setLongestString(bytes: u32): void {
  longest = bytes;
}

function damaged(): bool {
  isDamaged = true;
  return false;
}

/** Reads a length into `lengthRead`. */
export function readLength(): bool {
  const first = Input.take(1);
  if (first == 0) return false;
  if (load<u8>(first) >> 6 == RDB_ENCODED) return damaged();
  return readLengthFrom(load<u8>(first));
}

function readLengthFrom(first: u32): bool {
  const form = first >> 6;
  if (form == RDB_LENGTH_6) {
    lengthRead = first & 63;
    return true;
  }
  const isWide = first == RDB_LENGTH_64;
  if (form != RDB_LENGTH_14 && first != RDB_LENGTH_32 && !isWide) return damaged();
  const rest = Input.take(form == RDB_LENGTH_14 ? 1 : isWide ? 8 : 4);
  if (rest == 0) return false;
  if (form == RDB_LENGTH_14) lengthRead = ((first & 63) << 8) | load<u8>(rest);
  else lengthRead = isWide ? bswap(load<u64>(rest)) : bswap(load<u32>(rest));
  return true;
}

/** Reads a length that counts bytes, and the bytes; 0 = not done. */
function takeCounted(first: u32): usize {
  if (!readLengthFrom(first)) return 0;
  if (lengthRead > longest) {
    isDamaged = true;
    return 0;
  }
  return Input.take(<u32>lengthRead);
}

/**
 * Reads a string into `textPtr` and `textLength`.
 * @param which 0 or 1: the text of that number read before is gone
 */
export function readString(which: u32): bool {
  const head = Input.take(1);
  if (head == 0) return false;
  const first = <u32>load<u8>(head);
  if (first >> 6 == RDB_ENCODED) return readEncoded(first & 63, which);
  const ptr = takeCounted(first);
  if (ptr == 0) return false;
  textPtr = ptr;
  textLength = <u32>lengthRead;
  return true;
}

function readEncoded(encoding: u32, which: u32): bool {
  if (encoding == RDB_ENCODED_LZF) return readCompressed(which);
  if (encoding > <u32>RDB_ENCODED_INT32) return damaged();
  const ptr = Input.take(1 << encoding);
  if (ptr == 0) return false;
  let value: i64 = load<i8>(ptr);
  if (encoding == RDB_ENCODED_INT16) value = load<i16>(ptr);
  else if (encoding == RDB_ENCODED_INT32) value = load<i32>(ptr);
  textPtr = DIGITS + which * 24;
  textLength = render(value, textPtr);
  return true;
}

function readCompressed(which: u32): bool {
  const ptr = takePacked();
  return ptr != 0 && expand(ptr, packedRead, sizeRead, which);
}

/** Of a compressed string: the bytes it is compressed to, and its length. */
let packedRead: u32 = 0;
let sizeRead: u32 = 0;

/** Reads the head of a compressed string and takes its bytes; 0 = not done. */
function takePacked(): usize {
  if (!readLength()) return 0;
  const packed = lengthRead;
  if (!readLength()) return 0;
  const size = lengthRead;
  if (packed == 0 || packed > longest || size > packed * BEST_RATIO || size > longest) {
    isDamaged = true;
    return 0;
  }
  packedRead = <u32>packed;
  sizeRead = <u32>size;
  return Input.take(<u32>packed);
}

/** What `readRaw` read: bytes as they stand there, `rawPacked` 0 = they are no compressed ones. */
export let rawPtr: usize = 0;
export let rawPacked: u32 = 0;
export let rawSize: u32 = 0;

/** Reads a string without expanding it; one that is an integer has no bytes. */
export function readRaw(): bool {
  const head = Input.take(1);
  if (head == 0) return false;
  const first = <u32>load<u8>(head);
  const isEncoded = first >> 6 == RDB_ENCODED;
  rawPacked = 0;
  rawSize = 0;
  if (isEncoded && (first & 63) != RDB_ENCODED_LZF) return true;
  rawPtr = isEncoded ? takePacked() : takeCounted(first);
  if (rawPtr == 0) return false;
  rawPacked = isEncoded ? packedRead : 0;
  rawSize = isEncoded ? sizeRead : <u32>lengthRead;
  return true;
}

function expand(ptr: usize, packed: u32, size: u32, which: u32): bool {
  const block = blockFor(which, size);
  if (block == 0) {
    isOutOfMemory = true;
    return damaged();
  }
  textPtr = block;
  textLength = size;
  return lzfDecompress(ptr, packed, block, size) || damaged();
}

function blockFor(which: u32, size: u32): usize {
  const place = BLOCKS + (which << 2);
  const had = <usize>load<u32>(place);
  if (had != 0 && size <= sizeOf(had) && (size > KEPT_ROOM || sizeOf(had) <= KEPT_ROOM)) return had;
  if (had != 0) free(had);
  const fresh = alloc(max(size, 64));
  store<u32>(place, <u32>fresh);
  return fresh;
}

/** Reads a double into `doubleRead`. */
export function readDouble(): bool {
  const ptr = Input.take(8);
  if (ptr != 0) doubleRead = load<f64>(ptr);
  return ptr != 0;
}

/** Reads a double written as text behind its length, or as one byte that stands for what is no number. */
export function readTextDouble(): bool {
  const head = Input.take(1);
  if (head == 0) return false;
  const length = <u32>load<u8>(head);
  if (length >= TEXT_NAN) {
    doubleRead = length == TEXT_NAN ? NaN : length == TEXT_INFINITY ? Infinity : -Infinity;
    return true;
  }
  const ptr = Input.take(length);
  if (ptr == 0) return false;
  if (!parseDouble(ptr, length)) return damaged();
  doubleRead = parsedDouble;
  return true;
}

/**
 * Expands an LZF string for the host, which finds it in STATE_RESULT_PTR and _LENGTH until the next call that reads.
 * @returns 0 = done, RDB_PAYLOAD_DAMAGED when it does not give `size` bytes, REFUSED_OUT_OF_MEMORY
 */
export function rdbExpand(ptr: usize, packed: u32, size: u32): i32 {
  Input.begin(ptr, packed);
  if (<u64>size > <u64>packed * BEST_RATIO) return RDB_PAYLOAD_DAMAGED;
  if (!expand(ptr, packed, size, 0)) return isOutOfMemory ? REFUSED_OUT_OF_MEMORY : RDB_PAYLOAD_DAMAGED;
  store<u32>(STATE_RESULT_PTR, <u32>textPtr);
  store<u32>(STATE_RESULT_LENGTH, textLength);
  return 0;
}
