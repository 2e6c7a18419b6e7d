// Whether an entry and its value are what their encoding says: that every block is one and long enough, that counts,
// links, sizes and orders are right, and that a small encoding is no larger than any setting so far allowed.
import {
  EMBSTR_LIMIT,
  ENCODING_EMBSTR,
  ENCODING_HASHTABLE,
  ENCODING_INT,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_QUICKLIST,
  ENCODING_RAW,
  ENCODING_SKIPLIST,
  STATE_HASH_MAX_ENTRIES,
  STATE_HASH_MAX_VALUE,
  STATE_SET_MAX_INTSET,
  STATE_ZSET_MAX_ENTRIES,
  STATE_ZSET_MAX_VALUE,
  STRING_LIMIT,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
} from "../abi";
import { Entry, entrySize } from "../entry";
import { sizeOf } from "../heap";
import { INTSET_HEAD, Intset } from "../intset";
import { INLINE_MOST } from "../listvalue";
import { QUICKLIST_BYTES } from "../quicklist";
import { TABLE_RECORD, TableRecord } from "../tablerecord";
import { ZSET_RECORD, Zset } from "../zset";
import { assertBlock } from "./checkheap";
import { checkQuicklist } from "./checklist";
import { checkListpack, checkPairs } from "./checklistpack";
import { checkScores, checkSortedPairs } from "./checkzset";
import { checkTable } from "./checktable";

/** Elements up to which a value is walked every time; of larger ones, how many are for each check. */
const SMALL: u32 = 128;
const SHARE: u32 = 64;

/** Elements that checks so far have saved up for the walk of a large value. */
let saved: u32 = 0;

/** The highest the settings have been: what came to be under them may live on. */
let hashEntries: u32 = 0;
let hashValue: u32 = 0;
let setIntegers: u32 = 0;
let zsetEntries: u32 = 0;
let zsetValue: u32 = 0;

/** Takes note of the settings in force. */
export function noteLimits(): void {
  hashEntries = max(hashEntries, load<u32>(STATE_HASH_MAX_ENTRIES));
  hashValue = max(hashValue, load<u32>(STATE_HASH_MAX_VALUE));
  setIntegers = max(setIntegers, load<u32>(STATE_SET_MAX_INTSET));
  zsetEntries = max(zsetEntries, load<u32>(STATE_ZSET_MAX_ENTRIES));
  zsetValue = max(zsetValue, load<u32>(STATE_ZSET_MAX_VALUE));
}

/** Whether a value of so many elements is to be walked now. */
function isDue(count: u32): bool {
  if (count <= SMALL) return true;
  saved += SHARE;
  if (saved < count) return false;
  saved = 0;
  return true;
}

export function checkEntry(entry: usize): void {
  assertBlock(entry);
  const length = Entry.valueLength(entry);
  const size = entrySize(Entry.keyLength(entry), length, Entry.expires(entry));
  assert(size <= sizeOf(entry), "an entry is longer than its block");
  const end = Entry.value(entry) + length;
  assert(end <= entry + sizeOf(entry), "a value goes beyond its entry");
  if (Entry.expires(entry)) assert(Entry.expireAt(entry) != 0, "an expiry is none");
  const type = Entry.type(entry);
  if (type == TYPE_STRING) checkString(entry);
  else if (type == TYPE_LIST) checkList(entry);
  else if (type == TYPE_SET) checkSet(entry);
  else if (type == TYPE_HASH) checkHash(entry);
  else if (type == TYPE_ZSET) checkZset(entry);
  else assert(false, "an entry of no type");
}

function checkString(entry: usize): void {
  const encoding = Entry.encoding(entry);
  const length = Entry.valueLength(entry);
  if (encoding == ENCODING_INT) return assertThat(length == 8, "an integer is not 8 bytes long");
  if (encoding == ENCODING_EMBSTR)
    return assertThat(length <= <u32>EMBSTR_LIMIT, "an embedded string is too long");
  assert(encoding == ENCODING_RAW, "a string of another type's encoding");
  assert(length <= <u32>STRING_LIMIT, "a string is too long");
}

function checkList(entry: usize): void {
  const value = Entry.value(entry);
  const length = Entry.valueLength(entry);
  if (Entry.encoding(entry) == ENCODING_LISTPACK) {
    assert(length <= INLINE_MOST, "a listpack in an entry is too long");
    return assertThat(checkListpack(value, length) != 0, "a list without elements");
  }
  assert(Entry.encoding(entry) == ENCODING_QUICKLIST, "a list of another type's encoding");
  assert(length == QUICKLIST_BYTES, "the record of a quicklist has another length");
  if (isDue(TableRecord.count(value))) checkQuicklist(value);
}

function checkSet(entry: usize): void {
  const value = Entry.value(entry);
  if (Entry.encoding(entry) == ENCODING_INTSET) {
    const count = Intset.count(value);
    assert(count != 0 && count <= setIntegers, "an intset of too few or too many");
    const width = Intset.width(value);
    assert(width == 2 || width == 4 || width == 8, "an intset of no width");
    assert(Entry.valueLength(entry) >= INTSET_HEAD + count * width, "an intset is longer than its value");
    for (let i: u32 = 1; i < count; i++)
      assert(Intset.at(value, i - 1) < Intset.at(value, i), "an intset is not in order");
    return;
  }
  assert(Entry.encoding(entry) == ENCODING_HASHTABLE, "a set of another type's encoding");
  checkMembers(entry, TABLE_RECORD, 0);
}

function checkHash(entry: usize): void {
  const value = Entry.value(entry);
  if (Entry.encoding(entry) == ENCODING_LISTPACK) {
    const count = checkPairs(value, Entry.valueLength(entry), hashValue, false);
    return assertThat(count != 0 && count <= hashEntries, "a small hash of too few or too many fields");
  }
  assert(Entry.encoding(entry) == ENCODING_HASHTABLE, "a hash of another type's encoding");
  checkMembers(entry, TABLE_RECORD, 0);
}

function checkZset(entry: usize): void {
  const value = Entry.value(entry);
  if (Entry.encoding(entry) == ENCODING_LISTPACK) {
    const count = checkPairs(value, Entry.valueLength(entry), zsetValue, true);
    assert(count != 0 && count <= zsetEntries, "a small sorted set of too few or too many members");
    return checkSortedPairs(value);
  }
  assert(Entry.encoding(entry) == ENCODING_SKIPLIST, "a sorted set of another type's encoding");
  checkMembers(entry, ZSET_RECORD, 8);
  if (isDue(TableRecord.count(value))) checkScores(Zset.tree(value), TableRecord.count(value));
}

/** Checks the table of a collection. `payload`: bytes behind each key; 0 = none, or of a hash its value. */
function checkMembers(entry: usize, recordBytes: u32, payload: u32): void {
  const record = Entry.value(entry);
  assert(Entry.valueLength(entry) == recordBytes, "the record of a table has another length");
  const count = TableRecord.count(record);
  assert(count != 0, "a collection without members");
  if (isDue(count)) checkTable(record, payload, Entry.type(entry) == TYPE_HASH);
}

function assertThat(isSo: bool, otherwise: string): void {
  assert(isSo, otherwise);
}
