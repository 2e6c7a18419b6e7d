// A value that is being built out of sight: an entry no key leads to yet, which is put in place in one step in the end.
// There is one draft at hand at a time; who builds on one over several calls takes it up before and notes where it went.
//
// What changes the draft is true when done. Otherwise `draftProblem` says why, and the draft, whatever half of an
// element it may hold, can still be disposed of.
import { REFUSED_OUT_OF_MEMORY } from "./abi";
import { Entry, createEntry, entrySize, hasRoomFor } from "./entry";
import { free, roundUp, sizeOf } from "./heap";
import { RDB_PAYLOAD_DAMAGED } from "./rdbformat";

/** The draft at hand. */
export let draft: usize = 0;
/** REFUSED_OUT_OF_MEMORY or RDB_PAYLOAD_DAMAGED: what was to be added cannot be. */
export let draftProblem: i32 = 0;

export function takeUp(entry: usize): void {
  draft = entry;
}

/** What to return when there is no memory. */
export function noMemory(): bool {
  draftProblem = REFUSED_OUT_OF_MEMORY;
  return false;
}

/** What to return when bytes make no sense: a member that is there already, say. */
export function nonsense(): bool {
  draftProblem = RDB_PAYLOAD_DAMAGED;
  return false;
}

/** An entry of the same key with another value, whose bytes are for the caller to write; 0 = no memory. */
export function siblingOf(entry: usize, encoding: u32, length: u32, room: u32): usize {
  const expireAtMs = Entry.expires(entry) ? Entry.expireAt(entry) : 0;
  const type = Entry.type(entry);
  return createEntry(Entry.key(entry), Entry.keyLength(entry), type, encoding, length, room, expireAtMs);
}

/** Gives the value `length` bytes, at least as many as it has, and room for more of its kind. */
export function growDraft(length: u32): bool {
  if (hasRoomFor(draft, length)) {
    Entry.setValueLength(draft, length);
    return true;
  }
  const had = Entry.valueLength(draft);
  const encoding = Entry.encoding(draft);
  let fresh = siblingOf(draft, encoding, length, length + (length >> 1));
  if (fresh == 0) fresh = siblingOf(draft, encoding, length, length);
  if (fresh == 0) return noMemory();
  memory.copy(Entry.value(fresh), Entry.value(draft), had);
  replaceDraft(fresh);
  return true;
}

/** Gives back the room the value has not used, if it is worth it. */
export function trimDraft(): void {
  const length = Entry.valueLength(draft);
  if (roundUp(entrySize(Entry.keyLength(draft), length, Entry.expires(draft))) == sizeOf(draft)) return;
  const fresh = siblingOf(draft, Entry.encoding(draft), length, length);
  if (fresh == 0) return;
  memory.copy(Entry.value(fresh), Entry.value(draft), length);
  replaceDraft(fresh);
}

/** Gives the value other bytes, a copy of those at `ptr`. */
export function fillDraft(encoding: u32, ptr: usize, length: u32): bool {
  const fresh = siblingOf(draft, encoding, length, length);
  if (fresh == 0) return noMemory();
  memory.copy(Entry.value(fresh), ptr, length);
  replaceDraft(fresh);
  return true;
}

/** Takes up another entry; of the one before, only the block is given back. */
export function replaceDraft(fresh: usize): void {
  free(draft);
  draft = fresh;
}
