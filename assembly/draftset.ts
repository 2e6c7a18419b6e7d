// Sets as values under construction (draft.ts).
import { ENCODING_HASHTABLE, ENCODING_INTSET } from "./abi";
import { draft, fillDraft, growDraft, noMemory, nonsense, replaceDraft, siblingOf } from "./draft";
import { Entry } from "./entry";
import { free } from "./heap";
import { INTSET_HEAD, Intset, bytesWith, findInteger, insertInteger, integerIndex, isIntset } from "./intset";
import { SetBuild, addToTable, mostIntegers } from "./setbuild";
import { Member } from "./setmember";
import { buildFrom } from "./setvalue";
import { TABLE_RECORD } from "./tablerecord";

/** Adds a member that is not there. */
export function addToSet(ptr: usize, length: u32): bool {
  Member.fromText(ptr, length);
  if (Entry.encoding(draft) == ENCODING_INTSET) {
    const set = Entry.value(draft);
    if (Member.isInteger()) {
      if (findInteger(set, Member.integer())) return nonsense();
      if (Intset.count(set) < mostIntegers()) return addInteger(Member.integer());
    }
    if (!spreadSet()) return false;
    Member.fromText(ptr, length);
  }
  const added = addToTable(Entry.value(draft));
  if (added == 1) return true;
  return added == 0 ? nonsense() : noMemory();
}

/** Adds the integer that was just looked for. */
function addInteger(value: i64): bool {
  const index = integerIndex;
  if (!growDraft(bytesWith(Entry.value(draft), value))) return false;
  insertInteger(Entry.value(draft), index, value);
  return true;
}

/** Makes an intset a hashtable. */
function spreadSet(): bool {
  const fresh = siblingOf(draft, ENCODING_HASHTABLE, TABLE_RECORD, TABLE_RECORD);
  if (fresh == 0) return noMemory();
  if (buildFrom(Entry.value(draft))) {
    SetBuild.moveTo(Entry.value(fresh));
    replaceDraft(fresh);
    return true;
  }
  free(fresh);
  return noMemory();
}

/** Makes an intset from outside the value. */
export function takeIntset(set: usize, bytes: u32): bool {
  if (bytes == INTSET_HEAD && Intset.count(set) == 0) return true;
  if (!isIntset(set, bytes)) return nonsense();
  if (!fillDraft(ENCODING_INTSET, set, bytes)) return false;
  return Intset.count(Entry.value(draft)) <= mostIntegers() || spreadSet();
}
