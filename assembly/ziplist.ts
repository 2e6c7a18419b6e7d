// The ziplist, which Redis wrote before version 7 where it writes listpacks now. Read only, from bytes of any kind: nothing
// beyond them is looked at.
//
//   | bytes u32 | offset of the last entry u32 | count u16 | entry | entry | ... | 0xFF |
//   entry: | length of the entry before, u8, or 254 and u32 | head | bytes |
//   head:  00llllll, 01llllll u8, 10______ u32 with the highest byte first: so many bytes
//          0xC0 i16, 0xD0 i32, 0xE0 i64, 0xF0 i24, 0xFE i8, 0xF1..0xFD 0..12: integers, lowest byte first
import { render } from "./integers";

const HEAD: u32 = 10;
const END: u32 = 0xff;
const FAR: u32 = 254;
/** Where an integer's digits go: of two entries, a field and its value, in turn. */
const DIGITS: usize = memory.data(48);

let at: usize = 0;
let end: usize = 0;
let before: u32 = 0;
let turn: u32 = 0;
/** The entry `nextInZiplist` found. */
export let ziplistPtr: usize = 0;
export let ziplistLength: u32 = 0;
/** Whether all entries were as they should be, once `nextInZiplist` has found no more. */
export let ziplistIsWhole: bool = false;

/** Whether these bytes have a ziplist's head and end; its entries follow by `nextInZiplist`. */
export function beginZiplist(ptr: usize, bytes: u32): bool {
  ziplistIsWhole = false;
  if (bytes <= HEAD || load<u32>(ptr) != bytes || load<u8>(ptr + bytes - 1) != END) return false;
  at = ptr + HEAD;
  end = ptr + bytes - 1;
  before = 0;
  return true;
}

/** False = no more, or what follows is damaged: `ziplistIsWhole` tells. */
export function nextInZiplist(): bool {
  if (at == end) {
    ziplistIsWhole = true;
    return false;
  }
  const left = <u32>(end - at);
  const isFar = load<u8>(at) == FAR;
  const head = at + (isFar ? 5 : 1);
  const shortest: u32 = isFar ? 6 : 2;
  if (load<u8>(at) == END || left < shortest) return false;
  if ((isFar ? load<u32>(at, 1) : <u32>load<u8>(at)) != before) return false;
  const next = readBody(head);
  if (next == 0) return false;
  before = <u32>(next - at);
  at = next;
  return true;
}

/** Reads what stands behind an entry's first length; returns where the next entry begins, 0 = this is none. */
function readBody(head: usize): usize {
  const first = <u32>load<u8>(head);
  if (first < 0xc0) return readBytes(head, first >> 6, first & 63);
  const size = integerBytes(first);
  if (size < 0 || <u32>size > <u32>(end - head - 1)) return 0;
  const body = head + 1;
  let value: i64 = 0;
  if (size == 0) value = (first & 15) - 1;
  else if (size == 1) value = load<i8>(body);
  else if (size == 2) value = load<i16>(body);
  else if (size == 3) value = ((<i32>load<i8>(body, 2)) << 16) | load<u16>(body);
  else value = size == 4 ? <i64>load<i32>(body) : load<i64>(body);
  turn ^= 1;
  ziplistPtr = DIGITS + turn * 24;
  ziplistLength = render(value, ziplistPtr);
  return body + size;
}

function integerBytes(head: u32): i32 {
  if (head == 0xc0) return 2;
  if (head == 0xd0) return 4;
  if (head == 0xe0) return 8;
  if (head == 0xf0) return 3;
  if (head == 0xfe) return 1;
  return head >= 0xf1 && head <= 0xfd ? 0 : -1;
}

function readBytes(head: usize, form: u32, low: u32): usize {
  const headBytes: u32 = form == 0 ? 1 : form == 1 ? 2 : 5;
  const left = <u32>(end - head);
  if (headBytes > left) return 0;
  let length = low;
  if (form == 1) length = (low << 8) | load<u8>(head, 1);
  else if (form == 2) length = bswap(load<u32>(head, 1));
  if (length > left - headBytes) return 0;
  ziplistPtr = head + headBytes;
  ziplistLength = length;
  return ziplistPtr + length;
}
