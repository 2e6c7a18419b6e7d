// The hashtable of one slot: finding, adding and taking out entries. bucket.ts has the layout, growth.ts the rest.
import { Bucket, EXPIRING_TAG, TAGS, bucketOf } from "./bucket";
import { firstBucket } from "./bucketroom";
import { Cell, Chain, appendToChain, takeFromChain } from "./chain";
import { Database, slotForInsert } from "./database";
import { ENTRIES } from "./element";
import { Entry } from "./entry";
import { Events } from "./events";
import { growIfFull, shrink } from "./growth";
import { hashOf } from "./hash";
import { free } from "./heap";
import { dispose } from "./lazyfree";
import { TableRecord } from "./tablerecord";

/** What `find` saw: the hash, and where the entry stands. */
export let foundHash: u64 = 0;
let foundCell: usize = 0;

/** The entry of a key in a slot of the selected database, expired or not; 0 = none. Sets what `found…` say. */
export function find(slot: u32, key: usize, length: u32): usize {
  const hash = hashOf(key, length);
  foundHash = hash;
  const record = Database.slot(Database.selected(), slot);
  if (record == 0) return 0;
  if (TableRecord.buckets(record) == 0) return 0;
  const cell = Chain.find(record, hash, key, length, ENTRIES);
  if (cell == 0) return 0;
  foundCell = cell;
  return Cell.element(cell);
}

/** Adds an entry whose key has `hash` and is not in the slot. False = no memory, nothing changed. */
export function insert(slot: u32, entry: usize, hash: u64): bool {
  const db = Database.selected();
  const record = slotForInsert(db, slot);
  if (record == 0) return false;
  if (TableRecord.buckets(record) == 0 && !firstBucket(record)) return false;
  const expires = Entry.expires(entry);
  const bucket = bucketOf(record, hash);
  if (appendToChain(bucket, entry, Bucket.tagOf(hash) | (expires ? EXPIRING_TAG : 0), 0) == 0) return false;
  Database.count(db, slot, 1);
  if (expires) Database.countExpiring(db, slot, 1);
  growIfFull(record, ENTRIES);
  Events.appeared(entry);
  return true;
}

/** Puts `entry` where `find` has just found its predecessor, which is disposed of. */
export function replaceFound(slot: u32, entry: usize): void {
  dispose(exchangeFound(slot, entry));
}

/** As `replaceFound`, but what the predecessor held is `entry`'s now: of it only the block goes. */
export function reshapeFound(slot: u32, entry: usize): void {
  free(exchangeFound(slot, entry));
}

function exchangeFound(slot: u32, entry: usize): usize {
  const old = Cell.element(foundCell);
  setExpiring(slot, Entry.expires(old), Entry.expires(entry));
  Cell.setElement(foundCell, entry);
  return old;
}

/** Whether this is the entry `find` has just found, still in its place. */
export function isFound(entry: usize): bool {
  return Cell.element(foundCell) == entry;
}

/** Notes that the entry `find` has just found has moved. */
export function movedFound(entry: usize): void {
  Cell.setElement(foundCell, entry);
}

function setExpiring(slot: u32, before: bool, after: bool): void {
  if (before == after) return;
  Database.countExpiring(Database.selected(), slot, after ? 1 : -1);
  const at = Cell.line(foundCell) + Cell.index(foundCell);
  store<u8>(at, load<u8>(at, TAGS) ^ EXPIRING_TAG, TAGS);
}

/** Takes the entry `find` has just found out of its slot and disposes of it. */
export function removeFound(slot: u32): void {
  dispose(unlinkFound(slot));
}

/** Takes the entry `find` has just found out of its slot; it is the caller's. */
export function unlinkFound(slot: u32): usize {
  const db = Database.selected();
  const record = Database.slot(db, slot);
  const entry = removeAt(db, slot, bucketOf(record, foundHash), foundCell);
  shrink(record);
  return entry;
}

/**
 * Takes an entry out of a chain that begins at `first`, where the chain's last then stands. The table does not shrink:
 * whoever walks the chain goes on, and calls `shrink` when done.
 */
export function removeAt(db: usize, slot: u32, first: usize, cell: usize): usize {
  const entry = takeFromChain(first, cell);
  Database.count(db, slot, -1);
  if (Entry.expires(entry)) Database.countExpiring(db, slot, -1);
  return entry;
}
