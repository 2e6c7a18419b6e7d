// A sorted set as its readers see it, whichever of two shapes it has:
//
//   ENCODING_LISTPACK   the value is a listpack of pairs (zsetpack.ts)
//   ENCODING_SKIPLIST   the value is | table record, 16 bytes | tree record, 8 bytes |: items by member (members.ts), whose
//                       payload is the score, and the same items in order (scoretree.ts)
//
// A sorted set is opened before it is read. Ranks are the common ground: bounds become ranks, and a walk starts at one.
import { ENCODING_LISTPACK, TYPE_ZSET } from "./abi";
import { Entry } from "./entry";
import { Item } from "./item";
import { Listpack, seekElement } from "./listpack";
import { elementLength, elementPtr, readText } from "./listpackelement";
import { countMembers, findMember } from "./members";
import { Leaf, TREE_RECORD } from "./scorenode";
import { foundCell, foundLeaf, searchLex, searchMember, searchScore, seekRank } from "./scoresearch";
import { TABLE_RECORD } from "./tablerecord";
import { Pack, comparePacked, findPacked, packedScore } from "./zsetpack";

/** Bytes of the value of a big sorted set. */
export const ZSET_RECORD: u32 = TABLE_RECORD + TREE_RECORD;

/** The sorted set that is open: its listpack or its record. */
let value: usize = 0;
let isPacked: bool = true;

/** The cell at hand. */
export let cellMember: usize = 0;
export let cellLength: u32 = 0;
export let cellScore: f64 = 0;

/** What `findScore` found. */
export let foundScore: f64 = 0;
/** Where it stands: in the listpack, or its item. */
export let foundPlace: usize = 0;

/** Where the walk is: an address in the listpack, or a leaf and an index. */
let place: usize = 0;
let index: u32 = 0;

export abstract class Zset {
  @inline static is(entry: usize): bool {
    return Entry.type(entry) == TYPE_ZSET;
  }
  @inline static open(entry: usize): void {
    value = Entry.value(entry);
    isPacked = Entry.encoding(entry) == ENCODING_LISTPACK;
  }
  /** Opens a record that stands in no entry. */
  @inline static openRecord(record: usize): void {
    value = record;
    isPacked = false;
  }
  @inline static isPacked(): bool {
    return isPacked;
  }
  @inline static tree(record: usize): usize {
    return record + TABLE_RECORD;
  }
  @inline static count(): u32 {
    return isPacked ? Pack.count(value) : countMembers(value);
  }
}

/** Looks a member up: its score is then `foundScore`, its place `foundPlace`. */
export function findScore(member: usize, length: u32): bool {
  if (isPacked) {
    foundPlace = findPacked(value, member, length);
    if (foundPlace != 0) foundScore = packedScore(foundPlace);
  } else {
    foundPlace = findMember(value, member, length);
    if (foundPlace != 0) foundScore = Item.score(foundPlace);
  }
  return foundPlace != 0;
}

/** How many members come before the one just found. */
export function rankOfFound(member: usize, length: u32): u32 {
  if (!isPacked) return searchMember(Zset.tree(value), foundScore, member, length, false);
  let rank: u32 = 0;
  for (let at = Listpack.first(value); at != foundPlace; at = Pack.next(at)) rank++;
  return rank;
}

/** How many members have a score below this one, or at most this one. */
export function rankOfScore(score: f64, isPast: bool): u32 {
  if (!isPacked) return searchScore(Zset.tree(value), score, isPast);
  let rank: u32 = 0;
  for (let at = Listpack.first(value); !Listpack.isEnd(at); at = Pack.next(at)) {
    const other = packedScore(at);
    if (isPast ? other > score : other >= score) break;
    rank++;
  }
  return rank;
}

/** How many members come before this one by their bytes, itself included when `isPast`; all scores are the same. */
export function rankOfLex(member: usize, length: u32, isPast: bool): u32 {
  if (!isPacked) return searchLex(Zset.tree(value), member, length, isPast);
  let rank: u32 = 0;
  for (let at = Listpack.first(value); !Listpack.isEnd(at); at = Pack.next(at)) {
    const order = comparePacked(at, member, length);
    if (isPast ? order > 0 : order >= 0) break;
    rank++;
  }
  return rank;
}

/** Goes to the cell of a rank, which is below the count. */
export function seekCell(rank: u32): void {
  if (isPacked) {
    place = seekElement(value, rank << 1, Pack.count(value) << 1);
  } else {
    seekRank(Zset.tree(value), rank);
    place = foundLeaf;
    index = foundCell;
  }
}

/** Makes the cell the walk is at the one at hand. A member that is a number stands in a scratch until the next. */
export function readCell(): void {
  if (isPacked) {
    cellScore = packedScore(place);
    readText(place);
    cellMember = elementPtr;
    cellLength = elementLength;
  } else {
    const item = Leaf.item(place, index);
    cellScore = Leaf.score(place, index);
    cellMember = Item.key(item);
    cellLength = Item.keyLength(item);
  }
}

/** Goes to the next cell; there is one. */
export function nextCell(): void {
  if (isPacked) {
    place = Pack.next(place);
  } else if (++index == Leaf.count(place)) {
    place = Leaf.next(place);
    index = 0;
  }
}

/** Goes to the cell before; there is one. */
export function previousCell(): void {
  if (isPacked) {
    place = Pack.previous(place);
  } else if (index != 0) {
    index--;
  } else {
    place = Leaf.previous(place);
    index = Leaf.count(place) - 1;
  }
}
