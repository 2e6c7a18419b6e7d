// Putting an element beside another, inside a list: into its node while that takes one more, else into a neighbour,
// a new node, or one half of the node split in two, as Redis does it.
import { Place } from "./heap";
import { mayMerge, takesOne } from "./listlimit";
import { Node, appendToNode, createNode, prependToNode, spliceNode } from "./listnode";
import { readNode, unpackNode } from "./listpacking";
import { LISTPACK_EMPTY, Listpack } from "./listpack";
import { ELEMENT_OVERHEAD, elementSize, writeElement } from "./listpackelement";
import { Quicklist, linkNode, removeNode } from "./quicklist";

/**
 * Adds an element before or after the one at `offset` of a node's listpack, which is element `index` of the node.
 * @returns false = no memory, nothing changed that shows
 */
export function insertBeside(
  list: usize,
  node: usize,
  offset: u32,
  index: u32,
  ptr: usize,
  length: u32,
  after: bool,
): bool {
  if (!unpackNode(node)) return false;
  if (takesOne(Node.bytes(node), Node.count(node), length)) {
    const lp = Node.listpack(node);
    const at = after ? offset + <u32>(Listpack.next(lp + offset) - (lp + offset)) : offset;
    return put(list, node, at, ptr, length);
  }
  const isAtEnd = after ? index == Node.count(node) - 1 : index == 0;
  if (!isAtEnd) return split(list, node, offset, index, ptr, length, after);
  const neighbour = after ? Node.next(node) : Node.prev(node);
  if (neighbour != 0 && takesOne(Node.bytes(neighbour), Node.count(neighbour), length)) {
    if (!unpackNode(neighbour)) return false;
    return added(list, after ? prependToNode(neighbour, ptr, length) : appendToNode(neighbour, ptr, length));
  }
  const fresh = createNode(LISTPACK_EMPTY + length + ELEMENT_OVERHEAD, false);
  if (fresh == 0) return false;
  assert(appendToNode(fresh, ptr, length));
  linkNode(list, fresh, after ? Node.next(node) : node);
  return true;
}

function put(list: usize, node: usize, offset: u32, ptr: usize, length: u32): bool {
  const at = spliceNode(node, offset, 0, elementSize(ptr, length), 1);
  if (at != 0) writeElement(at, ptr, length);
  return added(list, at != 0);
}

function added(list: usize, done: bool): bool {
  if (done) Quicklist.addCount(list, 1);
  return done;
}

/** Splits a full node where the element goes, gives it to the new half, and joins what may be joined around. */
function split(
  list: usize,
  node: usize,
  offset: u32,
  index: u32,
  ptr: usize,
  length: u32,
  after: bool,
): bool {
  const lp = Node.listpack(node);
  const at = after ? Listpack.next(lp + offset) : lp + offset;
  const from = after ? at : Listpack.first(lp);
  const moved = <u32>((after ? Listpack.end(lp) : at) - from);
  const count = after ? Node.count(node) - index - 1 : index;
  const fresh = createNode(LISTPACK_EMPTY + moved + length + ELEMENT_OVERHEAD, false);
  if (fresh == 0) return false;
  // All of this fits the block just made, and what is taken out needs none.
  const size = elementSize(ptr, length);
  const to = spliceNode(fresh, LISTPACK_EMPTY - 1, 0, moved + size, <i32>count + 1);
  memory.copy(after ? to + size : to, from, moved);
  writeElement(after ? to : to + moved, ptr, length);
  assert(spliceNode(node, <u32>(from - lp), moved, 0, -(<i32>count)) != 0);
  Quicklist.addCount(list, -(<i32>count));
  linkNode(list, fresh, after ? Node.next(node) : node);
  mergeAround(list, node);
  return true;
}

/** Joins the nodes around one, two by two, where both fit one: the outer neighbours first, then itself with each. */
function mergeAround(list: usize, node: usize): void {
  const prev = Node.prev(node);
  if (prev != 0) merge(list, Node.prev(prev), prev);
  const next = Node.next(node);
  if (next != 0) merge(list, next, Node.next(next));
  const kept = merge(list, Node.prev(node), node);
  merge(list, kept, Node.next(kept));
}

/** Joins two neighbours if they may be; returns the node that has the elements of `right`. Without memory: no join. */
function merge(list: usize, left: usize, right: usize): Place {
  if (left == 0 || right == 0) return right;
  const count = Node.count(left) + Node.count(right);
  if (!mayMerge(Node.bytes(left), Node.bytes(right), count)) return right;
  if (!unpackNode(left)) return right;
  const lp = readNode(right);
  if (lp == 0) return right;
  const bytes = Listpack.bytes(lp) - LISTPACK_EMPTY;
  const more = Node.count(right);
  const at = spliceNode(left, Node.bytes(left) - 1, 0, bytes, <i32>more);
  if (at == 0) return right;
  memory.copy(at, Listpack.first(lp), bytes);
  Quicklist.addCount(list, <i32>more);
  removeNode(list, right);
  return left;
}
