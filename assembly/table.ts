// The hashtable of one slot: finding, adding and taking out entries. bucket.ts has the layout, growth.ts the rest.
import { Bucket, EXPIRING_TAG, NEXT, TAGS, appendToChain, bucketAt, bucketOf } from "./bucket";
import { firstBucket, releaseBuckets } from "./bucketroom";
import { Database, Slot, slotForInsert } from "./database";
import { Entry, dispose } from "./entry";
import { Events } from "./events";
import { growIfFull, shrink } from "./growth";
import { hashOf } from "./hash";
import { free } from "./heap";

/** What `find` saw: the hash, and where the entry stands. */
export let foundHash: u64 = 0;
let foundBucket: usize = 0;
let foundIndex: u32 = 0;

/** The entry of a key in a slot of the selected database, expired or not; 0 = none. Sets what `found…` say. */
export function find(slot: u32, key: usize, length: u32): usize {
  const hash = hashOf(key, length);
  foundHash = hash;
  const record = Database.slot(Database.selected(), slot);
  if (record == 0) return 0;
  if (Slot.buckets(record) == 0) return 0;
  let bucket = bucketOf(record, hash);
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
  const bucket = bucketOf(record, hash);
  if (appendToChain(bucket, entry, Bucket.tagOf(hash) | (expires ? EXPIRING_TAG : 0), 0) == 0) return false;
  Database.count(db, slot, 1);
  if (expires) Database.countExpiring(db, slot, 1);
  growIfFull(record);
  Events.appeared(entry);
  return true;
}

/** Puts `entry` where `find` has just found its predecessor, which is disposed of. */
export function replaceFound(slot: u32, entry: usize): void {
  dispose(exchangeFound(slot, entry));
}

/** As `replaceFound`, but what the predecessor held is `entry`'s now: of it only the block goes. */
export function reshapeFound(slot: u32, entry: usize): void {
  free(exchangeFound(slot, entry));
}

function exchangeFound(slot: u32, entry: usize): usize {
  const bucket = foundBucket;
  const old = Bucket.entry(bucket, foundIndex);
  setExpiring(slot, Entry.expires(old), Entry.expires(entry));
  store<u32>(bucket + (foundIndex << 2), <u32>entry);
  if (Entry.type(entry) != Entry.type(old)) Events.appeared(entry);
  return old;
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
  dispose(unlinkFound(slot));
}

/** Takes the entry `find` has just found out of its slot; it is the caller's. */
export function unlinkFound(slot: u32): usize {
  const db = Database.selected();
  const record = Database.slot(db, slot);
  const entry = removeAt(db, slot, bucketOf(record, foundHash), foundBucket, foundIndex);
  shrink(record);
  return entry;
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
