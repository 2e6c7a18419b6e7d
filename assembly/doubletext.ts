// Doubles as text: C's %.17g, which is how Redis prints scores. Seventeen digits tell every double from its neighbours.
//
// The digits are the number times a power of ten, rounded to a whole number of seventeen digits; an exact half goes to
// the even one. For ordinary sizes the product takes 128 bits, for all others long division of whole numbers.
import { DIVIDEND, DIVISOR, compareToHalf, divideBig, multiplyFives, setBig, shiftBig } from "./bignum";
import { FIVES_COUNT, Fives } from "./double";
import { render } from "./integers";
import { multiply, productHigh } from "./wide";

const DIGITS: i32 = 17;
const BEYOND: u64 = 100000000000000000;
const TEN_DIGITS_LESS: u64 = 100000000;
const LOG_10_OF_2: f64 = 0.30102999566398119521;
const SCRATCH: usize = memory.data(24);

/** Writes a double at `at` (up to 24 bytes: -1.2345678901234567e-308); returns its length. */
export function renderDouble(value: f64, at: usize): u32 {
  if (abs(value) < <f64>BEYOND && trunc(value) == value) return renderWhole(value, at);
  if (abs(value) == Infinity) {
    const isNegative = value < 0;
    if (isNegative) store<u8>(at, 0x2d);
    const word = at + usize(isNegative);
    store<u16>(word, 0x6e69);
    store<u8>(word + 2, 0x66);
    return isNegative ? 4 : 3;
  }
  if (value != value) {
    store<u16>(at, 0x616e);
    store<u8>(at + 2, 0x6e);
    return 3;
  }
  if (value > 0) return renderPositive(value, at);
  store<u8>(at, 0x2d);
  return 1 + renderPositive(-value, at + 1);
}

function renderWhole(value: f64, at: usize): u32 {
  if (reinterpret<u64>(value) != 0x8000000000000000) return render(<i64>value, at);
  store<u16>(at, 0x302d);
  return 2;
}

function renderPositive(value: f64, at: usize): u32 {
  const bits = reinterpret<u64>(value);
  const biased = <i32>(bits >> 52);
  const fraction = bits & 0xfffffffffffff;
  const mantissa = biased == 0 ? fraction : fraction | 0x10000000000000;
  const exponent = (biased == 0 ? 1 : biased) - 1075;
  // The power of ten of the first digit, from the number of bits: right, or one too low.
  const length = exponent + 64 - <i32>clz(mantissa);
  let first = <i32>floor(<f64>(length - 1) * LOG_10_OF_2);
  let digits = scale(mantissa, exponent, DIGITS - 1 - first);
  if (digits >= BEYOND) {
    first++;
    // Rounding up to a power of ten, or a guess that was too low: only the digits can tell, so they are made again.
    digits = scale(mantissa, exponent, DIGITS - 1 - first);
  }
  return layOut(digits, first, at);
}

/** mantissa * 2^exponent * 10^power, rounded. */
function scale(mantissa: u64, exponent: i32, power: i32): u64 {
  const shift = -(exponent + power);
  if (power >= 0 && power < FIVES_COUNT && shift > 0 && shift < 128) {
    const low = multiply(mantissa, Fives.power(power));
    return shiftRight(productHigh, low, shift);
  }
  setBig(DIVIDEND, mantissa);
  setBig(DIVISOR, 1);
  multiplyFives(power < 0 ? DIVISOR : DIVIDEND, abs(power));
  shiftBig(shift > 0 ? DIVISOR : DIVIDEND, abs(shift));
  const quotient = divideBig();
  const half = compareToHalf();
  return quotient + u64(half > 0 || (half == 0 && (quotient & 1) != 0));
}

/** (high, low) / 2^by, rounded; 0 < by < 128. */
function shiftRight(high: u64, low: u64, by: i32): u64 {
  let quotient: u64 = 0;
  let rest: u64 = 0; // the bits shifted out, from the highest on
  let isSticky = false; // whether there are more of them
  if (by < 64) {
    quotient = (high << (64 - by)) | (low >> by);
    rest = low << (64 - by);
  } else if (by == 64) {
    quotient = high;
    rest = low;
  } else {
    quotient = high >> (by - 64);
    rest = (high << (128 - by)) | (low >> (by - 64));
    isSticky = low << (128 - by) != 0;
  }
  const half: u64 = 0x8000000000000000;
  return quotient + u64(rest > half || (rest == half && (isSticky || (quotient & 1) != 0)));
}

/** Writes digits without their trailing zeros, the first of which counts 10^first, as %g lays them out. */
function layOut(digits: u64, first: i32, at: usize): u32 {
  let rest = digits;
  let count = DIGITS;
  if (rest % TEN_DIGITS_LESS == 0) {
    rest /= TEN_DIGITS_LESS;
    count -= 8;
  }
  for (; rest % 10 == 0; rest /= 10) count--;
  render(rest, SCRATCH);
  if (first < -4 || first >= DIGITS) return layOutPower(count, first, at);
  if (first < 0) {
    store<u16>(at, 0x2e30);
    memory.fill(at + 2, 48, -first - 1);
    memory.copy(at + 1 - first, SCRATCH, count);
    return 1 - first + count;
  }
  const whole = first + 1;
  if (count <= whole) {
    memory.copy(at, SCRATCH, count);
    memory.fill(at + count, 48, whole - count);
    return whole;
  }
  memory.copy(at, SCRATCH, whole);
  store<u8>(at + whole, 0x2e);
  memory.copy(at + whole + 1, SCRATCH + whole, count - whole);
  return count + 1;
}

/** d.ddde+XX */
function layOutPower(count: i32, power: i32, at: usize): u32 {
  let end = at;
  store<u8>(end++, load<u8>(SCRATCH));
  if (count > 1) {
    store<u8>(end++, 0x2e);
    memory.copy(end, SCRATCH + 1, count - 1);
    end += count - 1;
  }
  store<u8>(end++, 0x65);
  store<u8>(end++, power < 0 ? 0x2d : 0x2b);
  if (abs(power) < 10) store<u8>(end++, 48);
  return <u32>(end + render(abs(power), end) - at);
}
