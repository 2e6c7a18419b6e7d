// A leaf that has become half empty joins a neighbour when both fit one node with room left over; an inner node does the
// same. What has become empty goes.
import { free } from "./heap";
import { INNER_CHILDREN, Inner, LEAF_CELLS, Leaf, Tree } from "./scorenode";
import { Path, tellFirst } from "./scoresearch";

/** Joined nodes keep room for cells to come, or they would soon be split again. */
const JOINED_CELLS: u32 = LEAF_CELLS - 8;
const JOINED_CHILDREN: u32 = INNER_CHILDREN - 8;

/** Looks after a leaf at the end of the path from which a cell was taken. */
export function shrinkLeaf(tree: usize, leaf: usize): void {
  const height = Tree.height(tree);
  const count = Leaf.count(leaf);
  if (height == 0) {
    if (count != 0) return;
    free(leaf);
    return Tree.set(tree, 0, 0);
  }
  const parent = Path.node(height - 1);
  const index = Path.index(height - 1);
  if (count == 0) return dropLeaf(tree, leaf, height, index);
  if (index > 0 && Inner.cells(parent, index - 1) + count <= JOINED_CELLS) {
    joinLeaves(tree, height, index - 1);
  } else if (index + 1 < Inner.count(parent) && Inner.cells(parent, index + 1) + count <= JOINED_CELLS) {
    joinLeaves(tree, height, index);
  }
}

/** Joins leaf `index` of the lowest inner node with the one behind it. */
function joinLeaves(tree: usize, height: u32, index: u32): void {
  const parent = Path.node(height - 1);
  const left = Inner.child(parent, index);
  const right = Inner.child(parent, index + 1);
  const count = Leaf.count(left);
  Leaf.move(left, count, right, 0, Leaf.count(right));
  Leaf.setCount(left, count + Leaf.count(right));
  Inner.setCells(parent, index, Leaf.count(left));
  dropLeaf(tree, right, height, index + 1);
}

function dropLeaf(tree: usize, leaf: usize, height: u32, index: u32): void {
  const previous = Leaf.previous(leaf);
  const next = Leaf.next(leaf);
  if (previous != 0) Leaf.setNext(previous, next);
  if (next != 0) Leaf.setPrevious(next, previous);
  free(leaf);
  dropChild(tree, height, index);
}

/** Takes a child, which is gone, out of the inner node that ends the path's upper `levels`. */
function dropChild(tree: usize, levels: u32, index: u32): void {
  const node = Path.node(levels - 1);
  const count = Inner.count(node) - 1;
  Inner.move(node, index, node, index + 1, count - index);
  Inner.setCount(node, count);
  if (levels == 1) return shrinkRoot(tree);
  if (count == 0) {
    free(node);
    return dropChild(tree, levels - 1, Path.index(levels - 2));
  }
  if (index == 0) tellFirst(levels - 1, Inner.score(node, 0), Inner.item(node, 0));
  if (count > INNER_CHILDREN / 2) return;
  const above = Path.node(levels - 2);
  const at = Path.index(levels - 2);
  if (at > 0 && canJoin(above, at - 1)) joinInner(tree, levels - 1, at - 1);
  else if (at + 1 < Inner.count(above) && canJoin(above, at)) joinInner(tree, levels - 1, at);
}

function canJoin(above: usize, index: u32): bool {
  const left = Inner.child(above, index);
  const right = Inner.child(above, index + 1);
  return Inner.count(left) + Inner.count(right) <= JOINED_CHILDREN;
}

/** Joins child `index` of the inner node that ends the path's upper `levels` with the one behind it. */
function joinInner(tree: usize, levels: u32, index: u32): void {
  const above = Path.node(levels - 1);
  const left = Inner.child(above, index);
  const right = Inner.child(above, index + 1);
  const count = Inner.count(left);
  Inner.move(left, count, right, 0, Inner.count(right));
  Inner.setCount(left, count + Inner.count(right));
  Inner.setCells(above, index, Inner.cells(above, index) + Inner.cells(above, index + 1));
  free(right);
  dropChild(tree, levels, index + 1);
}

/** A root of one child is not needed; one of none means that the tree is empty. */
function shrinkRoot(tree: usize): void {
  let root = Tree.root(tree);
  let height = Tree.height(tree);
  while (height > 0 && Inner.count(root) <= 1) {
    const child: usize = Inner.count(root) == 0 ? 0 : Inner.child(root, 0);
    free(root);
    root = child;
    height = child == 0 ? 0 : height - 1;
  }
  Tree.set(tree, root, height);
}
