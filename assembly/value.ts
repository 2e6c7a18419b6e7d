// How an entry's value comes to be, grows, shrinks and changes its encoding.
//
// "Just found" means: the last look-up (`find`, `lookup…`) was for this very key. Whoever has looked up another key or
// inserted one since, looks up again first.
import { Entry, createEntry, entrySize, hasRoomFor } from "./entry";
import { Place, free, roundUp, sizeOf } from "./heap";
import { foundHash, insert, isFound, movedFound } from "./table";

/**
 * Adds a key that was just looked up and is not there.
 * @param room bytes to keep for the value, at least `length`; the value's bytes are for the caller to write
 * @returns the entry, 0 = no memory
 */
export function createValue(
  slot: u32,
  key: usize,
  keyLength: u32,
  type: u32,
  encoding: u32,
  length: u32,
  room: u32,
): usize {
  const hash = foundHash;
  const entry = createEntry(key, keyLength, type, encoding, length, room, 0);
  if (entry == 0) return 0;
  if (insert(slot, entry, hash)) return entry;
  free(entry);
  return 0;
}

/**
 * Gives the value of an entry just found another length; what it held is kept as far as it fits.
 * @returns the entry, which may have moved; 0 = no memory, nothing changed (never when it gets shorter)
 */
export function resizeValue(entry: usize, length: u32): Place {
  const had = Entry.valueLength(entry);
  if (hasRoomFor(entry, length) && (length > had || !isWasteful(entry, length))) {
    Entry.setValueLength(entry, length);
    return entry;
  }
  const fresh = cloneHead(entry, Entry.encoding(entry), length);
  if (fresh == 0) {
    if (length > had) return 0;
    Entry.setValueLength(entry, length);
    return entry;
  }
  memory.copy(Entry.value(fresh), Entry.value(entry), min(had, length));
  return moveTo(entry, fresh);
}

/**
 * Gives an entry just found a value of another encoding, whose bytes are for the caller to write. The old value's
 * bytes are gone; what they pointed to is the caller's.
 * @returns the entry, which has moved; 0 = no memory, nothing changed
 */
export function replaceValue(entry: usize, encoding: u32, length: u32): Place {
  const fresh = cloneHead(entry, encoding, length);
  return fresh == 0 ? 0 : moveTo(entry, fresh);
}

/** Whether a shorter value would leave more than a quarter of the block empty. */
function isWasteful(entry: usize, length: u32): bool {
  const size = entrySize(Entry.keyLength(entry), length, Entry.expires(entry));
  return roundUp(size) < (sizeOf(entry) >> 2) * 3;
}

function cloneHead(entry: usize, encoding: u32, length: u32): usize {
  const expireAtMs = Entry.expires(entry) ? Entry.expireAt(entry) : 0;
  const type = Entry.type(entry);
  const keyLength = Entry.keyLength(entry);
  const fresh = createEntry(Entry.key(entry), keyLength, type, encoding, length, length, expireAtMs);
  if (fresh != 0) Entry.setClock(fresh, Entry.clock(entry));
  return fresh;
}

function moveTo(entry: usize, fresh: usize): Place {
  assert(isFound(entry), "another entry was looked up since");
  movedFound(fresh);
  free(entry);
  return fresh;
}
