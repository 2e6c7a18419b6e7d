// Linear memory in pages of 64 KiB: which of them are taken, and runs of them; the only caller of memory.grow.
//
// What is known about a page stands outside of it, in the page map, so that finding a block's page is a shift:
//
//   page record (32 bytes)
//   | kind u8 | class u8 | used u16 | free u32 | bump u32 | prev u32 | next u32 | touched u8 | unused 11 |
//     slab:      as heap.ts says
//     large run: `free` = length in pages, at its first page
//     free run:  `free` = length in pages, at its first and last page; list of runs of about that length
//     inside of a run: nothing but `touched` means anything
//
// A page that was taken once is `touched`: the system keeps memory for it. In a free run that is memory for nothing,
// which `takeIdle` finds for the host to give back; pages never taken, and those given back, cost nothing.
import { STATE_MEMORY_LIMIT, STATE_RESULT_LENGTH, STATE_RESULT_PTR } from "./abi";
import { grown } from "./env";
import { reclaim } from "./shortage";

export const PAGE_SHIFT: u32 = 16;
export const PAGE: u32 = 65536;
const MAX_PAGES: u32 = 65535;
const MAP_PAGES: u32 = 32;

const INSIDE: u8 = 0;
export const SLAB: u8 = 1;
export const LARGE: u8 = 2;
export const FREE: u8 = 3;

export const KIND: usize = 0;
export const FIRST: usize = 4;
export const PREV: usize = 12;
export const NEXT: usize = 16;
const TOUCHED: usize = 20;

/** First free run, per power of two of its length. */
const RUNS: usize = memory.data(68);

let map: usize = 0;
/** The first page there is anything to say of. */
let firstPage: u32 = 0;
/** Pages of memory in all, those in free runs, and those of them that are touched. */
let pages: u32 = 0;
let freePages: u32 = 0;
let idlePages: u32 = 0;
/** Where `takeIdle` goes on. */
let idleCursor: u32 = 0;

export abstract class Page {
  @inline static record(page: u32): usize {
    return map + ((<usize>page) << 5);
  }
  @inline static of(ptr: usize): u32 {
    return <u32>(ptr >> PAGE_SHIFT);
  }
  @inline static start(page: u32): usize {
    return (<usize>page) << PAGE_SHIFT;
  }
  @inline static first(): u32 {
    return firstPage;
  }
  @inline static end(): u32 {
    return pages;
  }
  /** Pages from `page` on that are one thing: the length of a run, 1 for a slab. */
  @inline static span(page: u32): u32 {
    const record = Page.record(page);
    return load<u8>(record, KIND) >= LARGE ? load<u32>(record, FIRST) : 1;
  }
}

export function initPages(): void {
  const base = <u32>((__heap_base + (PAGE - 1)) >> PAGE_SHIFT);
  map = Page.start(base);
  firstPage = base + MAP_PAGES;
  pages = <u32>memory.size();
  if (pages < firstPage) {
    memory.grow(firstPage - pages);
    pages = firstPage;
    grown();
  }
  if (pages > firstPage) addRun(firstPage, pages - firstPage);
  idleCursor = firstPage;
}

/** Bytes in pages that hold blocks. */
export function activeBytes(): f64 {
  return <f64>(pages - freePages) * <f64>PAGE;
}

/** Bytes in pages that hold nothing but that the system keeps memory for. */
export function idleBytes(): f64 {
  return <f64>idlePages * <f64>PAGE;
}

/**
 * Takes up to `limit` pages side by side that are idle off the count of those the system keeps memory for, and leaves
 * them as the result; the host gives them back at once, before anything else runs. False = there are none.
 */
export function takeIdle(limit: u32): bool {
  if (idlePages == 0) return false;
  for (let rounds = 0; rounds < 2; rounds++) {
    while (idleCursor < pages) {
      const page = idleCursor;
      const length = Page.span(page);
      if (load<u8>(Page.record(page), KIND) == FREE && takeIdleOf(page, length, limit)) return true;
      idleCursor = page + length;
    }
    idleCursor = firstPage;
  }
  return false;
}

function takeIdleOf(page: u32, length: u32, limit: u32): bool {
  const end = page + length;
  let from = page;
  while (from < end && !isTouched(from)) from++;
  let to = from;
  for (; to < end && to - from < limit && isTouched(to); to++) store<u8>(Page.record(to), 0, TOUCHED);
  if (to == from) return false;
  idlePages -= to - from;
  store<u32>(STATE_RESULT_PTR, <u32>Page.start(from));
  store<u32>(STATE_RESULT_LENGTH, (to - from) << PAGE_SHIFT);
  return true;
}

function isTouched(page: u32): bool {
  return load<u8>(Page.record(page), TOUCHED) != 0;
}

/** By how many pages memory may grow, and how many free ones there are, wherever they stand. */
export function growablePages(): u32 {
  return pageLimit() - min(pages, pageLimit());
}

export function freePageCount(): u32 {
  return freePages;
}

function pageLimit(): u32 {
  const limit = load<f64>(STATE_MEMORY_LIMIT) / <f64>PAGE;
  return limit > 0 && limit < <f64>MAX_PAGES ? <u32>limit : MAX_PAGES;
}

/** Makes a large run longer or shorter where it stands; false when what follows it is taken. */
export function resizeRun(page: u32, length: u32): bool {
  const record = Page.record(page);
  const had = load<u32>(record, FIRST);
  if (length < had) {
    giveRun(page + length, had - length);
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
    touch(after, more);
    if (found > more) addRun(after + more, found - more);
  }
  store<u32>(record, length, FIRST);
  return true;
}

/** A run of `length` pages cut off a free one; 0 when there is none and memory cannot grow. */
export function takePages(length: u32): u32 {
  let page = findRun(length);
  while (page == 0) {
    if (growBy(length)) {
      page = pages - load<u32>(Page.record(pages - 1), FIRST);
    } else {
      const hasMore = reclaim();
      page = findRun(length);
      if (page == 0 && !hasMore) return 0;
    }
  }
  const found = load<u32>(Page.record(page), FIRST);
  removeRun(page);
  touch(page, length);
  if (found > length) addRun(page + length, found - length);
  return page;
}

/** Gives pages back that were taken. */
export function giveRun(page: u32, length: u32): void {
  idlePages += length;
  addRun(page, length);
}

/** Adds a free run, joined with free neighbours. */
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
  // A walk over runs must not come to lie inside of one.
  if (idleCursor > first && idleCursor < first + count) idleCursor = first;
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

/** Pages that have just left their free run are taken, so the system keeps memory for them. */
function touch(page: u32, length: u32): void {
  for (let i = page; i < page + length; i++) {
    const record = Page.record(i);
    idlePages -= <u32>load<u8>(record, TOUCHED);
    store<u8>(record, 1, TOUCHED);
  }
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

/** Puts a page at the front of the list whose first is at `head`. */
export function link(head: usize, page: u32, record: usize): void {
  const next = load<u32>(head);
  store<u32>(record, 0, PREV);
  store<u32>(record, next, NEXT);
  if (next != 0) store<u32>(Page.record(next), page, PREV);
  store<u32>(head, page);
}

export function unlink(head: usize, record: usize): void {
  const prev = load<u32>(record, PREV);
  const next = load<u32>(record, NEXT);
  if (prev != 0) store<u32>(Page.record(prev), next, NEXT);
  else store<u32>(head, next);
  if (next != 0) store<u32>(Page.record(next), prev, PREV);
  store<u32>(record, 0, PREV);
  store<u32>(record, 0, NEXT);
}
