// Drawing members of a set by chance.
//
// What is drawn is told by a *token*: an item's address in a hashtable, index + 1 in an intset. A place of a walk tells
// the same, so that the rest of a set can be walked past what was drawn.
import { below } from "./chance";
import { Entry } from "./entry";
import { Intset } from "./intset";
import { drawMember } from "./members";
import { Sample } from "./sample";
import { Member } from "./setmember";
import { SetValue } from "./setvalue";

/** The token of a random member. */
export function drawToken(set: usize): u32 {
  if (SetValue.isTable(set)) return <u32>drawMember(Entry.value(set));
  return below(Intset.count(Entry.value(set))) + 1;
}

/** Makes the member of a token the one at hand. */
export function memberOfToken(set: usize, token: u32): void {
  if (SetValue.isTable(set)) Member.fromItem(token);
  else Member.fromInteger(Intset.at(Entry.value(set), token - 1));
}

/** The token of the member at a place of a walk. */
export function tokenAt(set: usize, place: u64): u32 {
  return SetValue.isTable(set) ? load<u32>(<u32>place) : <u32>place;
}

/** Begins a sample of different members, fewer than there are; false = no memory. */
export function drawSample(set: usize, size: u32): bool {
  if (!Sample.begin(size)) return false;
  while (Sample.count() < size) Sample.add(drawToken(set));
  return true;
}
