// An entry: one key with its value, one block of the heap.
//
//   | word u32 | keyLength u8 | unused u8 | valueLength u16 |       8 bytes, or when a length does not fit:
//   | word u32 | keyLength u32 | valueLength u32 |                  12 bytes, `wide`
//   | expireAtMs f64 |                                              only when `expires`
//   | key bytes | value bytes | room to grow |
//
//   word: | type 3 | encoding 3 | expires 1 | wide 1 | access clock 24 |     (lowest bits first)
//
// A string's value is its bytes, or eight bytes holding the integer it spells (ENCODING_INT). Other types keep their
// small encodings in the same place, or a pointer to what outgrew it: `dispose` (lazyfree.ts) gives all of it back.
import { ENCODING_INT, STATE_ACCESS_CLOCK, STATE_LFU, TYPE_STRING } from "./abi";
import { Bytes, equal } from "./bytes";
import { usedAfter } from "./frequency";
import { alloc, sizeOf } from "./heap";
import { render, width } from "./integers";

const EXPIRES: u32 = 1 << 6;
const WIDE: u32 = 1 << 7;
const NARROW_KEY: u32 = 255;
const NARROW_VALUE: u32 = 65535;

export abstract class Entry {
  @inline static type(entry: usize): u32 {
    return load<u8>(entry) & 7;
  }
  @inline static encoding(entry: usize): u32 {
    return (load<u8>(entry) >> 3) & 7;
  }
  @inline static setEncoding(entry: usize, encoding: u32): void {
    store<u8>(entry, (load<u8>(entry) & ~0x38) | (encoding << 3));
  }
  @inline static expires(entry: usize): bool {
    return (load<u8>(entry) & EXPIRES) != 0;
  }
  @inline static isWide(entry: usize): bool {
    return (load<u8>(entry) & WIDE) != 0;
  }
  /** Unix milliseconds; only of an entry that expires. */
  @inline static expireAt(entry: usize): f64 {
    return load<f64>(entry + (Entry.isWide(entry) ? 12 : 8));
  }
  @inline static setExpireAt(entry: usize, atMs: f64): void {
    store<f64>(entry + (Entry.isWide(entry) ? 12 : 8), atMs);
  }
  @inline static keyLength(entry: usize): u32 {
    return Entry.isWide(entry) ? load<u32>(entry, 4) : load<u8>(entry, 4);
  }
  @inline static valueLength(entry: usize): u32 {
    return Entry.isWide(entry) ? load<u32>(entry, 8) : load<u16>(entry, 6);
  }
  /** The new length must fit the entry's form; see `fits`. */
  @inline static setValueLength(entry: usize, length: u32): void {
    assert(hasRoomFor(entry, length), "a value longer than its entry");
    if (Entry.isWide(entry)) store<u32>(entry, length, 8);
    else store<u16>(entry, <u16>length, 6);
  }
  /** Bytes before the key: 8, 12, 16 or 20, by the two bits that choose the form. */
  @inline static headLength(entry: usize): u32 {
    const form = <u32>load<u8>(entry);
    return 8 + ((form & EXPIRES) >> 3) + ((form & WIDE) >> 5);
  }
  @inline static key(entry: usize): usize {
    return entry + Entry.headLength(entry);
  }
  @inline static value(entry: usize): usize {
    return Entry.key(entry) + Entry.keyLength(entry);
  }
  /** The integer of a string that is kept as one. */
  @inline static integer(entry: usize): i64 {
    return load<i64>(Entry.value(entry));
  }
  @inline static clock(entry: usize): u32 {
    return load<u32>(entry) >> 8;
  }
  @inline static setClock(entry: usize, clock: u32): void {
    store<u32>(entry, (load<u32>(entry) & 0xff) | (clock << 8));
  }
  /** It is as new as one made now. */
  @inline static stamp(entry: usize): void {
    Entry.setClock(entry, load<u32>(STATE_ACCESS_CLOCK));
  }
  /** It is being used. */
  @inline static touch(entry: usize): void {
    if (load<u32>(STATE_LFU) == 0) Entry.stamp(entry);
    else Entry.setClock(entry, usedAfter(Entry.clock(entry)));
  }
  /** It takes another's place: what uses were counted are its own. */
  @inline static inherit(entry: usize, from: usize): void {
    if (load<u32>(STATE_LFU) != 0) Entry.setClock(entry, Entry.clock(from));
  }
  @inline static hasKey(entry: usize, key: usize, length: u32): bool {
    return Entry.keyLength(entry) == length && equal(Entry.key(entry), key, length);
  }
}

/** Bytes an entry of this shape takes. */
export function entrySize(keyLength: u32, valueLength: u32, expires: bool): u32 {
  const wide = keyLength > NARROW_KEY || valueLength > NARROW_VALUE;
  return (wide ? 12 : 8) + (expires ? 8 : 0) + keyLength + valueLength;
}

/**
 * A new entry, stamped with the access clock; its value's bytes are for the caller to write. 0 = no memory.
 * @param room bytes to keep for the value, at least `valueLength`
 * @param expireAtMs 0 = never
 */
export function createEntry(
  key: usize,
  keyLength: u32,
  type: u32,
  encoding: u32,
  valueLength: u32,
  room: u32,
  expireAtMs: f64,
): usize {
  const expires = expireAtMs != 0;
  const entry = alloc(entrySize(keyLength, room, expires));
  if (entry == 0) return 0;
  // The room decides the form, so that the value can grow into it.
  const wide = keyLength > NARROW_KEY || room > NARROW_VALUE;
  const form = type | (encoding << 3) | (expires ? EXPIRES : 0) | (wide ? WIDE : 0);
  store<u32>(entry, form | (load<u32>(STATE_ACCESS_CLOCK) << 8));
  if (wide) {
    store<u32>(entry, keyLength, 4);
    store<u32>(entry, valueLength, 8);
  } else {
    store<u32>(entry, keyLength | (valueLength << 16), 4);
  }
  if (expires) Entry.setExpireAt(entry, expireAtMs);
  Bytes.copy(Entry.key(entry), key, keyLength);
  return entry;
}

/** Whether a value of `length` bytes can replace the entry's in place. */
export function hasRoomFor(entry: usize, length: u32): bool {
  if (length > NARROW_VALUE && !Entry.isWide(entry)) return false;
  return Entry.headLength(entry) + Entry.keyLength(entry) + length <= sizeOf(entry);
}

/** Where the bytes of a string begin; an integer is written out in `scratch` (room for 20 bytes). */
export function stringBytes(entry: usize, scratch: usize): usize {
  if (Entry.encoding(entry) != ENCODING_INT) return Entry.value(entry);
  render(Entry.integer(entry), scratch);
  return scratch;
}

/** Length of a string as its readers see it. */
export function stringLength(entry: usize): u32 {
  return Entry.encoding(entry) == ENCODING_INT ? width(Entry.integer(entry)) : Entry.valueLength(entry);
}

export function isString(entry: usize): bool {
  return Entry.type(entry) == TYPE_STRING;
}
