// Slabs set aside: nothing is taken from them any more, and once empty their page goes back. heapsparse.ts chooses
// them.
//
// A slab set aside is in no list: its `prev` is ASIDE. And it has a bit in a map that fits the caches, since every
// block of the keyspace is looked up there.
import { PAGE_SHIFT, PREV, Page } from "./heappages";

export const ASIDE: u32 = 0xffffffff;
/** One bit a page: set aside. */
const MAP: usize = memory.data(8192);
const MAP_END: usize = MAP + 8192;

export abstract class Aside {
  /** Whether a small block stands in a slab that is set aside. (No large block does.) */
  @inline static has(ptr: usize): bool {
    return ((load<u8>(MAP + (ptr >> 19)) >> ((<u32>(ptr >> PAGE_SHIFT)) & 7)) & 1) != 0;
  }
}

/** Marks a slab that is in no list. */
export function markAside(page: u32): void {
  store<u32>(Page.record(page), ASIDE, PREV);
  const at = MAP + (page >> 3);
  store<u8>(at, load<u8>(at) | ((<u8>1) << ((<u8>page) & 7)));
}

/** Takes the mark away; the slab is in no list still. */
export function forgetAside(page: u32): void {
  store<u32>(Page.record(page), 0, PREV);
  const at = MAP + (page >> 3);
  store<u8>(at, load<u8>(at) & ~((<u8>1) << ((<u8>page) & 7)));
}

/** The first page at or behind `from` whose slab is set aside; 0 = there is none. */
export function nextAside(from: u32): u32 {
  let at = MAP + ((from >> 6) << 3);
  let bits = load<u64>(at) & (u64.MAX_VALUE << (from & 63));
  while (bits == 0) {
    at += 8;
    if (at == MAP_END) return 0;
    bits = load<u64>(at);
  }
  return <u32>((at - MAP) << 3) + <u32>ctz(bits);
}
