// Emptying sparse slabs: a walk over all that databases hold, which moves each block that stands in a slab set aside
// (heapaside.ts) and tells whoever pointed to it. A pass goes over everything once, in steps between requests.
//
// Where a step ends is told by numbers: a slot, a bucket, and inside of a big value how far the walk came. What is
// inserted or deleted meanwhile may be missed, as may what a growing table moves behind the walk: the next pass sees it.
import { DATABASE_COUNT, ENCODING_HASHTABLE, ENCODING_QUICKLIST, ENCODING_SKIPLIST, SLOT_COUNT } from "./abi";
import { copyAway, relocate } from "./heapsparse";
import { Bucket, NEXT, SEGMENT, SEGMENTED, SEGMENT_SHIFT, bucketAt } from "./bucket";
import { Cell } from "./chain";
import { Database } from "./database";
import { Entry } from "./entry";
import { free } from "./heap";
import { Quicklist, relocateNodes } from "./quicklist";
import { movedItem, relocatePath } from "./scoremove";
import { TABLE_RECORD, TableRecord } from "./tablerecord";

/** What it costs to look at a list node, in elements looked at. */
const NODE_COST: u32 = 4;
/** All of a value is done. */
const DONE: u32 = 0xffffffff;

let database: u32 = 0;
let slot: u32 = 0;
let bucket: u32 = 0;
/** The entry whose value the walk is in, 0 = none; how far it came there, and in which part of it. */
let inside: usize = 0;
let reached: u32 = 0;
let isInTree: bool = false;
/** What is left of the step's budget. */
let left: i32 = 0;

export function beginDefrag(): void {
  database = 0;
  slot = 0;
  bucket = 0;
  inside = 0;
}

/**
 * Goes on with a pass.
 * @param budget elements to look at, about
 * @returns false = the pass has seen everything
 */
export function defrag(budget: u32): bool {
  left = budget;
  for (; database < <u32>DATABASE_COUNT; database++) {
    const db = Database.at(database);
    while (slot < <u32>SLOT_COUNT && Database.directory(db) != 0) {
      if (left <= 0) return true;
      walkSlot(db);
    }
    slot = 0;
    bucket = 0;
  }
  return false;
}

function walkSlot(db: usize): void {
  if ((slot & 127) == 0 && Database.blockKeys(db, slot >> 7) == 0) {
    slot += 128;
    left--;
    return;
  }
  const record = Database.slot(db, slot);
  for (; bucket < TableRecord.buckets(record); bucket++) {
    if (left <= 0) return;
    relocateRoom(record, bucket);
    if (!walkEntries(bucketAt(record, bucket))) return;
  }
  left--;
  slot++;
  bucket = 0;
}

/** The blocks the buckets stand in: each at its first bucket. */
function relocateRoom(record: usize, index: u32): void {
  const root = TableRecord.root(record);
  if ((root & SEGMENTED) == 0) {
    if (index == 0) TableRecord.setRoot(record, relocate(root));
    return;
  }
  if ((index & (SEGMENT - 1)) != 0) return;
  let directory = root - SEGMENTED;
  if (index == 0) {
    directory = relocate(directory);
    TableRecord.setRoot(record, directory | SEGMENTED);
  }
  const at = directory + ((index >> SEGMENT_SHIFT) << 2);
  store<u32>(at, <u32>relocate(load<u32>(at)));
}

/** The line behind one, moved if need be; 0 = it is the last. */
function nextLine(line: usize): usize {
  const next = Bucket.next(line);
  if (next == 0) return 0;
  const moved = relocate(next);
  store<u32>(line, <u32>moved, NEXT);
  return moved;
}

/** Walks over the entries of a chain; false = the step ends inside of one of them. */
function walkEntries(first: usize): bool {
  // The entry the last step ended in may be gone: then the chain is walked from its beginning.
  if (inside != 0 && !isInChain(first, inside)) inside = 0;
  for (let line = first; line != 0; line = nextLine(line)) {
    for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
      const cell = Cell.of(line, ctz(taken));
      if (inside != 0 && Cell.element(cell) != inside) continue;
      const entry = relocate(Cell.element(cell));
      Cell.setElement(cell, entry);
      left--;
      if (Entry.encoding(entry) < <u32>ENCODING_HASHTABLE) continue;
      if (inside == 0) {
        reached = 0;
        isInTree = false;
      }
      inside = walkValue(entry) ? 0 : entry;
      if (inside != 0) return false;
    }
  }
  return true;
}

function isInChain(first: usize, entry: usize): bool {
  for (let line = first; line != 0; line = Bucket.next(line)) {
    for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
      if (Bucket.entry(line, ctz(taken)) == entry) return true;
    }
  }
  return false;
}

/** Goes on inside of a value; true = it is done. */
function walkValue(entry: usize): bool {
  const encoding = Entry.encoding(entry);
  const record = Entry.value(entry);
  if (encoding == ENCODING_HASHTABLE) {
    reached = walkItems(record, reached, 0);
  } else if (encoding == ENCODING_QUICKLIST) {
    reached = walkNodes(record, reached);
  } else if (encoding == ENCODING_SKIPLIST) {
    const tree = record + TABLE_RECORD;
    if (!isInTree) {
      reached = walkItems(record, reached, tree);
      if (reached != DONE) return false;
      isInTree = true;
      reached = 0;
    }
    reached = walkTree(tree, reached, TableRecord.count(record));
  }
  return reached == DONE;
}

/** Walks over the items of a hashtable from a bucket on; `tree`: what else points to them, 0 = nothing. */
function walkItems(record: usize, from: u32, tree: usize): u32 {
  for (let index = from; index < TableRecord.buckets(record); index++) {
    if (left <= 0) return index;
    relocateRoom(record, index);
    for (let line = bucketAt(record, index); line != 0; line = nextLine(line)) {
      for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
        const cell = Cell.of(line, ctz(taken));
        const item = Cell.element(cell);
        left--;
        const moved = copyAway(item);
        if (moved == 0) continue;
        Cell.setElement(cell, moved);
        // The tree compares with the item where it stood, so that goes last.
        if (tree != 0) movedItem(tree, moved);
        free(item);
      }
    }
  }
  return DONE;
}

function walkNodes(list: usize, from: u32): u32 {
  const limit = <u32>max(left, 1) / NODE_COST + 1;
  const next = relocateNodes(list, from, limit);
  left -= <i32>(limit * NODE_COST);
  return next >= Quicklist.nodes(list) ? DONE : next;
}

function walkTree(tree: usize, from: u32, count: u32): u32 {
  let rank = from;
  while (rank < count) {
    if (left <= 0) return rank;
    rank = relocatePath(tree, rank);
    left -= <i32>NODE_COST;
  }
  return DONE;
}
