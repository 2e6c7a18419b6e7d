// What was deleted and is too big to be given back at once: it waits here and is given back a little at a time.
//
// A deletion takes what it deletes out of the keyspace in one step and leaves it here; the host calls `releaseWaiting`
// between requests, and the heap does so itself before it says that there is no room. Waiting costs no memory: the
// links stand in what waits.
//
//   a node: | next u32 | kind u8 | unused u8 | length u16 | record, `length` bytes |
//     a big value: its entry's block, key and header forgotten; kind = its encoding
//     a slot: the first of its bucket lines, emptied before; the record is the slot's
//   a database: its directory of slots (database.ts); the word of slot 0 that counted expiries is `next`, that of
//   slot 1 is the slot reached
import { ENCODING_HASHTABLE, ENCODING_QUICKLIST, ENCODING_SKIPLIST, SLOT_COUNT } from "./abi";
import { Bucket, bucketAt } from "./bucket";
import { Database, detachDirectory, detachSlot } from "./database";
import { Entry } from "./entry";
import { free } from "./heap";
import { releaseMembers } from "./members";
import { releaseQuicklist } from "./quicklist";
import { releaseChain, releaseElements } from "./tablerelease";
import { releaseTree } from "./scoretree";
import { TABLE_RECORD, TableRecord } from "./tablerecord";

/** A value of at most so many elements (Redis's number) is given back at once. */
const FEW: u32 = 64;
/** A kind beside the encodings: a table of entries. */
const KEYS: u32 = 8;
const NODE_HEAD: usize = 8;
/** The record being released, since its release may free the block it stands in; as long as the longest. */
const AT_HAND: usize = memory.data(64);

const NEXT_DIRECTORY: usize = 12;
const REACHED: usize = 28;

let nodes: usize = 0;
let directories: usize = 0;
let isReleasing: bool = false;
let waiting: u32 = 0;
let released: f64 = 0;

/**
 * Gives back about `budget` blocks of what a record holds; true = it holds nothing any more. Nothing may be allocated
 * on the way: this also runs when memory is full.
 */
function release(kind: u32, record: usize, budget: u32): bool {
  if (kind == KEYS) return releaseKeys(record, budget);
  if (kind == ENCODING_HASHTABLE) return releaseMembers(record, budget);
  if (kind == ENCODING_SKIPLIST)
    return releaseTree(record + TABLE_RECORD, budget) && releaseMembers(record, budget);
  if (kind == ENCODING_QUICKLIST) return releaseQuicklist(record, budget);
  return true;
}

/** Gives back an entry that nothing leads to any more, with all its value holds: at once when that is little. */
export function dispose(entry: usize): void {
  if (Entry.encoding(entry) < <u32>ENCODING_HASHTABLE) free(entry);
  else retire(entry);
}

function retire(entry: usize): void {
  const kind = Entry.encoding(entry);
  const record = Entry.value(entry);
  if (TableRecord.count(record) <= FEW) {
    while (!release(kind, record, FEW)) {}
    return free(entry);
  }
  push(entry, kind, record, Entry.valueLength(entry));
  waiting++;
}

/** Empties a slot of database `db`; returns how many keys there were. */
export function retireSlot(db: usize, slot: u32): u32 {
  const record = Database.slot(db, slot);
  if (record == 0 || TableRecord.count(record) == 0) return 0;
  const first = bucketAt(record, 0);
  const gone = releaseChain(first, dispose);
  Bucket.clear(first);
  push(first, KEYS, record, TABLE_RECORD);
  const keys = detachSlot(db, slot);
  waiting += keys - gone;
  return keys;
}

/** Empties a database; returns how many keys there were. */
export function retireDatabase(db: usize): u32 {
  const keys = Database.keys(db);
  const directory = detachDirectory(db);
  if (directory == 0) return 0;
  store<u32>(directory, <u32>directories, NEXT_DIRECTORY);
  store<u32>(directory, 0, REACHED);
  directories = directory;
  waiting += keys;
  return keys;
}

/** How many keys and values wait. */
export function waitingObjects(): u32 {
  return waiting;
}

/** How many have waited and are given back. */
export function releasedObjects(): f64 {
  return released;
}

export function forgetReleased(): void {
  released = 0;
}

/** Whether anything is still to be given back, be it but empty tables. */
export function isWaiting(): bool {
  return nodes != 0 || directories != 0;
}

/** Gives back about `budget` blocks of what waits; false = nothing waits (any more). */
export function releaseWaiting(budget: u32): bool {
  if (isReleasing) return false;
  isReleasing = true;
  for (let left = <i32>budget; left > 0 && isWaiting();) {
    left = nodes != 0 ? releaseNode(left) : releaseSlots(left);
  }
  isReleasing = false;
  return isWaiting();
}

function push(node: usize, kind: u32, record: usize, length: u32): void {
  memory.copy(node + NODE_HEAD, record, length);
  store<u32>(node, <u32>nodes);
  store<u32>(node, kind | (length << 16), 4);
  nodes = node;
}

/** Returns what is left of the budget, about. */
function releaseNode(budget: i32): i32 {
  const node = nodes;
  const kind = <u32>load<u8>(node, 4);
  const length = <u32>load<u16>(node, 6);
  nodes = load<u32>(node);
  memory.copy(AT_HAND, node + NODE_HEAD, length);
  if (!release(kind, AT_HAND, budget)) {
    push(node, kind, AT_HAND, length);
    return 0;
  }
  if (kind != KEYS) {
    free(node);
    done(1);
  }
  return budget - <i32>FEW;
}

function done(count: u32): void {
  waiting -= count;
  released += count;
}

function releaseSlots(budget: i32): i32 {
  const directory = directories;
  let left = budget;
  let slot = load<u32>(directory, REACHED);
  for (; slot < <u32>SLOT_COUNT && left > 0; left--) {
    const record = directory + (slot << 4);
    if (TableRecord.buckets(record) != 0) {
      if (!releaseKeys(record, left)) left = 0;
      else left -= 16;
    }
    if (TableRecord.buckets(record) == 0) slot++;
  }
  store<u32>(directory, slot, REACHED);
  if (slot < <u32>SLOT_COUNT) return 0;
  directories = load<u32>(directory, NEXT_DIRECTORY);
  free(directory);
  return left;
}

function releaseKeys(record: usize, budget: u32): bool {
  done(releaseElements(record, budget, dispose));
  return TableRecord.buckets(record) == 0;
}
