// A set in the making, outside of the keyspace: what the commands that store a set gather, and what an intset becomes a
// hashtable by. It takes the shape Redis would have given it when it becomes a value.
import { ENCODING_HASHTABLE, ENCODING_INTSET, TYPE_SET } from "./abi";
import { Entry, createEntry } from "./entry";
import { Intset, findInteger, insertInteger, integerIndex, intsetWidth } from "./intset";
import { Item } from "./item";
import { findHashed, initMembers, releaseMembers, removeMember } from "./members";
import { Walk } from "./memberwalk";
import { free } from "./heap";
import { parse, parsed } from "./integers";
import { Member } from "./setmember";
import { replyMember } from "./sets";
import { NO_MEMORY, SetValue, addToTable } from "./setvalue";
import { memberOf } from "./setwalk";
import { TABLE_RECORD, TableRecord } from "./tablerecord";

const RECORD: usize = memory.data(16);

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
      isIntegers = Member.isInteger() && SetBuild.count() <= SetValue.mostIntegers();
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
      memberOf(Walk.item(place));
      if (!replyMember()) return false;
    }
    return true;
  }
  static drop(): void {
    releaseMembers(RECORD, u32.MAX_VALUE);
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
      parse(Item.key(Walk.item(place)), Item.keyLength(Walk.item(place)));
      findInteger(set, parsed);
      insertInteger(set, integerIndex, parsed);
    }
  }
  SetBuild.drop();
  return entry;
}
