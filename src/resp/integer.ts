// Integers as requests spell counts and lengths: canonical decimals of at most 64 bits.

const MINUS = 45;
const ZERO = 48;
const NINE = 57;

/** `integerAt` found no canonical decimal integer. */
export const NOT_INTEGER = Number.MIN_SAFE_INTEGER;

/**
 * The canonical decimal integer in [from, to): no plus sign, no leading zero, within 64 bits. Beyond 2^53 its value is
 * only roughly right, which does for comparing it with a limit.
 */
export function integerAt(bytes: Uint8Array, from: number, to: number): number {
  const negative = bytes[from] === MINUS;
  const first = negative ? from + 1 : from;
  if (first >= to || to - first > 19) return NOT_INTEGER;
  if (bytes[first] === ZERO) return to - first === 1 && !negative ? 0 : NOT_INTEGER;
  let value = 0;
  for (let i = first; i < to; i++) {
    const byte = bytes[i]!;
    if (byte < ZERO || byte > NINE) return NOT_INTEGER;
    value = value * 10 + (byte - ZERO);
  }
  // Nineteen digits may say more than 64 bits hold, and doubles are too coarse to tell.
  if (to - first === 19 && value > 9.2e18 && exceeds64Bits(bytes, first, negative)) return NOT_INTEGER;
  return negative ? -value : value;
}

const LIMIT_DIGITS = "9223372036854775807";

/** Whether nineteen digits exceed 2^63 - 1, or 2^63 when negative. */
function exceeds64Bits(bytes: Uint8Array, first: number, negative: boolean): boolean {
  for (let i = 0; i < 19; i++) {
    const limit = LIMIT_DIGITS.charCodeAt(i) + (negative && i === 18 ? 1 : 0);
    const digit = bytes[first + i]!;
    if (digit !== limit) return digit > limit;
  }
  return false;
}
