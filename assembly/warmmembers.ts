// Brings the members that a batch of requests, or one request, names into the processor's caches, once their keys are
// there.
//
// A member of a big table is two more waits for memory away, for its line and its item, and as with keys (warm.ts) each
// wait is begun for all requests before the next. Which argument is a member nobody knows here: it is taken to be the
// first after the key, and of a sorted set the second where there is one, as in ZADD. A wrong guess costs some time.
import { ENCODING_HASHTABLE, ENCODING_SKIPLIST, TYPE_ZSET } from "./abi";
import { Args } from "./args";
import { Bucket, bucketOf } from "./bucket";
import { Entry } from "./entry";
import { hashOf } from "./hash";
import { isBigTable } from "./members";

/** Per request: | address u32, length u32 | of the first argument after the key, then of the second; 0 = there is none. */
export const NAMED: usize = memory.data(256);
const HASHES: usize = memory.data(128);
const LINES: usize = memory.data(64);
/** Where `warmArguments` leaves what was read, or it would be optimised away. */
const READ: usize = memory.data(8);
const BATCH: u32 = 16;

/**
 * Warms up to 16 members.
 * @param entries address of each request's entry u32, 0 = none; they need not be what the requests mean
 * @returns a number without meaning, which keeps the reading from being optimised away
 */
export function warmMembers(entries: usize, count: u32): u32 {
  let seen: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry: usize = load<u32>(entries + (i << 2));
    const named: usize = entry == 0 ? <usize>0 : memberOf(entry, NAMED + (i << 4));
    if (named == 0) store<u32>(LINES + (i << 2), 0);
    else seen ^= readLine(i, Entry.value(entry), load<u32>(named), load<u32>(named, 4));
  }
  return seen ^ readItems(count);
}

/** Arguments that a command is about to look up in the table of one key. */
export abstract class Members {
  /** At every 16th of the members that arguments `from`, `from + step` … name, `index` now, warms it and those after it. */
  @inline static warm(entry: usize, from: u32, index: u32, step: u32): void {
    if (
      (index - from) % (BATCH * step) == 0 &&
      index + step < Args.count() &&
      entry != 0 &&
      hasBigTable(entry)
    )
      warmArguments(Entry.value(entry), index, step);
  }
}

function warmArguments(record: usize, index: u32, step: u32): void {
  let seen: u32 = 0;
  let count: u32 = 0;
  for (let i = index; i < Args.count() && count < BATCH; i += step)
    seen ^= readLine(count++, record, Args.ptr(i), Args.length(i));
  store<u32>(READ, seen ^ readItems(count));
}

function readLine(i: u32, record: usize, member: usize, length: u32): u32 {
  const hash = hashOf(member, length);
  const line = bucketOf(record, hash);
  store<u64>(HASHES + (i << 3), hash);
  store<u32>(LINES + (i << 2), <u32>line);
  return load<u32>(line);
}

/** Reads what the first `count` lines hold under their tags. */
function readItems(count: u32): u32 {
  let seen: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const line: usize = load<u32>(LINES + (i << 2));
    if (line != 0) seen ^= readMatches(line, Bucket.tagOf(load<u64>(HASHES + (i << 3))));
  }
  return seen;
}

function hasBigTable(entry: usize): bool {
  const encoding = Entry.encoding(entry);
  return (encoding == ENCODING_HASHTABLE || encoding == ENCODING_SKIPLIST) && isBigTable(Entry.value(entry));
}

/** Where the address of the member stands that a request looks for in an entry's table; 0 = in none worth warming. */
function memberOf(entry: usize, named: usize): usize {
  if (!hasBigTable(entry)) return 0;
  const at = Entry.type(entry) == TYPE_ZSET && load<u32>(named, 8) != 0 ? named + 8 : named;
  return load<u32>(at) == 0 ? 0 : at;
}

/** Reads the items a line has under a tag; without any, the next of the chain may be what is needed. */
function readMatches(line: usize, tag: u8): u32 {
  let matches = Bucket.matches(line, tag);
  if (matches == 0) return Bucket.next(line) == 0 ? 0 : load<u32>(Bucket.next(line));
  let seen: u32 = 0;
  for (; matches != 0; matches &= matches - 1) seen ^= load<u32>(Bucket.entry(line, ctz(matches)));
  return seen;
}
