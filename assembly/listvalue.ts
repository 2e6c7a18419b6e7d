// The value of a list: one listpack inside its entry while it is short, else a quicklist.
//
//   ENCODING_LISTPACK    | listpack |             up to INLINE_MOST bytes, and what one node may hold
//   ENCODING_QUICKLIST   | record of a quicklist |
//
// Commands see a list as a row of chunks: the nodes, or the one listpack in the entry (the chunk INLINE). The list at
// hand is the entry `openList` was given; it must be the entry just found whenever its value may change its length.
import { Place } from "./heap";
import { ENCODING_LISTPACK, ENCODING_QUICKLIST, TYPE_LIST } from "./abi";
import { Entry } from "./entry";
import { takesOne } from "./listlimit";
import { Node, copyNode, freeNode, spliceNode } from "./listnode";
import { readNode, unpackNode } from "./listpacking";
import {
  LISTPACK_EMPTY,
  LISTPACK_HEAD,
  Listpack,
  emptyListpack,
  listpackCount,
  replaceBytes,
  seekElement,
  skipElements,
} from "./listpack";
import { elementSize, writeElement } from "./listpackelement";
import {
  QUICKLIST_BYTES,
  Quicklist,
  emptyQuicklist,
  linkNode,
  popQuicklist,
  prepareRange,
  pushQuicklist,
  removeElement,
  removeRange,
  seekNode,
  soughtIndex,
  soughtNode,
} from "./quicklist";
import { find } from "./table";
import { createValue, replaceValue, resizeValue } from "./value";

/** The chunk that is the entry's own listpack. (Nodes are addresses.) */
const INLINE: usize = 1;
/** Longest listpack kept in an entry: all of it moves when its front changes. */
export const INLINE_MOST: u32 = 1024;

let entry: usize = 0;

/** What `seekChunk` found: a chunk, and the index of the sought element in it. */
export let foundChunk: usize = 0;
export let foundIndex: u32 = 0;

/** Whether a chunk is the listpack in the entry. */
export function isInline(chunk: usize): bool {
  return chunk == INLINE;
}

export abstract class List {
  @inline static isInline(): bool {
    return Entry.encoding(entry) == ENCODING_LISTPACK;
  }
  /** The entry's listpack, or the record of its quicklist. */
  @inline static value(): usize {
    return Entry.value(entry);
  }
  /** Number of elements. */
  @inline static count(): u32 {
    return List.isInline() ? listpackCount(List.value()) : Quicklist.count(List.value());
  }
}

/** Whether a listpack inside an entry takes one more element, of `length` bytes that take `size` in it. */
export function takesInline(lp: usize, size: u32, length: u32): bool {
  const bytes = Listpack.bytes(lp);
  return <u64>bytes + size <= INLINE_MOST && takesOne(bytes, listpackCount(lp), length);
}

/** Makes an entry the list at hand. */
export function openList(list: usize): void {
  entry = list;
}

/** Adds an empty list under a key that was just looked up and is not there, and opens it; false = no memory. */
export function createList(slot: u32, key: usize, keyLength: u32, room: u32): bool {
  const inlineRoom = min(max(room, LISTPACK_EMPTY), INLINE_MOST);
  const made = createValue(slot, key, keyLength, TYPE_LIST, ENCODING_LISTPACK, LISTPACK_EMPTY, inlineRoom);
  if (made == 0) return false;
  // From here on the entry is one that was just found, which may move.
  entry = find(slot, key, keyLength);
  emptyListpack(List.value());
  return true;
}

/** Moves the listpack of the list at hand into a node of its own; false = no memory, nothing changed. */
function becomeQuicklist(): bool {
  const lp = List.value();
  const count = listpackCount(lp);
  const node: usize = count == 0 ? 0 : copyNode(lp, count);
  if (count != 0 && node == 0) return false;
  const moved = replaceValue(entry, ENCODING_QUICKLIST, QUICKLIST_BYTES);
  if (moved == 0) {
    if (node != 0) freeNode(node);
    return false;
  }
  entry = moved;
  emptyQuicklist(List.value());
  if (node != 0) linkNode(List.value(), node, 0);
  return true;
}

/** Adds an element at either end; false = no memory, nothing changed. */
export function pushElement(ptr: usize, length: u32, atFront: bool): bool {
  if (List.isInline()) {
    const lp = List.value();
    const size = elementSize(ptr, length);
    if (takesInline(lp, size, length)) {
      const at = spliceInline(atFront ? LISTPACK_HEAD : Listpack.bytes(lp) - 1, 0, size, 1);
      if (at != 0) writeElement(at, ptr, length);
      return at != 0;
    }
    if (!becomeQuicklist()) return false;
  }
  return pushQuicklist(List.value(), ptr, length, atFront);
}

/** The first or the last element for reading, which can then be taken out; 0 = no memory. */
export function endElement(atFront: bool): usize {
  if (List.isInline()) return endOf(List.value(), atFront);
  const list = List.value();
  const node = atFront ? Quicklist.head(list) : Quicklist.tail(list);
  return unpackNode(node) ? endOf(Node.listpack(node), atFront) : 0;
}

function endOf(lp: usize, atFront: bool): usize {
  return atFront ? Listpack.first(lp) : Listpack.last(lp);
}

/** Takes out the first or the last element, which `endElement` has just read. */
export function popElement(atFront: bool): void {
  if (!List.isInline()) return popQuicklist(List.value(), atFront);
  const lp = List.value();
  const end = Listpack.end(lp);
  const at = endOf(lp, atFront);
  const bytes = <u32>((atFront ? Listpack.next(at) : end) - at);
  assert(spliceInline(<u32>(at - lp), bytes, 0, -1) != 0);
}

/** As `spliceNode`, on the listpack of the entry. */
function spliceInline(offset: u32, had: u32, size: u32, more: i32): usize {
  const total = Listpack.bytes(List.value()) - had + size;
  if (size > had) {
    const moved = resizeValue(entry, total);
    if (moved == 0) return 0;
    entry = moved;
    return replaceBytes(List.value(), List.value() + offset, had, size, more);
  }
  replaceBytes(List.value(), List.value() + offset, had, size, more);
  entry = resizeValue(entry, total);
  return List.value() + offset;
}

// --- Chunks -------------------------------------------------------------------------------------------------------

export abstract class Chunk {
  /** The first chunk of the list at hand, or the last. */
  @inline static first(fromFront: bool): usize {
    if (List.isInline()) return INLINE;
    return fromFront ? Quicklist.head(List.value()) : Quicklist.tail(List.value());
  }
  /** The chunk behind another, or before it; 0 = none. */
  @inline static next(chunk: usize, fromFront: bool): usize {
    if (chunk == INLINE) return 0;
    return fromFront ? Node.next(chunk) : Node.prev(chunk);
  }
  @inline static count(chunk: usize): u32 {
    return chunk == INLINE ? listpackCount(List.value()) : Node.count(chunk);
  }
  /** Its listpack for reading, good until the list changes or other chunks have been read; 0 = no memory. */
  @inline static read(chunk: usize): usize {
    return chunk == INLINE ? List.value() : readNode(chunk);
  }
  /** Its listpack, when it can be changed. */
  @inline static listpack(chunk: usize): usize {
    return chunk == INLINE ? List.value() : Node.listpack(chunk);
  }
}

/** Finds the chunk of the element `index`, which is below the count. */
export function seekChunk(index: u32): void {
  foundChunk = INLINE;
  foundIndex = index;
  if (List.isInline()) return;
  seekNode(List.value(), index);
  foundChunk = soughtNode;
  foundIndex = soughtIndex;
}

/** Makes ready to take elements out of a chunk, which stays the chunk it is; false = no memory, nothing changed. */
export function unpackChunk(chunk: usize): bool {
  return chunk == INLINE || unpackNode(chunk);
}

/**
 * Makes ready to change a chunk so that its listpack gets `growth` bytes longer: what is packed is unpacked, and a list
 * that would be too long for its entry becomes a quicklist.
 * @returns the chunk, which may be another now; 0 = no memory, nothing changed
 */
export function writableChunk(chunk: usize, growth: u32): Place {
  if (chunk != INLINE) return unpackNode(chunk) ? chunk : 0;
  if (Listpack.bytes(List.value()) + growth <= INLINE_MOST) return chunk;
  return becomeQuicklist() ? Quicklist.head(List.value()) : 0;
}

/** As `spliceNode`, for a chunk that was made writable. The count of the list is kept as well. */
export function spliceChunk(chunk: usize, offset: u32, had: u32, size: u32, more: i32): usize {
  if (chunk == INLINE) return spliceInline(offset, had, size, more);
  const at = spliceNode(chunk, offset, had, size, more);
  if (at != 0) Quicklist.addCount(List.value(), more);
  return at;
}

/** Takes one element out of a writable chunk; a node goes with its last. */
export function removeFromChunk(chunk: usize, offset: u32, bytes: u32): void {
  if (chunk == INLINE) assert(spliceInline(offset, bytes, 0, -1) != 0);
  else removeElement(List.value(), chunk, offset, bytes);
}

/** Makes ready to take out `count` elements from `start` on; false = no memory, nothing changed. */
export function prepareRemoval(start: u32, count: u32): bool {
  return count == 0 || List.isInline() || prepareRange(List.value(), start, count);
}

/** Takes out `count` elements from `start` on, all there, after `prepareRemoval`. */
export function removeElements(start: u32, count: u32): void {
  if (count == 0) return;
  if (!List.isInline()) return removeRange(List.value(), start, count);
  const lp = List.value();
  const had = listpackCount(lp);
  const at = seekElement(lp, start, had);
  const to = start + count == had ? Listpack.end(lp) : skipElements(at, count);
  assert(spliceInline(<u32>(at - lp), <u32>(to - at), 0, -(<i32>count)) != 0);
}
