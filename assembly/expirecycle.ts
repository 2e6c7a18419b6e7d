// The sweep that finds expired keys nobody asks for.
//
// It goes round and round over the databases' bucket lines, a little at each call, and remembers where it stopped. The
// tags tell which entries have an expiry, and counts tell slots and databases without any, so only entries that can
// have expired are looked at.
import { DATABASE_COUNT, SLOT_COUNT, STATE_DB, STATE_NOW_MS, STATE_RESULT_NUMBER } from "./abi";
import { Bucket, bucketAt } from "./bucket";
import { Cell, removedLine } from "./chain";
import { Database, Slot } from "./database";
import { Entry } from "./entry";
import { recordExpired } from "./expiry";
import { shrink } from "./growth";
import { dispose } from "./lazyfree";
import { removeAt } from "./table";
import { TableRecord } from "./tablerecord";

/** What it costs to see that a slot has nothing, in parts of a bucket line looked at. */
const SLOT_COST: f64 = 0.0625;
/** What it costs to delete a key and to tell it. */
const DEATH_COST: f64 = 10;
/** How much the latest sample of times to live counts in their mean. */
const SAMPLE_WEIGHT: f64 = 0.1;

let database: u32 = 0;
let slot: u32 = 0;
let bucket: u32 = 0;

let expired: i32 = 0;
let examined: f64 = 0;
let ttlSum: f64 = 0;
let ttlCount: f64 = 0;

/**
 * Sweeps on for about `budget` bucket lines, about one round at most; the host repeats while it has time and there is
 * much to do, and does not call this where expired keys are to be kept. STATE_RESULT_NUMBER says how many entries with
 * an expiry were looked at.
 * @returns how many keys expired
 */
export function expireCycle(budget: f64): i32 {
  const selected = load<u32>(STATE_DB);
  expired = 0;
  examined = 0;
  let left = budget;
  for (let turns = 0; left > 0 && turns <= DATABASE_COUNT;) {
    store<u32>(STATE_DB, database);
    const db = Database.at(database);
    ttlSum = 0;
    ttlCount = 0;
    while (left > 0 && slot < <u32>SLOT_COUNT && Database.expiring(db) != 0) left -= sweepSlot(db, left);
    noteTtl(db);
    if (slot < <u32>SLOT_COUNT && Database.expiring(db) != 0) break;
    database = (database + 1) % DATABASE_COUNT;
    slot = 0;
    bucket = 0;
    turns++;
  }
  store<u32>(STATE_DB, selected);
  store<f64>(STATE_RESULT_NUMBER, examined);
  return expired;
}

/** Sweeps what is left of the slot at hand within `left` lines; returns the cost. */
function sweepSlot(db: usize, left: f64): f64 {
  const record = Database.slot(db, slot);
  let cost: f64 = SLOT_COST;
  if ((slot & 127) == 0 && Database.blockKeys(db, slot >> 7) == 0) {
    slot += 128;
    return cost;
  }
  if (Slot.expiring(record) != 0) {
    while (bucket < TableRecord.buckets(record)) {
      if (cost >= left) return cost;
      cost += sweepChain(db, bucketAt(record, bucket));
      bucket++;
    }
    for (let buckets = TableRecord.buckets(record); buckets != 0;) {
      shrink(record);
      if (TableRecord.buckets(record) == buckets) break;
      buckets = TableRecord.buckets(record);
    }
  }
  slot++;
  bucket = 0;
  return cost;
}

function sweepChain(db: usize, first: usize): f64 {
  const nowMs = load<f64>(STATE_NOW_MS);
  let cost: f64 = 0;
  for (let line = first; line != 0;) {
    cost += 1;
    let lanes = Bucket.expiring(line);
    while (lanes != 0) {
      const index = <u32>ctz(lanes);
      const entry = Bucket.entry(line, index);
      examined += 1;
      cost += 0.25;
      const restMs = Entry.expireAt(entry) - nowMs;
      if (restMs < 0 && recordExpired(entry)) {
        const isLast = Bucket.next(line) == 0;
        dispose(removeAt(db, slot, first, Cell.of(line, index)));
        expired++;
        cost += DEATH_COST;
        if (removedLine && isLast) return cost;
        // The chain's last entry has taken this place: look at it again.
        lanes = Bucket.expiring(line) & (-1 << index);
      } else {
        if (restMs >= 0) {
          ttlSum += restMs;
          ttlCount += 1;
        }
        lanes &= lanes - 1;
      }
    }
    line = Bucket.next(line);
  }
  return cost;
}

function noteTtl(db: usize): void {
  if (ttlCount == 0) return;
  const sample = ttlSum / ttlCount;
  const before = Database.averageTtl(db);
  Database.setAverageTtl(db, before == 0 ? sample : before + (sample - before) * SAMPLE_WEIGHT);
}
