// What handlers in TypeScript do with single keys of the selected database. Keys and values come as (ptr, length) and
// may lie anywhere but in the arena; results by reference are left in STATE_RESULT_PTR and _LENGTH.
import {
  ENCODING_HASHTABLE,
  ENCODING_QUICKLIST,
  ENCODING_SKIPLIST,
  HOW_PEEK,
  HOW_COUNTED,
  HOW_READ,
  HOW_TRACELESS,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_WRONG_TYPE,
  STATE_DB,
  STATE_RESULT_LENGTH,
  STATE_RESULT_PTR,
  TYPE_NONE,
} from "./abi";
import { copyOf } from "./copies";
import { slotOf } from "./crc16";
import { Entry, createEntry, isString, stringBytes, stringLength } from "./entry";
import { Events } from "./events";
import { lookup, lookupAside, lookupInspected, lookupRead, lookupWrite } from "./expiry";
import { frequencyOf } from "./frequency";
import { free, sizeOf } from "./heap";
import { dispose } from "./lazyfree";
import { listBytes } from "./quicklist";
import { memberBytes } from "./memberwalk";
import { treeBytes } from "./scoretree";
import { DIGITS, storePlain, storeString } from "./stringvalue";
import { find, foundHash, insert, removeFound, replaceFound, reshapeFound, unlinkFound } from "./table";
import { TABLE_RECORD } from "./tablerecord";

/** `how` is one of abi.ts's HOW_ constants. */
export function look(key: usize, length: u32, how: u32): usize {
  const slot = slotOf(key, length);
  if (how == HOW_READ) return lookupRead(slot, key, length);
  if (how == HOW_PEEK) return lookupAside(slot, key, length);
  return how == HOW_COUNTED ? lookupInspected(slot, key, length) : lookup(slot, key, length);
}

/** A TYPE_ constant. */
export function typeOf(key: usize, length: u32, how: u32): u32 {
  const entry = look(key, length, how);
  return entry == 0 ? TYPE_NONE : Entry.type(entry);
}

/** TYPE_ constant + 8 * ENCODING_ constant; 0 = no such key. */
export function shapeOf(key: usize, length: u32, how: u32): u32 {
  const entry = look(key, length, how);
  return entry == 0 ? 0 : Entry.type(entry) | (Entry.encoding(entry) << 3);
}

/** 1 = the result is the string's bytes (an integer's in a scratch), 0 = no such key, or a REFUSED_ code. */
export function stringOf(key: usize, length: u32, how: u32): i32 {
  const entry = look(key, length, how);
  if (entry == 0) return 0;
  if (!isString(entry)) return REFUSED_WRONG_TYPE;
  store<u32>(STATE_RESULT_LENGTH, stringLength(entry));
  store<u32>(STATE_RESULT_PTR, <u32>stringBytes(entry, DIGITS));
  return 1;
}

/**
 * Sets a key to a string, whatever it held.
 * @param expireAtMs 0 = never, -1 = as it was
 * @param isPlain what looks like an integer is kept as text all the same
 * @returns 1 or a REFUSED_ code
 */
export function setString(
  key: usize,
  keyLength: u32,
  value: usize,
  length: u32,
  expireAtMs: f64,
  isPlain: bool,
): i32 {
  const slot = slotOf(key, keyLength);
  const entry = lookupWrite(slot, key, keyLength);
  const done = isPlain
    ? storePlain(slot, key, keyLength, entry, value, length, expireAtMs)
    : storeString(slot, key, keyLength, entry, value, length, expireAtMs);
  return done ? 1 : REFUSED_OUT_OF_MEMORY;
}

export function deleteKey(key: usize, length: u32): bool {
  const slot = slotOf(key, length);
  if (lookup(slot, key, length) == 0) return false;
  removeFound(slot);
  return true;
}

/** When a key expires in unix milliseconds; 0 = never, -1 = no such key. */
export function expireAtOf(key: usize, length: u32, how: u32): f64 {
  const entry = look(key, length, how);
  if (entry == 0) return -1;
  return Entry.expires(entry) ? Entry.expireAt(entry) : 0;
}

/** 1 = set, 0 = no such key, or a REFUSED_ code. `atMs` 0 takes the expiry away. */
export function setExpiry(key: usize, length: u32, atMs: f64): i32 {
  const slot = slotOf(key, length);
  const entry = lookupWrite(slot, key, length);
  if (entry == 0) return 0;
  return changeExpiry(slot, entry, atMs) ? 1 : REFUSED_OUT_OF_MEMORY;
}

/** Changes when an entry that was just found expires; false = no memory. */
export function changeExpiry(slot: u32, entry: usize, atMs: f64): bool {
  if (Entry.expires(entry) == (atMs != 0)) {
    if (atMs != 0) Entry.setExpireAt(entry, atMs);
    return true;
  }
  const fresh = reshape(entry, Entry.key(entry), Entry.keyLength(entry), atMs);
  if (fresh == 0) return false;
  reshapeFound(slot, fresh);
  return true;
}

/** A copy of an entry's block, under another key or with another expiry. What the value points to has two owners. */
function reshape(entry: usize, key: usize, keyLength: u32, expireAtMs: f64): usize {
  const length = Entry.valueLength(entry);
  const encoding = Entry.encoding(entry);
  const fresh = createEntry(key, keyLength, Entry.type(entry), encoding, length, length, expireAtMs);
  if (fresh == 0) return 0;
  memory.copy(Entry.value(fresh), Entry.value(entry), length);
  Entry.setClock(fresh, Entry.clock(entry));
  return fresh;
}

/**
 * Gives a key's entry, value and expiry, another key, whatever that held. The value moves, however big it is.
 * @returns 1 = done, 0 = no such key, or a REFUSED_ code
 */
export function renameKey(from: usize, fromLength: u32, to: usize, toLength: u32): i32 {
  return relocate(from, fromLength, load<u32>(STATE_DB), to, toLength);
}

/** As `renameKey`: the key stays, the database changes. */
export function moveKey(key: usize, length: u32, database: u32): i32 {
  return relocate(key, length, database, key, length);
}

function relocate(from: usize, fromLength: u32, database: u32, to: usize, toLength: u32): i32 {
  const selected = load<u32>(STATE_DB);
  const slot = slotOf(from, fromLength);
  const entry = lookupWrite(slot, from, fromLength);
  if (entry == 0) return 0;
  if (database == selected && Entry.hasKey(entry, to, toLength)) return 1;
  const fresh = reshape(entry, to, toLength, Entry.expires(entry) ? Entry.expireAt(entry) : 0);
  if (fresh == 0) return REFUSED_OUT_OF_MEMORY;
  if (!placeAnew(database, fresh)) {
    free(fresh);
    return REFUSED_OUT_OF_MEMORY;
  }
  assert(find(slot, from, fromLength) == entry);
  free(unlinkFound(slot));
  return 1;
}

/** Copies a key with its expiry to another, maybe in another database. As `renameKey`; the source stays. */
export function copyKey(from: usize, fromLength: u32, database: u32, to: usize, toLength: u32): i32 {
  const entry = look(from, fromLength, HOW_TRACELESS);
  if (entry == 0) return 0;
  const fresh = copyOf(entry, to, toLength);
  if (fresh == 0) return REFUSED_OUT_OF_MEMORY;
  if (placeAnew(database, fresh)) return 1;
  dispose(fresh);
  return REFUSED_OUT_OF_MEMORY;
}

/** Whether the last `placeIn` put an entry in another's place. */
let hasReplaced: bool = false;

/** Puts an entry into a database under its own key, whatever that held. False = no memory, nothing changed. */
export function placeIn(database: u32, entry: usize): bool {
  const selected = load<u32>(STATE_DB);
  store<u32>(STATE_DB, database);
  const key = Entry.key(entry);
  const length = Entry.keyLength(entry);
  const slot = slotOf(key, length);
  const old = lookupWrite(slot, key, length);
  const done = old != 0 || insert(slot, entry, foundHash);
  hasReplaced = old != 0;
  if (hasReplaced) replaceFound(slot, entry);
  store<u32>(STATE_DB, selected);
  return done;
}

/** As `placeIn`, told as if what was there had been deleted first. */
export function placeAnew(database: u32, entry: usize): bool {
  if (!placeIn(database, entry)) return false;
  if (!hasReplaced) return true;
  const selected = load<u32>(STATE_DB);
  store<u32>(STATE_DB, database);
  Events.appeared(entry);
  store<u32>(STATE_DB, selected);
  return true;
}

/** The 24-bit access clock of a key; -1 = no such key. */
export function clockOf(key: usize, length: u32): i32 {
  const entry = look(key, length, HOW_COUNTED);
  return entry == 0 ? -1 : <i32>Entry.clock(entry);
}

/** The count of uses of a key with the access clock `clock` as it is now, where clocks count. */
export function frequencyNow(clock: u32): u32 {
  return frequencyOf(clock);
}

/**
 * Bytes a key takes with its share of the tables; 0 = no such key.
 * @param samples so many elements of a big value are looked at, and the rest taken to be like them; 0 = all
 */
export function memoryOf(key: usize, length: u32, samples: u32): f64 {
  const entry = look(key, length, HOW_COUNTED);
  return entry == 0 ? 0 : <f64>sizeOf(entry) + 8 + bytesBeyond(entry, samples);
}

/** Bytes of a value that stand outside its entry. */
function bytesBeyond(entry: usize, samples: u32): f64 {
  const record = Entry.value(entry);
  const encoding = Entry.encoding(entry);
  if (encoding == ENCODING_HASHTABLE) return memberBytes(record, samples);
  if (encoding == ENCODING_QUICKLIST) return listBytes(record, samples);
  if (encoding == ENCODING_SKIPLIST) return memberBytes(record, samples) + treeBytes(record + TABLE_RECORD);
  return 0;
}
