// LSET, LINSERT, LREM and LTRIM: what changes a list inside.
import {
  EVENT_LINSERT,
  EVENT_LREM,
  EVENT_LSET,
  EVENT_LTRIM,
  REFUSED_INDEX,
  REFUSED_NOT_INTEGER,
  REFUSED_NO_SUCH_KEY,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SYNTAX,
  TOUCHED,
} from "./abi";
import { Args, isWord } from "./args";
import { Events } from "./events";
import { hasRoom } from "./heap";
import { parse, parsed } from "./integers";
import { openToWrite, removeIfEmpty } from "./listaccess";
import { insertBeside } from "./listinsert";
import { Node } from "./listnode";
import { packNode } from "./listpacking";
import { Listpack, seekElement } from "./listpack";
import { elementBytes, elementIs, elementSize, seekText, writeElement } from "./listpackelement";
import { takesOne } from "./listlimit";
import { Range, rangeStart } from "./listread";
import {
  Chunk,
  List,
  foundChunk,
  foundIndex,
  isInline,
  prepareRemoval,
  removeElements,
  removeFromChunk,
  seekChunk,
  spliceChunk,
  unpackChunk,
  writableChunk,
} from "./listvalue";
import { LINE_ROOM, Reply, replyInteger, replyOk } from "./reply";

/**
 * What reading packed nodes may take, with one unpacked and packed again: some blocks of 64 KiB, or blocks of every size
 * there is, since each node is as long as it likes and a size takes a page the first time.
 */
const SCAN_ROOM: f64 = 196608;
const SCAN_SIZES: f64 = 262144;

/** LSET key index element */
export function lset(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const found = openToWrite();
  if (found < 0) return found;
  if (found == 0) return REFUSED_NO_SUCH_KEY;
  if (!parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  const count = List.count();
  const index = parsed < 0 ? parsed + count : parsed;
  if (index < 0 || index >= <i64>count) return REFUSED_INDEX;
  if (!replaceElement(<u32>index, Args.ptr(3), Args.length(3))) return REFUSED_OUT_OF_MEMORY;
  Events.tell(EVENT_LSET, Args.ptr(1), Args.length(1));
  replyOk();
  return 1;
}

function replaceElement(index: u32, ptr: usize, length: u32): bool {
  seekChunk(index);
  const inChunk = foundIndex;
  const size = elementSize(ptr, length);
  const chunk = writableChunk(foundChunk, size);
  if (chunk == 0) return false;
  const lp = Chunk.listpack(chunk);
  const at = seekElement(lp, inChunk, Chunk.count(chunk));
  const to = spliceChunk(chunk, <u32>(at - lp), elementBytes(at), size, 0);
  if (to == 0) return false;
  writeElement(to, ptr, length);
  return true;
}

/** What `findElement` found: a chunk, where in its listpack, and the element's index in it. */
let pivotChunk: usize = 0;
let pivotOffset: u32 = 0;
let pivotIndex: u32 = 0;

/** LINSERT key BEFORE|AFTER pivot element */
export function linsert(): i32 {
  const after = isWord(2, "AFTER");
  if (!after && !isWord(2, "BEFORE")) return REFUSED_SYNTAX;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const found = openToWrite();
  if (found < 0) return found;
  const place = found == 0 ? 0 : findPivot(Args.ptr(3), Args.length(3));
  if (place < 0) return place;
  if (place == 0) {
    replyInteger(found == 0 ? 0 : -1);
    return 0;
  }
  if (!insertAtPivot(Args.ptr(4), Args.length(4), after)) return REFUSED_OUT_OF_MEMORY;
  Events.tell(EVENT_LINSERT, Args.ptr(1), Args.length(1));
  replyInteger(List.count());
  return 1;
}

/** Finds the first element that holds these bytes: 1 = done, 0 = none does, REFUSED_OUT_OF_MEMORY. */
function findPivot(ptr: usize, length: u32): i32 {
  seekText(ptr, length);
  for (let chunk = Chunk.first(true); chunk != 0; chunk = Chunk.next(chunk, true)) {
    const lp = Chunk.read(chunk);
    if (lp == 0) return REFUSED_OUT_OF_MEMORY;
    let index: u32 = 0;
    for (let at = Listpack.first(lp); !Listpack.isEnd(at); at = Listpack.next(at), index++) {
      if (!elementIs(at, ptr, length)) continue;
      pivotChunk = chunk;
      pivotOffset = <u32>(at - lp);
      pivotIndex = index;
      return 1;
    }
  }
  return 0;
}

function insertAtPivot(ptr: usize, length: u32, after: bool): bool {
  const size = elementSize(ptr, length);
  const isFull = isInline(pivotChunk) && !takesOne(Listpack.bytes(List.value()), List.count(), length);
  const chunk = writableChunk(pivotChunk, isFull ? u32.MAX_VALUE >> 1 : size);
  if (chunk == 0) return false;
  if (!isInline(chunk)) return insertBeside(List.value(), chunk, pivotOffset, pivotIndex, ptr, length, after);
  const at = List.value() + pivotOffset;
  const to = spliceChunk(chunk, pivotOffset + (after ? elementBytes(at) : 0), 0, size, 1);
  if (to != 0) writeElement(to, ptr, length);
  return to != 0;
}

/** LREM key count element */
export function lrem(): i32 {
  if (!parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  const fromFront = parsed >= 0;
  const most = fromFront ? parsed : 0 - parsed;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const found = openToWrite();
  if (found < 0) return found;
  if (found == 0) {
    replyInteger(0);
    return 0;
  }
  if (!List.isInline() && !hasRoom(SCAN_SIZES, SCAN_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const removed = removeEqual(
    Args.ptr(3),
    Args.length(3),
    most <= 0 ? u32.MAX_VALUE : <u32>min(most, <i64>u32.MAX_VALUE),
    fromFront,
  );
  if (removed > 0) {
    Events.tell(EVENT_LREM, Args.ptr(1), Args.length(1));
    removeIfEmpty(Args.slot(), Args.ptr(1), Args.length(1));
  }
  replyInteger(removed);
  return <i32>removed;
}

/** Removes up to `most` elements that hold these bytes, beginning at one end; returns how many. */
function removeEqual(ptr: usize, length: u32, most: u32, fromFront: bool): u32 {
  seekText(ptr, length);
  let removed: u32 = 0;
  for (let chunk = Chunk.first(fromFront); chunk != 0 && removed < most;) {
    const next = Chunk.next(chunk, fromFront);
    removed += fromFront
      ? removeForward(chunk, ptr, length, most - removed)
      : removeBackward(chunk, ptr, length, most - removed);
    chunk = next;
  }
  return removed;
}

/** As `removeEqual`, in one chunk. A node that was packed is packed again, so that memory cannot run out on the way. */
function removeForward(chunk: usize, ptr: usize, length: u32, most: u32): u32 {
  const wasPacked = !isInline(chunk) && Node.isPacked(chunk);
  let lp = Chunk.read(chunk);
  assert(lp != 0, "room to read a node was asked for before");
  let offset = <u32>(Listpack.first(lp) - lp);
  let left = Chunk.count(chunk);
  let removed: u32 = 0;
  while (left > 0 && removed < most) {
    const bytes = elementBytes(lp + offset);
    left--;
    if (!elementIs(lp + offset, ptr, length)) {
      offset += bytes;
      continue;
    }
    removed++;
    if (!removeAt(chunk, offset, bytes)) return removed;
    lp = Chunk.listpack(chunk);
  }
  if (wasPacked && removed > 0) packNode(chunk);
  return removed;
}

function removeBackward(chunk: usize, ptr: usize, length: u32, most: u32): u32 {
  const wasPacked = !isInline(chunk) && Node.isPacked(chunk);
  let lp = Chunk.read(chunk);
  assert(lp != 0, "room to read a node was asked for before");
  let offset = <u32>(Listpack.end(lp) - lp);
  let left = Chunk.count(chunk);
  let removed: u32 = 0;
  while (left > 0 && removed < most) {
    const bytes = offset - <u32>(Listpack.previous(lp + offset) - lp);
    offset -= bytes;
    left--;
    if (!elementIs(lp + offset, ptr, length)) continue;
    removed++;
    if (!removeAt(chunk, offset, bytes)) return removed;
    lp = Chunk.listpack(chunk);
  }
  if (wasPacked && removed > 0) packNode(chunk);
  return removed;
}

/** Takes an element out of a chunk; false = the chunk went with it. There is memory to unpack it. */
function removeAt(chunk: usize, offset: u32, bytes: u32): bool {
  assert(unpackChunk(chunk));
  const isLast = !isInline(chunk) && Node.count(chunk) == 1;
  removeFromChunk(chunk, offset, bytes);
  return !isLast;
}

/** LTRIM key start stop */
export function ltrim(): i32 {
  if (!parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  const start = parsed;
  if (!parse(Args.ptr(3), Args.length(3))) return REFUSED_NOT_INTEGER;
  const stop = parsed;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const found = openToWrite();
  if (found < 0) return found;
  let removed: u32 = 0;
  if (found != 0) {
    const count = List.count();
    const kept = Range.within(start, stop, count);
    const before = kept == 0 ? count : rangeStart;
    const behind = kept == 0 ? 0 : count - rangeStart - kept;
    if (!prepareRemoval(0, before) || !prepareRemoval(count - behind, behind)) return REFUSED_OUT_OF_MEMORY;
    removeElements(count - behind, behind);
    removeElements(0, before);
    removed = before + behind;
    Events.tell(EVENT_LTRIM, Args.ptr(1), Args.length(1));
    removeIfEmpty(Args.slot(), Args.ptr(1), Args.length(1));
  }
  replyOk();
  return removed == 0 && found != 0 ? TOUCHED : <i32>removed;
}
