// A hash that has outgrown its listpack becomes a hashtable.
import { ENCODING_HASHTABLE } from "./abi";
import { Entry } from "./entry";
import { payloadSize, writePayload } from "./hashitem";
import { Place, free } from "./heap";
import { Item, createItem } from "./item";
import { Listpack } from "./listpack";
import { elementLength, elementPtr, readText, textLength } from "./listpackelement";
import { findMember, initMembers, insertMember, releaseMembers } from "./members";
import { TABLE_RECORD } from "./tablerecord";
import { replaceValue } from "./value";

/** The record of the table while it is built. */
const BUILT: usize = memory.data(16);

/** @returns the entry, just found, which has moved; 0 = no memory, nothing changed */
export function toHashtable(entry: usize): Place {
  if (tableFrom(Entry.value(entry)) == 0) return 0;
  const hash = replaceValue(entry, ENCODING_HASHTABLE, TABLE_RECORD);
  if (hash == 0) assert(releaseMembers(BUILT, u32.MAX_VALUE));
  else memory.copy(Entry.value(hash), BUILT, TABLE_RECORD);
  return hash;
}

/** The record, to be copied, of a new table of the fields of a listpack that has none twice; 0 = no memory. */
export function tableFrom(lp: usize): usize {
  initMembers(BUILT);
  if (fill(lp)) return BUILT;
  assert(releaseMembers(BUILT, u32.MAX_VALUE));
  return 0;
}

function fill(lp: usize): bool {
  for (let at = Listpack.first(lp); !Listpack.isEnd(at);) {
    const valueAt = Listpack.next(at);
    const item = itemOf(at, valueAt);
    if (item == 0) return false;
    // For the hash it leaves: no field stands twice in a listpack.
    assert(findMember(BUILT, Item.key(item), Item.keyLength(item)) == 0);
    if (!insertMember(BUILT, item)) {
      free(item);
      return false;
    }
    at = Listpack.next(valueAt);
  }
  return true;
}

/** The item of a pair of elements; 0 = no memory. */
function itemOf(fieldAt: usize, valueAt: usize): usize {
  const length = textLength(valueAt);
  readText(fieldAt);
  const item = createItem(elementPtr, elementLength, payloadSize(length));
  if (item == 0) return 0;
  readText(valueAt);
  writePayload(item, elementPtr, elementLength);
  return item;
}
