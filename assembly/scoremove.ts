// Moving the nodes of a tree, and the items its cells point to, to other places in memory: see scoretree.ts.
import { Item } from "./item";
import { relocate } from "./heapsparse";
import { Inner, Leaf, Tree } from "./scorenode";
import { foundCell, foundLeaf, searchMember, tellFirst } from "./scoresearch";

/** The item of a cell stands elsewhere now, `item`, with the same member and score. */
export function movedItem(tree: usize, item: usize): void {
  const score = Item.score(item);
  searchMember(tree, score, Item.key(item), Item.keyLength(item), true);
  Leaf.put(foundLeaf, foundCell - 1, score, item);
  if (foundCell == 1) tellFirst(Tree.height(tree), score, item);
}

/**
 * Moves the leaf that holds the cell of a rank, and the nodes above it, away from slabs that are to be emptied.
 * @returns the rank of the next leaf's first cell
 */
export function relocatePath(tree: usize, rank: u32): u32 {
  const root = relocate(Tree.root(tree));
  Tree.set(tree, root, Tree.height(tree));
  let node = root;
  let rest = rank;
  for (let level: u32 = 0; level < Tree.height(tree); level++) {
    let index: u32 = 0;
    for (; index + 1 < Inner.count(node) && rest >= Inner.cells(node, index); index++)
      rest -= Inner.cells(node, index);
    const child = relocate(Inner.child(node, index));
    Inner.setChild(node, index, child);
    node = child;
  }
  const previous = Leaf.previous(node);
  const next = Leaf.next(node);
  if (previous != 0) Leaf.setNext(previous, node);
  if (next != 0) Leaf.setPrevious(next, node);
  return rank - rest + Leaf.count(node);
}
