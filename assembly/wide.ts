// 64-bit numbers whose product, or dividend, takes 128 bits. WebAssembly has no such instructions: both go by halves.
const HALF: u64 = 0xffffffff;

/** Upper 64 bits of the last product. */
export let productHigh: u64 = 0;
/** What the last division left over. */
export let remainder: u64 = 0;

/** Lower 64 bits of a * b; the upper ones are left in `productHigh`. */
export function multiply(a: u64, b: u64): u64 {
  const low = (a & HALF) * (b & HALF);
  const left = (a >> 32) * (b & HALF) + (low >> 32);
  const right = (a & HALF) * (b >> 32) + (left & HALF);
  productHigh = (a >> 32) * (b >> 32) + (left >> 32) + (right >> 32);
  return (right << 32) | (low & HALF);
}

/** (high, low) / by, where `by` has its top bit set and high < by; the rest is left in `remainder`. */
export function divide(high: u64, low: u64, by: u64): u64 {
  const first = digit(high, low >> 32, by);
  const second = digit(remainder, low & HALF, by);
  return (first << 32) | second;
}

/** One 32-bit digit of a quotient: (rest, next) / by, by guessing with the divisor's upper half. */
function digit(rest: u64, next: u64, by: u64): u64 {
  const upper = by >> 32;
  const lower = by & HALF;
  let guess = rest / upper;
  let over = rest - guess * upper;
  // The guess is too high by two at most.
  while (guess > HALF || guess * lower > ((over << 32) | next)) {
    guess--;
    over += upper;
    if (over > HALF) break;
  }
  remainder = ((rest << 32) | next) - guess * by;
  return guess;
}
