// What is checked, and when. The host calls these after what may have changed values: after a command, the keys its
// arguments may name; after work in the background, some keys in turn; now and then the whole heap.
//
// Nothing here may disturb the engine: it allocates nothing and changes no entry.
import { DATABASE_COUNT, SLOT_COUNT } from "../abi";
import { Args } from "../args";
import { Bucket, EXPIRING_TAG, bucketAt, bucketOf } from "../bucket";
import { Cell } from "../chain";
import { slotOf } from "../crc16";
import { Database } from "../database";
import { Entry } from "../entry";
import { hashOf } from "../hash";
import { TableRecord } from "../tablerecord";
import { checkHeap } from "./checkheap";
import { checkEntry, noteLimits } from "./checkvalue";

/** So many arguments of a request are looked at. */
const ARGUMENTS: u32 = 16;
/** Checks between two of the whole heap, and pages beyond which that takes too long. */
const HEAP_EVERY: u32 = 2048;
/** Slots that are looked at in one round of `checkSome`, and keys of each. */
const SLOTS: u32 = 256;
const KEYS: u32 = 64;

let checks: u32 = 0;
let cursor: u32 = 0;

/** Checks what the arguments of the request at hand name, if they are keys of the selected database. */
export function checkRequest(): void {
  noteLimits();
  const count = min(Args.count(), ARGUMENTS);
  for (let i: u32 = 1; i < count; i++) checkKey(Args.ptr(i), Args.length(i));
  if (++checks % HEAP_EVERY == 0) checkHeap();
}

/** Checks one key of the selected database, if it is there. */
export function checkKey(key: usize, length: u32): void {
  const slot = slotOf(key, length);
  const record = Database.slot(Database.selected(), slot);
  if (record == 0 || TableRecord.buckets(record) == 0) return;
  const hash = hashOf(key, length);
  const tag = Bucket.tagOf(hash);
  for (let line = bucketOf(record, hash); line != 0; line = Bucket.next(line)) {
    for (let matches = Bucket.matches(line, tag); matches != 0; matches &= matches - 1) {
      const index = <u32>ctz(matches);
      const entry = Cell.element(Cell.of(line, index));
      if (Entry.hasKey(entry, key, length)) checkPlace(entry, slot, hash, Bucket.tag(line, index));
    }
  }
}

/** Checks an entry and that it stands where its key is looked for. */
function checkPlace(entry: usize, slot: u32, hash: u64, tag: u8): void {
  assert(slotOf(Entry.key(entry), Entry.keyLength(entry)) == slot, "a key stands in another's slot");
  assert((tag & 0x7f) == Bucket.tagOf(hash), "a key's tag is not of its hash");
  assert(((tag & EXPIRING_TAG) != 0) == Entry.expires(entry), "a key's tag does not say whether it expires");
  checkEntry(entry);
}

/** Checks some slots of one database, the next ones with each call. */
export function checkSome(): void {
  noteLimits();
  const slots = <u32>SLOT_COUNT;
  const db = Database.at((cursor / slots) % <u32>DATABASE_COUNT);
  if (Database.directory(db) == 0) {
    cursor += slots - (cursor % slots);
  } else {
    for (let i: u32 = 0; i < SLOTS; i++, cursor++)
      assert(
        checkSlot(db, cursor % slots, KEYS) <= Database.keys(db),
        "a slot has more keys than its database",
      );
  }
  if (++checks % HEAP_EVERY == 0) checkHeap();
}

/** Checks everything there is: slow where there is much. */
export function checkAll(): void {
  noteLimits();
  for (let index: u32 = 0; index < <u32>DATABASE_COUNT; index++) {
    const db = Database.at(index);
    if (Database.directory(db) == 0) continue;
    let keys: u32 = 0;
    let expiring: u32 = 0;
    for (let slot: u32 = 0; slot < <u32>SLOT_COUNT; slot++) {
      keys += checkSlot(db, slot, u32.MAX_VALUE);
      expiring += TableRecord.spare(Database.slot(db, slot));
    }
    assert(keys == Database.keys(db), "the count of a database's keys is wrong");
    assert(expiring == Database.expiring(db), "the count of a database's keys that expire is wrong");
  }
  checkHeap();
}

/** Checks up to `limit` keys of a slot; returns how many it has. */
function checkSlot(db: usize, slot: u32, limit: u32): u32 {
  const record = Database.slot(db, slot);
  const count = TableRecord.count(record);
  let seen: u32 = 0;
  let expiring: u32 = 0;
  for (let i: u32 = 0; i < TableRecord.buckets(record) && seen < limit; i++) {
    const first = bucketAt(record, i);
    for (let line = first; line != 0; line = Bucket.next(line)) {
      for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
        const index = <u32>ctz(taken);
        const entry = Bucket.entry(line, index);
        const hash = hashOf(Entry.key(entry), Entry.keyLength(entry));
        assert(bucketOf(record, hash) == first, "a key stands in another's bucket");
        checkPlace(entry, slot, hash, Bucket.tag(line, index));
        expiring += u32(Entry.expires(entry));
        seen++;
      }
    }
  }
  if (seen < limit) {
    assert(seen == count, "the count of a slot's keys is wrong");
    assert(expiring == TableRecord.spare(record), "the count of a slot's keys that expire is wrong");
  }
  return count;
}
