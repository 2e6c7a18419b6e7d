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
import { Entry } from "./entry";
import { Node } from "./listnode";
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
import { Leaf } from "./scorenode";
import { foundCell, foundLeaf, seekRank } from "./scoresearch";
import { TABLE_RECORD } from "./tablerecord";
import {
  Out,
  compresses,
  reserve,
  writeCompressed,
  writeInteger,
  writeLength,
  writeString,
} from "./rdbwrite";

/** The value whose elements are being written, and the next of them; 0 = there is none. */
let value: usize = 0;
let type: u32 = 0;
let place: u64 = 0;
/** Of a sorted set: how many members are left, the leaf at hand and how many of its cells. */
let left: u32 = 0;
let leaf: usize = 0;
let cell: u32 = 0;
/** Of a list: the next node. */
let node: usize = 0;

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
    return writeCount(Quicklist.nodes(value));
  }
  if (type == TYPE_LIST && !writeNodeHead()) return false;
  return writeString(value, Entry.valueLength(entry));
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
  return place != 0 || left != 0 || node != 0;
}

/** Writes elements until all are or `enough` bytes stand in the block; false = no memory. */
export function writeMore(enough: u32): bool {
  if (type == TYPE_ZSET) return writeScored(enough);
  if (type == TYPE_LIST) return writeNodes(enough);
  while (place != 0 && Out.length() < enough) {
    const item = Walk.item(place);
    if (!writeString(Item.key(item), Item.keyLength(item))) return false;
    if (type == TYPE_HASH && !writeString(Item.value(item), Item.valueLength(item))) return false;
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
    cell--;
    left--;
    const item = Leaf.item(leaf, cell);
    if (!writeString(Item.key(item), Item.keyLength(item)) || !reserve(8)) return false;
    Out.f64(Leaf.score(leaf, cell));
  }
  return true;
}

/** Nodes of a list; one that is packed is written as it is, where strings are compressed at all. */
function writeNodes(enough: u32): bool {
  while (node != 0 && Out.length() < enough) {
    if (!reserve(1)) return false;
    Out.byte(RDB_NODE_PACKED);
    if (Node.isPacked(node) && compresses) {
      if (!writeCompressed(Node.block(node), Node.packedBytes(node), Node.bytes(node))) return false;
    } else {
      const lp = readNode(node);
      if (lp == 0 || !writeString(lp, Node.bytes(node))) return false;
    }
    node = Node.next(node);
  }
  return true;
}

/** Nothing is left to be written: what was begun may change from here on. */
export function endWriting(): void {
  place = 0;
  left = 0;
  node = 0;
}
