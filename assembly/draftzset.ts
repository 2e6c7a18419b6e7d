// Sorted sets as values under construction (draft.ts): always as a table and a tree, whatever order members come in and
// however many will follow. A small one becomes a listpack in the end, when it is known to be one.
import { ENCODING_LISTPACK, ENCODING_SKIPLIST } from "./abi";
import { parseDouble } from "./double";
import { draft, fillDraft, noMemory, nonsense, replaceDraft, siblingOf } from "./draft";
import { takeListpack } from "./draftlistpack";
import { Entry } from "./entry";
import { Item } from "./item";
import { Listpack } from "./listpack";
import { elementLength, elementPtr, readText } from "./listpackelement";
import { countMembers, findMember } from "./members";
import { Leaf } from "./scorenode";
import { foundLeaf, seekRank } from "./scoresearch";
import { ZSET_RECORD, Zset } from "./zset";
import { addToRecord, fitsPack, recordFrom, releaseRecord } from "./zsetchange";
import { Pack, comparePacked, packedScore } from "./zsetpack";
import { packRecord, packedBytes } from "./zsetresult";

/** A member's text, while the next one is read. */
const TEXT: usize = memory.data(24);
const LONGEST_INTEGER: u32 = 20;

/** Adds a member that is not there. */
export function addScored(ptr: usize, length: u32, score: f64): bool {
  const record = Entry.value(draft);
  if (score != score || findMember(record, ptr, length) != 0) return nonsense();
  return addToRecord(record, ptr, length, score) || noMemory();
}

/** Makes a listpack from outside the value: pairs of members and scores, in order. */
export function takeScoredListpack(lp: usize, bytes: u32): bool {
  if (!takeListpack(lp, bytes, true)) return false;
  const own = Entry.value(draft);
  if (!isInOrder(own)) return nonsense();
  return fitsPack(Pack.count(own), 0) || spreadScored();
}

function isInOrder(lp: usize): bool {
  let before: usize = 0;
  for (let at = Listpack.first(lp); !Listpack.isEnd(at); at = Pack.next(at)) {
    readText(Pack.scoreOf(at));
    if (!parseDouble(elementPtr, elementLength) || (before != 0 && !isBehind(at, before))) return false;
    before = at;
  }
  return true;
}

/** Whether the pair at `at` sorts behind another. */
function isBehind(at: usize, before: usize): bool {
  const score = packedScore(at);
  const other = packedScore(before);
  if (score != other) return score > other;
  readText(before);
  // The digits of an integer do not outlast the next reading.
  const isShort = elementLength <= LONGEST_INTEGER;
  if (isShort) memory.copy(TEXT, elementPtr, elementLength);
  return comparePacked(at, isShort ? TEXT : elementPtr, elementLength) > 0;
}

/** Makes a listpack, which is in order and has no member twice, a table and a tree. */
function spreadScored(): bool {
  const record = recordFrom(Entry.value(draft));
  if (record == 0) return noMemory();
  if (fillDraft(ENCODING_SKIPLIST, record, ZSET_RECORD)) return true;
  releaseRecord(record);
  return false;
}

/** Makes a small sorted set a listpack. */
export function settleScored(): bool {
  if (Entry.encoding(draft) != ENCODING_SKIPLIST) return true;
  const record = Entry.value(draft);
  const count = countMembers(record);
  if (!fitsPack(count, 0) || !fitsPack(count, longestMember(record))) return true;
  const bytes = packedBytes(record);
  const fresh = siblingOf(draft, ENCODING_LISTPACK, bytes, bytes);
  if (fresh == 0) return noMemory();
  packRecord(record, Entry.value(fresh), bytes);
  releaseRecord(record);
  replaceDraft(fresh);
  return true;
}

function longestMember(record: usize): u32 {
  let longest: u32 = 0;
  seekRank(Zset.tree(record), 0);
  for (let leaf = foundLeaf; leaf != 0; leaf = Leaf.next(leaf)) {
    for (let i: u32 = 0; i < Leaf.count(leaf); i++)
      longest = max(longest, Item.keyLength(Leaf.item(leaf, i)));
  }
  return longest;
}
