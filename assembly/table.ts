// The hashtable of one slot: linear hashing over cache lines.
//
//   bucket (64 bytes): | 12 entries u32 | 12 tags u8 | next u32 |
//   tag: 0 = free, otherwise 7 bits of the key's hash; bit 7 = the entry has an expiry
//
// One SIMD instruction compares all tags of a line, so a look-up touches the slot's record, one line and one entry.
// Entries beyond twelve go to further lines, chained by `next` and kept dense: only the last has gaps at its end.
//
// With n buckets, let p be the greatest power of two <= n. A key lives in bucket hash mod 2p where that exists, else
// in hash mod p. To grow by bucket n is to move to it the keys of bucket n - p whose hash has bit p set; to shrink is
// the reverse. So a table of any size grows in equal small steps and never stands still to be rehashed.
//
// Buckets stand in one block while they are few (`root` points to it), later in segments of 256, so that no step
// copies more than 32 KiB: `root` then points to the directory of segments, lowest bit set as a mark.
import { Database, Slot, slotForInsert } from "./database";
import { Entry, dispose } from "./entry";
import { hashOf } from "./hash";
import { alloc, free, resize, roundUp, sizeOf } from "./heap";

export const BUCKET_ENTRIES: u32 = 12;
const LINE: u32 = 64;
const TAGS: usize = 48;
const NEXT: usize = 60;
const LANES: i32 = 0xfff;
const EXPIRING_TAG: u8 = 0x80;

/** Keys per bucket above which a table grows and below which it shrinks. */
const FULL: u32 = 9;
const SPARSE: u32 = 5;

const SEGMENT_SHIFT: u32 = 8;
const SEGMENT: u32 = 1 << SEGMENT_SHIFT;
const BLOCK_BUCKETS: u32 = 512;
const SEGMENTED: usize = 1;

/** What `find` saw: the hash, and where the entry stands. */
export let foundHash: u64 = 0;
export let foundBucket: usize = 0;
export let foundIndex: u32 = 0;

export abstract class Bucket {
  @inline static entry(bucket: usize, index: u32): usize {
    return load<u32>(bucket + (index << 2));
  }
  @inline static tag(bucket: usize, index: u32): u8 {
    return load<u8>(bucket + index, TAGS);
  }
  @inline static next(bucket: usize): usize {
    return load<u32>(bucket, NEXT);
  }
  @inline static put(bucket: usize, index: u32, entry: usize, tag: u8): void {
    store<u32>(bucket + (index << 2), <u32>entry);
    store<u8>(bucket + index, tag, TAGS);
  }
  @inline static clear(bucket: usize): void {
    store<u64>(bucket, 0, TAGS);
    store<u64>(bucket, 0, TAGS + 8);
  }
  /** Bit n set where tag n is this one. */
  @inline static matches(bucket: usize, tag: u8): i32 {
    const tags = v128.and(v128.load(bucket, TAGS), i8x16.splat(0x7f));
    return i8x16.bitmask(i8x16.eq(tags, i8x16.splat(<i8>tag))) & LANES;
  }
  /** Bit n set where place n is taken. */
  @inline static taken(bucket: usize): i32 {
    return ~i8x16.bitmask(i8x16.eq(v128.load(bucket, TAGS), i8x16.splat(0))) & LANES;
  }
  /** Bit n set where entry n has an expiry. */
  @inline static expiring(bucket: usize): i32 {
    return i8x16.bitmask(v128.load(bucket, TAGS)) & LANES;
  }
  @inline static tagOf(hash: u64): u8 {
    const tag = <u8>(hash >> 57);
    return tag == 0 ? 1 : tag;
  }
}

/** Bucket number `index` of a slot. */
export function bucketAt(record: usize, index: u32): usize {
  const root = Slot.root(record);
  if ((root & SEGMENTED) == 0) return root + (index << 6);
  const segment = <usize>load<u32>(root - SEGMENTED + ((index >> SEGMENT_SHIFT) << 2));
  return segment + ((index & (SEGMENT - 1)) << 6);
}

abstract class Address {
  @inline static of(hash: u64, buckets: u32): u32 {
    const half: u32 = 0x80000000 >> clz(buckets);
    const index = (<u32>hash) & (2 * half - 1);
    return index < buckets ? index : index & (half - 1);
  }
}

/** The entry of a key in a slot of the selected database, expired or not; 0 = none. Sets what `found…` say. */
export function find(slot: u32, key: usize, length: u32): usize {
  const hash = hashOf(key, length);
  foundHash = hash;
  const record = Database.slot(Database.selected(), slot);
  if (record == 0) return 0;
  const buckets = Slot.buckets(record);
  if (buckets == 0) return 0;
  let bucket = bucketAt(record, Address.of(hash, buckets));
  const tag = Bucket.tagOf(hash);
  do {
    let matches = Bucket.matches(bucket, tag);
    while (matches != 0) {
      const index = ctz(matches);
      const entry = Bucket.entry(bucket, index);
      if (Entry.hasKey(entry, key, length)) {
        foundBucket = bucket;
        foundIndex = index;
        return entry;
      }
      matches &= matches - 1;
    }
    bucket = Bucket.next(bucket);
  } while (bucket != 0);
  return 0;
}

/** Adds an entry whose key has `hash` and is not in the slot. False = no memory, nothing changed. */
export function insert(slot: u32, entry: usize, hash: u64): bool {
  const db = Database.selected();
  const record = slotForInsert(db, slot);
  if (record == 0) return false;
  if (Slot.buckets(record) == 0 && !firstBucket(record)) return false;
  const expires = Entry.expires(entry);
  const bucket = bucketAt(record, Address.of(hash, Slot.buckets(record)));
  if (append(bucket, entry, Bucket.tagOf(hash) | (expires ? EXPIRING_TAG : 0), 0) == 0) return false;
  Database.count(db, slot, 1);
  if (expires) Database.countExpiring(db, slot, 1);
  // Twelve fit the first line, so few keys need no second bucket.
  if (Slot.keys(record) > Slot.buckets(record) * FULL + 3) grow(record);
  return true;
}

/** Puts `entry` where `find` has just found its predecessor, which is disposed of. */
export function replaceFound(slot: u32, entry: usize): void {
  const bucket = foundBucket;
  const old = Bucket.entry(bucket, foundIndex);
  setExpiring(slot, Entry.expires(old), Entry.expires(entry));
  store<u32>(bucket + (foundIndex << 2), <u32>entry);
  dispose(old);
}

/** Notes that the entry `find` has just found has moved. */
export function movedFound(entry: usize): void {
  store<u32>(foundBucket + (foundIndex << 2), <u32>entry);
}

function setExpiring(slot: u32, before: bool, after: bool): void {
  if (before == after) return;
  Database.countExpiring(Database.selected(), slot, after ? 1 : -1);
  const at = foundBucket + foundIndex;
  store<u8>(at, load<u8>(at, TAGS) ^ EXPIRING_TAG, TAGS);
}

/** Takes the entry `find` has just found out of its slot and disposes of it. */
export function removeFound(slot: u32): void {
  dispose(takeFound(slot));
}

/** Takes the entry `find` has just found out of its slot; it is the caller's now. */
export function takeFound(slot: u32): usize {
  const db = Database.selected();
  const record = Database.slot(db, slot);
  const entry = removeAt(db, slot, bucketOf(record, foundHash), foundBucket, foundIndex);
  shrink(record);
  return entry;
}

export function bucketOf(record: usize, hash: u64): usize {
  return bucketAt(record, Address.of(hash, Slot.buckets(record)));
}

/** Whether the last `removeAt` gave back the last line of its chain. */
export let removedLine: bool = false;

/**
 * Takes an entry out of a chain that begins at `first`; the chain's last entry fills the gap. The table does not
 * shrink: whoever walks the chain goes on, and calls `shrink` when done.
 */
export function removeAt(db: usize, slot: u32, first: usize, bucket: usize, index: u32): usize {
  const entry = Bucket.entry(bucket, index);
  let last = first;
  let before: usize = 0;
  for (let next = Bucket.next(last); next != 0; next = Bucket.next(last)) {
    before = last;
    last = next;
  }
  const end = 31 - clz(Bucket.taken(last));
  Bucket.put(bucket, index, Bucket.entry(last, end), Bucket.tag(last, end));
  store<u8>(last + end, 0, TAGS);
  removedLine = end == 0 && before != 0;
  if (removedLine) {
    store<u32>(before, 0, NEXT);
    free(last);
  }
  Database.count(db, slot, -1);
  if (Entry.expires(entry)) Database.countExpiring(db, slot, -1);
  return entry;
}

/** Takes back a bucket when keys have become few, all of them when none is left. */
export function shrink(record: usize): void {
  if (Slot.keys(record) == 0) return releaseBuckets(record);
  const buckets = Slot.buckets(record);
  if (buckets > 1 && Slot.keys(record) < buckets * SPARSE) merge(record);
}

/** Drops every entry of a slot of database `db`; returns how many there were. */
export function clearSlot(db: usize, slot: u32): u32 {
  const record = Database.slot(db, slot);
  if (record == 0 || Slot.keys(record) == 0) return 0;
  const buckets = Slot.buckets(record);
  for (let i: u32 = 0; i < buckets; i++) {
    let line = bucketAt(record, i);
    const first = line;
    while (line != 0) {
      for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1)
        dispose(Bucket.entry(line, ctz(taken)));
      const next = Bucket.next(line);
      if (line != first) free(line);
      line = next;
    }
    Bucket.clear(first);
  }
  const keys = Slot.keys(record);
  Database.countExpiring(db, slot, -(<i32>Slot.expiring(record)));
  Database.count(db, slot, -(<i32>keys));
  releaseBuckets(record);
  return keys;
}

/**
 * Appends to a chain, which gets a further line when it is full.
 * @param spare lines to take that from, chained by `next`; 0 = from the heap
 * @returns the line the entry went to, 0 = no memory
 */
function append(first: usize, entry: usize, tag: u8, spare: usize): usize {
  let line = first;
  for (let next = Bucket.next(line); next != 0; next = Bucket.next(line)) line = next;
  const taken = Bucket.taken(line);
  if (taken != LANES) {
    Bucket.put(line, ctz(~taken), entry, tag);
    return line;
  }
  const fresh = spare != 0 ? spare : alloc(LINE);
  if (fresh == 0) return 0;
  Bucket.clear(fresh);
  store<u32>(line, <u32>fresh, NEXT);
  Bucket.put(fresh, 0, entry, tag);
  return fresh;
}

function firstBucket(record: usize): bool {
  const root = alloc(LINE);
  if (root == 0) return false;
  Bucket.clear(root);
  Slot.setRoot(record, root);
  Slot.setBuckets(record, 1);
  return true;
}

/** Splits the next bucket in turn. Without memory the table stays as it is, its chains a little longer. */
function grow(record: usize): void {
  const buckets = Slot.buckets(record);
  const half: u32 = 0x80000000 >> clz(buckets);
  if (!makeRoom(record, buckets)) return;
  const source = bucketAt(record, buckets - half);
  const target = bucketAt(record, buckets);
  touchEntries(source);
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
      const entry = Bucket.entry(line, index);
      const tag = Bucket.tag(line, index);
      store<u8>(line + index, 0, TAGS);
      if (((<u32>hashOf(Entry.key(entry), Entry.keyLength(entry))) & half) != 0) {
        if (moved == BUCKET_ENTRIES) {
          const fresh = spare;
          spare = Bucket.next(fresh);
          Bucket.clear(fresh);
          store<u32>(to, <u32>fresh, NEXT);
          to = fresh;
          moved = 0;
        }
        Bucket.put(to, moved++, entry, tag);
      } else {
        if (kept == BUCKET_ENTRIES) {
          keep = Bucket.next(keep);
          kept = 0;
        }
        Bucket.put(keep, kept++, entry, tag);
      }
    }
  }
  freeLines(Bucket.next(keep));
  store<u32>(keep, 0, NEXT);
  freeLines(spare);
  Slot.setBuckets(record, buckets + 1);
}

/** Where `touchEntries` leaves what it read, or it would be optimised away. */
const TOUCHED: usize = memory.data(8);

/** Reads a word of each entry of a chain, so that the waits for memory pass at the same time. */
function touchEntries(first: usize): void {
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
  const last = Slot.buckets(record) - 1;
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
      to = append(to, Bucket.entry(line, index), Bucket.tag(line, index), spare);
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
  Slot.setBuckets(record, last);
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

/** Sees to it that bucket `index`, the first beyond the table, has its line. */
function makeRoom(record: usize, index: u32): bool {
  const root = Slot.root(record);
  if ((root & SEGMENTED) != 0) {
    if ((index & (SEGMENT - 1)) != 0) return true;
    return addSegment(record, root - SEGMENTED, index >> SEGMENT_SHIFT);
  }
  if (sizeOf(root) >= (index + 1) << 6) return true;
  if (index < BLOCK_BUCKETS) {
    const moved = resize(root, index << 6, (index + 1) << 6);
    if (moved == 0) return false;
    Slot.setRoot(record, moved);
    return true;
  }
  return makeSegments(record, root);
}

function makeSegments(record: usize, root: usize): bool {
  const directory = alloc(64);
  const first = alloc(SEGMENT << 6);
  const second = alloc(SEGMENT << 6);
  const third = alloc(SEGMENT << 6);
  if (directory == 0 || first == 0 || second == 0 || third == 0) {
    if (directory != 0) free(directory);
    if (first != 0) free(first);
    if (second != 0) free(second);
    if (third != 0) free(third);
    return false;
  }
  memory.copy(first, root, SEGMENT << 6);
  memory.copy(second, root + (SEGMENT << 6), SEGMENT << 6);
  store<u32>(directory, <u32>first);
  store<u32>(directory, <u32>second, 4);
  store<u32>(directory, <u32>third, 8);
  free(root);
  Slot.setRoot(record, directory | SEGMENTED);
  return true;
}

function addSegment(record: usize, directory: usize, index: u32): bool {
  const segment = alloc(SEGMENT << 6);
  if (segment == 0) return false;
  let place = directory;
  const room = sizeOf(directory);
  if (room < (index + 1) << 2) {
    place = resize(directory, index << 2, room << 1);
    if (place == 0) {
      free(segment);
      return false;
    }
    Slot.setRoot(record, place | SEGMENTED);
  }
  store<u32>(place + (index << 2), <u32>segment);
  return true;
}

/** Gives back the room of buckets beyond the first `buckets`, once it is worth the copying. */
function releaseRoom(record: usize, buckets: u32): void {
  const root = Slot.root(record);
  if ((root & SEGMENTED) == 0) {
    const size = buckets << 6;
    if (sizeOf(root) <= size + (size >> 2) + LINE || roundUp(size) == sizeOf(root)) return;
    const moved = resize(root, size, size);
    if (moved != 0) Slot.setRoot(record, moved);
    return;
  }
  if ((buckets & (SEGMENT - 1)) != 0) return;
  const directory = root - SEGMENTED;
  free(load<u32>(directory + ((buckets >> SEGMENT_SHIFT) << 2)));
  if (buckets == SEGMENT) {
    Slot.setRoot(record, load<u32>(directory));
    free(directory);
  }
}

function releaseBuckets(record: usize): void {
  const root = Slot.root(record);
  if (root == 0) return;
  if ((root & SEGMENTED) != 0) {
    const segments = (Slot.buckets(record) + SEGMENT - 1) >> SEGMENT_SHIFT;
    for (let i: u32 = 0; i < segments; i++) free(load<u32>(root - SEGMENTED + (i << 2)));
    free(root - SEGMENTED);
  } else {
    free(root);
  }
  Slot.setRoot(record, 0);
  Slot.setBuckets(record, 0);
}
