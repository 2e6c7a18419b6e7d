// What eviction goes by: which keys may go, and what one is worth.
import { EVICT_LFU, EVICT_NONE, EVICT_RANDOM, EVICT_TTL, LFU_LIMIT, STATE_ACCESS_CLOCK } from "./abi";
import { Database } from "./database";
import { Entry } from "./entry";
import { forgetCandidates } from "./evictionpool";
import { frequencyOf } from "./frequency";

/** Which key goes first, an EVICT_ constant. */
export let evictionRule: u32 = EVICT_NONE;
/** Whether only those that expire may go. */
export let isVolatile: bool = false;
/** How many keys are looked at before one goes. */
export let samples: u32 = 5;

/** Sets what `evict` goes by. @param count maxmemory-samples */
export function setEviction(which: u32, onlyVolatile: bool, count: u32): void {
  evictionRule = which;
  isVolatile = onlyVolatile;
  samples = count;
  forgetCandidates();
}

/** How many keys of a database may go. */
export function candidatesIn(db: usize): u32 {
  return isVolatile ? Database.expiring(db) : Database.keys(db);
}

/** The higher, the less a key is worth keeping. */
export function scoreOf(entry: usize): f64 {
  if (evictionRule == EVICT_RANDOM) return 0;
  if (evictionRule == EVICT_TTL) return -Entry.expireAt(entry);
  if (evictionRule == EVICT_LFU) return <f64>(<u32>LFU_LIMIT - frequencyOf(Entry.clock(entry)));
  return <f64>((load<u32>(STATE_ACCESS_CLOCK) - Entry.clock(entry)) & 0xffffff);
}
