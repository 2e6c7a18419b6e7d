// Sorted sets as values under construction (draft.ts): always as a hashtable and a tree, whatever order members come in
// and however many will follow. A small one becomes a listpack in the end, when it is known to be one.
import { ENCODING_LISTPACK, ENCODING_SKIPLIST, STATE_ZSET_MAX_ENTRIES, STATE_ZSET_MAX_VALUE } from "./abi";
import { compare } from "./bytes";
import { parseDouble, parsedDouble } from "./double";
import { renderDouble } from "./doubletext";
import { draft, growDraft, noMemory, nonsense, siblingOf, takeUp } from "./draft";
import { appendText, takeListpack } from "./draftlistpack";
import { Entry, dispose } from "./entry";
import { free } from "./heap";
import { Item, createItem } from "./item";
import { LISTPACK_EMPTY, Listpack, emptyListpack, listpackCount, replaceBytes } from "./listpack";
import { elementLength, elementPtr, integerSize, readText, writeInteger } from "./listpackelement";
import { countMembers, findMember, insertMember, removeMember } from "./members";
import { Leaf, TREE_RECORD } from "./scorenode";
import { foundLeaf, seekRank } from "./scoresearch";
import { insertCell } from "./scoretree";
import { TABLE_RECORD } from "./tablerecord";

export const ZSET_RECORD: u32 = TABLE_RECORD + TREE_RECORD;
/** Whole scores up to this stand in listpacks as integers. */
const WHOLE_LIMIT: f64 = 4611686018427387904;
const SCORE_TEXT: usize = memory.data(24);
/** A member that is compared with the next one; the text of an integer. */
const MEMBER_DIGITS: usize = memory.data(24);

/** Adds a member that is not there. */
export function addScored(ptr: usize, length: u32, score: f64): bool {
  const record = Entry.value(draft);
  if (score != score || findMember(record, ptr, length) != 0) return nonsense();
  return insertScored(record, ptr, length, score) || noMemory();
}

function insertScored(record: usize, ptr: usize, length: u32, score: f64): bool {
  const item = createItem(ptr, length, 8);
  if (item == 0) return false;
  Item.setScore(item, score);
  if (insertMember(record, item)) {
    if (insertCell(record + TABLE_RECORD, score, item)) return true;
    findMember(record, ptr, length);
    removeMember(record);
  }
  free(item);
  return false;
}

/** Makes a listpack from outside the value: pairs of members and scores, in order. */
export function takeScoredListpack(lp: usize, bytes: u32): bool {
  if (!takeListpack(lp, bytes, true)) return false;
  const own = Entry.value(draft);
  if (!isInOrder(own)) return nonsense();
  return listpackCount(own) >> 1 <= load<u32>(STATE_ZSET_MAX_ENTRIES) || spreadScored();
}

function isInOrder(lp: usize): bool {
  let before: f64 = -Infinity;
  let memberAt: usize = 0;
  for (let at = Listpack.first(lp); !Listpack.isEnd(at);) {
    const scoreAt = Listpack.next(at);
    readText(scoreAt);
    if (!parseDouble(elementPtr, elementLength)) return false;
    const score = parsedDouble;
    if (score < before || (score == before && memberAt != 0 && compareMembers(memberAt, at) >= 0))
      return false;
    before = score;
    memberAt = at;
    at = Listpack.next(scoreAt);
  }
  return true;
}

function compareMembers(a: usize, b: usize): i32 {
  readText(a);
  let ptr = elementPtr;
  const length = elementLength;
  if (length <= 20) {
    // What is read next may be written over it.
    memory.copy(MEMBER_DIGITS, ptr, length);
    ptr = MEMBER_DIGITS;
  }
  readText(b);
  return compare(ptr, length, elementPtr, elementLength);
}

/** Makes a listpack, which is in order and has no member twice, a hashtable and a tree. */
function spreadScored(): bool {
  const fresh = siblingOf(draft, ENCODING_SKIPLIST, ZSET_RECORD, ZSET_RECORD);
  if (fresh == 0) return noMemory();
  memory.fill(Entry.value(fresh), 0, ZSET_RECORD);
  const old = draft;
  takeUp(fresh);
  const lp = Entry.value(old);
  for (let at = Listpack.first(lp); !Listpack.isEnd(at); at = Listpack.next(Listpack.next(at))) {
    readText(Listpack.next(at));
    parseDouble(elementPtr, elementLength);
    readText(at);
    if (addScored(elementPtr, elementLength, parsedDouble)) continue;
    takeUp(old);
    dispose(fresh);
    return false;
  }
  free(old);
  return true;
}

/** Makes a small sorted set a listpack. */
export function settleScored(): bool {
  if (Entry.encoding(draft) != ENCODING_SKIPLIST) return true;
  const record = Entry.value(draft);
  const count = countMembers(record);
  if (count > load<u32>(STATE_ZSET_MAX_ENTRIES) || longestMember(record) > load<u32>(STATE_ZSET_MAX_VALUE))
    return true;
  const fresh = siblingOf(draft, ENCODING_LISTPACK, LISTPACK_EMPTY, LISTPACK_EMPTY);
  if (fresh == 0) return noMemory();
  emptyListpack(Entry.value(fresh));
  const old = draft;
  takeUp(fresh);
  if (gather(record)) {
    dispose(old);
    return true;
  }
  free(draft);
  takeUp(old);
  return false;
}

function longestMember(record: usize): u32 {
  let longest: u32 = 0;
  seekRank(record + TABLE_RECORD, 0);
  for (let leaf = foundLeaf; leaf != 0; leaf = Leaf.next(leaf)) {
    for (let i: u32 = 0; i < Leaf.count(leaf); i++)
      longest = max(longest, Item.keyLength(Leaf.item(leaf, i)));
  }
  return longest;
}

/** Appends all members to the listpack at hand. */
function gather(record: usize): bool {
  seekRank(record + TABLE_RECORD, 0);
  for (let leaf = foundLeaf; leaf != 0; leaf = Leaf.next(leaf)) {
    for (let i: u32 = 0; i < Leaf.count(leaf); i++) {
      const item = Leaf.item(leaf, i);
      if (!appendText(Item.key(item), Item.keyLength(item)) || !appendScore(Leaf.score(leaf, i)))
        return false;
    }
  }
  return true;
}

function appendScore(score: f64): bool {
  if (abs(score) > WHOLE_LIMIT || trunc(score) != score) {
    return appendText(SCORE_TEXT, renderDouble(score, SCORE_TEXT));
  }
  const size = integerSize(<i64>score);
  const had = Entry.valueLength(draft);
  if (!growDraft(had + size)) return false;
  const lp = Entry.value(draft);
  writeInteger(replaceBytes(lp, lp + had - 1, 0, size, 1), <i64>score);
  return true;
}
