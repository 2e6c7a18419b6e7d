// The chain of lines behind one bucket: looking through it, adding to its end, taking out of it.
//
// Where an element stands is told by the address of its *cell*, the word of a line that points to it. Lines begin at
// multiples of 64, so the cell tells its line as well.
import { Bucket, LANES, LINE, NEXT, TAGS, bucketOf } from "./bucket";
import { Element } from "./element";
import { alloc, free } from "./heap";

export abstract class Cell {
  @inline static of(line: usize, index: u32): usize {
    return line + (index << 2);
  }
  @inline static line(cell: usize): usize {
    return cell & ~63;
  }
  @inline static index(cell: usize): u32 {
    return ((<u32>cell) & 63) >> 2;
  }
  @inline static element(cell: usize): usize {
    return load<u32>(cell);
  }
  @inline static setElement(cell: usize, element: usize): void {
    store<u32>(cell, <u32>element);
  }
}

export abstract class Chain {
  /** The cell of a key in a table that has buckets; 0 = it is not there. */
  @inline static find(record: usize, hash: u64, key: usize, length: u32, isItem: bool): usize {
    let line = bucketOf(record, hash);
    const tag = Bucket.tagOf(hash);
    do {
      let matches = Bucket.matches(line, tag);
      while (matches != 0) {
        const cell = Cell.of(line, ctz(matches));
        if (Element.hasKey(Cell.element(cell), key, length, isItem)) return cell;
        matches &= matches - 1;
      }
      line = Bucket.next(line);
    } while (line != 0);
    return 0;
  }
}

/**
 * Appends to a chain, which gets a further line when it is full.
 * @param spare lines to take that from, chained by `next`; 0 = from the heap
 * @returns the line the element went to, 0 = no memory
 */
export function appendToChain(first: usize, element: usize, tag: u8, spare: usize): usize {
  let line = first;
  for (let next = Bucket.next(line); next != 0; next = Bucket.next(line)) line = next;
  const taken = Bucket.taken(line);
  if (taken != LANES) {
    Bucket.put(line, ctz(~taken), element, tag);
    return line;
  }
  const fresh = spare != 0 ? spare : alloc(LINE);
  if (fresh == 0) return 0;
  Bucket.clear(fresh);
  store<u32>(line, <u32>fresh, NEXT);
  Bucket.put(fresh, 0, element, tag);
  return fresh;
}

/** Whether the last `takeFromChain` gave back the last line of its chain. */
export let removedLine: bool = false;

/** Takes an element out of the chain that begins at `first`; the chain's last element fills the gap. */
export function takeFromChain(first: usize, cell: usize): usize {
  const element = Cell.element(cell);
  let last = first;
  let before: usize = 0;
  for (let next = Bucket.next(last); next != 0; next = Bucket.next(last)) {
    before = last;
    last = next;
  }
  const end = 31 - clz(Bucket.taken(last));
  Bucket.put(Cell.line(cell), Cell.index(cell), Bucket.entry(last, end), Bucket.tag(last, end));
  store<u8>(last + end, 0, TAGS);
  removedLine = end == 0 && before != 0;
  if (removedLine) {
    store<u32>(before, 0, NEXT);
    free(last);
  }
  return element;
}

/** How many elements a chain holds. */
export function chainLength(first: usize): u32 {
  let length: u32 = 0;
  for (let line = first; line != 0; line = Bucket.next(line)) length += <u32>popcnt(Bucket.taken(line));
  return length;
}
