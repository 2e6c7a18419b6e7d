// Reading the moments of expiry that requests give: seconds or milliseconds, from now or since 1970.
import type { Args } from "../engine/args.ts";
import { invalidExpireTime } from "../resp/errors.ts";
import { integerAt } from "./arguments.ts";
import type { Context } from "./context.ts";

export interface TimeUnit {
  readonly isSeconds: boolean;
  /** Counted from now instead of since 1970. */
  readonly isRelative: boolean;
}

/** By the words that SET and GETEX know them by. */
export const EX: TimeUnit = { isSeconds: true, isRelative: true };
export const PX: TimeUnit = { isSeconds: false, isRelative: true };
export const EXAT: TimeUnit = { isSeconds: true, isRelative: false };
export const PXAT: TimeUnit = { isSeconds: false, isRelative: false };

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);
/** Times up to here, seconds too, are reckoned in doubles without loss: the year 36812. */
const NEAR = 2 ** 40;
/** The latest moment a key can expire at: the greatest double below 2^63. */
export const LATEST = 2 ** 63 - 1024;

/**
 * The moment an argument names, in Unix milliseconds; it may lie in the past.
 * Moments are kept as doubles: beyond 2^53 (the year 287396) they are rounded to the nearest one.
 * @param command the command's full name, for the error
 */
export function momentOf(args: Args, index: number, unit: TimeUnit, nowMs: number, command: string): number {
  const near = args.number(index);
  if (near !== undefined && Math.abs(near) <= NEAR) {
    return (unit.isSeconds ? near * 1000 : near) + (unit.isRelative ? nowMs : 0);
  }
  const given = integerAt(args, index);
  if (unit.isSeconds && (given > MAX / 1000n || given < MIN / 1000n)) throw invalidExpireTime(command);
  const wide = (unit.isSeconds ? given * 1000n : given) + (unit.isRelative ? BigInt(nowMs) : 0n);
  if (wide > MAX) throw invalidExpireTime(command);
  return Math.min(Number(wide), LATEST);
}

/** As `momentOf` where zero and less are refused, wherever they are counted from. */
export function futureOf(args: Args, index: number, unit: TimeUnit, nowMs: number, command: string): number {
  const given = args.number(index) ?? integerAt(args, index);
  if (given <= 0) throw invalidExpireTime(command);
  return momentOf(args, index, unit, nowMs, command);
}

/** Whether a key with this expiry is to go at once. A replica leaves that to its master. */
export function hasPassed(ctx: Context, atMs: number): boolean {
  return atMs <= ctx.nowMs && !ctx.server.keepsExpired;
}

/** A moment as replicas are told it: in full, never in exponents. */
export function momentText(atMs: number): string {
  return Number.isSafeInteger(atMs) ? String(atMs) : BigInt(atMs).toString();
}
