// A full leaf takes one more cell. It shares with a neighbour while that has room; two that are full become three. So
// leaves are about four fifths full when cells come in any order, and full when they come in order: a cell at either
// end of the whole tree begins a leaf of its own.
import { free } from "./heap";
import {
  INNER_CHILDREN,
  Inner,
  LEAF_CELLS,
  Leaf,
  Tree,
  cellsBelow,
  createInner,
  createLeaf,
} from "./scorenode";
import { Path, countAlong, foundCell, foundLeaf, tellFirst } from "./scoresearch";

/** Two leaves with more cells are not worth sharing out: they would soon be full again. */
const SHARED: u32 = 2 * LEAF_CELLS - 8;
/** The cells of two leaves and the new one, as a leaf of its own has them: scores here, items in the other. */
const SCORES: usize = memory.data(1000);
const ITEMS: usize = memory.data(500);
/** Nodes made ahead, chained by their first word, because nothing may change when one is missing. */
let spareNodes: usize = 0;

/** Adds a cell where the last search ended, in a full leaf. False = no memory, nothing changed. */
export function growLeaf(tree: usize, score: f64, item: usize): bool {
  const leaf = foundLeaf;
  const height = Tree.height(tree);
  const isLast = foundCell == LEAF_CELLS && Leaf.next(leaf) == 0;
  if (isLast || (foundCell == 0 && Leaf.previous(leaf) == 0)) return addAtEnd(tree, isLast, score, item);
  if (height == 0) return spread(tree, 0, leaf, 0, score, item);
  const parent = Path.node(height - 1);
  const index = Path.index(height - 1);
  const before = index == 0 ? u32.MAX_VALUE : Inner.cells(parent, index - 1);
  const after = index + 1 == Inner.count(parent) ? u32.MAX_VALUE : Inner.cells(parent, index + 1);
  if (before == u32.MAX_VALUE && after == u32.MAX_VALUE) return spread(tree, index, leaf, 0, score, item);
  const first = before <= after ? index - 1 : index;
  return spread(tree, first, Inner.child(parent, first), Inner.child(parent, first + 1), score, item);
}

function addAtEnd(tree: usize, isLast: bool, score: f64, item: usize): bool {
  const height = Tree.height(tree);
  const leaf = createLeaf();
  if (leaf == 0) return false;
  if (!makeSpares(height)) {
    free(leaf);
    return false;
  }
  Leaf.put(leaf, 0, score, item);
  Leaf.setCount(leaf, 1);
  linkAfter(leaf, isLast ? foundLeaf : 0, isLast ? 0 : foundLeaf);
  const index = height == 0 ? 0 : Path.index(height - 1);
  if (!isLast && height > 0) tellFirst(height - 1, score, item);
  if (height > 0) countAlong(height - 1, 1);
  addChild(tree, height, isLast ? index + 1 : index, leaf, 1, score, item);
  return true;
}

/**
 * Shares the cells of a leaf, or of two neighbours, and the new one out over those and, if they are too full, a further.
 * @param first index of `left` in its parent
 * @param right 0 = `left` has no neighbour
 */
function spread(tree: usize, first: u32, left: usize, right: usize, score: f64, item: usize): bool {
  const height = Tree.height(tree);
  const leftCount = Leaf.count(left);
  const total = leftCount + (right == 0 ? 0 : Leaf.count(right)) + 1;
  let fresh: usize = 0;
  if (right == 0 || total > SHARED) {
    fresh = createLeaf();
    if (fresh == 0) return false;
    if (!makeSpares(height)) {
      free(fresh);
      return false;
    }
  }
  gather(left, right, score, item);
  const last = right == 0 ? left : right;
  if (fresh != 0) linkAfter(fresh, last, Leaf.next(last));
  if (height > 0) countAlong(height - 1, 1);
  const leaves: u32 = 1 + u32(right != 0) + u32(fresh != 0);
  let from: u32 = 0;
  for (let i: u32 = 0; i < leaves; i++) {
    const leaf = i == 0 ? left : i == 1 && right != 0 ? right : fresh;
    const count = (total - from) / (leaves - i);
    fillLeaf(leaf, from, count);
    from += count;
    // A fresh leaf comes last: its parent learns of it below.
    if (leaf != fresh && height > 0) describe(Path.node(height - 1), first + i, leaf);
  }
  if (first == 0 && height > 0) tellFirst(height - 1, Leaf.score(left, 0), Leaf.item(left, 0));
  if (fresh == 0) return true;
  addChild(
    tree,
    height,
    first + leaves - 1,
    fresh,
    Leaf.count(fresh),
    Leaf.score(fresh, 0),
    Leaf.item(fresh, 0),
  );
  return true;
}

/** What an inner node says of a child that is a leaf. */
function describe(parent: usize, index: u32, leaf: usize): void {
  Inner.setCells(parent, index, Leaf.count(leaf));
  Inner.setFirst(parent, index, Leaf.score(leaf, 0), Leaf.item(leaf, 0));
}

function gather(left: usize, right: usize, score: f64, item: usize): void {
  let count: u32 = 0;
  for (let leaf = left; leaf != 0; leaf = leaf == left ? right : 0) {
    for (let i: u32 = 0; i <= Leaf.count(leaf); i++) {
      if (leaf == foundLeaf && i == foundCell) putGathered(count++, score, item);
      if (i < Leaf.count(leaf)) putGathered(count++, Leaf.score(leaf, i), Leaf.item(leaf, i));
    }
  }
}

function putGathered(index: u32, score: f64, item: usize): void {
  store<f64>(SCORES + (index << 3), score);
  store<u32>(ITEMS + (index << 2), <u32>item);
}

function fillLeaf(leaf: usize, from: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    Leaf.put(leaf, i, load<f64>(SCORES + ((from + i) << 3)), load<u32>(ITEMS + ((from + i) << 2)));
  }
  Leaf.setCount(leaf, count);
}

function linkAfter(leaf: usize, previous: usize, next: usize): void {
  Leaf.setPrevious(leaf, previous);
  Leaf.setNext(leaf, next);
  if (previous != 0) Leaf.setNext(previous, leaf);
  if (next != 0) Leaf.setPrevious(next, leaf);
}

/** Makes a node for each inner one that a new leaf would split, and for a new root if it comes to that. */
function makeSpares(height: u32): bool {
  let level = height;
  while (level > 0 && Inner.count(Path.node(level - 1)) == INNER_CHILDREN) level--;
  for (let count = height - level + u32(level == 0); count > 0; count--) {
    const node = createInner();
    if (node == 0) {
      while (spareNodes != 0) free(takeSpare());
      return false;
    }
    store<u32>(node, <u32>spareNodes);
    spareNodes = node;
  }
  return true;
}

function takeSpare(): usize {
  const node = spareNodes;
  spareNodes = load<u32>(node);
  store<u32>(node, 0);
  return node;
}

/**
 * Puts a child in the inner node that ends the path's upper `levels`, which splits when it is full.
 * What the levels above say of their cells includes the child's already.
 */
function addChild(
  tree: usize,
  levels: u32,
  index: u32,
  child: usize,
  cells: u32,
  score: f64,
  item: usize,
): void {
  if (levels == 0) return addRoot(tree, index, child, cells, score, item);
  const node = Path.node(levels - 1);
  if (Inner.count(node) < INNER_CHILDREN) return putChild(node, index, child, cells, score, item);
  const right = takeSpare();
  // Children that come in order leave full nodes behind.
  const kept = index == INNER_CHILDREN ? INNER_CHILDREN : INNER_CHILDREN / 2;
  Inner.move(right, 0, node, kept, INNER_CHILDREN - kept);
  Inner.setCount(right, INNER_CHILDREN - kept);
  Inner.setCount(node, kept);
  if (index < kept) putChild(node, index, child, cells, score, item);
  else putChild(right, index - kept, child, cells, score, item);
  const below = cellsBelow(right);
  if (levels > 1) {
    const above = Path.node(levels - 2);
    const at = Path.index(levels - 2);
    Inner.setCells(above, at, Inner.cells(above, at) - below);
  }
  const at = levels > 1 ? Path.index(levels - 2) + 1 : 1;
  addChild(tree, levels - 1, at, right, below, Inner.score(right, 0), Inner.item(right, 0));
}

function putChild(node: usize, index: u32, child: usize, cells: u32, score: f64, item: usize): void {
  const count = Inner.count(node);
  Inner.move(node, index + 1, node, index, count - index);
  Inner.setChild(node, index, child);
  Inner.setCells(node, index, cells);
  Inner.setFirst(node, index, score, item);
  Inner.setCount(node, count + 1);
}

/** A new root over the old one and a child before or behind it. */
function addRoot(tree: usize, index: u32, child: usize, cells: u32, score: f64, item: usize): void {
  const old = Tree.root(tree);
  const height = Tree.height(tree);
  const root = takeSpare();
  if (height == 0) putChild(root, 0, old, Leaf.count(old), Leaf.score(old, 0), Leaf.item(old, 0));
  else putChild(root, 0, old, cellsBelow(old), Inner.score(old, 0), Inner.item(old, 0));
  putChild(root, index, child, cells, score, item);
  Tree.set(tree, root, height + 1);
}
