// The 80-bit extended floating point of x86, in which Redis computes INCRBYFLOAT: a sign, a 64-bit significand with
// an explicit leading one, a 15-bit exponent. JavaScript's 53 bits would print other digits, so numbers are kept as
// BigInt significands and every operation is exact until its one rounding, to nearest, ties to even.

/** A finite value: (negative ? -1 : 1) * significand * 2^exponent, significand < 2^64. */
export interface Finite {
  readonly kind: "finite";
  readonly negative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
}

export type LongDouble =
  Finite | { readonly kind: "infinite"; readonly negative: boolean } | { readonly kind: "nan" };

const PRECISION = 64;
/** Exponent of the least significant bit of the smallest (subnormal) and of the greatest numbers. */
const LEAST_EXPONENT = -16445;
const GREATEST_EXPONENT = 16320;
/** One more than the longest text Redis will parse: it copies the number into a buffer of this size. */
const TEXT_LIMIT = 5120;
/** Digits after the point that are printed, before trailing zeros go. */
const DECIMALS = 17;

export const ZERO: LongDouble = {
  kind: "finite",
  negative: false,
  significand: 0n,
  exponent: LEAST_EXPONENT,
};

const POWERS_OF_TEN = Array.from({ length: 64 }, (_, n) => 10n ** BigInt(n));

function powerOfTen(n: number): bigint {
  return POWERS_OF_TEN[n] ?? 10n ** BigInt(n);
}

function bitLength(value: bigint): number {
  if (value < 0x1_0000_0000n) return 32 - Math.clz32(Number(value));
  if (value < 0x1_0000_0000_0000_0000n) return 64 - Math.clz32(Number(value >> 32n));
  const digits = value.toString(16);
  return digits.length * 4 - Math.clz32(Number.parseInt(digits[0] ?? "0", 16)) + 28;
}

/** Shifts right by `bits`, to nearest, ties to even; `sticky` says that something not zero lies below `value`. */
function shiftRounding(value: bigint, bits: number, sticky: boolean): bigint {
  if (bits <= 0) return value << BigInt(-bits);
  const wide = BigInt(bits);
  const kept = value >> wide;
  const rest = value - (kept << wide);
  const half = 1n << (wide - 1n);
  const up = rest > half || (rest === half && (sticky || (kept & 1n) === 1n));
  return up ? kept + 1n : kept;
}

/**
 * The nearest long double to value * 2^exponent (a little above it when `sticky`).
 * A sticky value must carry at least two bits more than the result can hold.
 */
function nearest(negative: boolean, value: bigint, exponent: number, sticky = false): LongDouble {
  if (value === 0n) return { kind: "finite", negative, significand: 0n, exponent: LEAST_EXPONENT };
  let target = Math.max(exponent + bitLength(value) - PRECISION, LEAST_EXPONENT);
  let significand = shiftRounding(value, target - exponent, sticky);
  if (bitLength(significand) > PRECISION) {
    significand >>= 1n; // rounding carried into a new bit: 2^64 becomes 2^63, nothing is lost
    target++;
  }
  if (target > GREATEST_EXPONENT) return { kind: "infinite", negative };
  return { kind: "finite", negative, significand, exponent: target };
}

/** The nearest long double to numerator / denominator. */
function quotient(negative: boolean, numerator: bigint, denominator: bigint): LongDouble {
  const spare = PRECISION + 2 - (bitLength(numerator) - bitLength(denominator));
  const shift = Math.max(spare, 0);
  const scaled = numerator << BigInt(shift);
  const whole = scaled / denominator;
  return nearest(negative, whole, -shift, whole * denominator !== scaled);
}

const DECIMAL = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:e([+-]?\d+))?$/i;
const HEXADECIMAL = /^([+-]?)0x(?:([0-9a-f]+)(?:\.([0-9a-f]*))?|\.([0-9a-f]+))(?:p([+-]?\d+))?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/** An exponent as written, cut to a range in which sums stay exact; anything that far out is zero or infinite. */
function exponentOf(text: string | undefined): number {
  return Math.max(-1e7, Math.min(1e7, Number(text ?? "0")));
}

function fromDecimal(negative: boolean, whole: string, fraction: string, power: number): LongDouble {
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return nearest(negative, 0n, 0);
  const scale = power - fraction.length;
  const magnitude = digits.length + scale; // value < 10^magnitude
  if (magnitude > 5000) return { kind: "infinite", negative };
  if (magnitude < -5000) return nearest(negative, 0n, 0);
  const value = BigInt(digits);
  if (scale >= 0) return nearest(negative, value * powerOfTen(scale), 0);
  return quotient(negative, value, powerOfTen(-scale));
}

/**
 * Reads a number as C's strtold does, with Redis's conditions on top.
 * @param text one character per byte
 * @returns undefined when it is no number: empty, too long, space around it, NaN, out of range at either end
 */
export function parseLongDouble(text: string): LongDouble | undefined {
  if (text.length >= TEXT_LIMIT) return undefined;
  const infinite = INFINITE.exec(text);
  if (infinite) return { kind: "infinite", negative: infinite[1] === "-" };
  const decimal = DECIMAL.exec(text);
  const match = decimal ?? HEXADECIMAL.exec(text);
  if (!match) return undefined;
  const negative = match[1] === "-";
  const whole = match[2] ?? "";
  const fraction = match[3] ?? match[4] ?? "";
  const power = exponentOf(match[5]);
  let value: LongDouble;
  if (decimal) value = fromDecimal(negative, whole, fraction, power);
  else value = nearest(negative, BigInt(`0x${whole}${fraction}`), power - 4 * fraction.length);
  if (value.kind !== "finite") return undefined;
  const underflown = value.significand === 0n && /[1-9a-f]/i.test(whole + fraction);
  return underflown ? undefined : value;
}

/** value * times rounded as a product of long doubles is, and then up to an integer. */
export function ceilOfProduct({ negative, significand, exponent }: Finite, times: bigint): bigint {
  const product = nearest(negative, significand * times, exponent);
  if (product.kind !== "finite") return negative ? -(2n ** 64n) : 2n ** 64n;
  if (product.exponent >= 0) return signed(negative, product.significand << BigInt(product.exponent));
  const places = BigInt(-product.exponent);
  const whole = product.significand >> places;
  const isWhole = whole << places === product.significand;
  return signed(negative, isWhole || negative ? whole : whole + 1n);
}

const signed = (negative: boolean, value: bigint): bigint => (negative ? -value : value);

/** a + b, rounded once. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble {
  if (a.kind === "nan" || b.kind === "nan") return { kind: "nan" };
  if (a.kind === "infinite") return b.kind === "infinite" && b.negative !== a.negative ? { kind: "nan" } : a;
  if (b.kind === "infinite") return b;
  const exponent = Math.min(a.exponent, b.exponent);
  const aligned = (x: Finite): bigint => {
    const value = x.significand << BigInt(x.exponent - exponent);
    return x.negative ? -value : value;
  };
  const sum = aligned(a) + aligned(b);
  return nearest(sum < 0n, sum < 0n ? -sum : sum, exponent);
}

/** The number with at most 17 decimals, no trailing zeros, no exponent: C's `%.17Lf`, trimmed. */
export function printLongDouble(value: Finite): string {
  const scaled = shiftRounding(value.significand * powerOfTen(DECIMALS), -value.exponent, false);
  const digits = scaled.toString().padStart(DECIMALS + 1, "0");
  const point = digits.length - DECIMALS;
  const fraction = digits.slice(point).replace(/0+$/, "");
  const text = fraction === "" ? digits.slice(0, point) : `${digits.slice(0, point)}.${fraction}`;
  return value.negative && text !== "0" ? `-${text}` : text;
}

/** Bytes as the text `parseLongDouble` reads. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
