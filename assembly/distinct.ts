// Whether any of many short texts comes twice. Only their hashes are kept: two texts with the same 64 bits are taken
// for one, which nobody can bring about who does not know the seed.
//
//   a table of at least twice as many places of 8 bytes, 0 = free; a hash goes to the first free place from its own on
import { hashOf } from "./hash";
import { alloc, free } from "./heap";

/** Up to so many texts need no memory. */
const FEW: u32 = 32;
const FEW_PLACES: usize = memory.data(512);

let places: usize = FEW_PLACES;
let mask: u32 = 0;

/** To be followed by up to `count` texts; false = no memory. */
export function beginDistinct(count: u32): bool {
  const size: u32 = count <= FEW ? FEW * 2 : (<u32>1) << (33 - clz(count));
  if (count > FEW && count >= 1 << 28) return false;
  places = count <= FEW ? FEW_PLACES : alloc(size << 3);
  if (places == 0) return false;
  memory.fill(places, 0, size << 3);
  mask = size - 1;
  return true;
}

/** False = it was added before. */
export function addDistinct(ptr: usize, length: u32): bool {
  const hash = hashOf(ptr, length) | 1;
  let place = (<u32>(hash >> 32)) & mask;
  let there = load<u64>(places + ((<usize>place) << 3));
  while (there != 0 && there != hash) {
    place = (place + 1) & mask;
    there = load<u64>(places + ((<usize>place) << 3));
  }
  if (there == hash) return false;
  store<u64>(places + ((<usize>place) << 3), hash);
  return true;
}

export function endDistinct(): void {
  if (places != FEW_PLACES) free(places);
  places = FEW_PLACES;
}
