// SipHash-1-2 of keys, seeded by the host so that nobody outside can aim keys at one bucket.

let seed0: u64 = 0;
let seed1: u64 = 0;

export function seedHash(a: u32, b: u32, c: u32, d: u32): void {
  seed0 = ((<u64>a) << 32) | b;
  seed1 = ((<u64>c) << 32) | d;
}

export function hashOf(ptr: usize, length: u32): u64 {
  let v0 = seed0 ^ 0x736f6d6570736575;
  let v1 = seed1 ^ 0x646f72616e646f6d;
  let v2 = seed0 ^ 0x6c7967656e657261;
  let v3 = seed1 ^ 0x7465646279746573;
  const tail = length & 7;
  const end = ptr + length - tail;
  // Words of the key, then its last bytes under its length, then two rounds to finish: one round each.
  for (let step = 0, at = ptr; step < 3;) {
    let word: u64 = 0;
    if (at < end) {
      word = load<u64>(at);
      at += 8;
    } else if (step == 0) {
      word = ((<u64>length) << 56) | lastBytes(end, tail);
      step = 1;
    } else {
      if (step == 1) v2 ^= 0xff;
      step++;
    }
    v3 ^= word;
    v0 += v1;
    v1 = rotl(v1, 13) ^ v0;
    v0 = rotl(v0, 32);
    v2 += v3;
    v3 = rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotl(v1, 17) ^ v2;
    v2 = rotl(v2, 32);
    v0 ^= word;
  }
  return v0 ^ v1 ^ v2 ^ v3;
}

function lastBytes(ptr: usize, count: u32): u64 {
  let word: u64 = 0;
  let at = ptr;
  let shift: u64 = 0;
  if (count & 4) {
    word = load<u32>(at);
    at += 4;
    shift = 32;
  }
  if (count & 2) {
    word |= (<u64>load<u16>(at)) << shift;
    at += 2;
    shift += 16;
  }
  if (count & 1) word |= (<u64>load<u8>(at)) << shift;
  return word;
}
