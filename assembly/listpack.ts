// The listpack: a row of short elements in one run of bytes, in Redis's own format, so that what is held in memory is
// what DUMP, RDB files and replication carry.
//
//   | bytes u32 | count u16 | element | element | ... | 0xFF |
//
//   bytes   of all of it, header and 0xFF included
//   count   of the elements; 65535 = so many, or unknown: they must be walked
//   element | body | backlen |     what a body looks like: listpackelement.ts
//   backlen the length of the body, written so that it can be read from its end backwards
//
// Nothing here allocates. A change is made in two steps: how many bytes the new elements take is asked of
// `elementSize`, the caller makes room for `Listpack.bytes(lp) - had + size` bytes, and `replaceBytes` moves what
// follows; the new elements are then written with `writeElement`, one behind the other. A pair of a hash or a sorted
// set is two elements, and is put in with one move:
//
//   const size = elementSize(field, fieldLength) + elementSize(value, valueLength);
//   ... room for Listpack.bytes(lp) + size ...
//   const at = replaceBytes(lp, Listpack.end(lp), 0, size, 2);
//   writeElement(writeElement(at, field, fieldLength), value, valueLength);
//
// Positions are addresses: `at` is where an element begins, or where the 0xFF stands.
import { elementBytes, elementIs, seekText } from "./listpackelement";

export const LISTPACK_HEAD: u32 = 6;
/** Bytes of a listpack without elements. */
export const LISTPACK_EMPTY: u32 = 7;
const COUNT_UNKNOWN: u32 = 65535;
const END: u8 = 0xff;

export abstract class Listpack {
  @inline static bytes(lp: usize): u32 {
    return load<u32>(lp);
  }
  @inline static setBytes(lp: usize, bytes: u32): void {
    store<u32>(lp, bytes);
  }
  /** The header's count; 65535 = unknown. */
  @inline static countWord(lp: usize): u32 {
    return load<u16>(lp, 4);
  }
  @inline static setCountWord(lp: usize, count: u32): void {
    store<u16>(lp, <u16>min(count, COUNT_UNKNOWN), 4);
  }
  @inline static first(lp: usize): usize {
    return lp + LISTPACK_HEAD;
  }
  @inline static end(lp: usize): usize {
    return lp + load<u32>(lp) - 1;
  }
  @inline static isEnd(at: usize): bool {
    return load<u8>(at) == END;
  }
  @inline static isEmpty(lp: usize): bool {
    return load<u32>(lp) == LISTPACK_EMPTY;
  }
  @inline static next(at: usize): usize {
    assert(!Listpack.isEnd(at), "behind the end of a listpack");
    return at + elementBytes(at);
  }
  /** The element before `at`, which is not the first. */
  @inline static previous(at: usize): usize {
    const last = <u32>load<u8>(at - 1);
    return last < 128 ? at - 1 - last : previousFar(at);
  }
  /** The last element of a listpack that has some. */
  @inline static last(lp: usize): usize {
    return Listpack.previous(Listpack.end(lp));
  }
}

/** The element before `at` whose backlen takes several bytes: seven bits each, the lowest last. */
function previousFar(at: usize): usize {
  let body: u32 = 0;
  let shift: u32 = 0;
  let byte = at;
  let bits: u32;
  do {
    bits = load<u8>(--byte);
    body |= (bits & 127) << shift;
    shift += 7;
  } while (bits >= 128);
  return byte - body;
}

/** Makes the LISTPACK_EMPTY bytes at `lp` a listpack without elements. */
export function emptyListpack(lp: usize): void {
  store<u32>(lp, LISTPACK_EMPTY);
  store<u16>(lp, 0, 4);
  store<u8>(lp, END, 6);
}

/** Number of elements; walks them where the header does not say. */
export function listpackCount(lp: usize): u32 {
  const word = Listpack.countWord(lp);
  if (word != COUNT_UNKNOWN) return word;
  let count: u32 = 0;
  for (let at = Listpack.first(lp); !Listpack.isEnd(at); at = Listpack.next(at)) count++;
  Listpack.setCountWord(lp, count);
  return count;
}

/** The element `index`, which is below `count`, the number of elements: from whichever end is nearer. */
export function seekElement(lp: usize, index: u32, count: u32): usize {
  if (index <= count >> 1) return skipElements(Listpack.first(lp), index);
  let at = Listpack.end(lp);
  for (let left = count - index; left > 0; left--) at = Listpack.previous(at);
  return at;
}

/** The element `count` after `at`; there must be so many, or one less. */
export function skipElements(at: usize, count: u32): usize {
  let to = at;
  for (let left = count; left > 0; left--) to = Listpack.next(to);
  return to;
}

/**
 * Puts `size` bytes, not yet written, in the place of the `had` bytes at `at`, which are whole elements.
 * The block has room. `more` = elements there will be more (fewer: negative).
 * @returns `at`
 */
export function replaceBytes(lp: usize, at: usize, had: u32, size: u32, more: i32): usize {
  assert(at >= Listpack.first(lp) && at + had <= Listpack.end(lp), "outside of the listpack");
  const after = at + had;
  if (size != had) memory.copy(at + size, after, lp + Listpack.bytes(lp) - after);
  Listpack.setBytes(lp, Listpack.bytes(lp) - had + size);
  const word = Listpack.countWord(lp);
  if (word != COUNT_UNKNOWN) Listpack.setCountWord(lp, word + more);
  return at;
}

/**
 * The first element from `at` on that holds these bytes, looking at every `step`th: 1 = all, 2 = the fields of pairs.
 * @returns 0 = none
 */
export function findElement(at: usize, ptr: usize, length: u32, step: u32): usize {
  seekText(ptr, length);
  let here = at;
  while (!Listpack.isEnd(here)) {
    if (elementIs(here, ptr, length)) return here;
    here = skipElements(here, step);
  }
  return 0;
}
