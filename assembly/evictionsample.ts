// The keys eviction looks at: a run of neighbours that begins at a random key, so that each key is seen equally often
// whether its slot holds millions or it alone. Neighbours have nothing in common but bits of their hashes.
import { SLOT_COUNT } from "./abi";
import { BUCKET_ENTRIES, Bucket, bucketAt } from "./bucket";
import { chainLength } from "./chain";
import { below } from "./chance";
import { Database } from "./database";
import { drawExpiringSlot, drawSlot } from "./drawslot";
import { Entry } from "./entry";
import { isCandidate, offerCandidate } from "./evictionpool";
import { isVolatile, scoreOf } from "./evictionrule";
import { hashOf } from "./hash";
import { TableRecord } from "./tablerecord";

/** Buckets and slots a run goes over at most: keys that expire can be few among many. */
const PATIENCE: u32 = 256;
/** Runs begun before a sampling gives up. */
const RUNS: u32 = 4;
/** A chain is accepted as a run's beginning as often as it holds keys, out of so many. */
const DRAWS: u32 = 32;

/** Where the run at hand is. */
let slot: u32 = 0;
let bucket: u32 = 0;
/** A run that saw no key at all is gone on with when its slot is drawn again. */
let missed: u32 = SLOT_COUNT;

/** Offers `count` random keys of a database that has such keys, or fewer, to the pool. */
export function sampleKeys(index: u32, count: u32): void {
  let seen: u32 = 0;
  for (let run: u32 = 0; run < RUNS && seen == 0; run++) seen = sampleRun(index, count);
}

function sampleRun(index: u32, count: u32): u32 {
  const db = Database.at(index);
  let skip = isVolatile ? beginExpiring(db) : begin(db);
  const first = slot;
  let seen: u32 = 0;
  for (let steps: u32 = 0; steps < PATIENCE && seen < count; steps++) {
    const record = Database.slot(db, slot);
    if (bucket >= TableRecord.buckets(record)) {
      slot = (slot + 1) & (SLOT_COUNT - 1);
      if ((slot & 127) == 0)
        while (Database.blockKeys(db, slot >> 7) == 0) slot = (slot + 128) & (SLOT_COUNT - 1);
      bucket = 0;
      continue;
    }
    seen += offerChain(bucketAt(record, bucket), skip, count - seen, index);
    skip = 0;
    bucket++;
  }
  missed = seen == 0 && slot == first ? slot : <u32>SLOT_COUNT;
  return seen;
}

/** Chooses a key for a run to begin at, each with the same chance; returns which of its chain it is. */
function begin(db: usize): u32 {
  slot = drawSlot(db);
  const record = Database.slot(db, slot);
  let chance: u32 = 0;
  let length: u32 = 0;
  do {
    bucket = below(TableRecord.buckets(record));
    chance = below(DRAWS);
    length = chainLength(bucketAt(record, bucket));
  } while (chance >= length && length <= DRAWS);
  return length > DRAWS ? below(length) : chance;
}

/** As `begin`, for keys that expire: of a slot that holds some, any bucket. */
function beginExpiring(db: usize): u32 {
  slot = drawExpiringSlot(db);
  if (slot != missed) bucket = below(TableRecord.buckets(Database.slot(db, slot)));
  return 0;
}

/** Offers keys of a chain but for its first `skip`; returns how many. */
function offerChain(first: usize, skip: u32, limit: u32, database: u32): u32 {
  let seen: u32 = 0;
  let from = skip;
  for (let line = first; line != 0 && seen < limit; line = Bucket.next(line)) {
    if (from >= BUCKET_ENTRIES) {
      from -= BUCKET_ENTRIES;
      continue;
    }
    let lanes = (isVolatile ? Bucket.expiring(line) : Bucket.taken(line)) & (-1 << from);
    from = 0;
    for (; lanes != 0 && seen < limit; lanes &= lanes - 1) {
      offer(Bucket.entry(line, ctz(lanes)), database);
      seen++;
    }
  }
  return seen;
}

function offer(entry: usize, database: u32): void {
  const score = scoreOf(entry);
  if (!isCandidate(score)) return;
  offerCandidate(score, hashOf(Entry.key(entry), Entry.keyLength(entry)), slot, database);
}
