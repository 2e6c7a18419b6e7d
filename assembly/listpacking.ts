// Nodes as they are far from both ends of a list: compressed, and expanded again to be read or changed.
//
// Reading expands into blocks that are kept for a while (listexpansion.ts). A node that is changed is made plain for
// good: whoever writes inside a list once does so again.
import { alloc, free } from "./heap";
import { expansionFor, expansionOf, forgetExpansion } from "./listexpansion";
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
  assert(lzfDecompress(Node.block(node), Node.packedBytes(node), block, bytes));
  forgetExpansion(node);
  free(Node.block(node));
  setBlock(node, block, block);
  return true;
}

/** The listpack of a node for reading, good until three other nodes have been read; 0 = no memory. */
export function readNode(node: usize): usize {
  if (!Node.isPacked(node)) return Node.listpack(node);
  const expansion = expansionOf(node);
  return expansion != 0 ? expansion : expand(node);
}

function expand(node: usize): usize {
  const bytes = load<u32>(node, BYTES);
  const block = expansionFor(node, bytes);
  if (block != 0) assert(lzfDecompress(Node.block(node), Node.packedBytes(node), block, bytes));
  return block;
}
