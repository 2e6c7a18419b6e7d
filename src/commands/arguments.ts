// Arguments that must be numbers: each throws what Redis says of one that is not.
import type { Args } from "../engine/args.ts";
import { NEGATIVE_TIMEOUT, NOT_A_TIMEOUT, NOT_INTEGER, outOfRange, type ReplyError } from "../resp/errors.ts";

const INT_MAX = 2 ** 31 - 1;
const INT_MIN = -(2 ** 31);

/** An argument that must be a 64-bit integer. */
export function integerAt(args: Args, index: number): bigint {
  const value = args.integer(index);
  if (value === undefined) throw NOT_INTEGER;
  return value;
}

/** An argument that must fit C's int. `error` replaces the ones Redis has for numbers. */
export function intAt(args: Args, index: number, error?: ReplyError): number {
  const value = args.integer(index);
  if (value === undefined) throw error ?? NOT_INTEGER;
  if (value < INT_MIN || value > INT_MAX) throw error ?? outOfRange(INT_MIN, INT_MAX);
  return Number(value);
}

/** An argument that must be a time to wait, milliseconds; rounded beyond 2^53, which nobody waits for. */
export function timeoutAt(args: Args, index: number): number {
  const value = args.integer(index);
  if (value === undefined) throw NOT_A_TIMEOUT;
  if (value < 0n) throw NEGATIVE_TIMEOUT;
  return Number(value);
}
