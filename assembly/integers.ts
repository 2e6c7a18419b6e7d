// Integers as text. Only the one canonical spelling of a number counts as an integer: a value kept as a number must
// come back as the very bytes that were stored.

/** What `parse` found. */
export let parsed: i64 = 0;

/** Whether the bytes spell a 64-bit integer canonically: no plus, no leading zeros, no "-0". */
export function parse(ptr: usize, length: u32): bool {
  if (length == 0 || length > 20) return false;
  let at = ptr;
  const end = ptr + length;
  const negative = load<u8>(at) == 0x2d;
  if (negative) {
    at++;
    if (at == end) return false;
  }
  const first = <u32>load<u8>(at) - 48;
  if (first == 0) {
    parsed = 0;
    return length == 1;
  }
  if (first > 9) return false;
  let value: u64 = first;
  for (at++; at < end; at++) {
    const digit = <u32>load<u8>(at) - 48;
    if (digit > 9) return false;
    if (value > 1844674407370955161 || (value == 1844674407370955161 && digit > 5)) return false;
    value = value * 10 + digit;
  }
  if (negative) {
    if (value > 0x8000000000000000) return false;
    parsed = 0 - value;
  } else {
    if (value > 0x7fffffffffffffff) return false;
    parsed = value;
  }
  return true;
}

/** How many characters the number takes. */
export function width(value: i64): u32 {
  return value < 0 ? 1 + digitsIn(0 - value) : digitsIn(value);
}

function digitsIn(value: u64): u32 {
  let count: u32 = 1;
  for (let limit: u64 = 10; value >= limit; limit *= 10) {
    if (++count == 20) break; // the next limit is none of 64 bits
  }
  return count;
}

/** Writes the number at `ptr` (room for 20 bytes); returns its length. */
export function render(value: i64, ptr: usize): u32 {
  let rest: u64 = value;
  let at = ptr;
  if (value < 0) {
    store<u8>(at++, 0x2d);
    rest = 0 - rest;
  }
  const count = digitsIn(rest);
  let end = at + count;
  for (; rest > 0xffffffff; end -= 8) {
    const high = rest / 100000000;
    renderDigits(<u32>(rest - high * 100000000), end, 8);
    rest = high;
  }
  renderDigits(<u32>rest, end, <u32>(end - at));
  return <u32>(at + count - ptr);
}

/**
 * Writes `count` digits that end before `end`, two at a time. Divisions are multiplications, which take a tenth of their
 * time: they hold for all 32-bit numbers by 100, and for those below 100 by 10.
 */
function renderDigits(value: u32, end: usize, count: u32): void {
  let rest = value;
  let at = end;
  for (let left = count; left > 1; left -= 2) {
    const high = <u32>((<u64>rest * 0x51eb851f) >> 37);
    const pair = rest - high * 100;
    const tens = (pair * 103) >> 10;
    at -= 2;
    store<u16>(at, <u16>(0x3030 + tens + ((pair - tens * 10) << 8)));
    rest = high;
  }
  if ((count & 1) != 0) store<u8>(at - 1, <u8>(48 + rest));
}
