// Quicklists: the chain of nodes both ways, each node's block, gaps and listpack, packed ones as they are when expanded.
import { LISTPACK_EMPTY, Listpack } from "../listpack";
import { Node } from "../listnode";
import { lzfDecompress } from "../lzf";
import { Quicklist } from "../quicklist";
import { sizeOf } from "../heap";
import { assertBlock } from "./checkheap";
import { checkListpack } from "./checklistpack";

/** The longest listpack that is packed. */
const PACKED_MOST: u32 = 65536;
const EXPANDED: usize = memory.data(65536);

export function checkQuicklist(list: usize): void {
  let elements: u32 = 0;
  let nodes: u32 = 0;
  let before: usize = 0;
  for (let node = Quicklist.head(list); node != 0; node = Node.next(node)) {
    assertBlock(node);
    assertBlock(Node.block(node));
    assert(Node.prev(node) == before, "a node does not lead back to the one before");
    assert(Node.count(node) != 0, "a node without elements");
    assert(checkNode(node) == Node.count(node), "the count of a node is wrong");
    elements += Node.count(node);
    nodes++;
    before = node;
  }
  assert(Quicklist.tail(list) == before, "the last node of a list is not its tail");
  assert(Quicklist.nodes(list) == nodes, "the count of a list's nodes is wrong");
  assert(Quicklist.count(list) == elements && elements != 0, "the count of a list is wrong");
}

/** Checks a node's listpack; returns how many elements it has. */
function checkNode(node: usize): u32 {
  const block = Node.block(node);
  const bytes = Node.bytes(node);
  if (!Node.isPacked(node)) {
    const lp = Node.listpack(node);
    assert(lp >= block && lp + bytes <= block + sizeOf(block), "a listpack goes beyond its block");
    const word = Listpack.countWord(lp);
    assert(word == min<u32>(Node.count(node), 65535), "a listpack counts otherwise than its node");
    return checkListpack(lp, sizeOf(block) - Node.gapBefore(node));
  }
  const packed = Node.packedBytes(node);
  assert(bytes >= LISTPACK_EMPTY && bytes <= PACKED_MOST && packed <= sizeOf(block), "a packed node's sizes");
  assert(lzfDecompress(block, packed, EXPANDED, bytes), "a packed node does not expand");
  return checkListpack(EXPANDED, bytes);
}
