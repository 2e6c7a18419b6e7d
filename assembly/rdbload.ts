// A value of any type read from its RDB form, from pieces that may end anywhere and may be anything: RESTORE and a peer are
// not trusted. It is built out of sight (draft.ts) and put in place when it is whole.
//
//   a value on its way in (24 bytes): | draft u32 | type u8 | kept u8 | counted u8 | unused u8 | left u64 | read u32 | written u32 |
//     counted: `left` elements are still to come; before, their number is
//
// An element is read whole or not at all: when bytes are missing, the host brings more behind those it has.
import {
  ENCODING_EMBSTR,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_RAW,
  ENCODING_SKIPLIST,
  REFUSED_OUT_OF_MEMORY,
  STATE_ACCESS_CLOCK,
  STATE_RESULT_LENGTH,
  STATE_RESULT_NUMBER,
  STATE_RESULT_PTR,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
} from "./abi";
import { placeAnew } from "./access";
import { draft, draftProblem, replaceDraft, siblingOf, takeUp, trimDraft } from "./draft";
import { Entry, createEntry } from "./entry";
import { alloc, free } from "./heap";
import { dispose } from "./lazyfree";
import { emptyListpack, LISTPACK_EMPTY } from "./listpack";
import { INTSET_HEAD, Intset } from "./intset";
import { lzfExpand, lzfRead, lzfWritten } from "./lzf";
import { addElement, isBlob, isEmptyDraft, settleDraft, takeBlob } from "./rdbelement";
import {
  RDB_PAYLOAD_DAMAGED,
  RDB_PAYLOAD_OTHER_TYPE,
  RDB_TYPE_HASH,
  RDB_TYPE_HASH_LISTPACK,
  RDB_TYPE_HASH_ZIPLIST,
  RDB_TYPE_HASH_ZIPMAP,
  RDB_TYPE_LIST,
  RDB_TYPE_LIST_QUICKLIST,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_LIST_ZIPLIST,
  RDB_TYPE_SET,
  RDB_TYPE_SET_INTSET,
  RDB_TYPE_SET_LISTPACK,
  RDB_TYPE_STRING,
  RDB_TYPE_ZSET,
  RDB_TYPE_ZSET_2,
  RDB_TYPE_ZSET_LISTPACK,
  RDB_TYPE_ZSET_ZIPLIST,
  RDB_VALUE_EMPTY,
  RDB_VALUE_OPEN,
  RDB_VALUE_SHORT,
  RDB_VALUE_WHOLE,
} from "./rdbformat";
import { ZSET_RECORD } from "./zset";
import { Input, lengthRead, rawPacked, rawPtr, rawSize, readLength, readRaw } from "./rdbread";
import { WHOLE_TEXT } from "./rdbtext";

const VALUE_BYTES: u32 = 24;

abstract class Value {
  @inline static draft(value: usize): usize {
    return load<u32>(value);
  }
  @inline static setDraft(value: usize, entry: usize): void {
    store<u32>(value, <u32>entry);
  }
  @inline static type(value: usize): u32 {
    return load<u8>(value, 4);
  }
  @inline static isKept(value: usize): bool {
    return load<u8>(value, 5) != 0;
  }
  @inline static isCounted(value: usize): bool {
    return load<u8>(value, 6) != 0;
  }
  /** Of a long string: bytes of its compressed form that are read, and of its own that are written. */
  @inline static read(value: usize): u32 {
    return load<u32>(value, 16);
  }
  @inline static written(value: usize): u32 {
    return load<u32>(value, 20);
  }
  @inline static setReached(value: usize, read: u32, written: u32): void {
    store<u32>(value, read, 16);
    store<u32>(value, written, 20);
  }
  @inline static left(value: usize): u64 {
    return load<u64>(value, 8);
  }
  /** So many elements are still to come. */
  @inline static setLeft(value: usize, left: u64): void {
    store<u8>(value, 1, 6);
    store<u64>(value, left, 8);
  }
}

/** The TYPE_ constant of a value by its type in the file; 0 = it is of none that is held. */
function typeOf(type: u32): u32 {
  switch (type) {
    case RDB_TYPE_STRING:
      return TYPE_STRING;
    case RDB_TYPE_LIST:
    case RDB_TYPE_LIST_ZIPLIST:
    case RDB_TYPE_LIST_QUICKLIST:
    case RDB_TYPE_LIST_QUICKLIST_2:
      return TYPE_LIST;
    case RDB_TYPE_SET:
    case RDB_TYPE_SET_INTSET:
    case RDB_TYPE_SET_LISTPACK:
      return TYPE_SET;
    case RDB_TYPE_ZSET:
    case RDB_TYPE_ZSET_2:
    case RDB_TYPE_ZSET_ZIPLIST:
    case RDB_TYPE_ZSET_LISTPACK:
      return TYPE_ZSET;
    case RDB_TYPE_HASH:
    case RDB_TYPE_HASH_ZIPMAP:
    case RDB_TYPE_HASH_ZIPLIST:
    case RDB_TYPE_HASH_LISTPACK:
      return TYPE_HASH;
    default:
      return 0;
  }
}

/**
 * Begins to read a value for `key`, left in STATE_RESULT_PTR.
 * @param expireAtMs 0 = never
 * @param isKept false: it is only looked through for faults, as far as that goes without keeping its elements
 * @returns 0 = done, RDB_PAYLOAD_DAMAGED, RDB_PAYLOAD_OTHER_TYPE or REFUSED_OUT_OF_MEMORY
 */
export function rdbOpen(type: u32, key: usize, keyLength: u32, expireAtMs: f64, isKept: bool): i32 {
  const held = typeOf(type);
  if (held == 0) return isForeign(type) ? RDB_PAYLOAD_OTHER_TYPE : RDB_PAYLOAD_DAMAGED;
  const entry = newDraft(held, key, keyLength, expireAtMs);
  if (entry == 0) return REFUSED_OUT_OF_MEMORY;
  const value = alloc(VALUE_BYTES);
  if (value == 0) {
    dispose(entry);
    return REFUSED_OUT_OF_MEMORY;
  }
  Value.setDraft(value, entry);
  store<u32>(value, type, 4);
  store<u8>(value, <u8>isKept, 5);
  if (isBlob(type)) Value.setLeft(value, 1);
  store<u32>(STATE_RESULT_PTR, <u32>value);
  return 0;
}

/** Types Redis 7.0 has that are not held: modules' values and streams. */
function isForeign(type: u32): bool {
  return type == 6 || type == 7 || type == 15 || type == 19;
}

function newDraft(type: u32, key: usize, keyLength: u32, expireAtMs: f64): usize {
  if (type == TYPE_STRING) return createEntry(key, keyLength, type, ENCODING_EMBSTR, 0, 0, expireAtMs);
  if (type == TYPE_SET) {
    const set = createEntry(key, keyLength, type, ENCODING_INTSET, INTSET_HEAD, INTSET_HEAD, expireAtMs);
    if (set != 0) Intset.init(Entry.value(set));
    return set;
  }
  if (type == TYPE_ZSET) {
    const set = createEntry(key, keyLength, type, ENCODING_SKIPLIST, ZSET_RECORD, ZSET_RECORD, expireAtMs);
    if (set != 0) memory.fill(Entry.value(set), 0, ZSET_RECORD);
    return set;
  }
  const room = LISTPACK_EMPTY;
  const entry = createEntry(key, keyLength, type, ENCODING_LISTPACK, room, room, expireAtMs);
  if (entry != 0) emptyListpack(Entry.value(entry));
  return entry;
}

/**
 * Reads on.
 * @returns RDB_VALUE_WHOLE, RDB_VALUE_EMPTY, or a refusal, after which the value is for `rdbClose`; or RDB_VALUE_OPEN:
 * the bytes from STATE_RESULT_LENGTH on are to be brought again, STATE_RESULT_NUMBER more at least behind them
 */
export function rdbFeed(value: usize, ptr: usize, length: u32): i32 {
  Input.begin(ptr, length);
  let taken = ptr;
  let outcome: i32 = RDB_VALUE_OPEN;
  while (outcome == RDB_VALUE_OPEN && readOn(value)) {
    taken = Input.at();
    if (Value.isCounted(value) && Value.left(value) == 0) outcome = endOf(value);
  }
  if (Input.isOutOfMemory()) return REFUSED_OUT_OF_MEMORY;
  if (Input.isDamaged()) return RDB_PAYLOAD_DAMAGED;
  store<u32>(STATE_RESULT_LENGTH, <u32>(taken - ptr));
  store<f64>(STATE_RESULT_NUMBER, <f64>Input.wanted());
  return outcome;
}

/** Reads the count or the next element; false = bytes are missing or wrong. */
function readOn(value: usize): bool {
  if (!Value.isCounted(value)) {
    if (!readLength()) return false;
    Value.setLeft(value, lengthRead);
    return true;
  }
  const type = Value.type(value);
  takeUp(Value.draft(value));
  const isRead = isBlob(type) ? takeBlob(type) : addElement(type, Value.isKept(value));
  Value.setDraft(value, draft);
  if (isRead) Value.setLeft(value, Value.left(value) - 1);
  return isRead;
}

/** All is read: the value takes the encoding that befits its size. */
function endOf(value: usize): i32 {
  if (!Value.isKept(value)) return RDB_VALUE_WHOLE;
  takeUp(Value.draft(value));
  if (isEmptyDraft()) return RDB_VALUE_EMPTY;
  const isSettled = settleDraft();
  if (isSettled) trimDraft();
  Value.setDraft(value, draft);
  return isSettled ? RDB_VALUE_WHOLE : draftProblem;
}

/**
 * Reads on in a value that is one long string, all of which is there.
 * @param budget bytes of it to write, about
 * @returns RDB_VALUE_OPEN, RDB_VALUE_WHOLE, RDB_VALUE_SHORT (it is for `rdbFeed`) or a refusal
 */
export function rdbFeedText(value: usize, ptr: usize, length: u32, budget: u32): i32 {
  Input.begin(ptr, length);
  if (!readRaw()) return RDB_PAYLOAD_DAMAGED;
  if (rawSize <= WHOLE_TEXT) return RDB_VALUE_SHORT;
  takeUp(Value.draft(value));
  if (Entry.valueLength(draft) != rawSize) {
    const fresh = siblingOf(draft, ENCODING_RAW, rawSize, rawSize);
    if (fresh == 0) return REFUSED_OUT_OF_MEMORY;
    replaceDraft(fresh);
    Value.setDraft(value, fresh);
    Value.setReached(value, 0, 0);
  }
  const text = Entry.value(draft);
  const done = Value.written(value);
  if (rawPacked == 0) {
    const piece = min(budget, rawSize - done);
    memory.copy(text + done, rawPtr + done, piece);
    Value.setReached(value, 0, done + piece);
  } else {
    if (!lzfExpand(rawPtr, rawPacked, text, rawSize, Value.read(value), done, budget))
      return RDB_PAYLOAD_DAMAGED;
    Value.setReached(value, lzfRead, lzfWritten);
  }
  return Value.written(value) == rawSize ? RDB_VALUE_WHOLE : RDB_VALUE_OPEN;
}

/** Puts a whole value under its key in a database, whatever that held; 1 or REFUSED_OUT_OF_MEMORY. */
export function rdbStore(value: usize, database: u32): i32 {
  const entry = Value.draft(value);
  Entry.setClock(entry, load<u32>(STATE_ACCESS_CLOCK));
  if (!placeAnew(database, entry)) return REFUSED_OUT_OF_MEMORY;
  free(value);
  return 1;
}

/** Gives a value up that is not stored. */
export function rdbClose(value: usize): void {
  dispose(Value.draft(value));
  free(value);
}
