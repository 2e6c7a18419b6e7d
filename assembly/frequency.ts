// How often a key is used, for the LFU policies of eviction: Redis's approximate counter in the 24 bits of the access
// clock.
//
//   | count u8 | minutes u16 |       (lowest bits first) the minute the count was last brought up to date
//
// The count is the logarithm of uses: the higher it is, the less likely another use raises it. It falls with time, one
// for every `lfu-decay-time` minutes. New keys begin with a few, so that they are not the first to go.
import {
  LFU_FIRST,
  LFU_LIMIT,
  STATE_ACCESS_CLOCK,
  STATE_LFU_DECAY_MINUTES,
  STATE_LFU_LOG_FACTOR,
} from "./abi";
import { below } from "./chance";

const CHANCES: u32 = 1 << 24;

/** The count of a key with this access clock, as it is now. */
export function frequencyOf(clock: u32): u32 {
  const count = clock & (<u32>LFU_LIMIT);
  const period = load<u32>(STATE_LFU_DECAY_MINUTES);
  if (period == 0) return count;
  const now = load<u32>(STATE_ACCESS_CLOCK) >> 8;
  const since = clock >> 8;
  const minutes = now >= since ? now - since : 65535 - since + now;
  return count - min(count, minutes / period);
}

/** The access clock of a key that is used now, after this one. */
export function usedAfter(clock: u32): u32 {
  let count = frequencyOf(clock);
  if (count < <u32>LFU_LIMIT) {
    const above = <f64>(count - min(count, <u32>LFU_FIRST));
    const odds = above * <f64>load<u32>(STATE_LFU_LOG_FACTOR) + 1;
    if (<f64>below(CHANCES) * odds < <f64>CHANCES) count++;
  }
  return (load<u32>(STATE_ACCESS_CLOCK) & 0xffff00) | count;
}
