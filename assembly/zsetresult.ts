// A sorted set that is being computed, for ZRANGESTORE and for unions, intersections and differences: filled as a big one
// that stands nowhere, then shown or stored, in the shape its size asks for.
import { ENCODING_LISTPACK, ENCODING_SKIPLIST, EVENT_DEL, REFUSED_OUT_OF_MEMORY, TYPE_ZSET } from "./abi";
import { Args } from "./args";
import { Entry, createEntry } from "./entry";
import { Events } from "./events";
import { lookupWrite } from "./expiry";
import { free } from "./heap";
import { Item, createItem } from "./item";
import { LISTPACK_EMPTY, Listpack, emptyListpack } from "./listpack";
import { countMembers, findHashed, findMember, insertMember, removeMember } from "./members";
import { Walk } from "./memberwalk";
import { Leaf } from "./scorenode";
import { foundLeaf, seekRank } from "./scoresearch";
import { insertCell } from "./scoretree";
import { LINE_ROOM, Reply, replyInteger } from "./reply";
import { find, foundHash, insert, removeFound, replaceFound } from "./table";
import { ZSET_RECORD, Zset } from "./zset";
import { SCORE_BYTES, addToRecord, fitsPack, initRecord, releaseRecord } from "./zsetchange";
import { pairSize, writePair } from "./zsetpack";

const RECORD: usize = memory.data(24);
let longest: u32 = 0;
/** It fits a listpack so far, and is one where Redis fills it member by member: there a score of -0 becomes 0. */
let isPackSoFar: bool = false;

export abstract class Result {
  @inline static record(): usize {
    return RECORD;
  }
  @inline static count(): u32 {
    return countMembers(RECORD);
  }
  static begin(): void {
    initRecord(RECORD);
    longest = 0;
    isPackSoFar = false;
  }
  /** Members come one after the other, so many of them; 0 = nobody knows. */
  static fillInOrder(count: u32): void {
    isPackSoFar = fitsPack(count, 0);
  }
  /** Gives back what was computed. */
  static drop(): void {
    releaseRecord(RECORD);
  }
}

/** Adds a member that is not there, in its place. False = no memory. */
export function addResult(member: usize, length: u32, score: f64): bool {
  assert(findMember(RECORD, member, length) == 0);
  longest = max(longest, length);
  isPackSoFar = isPackSoFar && fitsPack(Result.count() + 1, length);
  return addToRecord(RECORD, member, length, isPackSoFar && score == 0 ? 0 : score);
}

/** The item of a member; 0 = it is not there, and may be added with `addSought`. */
export function seekResult(hash: u64, member: usize, length: u32): usize {
  return findHashed(RECORD, hash, member, length);
}

/** Adds the member `seekResult` has just not found; its place comes with `settleResult`. False = no memory. */
export function addSought(member: usize, length: u32, score: f64): bool {
  const item = createItem(member, length, SCORE_BYTES);
  if (item == 0) return false;
  Item.setScore(item, score);
  if (insertMember(RECORD, item)) return true;
  free(item);
  return false;
}

/** Takes out the member `seekResult` has just found, which has no place yet. */
export function dropSought(): void {
  free(removeMember(RECORD));
}

/** Puts all members of the result in order. False = no memory. */
export function settleResult(): bool {
  for (let place = Walk.first(RECORD); place != 0; place = Walk.next(RECORD, place)) {
    const item = Walk.item(place);
    longest = max(longest, Item.keyLength(item));
    if (!insertCell(Zset.tree(RECORD), Item.score(item), item)) return false;
  }
  return true;
}

/**
 * Puts the result under argument 1, the request's first key, whatever that held, or deletes it when the result is empty.
 * Replies the count; returns the changes or a REFUSED_ code.
 */
export function storeResult(event: u32): i32 {
  const slot = Args.slot();
  const key = Args.ptr(1);
  const length = Args.length(1);
  const count = Result.count();
  if (!Reply.reserve(LINE_ROOM)) return refuse();
  if (count == 0) {
    replyInteger(0);
    // What was there is deleted, and told to be, even if its time has come.
    if (find(slot, key, length) == 0) return 0;
    removeFound(slot);
    Events.tell(EVENT_DEL, key, length);
    return 1;
  }
  const old = lookupWrite(slot, key, length);
  const hash = foundHash;
  const isPacked = fitsPack(count, longest);
  const fresh = isPacked ? packResult(key, length) : wrapResult(key, length);
  if (fresh == 0) return refuse();
  if (old != 0) {
    replaceFound(slot, fresh);
  } else if (!insert(slot, fresh, hash)) {
    free(fresh);
    return refuse();
  }
  // What is not packed belongs to the entry now.
  if (isPacked) Result.drop();
  Events.tell(event, key, length);
  replyInteger(count);
  return 1;
}

function refuse(): i32 {
  Result.drop();
  return REFUSED_OUT_OF_MEMORY;
}

function wrapResult(key: usize, length: u32): usize {
  const entry = createEntry(key, length, TYPE_ZSET, ENCODING_SKIPLIST, ZSET_RECORD, ZSET_RECORD, 0);
  if (entry != 0) memory.copy(Entry.value(entry), RECORD, ZSET_RECORD);
  return entry;
}

function packResult(key: usize, length: u32): usize {
  const bytes = packedBytes(RECORD);
  const entry = createEntry(key, length, TYPE_ZSET, ENCODING_LISTPACK, bytes, bytes, 0);
  if (entry != 0) packRecord(RECORD, Entry.value(entry), bytes);
  return entry;
}

/** Writes the members of a record as a listpack of so many bytes, which are those `packedBytes` told. */
export function packRecord(record: usize, lp: usize, bytes: u32): void {
  emptyListpack(lp);
  let at = Listpack.first(lp);
  seekRank(Zset.tree(record), 0);
  for (let leaf = foundLeaf; leaf != 0; leaf = Leaf.next(leaf)) {
    for (let i: u32 = 0; i < Leaf.count(leaf); i++) {
      const item = Leaf.item(leaf, i);
      at = writePair(at, Item.key(item), Item.keyLength(item), Leaf.score(leaf, i));
    }
  }
  store<u8>(at, 0xff);
  Listpack.setBytes(lp, bytes);
  Listpack.setCountWord(lp, countMembers(record) << 1);
}

/** Bytes of the listpack that a record of few members becomes. */
export function packedBytes(record: usize): u32 {
  let bytes = LISTPACK_EMPTY;
  seekRank(Zset.tree(record), 0);
  for (let leaf = foundLeaf; leaf != 0; leaf = Leaf.next(leaf)) {
    for (let i: u32 = 0; i < Leaf.count(leaf); i++) {
      const item = Leaf.item(leaf, i);
      bytes += pairSize(Item.key(item), Item.keyLength(item), Leaf.score(leaf, i));
    }
  }
  return bytes;
}
