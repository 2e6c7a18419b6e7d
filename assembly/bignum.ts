// Whole numbers of some thousand bits, for the doubles that 128 bits cannot read or print exactly.
//
// Two registers are all it takes: a dividend and a divisor, each | 32-bit words, lowest first |.

/** 128 words: 770 decimal digits, or the power of five that divides so many, take 90. */
const ROOM: u32 = 512;
const REGISTERS: usize = memory.data(1024);
/** 5^13, the greatest power of five in a word. */
const FIVES: u32 = 1220703125;
const FIVES_POWER: u32 = 13;

let dividendLength: u32 = 0;
let divisorLength: u32 = 0;

/** The registers, by number. */
export const DIVIDEND: u32 = 0;
export const DIVISOR: u32 = 1;

export abstract class Big {
  @inline static at(register: u32): usize {
    return REGISTERS + register * ROOM;
  }
  /** In words; the last is not zero. */
  @inline static length(register: u32): u32 {
    return register == DIVIDEND ? dividendLength : divisorLength;
  }
  @inline static setLength(register: u32, length: u32): void {
    if (register == DIVIDEND) dividendLength = length;
    else divisorLength = length;
  }
}

export function setBig(register: u32, value: u64): void {
  store<u64>(Big.at(register), value);
  Big.setLength(register, value == 0 ? 0 : value >> 32 == 0 ? 1 : 2);
}

/** register = register * by + more */
export function multiplyBig(register: u32, by: u32, more: u32): void {
  const at = Big.at(register);
  const length = Big.length(register);
  let carry: u64 = more;
  for (let i: u32 = 0; i < length; i++) {
    const word = at + (i << 2);
    carry += <u64>load<u32>(word) * <u64>by;
    store<u32>(word, <u32>carry);
    carry >>= 32;
  }
  if (carry == 0) return;
  store<u32>(at + (length << 2), <u32>carry);
  Big.setLength(register, length + 1);
}

/** register = register * 5^power */
export function multiplyFives(register: u32, power: u32): void {
  let rest = power;
  for (; rest >= FIVES_POWER; rest -= FIVES_POWER) multiplyBig(register, FIVES, 0);
  let by: u32 = 1;
  for (; rest > 0; rest--) by *= 5;
  if (by != 1) multiplyBig(register, by, 0);
}

/** register = register * 2^bits */
export function shiftBig(register: u32, bits: u32): void {
  const words = bits >> 5;
  multiplyBig(register, 1 << (bits & 31), 0);
  const length = Big.length(register);
  if (words == 0 || length == 0) return;
  const at = Big.at(register);
  memory.copy(at + (words << 2), at, length << 2);
  memory.fill(at, 0, words << 2);
  Big.setLength(register, length + words);
}

/** How many bits the number takes; it must not be zero. */
export function bitLength(register: u32): u32 {
  const length = Big.length(register);
  return (length << 5) - <u32>clz(load<u32>(Big.at(register) + ((length - 1) << 2)));
}

/**
 * dividend / divisor, which must be below 2^64; the rest stays in the dividend. Both are shifted on the way by the same
 * count of bits, so that the rest and the divisor can still be compared.
 * (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D.)
 */
export function divideBig(): u64 {
  const shift = <u32>clz(load<u32>(Big.at(DIVISOR) + ((divisorLength - 1) << 2)));
  shiftBig(DIVISOR, shift);
  shiftBig(DIVIDEND, shift);
  if (dividendLength < divisorLength) return 0;
  const at = Big.at(DIVIDEND);
  store<u32>(at + (dividendLength << 2), 0);
  let quotient: u64 = 0;
  for (let i = <i32>(dividendLength - divisorLength); i >= 0; i--) {
    quotient = (quotient << 32) | takeDigit(at + ((<u32>i) << 2));
  }
  let length = divisorLength;
  while (length > 0 && load<u32>(at + ((length - 1) << 2)) == 0) length--;
  dividendLength = length;
  return quotient;
}

/** One digit of the quotient: how often the divisor goes into the words from `at` on, which keep the rest. */
function takeDigit(at: usize): u64 {
  const divisor = Big.at(DIVISOR);
  const last = (divisorLength - 1) << 2;
  const top = <u64>load<u32>(divisor + last);
  const second: u64 = divisorLength > 1 ? load<u32>(divisor + last - 4) : 0;
  const next: u64 = divisorLength > 1 ? load<u32>(at + last - 4) : 0;
  const head = ((<u64>load<u32>(at + last + 4)) << 32) | load<u32>(at + last);
  let guess = head / top;
  let over = head - guess * top;
  while (guess >> 32 != 0 || guess * second > ((over << 32) | next)) {
    guess--;
    over += top;
    if (over >> 32 != 0) break;
  }
  if (guess == 0) return 0;
  if (subtractTimes(at, guess)) return guess;
  addDivisor(at);
  return guess - 1;
}

/** Takes the divisor `times` times from the words at `at`; false = that was once too often. */
function subtractTimes(at: usize, times: u64): bool {
  const divisor = Big.at(DIVISOR);
  let carry: u64 = 0;
  for (let i: u32 = 0; i < divisorLength; i++) {
    const word = at + (i << 2);
    const product = <u64>load<u32>(divisor + (i << 2)) * times + carry;
    const had = load<u32>(word);
    store<u32>(word, had - <u32>product);
    carry = (product >> 32) + <u64>(had < <u32>product);
  }
  const word = at + (divisorLength << 2);
  const had = load<u32>(word);
  store<u32>(word, had - <u32>carry);
  return had >= carry;
}

function addDivisor(at: usize): void {
  const divisor = Big.at(DIVISOR);
  let carry: u64 = 0;
  for (let i: u32 = 0; i < divisorLength; i++) {
    const word = at + (i << 2);
    carry += <u64>load<u32>(word) + load<u32>(divisor + (i << 2));
    store<u32>(word, <u32>carry);
    carry >>= 32;
  }
  const word = at + (divisorLength << 2);
  store<u32>(word, load<u32>(word) + <u32>carry);
}

/** After `divideBig`: -1, 0 or 1 as the rest is less than, equal to or more than half of the divisor. */
export function compareToHalf(): i32 {
  shiftBig(DIVIDEND, 1);
  if (dividendLength != divisorLength) return dividendLength < divisorLength ? -1 : 1;
  for (let i = <i32>dividendLength - 1; i >= 0; i--) {
    const a = load<u32>(Big.at(DIVIDEND) + ((<u32>i) << 2));
    const b = load<u32>(Big.at(DIVISOR) + ((<u32>i) << 2));
    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}
