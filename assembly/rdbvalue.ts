// Values written in their RDB form, big ones in pieces: as redis-server writes them, so that it takes them as its own and
// small ones come out byte for byte alike.
//
//   listpack, intset    one string: the value's own bytes
//   list                a count of nodes, each a listpack or a single element
//   set, hash           a count, then each member, each field with its value
//   sorted set          a count, then each member with its score, the highest first: it is fastest read in this order
import {
  ENCODING_HASHTABLE,
  ENCODING_INT,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_QUICKLIST,
  ENCODING_SKIPLIST,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
} from "./abi";
import { BUCKET_ENTRIES, Bucket, bucketAt } from "./bucket";
import { Cell } from "./chain";
import { Entry } from "./entry";
import { Node, nodesGone } from "./listnode";
import { readNode } from "./listpacking";
import { Quicklist } from "./quicklist";
import { Item } from "./item";
import { countMembers } from "./members";
import { Walk } from "./memberwalk";
import {
  RDB_NODE_PACKED,
  RDB_TYPE_HASH,
  RDB_TYPE_HASH_LISTPACK,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_SET,
  RDB_TYPE_SET_INTSET,
  RDB_TYPE_STRING,
  RDB_TYPE_ZSET_2,
  RDB_TYPE_ZSET_LISTPACK,
} from "./rdbformat";
import { LongText, writeText } from "./rdbtext";
import { Leaf } from "./scorenode";
import { foundCell, foundLeaf, seekRank } from "./scoresearch";
import { TABLE_RECORD } from "./tablerecord";
import { Out, compresses, reserve, writeCompressed, writeInteger, writeLength } from "./rdbwrite";

/** The value whose elements are being written, and the next of them; 0 = there is none. */
let value: usize = 0;
let type: u32 = 0;
let place: u64 = 0;
/** Of the element at hand, something is written: the form of a node, the field before its value. */
let isInside: bool = false;
/** Of a sorted set: how many members are left, the leaf at hand and how many of its cells. */
let left: u32 = 0;
let leaf: usize = 0;
let cell: u32 = 0;
/** Of a list: the next node, and how many are before it. */
let node: usize = 0;
let nodeIndex: u32 = 0;
/** Of a value that is one string: it is not wholly written. */
let hasBlob: bool = false;
let blobLength: u32 = 0;

/** The type of an entry's value in the file. */
export function rdbTypeOf(entry: usize): u32 {
  const encoding = Entry.encoding(entry);
  switch (Entry.type(entry)) {
    case TYPE_STRING:
      return RDB_TYPE_STRING;
    case TYPE_LIST:
      return RDB_TYPE_LIST_QUICKLIST_2;
    case TYPE_SET:
      return encoding == ENCODING_INTSET ? RDB_TYPE_SET_INTSET : RDB_TYPE_SET;
    case TYPE_HASH:
      return encoding == ENCODING_LISTPACK ? RDB_TYPE_HASH_LISTPACK : RDB_TYPE_HASH;
    default:
      return encoding == ENCODING_LISTPACK ? RDB_TYPE_ZSET_LISTPACK : RDB_TYPE_ZSET_2;
  }
}

/** Writes a value, or its beginning: `writeMore` follows while `isWriting`. False = no memory. */
export function writeValue(entry: usize): bool {
  value = Entry.value(entry);
  type = Entry.type(entry);
  endWriting();
  const encoding = Entry.encoding(entry);
  if (encoding == ENCODING_INT) return writeInteger(Entry.integer(entry));
  if (encoding == ENCODING_HASHTABLE) {
    place = Walk.first(value);
    return writeCount(countMembers(value));
  }
  if (encoding == ENCODING_SKIPLIST) {
    const count = countMembers(value);
    if (count > 0) seekRank(value + TABLE_RECORD, count - 1);
    leaf = foundLeaf;
    left = count;
    cell = foundCell + 1;
    return writeCount(count);
  }
  if (encoding == ENCODING_QUICKLIST) {
    node = Quicklist.head(value);
    nodeIndex = 0;
    return writeCount(Quicklist.nodes(value));
  }
  if (type == TYPE_LIST && !writeNodeHead()) return false;
  blobLength = Entry.valueLength(entry);
  return writeBlob(0);
}

function writeBlob(enough: u32): bool {
  const isWritten = writeText(value, blobLength, enough);
  hasBlob = LongText.isOpen();
  return isWritten;
}

/** A list of one node. */
function writeNodeHead(): bool {
  if (!reserve(2)) return false;
  Out.byte(1);
  Out.byte(RDB_NODE_PACKED);
  return true;
}

function writeCount(count: u32): bool {
  if (!reserve(8)) return false;
  writeLength(count);
  return true;
}

/** Whether elements of the value begun last are still to be written. */
export function isWriting(): bool {
  return place != 0 || left != 0 || node != 0 || hasBlob;
}

/** Writes elements until all are or `enough` bytes stand in the block, or part of a long string; false = no memory. */
export function writeMore(enough: u32): bool {
  if (hasBlob) return writeBlob(enough);
  if (type == TYPE_ZSET) return writeScored(enough);
  if (type == TYPE_LIST) return writeNodes(enough);
  while (place != 0 && Out.length() < enough) {
    const item = Walk.item(place);
    if (!isInside) {
      if (!writeText(Item.key(item), Item.keyLength(item), enough)) return false;
      if (LongText.isOpen()) return true;
    }
    if (type == TYPE_HASH) {
      isInside = true;
      if (!writeText(Item.value(item), Item.valueLength(item), enough)) return false;
      if (LongText.isOpen()) return true;
    }
    isInside = false;
    place = Walk.next(value, place);
  }
  return true;
}

/** Members with their scores, from the last on. */
function writeScored(enough: u32): bool {
  while (left != 0 && Out.length() < enough) {
    if (cell == 0) {
      leaf = Leaf.previous(leaf);
      cell = Leaf.count(leaf);
    }
    const item = Leaf.item(leaf, cell - 1);
    if (!writeText(Item.key(item), Item.keyLength(item), enough) || !reserve(8)) return false;
    if (LongText.isOpen()) return true;
    cell--;
    left--;
    Out.f64(Leaf.score(leaf, cell));
  }
  return true;
}

/** Nodes of a list; one that is packed is written as it is, where strings are compressed at all. */
function writeNodes(enough: u32): bool {
  while (node != 0 && Out.length() < enough) {
    if (!isInside) {
      if (!reserve(1)) return false;
      Out.byte(RDB_NODE_PACKED);
      isInside = true;
    }
    if (Node.isPacked(node) && compresses) {
      if (!writeCompressed(Node.block(node), Node.packedBytes(node), Node.bytes(node))) return false;
    } else {
      const lp = readNode(node);
      if (lp == 0 || !writeText(lp, Node.bytes(node), enough)) return false;
      if (LongText.isOpen()) return true;
    }
    isInside = false;
    node = Node.next(node);
    nodeIndex++;
  }
  return true;
}

/** Nothing is left to be written: what was begun may change from here on. */
export function endWriting(): void {
  place = 0;
  left = 0;
  node = 0;
  isInside = false;
  hasBlob = false;
}

/**
 * Where the writing of a value stands, told without addresses, so that it can go on after the value and its parts were
 * moved; what must not happen meanwhile is a change of the value.
 *
 *   | inside u8 | blob u8 | phase of the long text u16 | its job u32 | its bytes copied u32 |
 *   | bucket, members left or node's index u32 | index in the bucket's chain, or node's address u32 | nodes gone u32 |
 */
export abstract class Standing {
  static save(to: usize): void {
    store<u8>(to, <u8>isInside);
    store<u8>(to, <u8>hasBlob, 1);
    store<u16>(to, <u16>LongText.phase(), 2);
    store<u32>(to, <u32>LongText.job(), 4);
    store<u32>(to, LongText.copied(), 8);
    store<u32>(to, left, 12);
    store<u32>(to, 0, 16);
    if (place != 0) {
      store<u32>(to, <u32>(place >> 32), 12);
      store<u32>(to, indexInChain(bucketAt(value, <u32>(place >> 32)), <usize>(<u32>place)), 16);
    } else if (node != 0) {
      store<u32>(to, nodeIndex, 12);
      store<u32>(to, <u32>node, 16);
      store<u32>(to, nodesGone, 20);
    }
    LongText.suspend();
    endWriting();
  }

  /** The block of a long string that is being compressed; 0 = none. */
  @inline static job(standing: usize): usize {
    return load<u32>(standing, 4);
  }

  /** Goes on with the value of an entry, which has elements left. */
  static resume(from: usize, entry: usize): void {
    endWriting();
    value = Entry.value(entry);
    type = Entry.type(entry);
    isInside = load<u8>(from) != 0;
    hasBlob = load<u8>(from, 1) != 0;
    LongText.resume(load<u16>(from, 2), load<u32>(from, 4), load<u32>(from, 8));
    blobLength = Entry.valueLength(entry);
    if (hasBlob) return;
    const index = load<u32>(from, 12);
    const encoding = Entry.encoding(entry);
    if (encoding == ENCODING_HASHTABLE) {
      place = placeInChain(index, load<u32>(from, 16));
    } else if (encoding == ENCODING_SKIPLIST) {
      left = index;
      seekRank(value + TABLE_RECORD, left - 1);
      leaf = foundLeaf;
      cell = foundCell + 1;
    } else if (encoding == ENCODING_QUICKLIST) {
      nodeIndex = index;
      node = load<u32>(from, 20) == nodesGone ? <usize>load<u32>(from, 16) : nodeAt(index);
    }
  }
}

/** How many elements of a chain stand before a cell. */
function indexInChain(first: usize, at: usize): u32 {
  let before: u32 = 0;
  for (let line = first; line != Cell.line(at); line = Bucket.next(line)) before += BUCKET_ENTRIES;
  return before + Cell.index(at);
}

function placeInChain(bucket: u32, index: u32): u64 {
  let line = bucketAt(value, bucket);
  let rest = index;
  for (; rest >= BUCKET_ENTRIES; rest -= BUCKET_ENTRIES) line = Bucket.next(line);
  return ((<u64>bucket) << 32) | Cell.of(line, rest);
}

/** The node at an index of the list, from whichever end is nearer. */
function nodeAt(index: u32): usize {
  const nodes = Quicklist.nodes(value);
  if (index < nodes >> 1) {
    let at = Quicklist.head(value);
    for (let i: u32 = 0; i < index; i++) at = Node.next(at);
    return at;
  }
  let at = Quicklist.tail(value);
  for (let i = nodes - 1; i > index; i--) at = Node.prev(at);
  return at;
}
