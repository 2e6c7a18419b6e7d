// The allocator, and the only caller of memory.grow.
//
// Memory is handed out in pages of 64 KiB. A small block lives in a slab: one page of blocks of one size class. A
// large block is a run of whole pages. What is known about a page stands outside of it, in the page map, so that
// finding a block's slab is a shift and blocks of 64 n bytes begin on a cache line:
//
//   page record (32 bytes)
//   | kind u8 | class u8 | used u16 | free u32 | bump u32 | prev u32 | next u32 | unused 12 |
//     slab:      class, blocks in use, first freed block, where never-used room begins, list of slabs with room
//     large run: `free` = length in pages, at its first page
//     free run:  `free` = length in pages, at its first and last page; list of runs of about that length
//
// Room that was never used is left untouched, so the process is charged for what is in use only. Nothing traps:
// what cannot be had is 0.
import { STATE_MEMORY_LIMIT } from "./abi";
import { grown } from "./env";
import { releaseWaiting } from "./lazyfree";

const PAGE_SHIFT: u32 = 16;
const PAGE: u32 = 65536;
const MAX_PAGES: u32 = 65535;
const MAP_PAGES: u32 = 32;
/** Blocks given back at a time when there is no room and deleted things wait. */
const RECLAIM_STEP: u32 = 1024;
/** The longest block that shares a page with others. */
const SMALL_LIMIT: u32 = 32768;
const FINE_LIMIT: u32 = 1024;

const INSIDE: u8 = 0;
const SLAB: u8 = 1;
const LARGE: u8 = 2;
const FREE: u8 = 3;

const KIND: usize = 0;
const CLASS: usize = 1;
const USED: usize = 2;
const FIRST: usize = 4;
const BUMP: usize = 8;
const PREV: usize = 12;
const NEXT: usize = 16;

const CLASS_SIZE: usize = memory.data(256);
const CLASS_ROOM: usize = memory.data(256);
/** First slab with room, per class. */
const CLASS_SLAB: usize = memory.data(256);
/** Size to class: by 8 bytes up to FINE_LIMIT, then by 64. */
const FINE: usize = memory.data(136);
const COARSE: usize = memory.data(520);
/** First free run, per power of two of its length. */
const RUNS: usize = memory.data(68);

let map: usize = 0;
/** Pages of memory in all, and those no block has ever been in (they end memory). */
let pages: u32 = 0;
let freePages: u32 = 0;
let used: u64 = 0;

abstract class Page {
  @inline static record(page: u32): usize {
    return map + ((<usize>page) << 5);
  }
  @inline static of(ptr: usize): u32 {
    return <u32>(ptr >> PAGE_SHIFT);
  }
}

/** Bytes in blocks that are in use. */
export function usedBytes(): f64 {
  return <f64>used;
}

export function initHeap(): void {
  let count: u32 = 0;
  let size: u32 = 8;
  while (size <= FINE_LIMIT) {
    addClass(count++, size);
    size += size < 128 ? 8 : 1 << (28 - clz(size));
  }
  // Beyond, as many blocks as fit a page, ever fewer; whole cache lines.
  for (let blocks: u32 = 56; blocks >= 2;) {
    addClass(count++, (PAGE / blocks) & ~63);
    blocks -= blocks > 40 ? 6 : blocks > 28 ? 4 : blocks > 18 ? 3 : blocks > 12 ? 2 : 1;
  }
  const base = <u32>((__heap_base + (PAGE - 1)) >> PAGE_SHIFT);
  map = (<usize>base) << PAGE_SHIFT;
  const first = base + MAP_PAGES;
  pages = <u32>memory.size();
  if (pages < first) {
    memory.grow(first - pages);
    pages = first;
    grown();
  }
  if (pages > first) addRun(first, pages - first);
}

function addClass(index: u32, size: u32): void {
  store<u32>(CLASS_SIZE + (index << 2), size);
  store<u32>(CLASS_ROOM + (index << 2), PAGE / size);
  if (size <= FINE_LIMIT) {
    for (let i = size >> 3; i > 0 && load<u8>(FINE + i) == 0; i--) store<u8>(FINE + i, <u8>index);
  } else {
    for (let i = size >> 6; i > 0 && load<u8>(COARSE + i) == 0; i--) store<u8>(COARSE + i, <u8>index);
  }
}

abstract class Class {
  @inline static of(size: u32): u32 {
    return size <= FINE_LIMIT ? load<u8>(FINE + ((size + 7) >> 3)) : load<u8>(COARSE + ((size + 63) >> 6));
  }
}

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
  return block;
}

export function free(ptr: usize): void {
  const page = Page.of(ptr);
  const record = Page.record(page);
  if (load<u8>(record, KIND) == LARGE) {
    const length = load<u32>(record, FIRST);
    used -= (<u64>length) << PAGE_SHIFT;
    return addRun(page, length);
  }
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
    unlink(head, record);
    addRun(page, 1);
  }
}

/** The size of a block: what was asked for, rounded up to its class. */
export function sizeOf(ptr: usize): u32 {
  const record = Page.record(Page.of(ptr));
  if (load<u8>(record, KIND) == LARGE) return load<u32>(record, FIRST) << PAGE_SHIFT;
  return load<u32>(CLASS_SIZE + ((<u32>load<u8>(record, CLASS)) << 2));
}

/** The block with its first `keep` bytes, at least `size` long; 0 when there is no room, and `ptr` lives on. */
export function resize(ptr: usize, keep: u32, size: u32): usize {
  if (roundUp(size) == sizeOf(ptr)) return ptr;
  if (size > SMALL_LIMIT && sizeOf(ptr) > SMALL_LIMIT && resizeRun(Page.of(ptr), size)) return ptr;
  const moved = alloc(size);
  if (moved == 0) return 0;
  memory.copy(moved, ptr, keep);
  free(ptr);
  return moved;
}

/** Whether blocks of `small` bytes in all, and large ones of `large` bytes in all, could be had for certain. */
export function hasRoom(small: f64, large: f64): bool {
  while (!hasRoomNow(small, large)) if (!releaseWaiting(RECLAIM_STEP)) return hasRoomNow(small, large);
  return true;
}

function hasRoomNow(small: f64, large: f64): bool {
  const growable = <f64>(pageLimit() - min(pages, pageLimit()));
  const needSmall = small / 60000 + 8;
  const needLarge = large / <f64>PAGE;
  return growable >= needLarge + max(0, needSmall - <f64>freePages);
}

function pageLimit(): u32 {
  const limit = load<f64>(STATE_MEMORY_LIMIT) / <f64>PAGE;
  return limit > 0 && limit < <f64>MAX_PAGES ? <u32>limit : MAX_PAGES;
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

/** Makes a large block longer or shorter where it stands; false when what follows it is taken. */
function resizeRun(page: u32, size: u32): bool {
  const record = Page.record(page);
  const had = load<u32>(record, FIRST);
  const length = pagesFor(size);
  if (length < had) {
    addRun(page + length, had - length);
  } else {
    const after = page + had;
    const more = length - had;
    if (after < pages && load<u8>(Page.record(after), KIND) != FREE) return false;
    const run = after < pages ? load<u32>(Page.record(after), FIRST) : 0;
    if (run < more) {
      if (after + run != pages || !growBy(more)) return false;
    }
    const found = load<u32>(Page.record(after), FIRST);
    removeRun(after);
    if (found > more) addRun(after + more, found - more);
  }
  store<u32>(record, length, FIRST);
  used += ((<u64>length) << PAGE_SHIFT) - ((<u64>had) << PAGE_SHIFT);
  return true;
}

function pagesFor(size: u32): u32 {
  return (size >> PAGE_SHIFT) + <u32>((size & (PAGE - 1)) != 0);
}

/** A run of `length` pages cut off a free one; 0 when there is none and memory cannot grow. */
function takePages(length: u32): u32 {
  let page = findRun(length);
  while (page == 0) {
    if (growBy(length)) {
      page = pages - load<u32>(Page.record(pages - 1), FIRST);
    } else {
      const hasMore = releaseWaiting(RECLAIM_STEP);
      page = findRun(length);
      if (page == 0 && !hasMore) return 0;
    }
  }
  const found = load<u32>(Page.record(page), FIRST);
  removeRun(page);
  if (found > length) addRun(page + length, found - length);
  return page;
}

function findRun(length: u32): u32 {
  // Runs of the same power of two may be too short; any of the next is long enough.
  let bin: u32 = 31 - clz(length);
  let page = load<u32>(RUNS + (bin << 2));
  for (let tries = 0; page != 0 && tries < 16; tries++) {
    const record = Page.record(page);
    if (load<u32>(record, FIRST) >= length) return page;
    page = load<u32>(record, NEXT);
  }
  for (bin++; bin <= 16; bin++) {
    page = load<u32>(RUNS + (bin << 2));
    if (page != 0) return page;
  }
  return 0;
}

/**
 * Grows memory so that it ends in `length` free pages, where that is allowed. By a quarter at least: pages cost
 * nothing before they are used, but each growth costs the host new views.
 */
function growBy(length: u32): bool {
  const limit = pageLimit();
  let need = length;
  const last = Page.record(pages - 1);
  if (load<u8>(last, KIND) == FREE) need -= min(need, load<u32>(last, FIRST));
  if (pages + need > limit) return false;
  const step = min(max(need, min(max(pages >> 2, 64), 4096)), limit - pages);
  if (memory.grow(step) < 0) return false;
  const from = pages;
  pages += step;
  addRun(from, step);
  grown();
  return true;
}

/** Gives a run back, joined with free neighbours. */
function addRun(page: u32, length: u32): void {
  let first = page;
  let count = length;
  freePages += length;
  const after = page + length;
  if (after < pages && load<u8>(Page.record(after), KIND) == FREE) {
    const run = load<u32>(Page.record(after), FIRST);
    unlinkRun(after, run);
    count += run;
  }
  const before = Page.record(page - 1);
  if (load<u8>(before, KIND) == FREE) {
    const run = load<u32>(before, FIRST);
    first = page - run;
    unlinkRun(first, run);
    count += run;
  }
  // Pages inside a run say nothing; only its ends may be asked.
  store<u8>(Page.record(page), INSIDE, KIND);
  store<u8>(Page.record(after - 1), INSIDE, KIND);
  markRun(first, count, FREE);
  link(RUNS + ((31 - clz(count)) << 2), first, Page.record(first));
}

function removeRun(page: u32): void {
  const length = load<u32>(Page.record(page), FIRST);
  unlinkRun(page, length);
  freePages -= length;
}

function unlinkRun(page: u32, length: u32): void {
  unlink(RUNS + ((31 - clz(length)) << 2), Page.record(page));
  markRun(page, length, INSIDE);
}

function markRun(page: u32, length: u32, kind: u8): void {
  const head = Page.record(page);
  const tail = Page.record(page + length - 1);
  store<u8>(head, kind, KIND);
  store<u32>(head, length, FIRST);
  store<u8>(tail, kind, KIND);
  store<u32>(tail, length, FIRST);
}

function link(head: usize, page: u32, record: usize): void {
  const next = load<u32>(head);
  store<u32>(record, 0, PREV);
  store<u32>(record, next, NEXT);
  if (next != 0) store<u32>(Page.record(next), page, PREV);
  store<u32>(head, page);
}

function unlink(head: usize, record: usize): void {
  const prev = load<u32>(record, PREV);
  const next = load<u32>(record, NEXT);
  if (prev != 0) store<u32>(Page.record(prev), next, NEXT);
  else store<u32>(head, next);
  if (next != 0) store<u32>(Page.record(next), prev, PREV);
  store<u32>(record, 0, PREV);
  store<u32>(record, 0, NEXT);
}
