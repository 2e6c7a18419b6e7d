// The members of one big collection: a hashtable of items (item.ts) behind a record (tablerecord.ts), the same table
// that holds the keys of a slot.
//
// `findMember` remembers where it ended, for the insertion, replacement or removal of that very member that follows.
// Looking up keys meanwhile disturbs nothing: the keyspace remembers its own. A record may move (its entry may), but
// not between a look-up and what follows it.
import { Bucket, bucketOf } from "./bucket";
import { firstBucket } from "./bucketroom";
import { Cell, Chain, appendToChain, takeFromChain } from "./chain";
import { draw, drawnBucket } from "./draw";
import { ITEMS } from "./element";
import { growIfFull, shrink } from "./growth";
import { hashOf } from "./hash";
import { free } from "./heap";
import { releaseElements } from "./tablerelease";
import { TABLE_RECORD, TableRecord } from "./tablerecord";

/** A table of so many members is not in the processor's caches as a whole. */
const BIG_TABLE: u32 = 16384;

/** Counts look-ups in such tables, and wraps. */
export let bigTablesMet: u32 = 0;

/** The hash of the member `findMember` looked for. */
export let memberHash: u64 = 0;
let memberCell: usize = 0;

/** Makes the 16 bytes at `record` the record of a table without members. */
export function initMembers(record: usize): void {
  memory.fill(record, 0, TABLE_RECORD);
}

export function isBigTable(record: usize): bool {
  return TableRecord.count(record) >= BIG_TABLE;
}

export function countMembers(record: usize): u32 {
  return TableRecord.count(record);
}

/** The item of a member; 0 = none. */
export function findMember(record: usize, member: usize, length: u32): usize {
  return findHashed(record, hashOf(member, length), member, length);
}

/** As `findMember`, of a member whose hash is known (`memberHash` of a look-up in another table, say). */
export function findHashed(record: usize, hash: u64, member: usize, length: u32): usize {
  memberHash = hash;
  if (TableRecord.buckets(record) == 0) return 0;
  if (isBigTable(record)) bigTablesMet++;
  memberCell = Chain.find(record, hash, member, length, ITEMS);
  return memberCell == 0 ? 0 : Cell.element(memberCell);
}

/** Adds the item of the member `findMember` has just not found. False = no memory, nothing changed. */
export function insertMember(record: usize, item: usize): bool {
  if (TableRecord.buckets(record) == 0 && !firstBucket(record)) return false;
  const bucket = bucketOf(record, memberHash);
  if (appendToChain(bucket, item, Bucket.tagOf(memberHash), 0) == 0) return false;
  TableRecord.setCount(record, TableRecord.count(record) + 1);
  growIfFull(record, ITEMS);
  return true;
}

/** Notes that the item `findMember` has just found stands elsewhere now, or is another one of the same member. */
export function replaceMember(item: usize): void {
  Cell.setElement(memberCell, item);
}

/** Takes the item `findMember` has just found out of its table; it is the caller's to free. */
export function removeMember(record: usize): usize {
  return takeOut(record, bucketOf(record, memberHash), memberCell);
}

/** A random item of a table that has members, each with the same chance. */
export function drawMember(record: usize): usize {
  memberCell = draw(record);
  return Cell.element(memberCell);
}

/** Takes the item `drawMember` has just drawn out of its table; it is the caller's to free. */
export function removeDrawn(record: usize): usize {
  return takeOut(record, drawnBucket, memberCell);
}

function takeOut(record: usize, first: usize, cell: usize): usize {
  const item = takeFromChain(first, cell);
  TableRecord.setCount(record, TableRecord.count(record) - 1);
  shrink(record);
  return item;
}

/** Frees about `budget` items; false = there are more. Nothing else may be done with the table meanwhile. */
export function releaseMembers(record: usize, budget: u32): bool {
  releaseElements(record, budget, free);
  return TableRecord.buckets(record) == 0;
}
