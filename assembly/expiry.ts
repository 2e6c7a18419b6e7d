// Keys die when their time has come: when they are met (here) or when the sweep of expirecycle.ts finds them.
//
// Each death is an event, because replicas and the log must be told a DEL.
import {
  EVENT_EXPIRED,
  EVENT_KEYMISS,
  EXPIRED_ALIVE,
  EXPIRED_DELETED,
  STATE_HITS,
  STATE_KEEP_EXPIRED,
  STATE_MISSES,
  STATE_NOW_MS,
} from "./abi";
import { Entry } from "./entry";
import { Events, record } from "./events";
import { find, removeFound } from "./table";

export function hasExpired(entry: usize): bool {
  return Entry.expires(entry) && Entry.expireAt(entry) < load<f64>(STATE_NOW_MS);
}

/** The living entry of a key, 0 = none. One whose time has come is deleted on the way. */
export function lookup(slot: u32, key: usize, length: u32): usize {
  const entry = find(slot, key, length);
  if (entry == 0 || !hasExpired(entry)) return entry;
  const keep = load<u32>(STATE_KEEP_EXPIRED);
  if (keep == EXPIRED_ALIVE) return entry;
  // Without memory for its record it is only hidden; a later look or sweep deletes it.
  if (keep == EXPIRED_DELETED && recordExpired(entry)) removeFound(slot);
  return 0;
}

/** As `lookup`, but a key whose time has come is left where it is. */
export function lookupAside(slot: u32, key: usize, length: u32): usize {
  const entry = find(slot, key, length);
  const isHidden = entry != 0 && hasExpired(entry) && load<u32>(STATE_KEEP_EXPIRED) != EXPIRED_ALIVE;
  return isHidden ? 0 : entry;
}

/** As `lookup` for a command that looks at a key from outside: it counts as a hit or a miss, which is no event. */
export function lookupInspected(slot: u32, key: usize, length: u32): usize {
  const entry = lookup(slot, key, length);
  const counter = entry == 0 ? STATE_MISSES : STATE_HITS;
  store<f64>(counter, load<f64>(counter) + 1);
  return entry;
}

/** As `lookupInspected` for a command that reads: a miss is an event. */
export function lookupCounted(slot: u32, key: usize, length: u32): usize {
  const entry = lookupInspected(slot, key, length);
  if (entry == 0) Events.tell(EVENT_KEYMISS, key, length);
  return entry;
}

/** As `lookupCounted` for a command that uses the value: its access clock is set as well. */
export function lookupRead(slot: u32, key: usize, length: u32): usize {
  const entry = lookupCounted(slot, key, length);
  if (entry != 0) Entry.touch(entry);
  return entry;
}

/** As `lookup` for a command that is about to change the key: what a replica hides is deleted for good. */
export function lookupWrite(slot: u32, key: usize, length: u32): usize {
  const entry = find(slot, key, length);
  if (entry == 0) return 0;
  if (hasExpired(entry) && load<u32>(STATE_KEEP_EXPIRED) != EXPIRED_ALIVE) {
    recordExpired(entry);
    removeFound(slot);
    return 0;
  }
  Entry.touch(entry);
  return entry;
}

/** Notes that a key of the selected database is deleted because its time has come; false = no memory for that. */
export function recordExpired(entry: usize): bool {
  return record(EVENT_EXPIRED, Entry.key(entry), Entry.keyLength(entry));
}
