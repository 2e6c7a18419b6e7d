// Hashes whose key is not there yet: they begin in the encoding and with the room their first pairs need.
import { ENCODING_HASHTABLE, ENCODING_LISTPACK, TYPE_HASH } from "./abi";
import { Entry } from "./entry";
import { isSmallPair, setField } from "./hashvalue";
import { LISTPACK_EMPTY, emptyListpack } from "./listpack";
import { elementSize } from "./listpackelement";
import { initMembers } from "./members";
import { find, removeFound } from "./table";
import { TABLE_RECORD } from "./tablerecord";
import { createValue } from "./value";

/**
 * Adds a hash without fields under a key that was just looked up and is not there. A command does not end before it
 * has fields.
 * @param room bytes of a small one's listpack once it has them
 * @returns 0 = no memory
 */
export function createHash(slot: u32, key: usize, keyLength: u32, isSmall: bool, room: u32): usize {
  const encoding = isSmall ? ENCODING_LISTPACK : ENCODING_HASHTABLE;
  const length = isSmall ? LISTPACK_EMPTY : TABLE_RECORD;
  const entry = createValue(slot, key, keyLength, TYPE_HASH, encoding, length, isSmall ? room : length);
  if (entry == 0) return 0;
  if (isSmall) emptyListpack(Entry.value(entry));
  else initMembers(Entry.value(entry));
  return entry;
}

/**
 * Sets a field of the hash under a key that was just looked up, which is made when `entry` is 0.
 * @returns false = no memory, nothing changed
 */
export function putField(
  slot: u32,
  key: usize,
  keyLength: u32,
  entry: usize,
  field: usize,
  fieldLength: u32,
  value: usize,
  length: u32,
): bool {
  if (entry != 0) return setField(entry, field, fieldLength, value, length) != 0;
  const room = LISTPACK_EMPTY + elementSize(field, fieldLength) + elementSize(value, length);
  const isSmall = isSmallPair(fieldLength, length, 1);
  const fresh = createHash(slot, key, keyLength, isSmall, room);
  if (fresh == 0) return false;
  // Neither shape moves the new entry, which has not been looked up.
  if (setField(fresh, field, fieldLength, value, length) != 0) return true;
  assert(find(slot, key, keyLength) != 0);
  removeFound(slot);
  return false;
}
