// Sets as values: an intset while all members are integers and few, else a hashtable of items.
//
// Members are given as the member at hand (setmember.ts). An entry that changes may move; `changedSet` tells where to.
import { ENCODING_HASHTABLE, ENCODING_INTSET, TYPE_SET } from "./abi";
import { Entry } from "./entry";
import { Place, free } from "./heap";
import {
  INTSET_HEAD,
  Intset,
  bytesWith,
  findInteger,
  insertInteger,
  integerIndex,
  removeInteger,
} from "./intset";
import { findHashed, removeMember } from "./members";
import { NO_MEMORY, SetBuild, addToTable, mostIntegers } from "./setbuild";
import { Member } from "./setmember";
import { TABLE_RECORD, TableRecord } from "./tablerecord";
import { createValue, replaceValue, resizeValue } from "./value";

/** Where the entry stands that was changed last. */
export let changedSet: usize = 0;

export abstract class SetValue {
  @inline static isTable(entry: usize): bool {
    return Entry.encoding(entry) == ENCODING_HASHTABLE;
  }
  @inline static count(entry: usize): u32 {
    const value = Entry.value(entry);
    return SetValue.isTable(entry) ? TableRecord.count(value) : Intset.count(value);
  }
}

/** Whether the member at hand is in a set. */
export function hasMember(entry: usize): bool {
  const value = Entry.value(entry);
  if (SetValue.isTable(entry)) return findHashed(value, Member.hash(), Member.ptr(), Member.length()) != 0;
  return Member.isInteger() && findInteger(value, Member.integer());
}

/** Makes a set of the member at hand under a key that was just looked up and is not there; 0 = no memory. */
export function createSet(slot: u32, key: usize, keyLength: u32): usize {
  if (Member.isInteger() && mostIntegers() != 0) {
    const room = Intset.bytes(1, 8);
    const entry = createValue(slot, key, keyLength, TYPE_SET, ENCODING_INTSET, INTSET_HEAD, room);
    if (entry == 0) return 0;
    const set = Entry.value(entry);
    Intset.init(set);
    Entry.setValueLength(entry, bytesWith(set, Member.integer()));
    insertInteger(set, 0, Member.integer());
    return entry;
  }
  SetBuild.begin();
  if (!SetBuild.add()) return 0;
  const entry = createValue(slot, key, keyLength, TYPE_SET, ENCODING_HASHTABLE, TABLE_RECORD, TABLE_RECORD);
  if (entry == 0) SetBuild.drop();
  else SetBuild.moveTo(Entry.value(entry));
  return entry;
}

/** Adds the member at hand to a set just found: 1 = added, 0 = was there, NO_MEMORY = nothing changed. */
export function addMember(entry: usize): i32 {
  changedSet = entry;
  if (SetValue.isTable(entry)) return addToTable(Entry.value(entry));
  const set = Entry.value(entry);
  if (Member.isInteger()) {
    const value = Member.integer();
    if (findInteger(set, value)) return 0;
    if (Intset.count(set) < mostIntegers()) {
      const index = integerIndex;
      const longer = resizeValue(entry, bytesWith(set, value));
      if (longer == 0) return NO_MEMORY;
      insertInteger(Entry.value(longer), index, value);
      changedSet = longer;
      return 1;
    }
  }
  const table = toTable(entry);
  if (table == 0) return NO_MEMORY;
  changedSet = table;
  return addToTable(Entry.value(table));
}

/** Makes the intset of an entry just found a hashtable; returns the entry, which has moved, 0 = no memory. */
function toTable(entry: usize): Place {
  const isInteger = Member.isInteger();
  const integer = Member.integer();
  const text: usize = isInteger ? 0 : Member.ptr();
  const length: u32 = isInteger ? 0 : Member.length();
  const isBuilt = buildFrom(Entry.value(entry));
  if (isInteger) Member.fromInteger(integer);
  else Member.fromText(text, length);
  if (!isBuilt) return 0;
  const table = replaceValue(entry, ENCODING_HASHTABLE, TABLE_RECORD);
  if (table == 0) SetBuild.drop();
  else SetBuild.moveTo(Entry.value(table));
  return table;
}

/** Begins to build a set of an intset's members; false = no memory, and nothing is left of it. */
export function buildFrom(set: usize): bool {
  SetBuild.begin();
  for (let i: u32 = 0; i < Intset.count(set); i++) {
    Member.fromInteger(Intset.at(set, i));
    if (!SetBuild.add()) return false;
  }
  return true;
}

/** Takes the member at hand out of a set just found, which may be empty then; whether it was there. */
export function takeMember(entry: usize): bool {
  changedSet = entry;
  if (!hasMember(entry)) return false;
  if (SetValue.isTable(entry)) free(removeMember(Entry.value(entry)));
  else changedSet = removeIntegerAt(entry, integerIndex);
  return true;
}

/** Takes integer number `index` out of the intset of an entry just found; returns the entry, which may have moved. */
export function removeIntegerAt(entry: usize, index: u32): Place {
  const set = Entry.value(entry);
  removeInteger(set, index);
  return resizeValue(entry, Intset.bytes(Intset.count(set), Intset.width(set)));
}
