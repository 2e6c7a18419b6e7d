// Sparse slabs. Deletions leave slabs of few blocks each; where the blocks of many fit into notably fewer, those with
// the least are set aside: nothing is taken from them any more, whoever knows where all blocks are moves them
// (defrag.ts), and a page that is empty goes back.
import { CLASS, CLASS_ROOM, CLASS_SIZE, CLASS_SLAB, Place, USED, alloc, classes, free, sizeOf } from "./heap";
import { Aside, forgetAside, markAside, nextAside } from "./heapaside";
import { KIND, PAGE, Page, SLAB, link, unlink } from "./heappages";

/** Blocks moved since the counter was read last. */
let movedCount: u32 = 0;

/**
 * Moves a block away from a slab that is set aside; whoever points to it points to the new place from then on.
 * @returns where it stands: elsewhere, or where it stood
 */
export function relocate(block: usize): Place {
  const fresh = copyAway(block);
  if (fresh == 0) return block;
  free(block);
  return fresh;
}

/** A copy of a block that is to leave its slab, which the caller frees; 0 = it may stay, or there is no memory. */
export function copyAway(block: usize): usize {
  if (!Aside.has(block)) return 0;
  const size = sizeOf(block);
  const fresh = alloc(size);
  if (fresh == 0) return 0;
  memory.copy(fresh, block, size);
  movedCount++;
  return fresh;
}

/** How many blocks were moved since this was asked last. */
export function takeMovedCount(): u32 {
  const count = movedCount;
  movedCount = 0;
  return count;
}

/** Levels a slab's fullness is told in, and those below which it can be worth emptying. */
const LEVELS: u32 = 16;
const WORTH_LEVELS: u32 = 12;
/** Per class: of a level the slabs, then of a level the blocks in them, u32 each. */
const TALLY: usize = memory.data(16384);

abstract class Tally {
  @inline static slabs(index: u32, level: u32): usize {
    return TALLY + (((index << 5) + level) << 2);
  }
  @inline static blocks(index: u32, level: u32): usize {
    return TALLY + (((index << 5) + LEVELS + level) << 2);
  }
  /** How full a slab with room is. */
  @inline static level(record: usize): u32 {
    const room = load<u32>(CLASS_ROOM + ((<u32>load<u8>(record, CLASS)) << 2));
    return (<u32>load<u16>(record, USED) * LEVELS) / room;
  }
}

/**
 * Bytes in slabs that no block is in. Looks at every page: some tens of microseconds a GiB.
 */
export function sparseBytes(): f64 {
  let bytes: f64 = 0;
  for (let page = Page.first(); page < Page.end(); page += Page.span(page)) {
    const record = Page.record(page);
    if (load<u8>(record, KIND) != SLAB) continue;
    const size = load<u32>(CLASS_SIZE + ((<u32>load<u8>(record, CLASS)) << 2));
    bytes += <f64>(PAGE - <u32>load<u16>(record, USED) * size);
  }
  return bytes;
}

/**
 * Sets aside the slabs whose blocks fit into notably fewer; returns how many. Slabs set aside before are no longer.
 * The host has the blocks moved (defrag.ts), and calls this again or `endAside`.
 */
export function beginAside(): u32 {
  endAside();
  memory.fill(TALLY, 0, classes << 7);
  for (let page = Page.first(); page < Page.end(); page += Page.span(page)) {
    const record = Page.record(page);
    if (!hasBlocksAndRoom(record)) continue;
    const index = <u32>load<u8>(record, CLASS);
    const level = Tally.level(record);
    const slabs = Tally.slabs(index, level);
    const blocks = Tally.blocks(index, level);
    store<u32>(slabs, load<u32>(slabs) + 1);
    store<u32>(blocks, load<u32>(blocks) + load<u16>(record, USED));
  }
  // From here on of a class's first word: the level below which its slabs are set aside.
  for (let index: u32 = 0; index < classes; index++) store<u32>(Tally.slabs(index, 0), worthLevel(index));
  let count: u32 = 0;
  for (let page = Page.first(); page < Page.end(); page += Page.span(page)) {
    const record = Page.record(page);
    if (!hasBlocksAndRoom(record)) continue;
    if (Tally.level(record) >= load<u32>(Tally.slabs(load<u8>(record, CLASS), 0))) continue;
    setAside(page, record);
    count++;
  }
  return count;
}

/** Slabs still set aside can be taken from again. */
export function endAside(): void {
  for (let page = nextAside(0); page != 0; page = nextAside(page)) {
    const record = Page.record(page);
    forgetAside(page);
    link(CLASS_SLAB + ((<u32>load<u8>(record, CLASS)) << 2), page, record);
  }
}

function hasBlocksAndRoom(record: usize): bool {
  if (load<u8>(record, KIND) != SLAB) return false;
  const inUse = <u32>load<u16>(record, USED);
  return inUse != 0 && inUse < load<u32>(CLASS_ROOM + ((<u32>load<u8>(record, CLASS)) << 2));
}

/** The highest level such that emptying all slabs below it saves a third of them or more; 0 = there is none. */
function worthLevel(index: u32): u32 {
  const room = load<u32>(CLASS_ROOM + (index << 2));
  let slabs: u32 = 0;
  let blocks: u32 = 0;
  for (let level: u32 = 0; level < LEVELS; level++) {
    slabs += load<u32>(Tally.slabs(index, level));
    blocks += load<u32>(Tally.blocks(index, level));
  }
  let keptRoom: u32 = 0;
  for (let level = LEVELS; level > 0; level--) {
    if (level <= WORTH_LEVELS && slabs != 0) {
      const rest = blocks - min(blocks, keptRoom);
      if ((slabs - (rest + room - 1) / room) * 3 >= slabs) return level;
    }
    const atLevel = load<u32>(Tally.slabs(index, level - 1));
    const blocksAtLevel = load<u32>(Tally.blocks(index, level - 1));
    slabs -= atLevel;
    blocks -= blocksAtLevel;
    keptRoom += atLevel * room - blocksAtLevel;
  }
  return 0;
}

function setAside(page: u32, record: usize): void {
  unlink(CLASS_SLAB + ((<u32>load<u8>(record, CLASS)) << 2), record);
  markAside(page);
}
