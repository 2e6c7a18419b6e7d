// Finding places in the tree of a sorted set (scoretree.ts): by score, by score and member, by member alone, by rank.
//
// A bound divides the cells: those before it and the rest. A search leaves the place of the first that is not before
// it, and the path that led there, from which the rank follows and along which a change is carried up.
//
//   path entry: | inner node u32 | index of the child taken u32 |      level 0 = the root
import { compare } from "./bytes";
import { Item } from "./item";
import { Inner, Leaf, Tree } from "./scorenode";

/** A tree of 2^32 cells is a few levels high even where its nodes are nearly empty. */
const PATH: usize = memory.data(256);

/** Where the last search ended: a leaf (0 = the tree has none) and an index in it, which may be its count. */
export let foundLeaf: usize = 0;
export let foundCell: u32 = 0;

const BY_SCORE: u32 = 0;
const BY_SCORE_AND_MEMBER: u32 = 1;
const BY_MEMBER: u32 = 2;

let kind: u32 = 0;
let boundScore: f64 = 0;
let boundPtr: usize = 0;
let boundLength: u32 = 0;
/** Whether what equals the bound lies before it. */
let takesEqual: bool = false;

export abstract class Path {
  @inline static node(level: u32): usize {
    return load<u32>(PATH + (level << 3));
  }
  @inline static index(level: u32): u32 {
    return load<u32>(PATH + (level << 3), 4);
  }
  @inline static set(level: u32, node: usize, index: u32): void {
    store<u32>(PATH + (level << 3), <u32>node);
    store<u32>(PATH + (level << 3), index, 4);
  }
}

function isBefore(score: f64, item: usize): bool {
  if (kind != BY_MEMBER && score != boundScore) return score < boundScore;
  if (kind == BY_SCORE) return takesEqual;
  const order = compare(Item.key(item), Item.keyLength(item), boundPtr, boundLength);
  return order < 0 || (order == 0 && takesEqual);
}

/**
 * Finds the first cell with at least this score, or with more than it.
 * @returns how many cells lie before it
 */
export function searchScore(tree: usize, score: f64, isPast: bool): u32 {
  kind = BY_SCORE;
  boundScore = score;
  takesEqual = isPast;
  return search(tree);
}

/** As `searchScore`, for the place of a member among those of its score; `isPast`: behind the member itself. */
export function searchMember(tree: usize, score: f64, ptr: usize, length: u32, isPast: bool): u32 {
  kind = BY_SCORE_AND_MEMBER;
  boundScore = score;
  boundPtr = ptr;
  boundLength = length;
  takesEqual = isPast;
  return search(tree);
}

/** As `searchScore`, by member alone: for sets whose scores are all the same. */
export function searchLex(tree: usize, ptr: usize, length: u32, isPast: bool): u32 {
  kind = BY_MEMBER;
  boundPtr = ptr;
  boundLength = length;
  takesEqual = isPast;
  return search(tree);
}

function search(tree: usize): u32 {
  const height = Tree.height(tree);
  let node = Tree.root(tree);
  let rank: u32 = 0;
  foundLeaf = node;
  foundCell = 0;
  if (node == 0) return 0;
  for (let level: u32 = 0; level < height; level++) {
    // The last child whose first cell is before the bound; what is before all of them goes to the first.
    let low: u32 = 0;
    let high = Inner.count(node) - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (isBefore(Inner.score(node, middle), Inner.item(node, middle))) low = middle;
      else high = middle - 1;
    }
    Path.set(level, node, low);
    rank += cellsBefore(node, low);
    node = Inner.child(node, low);
  }
  let low: u32 = 0;
  let high = Leaf.count(node);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(Leaf.score(node, middle), Leaf.item(node, middle))) low = middle + 1;
    else high = middle;
  }
  foundLeaf = node;
  foundCell = low;
  return rank + low;
}

/** Cells below the first `count` children. */
function cellsBefore(node: usize, count: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) sum += Inner.cells(node, i);
  return sum;
}

/** Finds the cell of a rank, which is below the count of cells. */
export function seekRank(tree: usize, rank: u32): void {
  const height = Tree.height(tree);
  let node = Tree.root(tree);
  let rest = rank;
  for (let level: u32 = 0; level < height; level++) {
    let index: u32 = 0;
    for (; rest >= Inner.cells(node, index); index++) rest -= Inner.cells(node, index);
    Path.set(level, node, index);
    node = Inner.child(node, index);
  }
  foundLeaf = node;
  foundCell = rest;
}

/** n cells more (or fewer) below the path's upper `levels`. */
export function countAlong(levels: u32, n: i32): void {
  for (let level: u32 = 0; level < levels; level++) {
    const node = Path.node(level);
    const index = Path.index(level);
    Inner.setCells(node, index, Inner.cells(node, index) + n);
  }
}

/** What leads down the path's upper `levels` begins with another cell now. */
export function tellFirst(levels: u32, score: f64, item: usize): void {
  for (let level = levels; level > 0;) {
    level--;
    const index = Path.index(level);
    Inner.setFirst(Path.node(level), index, score, item);
    if (index != 0) return;
  }
}
