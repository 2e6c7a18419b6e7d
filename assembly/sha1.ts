// SHA-1, in which Redis tells what a key or a whole data set holds (DEBUG DIGEST). No secret depends on it.

const BLOCK: u32 = 64;
/** Five words, in the order of the digest's bytes; the words of a block at hand; the last block or two. */
const STATE: usize = memory.data(20, 8);
const WORDS: usize = memory.data(320, 8);
const TAIL: usize = memory.data(128, 8);

abstract class Word {
  @inline static state(index: u32): u32 {
    return load<u32>(STATE + (index << 2));
  }
  @inline static add(index: u32, value: u32): void {
    store<u32>(STATE + (index << 2), Word.state(index) + value);
  }
}

/** Writes the 20 bytes of the digest to `target`. */
export function sha1(ptr: usize, length: u32, target: usize): void {
  store<u32>(STATE, 0x67452301);
  store<u32>(STATE, 0xefcdab89, 4);
  store<u32>(STATE, 0x98badcfe, 8);
  store<u32>(STATE, 0x10325476, 12);
  store<u32>(STATE, 0xc3d2e1f0, 16);
  const whole = length & ~(BLOCK - 1);
  for (let at: u32 = 0; at < whole; at += BLOCK) mixBlock(ptr + at);
  // The rest, a bit, zeros, and the length in bits: in one block if it fits, else in two.
  const rest = length - whole;
  const tail: u32 = rest < BLOCK - 8 ? BLOCK : BLOCK * 2;
  memory.fill(TAIL, 0, tail);
  memory.copy(TAIL, ptr + whole, rest);
  store<u8>(TAIL + rest, 0x80);
  store<u64>(TAIL + tail - 8, bswap((<u64>length) << 3));
  for (let at: u32 = 0; at < tail; at += BLOCK) mixBlock(TAIL + at);
  for (let i: u32 = 0; i < 5; i++) store<u32>(target + (i << 2), bswap(Word.state(i)));
}

function mixBlock(block: usize): void {
  for (let i: u32 = 0; i < 16; i++) store<u32>(WORDS + (i << 2), bswap(load<u32>(block + (i << 2))));
  for (let at = WORDS + 64; at < WORDS + 320; at += 4) {
    const mixed = load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64);
    store<u32>(at, rotl(mixed, 1));
  }
  let a = Word.state(0);
  let b = Word.state(1);
  let c = Word.state(2);
  let d = Word.state(3);
  let e = Word.state(4);
  for (let i: u32 = 0; i < 80; i++) {
    let choice: u32;
    if (i < 20) choice = ((b & c) | (~b & d)) + 0x5a827999;
    else if (i < 40) choice = (b ^ c ^ d) + 0x6ed9eba1;
    else if (i < 60) choice = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else choice = (b ^ c ^ d) + 0xca62c1d6;
    const next = rotl(a, 5) + choice + e + load<u32>(WORDS + (i << 2));
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = next;
  }
  Word.add(0, a);
  Word.add(1, b);
  Word.add(2, c);
  Word.add(3, d);
  Word.add(4, e);
}
