// EXPIRE and its three sisters. All become PEXPIREAT for replicas, or DEL when the moment has already passed.
import { EVENT_DEL, EVENT_EXPIRE } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import { EXPIRE_GT_LT, EXPIRE_NX_OTHERS, unsupportedOption } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { EX, EXAT, hasPassed, momentOf, momentText, PX, PXAT, type TimeUnit } from "./expiry.ts";

interface Conditions {
  /** Only if the key has no expiry. */
  readonly nx: boolean;
  /** Only if it has one. */
  readonly xx: boolean;
  /** Only if the new one is later; no expiry counts as the latest. */
  readonly gt: boolean;
  /** Only if the new one is earlier. */
  readonly lt: boolean;
}

function readConditions(args: Args): Conditions {
  let nx = false;
  let xx = false;
  let gt = false;
  let lt = false;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "NX")) nx = true;
    else if (args.is(i, "XX")) xx = true;
    else if (args.is(i, "GT")) gt = true;
    else if (args.is(i, "LT")) lt = true;
    else throw unsupportedOption(args.latin1(i));
  }
  if (nx && (xx || gt || lt)) throw EXPIRE_NX_OTHERS;
  if (gt && lt) throw EXPIRE_GT_LT;
  return { nx, xx, gt, lt };
}

/** @param oldMs 0 = no expiry so far */
function allows({ nx, xx, gt, lt }: Conditions, oldMs: number, newMs: number): boolean {
  const had = oldMs !== 0;
  if (nx && had) return false;
  if (xx && !had) return false;
  if (gt && (!had || newMs <= oldMs)) return false;
  return !(lt && had && newMs >= oldMs);
}

function expireBy(ctx: Context, args: Args, reply: Reply, unit: TimeUnit, command: string): void {
  const conditions = readConditions(args);
  const atMs = momentOf(args, 2, unit, ctx.nowMs, command);
  const key = args.at(1);
  const oldMs = ctx.keys.expireAtMs(key);
  if (oldMs === undefined || !allows(conditions, oldMs, atMs)) return reply.integer(0);
  if (hasPassed(ctx, atMs)) {
    ctx.keys.delete(key);
    ctx.notify(EVENT_DEL, key);
    reply.integer(1);
    return ctx.propagate("DEL", key);
  }
  ctx.keys.setExpire(key, atMs);
  reply.integer(1);
  ctx.notify(EVENT_EXPIRE, key);
  if (unit === PXAT) return ctx.changed(); // as it stands
  const conditionWords = Array.from({ length: args.count - 3 }, (_, i) => args.at(i + 3));
  ctx.propagate("PEXPIREAT", key, momentText(atMs), ...conditionWords);
}

export function expire(ctx: Context, args: Args, reply: Reply): void {
  expireBy(ctx, args, reply, EX, "expire");
}

export function pexpire(ctx: Context, args: Args, reply: Reply): void {
  expireBy(ctx, args, reply, PX, "pexpire");
}

export function expireat(ctx: Context, args: Args, reply: Reply): void {
  expireBy(ctx, args, reply, EXAT, "expireat");
}

export function pexpireat(ctx: Context, args: Args, reply: Reply): void {
  expireBy(ctx, args, reply, PXAT, "pexpireat");
}
