// RANDOMKEY: every key with the same chance, found without a list of keys.
//
// A number below the count of keys picks a block of slots, then a slot, by adding up their counts. In the slot, a
// bucket is drawn and accepted as often as it holds keys (out of 32), which makes up for buckets being unequal.
import { EXPIRED_DELETED, STATE_KEEP_EXPIRED, STATE_RESULT_LENGTH, STATE_RESULT_PTR } from "./abi";
import { Bucket, bucketAt } from "./bucket";
import { Database, Slot } from "./database";
import { Entry, dispose } from "./entry";
import { hasExpired, recordExpired } from "./expiry";
import { shrink } from "./growth";
import { removeAt } from "./table";

const DRAWS: u32 = 32;
/** Expired keys met before a replica, which may not delete them, shows one. */
const TRIES: u32 = 100;

let state: u64 = 0;
let slot: u32 = 0;
let first: usize = 0;
let line: usize = 0;
let index: u32 = 0;

/** A number below `limit` (xorshift64*). */
function below(limit: u32): u32 {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  const drawn = (state * 0x2545f4914f6cdd1d) >> 32;
  return <u32>((drawn * <u64>limit) >> 32);
}

/** Leaves a random living key of the selected database as the result; false = there is none. */
export function randomKey(seed: f64): bool {
  state = (reinterpret<u64>(seed) ^ (state << 1)) | 1;
  const db = Database.selected();
  for (let tries: u32 = 0; Database.keys(db) != 0; tries++) {
    const entry = draw(db);
    const keep = load<u32>(STATE_KEEP_EXPIRED) != EXPIRED_DELETED;
    if (!hasExpired(entry) || (keep && tries >= TRIES)) {
      store<u32>(STATE_RESULT_PTR, <u32>Entry.key(entry));
      store<u32>(STATE_RESULT_LENGTH, Entry.keyLength(entry));
      return true;
    }
    if (keep) continue;
    if (!recordExpired(entry)) return false;
    removeDrawn(db);
  }
  return false;
}

function removeDrawn(db: usize): void {
  dispose(removeAt(db, slot, first, line, index));
  shrink(Database.slot(db, slot));
}

function draw(db: usize): usize {
  let rest = below(Database.keys(db));
  let block: u32 = 0;
  for (; rest >= Database.blockKeys(db, block); block++) rest -= Database.blockKeys(db, block);
  slot = block << 7;
  for (; rest >= Slot.keys(Database.slot(db, slot)); slot++) rest -= Slot.keys(Database.slot(db, slot));
  const record = Database.slot(db, slot);
  const buckets = Slot.buckets(record);
  for (;;) {
    first = bucketAt(record, below(buckets));
    let chance = below(DRAWS);
    // A chain beyond the draws is always accepted, and any of it may be meant.
    const length = chainLength(first);
    if (length > DRAWS) chance = below(length);
    if (chance >= length) continue;
    line = first;
    for (; chance >= 12; chance -= 12) line = Bucket.next(line);
    index = chance;
    return Bucket.entry(line, index);
  }
}

function chainLength(bucket: usize): u32 {
  let length: u32 = 0;
  for (let at = bucket; at != 0; at = Bucket.next(at)) length += <u32>popcnt(Bucket.taken(at));
  return length;
}
