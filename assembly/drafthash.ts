// Hashes as values under construction (draft.ts).
import { ENCODING_HASHTABLE, ENCODING_LISTPACK, STATE_HASH_MAX_ENTRIES } from "./abi";
import { draft, fillDraft, noMemory, nonsense } from "./draft";
import { appendText } from "./draftlistpack";
import { Entry } from "./entry";
import { tableFrom } from "./hashconvert";
import { itemIsNew, setItem } from "./hashitem";
import { LISTPACK_LIMIT, countFields, isSmallPair } from "./hashvalue";
import { Listpack, findElement } from "./listpack";
import { releaseMembers } from "./members";
import { TABLE_RECORD } from "./tablerecord";

/** Adds a field that is not there. */
export function addField(field: usize, fieldLength: u32, value: usize, length: u32): bool {
  if (Entry.encoding(draft) == ENCODING_LISTPACK) {
    const lp = Entry.value(draft);
    if (findElement(Listpack.first(lp), field, fieldLength, 2) != 0) return nonsense();
    if (staysSmall(fieldLength, length)) return appendText(field, fieldLength) && appendText(value, length);
    if (!spreadHash()) return false;
  }
  if (!setItem(Entry.value(draft), field, fieldLength, value, length)) return noMemory();
  return itemIsNew || nonsense();
}

function staysSmall(fieldLength: u32, length: u32): bool {
  if (!isSmallPair(fieldLength, length, countFields(draft) + 1)) return false;
  return <u64>Entry.valueLength(draft) + fieldLength + length <= <u64>LISTPACK_LIMIT;
}

/** Makes a listpack, which has no field twice, a hashtable. */
function spreadHash(): bool {
  const record = tableFrom(Entry.value(draft));
  if (record == 0) return noMemory();
  if (fillDraft(ENCODING_HASHTABLE, record, TABLE_RECORD)) return true;
  assert(releaseMembers(record, u32.MAX_VALUE));
  return false;
}

/** Makes a listpack of more fields than such may have a hashtable. */
export function settleHash(): bool {
  if (Entry.encoding(draft) != ENCODING_LISTPACK) return true;
  return countFields(draft) <= load<u32>(STATE_HASH_MAX_ENTRIES) || spreadHash();
}
