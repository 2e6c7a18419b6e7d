// Runs of bytes: copying and comparing. Most keys and values are short, and the bulk instruction costs a call,
// so short runs go word by word; the last word overlaps the one before instead of a byte loop.

export abstract class Bytes {
  /** Copies `length` bytes between runs that do not overlap. */
  @inline static copy(to: usize, from: usize, length: u32): void {
    if (length > 128) memory.copy(to, from, length);
    else copyShort(to, from, length);
  }
}

function copyShort(to: usize, from: usize, length: u32): void {
  if (length >= 16) {
    const last = length - 16;
    for (let i: u32 = 0; i < last; i += 16) v128.store(to + i, v128.load(from + i));
    v128.store(to + last, v128.load(from + last));
  } else if (length >= 8) {
    store<u64>(to, load<u64>(from));
    store<u64>(to + length - 8, load<u64>(from + length - 8));
  } else if (length >= 4) {
    store<u32>(to, load<u32>(from));
    store<u32>(to + length - 4, load<u32>(from + length - 4));
  } else {
    for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
  }
}

export function equal(a: usize, b: usize, length: u32): bool {
  if (length >= 8) {
    const last = length - 8;
    for (let i: u32 = 0; i < last; i += 8) {
      if (load<u64>(a + i) != load<u64>(b + i)) return false;
    }
    return load<u64>(a + last) == load<u64>(b + last);
  }
  if (length >= 4) {
    if (load<u32>(a) != load<u32>(b)) return false;
    return load<u32>(a + length - 4) == load<u32>(b + length - 4);
  }
  for (let i: u32 = 0; i < length; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
  }
  return true;
}

/** Less than, equal to or greater than 0 as one run of bytes sorts before, with or behind another. */
export function compare(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
  const length = min(aLength, bLength);
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) {
    const x = load<u64>(a + i);
    const y = load<u64>(b + i);
    if (x == y) continue;
    // The lowest byte comes first: the lowest bit that differs lies in the byte that decides.
    const shift = ctz(x ^ y) & 56;
    return <i32>((x >> shift) & 255) - <i32>((y >> shift) & 255);
  }
  for (; i < length; i++) {
    const order = <i32>load<u8>(a + i) - <i32>load<u8>(b + i);
    if (order != 0) return order;
  }
  return aLength < bLength ? -1 : i32(aLength > bLength);
}
