// What a hash is kept as, whatever its size: finding, reading, setting and removing fields.
//
// A small hash is a listpack, in which fields and their values stand by turns, in the order the fields came. With too
// many fields, or one that is too long, it becomes a hashtable (hashconvert.ts) and stays one.
//
// A *place* is where a field stands: the address of its element in the listpack, or of its item.
import { ENCODING_LISTPACK, STATE_HASH_MAX_ENTRIES, STATE_HASH_MAX_VALUE, TYPE_HASH } from "./abi";
import { Entry } from "./entry";
import { toHashtable } from "./hashconvert";
import { itemIsNew, setItem } from "./hashitem";
import { Place, free } from "./heap";
import { Item } from "./item";
import { Listpack, findElement, listpackCount, replaceBytes } from "./listpack";
import {
  elementBytes,
  elementLength,
  elementPtr,
  elementSize,
  readText,
  writeElement,
} from "./listpackelement";
import { findMember, countMembers, removeMember } from "./members";
import { resizeValue } from "./value";

/** No listpack gets longer than this. */
export const LISTPACK_LIMIT: u32 = 1 << 30;

/** What `readField` and `readValue` read: good until the next reading, or the next change. */
export let textPtr: usize = 0;
export let textLength: u32 = 0;

/** Whether the last `setField` added a field. */
export let fieldIsNew: bool = false;

export function isHash(entry: usize): bool {
  return Entry.type(entry) == TYPE_HASH;
}

/** Whether a hash is kept as a listpack. */
export function isListpack(entry: usize): bool {
  return Entry.encoding(entry) == ENCODING_LISTPACK;
}

export function countFields(entry: usize): u32 {
  return isListpack(entry) ? listpackCount(Entry.value(entry)) >> 1 : countMembers(Entry.value(entry));
}

/** Whether a field and a value of these lengths may stand in a listpack that then holds `count` fields. */
export function isSmallPair(fieldLength: u32, length: u32, count: u32): bool {
  const limit = load<u32>(STATE_HASH_MAX_VALUE);
  return fieldLength <= limit && length <= limit && count <= load<u32>(STATE_HASH_MAX_ENTRIES);
}

/** The place of a field; 0 = the hash has none of that name. */
export function findField(entry: usize, field: usize, length: u32): usize {
  const value = Entry.value(entry);
  return isListpack(entry)
    ? findElement(Listpack.first(value), field, length, 2)
    : findMember(value, field, length);
}

export function readField(entry: usize, place: usize): void {
  if (isListpack(entry)) return readElementText(place);
  textPtr = Item.key(place);
  textLength = Item.keyLength(place);
}

export function readValue(entry: usize, place: usize): void {
  if (isListpack(entry)) return readElementText(Listpack.next(place));
  textPtr = Item.value(place);
  textLength = Item.valueLength(place);
}

function readElementText(at: usize): void {
  readText(at);
  textPtr = elementPtr;
  textLength = elementLength;
}

/**
 * Sets a field of a hash that was just found.
 * @returns the entry, which may have moved; 0 = no memory, no field changed
 */
export function setField(entry: usize, field: usize, fieldLength: u32, value: usize, length: u32): Place {
  let hash = entry;
  if (isListpack(hash)) {
    const place = findField(hash, field, fieldLength);
    fieldIsNew = place == 0;
    if (staysSmall(hash, fieldLength, length)) {
      return fieldIsNew
        ? appendPair(hash, field, fieldLength, value, length)
        : overwriteValue(hash, Listpack.next(place), value, length);
    }
    hash = toHashtable(hash);
    if (hash == 0) return 0;
  }
  if (!setItem(Entry.value(hash), field, fieldLength, value, length)) return 0;
  fieldIsNew = itemIsNew;
  return hash;
}

function staysSmall(entry: usize, fieldLength: u32, length: u32): bool {
  if (!isSmallPair(fieldLength, length, countFields(entry) + u32(fieldIsNew))) return false;
  return <u64>Entry.valueLength(entry) + fieldLength + length <= <u64>LISTPACK_LIMIT;
}

function appendPair(entry: usize, field: usize, fieldLength: u32, value: usize, length: u32): Place {
  const size = elementSize(field, fieldLength) + elementSize(value, length);
  const hash = resizeValue(entry, Entry.valueLength(entry) + size);
  if (hash == 0) return 0;
  const lp = Entry.value(hash);
  const at = replaceBytes(lp, Listpack.end(lp), 0, size, 2);
  writeElement(writeElement(at, field, fieldLength), value, length);
  return hash;
}

/** Puts a value in the place of the one at `at`. */
function overwriteValue(entry: usize, at: usize, value: usize, length: u32): Place {
  const had = elementBytes(at);
  const size = elementSize(value, length);
  if (size == had) {
    writeElement(at, value, length);
    return entry;
  }
  const total = Entry.valueLength(entry) - had + size;
  const offset = at - Entry.value(entry);
  const hash = size > had ? resizeValue(entry, total) : entry;
  if (hash == 0) return 0;
  const lp = Entry.value(hash);
  writeElement(replaceBytes(lp, lp + offset, had, size, 0), value, length);
  return size > had ? hash : resizeValue(hash, total);
}

/** Removes the field that `findField` has just found. Afterwards `settleHash` is due, or the key's deletion. */
export function removeField(entry: usize, place: usize): void {
  const value = Entry.value(entry);
  if (!isListpack(entry)) return free(removeMember(value));
  replaceBytes(value, place, elementBytes(place) + elementBytes(Listpack.next(place)), 0, -2);
}

/** Gives back what fields that were removed have left empty; the entry may move. */
export function settleHash(entry: usize): void {
  if (isListpack(entry)) assert(resizeValue(entry, Listpack.bytes(Entry.value(entry))) != 0);
}
