// The items drawn so far while different ones are wanted: a set of addresses by open addressing, half full at most.
//
//   | address u32 | address u32 | ...       0 = free
import { alloc, free } from "./heap";

let places: usize = 0;
let mask: u32 = 0;

export abstract class Sample {
  /** Makes ready for `size` addresses; false = no memory. */
  static begin(size: u32): bool {
    const count: u32 = 0x80000000 >> (clz(size | 1) - 2);
    places = alloc(count << 2);
    if (places == 0) return false;
    memory.fill(places, 0, count << 2);
    mask = count - 1;
    return true;
  }
  /** False = it is there already. */
  static add(address: usize): bool {
    // Blocks begin at multiples of eight; a multiplication spreads what is left.
    for (let i = (<u32>(address >> 3) * 0x9e3779b1) & mask; ; i = (i + 1) & mask) {
      const at = places + (i << 2);
      if (load<u32>(at) == <u32>address) return false;
      if (load<u32>(at) != 0) continue;
      store<u32>(at, <u32>address);
      return true;
    }
  }
  static end(): void {
    free(places);
  }
}
