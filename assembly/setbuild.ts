// A set in the making, outside of the keyspace: what the commands that store a set gather, and what an intset becomes a
// hashtable by. It takes the shape Redis would have given it when it becomes a value.
import { ENCODING_HASHTABLE, ENCODING_INTSET, STATE_SET_MAX_INTSET, TYPE_SET } from "./abi";
import { Entry, createEntry } from "./entry";
import { Intset, findInteger, insertInteger, integerIndex, intsetWidth } from "./intset";
import { Item, createItem } from "./item";
import { findHashed, initMembers, insertMember, releaseMembers, removeMember } from "./members";
import { Walk } from "./memberwalk";
import { free } from "./heap";
import { parse, parsed } from "./integers";
import { Member, replyMember } from "./setmember";
import { TABLE_RECORD, TableRecord } from "./tablerecord";

/** However high set-max-intset-entries is. */
const MOST_INTEGERS: u32 = 1 << 30;
const RECORD: usize = memory.data(16);

/** The outcome of an addition besides 1 = added and 0 = was there. */
export const NO_MEMORY: i32 = -1;

/** Whether it could be an intset all along, and how wide. Members that go do not change that, as in Redis. */
let isIntegers: bool = true;
let width: u32 = 2;

export abstract class SetBuild {
  static begin(): void {
    initMembers(RECORD);
    isIntegers = true;
    width = 2;
  }
  static count(): u32 {
    return TableRecord.count(RECORD);
  }
  /** Adds the member at hand; false = no memory, and nothing is left of the set. */
  static add(): bool {
    const done = addToTable(RECORD);
    if (done == NO_MEMORY) SetBuild.drop();
    if (done == 1 && isIntegers) {
      isIntegers = Member.isInteger() && SetBuild.count() <= mostIntegers();
      if (isIntegers) width = max(width, intsetWidth(Member.integer()));
    }
    return done != NO_MEMORY;
  }
  /** Takes the member at hand out, if it is there. */
  static remove(): void {
    if (findHashed(RECORD, Member.hash(), Member.ptr(), Member.length()) != 0) free(removeMember(RECORD));
  }
  /** Writes all members into the reply; false = no memory. */
  static reply(): bool {
    for (let place = Walk.first(RECORD); place != 0; place = Walk.next(RECORD, place)) {
      Member.fromItem(Walk.item(place));
      if (!replyMember()) return false;
    }
    return true;
  }
  static drop(): void {
    assert(releaseMembers(RECORD, u32.MAX_VALUE));
  }
  /** Gives the table away: `record` is that of a value from now on. */
  static moveTo(record: usize): void {
    memory.copy(record, RECORD, TABLE_RECORD);
  }
  /**
   * An entry of the members, not in the keyspace yet; 0 = no memory, and nothing is left of the set.
   * @param expireAtMs 0 = never
   */
  static finish(key: usize, keyLength: u32, expireAtMs: f64): usize {
    return isIntegers ? finishIntset(key, keyLength, expireAtMs) : finishTable(key, keyLength, expireAtMs);
  }
}

/** How many integers an intset may have. */
export function mostIntegers(): u32 {
  return min(load<u32>(STATE_SET_MAX_INTSET), MOST_INTEGERS);
}

/** Adds the member at hand to a table: 1 = added, 0 = was there, NO_MEMORY = nothing changed. */
export function addToTable(record: usize): i32 {
  if (findHashed(record, Member.hash(), Member.ptr(), Member.length()) != 0) return 0;
  const item = createItem(Member.ptr(), Member.length(), 0);
  if (item == 0) return NO_MEMORY;
  if (insertMember(record, item)) return 1;
  free(item);
  return NO_MEMORY;
}

function finishTable(key: usize, keyLength: u32, expireAtMs: f64): usize {
  const entry = createEntry(
    key,
    keyLength,
    TYPE_SET,
    ENCODING_HASHTABLE,
    TABLE_RECORD,
    TABLE_RECORD,
    expireAtMs,
  );
  if (entry == 0) SetBuild.drop();
  else SetBuild.moveTo(Entry.value(entry));
  return entry;
}

function finishIntset(key: usize, keyLength: u32, expireAtMs: f64): usize {
  const length = Intset.bytes(SetBuild.count(), width);
  const entry = createEntry(key, keyLength, TYPE_SET, ENCODING_INTSET, length, length, expireAtMs);
  if (entry != 0) {
    const set = Entry.value(entry);
    Intset.init(set);
    for (let place = Walk.first(RECORD); place != 0; place = Walk.next(RECORD, place)) {
      assert(parse(Item.key(Walk.item(place)), Item.keyLength(Walk.item(place))));
      assert(!findInteger(set, parsed));
      insertInteger(set, integerIndex, parsed);
    }
  }
  SetBuild.drop();
  return entry;
}
