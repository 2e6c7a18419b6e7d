// Eviction: deleting keys so that memory stays below its ceiling, the least worth keeping first, as far as a few samples
// tell. What a key is worth is told by the policy: when it was used last, how often, when it expires, or nothing.
import { DATABASE_COUNT, EVENT_EVICTED, EVICT_NONE, EVICT_RANDOM, STATE_DB } from "./abi";
import { Bucket, bucketOf } from "./bucket";
import { Cell } from "./chain";
import { Database } from "./database";
import { Entry } from "./entry";
import { record as recordEvent } from "./events";
import { Candidate, forgetCandidates, takeCandidate } from "./evictionpool";
import { candidatesIn, evictionRule, isVolatile, samples, scoreOf } from "./evictionrule";
import { sampleKeys } from "./evictionsample";
import { shrink } from "./growth";
import { hashOf } from "./hash";
import { usedBytes } from "./heap";
import { dispose, isWaiting, releaseWaiting } from "./lazyfree";
import { removeAt } from "./table";
import { TableRecord } from "./tablerecord";

/** Blocks of deleted things given back at a time before the next key is looked for. */
const RELEASE_STEP: u32 = 64;

/** The database the last random key was taken from. */
let turn: u32 = 0;

/**
 * Evicts keys until at most `ceiling` bytes are in use, in up to `steps` steps: what went already counts once its
 * memory is given back, which comes first. Each key is told as an event.
 * @returns false = memory is above the ceiling and nothing was found that may go
 */
export function evict(ceiling: f64, steps: u32): bool {
  const selected = load<u32>(STATE_DB);
  let isLeft = true;
  for (let step: u32 = 0; step < steps && isLeft && usedBytes() > ceiling; step++) {
    if (isWaiting()) releaseWaiting(RELEASE_STEP);
    else isLeft = evictOne();
  }
  store<u32>(STATE_DB, selected);
  return isLeft;
}

function evictOne(): bool {
  if (evictionRule == EVICT_NONE) return false;
  return evictionRule == EVICT_RANDOM ? evictAny() : evictBest();
}

/** The databases take turns. */
function evictAny(): bool {
  for (let tries: u32 = 0; tries < <u32>DATABASE_COUNT; tries++) {
    turn = (turn + 1) % <u32>DATABASE_COUNT;
    const db = Database.at(turn);
    if (candidatesIn(db) == 0) continue;
    forgetCandidates();
    sampleKeys(turn, 1);
    if (evictTaken()) return true;
  }
  return false;
}

function evictBest(): bool {
  let some = false;
  for (let index: u32 = 0; index < <u32>DATABASE_COUNT; index++) {
    if (candidatesIn(Database.at(index)) == 0) continue;
    some = true;
    sampleKeys(index, samples);
  }
  return some && evictTaken();
}

/** Evicts the best candidate that is still one. */
function evictTaken(): bool {
  for (let candidate = takeCandidate(); candidate != 0; candidate = takeCandidate()) {
    if (evictCandidate(candidate)) return true;
  }
  return false;
}

/** Evicts a candidate; false = it is gone, does not expire any more, or has been used since. */
function evictCandidate(candidate: usize): bool {
  const index = Candidate.database(candidate);
  const slot = Candidate.slot(candidate);
  const hash = Candidate.hash(candidate);
  const db = Database.at(index);
  const record = Database.slot(db, slot);
  if (record == 0 || TableRecord.buckets(record) == 0) return false;
  const first = bucketOf(record, hash);
  const cell = cellOf(first, hash);
  if (cell == 0) return false;
  const entry = Cell.element(cell);
  if (isVolatile && !Entry.expires(entry)) return false;
  if (scoreOf(entry) < Candidate.score(candidate)) return false;
  store<u32>(STATE_DB, index);
  if (!recordEvent(EVENT_EVICTED, Entry.key(entry), Entry.keyLength(entry))) return false;
  assert(removeAt(db, slot, first, cell) == entry);
  shrink(record);
  dispose(entry);
  return true;
}

function cellOf(first: usize, hash: u64): usize {
  const tag = Bucket.tagOf(hash);
  for (let line = first; line != 0; line = Bucket.next(line)) {
    for (let matches = Bucket.matches(line, tag); matches != 0; matches &= matches - 1) {
      const cell = Cell.of(line, ctz(matches));
      const entry = Cell.element(cell);
      if (hashOf(Entry.key(entry), Entry.keyLength(entry)) == hash) return cell;
    }
  }
  return 0;
}
