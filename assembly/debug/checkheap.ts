// The allocator's own bookkeeping: slabs with their free blocks, runs of pages, and whether an address is a block's.
import { BUMP, CLASS, CLASS_ROOM, CLASS_SIZE, CLASS_SLAB, USED } from "../heap";
import { FIRST, FREE, KIND, LARGE, NEXT, PAGE, PREV, Page, SLAB, freePageCount } from "../heappages";

/** Pages beyond which the heap is not walked. */
const MOST_PAGES: u32 = 16384;

/** Asserts that a block in use, or one that was given back, begins at an address. */
export function assertBlock(ptr: usize): void {
  const page = Page.of(ptr);
  assert(page >= Page.first() && page < Page.end(), "an address outside of the heap");
  const record = Page.record(page);
  const offset = <u32>(ptr - Page.start(page));
  if (load<u8>(record, KIND) == LARGE) {
    assert(offset == 0, "an address inside of a large block");
    return;
  }
  assert(load<u8>(record, KIND) == SLAB, "an address in a page that holds no blocks");
  const size = load<u32>(CLASS_SIZE + ((<u32>load<u8>(record, CLASS)) << 2));
  assert(offset % size == 0 && offset < load<u32>(record, BUMP), "an address inside of a small block");
}

/** Checks every page. */
export function checkHeap(): void {
  if (Page.end() > MOST_PAGES) return;
  let free: u32 = 0;
  for (let page = Page.first(); page < Page.end(); page += Page.span(page)) {
    const record = Page.record(page);
    const kind = load<u8>(record, KIND);
    if (kind == SLAB) {
      checkSlab(page, record);
      continue;
    }
    const length = load<u32>(record, FIRST);
    assert(length != 0 && page + length <= Page.end(), "a run of pages of no length");
    if (kind == FREE) {
      free += length;
      const last = Page.record(page + length - 1);
      assert(
        load<u8>(last, KIND) == FREE && load<u32>(last, FIRST) == length,
        "the ends of a free run differ",
      );
    } else {
      assert(kind == LARGE, "a page of no kind");
    }
  }
  assert(free == freePageCount(), "the count of free pages is wrong");
}

function checkSlab(page: u32, record: usize): void {
  const index = (<u32>load<u8>(record, CLASS)) << 2;
  const size = load<u32>(CLASS_SIZE + index);
  const bump = load<u32>(record, BUMP);
  assert(bump % size == 0 && bump <= PAGE, "a slab's unused room begins inside of a block");
  const made = bump / size;
  let given: u32 = 0;
  for (let block: usize = load<u32>(record, FIRST); block != 0; block = load<u32>(block)) {
    const offset = <u32>(block - Page.start(page));
    assert(Page.of(block) == page && offset % size == 0 && offset < bump, "a free block that is none");
    given++;
    assert(given <= made, "free blocks in a circle");
  }
  const used = <u32>load<u16>(record, USED);
  assert(used == made - given, "the count of a slab's blocks is wrong");
  const isListed =
    load<u32>(CLASS_SLAB + index) == page || load<u32>(record, PREV) != 0 || load<u32>(record, NEXT) != 0;
  const isFull = used == load<u32>(CLASS_ROOM + index);
  assert(isFull != isListed, "a slab with room is in no list, or a full one is in one");
}
