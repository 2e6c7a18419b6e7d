// Integers as text. Only the one canonical spelling of a number counts as an integer: a value kept as a number must
// come back as the very bytes that were stored.

const SCRATCH: usize = memory.data(32);

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
  let rest: u64 = value < 0 ? 0 - value : value;
  let count: u32 = value < 0 ? 2 : 1;
  for (; rest >= 10; rest /= 10) count++;
  return count;
}

/** Writes the number at `ptr` (room for 20 bytes); returns its length. */
export function render(value: i64, ptr: usize): u32 {
  let rest: u64 = value < 0 ? 0 - value : value;
  let at = SCRATCH + 32;
  do {
    store<u8>(--at, <u8>(48 + (rest % 10)));
    rest /= 10;
  } while (rest != 0);
  if (value < 0) store<u8>(--at, 0x2d);
  const length = <u32>(SCRATCH + 32 - at);
  memory.copy(ptr, at, length);
  return length;
}
