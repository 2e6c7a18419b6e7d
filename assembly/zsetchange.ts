// How a sorted set comes to be, changes, and outgrows its listpack: at zset-max-listpack-entries members, or at one of more
// than zset-max-listpack-value bytes. It never goes back.
//
// Entries are "just found" here in value.ts's sense; each change returns the entry, which may have moved.
import {
  ENCODING_LISTPACK,
  ENCODING_SKIPLIST,
  STATE_ZSET_MAX_ENTRIES,
  STATE_ZSET_MAX_VALUE,
  TYPE_ZSET,
} from "./abi";
import { Entry } from "./entry";
import { Place, free, roundUp } from "./heap";
import { Item, createItem, itemSize } from "./item";
import { LISTPACK_EMPTY, Listpack, emptyListpack, seekElement } from "./listpack";
import { elementLength, elementPtr, readText } from "./listpackelement";
import { findMember, initMembers, insertMember, releaseMembers, removeMember } from "./members";
import { initTree, insertCell, moveCell, releaseTree, removeCell, removeRank } from "./scoretree";
import { createValue, replaceValue, resizeValue } from "./value";
import { ZSET_RECORD, Zset, foundPlace, foundScore } from "./zset";
import { Pack, insertPair, packedScore, pairBytes, pairSize, removePairs } from "./zsetpack";

/** Bytes of a score, an item's payload. */
export const SCORE_BYTES: u32 = 8;
/** Redis keeps a listpack below this. */
const PACK_LIMIT: u32 = 1 << 30;
/** What a member may cost beside its item: its cells in tree and table, and their growth. */
const SHARE: u32 = 64;
/** The nodes a tree may need at once. */
const NODES: u32 = 8192;
const ALL_AT_ONCE: u32 = 1024;

/** A record being filled, before an entry takes it over. */
const FRESH: usize = memory.data(24);

/** Whether a listpack of `count` members may hold one of `length` bytes. */
export function fitsPack(count: u32, length: u32): bool {
  return count <= load<u32>(STATE_ZSET_MAX_ENTRIES) && length <= load<u32>(STATE_ZSET_MAX_VALUE);
}

/** Small blocks a member may cost, bytes. */
export function memberCost(length: u32): f64 {
  return <f64>(roundUp(itemSize(length, SCORE_BYTES)) + SHARE);
}

/** What changing a sorted set may cost in blocks beside its new members: its listpack anew, or its items. */
export function changeCost(entry: usize): f64 {
  if (entry == 0 || Entry.encoding(entry) != ENCODING_LISTPACK) return <f64>NODES;
  return <f64>NODES + <f64>Entry.valueLength(entry) * 2 + <f64>Pack.count(Entry.value(entry)) * <f64>SHARE;
}

/** A new sorted set of one member under a key that was just looked up and is not there; 0 = no memory. */
export function createZset(
  slot: u32,
  key: usize,
  keyLength: u32,
  member: usize,
  length: u32,
  score: f64,
): usize {
  if (fitsPack(1, length)) {
    const bytes = LISTPACK_EMPTY + pairSize(member, length, score);
    const entry = createValue(slot, key, keyLength, TYPE_ZSET, ENCODING_LISTPACK, bytes, bytes);
    if (entry == 0) return 0;
    emptyListpack(Entry.value(entry));
    insertPair(Entry.value(entry), member, length, score);
    return entry;
  }
  initRecord(FRESH);
  assert(findMember(FRESH, member, length) == 0);
  if (!addToRecord(FRESH, member, length, score)) return 0;
  const entry = createValue(slot, key, keyLength, TYPE_ZSET, ENCODING_SKIPLIST, ZSET_RECORD, ZSET_RECORD);
  if (entry == 0) releaseRecord(FRESH);
  else memory.copy(Entry.value(entry), FRESH, ZSET_RECORD);
  return entry;
}

/** Adds a member that `findScore` has just not found. 0 = no memory, nothing lost. */
export function addMember(entry: usize, member: usize, length: u32, score: f64): Place {
  if (Entry.encoding(entry) != ENCODING_LISTPACK) {
    return addToRecord(Entry.value(entry), member, length, score) ? entry : 0;
  }
  const lp = Entry.value(entry);
  const bytes = Listpack.bytes(lp) + pairSize(member, length, score);
  if (!fitsPack(Pack.count(lp) + 1, length) || bytes >= PACK_LIMIT) {
    const unpacked = unpack(entry);
    if (unpacked == 0) return 0;
    assert(findMember(Entry.value(unpacked), member, length) == 0);
    return addToRecord(Entry.value(unpacked), member, length, score) ? unpacked : 0;
  }
  const longer = resizeValue(entry, bytes);
  if (longer != 0) insertPair(Entry.value(longer), member, length, score);
  return longer;
}

/** Gives the member `findScore` has just found another score. 0 = no memory, nothing changed. */
export function changeScore(entry: usize, member: usize, length: u32, score: f64): Place {
  if (Entry.encoding(entry) != ENCODING_LISTPACK) {
    if (!moveCell(Zset.tree(Entry.value(entry)), foundScore, score, foundPlace)) return 0;
    Item.setScore(foundPlace, score);
    return entry;
  }
  const offset = foundPlace - Entry.value(entry);
  const bytes = Listpack.bytes(Entry.value(entry)) - pairBytes(foundPlace) + pairSize(member, length, score);
  const had = Entry.valueLength(entry);
  const roomy = bytes > had ? resizeValue(entry, bytes) : entry;
  if (roomy == 0) return 0;
  const lp = Entry.value(roomy);
  removePairs(lp, lp + offset, 1);
  insertPair(lp, member, length, score);
  return bytes < had ? resizeValue(roomy, bytes) : roomy;
}

/** Takes out the member `findScore` has just found. */
export function removeFoundMember(entry: usize): Place {
  const value = Entry.value(entry);
  if (Entry.encoding(entry) == ENCODING_LISTPACK) {
    removePairs(value, foundPlace, 1);
    return resizeValue(entry, Listpack.bytes(value));
  }
  const item = removeMember(value);
  removeCell(Zset.tree(value), Item.score(item), item);
  free(item);
  return entry;
}

/** Takes out `count` members from a rank on. */
export function removeRanks(entry: usize, rank: u32, count: u32): Place {
  const value = Entry.value(entry);
  if (Entry.encoding(entry) == ENCODING_LISTPACK) {
    removePairs(value, seekElement(value, rank << 1, Pack.count(value) << 1), count);
    return resizeValue(entry, Listpack.bytes(value));
  }
  for (let left = count; left > 0; left--) {
    const item = removeRank(Zset.tree(value), rank);
    assert(findMember(value, Item.key(item), Item.keyLength(item)) == item);
    assert(removeMember(value) == item);
    free(item);
  }
  return entry;
}

/** Makes the 24 bytes at `record` the value of a big sorted set without members. */
export function initRecord(record: usize): void {
  initMembers(record);
  initTree(Zset.tree(record));
}

/** Adds a member to a record in which `findMember` has just not found it. False = no memory, nothing changed. */
export function addToRecord(record: usize, member: usize, length: u32, score: f64): bool {
  const item = createItem(member, length, SCORE_BYTES);
  if (item == 0) return false;
  Item.setScore(item, score);
  if (insertCell(Zset.tree(record), score, item)) {
    if (insertMember(record, item)) return true;
    removeCell(Zset.tree(record), score, item);
  }
  free(item);
  return false;
}

/** Gives back all that a record holds. */
export function releaseRecord(record: usize): void {
  while (!releaseTree(Zset.tree(record), ALL_AT_ONCE)) {}
  while (!releaseMembers(record, ALL_AT_ONCE)) {}
}

/** Turns a listpack into a table and a tree. 0 = no memory, nothing changed. */
export function unpack(entry: usize): Place {
  if (recordFrom(Entry.value(entry)) == 0) return 0;
  const unpacked = replaceValue(entry, ENCODING_SKIPLIST, ZSET_RECORD);
  if (unpacked == 0) releaseRecord(FRESH);
  else memory.copy(Entry.value(unpacked), FRESH, ZSET_RECORD);
  return unpacked;
}

/** The record, to be copied, of a new table and tree of a listpack's members, none of which is there twice; 0 = no memory. */
export function recordFrom(lp: usize): usize {
  initRecord(FRESH);
  for (let at = Listpack.first(lp); !Listpack.isEnd(at); at = Pack.next(at)) {
    const score = packedScore(at);
    readText(at);
    const member = elementPtr;
    const length = elementLength;
    assert(findMember(FRESH, member, length) == 0);
    if (addToRecord(FRESH, member, length, score)) continue;
    releaseRecord(FRESH);
    return 0;
  }
  return FRESH;
}
