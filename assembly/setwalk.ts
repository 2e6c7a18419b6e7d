// Visiting every member of a set that does not change meanwhile; each becomes the member at hand.
//
//   for (let place = SetWalk.first(entry); place != 0; place = SetWalk.next(entry, place)) … Member.ptr() …
//
// A place is memberwalk.ts's in a hashtable, and one more than the index in an intset.
import { Entry } from "./entry";
import { Intset } from "./intset";
import { Walk } from "./memberwalk";
import { Member, replyMember } from "./setmember";
import { SetValue } from "./setvalue";

export abstract class SetWalk {
  /** 0 = there is none. */
  @inline static first(entry: usize): u64 {
    return SetValue.isTable(entry) ? atPlace(Walk.first(Entry.value(entry))) : atIndex(entry, 0);
  }
  /** 0 = that was the last. */
  @inline static next(entry: usize, place: u64): u64 {
    if (SetValue.isTable(entry)) return atPlace(Walk.next(Entry.value(entry), place));
    return atIndex(entry, <u32>place);
  }
}

function atPlace(place: u64): u64 {
  if (place != 0) Member.fromItem(Walk.item(place));
  return place;
}

function atIndex(entry: usize, index: u32): u64 {
  const set = Entry.value(entry);
  if (index >= Intset.count(set)) return 0;
  Member.fromInteger(Intset.at(set, index));
  return index + 1;
}

/** Writes all members of a set; false = no memory. */
export function replyMembers(set: usize): bool {
  for (let place = SetWalk.first(set); place != 0; place = SetWalk.next(set, place)) {
    if (!replyMember()) return false;
  }
  return true;
}
