// SET with its options, and the commands it replaced. Without options SET runs in the engine: see its row.
import { EVENT_DEL, EVENT_EXPIRE, EVENT_SET } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import type { Reply } from "../resp/reply.ts";
import { SYNTAX } from "../resp/errors.ts";
import type { Context } from "./context.ts";
import { EX, EXAT, futureOf, momentText, PX, PXAT, type TimeUnit } from "./expiry.ts";

interface SetOptions {
  readonly condition: "NX" | "XX" | undefined;
  readonly get: boolean;
  readonly keepTtl: boolean;
  readonly unit: TimeUnit | undefined;
  /** Which argument holds the time; meaningless without a unit. */
  readonly timeIndex: number;
}

/** The unit an option's word stands for. */
export function unitAt(args: Args, index: number): TimeUnit | undefined {
  if (args.is(index, "EX")) return EX;
  if (args.is(index, "PX")) return PX;
  if (args.is(index, "EXAT")) return EXAT;
  if (args.is(index, "PXAT")) return PXAT;
  return undefined;
}

/** Options may be repeated; those that contradict each other are refused. The last time given counts. */
function readOptions(args: Args): SetOptions {
  let condition: SetOptions["condition"];
  let get = false;
  let keepTtl = false;
  let unit: TimeUnit | undefined;
  let timeIndex = 0;
  for (let i = 3; i < args.count; i++) {
    const named = unitAt(args, i);
    if (args.is(i, "NX") && condition !== "XX") condition = "NX";
    else if (args.is(i, "XX") && condition !== "NX") condition = "XX";
    else if (args.is(i, "GET")) get = true;
    else if (args.is(i, "KEEPTTL") && unit === undefined) keepTtl = true;
    else if (named !== undefined && !keepTtl && (unit ?? named) === named && i + 1 < args.count) {
      unit = named;
      timeIndex = ++i;
    } else throw SYNTAX;
  }
  return { condition, get, keepTtl, unit, timeIndex };
}

export function set(ctx: Context, args: Args, reply: Reply): void {
  const options = readOptions(args);
  const expireAtMs =
    options.unit === undefined ? 0 : futureOf(args, options.timeIndex, options.unit, ctx.nowMs, "set");
  const key = args.at(1);
  const value = args.at(2);
  if (options.get) {
    const old = ctx.keys.string(key);
    if (old === undefined) reply.null();
    else reply.bulk(old);
  }
  if (options.condition !== undefined && ctx.keys.has(key) !== (options.condition === "XX")) {
    if (!options.get) reply.null();
    return;
  }
  ctx.keys.setString(key, value, { expireAtMs, keepTtl: options.keepTtl });
  ctx.notify(EVENT_SET, key);
  if (expireAtMs !== 0) ctx.notify(EVENT_EXPIRE, key);
  if (!options.get) reply.ok();
  if (expireAtMs !== 0) ctx.propagate("SET", key, value, "PXAT", momentText(expireAtMs));
  else if (options.get) propagateWithoutGet(ctx, args);
  else ctx.changed();
}

/** Nobody reads what a replica would answer. */
function propagateWithoutGet(ctx: Context, args: Args): void {
  const parts = [args.at(0), args.at(1), args.at(2)];
  for (let i = 3; i < args.count; i++) if (!args.is(i, "GET")) parts.push(args.at(i));
  ctx.propagate(...parts);
}

export function getset(ctx: Context, args: Args, reply: Reply): void {
  const key = args.at(1);
  const value = args.at(2);
  const old = ctx.keys.string(key);
  if (old === undefined) reply.null();
  else reply.bulk(old);
  ctx.keys.setString(key, value);
  ctx.notify(EVENT_SET, key);
  ctx.propagate("SET", key, value);
}

export function getdel(ctx: Context, args: Args, reply: Reply): void {
  const key = args.at(1);
  const value = ctx.keys.string(key);
  if (value === undefined) return reply.null();
  reply.bulk(value); // copies: the slice dies with the key
  ctx.keys.delete(key);
  ctx.notify(EVENT_DEL, key);
  ctx.propagate("DEL", key);
}
