// SCAN: a walk in small steps over a database that changes between them, which never misses a key that is there all
// along. (It may show one twice.)
//
//   cursor = place * 16384 + slot, below 2^53; 0 begins and ends
//
// Slots are walked in order; `place` is the family (families.ts) to go on with in the slot's table.
import {
  EXPIRED_ALIVE,
  REFUSED_OUT_OF_MEMORY,
  SLOT_COUNT,
  STATE_KEEP_EXPIRED,
  STATE_RESULT_NUMBER,
} from "./abi";
import { Bucket, bucketAt } from "./bucket";
import { Database } from "./database";
import { hasExpired } from "./expiry";
import { firstOfFamily, nextFamily, secondOfFamily } from "./families";
import { List, addToList, beginList, endList } from "./keylist";
import { TableRecord } from "./tablerecord";

/** Buckets looked at per key asked for, at most: a sparse table must not hold up everybody else. */
const PATIENCE: u32 = 10;

let visited: u32 = 0;

/**
 * Lists keys from (slot, place) on until about `budget` are found; leaves the next cursor in STATE_RESULT_NUMBER.
 * @returns how many keys are listed, or a REFUSED_ code
 */
export function scan(slot: u32, place: u32, budget: u32): i32 {
  beginList();
  visited = 0;
  const db = Database.selected();
  const patience = <u64>budget * PATIENCE;
  let at = slot & (SLOT_COUNT - 1);
  let from = place;
  while (at < <u32>SLOT_COUNT && Database.directory(db) != 0) {
    if (from == 0 && (at & 127) == 0 && Database.blockKeys(db, at >> 7) == 0) {
      at += 128;
      continue;
    }
    const record = Database.slot(db, at);
    if (TableRecord.count(record) == 0) {
      from = 0;
    } else {
      do {
        const family = from;
        from = nextFamily(record, family);
        if (!listFamily(record, family)) return REFUSED_OUT_OF_MEMORY;
      } while (from != 0 && List.count() < budget && <u64>visited < patience);
    }
    if (from == 0) at++;
    if (List.count() >= budget || <u64>visited >= patience) {
      store<f64>(STATE_RESULT_NUMBER, at == <u32>SLOT_COUNT ? 0 : <f64>from * <f64>SLOT_COUNT + <f64>at);
      return endList();
    }
  }
  store<f64>(STATE_RESULT_NUMBER, 0);
  return endList();
}

/** Lists up to `limit` keys of a slot, expired or not. */
export function listSlot(slot: u32, limit: u32): i32 {
  beginList();
  const record = Database.slot(Database.selected(), slot);
  const buckets: u32 = record == 0 ? 0 : TableRecord.buckets(record);
  for (let i: u32 = 0; i < buckets && List.count() < limit; i++) {
    for (let line = bucketAt(record, i); line != 0; line = Bucket.next(line)) {
      for (let taken = Bucket.taken(line); taken != 0 && List.count() < limit; taken &= taken - 1) {
        if (!addToList(Bucket.entry(line, ctz(taken)))) return REFUSED_OUT_OF_MEMORY;
      }
    }
  }
  return endList();
}

function listFamily(record: usize, family: u32): bool {
  if (!listChain(firstOfFamily(record, family))) return false;
  const second = secondOfFamily(record, family);
  return second == 0 || listChain(second);
}

function listChain(first: usize): bool {
  const showAll = load<u32>(STATE_KEEP_EXPIRED) == EXPIRED_ALIVE;
  for (let line = first; line != 0; line = Bucket.next(line)) {
    visited++;
    for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
      const entry = Bucket.entry(line, ctz(taken));
      if ((showAll || !hasExpired(entry)) && !addToList(entry)) return false;
    }
  }
  return true;
}
