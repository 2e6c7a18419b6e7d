// Sets as values under construction (draft.ts).
import { ENCODING_HASHTABLE, ENCODING_INTSET, STATE_SET_MAX_INTSET } from "./abi";
import { draft, fillDraft, growDraft, noMemory, nonsense, replaceDraft, siblingOf } from "./draft";
import { Entry, dispose } from "./entry";
import { free } from "./heap";
import { parse, parsed, render } from "./integers";
import { INTSET_HEAD, Intset, bytesWith, findInteger, insertInteger, integerIndex, isIntset } from "./intset";
import { createItem } from "./item";
import { findMember, initMembers, insertMember } from "./members";
import { TABLE_RECORD } from "./tablerecord";

const DIGITS: usize = memory.data(24);

/** Adds a member that is not there. */
export function addToSet(ptr: usize, length: u32): bool {
  if (Entry.encoding(draft) == ENCODING_INTSET) {
    const set = Entry.value(draft);
    const isInteger = parse(ptr, length);
    if (isInteger && findInteger(set, parsed)) return nonsense();
    if (isInteger && Intset.count(set) < load<u32>(STATE_SET_MAX_INTSET)) return addInteger(parsed);
    if (!spreadSet()) return false;
  }
  const record = Entry.value(draft);
  if (findMember(record, ptr, length) != 0) return nonsense();
  return insertText(record, ptr, length) || noMemory();
}

/** Adds the integer that was just looked for. */
function addInteger(value: i64): bool {
  const index = integerIndex;
  if (!growDraft(bytesWith(Entry.value(draft), value))) return false;
  insertInteger(Entry.value(draft), index, value);
  return true;
}

function insertText(record: usize, ptr: usize, length: u32): bool {
  const item = createItem(ptr, length, 0);
  if (item == 0) return false;
  if (insertMember(record, item)) return true;
  free(item);
  return false;
}

/** Makes an intset a hashtable. */
function spreadSet(): bool {
  const fresh = siblingOf(draft, ENCODING_HASHTABLE, TABLE_RECORD, TABLE_RECORD);
  if (fresh == 0) return noMemory();
  initMembers(Entry.value(fresh));
  if (spreadIntegers(Entry.value(draft), Entry.value(fresh))) {
    replaceDraft(fresh);
    return true;
  }
  dispose(fresh);
  return noMemory();
}

function spreadIntegers(set: usize, record: usize): bool {
  const count = Intset.count(set);
  for (let i: u32 = 0; i < count; i++) {
    const length = render(Intset.at(set, i), DIGITS);
    findMember(record, DIGITS, length);
    if (!insertText(record, DIGITS, length)) return false;
  }
  return true;
}

/** Makes an intset from outside the value. */
export function takeIntset(set: usize, bytes: u32): bool {
  if (bytes == INTSET_HEAD && Intset.count(set) == 0) return true;
  if (!isIntset(set, bytes)) return nonsense();
  if (!fillDraft(ENCODING_INTSET, set, bytes)) return false;
  return Intset.count(Entry.value(draft)) <= load<u32>(STATE_SET_MAX_INTSET) || spreadSet();
}
