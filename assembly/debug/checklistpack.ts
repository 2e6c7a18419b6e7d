// Listpacks: every element with its backlen, walked both ways, and the counts and the end.
import { LISTPACK_EMPTY, LISTPACK_HEAD, Listpack } from "../listpack";
import { isListpack } from "../listpackcheck";
import { elementLength, elementPtr, readElement, textLength } from "../listpackelement";
import { compare } from "../bytes";

/** Elements up to which pairs are compared with each other. */
const FEW: u32 = 64;

/** Checks a listpack of at most `room` bytes; returns how many elements it has. */
export function checkListpack(lp: usize, room: u32): u32 {
  const bytes = Listpack.bytes(lp);
  assert(bytes >= LISTPACK_EMPTY && bytes <= room, "a listpack is longer than its room");
  assert(isListpack(lp, bytes), "a listpack is damaged");
  let count: u32 = 0;
  for (let at = Listpack.end(lp); at > lp + LISTPACK_HEAD; at = Listpack.previous(at)) count++;
  return count;
}

/** Checks a listpack of pairs, none of whose first halves is there twice; returns how many pairs. */
export function checkPairs(lp: usize, room: u32, longest: u32, isScored: bool): u32 {
  const count = checkListpack(lp, room);
  assert((count & 1) == 0, "a listpack of pairs has half a pair");
  const end = Listpack.end(lp);
  for (let at = Listpack.first(lp); at < end;) {
    assert(textLength(at) <= longest, "an element of a listpack is too long");
    const second = Listpack.next(at);
    assert(isScored || textLength(second) <= longest, "an element of a listpack is too long");
    const next = Listpack.next(second);
    if (count <= FEW)
      for (let other = next; other < end; other = Listpack.next(Listpack.next(other)))
        assert(!isSame(at, other), "a listpack has a field twice");
    at = next;
  }
  return count >> 1;
}

/** Whether two elements are of the same form and bytes. What spells an integer is always kept as one. */
function isSame(a: usize, b: usize): bool {
  if (readElement(a)) return compare(a, <u32>(Listpack.next(a) - a), b, <u32>(Listpack.next(b) - b)) == 0;
  const ptr = elementPtr;
  const length = elementLength;
  return !readElement(b) && compare(ptr, length, elementPtr, elementLength) == 0;
}
