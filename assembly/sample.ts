// Things drawn at random of which none may come twice: the ones drawn, in order, and a hashtable to tell them by, half
// full at most.
//
//   | drawn u32, as many as are wanted | places u32, a power of two of them, 0 = free |
//
// Each is told by a number that is not 0: an item's address, or an index and one. There is one sample at a time.
import { alloc, free } from "./heap";

/** More are refused as if there were no memory. */
const MOST: u32 = 1 << 27;

let block: usize = 0;
let places: usize = 0;
let mask: u32 = 0;
let count: u32 = 0;

export abstract class Sample {
  /** Makes ready for `size` numbers; false = no memory. `end` must follow. */
  static begin(size: u32): bool {
    if (size > MOST) return false;
    const room: u32 = 0x80000000 >> (clz(size | 1) - 2);
    block = alloc((size + room) << 2);
    if (block == 0) return false;
    places = block + (size << 2);
    memory.fill(places, 0, room << 2);
    mask = room - 1;
    count = 0;
    return true;
  }
  static end(): void {
    free(block);
  }
  /** False = it is there already. */
  static add(token: usize): bool {
    const number = <u32>token;
    const place = placeOf(number);
    if (load<u32>(place) != 0) return false;
    store<u32>(place, number);
    store<u32>(block + (count << 2), number);
    count++;
    return true;
  }
  @inline static has(number: u32): bool {
    return load<u32>(placeOf(number)) != 0;
  }
  @inline static count(): u32 {
    return count;
  }
  /** Number `index` in the order they came. */
  @inline static at(index: u32): u32 {
    return load<u32>(block + (index << 2));
  }
}

/** Where a number stands, or would. */
function placeOf(number: u32): usize {
  // Addresses are multiples of four: the lowest bits of the product are no use.
  let i = (number * 0x9e3779b1) >> 4;
  let place = places + ((i & mask) << 2);
  while (load<u32>(place) != 0 && load<u32>(place) != number) place = places + ((++i & mask) << 2);
  return place;
}
