// Listpacks as values under construction (draft.ts), and what must be true of one from outside to be a hash or a sorted
// set: its elements are pairs, and no field comes twice.
import { ENCODING_LISTPACK } from "./abi";
import { addDistinct, beginDistinct, endDistinct } from "./distinct";
import { draft, fillDraft, growDraft, noMemory, nonsense } from "./draft";
import { Entry } from "./entry";
import { Listpack, listpackCount, replaceBytes } from "./listpack";
import { isListpack } from "./listpackcheck";
import { elementLength, elementPtr, elementSize, readText, writeElement } from "./listpackelement";

/** Appends an element. */
export function appendText(ptr: usize, length: u32): bool {
  const size = elementSize(ptr, length);
  const had = Entry.valueLength(draft);
  if (!growDraft(had + size)) return false;
  const lp = Entry.value(draft);
  writeElement(replaceBytes(lp, lp + had - 1, 0, size, 1), ptr, length);
  return true;
}

/** Makes a listpack from outside the value; pairs: it is a hash or a sorted set. */
export function takeListpack(lp: usize, bytes: u32, isPairs: bool): bool {
  if (!isListpack(lp, bytes)) return nonsense();
  return (!isPairs || isOfPairs(lp)) && fillDraft(ENCODING_LISTPACK, lp, bytes);
}

function isOfPairs(lp: usize): bool {
  const count = listpackCount(lp);
  if ((count & 1) != 0) return nonsense();
  if (!beginDistinct(count >> 1)) return noMemory();
  let isDistinct = true;
  for (
    let at = Listpack.first(lp);
    isDistinct && !Listpack.isEnd(at);
    at = Listpack.next(Listpack.next(at))
  ) {
    readText(at);
    isDistinct = addDistinct(elementPtr, elementLength);
  }
  endDistinct();
  return isDistinct || nonsense();
}
