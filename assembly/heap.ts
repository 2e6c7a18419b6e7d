// The allocator: blocks in pages of 64 KiB. A small block lives in a slab: one page of blocks of one size class, of
// which blocks of 64 n bytes begin on a cache line. A large block is a run of whole pages. heappages.ts has the pages;
// of a slab its record says
//
//   | kind u8 | class u8 | used u16 | free u32 | bump u32 | prev u32 | next u32 | … |
//     class, blocks in use, first freed block, where never-used room begins, list of slabs with room
//
// Room that was never used is left untouched, so the process is charged for what is in use only. Nothing traps:
// what cannot be had is 0.
//
// Slabs of few blocks each can be set aside (heapsparse.ts), to be emptied and given back.
import { ASIDE, forgetAside } from "./heapaside";
import {
  FIRST,
  KIND,
  LARGE,
  NEXT,
  PAGE,
  PAGE_SHIFT,
  PREV,
  Page,
  SLAB,
  freePageCount,
  giveRun,
  growablePages,
  initPages,
  link,
  resizeRun,
  takePages,
  unlink,
} from "./heappages";
import { reclaim } from "./shortage";

/** The longest block that shares a page with others. */
const SMALL_LIMIT: u32 = 32768;
const FINE_LIMIT: u32 = 1024;
/** Bytes of blocks that a page takes at least, whatever their class. */
const PACKED: u32 = 60000;
/** Pages for what comes along with the blocks asked for: a bucket, a record, a note of an event. */
const SPARE_PAGES: u32 = 4;
/** Sizes up to here come in steps of 4 bytes, then of an eighth. */
const FINEST: u32 = 64;
/**
 * In between, where small collections are, of a sixteenth. Not everywhere: each class may take a page that it fills but
 * partly, and what a request needs at most is reckoned so.
 */
const FINER_FROM: u32 = 128;
const FINER_TO: u32 = 512;

/** What the debug engine fills new blocks and freed ones with, up to so many bytes of each. */
const UNWRITTEN: u8 = 0xcd;
const FREED: u8 = 0xdd;
const FREED_MARK: u64 = 0x9e3779b97f4a7c15;
const MARKED: u32 = 4096;

export const CLASS: usize = 1;
export const USED: usize = 2;
export const BUMP: usize = 8;

export const CLASS_SIZE: usize = memory.data(512);
export const CLASS_ROOM: usize = memory.data(512);
/** First slab with room, per class. */
export const CLASS_SLAB: usize = memory.data(512);
/** Size to class: by 4 bytes up to FINE_LIMIT, then by 64. */
const FINE: usize = memory.data(264);
const COARSE: usize = memory.data(520);

let used: u64 = 0;
/** How many size classes there are, at most 128. */
export let classes: u32 = 0;
let fineEnd: u32 = 0;
let coarseEnd: u32 = (FINE_LIMIT >> 6) + 1;

/** Bytes in blocks that are in use. */
export function usedBytes(): f64 {
  return <f64>used;
}

export function initHeap(): void {
  let size: u32 = 8;
  while (size <= FINE_LIMIT) {
    addClass(size);
    size += step(size);
  }
  // Beyond, as many blocks as fit a page, ever fewer; whole cache lines.
  for (let blocks: u32 = 56; blocks >= 2;) {
    addClass((PAGE / blocks) & ~63);
    blocks -= blocks > 40 ? 6 : blocks > 28 ? 4 : blocks > 18 ? 3 : blocks > 12 ? 2 : 1;
  }
  initPages();
}

/** How much larger the next class is, up to FINE_LIMIT. */
function step(size: u32): u32 {
  if (size < FINEST) return 4;
  return 1 << ((size >= FINER_FROM && size < FINER_TO ? 27 : 28) - clz(size));
}

function addClass(size: u32): void {
  const index = classes++;
  store<u32>(CLASS_SIZE + (index << 2), size);
  store<u32>(CLASS_ROOM + (index << 2), PAGE / size);
  // From the sizes of the class before on.
  if (size <= FINE_LIMIT) {
    for (; fineEnd <= size >> 2; fineEnd++) store<u8>(FINE + fineEnd, <u8>index);
  } else {
    for (; coarseEnd <= size >> 6; coarseEnd++) store<u8>(COARSE + coarseEnd, <u8>index);
  }
}

abstract class Class {
  @inline static of(size: u32): u32 {
    return size <= FINE_LIMIT ? load<u8>(FINE + ((size + 3) >> 2)) : load<u8>(COARSE + ((size + 63) >> 6));
  }
}

/**
 * Where a block, or what stands in it, is after an operation that may have moved it; 0 = no memory, unless the function
 * says otherwise. Whoever had the old address goes on with this one. A test reads the sources for places that are
 * dropped, and for old addresses that are used again.
 */
export type Place = usize;

/** How many bytes a block for `size` bytes takes. */
export function roundUp(size: u32): u32 {
  if (size <= SMALL_LIMIT) return load<u32>(CLASS_SIZE + (Class.of(size) << 2));
  return (size + (PAGE - 1)) & ~(PAGE - 1);
}

/** A block of at least `size` bytes, 0 when there is no room. */
export function alloc(size: u32): usize {
  if (size > SMALL_LIMIT) return allocRun(size);
  const index = Class.of(size);
  let page = load<u32>(CLASS_SLAB + (index << 2));
  if (page == 0) {
    page = newSlab(index);
    // What was reclaimed on the way may be room in slabs of this very class.
    if (page == 0) page = load<u32>(CLASS_SLAB + (index << 2));
    if (page == 0) return 0;
  }
  const record = Page.record(page);
  const bytes = load<u32>(CLASS_SIZE + (index << 2));
  let block: usize = load<u32>(record, FIRST);
  if (block != 0) {
    store<u32>(record, load<u32>(block), FIRST);
  } else {
    const bump = load<u32>(record, BUMP);
    block = ((<usize>page) << PAGE_SHIFT) + bump;
    store<u32>(record, bump + bytes, BUMP);
  }
  const inUse = <u32>load<u16>(record, USED) + 1;
  store<u16>(record, <u16>inUse, USED);
  if (inUse == load<u32>(CLASS_ROOM + (index << 2))) unlink(CLASS_SLAB + (index << 2), record);
  used += bytes;
  if (!ASC_NO_ASSERT) memory.fill(block, UNWRITTEN, min(bytes, MARKED));
  return block;
}

export function free(ptr: usize): void {
  const page = Page.of(ptr);
  const record = Page.record(page);
  if (load<u8>(record, KIND) == LARGE) {
    assert(ptr == Page.start(page), "what is given back is inside of a block");
    const length = load<u32>(record, FIRST);
    used -= (<u64>length) << PAGE_SHIFT;
    return giveRun(page, length);
  }
  if (!ASC_NO_ASSERT) markFreed(ptr, record);
  const index = <u32>load<u8>(record, CLASS);
  const head = CLASS_SLAB + (index << 2);
  store<u32>(ptr, load<u32>(record, FIRST));
  store<u32>(record, <u32>ptr, FIRST);
  const inUse = <u32>load<u16>(record, USED);
  store<u16>(record, <u16>(inUse - 1), USED);
  used -= load<u32>(CLASS_SIZE + (index << 2));
  if (inUse == load<u32>(CLASS_ROOM + (index << 2))) {
    link(head, page, record);
  } else if (inUse == 1 && load<u32>(record, PREV) + load<u32>(record, NEXT) != 0) {
    // Empty, and not the only one with room: the page goes back. (The last is kept, or a block taken and given
    // back again and again would take and give back a page each time.)
    if (load<u32>(record, PREV) == ASIDE) forgetAside(page);
    else unlink(head, record);
    giveRun(page, 1);
  }
}

/** In the debug engine: refuses what is no block in use, and leaves a mark that shows in whatever reads it still. */
function markFreed(ptr: usize, record: usize): void {
  const size = load<u32>(CLASS_SIZE + ((<u32>load<u8>(record, CLASS)) << 2));
  const offset = (<u32>ptr) & (PAGE - 1);
  assert(load<u8>(record, KIND) == SLAB && offset % size == 0, "what is given back is no block");
  assert(
    offset < load<u32>(record, BUMP) && load<u16>(record, USED) != 0,
    "what is given back was never taken",
  );
  assert(size < 16 || load<u64>(ptr, 8) != FREED_MARK, "what is given back was given back before");
  memory.fill(ptr, FREED, min(size, MARKED));
  if (size >= 16) store<u64>(ptr, FREED_MARK, 8);
}

/** The size of a block: what was asked for, rounded up to its class. */
export function sizeOf(ptr: usize): u32 {
  const record = Page.record(Page.of(ptr));
  if (load<u8>(record, KIND) == LARGE) return load<u32>(record, FIRST) << PAGE_SHIFT;
  return load<u32>(CLASS_SIZE + ((<u32>load<u8>(record, CLASS)) << 2));
}

/** The block with its first `keep` bytes, at least `size` long; 0 when there is no room, and `ptr` lives on. */
export function resize(ptr: usize, keep: u32, size: u32): Place {
  if (roundUp(size) == sizeOf(ptr)) return ptr;
  if (size > SMALL_LIMIT && sizeOf(ptr) > SMALL_LIMIT && resizeLarge(ptr, size)) return ptr;
  const moved = alloc(size);
  if (moved == 0) return 0;
  memory.copy(moved, ptr, keep);
  free(ptr);
  return moved;
}

/** Whether blocks of `small` bytes in all, and large ones of `large` bytes in all, could be had for certain. */
export function hasRoom(small: f64, large: f64): bool {
  while (!hasRoomNow(small, large)) if (!reclaim()) return hasRoomNow(small, large);
  return true;
}

function hasRoomNow(small: f64, large: f64): bool {
  const needLarge = large / <f64>PAGE;
  const needSmall = small / <f64>PACKED + <f64>SPARE_PAGES - <f64>freePageCount();
  const growable = <f64>growablePages();
  if (growable >= needLarge + max(0, needSmall + <f64>classes)) return true;
  return growable >= needLarge + max(0, needSmall + <f64>classesOf(small));
}

/** Into how many size classes blocks of so many bytes in all can fall: each may need a page it fills but partly. */
function classesOf(bytes: f64): u32 {
  let index: u32 = 0;
  for (let left = bytes; index < classes; index++) {
    left -= <f64>load<u32>(CLASS_SIZE + (index << 2));
    if (left < 0) break;
  }
  return index;
}

function newSlab(index: u32): u32 {
  const page = takePages(1);
  if (page == 0) return 0;
  const record = Page.record(page);
  store<u8>(record, SLAB, KIND);
  store<u8>(record, <u8>index, CLASS);
  store<u16>(record, 0, USED);
  store<u32>(record, 0, FIRST);
  store<u32>(record, 0, BUMP);
  link(CLASS_SLAB + (index << 2), page, record);
  return page;
}

function allocRun(size: u32): usize {
  const length = pagesFor(size);
  const page = takePages(length);
  if (page == 0) return 0;
  const record = Page.record(page);
  store<u8>(record, LARGE, KIND);
  store<u32>(record, length, FIRST);
  used += (<u64>length) << PAGE_SHIFT;
  return (<usize>page) << PAGE_SHIFT;
}

function resizeLarge(ptr: usize, size: u32): bool {
  const had = sizeOf(ptr);
  if (!resizeRun(Page.of(ptr), pagesFor(size))) return false;
  used += <u64>sizeOf(ptr) - <u64>had;
  return true;
}

function pagesFor(size: u32): u32 {
  return (size >> PAGE_SHIFT) + <u32>((size & (PAGE - 1)) != 0);
}
