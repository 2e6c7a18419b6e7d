// What handlers in TypeScript do with fields of hashes; see access.ts.
import { REFUSED_OUT_OF_MEMORY, REFUSED_WRONG_TYPE, STATE_RESULT_LENGTH, STATE_RESULT_PTR } from "./abi";
import { slotOf } from "./crc16";
import { lookup, lookupWrite } from "./expiry";
import { putField } from "./hashcreate";
import { findField, isHash, readValue, textLength, textPtr } from "./hashvalue";

/** 1 = the result is the field's value, 0 = no such field, or a REFUSED_ code. Leaves no trace. */
export function fieldOf(key: usize, length: u32, field: usize, fieldLength: u32): i32 {
  const entry = lookup(slotOf(key, length), key, length);
  if (entry == 0) return 0;
  if (!isHash(entry)) return REFUSED_WRONG_TYPE;
  const place = findField(entry, field, fieldLength);
  if (place == 0) return 0;
  readValue(entry, place);
  store<u32>(STATE_RESULT_PTR, <u32>textPtr);
  store<u32>(STATE_RESULT_LENGTH, textLength);
  return 1;
}

/** Sets a field of a hash, which is made if need be; 1 or a REFUSED_ code. */
export function setField(
  key: usize,
  keyLength: u32,
  field: usize,
  fieldLength: u32,
  value: usize,
  length: u32,
): i32 {
  const slot = slotOf(key, keyLength);
  const entry = lookupWrite(slot, key, keyLength);
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  const done = putField(slot, key, keyLength, entry, field, fieldLength, value, length);
  return done ? 1 : REFUSED_OUT_OF_MEMORY;
}
