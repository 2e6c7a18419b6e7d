// A node of a list that outgrew its entry: some KiB of elements in one listpack.
//
//   node   | prev u32 | next u32 | count u32 | block u32 | listpack u32 | bytes u32 | packed u32 | room u32 |
//
//   plain:   block = | gap | listpack | gap |     listpack = its address, room = the block's bytes
//   packed:  block = the listpack compressed      listpack = 0, bytes = of it when expanded, packed = compressed
//
// A plain listpack may have gaps on both sides: elements are added to and taken from either end without moving the
// others. Nodes far from both ends are packed, which is what makes a long list small; they are read through expansions
// that are kept a while, and unpacked when something in them changes.
import { relocate } from "./heapsparse";
import { Place, alloc, free, roundUp, sizeOf } from "./heap";
import { Aside } from "./heapaside";
import { forgetExpansion } from "./listexpansion";
import { LISTPACK_EMPTY, LISTPACK_HEAD, Listpack, emptyListpack } from "./listpack";
import { ELEMENT_OVERHEAD, elementSize, writeElement } from "./listpackelement";
import { nodeLimit } from "./listlimit";

const NODE_BYTES: u32 = 32;
const NEXT: usize = 4;
const COUNT: usize = 8;
const BLOCK: usize = 12;
const LISTPACK: usize = 16;
export const BYTES: usize = 20;
export const PACKED: usize = 24;
const ROOM: usize = 28;

const SMALL_ROOM: u32 = 256;

/** Nodes that were freed or moved so far, and wraps: while it stands still, the address of a node is good. */
export let nodesGone: u32 = 0;

export abstract class Node {
  @inline static prev(node: usize): usize {
    return load<u32>(node);
  }
  @inline static setPrev(node: usize, prev: usize): void {
    store<u32>(node, <u32>prev);
  }
  @inline static next(node: usize): usize {
    return load<u32>(node, NEXT);
  }
  @inline static setNext(node: usize, next: usize): void {
    store<u32>(node, <u32>next, NEXT);
  }
  /** Number of elements. */
  @inline static count(node: usize): u32 {
    return load<u32>(node, COUNT);
  }
  @inline static isPacked(node: usize): bool {
    return load<u32>(node, LISTPACK) == 0;
  }
  /** The listpack of a plain node; 0 = packed. */
  @inline static listpack(node: usize): usize {
    return load<u32>(node, LISTPACK);
  }
  /** Bytes of the listpack when it is plain. */
  @inline static bytes(node: usize): u32 {
    return Node.isPacked(node) ? load<u32>(node, BYTES) : Listpack.bytes(Node.listpack(node));
  }
  /** The block; of a packed node, the compressed listpack. */
  @inline static block(node: usize): usize {
    return load<u32>(node, BLOCK);
  }
  @inline static packedBytes(node: usize): u32 {
    return load<u32>(node, PACKED);
  }
  /** Bytes of the block before the listpack, and behind it. */
  @inline static gapBefore(node: usize): u32 {
    return load<u32>(node, LISTPACK) - load<u32>(node, BLOCK);
  }
  @inline static gapBehind(node: usize): u32 {
    return load<u32>(node, ROOM) - Node.gapBefore(node) - Listpack.bytes(Node.listpack(node));
  }
  /** Bytes the node takes, all counted. */
  static size(node: usize): u32 {
    return NODE_BYTES + sizeOf(load<u32>(node, BLOCK));
  }
}

/** A node with an empty listpack and room for `bytes` of one, on the side where it will grow; 0 = no memory. */
export function createNode(bytes: u32, growsInFront: bool): usize {
  const block = alloc(bytes);
  if (block == 0) return 0;
  const node = alloc(NODE_BYTES);
  if (node == 0) {
    free(block);
    return 0;
  }
  memory.fill(node, 0, NODE_BYTES);
  const lp = growsInFront ? block + sizeOf(block) - LISTPACK_EMPTY : block;
  emptyListpack(lp);
  setBlock(node, block, lp);
  return node;
}

/** A node that holds a copy of a listpack; 0 = no memory. */
export function copyNode(lp: usize, count: u32): usize {
  const bytes = Listpack.bytes(lp);
  const node = createNode(bytes, false);
  if (node == 0) return 0;
  memory.copy(Node.listpack(node), lp, bytes);
  setCount(node, count);
  return node;
}

/** A node like another, packed if that is; it is in no list yet. 0 = no memory. */
export function twinOf(node: usize): usize {
  if (!Node.isPacked(node)) return copyNode(Node.listpack(node), Node.count(node));
  const bytes = Node.packedBytes(node);
  const block = alloc(bytes);
  const twin: usize = block == 0 ? 0 : alloc(NODE_BYTES);
  if (twin == 0) {
    if (block != 0) free(block);
    return 0;
  }
  memory.copy(block, Node.block(node), bytes);
  memory.copy(twin, node, NODE_BYTES);
  setBlock(twin, block, 0);
  return twin;
}

export function freeNode(node: usize): void {
  nodesGone++;
  if (Node.isPacked(node)) forgetExpansion(node);
  free(load<u32>(node, BLOCK));
  free(node);
}

/** Moves a node and what it holds away from slabs that are to be emptied; returns where the node stands. */
export function relocateNode(node: usize): Place {
  const isPacked = Node.isPacked(node);
  const gap = isPacked ? 0 : Node.gapBefore(node);
  const block = relocate(Node.block(node));
  store<u32>(node, <u32>block, BLOCK);
  if (!isPacked) store<u32>(node, <u32>block + gap, LISTPACK);
  if (Aside.has(node)) {
    nodesGone++;
    if (isPacked) forgetExpansion(node);
  }
  return relocate(node);
}

/** Gives a node another block; `lp` = the listpack in it, 0 = it is packed. The old one is the caller's. */
export function setBlock(node: usize, block: usize, lp: usize): void {
  store<u32>(node, <u32>block, BLOCK);
  store<u32>(node, <u32>lp, LISTPACK);
  store<u32>(node, sizeOf(block), ROOM);
}

function setCount(node: usize, count: u32): void {
  store<u32>(node, count, COUNT);
  Listpack.setCountWord(Node.listpack(node), count);
}

/** Adds an element behind the last; the node is plain. False = no memory, nothing changed. */
export function appendToNode(node: usize, ptr: usize, length: u32): bool {
  if (Node.gapBehind(node) >= length + ELEMENT_OVERHEAD) {
    const lp = Node.listpack(node);
    const end = writeElement(Listpack.end(lp), ptr, length);
    store<u8>(end, 0xff);
    Listpack.setBytes(lp, <u32>(end + 1 - lp));
    setCount(node, Node.count(node) + 1);
    return true;
  }
  const size = elementSize(ptr, length);
  const at = spliceNode(node, Listpack.bytes(Node.listpack(node)) - 1, 0, size, 1);
  if (at != 0) writeElement(at, ptr, length);
  return at != 0;
}

/** Adds an element before the first; the node is plain. False = no memory, nothing changed. */
export function prependToNode(node: usize, ptr: usize, length: u32): bool {
  const at = spliceNode(node, LISTPACK_HEAD, 0, elementSize(ptr, length), 1);
  if (at != 0) writeElement(at, ptr, length);
  return at != 0;
}

/**
 * Puts `size` bytes, not yet written, in the place of the `had` bytes at `offset` of a plain node's listpack, which
 * are whole elements; `more` = how many elements there will be more. What is on the shorter side moves.
 * @returns where they are; 0 = no memory, nothing changed (never when it gets shorter)
 */
export function spliceNode(node: usize, offset: u32, had: u32, size: u32, more: i32): usize {
  const lp = Node.listpack(node);
  const bytes = Listpack.bytes(lp);
  assert(!Node.isPacked(node) && offset >= LISTPACK_HEAD && offset + had < bytes, "outside of the listpack");
  const total = bytes - had + size;
  const isNearFront = offset < bytes - offset - had;
  let to: usize;
  if (size > had && size - had > load<u32>(node, ROOM) - bytes) {
    to = moveListpack(node, offset, had, size, isNearFront);
    if (to == 0) return 0;
  } else {
    if (size > had && size - had > (isNearFront ? Node.gapBefore(node) : Node.gapBehind(node)))
      slide(node, isNearFront);
    to = makeGap(node, offset, had, size, isNearFront);
  }
  Listpack.setBytes(to, total);
  setCount(node, Node.count(node) + more);
  return size < had ? shrinkBlock(node, offset) : to + offset;
}

/** Replaces bytes where there is room for it on the side that moves; returns the listpack. */
function makeGap(node: usize, offset: u32, had: u32, size: u32, isNearFront: bool): usize {
  const lp = Node.listpack(node);
  if (size == had) return lp;
  if (!isNearFront) {
    memory.copy(lp + offset + size, lp + offset + had, Listpack.bytes(lp) - offset - had);
    return lp;
  }
  const to = lp + had - size;
  moveShort(to, lp, offset);
  store<u32>(node, <u32>to, LISTPACK);
  return to;
}

/** Moves the listpack to one end of its block, so that all the room is before it or behind it. */
function slide(node: usize, toEnd: bool): void {
  const lp = Node.listpack(node);
  const bytes = Listpack.bytes(lp);
  const block: usize = load<u32>(node, BLOCK);
  const to = toEnd ? block + load<u32>(node, ROOM) - bytes : block;
  memory.copy(to, lp, bytes);
  store<u32>(node, <u32>to, LISTPACK);
}

/** Moves a few bytes, mostly a listpack's header, to where they may overlap themselves. */
function moveShort(to: usize, from: usize, length: u32): void {
  if (length != LISTPACK_HEAD) return memory.copy(to, from, length);
  const bytes = load<u32>(from);
  const count = load<u16>(from, 4);
  store<u32>(to, bytes);
  store<u16>(to, count, 4);
}

/** Gives the listpack a longer block, with the room where the next elements are likely to come. */
function moveListpack(node: usize, offset: u32, had: u32, size: u32, isNearFront: bool): usize {
  const lp = Node.listpack(node);
  const bytes = Listpack.bytes(lp);
  const total = bytes - had + size;
  let block = alloc(roomFor(total));
  if (block == 0) block = alloc(total);
  if (block == 0) return 0;
  const to = isNearFront ? block + sizeOf(block) - total : block;
  memory.copy(to, lp, offset);
  memory.copy(to + offset + size, lp + offset + had, bytes - offset - had);
  free(load<u32>(node, BLOCK));
  setBlock(node, block, to);
  return to;
}

/** Room for a listpack of so many bytes that is going to grow: twice as much, up to what a node is meant to hold. */
function roomFor(bytes: u32): u32 {
  return max(bytes, min(nodeLimit(), bytes * 2));
}

/** Gives back most of a block that has become a quarter full; returns the address of `offset` in the listpack. */
function shrinkBlock(node: usize, offset: u32): usize {
  const room = load<u32>(node, ROOM);
  const bytes = Listpack.bytes(Node.listpack(node));
  if (room > SMALL_ROOM && bytes < room >> 2) fitBlock(node, bytes * 2);
  return Node.listpack(node) + offset;
}

/** Gives a plain node a block of about `room` bytes if that is less than it has; nothing without memory. */
export function fitBlock(node: usize, room: u32): void {
  if (roundUp(room) >= load<u32>(node, ROOM)) return;
  const block = alloc(room);
  if (block == 0) return;
  const lp = Node.listpack(node);
  memory.copy(block, lp, Listpack.bytes(lp));
  free(load<u32>(node, BLOCK));
  setBlock(node, block, block);
}
