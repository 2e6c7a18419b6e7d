// The commands of one set and of single members.
import {
  EVENT_DEL,
  EVENT_MODIFIED,
  EVENT_NEW,
  EVENT_SADD,
  EVENT_SREM,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_WRONG_TYPE,
  TYPE_SET,
} from "./abi";
import { Args } from "./args";
import { slotOf } from "./crc16";
import { Entry, entrySize } from "./entry";
import { Events } from "./events";
import { lookupRead, lookupWrite } from "./expiry";
import { hasRoom, roundUp } from "./heap";
import { itemSize } from "./item";
import { TABLE_SHARE } from "./manykeys";
import { LINE_ROOM, Reply, replyArray, replyInteger, replySet } from "./reply";
import { Member } from "./setmember";
import { NO_MEMORY } from "./setbuild";
import { SetValue, addMember, changedSet, createSet, hasMember, takeMember } from "./setvalue";
import { replyMembers } from "./setwalk";
import { find, removeFound } from "./table";
import { Members } from "./warmmembers";

/** Larger blocks are runs of pages. */
const LARGE: u32 = 32768;

export function isSet(entry: usize): bool {
  return Entry.type(entry) == TYPE_SET;
}

/** Makes an argument the member at hand. */
function memberAt(index: u32): void {
  Member.fromText(Args.ptr(index), Args.length(index));
}

/** SADD key member … */
export function sadd(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const slot = Args.slot();
  const key = Args.ptr(1);
  const keyLength = Args.length(1);
  let set = lookupWrite(slot, key, keyLength);
  if (set != 0 && !isSet(set)) return REFUSED_WRONG_TYPE;
  // One member is all or nothing by itself.
  if (Args.count() > 3 && !hasRoomForMembers(set)) return REFUSED_OUT_OF_MEMORY;
  let added: i32 = 0;
  for (let i: u32 = 2; i < Args.count(); i++) {
    Members.warm(set, 2, i, 1);
    memberAt(i);
    if (set == 0) {
      if (createSet(slot, key, keyLength) == 0) return REFUSED_OUT_OF_MEMORY;
      set = find(slot, key, keyLength);
      added++;
    } else {
      const done = addMember(set);
      if (done == NO_MEMORY) return REFUSED_OUT_OF_MEMORY;
      set = changedSet;
      added += done;
    }
  }
  if (added != 0) Events.tell(EVENT_SADD, key, keyLength);
  replyInteger(added);
  return added;
}

/** Whether all members of the request can be added for certain; `set` as it is, 0 = it is not there. */
function hasRoomForMembers(set: usize): bool {
  let small: f64 = 0;
  let large: f64 = <f64>entrySize(Args.length(1), 0, false);
  for (let i: u32 = 2; i < Args.count(); i++) {
    const size = roundUp(itemSize(Args.length(i), 0));
    if (size > LARGE) large += size;
    else small += size;
    small += TABLE_SHARE;
  }
  // An intset may become a hashtable on the way, or grow where it stands.
  if (set != 0 && !SetValue.isTable(set)) {
    small += <f64>SetValue.count(set) * TABLE_SHARE;
    large += <f64>Entry.valueLength(set) * 4;
  }
  return hasRoom(small, large + <f64>Args.count() * 8);
}

/** SREM key member … */
export function srem(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const slot = Args.slot();
  const key = Args.ptr(1);
  const keyLength = Args.length(1);
  let set = lookupWrite(slot, key, keyLength);
  if (set != 0 && !isSet(set)) return REFUSED_WRONG_TYPE;
  let removed: i32 = 0;
  for (let i: u32 = 2; i < Args.count() && set != 0 && SetValue.count(set) != 0; i++) {
    Members.warm(set, 2, i, 1);
    memberAt(i);
    if (!takeMember(set)) continue;
    set = changedSet;
    removed++;
  }
  if (removed != 0) tellRemoved(EVENT_SREM, slot, set, key, keyLength);
  replyInteger(removed);
  return removed;
}

/** Tells that members have gone from a set just found, and deletes it when they all have. */
export function tellRemoved(event: u32, slot: u32, set: usize, key: usize, keyLength: u32): void {
  Events.tell(event, key, keyLength);
  if (SetValue.count(set) != 0) return;
  removeFound(slot);
  Events.tell(EVENT_DEL, key, keyLength);
}

/** SMOVE source destination member */
export function smove(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const fromSlot = Args.slot();
  const toSlot = slotOf(Args.ptr(2), Args.length(2));
  let from = lookupWrite(fromSlot, Args.ptr(1), Args.length(1));
  const to = lookupWrite(toSlot, Args.ptr(2), Args.length(2));
  if (from == 0) {
    replyInteger(0);
    return 0;
  }
  if (!isSet(from) || (to != 0 && !isSet(to))) return REFUSED_WRONG_TYPE;
  memberAt(3);
  if (from == to || !hasMember(from)) {
    replyInteger(from == to && hasMember(from) ? 1 : 0);
    return 0;
  }
  // It arrives before it leaves: only the arrival can fail.
  let added: i32 = 1;
  const wanted = Events.unhearNew(); // but it is told after it left
  if (to != 0) added = addMember(to);
  else if (createSet(toSlot, Args.ptr(2), Args.length(2)) == 0) added = NO_MEMORY;
  Events.hear(wanted);
  if (added == NO_MEMORY) return REFUSED_OUT_OF_MEMORY;
  from = lookupWrite(fromSlot, Args.ptr(1), Args.length(1));
  assert(takeMember(from));
  tellRemoved(EVENT_SREM, fromSlot, changedSet, Args.ptr(1), Args.length(1));
  if (to == 0) Events.tell(EVENT_NEW, Args.ptr(2), Args.length(2));
  if (added != 0) Events.tell(EVENT_SADD, Args.ptr(2), Args.length(2));
  else Events.tell(EVENT_MODIFIED, Args.ptr(1), Args.length(1)); // and the destination is as it was
  replyInteger(1);
  return 1 + added;
}

/** SISMEMBER key member */
export function sismember(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const set = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (set != 0 && !isSet(set)) return REFUSED_WRONG_TYPE;
  memberAt(2);
  replyInteger(set != 0 && hasMember(set) ? 1 : 0);
  return 0;
}

/** SMISMEMBER key member … */
export function smismember(): i32 {
  if (!Reply.reserve(LINE_ROOM + Args.count() * 4)) return REFUSED_OUT_OF_MEMORY;
  const set = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (set != 0 && !isSet(set)) return REFUSED_WRONG_TYPE;
  replyArray(Args.count() - 2);
  for (let i: u32 = 2; i < Args.count(); i++) {
    Members.warm(set, 2, i, 1);
    memberAt(i);
    replyInteger(set != 0 && hasMember(set) ? 1 : 0);
  }
  return 0;
}

/** SCARD key */
export function scard(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const set = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (set != 0 && !isSet(set)) return REFUSED_WRONG_TYPE;
  replyInteger(set == 0 ? 0 : SetValue.count(set));
  return 0;
}

/** SMEMBERS key */
export function smembers(): i32 {
  const set = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (set != 0 && !isSet(set)) return REFUSED_WRONG_TYPE;
  const start = Reply.written();
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  replySet(set == 0 ? 0 : SetValue.count(set));
  if (set == 0 || replyMembers(set)) return 0;
  Reply.truncate(start);
  return REFUSED_OUT_OF_MEMORY;
}
