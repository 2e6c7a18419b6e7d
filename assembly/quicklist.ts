// A list that outgrew its entry: a chain of nodes, with both ends and the counts in a record inside the entry.
//
//   record | head u32 | count of elements u32 | tail u32 | count of nodes u32 |
//
// Which node an element goes into, when a node is split and when two are joined is decided as Redis decides it: a list
// that saw the same commands has the same nodes. Some nodes at both ends stay plain, so that what a queue does costs
// no compression; one that is pushed further inside is packed.
import { STATE_LIST_COMPRESS_DEPTH } from "./abi";
import { firstRoom, takesOne } from "./listlimit";
import {
  Node,
  appendToNode,
  createNode,
  freeNode,
  prependToNode,
  relocateNode,
  spliceNode,
} from "./listnode";
import { packNode, unpackNode } from "./listpacking";
import { LISTPACK_EMPTY, LISTPACK_HEAD, Listpack, seekElement, skipElements } from "./listpack";
import { ELEMENT_OVERHEAD } from "./listpackelement";

export const QUICKLIST_BYTES: u32 = 16;
/** Nodes at each end that are never packed; list-compress-depth may ask for more. */
const PLAIN_NODES: u32 = 3;

/** What `seekNode` found: a node, and the index of the sought element in it. */
export let soughtNode: usize = 0;
export let soughtIndex: u32 = 0;

export abstract class Quicklist {
  @inline static head(list: usize): usize {
    return load<u32>(list);
  }
  @inline static tail(list: usize): usize {
    return load<u32>(list, 8);
  }
  /** Number of elements; it stands where a hashtable's record has its own. */
  @inline static count(list: usize): u32 {
    return load<u32>(list, 4);
  }
  @inline static nodes(list: usize): u32 {
    return load<u32>(list, 12);
  }
  @inline static setHead(list: usize, node: usize): void {
    store<u32>(list, <u32>node);
  }
  @inline static setTail(list: usize, node: usize): void {
    store<u32>(list, <u32>node, 8);
  }
  @inline static addCount(list: usize, more: i32): void {
    store<u32>(list, Quicklist.count(list) + more, 4);
  }
  @inline static addNodes(list: usize, more: i32): void {
    store<u32>(list, Quicklist.nodes(list) + more, 12);
  }
}

/** Makes the QUICKLIST_BYTES at `list` a list without nodes. */
export function emptyQuicklist(list: usize): void {
  store<u64>(list, 0);
  store<u64>(list, 0, 8);
}

/** Puts a node, with its elements, before another; `next` 0 = at the end. */
export function linkNode(list: usize, node: usize, next: usize): void {
  const prev = next == 0 ? Quicklist.tail(list) : Node.prev(next);
  Node.setPrev(node, prev);
  Node.setNext(node, next);
  if (prev == 0) Quicklist.setHead(list, node);
  else Node.setNext(prev, node);
  if (next == 0) Quicklist.setTail(list, node);
  else Node.setPrev(next, node);
  Quicklist.addNodes(list, 1);
  Quicklist.addCount(list, <i32>Node.count(node));
}

/** Takes a node out, with its elements, and gives it back. */
export function removeNode(list: usize, node: usize): void {
  const prev = Node.prev(node);
  const next = Node.next(node);
  if (prev == 0) Quicklist.setHead(list, next);
  else Node.setNext(prev, next);
  if (next == 0) Quicklist.setTail(list, prev);
  else Node.setPrev(next, prev);
  Quicklist.addNodes(list, -1);
  Quicklist.addCount(list, -(<i32>Node.count(node)));
  freeNode(node);
}

/** Gives back up to `budget` nodes from the list's head; true = all are gone. */
export function releaseQuicklist(list: usize, budget: u32): bool {
  for (let left = budget; left > 0 && Quicklist.head(list) != 0; left--)
    removeNode(list, Quicklist.head(list));
  return Quicklist.head(list) == 0;
}

/**
 * Moves up to `limit` nodes, from the one at `index` on, away from slabs that are to be emptied.
 * @returns the index to go on at; the number of nodes = all are done
 */
export function relocateNodes(list: usize, index: u32, limit: u32): u32 {
  let node = Quicklist.head(list);
  for (let i: u32 = 0; i < index && node != 0; i++) node = Node.next(node);
  let at = index;
  for (; node != 0 && at < index + limit; at++) {
    const moved = relocateNode(node);
    const prev = Node.prev(moved);
    const next = Node.next(moved);
    if (prev == 0) Quicklist.setHead(list, moved);
    else Node.setNext(prev, moved);
    if (next == 0) Quicklist.setTail(list, moved);
    else Node.setPrev(next, moved);
    node = next;
  }
  return node == 0 ? Quicklist.nodes(list) : at;
}

/** Adds a node at the end, as a loader has read it. */
export function appendNode(list: usize, node: usize): void {
  linkNode(list, node, 0);
  packInside(list, false);
}

/** Adds an element at either end; false = no memory, nothing changed. */
export function pushQuicklist(list: usize, ptr: usize, length: u32, atFront: bool): bool {
  let node = atFront ? Quicklist.head(list) : Quicklist.tail(list);
  if (node == 0 || !takesOne(Node.bytes(node), Node.count(node), length)) {
    node = createNode(firstRoom(LISTPACK_EMPTY + length + ELEMENT_OVERHEAD), atFront);
    if (node == 0) return false;
    linkNode(list, node, atFront ? Quicklist.head(list) : 0);
    packInside(list, atFront);
  } else if (!unpackNode(node)) {
    return false;
  }
  const done = atFront ? prependToNode(node, ptr, length) : appendToNode(node, ptr, length);
  if (!done) return false;
  Quicklist.addCount(list, 1);
  return true;
}

/** Packs the node that a new one at an end has pushed inside. */
function packInside(list: usize, atFront: bool): void {
  const depth = max(PLAIN_NODES, load<u32>(STATE_LIST_COMPRESS_DEPTH));
  if (Quicklist.nodes(list) <= depth << 1) return;
  let node = atFront ? Quicklist.head(list) : Quicklist.tail(list);
  for (let left = depth; left > 0; left--) node = atFront ? Node.next(node) : Node.prev(node);
  if (!Node.isPacked(node)) packNode(node);
}

/** Finds the node of the element `index`, which is below the count: from whichever end is nearer. */
export function seekNode(list: usize, index: u32): void {
  const count = Quicklist.count(list);
  let node: usize;
  if (index <= count >> 1) {
    let left = index;
    for (node = Quicklist.head(list); left >= Node.count(node); node = Node.next(node))
      left -= Node.count(node);
    soughtIndex = left;
  } else {
    let left = count - index;
    for (node = Quicklist.tail(list); left > Node.count(node); node = Node.prev(node))
      left -= Node.count(node);
    soughtIndex = Node.count(node) - left;
  }
  soughtNode = node;
}

/** Makes the nodes plain that lose some of the elements of a range but not all; false = no memory. */
export function prepareRange(list: usize, start: u32, count: u32): bool {
  seekNode(list, start);
  if ((soughtIndex > 0 || count < Node.count(soughtNode)) && !unpackNode(soughtNode)) return false;
  seekNode(list, start + count - 1);
  return soughtIndex == Node.count(soughtNode) - 1 || unpackNode(soughtNode);
}

/** Takes out `count` elements from `start` on: at least one, all there, and `prepareRange` was asked. */
export function removeRange(list: usize, start: u32, count: u32): void {
  seekNode(list, start);
  let node = soughtNode;
  let index = soughtIndex;
  let left = count;
  while (left > 0) {
    const next = Node.next(node);
    const had = Node.count(node);
    const taken = min(left, had - index);
    if (taken == had) removeNode(list, node);
    else cutNode(list, node, index, taken);
    left -= taken;
    node = next;
    index = 0;
  }
}

/** Takes some elements, not all, out of a plain node. */
function cutNode(list: usize, node: usize, index: u32, taken: u32): void {
  const lp = Node.listpack(node);
  const at = seekElement(lp, index, Node.count(node));
  const to = index + taken == Node.count(node) ? Listpack.end(lp) : skipElements(at, taken);
  assert(spliceNode(node, <u32>(at - lp), <u32>(to - at), 0, -(<i32>taken)) != 0);
  Quicklist.addCount(list, -(<i32>taken));
}

/** Takes one element out of a plain node, which goes with its last. */
export function removeElement(list: usize, node: usize, offset: u32, bytes: u32): void {
  if (Node.count(node) == 1) return removeNode(list, node);
  assert(spliceNode(node, offset, bytes, 0, -1) != 0);
  Quicklist.addCount(list, -1);
}

/** Takes the first or the last element out; the node at that end is plain. */
export function popQuicklist(list: usize, atFront: bool): void {
  const node = atFront ? Quicklist.head(list) : Quicklist.tail(list);
  const lp = Node.listpack(node);
  const end = Listpack.end(lp);
  const at = atFront ? lp + LISTPACK_HEAD : Listpack.previous(end);
  const bytes = <u32>((atFront ? Listpack.next(at) : end) - at);
  removeElement(list, node, <u32>(at - lp), bytes);
}

/**
 * Bytes the nodes of a list take.
 * @param samples so many nodes at least are looked at, and the rest taken to be like them; 0 = all
 */
export function listBytes(list: usize, samples: u32): f64 {
  let bytes: f64 = 0;
  let seen: u32 = 0;
  for (
    let node = Quicklist.head(list);
    node != 0 && (samples == 0 || seen < samples);
    node = Node.next(node)
  ) {
    bytes += Node.size(node);
    seen++;
  }
  return seen == 0 ? 0 : (bytes * <f64>Quicklist.nodes(list)) / <f64>seen;
}
