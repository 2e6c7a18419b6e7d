// Nodes as they are far from both ends of a list: compressed, and expanded again to be read or changed.
//
// Reading expands into blocks that are kept for a while: whoever reads some elements of a node is likely to read the
// next ones too. A node that is changed is made plain for good: whoever writes inside a list once does so again.
import { alloc, free, sizeOf } from "./heap";
import { BYTES, Node, PACKED, fitBlock, setBlock } from "./listnode";
import { Listpack } from "./listpack";
import { lzfCompress, lzfDecompress } from "./lzf";

/** Listpacks beyond these are not packed: too little to save, too long a pause. */
const PACK_LEAST: u32 = 64;
const PACK_MOST: u32 = 65536;
const PACKING: usize = memory.data(49152);

/** Compresses a plain node where that saves a quarter at least, and otherwise takes the gaps out of it. */
export function packNode(node: usize): void {
  const lp = Node.listpack(node);
  const bytes = Listpack.bytes(lp);
  const packed =
    bytes >= PACK_LEAST && bytes <= PACK_MOST ? lzfCompress(lp, bytes, PACKING, bytes - (bytes >> 2)) : 0;
  const block: usize = packed == 0 ? 0 : alloc(packed);
  if (block == 0) return fitBlock(node, bytes);
  memory.copy(block, PACKING, packed);
  free(Node.block(node));
  setBlock(node, block, 0);
  store<u32>(node, bytes, BYTES);
  store<u32>(node, packed, PACKED);
}

/** Makes a node plain; false = no memory, nothing changed. */
export function unpackNode(node: usize): bool {
  if (!Node.isPacked(node)) return true;
  const bytes = load<u32>(node, BYTES);
  const block = alloc(bytes);
  if (block == 0) return false;
  lzfDecompress(Node.block(node), Node.packedBytes(node), block, bytes);
  forgetExpansion(node);
  free(Node.block(node));
  setBlock(node, block, block);
  return true;
}

// --- Expansions: the nodes last read, as they are when plain ----------------------------------------------------
//   | node u32 | block u32 |      node 0 = none; the block stays for the next one

const EXPANSIONS: u32 = 4;
const expansions: usize = memory.data(32);
let turn: u32 = 0;

/** The listpack of a node for reading, good until three other nodes have been read; 0 = no memory. */
export function readNode(node: usize): usize {
  if (!Node.isPacked(node)) return Node.listpack(node);
  for (let i: u32 = 0; i < EXPANSIONS; i++) {
    const expansion = expansions + (i << 3);
    if (load<u32>(expansion) != <u32>node) continue;
    // Whoever reads on from here still holds elements of it: it is the last whose turn comes.
    turn = (i + 1) & (EXPANSIONS - 1);
    return load<u32>(expansion, 4);
  }
  return expand(node);
}

function expand(node: usize): usize {
  const expansion = expansions + (turn << 3);
  const bytes = load<u32>(node, BYTES);
  let block: usize = load<u32>(expansion, 4);
  store<u32>(expansion, 0);
  if (block == 0 || sizeOf(block) < bytes) {
    const fresh = alloc(bytes);
    if (fresh == 0) return 0;
    if (block != 0) free(block);
    block = fresh;
    store<u32>(expansion, <u32>block, 4);
  }
  lzfDecompress(Node.block(node), Node.packedBytes(node), block, bytes);
  store<u32>(expansion, <u32>node);
  turn = (turn + 1) & (EXPANSIONS - 1);
  return block;
}

/** Forgets a packed node that is going or made plain. */
export function forgetExpansion(node: usize): void {
  for (let i: u32 = 0; i < EXPANSIONS; i++) {
    const expansion = expansions + (i << 3);
    if (load<u32>(expansion) == <u32>node) store<u32>(expansion, 0);
  }
}
