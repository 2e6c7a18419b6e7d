// Lists as values under construction (draft.ts). Nodes stay as they come: they are those the list had where it was
// written, and it will be written with the same ones again.
import { ENCODING_LISTPACK, ENCODING_QUICKLIST } from "./abi";
import { draft, fillDraft, noMemory, nonsense } from "./draft";
import { appendText } from "./draftlistpack";
import { Entry } from "./entry";
import { copyNode, freeNode } from "./listnode";
import { Listpack, listpackCount } from "./listpack";
import { isListpack } from "./listpackcheck";
import { elementSize } from "./listpackelement";
import { INLINE_MOST, takesInline } from "./listvalue";
import { QUICKLIST_BYTES, appendNode, emptyQuicklist, pushQuicklist } from "./quicklist";

/** The record of the quicklist that a listpack becomes. */
const RECORD: usize = memory.data(16);

/** Appends an element. */
export function addToList(ptr: usize, length: u32): bool {
  if (Entry.encoding(draft) == ENCODING_LISTPACK) {
    if (takesInline(Entry.value(draft), elementSize(ptr, length), length)) return appendText(ptr, length);
    if (!spreadList()) return false;
  }
  return pushQuicklist(Entry.value(draft), ptr, length, false) || noMemory();
}

/** Appends a node whose listpack comes from outside; one without elements is left out. */
export function addNode(lp: usize, bytes: u32): bool {
  if (!isListpack(lp, bytes)) return nonsense();
  if (Listpack.isEmpty(lp)) return true;
  if (Entry.encoding(draft) == ENCODING_LISTPACK) {
    const isFirst = Listpack.isEmpty(Entry.value(draft));
    if (isFirst && bytes <= INLINE_MOST) return fillDraft(ENCODING_LISTPACK, lp, bytes);
    if (!spreadList()) return false;
  }
  const node = copyNode(lp, listpackCount(lp));
  if (node == 0) return noMemory();
  appendNode(Entry.value(draft), node);
  return true;
}

/** Makes the listpack the first node of a quicklist. */
function spreadList(): bool {
  const lp = Entry.value(draft);
  emptyQuicklist(RECORD);
  let node: usize = 0;
  if (!Listpack.isEmpty(lp)) {
    node = copyNode(lp, listpackCount(lp));
    if (node == 0) return noMemory();
    appendNode(RECORD, node);
  }
  if (fillDraft(ENCODING_QUICKLIST, RECORD, QUICKLIST_BYTES)) return true;
  if (node != 0) freeNode(node);
  return false;
}
