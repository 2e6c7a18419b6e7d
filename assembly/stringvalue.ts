// How string values are stored: shared by every command that writes one.
import { EMBSTR_LIMIT, ENCODING_EMBSTR, ENCODING_INT, ENCODING_RAW, STATE_LFU, TYPE_STRING } from "./abi";
import { Bytes } from "./bytes";
import { Entry, createEntry, entrySize, hasRoomFor, stringBytes, stringLength } from "./entry";
import { Place, resize, roundUp, sizeOf } from "./heap";
import { parse, parsed } from "./integers";
import { dispose } from "./lazyfree";
import { foundHash, insert, isFound, movedFound, replaceFound } from "./table";

/** An expiry argument that means: as it was. */
export const KEEP_EXPIRY: f64 = -1;

const INTEGER: usize = memory.data(8);
export const DIGITS: usize = memory.data(24);
/** A growing string is given as much room again as it has, from here on this much or an eighth of it. */
const AHEAD: u32 = 1048576;

/**
 * Stores a string in the shape it is kept in: as an integer where it spells one.
 * @param entry what `find` has just found for the key, 0 = nothing; of any type
 * @param expireAtMs 0 = never, or KEEP_EXPIRY
 * @returns false = no memory, nothing changed
 */
export function storeString(
  slot: u32,
  key: usize,
  keyLength: u32,
  entry: usize,
  value: usize,
  length: u32,
  expireAtMs: f64,
): bool {
  if (parse(value, length)) return storeInteger(slot, key, keyLength, entry, parsed, expireAtMs);
  return storePlain(slot, key, keyLength, entry, value, length, expireAtMs);
}

/** As `storeString`, but what looks like an integer stays text. */
export function storePlain(
  slot: u32,
  key: usize,
  keyLength: u32,
  entry: usize,
  value: usize,
  length: u32,
  expireAtMs: f64,
): bool {
  const encoding = length <= <u32>EMBSTR_LIMIT ? ENCODING_EMBSTR : ENCODING_RAW;
  return storeEncoded(slot, key, keyLength, entry, encoding, value, length, expireAtMs);
}

export function storeInteger(
  slot: u32,
  key: usize,
  keyLength: u32,
  entry: usize,
  value: i64,
  expireAtMs: f64,
): bool {
  store<i64>(INTEGER, value);
  return storeEncoded(slot, key, keyLength, entry, ENCODING_INT, INTEGER, 8, expireAtMs);
}

export function storeEncoded(
  slot: u32,
  key: usize,
  keyLength: u32,
  entry: usize,
  encoding: u32,
  value: usize,
  length: u32,
  expireAtMs: f64,
): bool {
  let expiry = expireAtMs;
  if (expiry == KEEP_EXPIRY) expiry = entry != 0 && Entry.expires(entry) ? Entry.expireAt(entry) : 0;
  if (entry != 0 && isSameShape(entry, keyLength, length, expiry != 0)) {
    Entry.setEncoding(entry, encoding);
    Entry.setValueLength(entry, length);
    if (expiry != 0) Entry.setExpireAt(entry, expiry);
    if (load<u32>(STATE_LFU) == 0) Entry.stamp(entry);
    memory.copy(Entry.value(entry), value, length);
    return true;
  }
  const hash = foundHash;
  const fresh = createEntry(key, keyLength, TYPE_STRING, encoding, length, length, expiry);
  if (fresh == 0) return false;
  Bytes.copy(Entry.value(fresh), value, length);
  if (entry != 0) {
    Entry.inherit(fresh, entry);
    replaceFound(slot, fresh);
    return true;
  }
  if (insert(slot, fresh, hash)) return true;
  dispose(fresh);
  return false;
}

/** Whether a new value can be written over the old one without wasting its block. */
function isSameShape(entry: usize, keyLength: u32, length: u32, expires: bool): bool {
  if (Entry.type(entry) != TYPE_STRING || Entry.expires(entry) != expires) return false;
  const size = entrySize(keyLength, length, expires);
  const wide = keyLength > 255 || length > 65535;
  return Entry.isWide(entry) == wide && roundUp(size) == sizeOf(entry);
}

/**
 * Makes a string that was just found raw and at least `length` bytes long, new bytes zero, with room to grow on.
 * @returns the entry, which may have moved; 0 = no memory, nothing changed
 */
export function extendString(slot: u32, entry: usize, length: u32): Place {
  const had = stringLength(entry);
  if (Entry.encoding(entry) != ENCODING_INT && hasRoomFor(entry, length)) {
    if (length > had) {
      memory.fill(Entry.value(entry) + had, 0, length - had);
      Entry.setValueLength(entry, length);
    }
    Entry.setEncoding(entry, ENCODING_RAW);
    return entry;
  }
  const total = max(length, had);
  const moved = moveString(slot, entry, had, total, roomFor(total));
  return moved != 0 ? moved : moveString(slot, entry, had, total, total);
}

/** `room` bytes for a string of `had` that becomes `total` long. */
function moveString(slot: u32, entry: usize, had: u32, total: u32, room: u32): Place {
  const keyLength = Entry.keyLength(entry);
  const expires = Entry.expires(entry);
  if (Entry.encoding(entry) != ENCODING_INT && Entry.isWide(entry)) {
    // The form stays, so the block may grow where it stands.
    assert(isFound(entry), "another entry was looked up since");
    const used = Entry.headLength(entry) + keyLength;
    const moved = resize(entry, used + had, used + room);
    if (moved == 0) return 0;
    memory.fill(Entry.value(moved) + had, 0, total - had);
    Entry.setValueLength(moved, total);
    Entry.setEncoding(moved, ENCODING_RAW);
    movedFound(moved);
    return moved;
  }
  const expireAtMs = expires ? Entry.expireAt(entry) : 0;
  const fresh = createEntry(Entry.key(entry), keyLength, TYPE_STRING, ENCODING_RAW, total, room, expireAtMs);
  if (fresh == 0) return 0;
  memory.copy(Entry.value(fresh), stringBytes(entry, DIGITS), had);
  memory.fill(Entry.value(fresh) + had, 0, total - had);
  Entry.inherit(fresh, entry);
  assert(isFound(entry), "another entry was looked up since");
  replaceFound(slot, fresh);
  return fresh;
}

function roomFor(length: u32): u32 {
  return length < AHEAD ? length * 2 : length + max(AHEAD, length >> 3);
}
