// The item of a hash: a field with its value, as item.ts lays them out.
//
//   | key length, 1 or 5 bytes | field | value length, 1 or 5 bytes | value |
import { Bytes } from "./bytes";
import { free, roundUp, sizeOf } from "./heap";
import { Item, Length, createItem, itemSize } from "./item";
import { findMember, insertMember, replaceMember } from "./members";

/** Bytes a value takes in an item. */
export function payloadSize(length: u32): u32 {
  return Length.size(length) + length;
}

/** Writes a value behind the field of an item that has room for it. */
export function writePayload(item: usize, value: usize, length: u32): void {
  Bytes.copy(Length.write(Item.payload(item), length), value, length);
}

/** Whether the last `setItem` added a field. */
export let itemIsNew: bool = false;

/** Sets a field in a table of such items; false = no memory, nothing changed. */
export function setItem(record: usize, field: usize, fieldLength: u32, value: usize, length: u32): bool {
  const payload = payloadSize(length);
  const old = findMember(record, field, fieldLength);
  itemIsNew = old == 0;
  if (old != 0 && roundUp(itemSize(fieldLength, payload)) == sizeOf(old)) {
    writePayload(old, value, length);
    return true;
  }
  const fresh = createItem(field, fieldLength, payload);
  if (fresh == 0) return false;
  writePayload(fresh, value, length);
  if (old != 0) {
    replaceMember(fresh);
    free(old);
    return true;
  }
  if (insertMember(record, fresh)) return true;
  free(fresh);
  return false;
}
