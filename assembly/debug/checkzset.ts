// Sorted sets: pairs in order, and the tree with its counts and first cells.
import { compare } from "../bytes";
import { Item } from "../item";
import { Listpack } from "../listpack";
import { elementLength, elementPtr, readText } from "../listpackelement";
import { INNER_CHILDREN, Inner, LEAF_CELLS, Leaf, Tree } from "../scorenode";
import { Pack, comparePacked, packedScore } from "../zsetpack";
import { assertBlock } from "./checkheap";

/** A member's bytes while it is compared with the next, whose reading may overwrite an integer's digits. */
const BEFORE: usize = memory.data(32);

/** Checks that the pairs of a listpack are in order. */
export function checkSortedPairs(lp: usize): void {
  const end = Listpack.end(lp);
  for (let at = Listpack.first(lp), next = Pack.next(at); next < end; at = next, next = Pack.next(at)) {
    const score = packedScore(at);
    const following = packedScore(next);
    assert(score <= following, "a small sorted set is not in order of scores");
    if (score != following) continue;
    readText(at);
    let ptr = elementPtr;
    const length = elementLength;
    if (length <= 32) {
      memory.copy(BEFORE, ptr, length);
      ptr = BEFORE;
    }
    assert(comparePacked(next, ptr, length) > 0, "a small sorted set is not in order of members");
  }
}

let lastScore: f64 = 0;
let lastItem: usize = 0;
let lastLeaf: usize = 0;

/** Checks a tree of `count` cells. */
export function checkScores(tree: usize, count: u32): void {
  lastItem = 0;
  lastLeaf = 0;
  assert(checkNode(Tree.root(tree), Tree.height(tree)) == count, "the count of a tree is wrong");
  assert(Leaf.next(lastLeaf) == 0, "the last leaf has one behind it");
}

/** Checks a node and all below it, from left to right; returns how many cells that are. */
function checkNode(node: usize, level: u32): u32 {
  assertBlock(node);
  if (level == 0) return checkLeaf(node);
  const children = Inner.count(node);
  assert(children != 0 && children <= INNER_CHILDREN, "an inner node of too few or too many children");
  let sum: u32 = 0;
  for (let i: u32 = 0; i < children; i++) {
    let leaf = Inner.child(node, i);
    for (let left = level - 1; left > 0; left--) leaf = Inner.child(leaf, 0);
    assert(Inner.item(node, i) == Leaf.item(leaf, 0), "an inner node has another first item than its leaf");
    assert(
      Inner.score(node, i) == Leaf.score(leaf, 0),
      "an inner node has another first score than its leaf",
    );
    const cells = checkNode(Inner.child(node, i), level - 1);
    assert(cells == Inner.cells(node, i), "an inner node counts a child's cells otherwise");
    sum += cells;
  }
  return sum;
}

function checkLeaf(leaf: usize): u32 {
  const count = Leaf.count(leaf);
  assert(count != 0 && count <= LEAF_CELLS, "a leaf of too few or too many cells");
  assert(Leaf.previous(leaf) == lastLeaf, "a leaf does not lead back to the one before");
  lastLeaf = leaf;
  for (let i: u32 = 0; i < count; i++) {
    const item = Leaf.item(leaf, i);
    const score = Leaf.score(leaf, i);
    assertBlock(item);
    assert(score == Item.score(item), "a cell has another score than its item");
    assert(lastItem == 0 || isBefore(lastScore, lastItem, score, item), "a sorted set is not in order");
    lastScore = score;
    lastItem = item;
  }
  return count;
}

function isBefore(score: f64, item: usize, otherScore: f64, other: usize): bool {
  if (score != otherScore) return score < otherScore;
  return compare(Item.key(item), Item.keyLength(item), Item.key(other), Item.keyLength(other)) < 0;
}
