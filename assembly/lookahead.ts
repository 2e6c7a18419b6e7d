// Looks ahead in a pipeline: finds the first keys of the requests that come next and has them warmed together, and the
// arguments after them, which may be members.
//
// This is a hint and nothing else. It reads requests only in their usual form, `*argc $length name $length key ...`,
// and takes the argument after the name for a key. Whatever looks otherwise ends the look ahead; the decoder of the
// host, which decides what a request is, never hears of it.
import { KEYS, isWorthWarming, warm } from "./warm";
import { NAMED } from "./warmmembers";

/** Keys looked ahead for at most. */
const AHEAD: u32 = 16;
/** Longer arguments end the look ahead. */
const LONGEST: u32 = 65536;

/** Where `number` stopped reading, behind the line's end. */
let after: usize = 0;

/** The number after the type byte at `at`, whose line must end before `end`; -1 = this is no such line. */
function number(at: usize, end: usize, type: u32): u32 {
  if (at >= end || load<u8>(at) != type) return u32.MAX_VALUE;
  let value: u32 = 0;
  for (at++; at + 1 < end; at++) {
    const digit = <u32>load<u8>(at) - 48;
    if (digit > 9) {
      after = at + 2;
      return load<u8>(at) == 13 && value <= LONGEST ? value : u32.MAX_VALUE;
    }
    value = value * 10 + digit;
    if (value > LONGEST) return u32.MAX_VALUE;
  }
  return u32.MAX_VALUE;
}

/** Notes where an argument stands; address 0 when not all of it has come. */
function note(at: usize, ptr: usize, length: u32, end: usize): void {
  store<u32>(at, ptr + length > end ? 0 : <u32>ptr);
  store<u32>(at, length, 4);
}

/** Notes key and members of request number `index`, which begins at `at`; returns where it ends, 0 = it has no key. */
function read(index: u32, at: usize, end: usize): usize {
  const argc = number(at, end, 0x2a);
  if (argc - 2 > 1024) return 0;
  const key = KEYS + (index << 3);
  const named = NAMED + (index << 4);
  store<u32>(key, 0);
  store<u32>(named, 0);
  store<u32>(named, 0, 8);
  let next = after;
  for (let i: u32 = 0; i < argc; i++) {
    const length = number(next, end, 0x24);
    if (length == u32.MAX_VALUE) break;
    if (i == 1) note(key, after, length, end);
    else if (i == 2 || i == 3) note(named + ((i - 2) << 3), after, length, end);
    next = after + length + 2;
  }
  return load<u32>(key) == 0 ? 0 : next;
}

/** Where `lookAhead` leaves what was read, or it would be optimised away. */
const READ: usize = memory.data(8);

/**
 * Warms the keys of up to 16 requests of a pipeline.
 * @param from where a request begins
 * @param end behind the last byte received
 * @returns where the first request begins that was not looked at, `end` when none of them is worth it; `from` when it
 *   found no two keys to warm
 */
export function lookAhead(from: usize, end: usize): usize {
  if (!isWorthWarming()) return end;
  let at = from;
  let count: u32 = 0;
  while (count < AHEAD && at < end) {
    const next = read(count, at, end);
    if (next == 0) break;
    at = next;
    count++;
  }
  if (count < 2) return from;
  store<u32>(READ, warm(count));
  return min(at, end);
}
