// How a hashtable grows and shrinks: linear hashing.
//
// With n buckets, let p be the greatest power of two <= n. A key lives in bucket hash mod 2p where that exists, else
// in hash mod p. To grow by bucket n is to move to it the keys of bucket n - p whose hash has bit p set; to shrink is
// the reverse. So a table of any size grows in equal small steps and never stands still to be rehashed.
import { BUCKET_ENTRIES, Bucket, LINE, NEXT, TAGS, bucketAt } from "./bucket";
import { makeRoom, releaseBuckets, releaseRoom } from "./bucketroom";
import { appendToChain } from "./chain";
import { Element } from "./element";
import { alloc, free } from "./heap";
import { TableRecord } from "./tablerecord";

/** Keys per bucket above which a table grows and below which it shrinks. */
const FULL: u32 = 9;
const SPARSE: u32 = 5;

/** Takes on a bucket when keys have become many. `isItem`: what the table holds, as element.ts says. */
export function growIfFull(record: usize, isItem: bool): void {
  // Twelve fit the first line, so few keys need no second bucket.
  if (TableRecord.count(record) > TableRecord.buckets(record) * FULL + 3) grow(record, isItem);
}

/** Takes back a bucket when keys have become few, all of them when none is left. */
export function shrink(record: usize): void {
  if (TableRecord.count(record) == 0) return releaseBuckets(record);
  const buckets = TableRecord.buckets(record);
  if (buckets > 1 && TableRecord.count(record) < buckets * SPARSE) merge(record);
}

/** Splits the next bucket in turn. Without memory the table stays as it is, its chains a little longer. */
function grow(record: usize, isItem: bool): void {
  const buckets = TableRecord.buckets(record);
  const half: u32 = 0x80000000 >> clz(buckets);
  if (!makeRoom(record, buckets)) return;
  const source = bucketAt(record, buckets - half);
  const target = bucketAt(record, buckets);
  touchElements(source);
  // The target's chain is no longer than the source's was, so with as many lines at hand nothing can fail midway.
  let spare: usize = 0;
  for (let line = Bucket.next(source); line != 0; line = Bucket.next(line)) {
    const fresh = alloc(LINE);
    if (fresh == 0) return freeLines(spare);
    store<u32>(fresh, <u32>spare, NEXT);
    spare = fresh;
  }
  Bucket.clear(target);
  let to = target;
  let keep = source;
  let kept: u32 = 0;
  let moved: u32 = 0;
  for (let line = source; line != 0; line = Bucket.next(line)) {
    // What stays is written back behind the reading, dense; places read are cleared as they go.
    for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
      const index = <u32>ctz(taken);
      const element = Bucket.entry(line, index);
      const tag = Bucket.tag(line, index);
      store<u8>(line + index, 0, TAGS);
      if (((<u32>Element.hash(element, isItem)) & half) != 0) {
        if (moved == BUCKET_ENTRIES) {
          const fresh = spare;
          spare = Bucket.next(fresh);
          Bucket.clear(fresh);
          store<u32>(to, <u32>fresh, NEXT);
          to = fresh;
          moved = 0;
        }
        Bucket.put(to, moved++, element, tag);
      } else {
        if (kept == BUCKET_ENTRIES) {
          keep = Bucket.next(keep);
          kept = 0;
        }
        Bucket.put(keep, kept++, element, tag);
      }
    }
  }
  freeLines(Bucket.next(keep));
  store<u32>(keep, 0, NEXT);
  freeLines(spare);
  TableRecord.setBuckets(record, buckets + 1);
}

/** Where `touchElements` leaves what it read, or it would be optimised away. */
const TOUCHED: usize = memory.data(8);

/** Reads a word of each element of a chain, so that the waits for memory pass at the same time. */
function touchElements(first: usize): void {
  let seen: u32 = 0;
  for (let line = first; line != 0; line = Bucket.next(line)) {
    for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
      seen ^= load<u32>(Bucket.entry(line, ctz(taken)));
    }
  }
  store<u32>(TOUCHED, seen);
}

/** Merges the last bucket into the one it was split from. Without memory the table stays as it is. */
function merge(record: usize): void {
  const last = TableRecord.buckets(record) - 1;
  const half: u32 = 0x80000000 >> clz(last);
  const target = bucketAt(record, last - half);
  const source = bucketAt(record, last);
  // Two lines more than the source's chain frees by the time they are needed.
  const a = alloc(LINE);
  if (a == 0) return;
  let spare = alloc(LINE);
  if (spare == 0) return free(a);
  store<u32>(a, 0, NEXT);
  store<u32>(spare, <u32>a, NEXT);
  let line = source;
  let to = target;
  while (line != 0) {
    for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
      const index = <u32>ctz(taken);
      const rest = Bucket.next(spare);
      to = appendToChain(to, Bucket.entry(line, index), Bucket.tag(line, index), spare);
      if (to == spare) spare = rest;
    }
    const next = Bucket.next(line);
    if (line != source) {
      store<u32>(line, <u32>spare, NEXT);
      spare = line;
    }
    line = next;
  }
  freeLines(spare);
  Bucket.clear(source);
  TableRecord.setBuckets(record, last);
  releaseRoom(record, last);
}

function freeLines(first: usize): void {
  let line = first;
  while (line != 0) {
    const next = Bucket.next(line);
    free(line);
    line = next;
  }
}
