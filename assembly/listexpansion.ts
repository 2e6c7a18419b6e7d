// Packed nodes of lists that were read last, as they are when plain: whoever reads some elements of a node is likely to
// read the next ones too.
//
//   | node u32 | block u32 |      node 0 = none, and no block
//
// An expansion goes with its node: of lists that are deleted nothing is kept.
import { alloc, free, sizeOf } from "./heap";

const EXPANSIONS: u32 = 4;
const expansions: usize = memory.data(32);
let turn: u32 = 0;

/** The listpack of a packed node, good until three other nodes have been read; 0 = it is not expanded. */
export function expansionOf(node: usize): usize {
  for (let i: u32 = 0; i < EXPANSIONS; i++) {
    const expansion = expansions + (i << 3);
    if (load<u32>(expansion) != <u32>node) continue;
    // Whoever reads on from here still holds elements of it: it is the last whose turn comes.
    turn = (i + 1) & (EXPANSIONS - 1);
    return load<u32>(expansion, 4);
  }
  return 0;
}

/**
 * Notes that a packed node is expanded, in place of the node whose turn it is.
 * @returns where its listpack, of so many bytes, is to be written; 0 = no memory
 */
export function expansionFor(node: usize, bytes: u32): usize {
  const expansion = expansions + (turn << 3);
  let block: usize = load<u32>(expansion, 4);
  if (block == 0 || sizeOf(block) < bytes) {
    release(expansion);
    block = alloc(bytes);
    if (block == 0) return 0;
    store<u32>(expansion, <u32>block, 4);
  }
  store<u32>(expansion, <u32>node);
  turn = (turn + 1) & (EXPANSIONS - 1);
  return block;
}

/** Gives the expansion of a packed node back that is going, moving, or made plain. */
export function forgetExpansion(node: usize): void {
  for (let i: u32 = 0; i < EXPANSIONS; i++) {
    const expansion = expansions + (i << 3);
    if (load<u32>(expansion) == <u32>node) release(expansion);
  }
}

function release(expansion: usize): void {
  const block: usize = load<u32>(expansion, 4);
  store<u64>(expansion, 0);
  if (block != 0) free(block);
}
