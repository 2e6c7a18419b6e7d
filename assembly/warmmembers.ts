// Brings the members that a batch of requests names into the processor's caches, once their keys are there.
//
// A member of a big table is two more waits for memory away, for its line and its item, and as with keys (warm.ts) each
// wait is begun for all requests before the next. Which argument is a member nobody knows here: it is taken to be the
// first after the key, and of a sorted set the second where there is one, as in ZADD. A wrong guess costs some time.
import { ENCODING_HASHTABLE, ENCODING_SKIPLIST, TYPE_ZSET } from "./abi";
import { Bucket, bucketOf } from "./bucket";
import { Entry } from "./entry";
import { hashOf } from "./hash";
import { isBigTable } from "./members";

/** Per request: | address u32, length u32 | of the first argument after the key, then of the second; 0 = there is none. */
export const NAMED: usize = memory.data(256);
const HASHES: usize = memory.data(128);
const LINES: usize = memory.data(64);

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
    let line: usize = 0;
    if (named != 0) {
      const hash = hashOf(load<u32>(named), load<u32>(named, 4));
      store<u64>(HASHES + (i << 3), hash);
      line = bucketOf(Entry.value(entry), hash);
      seen ^= load<u32>(line);
    }
    store<u32>(LINES + (i << 2), <u32>line);
  }
  for (let i: u32 = 0; i < count; i++) {
    const line: usize = load<u32>(LINES + (i << 2));
    if (line != 0) seen ^= readItems(line, Bucket.tagOf(load<u64>(HASHES + (i << 3))));
  }
  return seen;
}

/** Where the address of the member stands that a request looks for in an entry's table; 0 = in none worth warming. */
function memberOf(entry: usize, named: usize): usize {
  const encoding = Entry.encoding(entry);
  if (encoding != ENCODING_HASHTABLE && encoding != ENCODING_SKIPLIST) return 0;
  if (!isBigTable(Entry.value(entry))) return 0;
  const at = Entry.type(entry) == TYPE_ZSET && load<u32>(named, 8) != 0 ? named + 8 : named;
  return load<u32>(at) == 0 ? 0 : at;
}

/** Reads what a line holds under a tag; without any, the next of the chain may be what is needed. */
function readItems(line: usize, tag: u8): u32 {
  let matches = Bucket.matches(line, tag);
  if (matches == 0) return Bucket.next(line) == 0 ? 0 : load<u32>(Bucket.next(line));
  let seen: u32 = 0;
  for (; matches != 0; matches &= matches - 1) seen ^= load<u32>(Bucket.entry(line, ctz(matches)));
  return seen;
}
