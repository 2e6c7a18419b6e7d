// An intset: a small set of integers in Redis's own format, which memory, DUMP and replication share.
//
//   | bytes per integer u32: 2, 4 or 8 | count u32 | integers in ascending order |        all little-endian
//
// Every integer takes as many bytes as the one that needs most; an intset never goes back to fewer. All functions take
// the address of an intset; room for what is added is the caller's to provide.

/** Bytes before the integers. */
export const INTSET_HEAD: u32 = 8;

export abstract class Intset {
  @inline static width(set: usize): u32 {
    return load<u32>(set);
  }
  @inline static count(set: usize): u32 {
    return load<u32>(set, 4);
  }
  @inline static setCount(set: usize, count: u32): void {
    store<u32>(set, count, 4);
  }
  /** Makes an intset without integers of INTSET_HEAD bytes. */
  @inline static init(set: usize): void {
    store<u32>(set, 2);
    store<u32>(set, 0, 4);
  }
  /** Bytes of an intset. */
  @inline static bytes(count: u32, width: u32): u32 {
    return INTSET_HEAD + count * width;
  }
  /** Integer number `index`. */
  @inline static at(set: usize, index: u32): i64 {
    return readInteger(set + INTSET_HEAD, index, Intset.width(set));
  }
}

function readInteger(integers: usize, index: u32, width: u32): i64 {
  if (width == 2) return load<i16>(integers + (index << 1));
  if (width == 4) return load<i32>(integers + (index << 2));
  return load<i64>(integers + (index << 3));
}

function writeInteger(integers: usize, index: u32, width: u32, value: i64): void {
  if (width == 2) store<i16>(integers + (index << 1), <i16>value);
  else if (width == 4) store<i32>(integers + (index << 2), <i32>value);
  else store<i64>(integers + (index << 3), value);
}

/** Bytes an integer needs. */
export function intsetWidth(value: i64): u32 {
  if (value == <i64>(<i16>value)) return 2;
  return value == <i64>(<i32>value) ? 4 : 8;
}

/** Where `findInteger` ended: at the integer, or where it would go. */
export let integerIndex: u32 = 0;

/** Whether the set has an integer. */
export function findInteger(set: usize, value: i64): bool {
  const width = Intset.width(set);
  const integers = set + INTSET_HEAD;
  let low: u32 = 0;
  let high = Intset.count(set);
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = readInteger(integers, middle, width);
    if (found == value) {
      integerIndex = middle;
      return true;
    }
    if (found < value) low = middle + 1;
    else high = middle;
  }
  integerIndex = low;
  return false;
}

/** Bytes the set takes with one integer more. */
export function bytesWith(set: usize, value: i64): u32 {
  return Intset.bytes(Intset.count(set) + 1, max(Intset.width(set), intsetWidth(value)));
}

/** Adds an integer that is not there, at the index `findInteger` gave; there is room for `bytesWith`. */
export function insertInteger(set: usize, index: u32, value: i64): void {
  const count = Intset.count(set);
  const had = Intset.width(set);
  const width = max(had, intsetWidth(value));
  const integers = set + INTSET_HEAD;
  if (width == had) {
    const at = integers + index * width;
    memory.copy(at + width, at, (count - index) * width);
  } else {
    // From the last to the first, as what is read must not be overwritten before.
    for (let i = count; i-- > 0;) {
      writeInteger(integers, i < index ? i : i + 1, width, readInteger(integers, i, had));
    }
    store<u32>(set, width);
  }
  writeInteger(integers, index, width, value);
  Intset.setCount(set, count + 1);
}

/** Takes out integer number `index`; the set's last bytes are unused then. */
export function removeInteger(set: usize, index: u32): void {
  const width = Intset.width(set);
  const count = Intset.count(set) - 1;
  const at = set + INTSET_HEAD + index * width;
  memory.copy(at, at + width, (count - index) * width);
  Intset.setCount(set, count);
}

/** Puts another integer at `index`, where it must fit the width and the order. */
export function moveInteger(set: usize, index: u32, value: i64): void {
  writeInteger(set + INTSET_HEAD, index, Intset.width(set), value);
}

/** Whether bytes of unknown origin are an intset that holds anything. */
export function isIntset(ptr: usize, length: u32): bool {
  if (length < INTSET_HEAD) return false;
  const width = Intset.width(ptr);
  const count = Intset.count(ptr);
  if ((width != 2 && width != 4 && width != 8) || count == 0) return false;
  if (<u64>INTSET_HEAD + <u64>count * <u64>width != <u64>length) return false;
  for (let i: u32 = 1; i < count; i++) {
    if (Intset.at(ptr, i - 1) >= Intset.at(ptr, i)) return false;
  }
  return true;
}
