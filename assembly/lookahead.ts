// Looks ahead in a pipeline: finds the first keys of the requests that come next and has them warmed together.
//
// This is a hint and nothing else. It reads requests only in their usual form, `*argc $length name $length key ...`,
// and takes the argument after the name for a key. Whatever looks otherwise ends the look ahead; the decoder of the
// host, which decides what a request is, never hears of it.
import { warm } from "./warm";

/** Keys looked ahead for at most. */
const AHEAD: u32 = 16;
/** As `warm` takes them: address, length, slot, unused, for each key. */
const KEYS: usize = memory.data(256);
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

/**
 * Warms the keys of up to 16 requests of a pipeline.
 * @param from where a request begins
 * @param end behind the last byte received
 * @returns where the first request begins that was not looked at; `from` when it found no two keys to warm
 */
export function lookAhead(from: usize, end: usize): usize {
  let at = from;
  let count: u32 = 0;
  while (count < AHEAD) {
    const argc = number(at, end, 0x2a);
    if (argc - 2 > 1024) break;
    let next = after;
    let key: usize = 0;
    let keyLength: u32 = 0;
    for (let i: u32 = 0; i < argc; i++) {
      const length = number(next, end, 0x24);
      if (length == u32.MAX_VALUE) break;
      next = after + length + 2;
      if (i != 1) continue;
      key = after;
      keyLength = length;
    }
    if (key == 0 || key + keyLength > end) break;
    store<u32>(KEYS + (count << 4), <u32>key);
    store<u32>(KEYS + (count << 4), keyLength, 4);
    count++;
    at = next;
    if (next >= end) break;
  }
  if (count < 2) return from;
  store<u32>(KEYS, warm(KEYS, count), 12); // kept somewhere, or the reads would be optimised away
  return min(at, end);
}
