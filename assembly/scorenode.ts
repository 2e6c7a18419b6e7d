// The nodes of the tree that keeps a sorted set in order: see scoretree.ts.
//
//   tree record (8 bytes)  | root u32 | height u32 |                height = levels of inner nodes; root 0 = no cells
//
//   leaf (760 bytes)       | count u32 | previous u32 | next u32 | unused u32 | 62 scores f64 | 62 items u32 |
//   inner (1008 bytes)     | count u32 | unused u32 | 50 children u32 | 50 counts u32 | 50 scores f64 | 50 items u32 |
//
// A cell is a score and an item. An inner node knows of each child how many cells are below it, which makes ranks a
// sum over one path, and its first cell, which is what a search compares with. Scores and items stand in rows of their
// own, so a search by score reads nothing else.
import { alloc } from "./heap";

export const LEAF_CELLS: u32 = 62;
const LEAF_BYTES: u32 = 760;
const SCORES: usize = 16;
const ITEMS: usize = 512;

export const INNER_CHILDREN: u32 = 50;
const INNER_BYTES: u32 = 1008;
const CHILDREN: usize = 8;
const COUNTS: usize = 208;
const FIRST_SCORES: usize = 408;
const FIRST_ITEMS: usize = 808;

/** Bytes of a tree's record. */
export const TREE_RECORD: u32 = 8;

export abstract class Tree {
  @inline static root(tree: usize): usize {
    return load<u32>(tree);
  }
  @inline static height(tree: usize): u32 {
    return load<u32>(tree, 4);
  }
  @inline static set(tree: usize, root: usize, height: u32): void {
    store<u32>(tree, <u32>root);
    store<u32>(tree, height, 4);
  }
}

export abstract class Leaf {
  @inline static count(leaf: usize): u32 {
    return load<u32>(leaf);
  }
  @inline static setCount(leaf: usize, count: u32): void {
    store<u32>(leaf, count);
  }
  @inline static previous(leaf: usize): usize {
    return load<u32>(leaf, 4);
  }
  @inline static setPrevious(leaf: usize, to: usize): void {
    store<u32>(leaf, <u32>to, 4);
  }
  @inline static next(leaf: usize): usize {
    return load<u32>(leaf, 8);
  }
  @inline static setNext(leaf: usize, to: usize): void {
    store<u32>(leaf, <u32>to, 8);
  }
  @inline static score(leaf: usize, index: u32): f64 {
    return load<f64>(leaf + (index << 3), SCORES);
  }
  @inline static item(leaf: usize, index: u32): usize {
    return load<u32>(leaf + (index << 2), ITEMS);
  }
  @inline static put(leaf: usize, index: u32, score: f64, item: usize): void {
    store<f64>(leaf + (index << 3), score, SCORES);
    store<u32>(leaf + (index << 2), <u32>item, ITEMS);
  }
  /** Copies `count` cells to a leaf from another, or within one. */
  @inline static move(to: usize, at: u32, from: usize, first: u32, count: u32): void {
    memory.copy(to + SCORES + (at << 3), from + SCORES + (first << 3), count << 3);
    memory.copy(to + ITEMS + (at << 2), from + ITEMS + (first << 2), count << 2);
  }
}

export abstract class Inner {
  @inline static count(node: usize): u32 {
    return load<u32>(node);
  }
  @inline static setCount(node: usize, count: u32): void {
    store<u32>(node, count);
  }
  @inline static child(node: usize, index: u32): usize {
    return load<u32>(node + (index << 2), CHILDREN);
  }
  /** Cells below a child. */
  @inline static cells(node: usize, index: u32): u32 {
    return load<u32>(node + (index << 2), COUNTS);
  }
  @inline static setCells(node: usize, index: u32, count: u32): void {
    store<u32>(node + (index << 2), count, COUNTS);
  }
  /** The first cell below a child. */
  @inline static score(node: usize, index: u32): f64 {
    return load<f64>(node + (index << 3), FIRST_SCORES);
  }
  @inline static item(node: usize, index: u32): usize {
    return load<u32>(node + (index << 2), FIRST_ITEMS);
  }
  @inline static setFirst(node: usize, index: u32, score: f64, item: usize): void {
    store<f64>(node + (index << 3), score, FIRST_SCORES);
    store<u32>(node + (index << 2), <u32>item, FIRST_ITEMS);
  }
  @inline static setChild(node: usize, index: u32, child: usize): void {
    store<u32>(node + (index << 2), <u32>child, CHILDREN);
  }
  @inline static move(to: usize, at: u32, from: usize, first: u32, count: u32): void {
    memory.copy(to + CHILDREN + (at << 2), from + CHILDREN + (first << 2), count << 2);
    memory.copy(to + COUNTS + (at << 2), from + COUNTS + (first << 2), count << 2);
    memory.copy(to + FIRST_SCORES + (at << 3), from + FIRST_SCORES + (first << 3), count << 3);
    memory.copy(to + FIRST_ITEMS + (at << 2), from + FIRST_ITEMS + (first << 2), count << 2);
  }
}

/** A leaf without cells or neighbours; 0 = no memory. */
export function createLeaf(): usize {
  const leaf = alloc(LEAF_BYTES);
  if (leaf != 0) memory.fill(leaf, 0, SCORES);
  return leaf;
}

/** An inner node without children; 0 = no memory. */
export function createInner(): usize {
  const node = alloc(INNER_BYTES);
  if (node != 0) Inner.setCount(node, 0);
  return node;
}

/** All cells below an inner node. */
export function cellsBelow(node: usize): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < Inner.count(node); i++) sum += Inner.cells(node, i);
  return sum;
}
