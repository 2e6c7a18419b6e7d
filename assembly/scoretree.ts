// The order of a big sorted set: a B+tree of (score, item) cells, by score and then by the member's bytes.
//
// Why a B+tree and no skiplist: a cell takes 12 bytes and its share of a node, where a skiplist's node takes some 40 of
// pointers; and a walk over a range reads one line after the other. scorenode.ts has the layout, scoresearch.ts finds
// places, scoregrow.ts and scoreshrink.ts keep nodes from being too full or too empty.
//
// An item's member must not change, nor its place in memory, while a cell points to it.
import { Item } from "./item";
import { growLeaf } from "./scoregrow";
import { Inner, LEAF_CELLS, Leaf, Tree, createLeaf } from "./scorenode";
import { countAlong, foundCell, foundLeaf, searchMember, seekRank, tellFirst } from "./scoresearch";
import { shrinkLeaf } from "./scoreshrink";
import { free, sizeOf } from "./heap";

/** Makes the 8 bytes at `tree` the record of a tree without cells. */
export function initTree(tree: usize): void {
  Tree.set(tree, 0, 0);
}

/** Adds a cell for an item that has none with this score. False = no memory, nothing changed. */
export function insertCell(tree: usize, score: f64, item: usize): bool {
  searchMember(tree, score, Item.key(item), Item.keyLength(item), true);
  if (foundLeaf == 0) {
    const leaf = createLeaf();
    if (leaf == 0) return false;
    Tree.set(tree, leaf, 0);
    Leaf.put(leaf, 0, score, item);
    Leaf.setCount(leaf, 1);
    return true;
  }
  const count = Leaf.count(foundLeaf);
  if (count == LEAF_CELLS) return growLeaf(tree, score, item);
  Leaf.move(foundLeaf, foundCell + 1, foundLeaf, foundCell, count - foundCell);
  Leaf.put(foundLeaf, foundCell, score, item);
  Leaf.setCount(foundLeaf, count + 1);
  const height = Tree.height(tree);
  countAlong(height, 1);
  if (foundCell == 0) tellFirst(height, score, item);
  return true;
}

/** Takes the cell of an item out. */
export function removeCell(tree: usize, score: f64, item: usize): void {
  searchMember(tree, score, Item.key(item), Item.keyLength(item), true);
  removeAtPath(tree, foundLeaf, foundCell - 1);
}

/** Takes the cell of a rank out; returns its item. */
export function removeRank(tree: usize, rank: u32): usize {
  seekRank(tree, rank);
  const item = Leaf.item(foundLeaf, foundCell);
  removeAtPath(tree, foundLeaf, foundCell);
  return item;
}

/** Gives an item's cell another score. False = no memory, nothing changed. */
export function moveCell(tree: usize, from: f64, to: f64, item: usize): bool {
  searchMember(tree, from, Item.key(item), Item.keyLength(item), true);
  const leaf = foundLeaf;
  const index = foundCell - 1;
  const staysBehind = index > 0 && Leaf.score(leaf, index - 1) < to;
  const staysBefore = index + 1 < Leaf.count(leaf) && to < Leaf.score(leaf, index + 1);
  if (staysBehind && staysBefore) {
    Leaf.put(leaf, index, to, item);
    return true;
  }
  if (!insertCell(tree, to, item)) return false;
  removeCell(tree, from, item);
  return true;
}

function removeAtPath(tree: usize, leaf: usize, index: u32): void {
  const height = Tree.height(tree);
  const count = Leaf.count(leaf) - 1;
  Leaf.move(leaf, index, leaf, index + 1, count - index);
  Leaf.setCount(leaf, count);
  countAlong(height, -1);
  if (count != 0 && index == 0) tellFirst(height, Leaf.score(leaf, 0), Leaf.item(leaf, 0));
  if (count <= LEAF_CELLS / 2) shrinkLeaf(tree, leaf);
}

/**
 * Frees about `budget` nodes, not the items; false = there are more. Nothing else may be done with the tree meanwhile.
 */
export function releaseTree(tree: usize, budget: u32): bool {
  let left = budget;
  while (Tree.root(tree) != 0 && left > 0) {
    left--;
    releaseLast(tree);
  }
  return Tree.root(tree) == 0;
}

/** Frees the last node without children. */
function releaseLast(tree: usize): void {
  let above: usize = 0;
  let node = Tree.root(tree);
  for (let level: u32 = 0; level < Tree.height(tree); level++) {
    const count = Inner.count(node);
    if (count == 0) break;
    above = node;
    node = Inner.child(node, count - 1);
  }
  free(node);
  if (above == 0) Tree.set(tree, 0, 0);
  else Inner.setCount(above, Inner.count(above) - 1);
}

/** Bytes the nodes of a tree take. */
export function treeBytes(tree: usize): f64 {
  return Tree.root(tree) == 0 ? 0 : bytesFrom(Tree.root(tree), Tree.height(tree));
}

/** Bytes of a node and all below it; `level` = levels of inner nodes from it on. */
function bytesFrom(node: usize, level: u32): f64 {
  let bytes = <f64>sizeOf(node);
  if (level == 0) return bytes;
  const count = Inner.count(node);
  if (level == 1) return bytes + <f64>count * sizeOf(Inner.child(node, 0));
  for (let i: u32 = 0; i < count; i++) bytes += bytesFrom(Inner.child(node, i), level - 1);
  return bytes;
}
