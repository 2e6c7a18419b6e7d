// Doubles read from text, correctly rounded: what C's strtod accepts, and what Redis takes of that for a score.
//
// A decimal is a whole number of digits times a power of ten. Three ways lead to its double, each exact:
//   1. digits up to 2^53 and a power up to 10^22 are both doubles: one multiplication or division rounds correctly;
//   2. up to 19 digits and 10^27: the product with a power of five takes 128 bits, as does a quotient by one;
//   3. all else by long division of whole numbers, from which 63 bits and whether anything is left decide.
import {
  DIVIDEND,
  DIVISOR,
  bitLength,
  divideBig,
  multiplyBig,
  multiplyFives,
  setBig,
  shiftBig,
} from "./bignum";
import { Big } from "./bignum";
import { divide, multiply, productHigh, remainder } from "./wide";

/** Powers of ten that are doubles. */
const TENS: usize = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]); // prettier-ignore
const EXACT_TENS: i32 = 22;
/** Powers of five that fit 64 bits. */
const FIVES: usize = memory.data<u64>([
  1, 5, 25, 125, 625, 3125, 15625, 78125, 390625, 1953125, 9765625, 48828125, 244140625, 1220703125, 6103515625,
  30517578125, 152587890625, 762939453125, 3814697265625, 19073486328125, 95367431640625, 476837158203125,
  2384185791015625, 11920928955078125, 59604644775390625, 298023223876953125, 1490116119384765625,
  7450580596923828125,
]); // prettier-ignore
export const FIVES_COUNT: i32 = 28;
const EXACT_INTEGERS: u64 = 9007199254740992;
/** So many significant digits fit 64 bits. */
const SHORT: u32 = 19;
/** Beyond so many digits only matters whether one of them is not zero. */
const LONGEST: u32 = 770;
/** Exponents beyond make any number infinite or zero; they are not counted further. */
const FAR: i32 = 1 << 28;

/** What was read. */
export let parsedDouble: f64 = 0;
/** Whether the text is of a number too great, or too small but for zero, for a double. */
let isOutOfRange: bool = false;

export abstract class Fives {
  /** 5^power, 0 <= power < FIVES_COUNT */
  @inline static power(power: i32): u64 {
    return load<u64>(FIVES + ((<usize>power) << 3));
  }
}

/** Reads a whole text as a score: neither space before nor anything after, no nan, nothing out of range. */
export function parseDouble(ptr: usize, length: u32): bool {
  if (length == 0 || isSpace(load<u8>(ptr))) return false;
  return readDouble(ptr, ptr + length) == ptr + length && !isOutOfRange && parsedDouble == parsedDouble;
}

/**
 * Reads the end of a range of scores, with strtod's leniency: space before, nothing at all (0), a zero byte as the end;
 * what is out of range is infinite or zero. Anything else behind the number, and nan, is refused.
 */
export function parseBound(ptr: usize, length: u32): bool {
  const end = ptr + length;
  let at = ptr;
  while (at < end && isSpace(load<u8>(at))) at++;
  const stop = readDouble(at, end);
  // Where there is no number, strtod stays before the space.
  const after = stop == at ? ptr : stop;
  return (after == end || load<u8>(after) == 0) && parsedDouble == parsedDouble;
}

function isSpace(byte: u32): bool {
  return byte == 32 || byte - 9 < 5;
}

/** Reads the longest number at `at` into `parsedDouble`; returns where it stops, `at` when there is none. */
function readDouble(at: usize, end: usize): usize {
  parsedDouble = 0;
  isOutOfRange = false;
  if (at == end) return at;
  const sign = <u32>load<u8>(at);
  const from = at + usize(sign == 0x2d || sign == 0x2b);
  if (from == end) return at;
  let stop = from;
  const first = <u32>load<u8>(from);
  if (first - 48 <= 9 || first == 0x2e) {
    stop = first == 48 ? readHex(from, end) : from;
    if (stop == from) stop = readDecimal(from, end);
  } else {
    stop = readWord(from, end);
  }
  if (stop == from) return at;
  if (sign == 0x2d) parsedDouble = -parsedDouble;
  return stop;
}

/** inf, infinity or nan, in any case. */
function readWord(at: usize, end: usize): usize {
  if (end - at < 3) return at;
  const word = load<u16>(at) | ((<u32>load<u8>(at + 2)) << 16) | 0x202020;
  if (word == 0x6e616e) {
    parsedDouble = NaN;
    return at + 3;
  }
  if (word != 0x666e69) return at;
  parsedDouble = Infinity;
  if (end - at < 8) return at + 3;
  const isLong = (load<u64>(at) | 0x2020202020202020) == 0x7974696e69666e69;
  return at + (isLong ? 8 : 3);
}

/** Digits with a point somewhere, maybe an exponent. */
function readDecimal(from: usize, end: usize): usize {
  let digits: u64 = 0;
  let count: u32 = 0; // significant ones
  let exponent: i32 = 0;
  let point: usize = 0;
  let first: usize = 0; // the first significant digit
  let at = from;
  for (; at < end; at++) {
    const digit = <u32>load<u8>(at) - 48;
    if (digit > 9) {
      if (digit != 0xfffffffe || point != 0) break;
      point = at + 1;
      continue;
    }
    if (point != 0) exponent--;
    if (count == 0 && digit == 0) continue;
    if (count == 0) first = at;
    if (count < SHORT) digits = digits * 10 + digit;
    count++;
  }
  if (at == from + 1 && point != 0) return from; // a lone point
  const last = at;
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    const stop = readExponent(at + 1, end);
    if (stop != at + 1) {
      exponent = clamp(<i64>exponent + <i64>readPower);
      at = stop;
    }
  }
  if (count == 0) return at;
  parsedDouble = count <= SHORT ? fromDigits(digits, exponent) : fromText(first, last, count, exponent);
  isOutOfRange = parsedDouble == 0 || parsedDouble == Infinity;
  return at;
}

function clamp(exponent: i64): i32 {
  return <i32>max(min(exponent, <i64>FAR), -(<i64>FAR));
}

/** What `readExponent` read. */
let readPower: i32 = 0;

/** Digits after e or p; returns where they stop, `from` when there are none. */
function readExponent(from: usize, end: usize): usize {
  let at = from;
  if (at == end) return from;
  const sign = <u32>load<u8>(at);
  if (sign == 0x2d || sign == 0x2b) at++;
  const digits = at;
  let power: i32 = 0;
  for (; at < end; at++) {
    const digit = <u32>load<u8>(at) - 48;
    if (digit > 9) break;
    if (power < FAR) power = power * 10 + digit;
  }
  readPower = sign == 0x2d ? -min(power, FAR) : min(power, FAR);
  return at == digits ? from : at;
}

/** 0x, hexadecimal digits with a point somewhere, maybe a power of two; `from` when it is none of it. */
function readHex(from: usize, end: usize): usize {
  if (end - from < 3 || (load<u8>(from + 1) | 0x20) != 0x78) return from;
  let digits: u64 = 0;
  let exponent: i64 = 0;
  let isSticky = false;
  let point: usize = 0;
  let at = from + 2;
  for (; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (byte == 0x2e && point == 0) {
      point = at + 1;
      continue;
    }
    const digit = hexDigit(byte);
    if (digit > 15) break;
    if (point != 0) exponent -= 4;
    if (digits >> 60 == 0) {
      digits = (digits << 4) | digit;
    } else {
      isSticky = isSticky || digit != 0;
      exponent += 4;
    }
  }
  if (at == from + 2 + usize(point != 0)) return from; // no digit at all
  if (at < end && (load<u8>(at) | 0x20) == 0x70) {
    const stop = readExponent(at + 1, end);
    if (stop != at + 1) {
      exponent += readPower;
      at = stop;
    }
  }
  if (digits == 0) return at;
  const shift = clz(digits);
  parsedDouble = assemble(digits << shift, clamp(exponent - <i64>shift), isSticky);
  isOutOfRange = parsedDouble == 0 || parsedDouble == Infinity;
  return at;
}

function hexDigit(byte: u32): u32 {
  if (byte - 48 <= 9) return byte - 48;
  const letter = (byte | 0x20) - 97;
  return letter < 6 ? letter + 10 : 16;
}

/** digits * 10^exponent; digits are not 0 and below 10^19. */
function fromDigits(digits: u64, exponent: i32): f64 {
  if (digits <= EXACT_INTEGERS && exponent >= -EXACT_TENS && exponent <= EXACT_TENS) {
    if (exponent == 0) return <f64>digits;
    const power = load<f64>(TENS + ((<usize>abs(exponent)) << 3));
    return exponent < 0 ? <f64>digits / power : <f64>digits * power;
  }
  if (exponent >= 0 && exponent < FIVES_COUNT) return timesFives(digits, exponent);
  if (exponent < 0 && exponent > -FIVES_COUNT) return overFives(digits, -exponent);
  if (exponent > 310) return Infinity;
  if (exponent < -345) return 0;
  setBig(DIVIDEND, digits);
  return fromBig(exponent);
}

function timesFives(digits: u64, power: i32): f64 {
  const low = multiply(digits, Fives.power(power));
  const high = productHigh;
  if (high == 0) return assemble(low << clz(low), power - <i32>clz(low), false);
  const shift = clz(high);
  const top = shift == 0 ? high : (high << shift) | (low >> (64 - shift));
  return assemble(top, power + 64 - <i32>shift, low << shift != 0);
}

function overFives(digits: u64, power: i32): f64 {
  const five = Fives.power(power);
  const up = clz(digits);
  const upFive = clz(five);
  const a = digits << up;
  const b = five << upFive;
  // One bit less of the dividend, where that is what it takes for a quotient of 64 bits.
  const less: u64 = a >= b ? 1 : 0;
  const quotient = divide(a >> less, less == 0 ? 0 : a << 63, b);
  const exponent = -power - 64 + <i32>(less + upFive - up);
  return assemble(quotient, exponent, remainder != 0);
}

/** A number of many digits: `count` significant ones between `first` and `last`, with maybe a point among them. */
function fromText(first: usize, last: usize, count: u32, exponent: i32): f64 {
  // The number is below 10^(count + exponent), and at least a tenth of that.
  const size = <i64>count + <i64>exponent;
  if (size > 310) return Infinity;
  if (size < -345) return 0;
  setBig(DIVIDEND, 0);
  let kept: u32 = 0;
  let isSticky = false;
  for (let at = first; at < last; at++) {
    const digit = <u32>load<u8>(at) - 48;
    if (digit > 9) continue;
    if (kept < LONGEST) {
      multiplyBig(DIVIDEND, 10, digit);
      kept++;
    } else {
      isSticky = isSticky || digit != 0;
    }
  }
  let dropped = <i32>(count - kept);
  if (isSticky) {
    // Any digit will do for those that were dropped: it only tells that the number is above what was kept.
    multiplyBig(DIVIDEND, 10, 1);
    dropped--;
  }
  return fromBig(exponent + dropped);
}

/** dividend * 10^exponent */
function fromBig(exponent: i32): f64 {
  setBig(DIVISOR, 1);
  multiplyFives(exponent < 0 ? DIVISOR : DIVIDEND, abs(exponent));
  const shift = 63 - <i32>(bitLength(DIVIDEND) - bitLength(DIVISOR));
  shiftBig(shift < 0 ? DIVISOR : DIVIDEND, abs(shift));
  const quotient = divideBig(); // 63 or 64 bits
  const up = clz(quotient);
  return assemble(quotient << up, exponent - shift - <i32>up, Big.length(DIVIDEND) != 0);
}

/**
 * The double nearest to (bits + a bit when isSticky) * 2^exponent, halves going to the even one.
 * @param bits its top bit is set
 */
function assemble(bits: u64, exponent: i32, isSticky: bool): f64 {
  const biased = exponent + 63 + 1023;
  if (biased >= 2047) return Infinity;
  // A double too small for its leading one to be implied has fewer bits.
  const shift = biased <= 0 ? 12 - biased : 11;
  if (shift > 64) return 0;
  let mantissa: u64 = shift == 64 ? 0 : bits >> shift;
  const half = (<u64>1) << (shift - 1);
  const rest = bits & (half - 1 + half);
  if (rest > half || (rest == half && (isSticky || (mantissa & 1) != 0))) mantissa++;
  // Where rounding carries, the exponent counts up by itself.
  return reinterpret<f64>(biased <= 0 ? mantissa : ((<u64>(biased - 1)) << 52) + mantissa);
}
