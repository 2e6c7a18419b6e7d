// Copies of whole values, for COPY: the bytes of small ones, and of big ones every item by itself.
import { ENCODING_HASHTABLE, ENCODING_QUICKLIST, ENCODING_SKIPLIST, TYPE_HASH, TYPE_ZSET } from "./abi";
import { Entry, createEntry } from "./entry";
import { alloc, free } from "./heap";
import { Item, Length, itemSize } from "./item";
import { dispose } from "./lazyfree";
import { findMember, insertMember } from "./members";
import { Walk } from "./memberwalk";
import { Node, twinOf } from "./listnode";
import { Quicklist, linkNode } from "./quicklist";
import { Leaf } from "./scorenode";
import { foundLeaf, seekRank } from "./scoresearch";
import { insertCell } from "./scoretree";
import { TABLE_RECORD, TableRecord } from "./tablerecord";

/** A copy of an entry under another key, no key leads to yet; 0 = no memory. */
export function copyOf(entry: usize, key: usize, keyLength: u32): usize {
  const length = Entry.valueLength(entry);
  const encoding = Entry.encoding(entry);
  const expireAtMs = Entry.expires(entry) ? Entry.expireAt(entry) : 0;
  const fresh = createEntry(key, keyLength, Entry.type(entry), encoding, length, length, expireAtMs);
  if (fresh == 0) return 0;
  const from = Entry.value(entry);
  const to = Entry.value(fresh);
  if (encoding < <u32>ENCODING_HASHTABLE) {
    memory.copy(to, from, length);
    return fresh;
  }
  memory.fill(to, 0, length);
  let isCopied: bool;
  if (encoding == ENCODING_QUICKLIST) isCopied = copyNodes(from, to);
  else if (encoding == ENCODING_SKIPLIST) isCopied = copyScored(from, to);
  else isCopied = copyItems(from, to, Entry.type(entry));
  if (isCopied) return fresh;
  dispose(fresh);
  return 0;
}

/** Copies the members of a set or a hash into a table without members. */
function copyItems(from: usize, to: usize, type: u32): bool {
  for (let place = Walk.first(from); place != 0; place = Walk.next(from, place)) {
    if (copyItem(Walk.item(place), to, type) == 0) return false;
  }
  return true;
}

/** The copy of an item, now in the table `to`; 0 = no memory. */
function copyItem(item: usize, to: usize, type: u32): usize {
  const length = Item.keyLength(item);
  let payload: u32 = 0;
  if (type == TYPE_ZSET) {
    payload = 8;
  } else if (type == TYPE_HASH) {
    const value = Item.valueLength(item);
    payload = Length.size(value) + value;
  }
  const size = itemSize(length, payload);
  const fresh = alloc(size);
  if (fresh == 0) return 0;
  memory.copy(fresh, item, size);
  assert(findMember(to, Item.key(fresh), length) == 0);
  if (insertMember(to, fresh)) return fresh;
  free(fresh);
  return 0;
}

/** Copies the nodes of a list, packed ones as they are. */
function copyNodes(from: usize, to: usize): bool {
  for (let node = Quicklist.head(from); node != 0; node = Node.next(node)) {
    const twin = twinOf(node);
    if (twin == 0) return false;
    linkNode(to, twin, 0);
  }
  return true;
}

/** Copies a sorted set in order: its tree fills from the left. */
function copyScored(from: usize, to: usize): bool {
  if (TableRecord.count(from) == 0) return true;
  seekRank(from + TABLE_RECORD, 0);
  for (let leaf = foundLeaf; leaf != 0; leaf = Leaf.next(leaf)) {
    for (let i: u32 = 0; i < Leaf.count(leaf); i++) {
      const item = copyItem(Leaf.item(leaf, i), to, TYPE_ZSET);
      if (item == 0) return false;
      // What is in the table alone goes with it.
      if (!insertCell(to + TABLE_RECORD, Leaf.score(leaf, i), item)) return false;
    }
  }
  return true;
}
