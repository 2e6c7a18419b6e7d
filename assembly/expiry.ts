// Keys die when their time has come: when they are met (here) or when the sweep of expirecycle.ts finds them.
//
// Each death is recorded, because replicas and the log must be told a DEL:
//
//   record: | database u32 | length u32 | key bytes | up to 3 unused bytes |
import {
  EXPIRED_ALIVE,
  EXPIRED_DELETED,
  STATE_DB,
  STATE_EXPIRED_COUNT,
  STATE_HITS,
  STATE_KEEP_EXPIRED,
  STATE_MISSES,
  STATE_NOW_MS,
  STATE_RESULT_LENGTH,
  STATE_RESULT_PTR,
} from "./abi";
import { Bytes } from "./bytes";
import { Entry } from "./entry";
import { alloc, free, resize, sizeOf } from "./heap";
import { find, removeFound } from "./table";

/** The list is there from the start, so that a death or two can be recorded when memory is full. */
const FIRST_ROOM: u32 = 4096;
const KEPT_ROOM: u32 = 65536;

let list: usize = 0;
let listLength: u32 = 0;

export function initExpiry(): void {
  list = alloc(FIRST_ROOM);
}

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

/** As `lookup` for a command that reads: it counts as a hit or a miss. */
export function lookupCounted(slot: u32, key: usize, length: u32): usize {
  const entry = lookup(slot, key, length);
  const counter = entry == 0 ? STATE_MISSES : STATE_HITS;
  store<f64>(counter, load<f64>(counter) + 1);
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

/** Notes that a key of the selected database is deleted because its time has come. */
export function recordExpired(entry: usize): bool {
  const length = Entry.keyLength(entry);
  const size = (8 + length + 3) & ~3;
  if (listLength + size > sizeOf(list)) {
    const moved = resize(list, listLength, max(listLength + size, sizeOf(list) * 2));
    if (moved == 0) return false;
    list = moved;
  }
  const at = list + listLength;
  store<u32>(at, load<u32>(STATE_DB));
  store<u32>(at, length, 4);
  Bytes.copy(at + 8, Entry.key(entry), length);
  listLength += size;
  store<u32>(STATE_EXPIRED_COUNT, load<u32>(STATE_EXPIRED_COUNT) + 1);
  return true;
}

/** Returns the records of what expired since `clearExpired`, by reference. */
export function takeExpired(): void {
  store<u32>(STATE_RESULT_PTR, <u32>list);
  store<u32>(STATE_RESULT_LENGTH, listLength);
}

export function clearExpired(): void {
  store<u32>(STATE_EXPIRED_COUNT, 0);
  listLength = 0;
  if (sizeOf(list) <= KEPT_ROOM) return;
  free(list);
  list = alloc(FIRST_ROOM);
}
