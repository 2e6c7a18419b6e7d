// One element of a listpack: the smallest form its bytes have.
//
//   body     0vvvvvvv                                  an integer of 0..127
//            10llllll bytes                            up to 63 bytes
//            110vvvvv vvvvvvvv                         an integer of 13 bits
//            1110llll llllllll bytes                   up to 4095 bytes
//            0xF0 l u32 bytes                          more
//            0xF1 i16   0xF2 i24   0xF3 i32   0xF4 i64   wider integers, lowest byte first
//   backlen  the body's length, seven bits a byte; only the first byte has its top bit clear
//
// Bytes that spell an integer canonically are kept as one, so reading gives either a run of bytes or a number.
import { equal, Bytes } from "./bytes";
import { parse, parsed, render, width } from "./integers";

const FORM_12: u32 = 0xe0;
const FORM_32: u32 = 0xf0;
const FORM_I16: u32 = 0xf1;
const FORM_I24: u32 = 0xf2;
const FORM_I32: u32 = 0xf3;
const FORM_I64: u32 = 0xf4;
/** The most an element takes beyond the bytes it holds. */
export const ELEMENT_OVERHEAD: u32 = 10;

const DIGITS: usize = memory.data(24);

/** What `readElement` and `readText` found. */
export let elementPtr: usize = 0;
export let elementLength: u32 = 0;
export let elementInteger: i64 = 0;

/** What `seekText` was told. */
let soughtIsInteger: bool = false;
let soughtInteger: i64 = 0;

/** Bytes of the body at `at`, which is an element. */
function bodyBytes(at: usize): u32 {
  const head = <u32>load<u8>(at);
  if (head < 0x80) return 1;
  if (head < 0xc0) return 1 + (head & 63);
  if (head < FORM_12) return 2;
  if (head < FORM_32) return 2 + (((head & 15) << 8) | load<u8>(at, 1));
  if (head == FORM_32) return 5 + load<u32>(at, 1);
  return head == FORM_I64 ? 9 : head - FORM_I16 + 3;
}

/** Bytes the backlen of a body takes. The limits are a little below what fits, as Redis has them. */
export function backlenBytes(body: u32): u32 {
  if (body < 128) return 1;
  if (body < 16383) return 2;
  if (body < 2097151) return 3;
  return body < 268435455 ? 4 : 5;
}

/** Bytes of the whole element at `at`. */
export function elementBytes(at: usize): u32 {
  const head = <u32>load<u8>(at);
  if (head < 0x80) return 2;
  if (head < 0xc0) return 2 + (head & 63);
  const body = bodyBytes(at);
  return body + backlenBytes(body);
}

/** Bytes the integer's body takes. */
function integerBody(value: i64): u32 {
  if (value >= 0 && value < 128) return 1;
  if (value >= -4096 && value < 4096) return 2;
  if (value >= -32768 && value < 32768) return 3;
  if (value >= -8388608 && value < 8388608) return 4;
  return value >= -2147483648 && value < 2147483648 ? 5 : 9;
}

/** Bytes an element takes that holds these bytes. */
export function elementSize(ptr: usize, length: u32): u32 {
  if (parse(ptr, length)) return integerBody(parsed) + 1;
  const body = length + (length < 64 ? 1 : length < 4096 ? 2 : 5);
  return body + backlenBytes(body);
}

/** Bytes an element takes that holds this integer. */
export function integerSize(value: i64): u32 {
  return integerBody(value) + 1;
}

/** Writes an element that holds these bytes, which do not overlap it; returns where the next one goes. */
export function writeElement(at: usize, ptr: usize, length: u32): usize {
  if (parse(ptr, length)) return writeInteger(at, parsed);
  let data = at + 1;
  if (length < 64) {
    store<u8>(at, <u8>(0x80 | length));
  } else if (length < 4096) {
    store<u8>(at, <u8>(FORM_12 | (length >> 8)));
    store<u8>(at, <u8>length, 1);
    data = at + 2;
  } else {
    store<u8>(at, <u8>FORM_32);
    store<u32>(at, length, 1);
    data = at + 5;
  }
  Bytes.copy(data, ptr, length);
  return writeBacklen(data + length, <u32>(data + length - at));
}

/** As `writeElement`, for an integer. */
export function writeInteger(at: usize, value: i64): usize {
  const body = integerBody(value);
  if (body == 1) {
    store<u8>(at, <u8>value);
  } else if (body == 2) {
    store<u8>(at, <u8>(0xc0 | (((<u32>value) >> 8) & 31)));
    store<u8>(at, <u8>value, 1);
  } else if (body == 9) {
    store<u8>(at, <u8>FORM_I64);
    store<i64>(at, value, 1);
  } else {
    store<u8>(at, <u8>(FORM_I16 + body - 3));
    store<u16>(at, <u16>value, 1);
    if (body == 4) store<u8>(at, <u8>(value >> 16), 3);
    else if (body == 5) store<u16>(at, <u16>(value >> 16), 3);
  }
  store<u8>(at + body, <u8>body);
  return at + body + 1;
}

function writeBacklen(at: usize, body: u32): usize {
  if (body < 128) {
    store<u8>(at, <u8>body);
    return at + 1;
  }
  const end = at + backlenBytes(body);
  let rest = body;
  for (let byte = end - 1; byte > at; byte--) {
    store<u8>(byte, <u8>((rest & 127) | 128));
    rest >>= 7;
  }
  store<u8>(at, <u8>rest);
  return end;
}

/** The integer at `at`, whose head is none of a string's. */
function integerAt(at: usize): i64 {
  const head = <u32>load<u8>(at);
  if (head < 0x80) return head;
  if (head < FORM_12) return <i64>(((<i32>(((head & 31) << 8) | load<u8>(at, 1))) << 19) >> 19);
  if (head == FORM_I16) return load<i16>(at, 1);
  if (head == FORM_I24) return <i64>(((<i32>load<i8>(at, 3)) << 16) | load<u16>(at, 1));
  return head == FORM_I32 ? <i64>load<i32>(at, 1) : load<i64>(at, 1);
}

/**
 * Reads the element at `at`.
 * @returns true = an integer, in `elementInteger`; false = bytes, at `elementPtr`, `elementLength` of them
 */
export function readElement(at: usize): bool {
  const head = <u32>load<u8>(at);
  if (head >= 0x80) {
    if (head < 0xc0) {
      elementPtr = at + 1;
      elementLength = head & 63;
      return false;
    }
    if (head >= FORM_12 && head <= FORM_32) {
      elementPtr = at + (head == FORM_32 ? 5 : 2);
      elementLength = head == FORM_32 ? load<u32>(at, 1) : ((head & 15) << 8) | load<u8>(at, 1);
      return false;
    }
  }
  elementInteger = integerAt(at);
  return true;
}

/** Reads the element at `at` as bytes: an integer's digits stand in a scratch until the next one is read. */
export function readText(at: usize): void {
  if (!readElement(at)) return;
  elementPtr = DIGITS;
  elementLength = render(elementInteger, DIGITS);
}

/** Length of what the element at `at` holds, as bytes. */
export function textLength(at: usize): u32 {
  return readElement(at) ? width(elementInteger) : elementLength;
}

/** Says what `elementIs` compares with from now on. */
export function seekText(ptr: usize, length: u32): void {
  soughtIsInteger = parse(ptr, length);
  soughtInteger = parsed;
}

/** Whether the element at `at` holds the bytes that `seekText` was last told. */
export function elementIs(at: usize, ptr: usize, length: u32): bool {
  const head = <u32>load<u8>(at);
  if (head >= 0x80 && head < 0xc0) return (head & 63) == length && equal(at + 1, ptr, length);
  if (readElement(at)) return soughtIsInteger && elementInteger == soughtInteger;
  return elementLength == length && equal(elementPtr, ptr, length);
}
