// Strings with an expiry from their birth (SETEX, PSETEX), and reading with a change of expiry (GETEX).
import { EVENT_DEL, EVENT_EXPIRE, EVENT_PERSIST, EVENT_SET } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import { SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { EX, futureOf, hasPassed, momentText, PX, type TimeUnit } from "./expiry.ts";
import { unitAt } from "./string-set.ts";

function setExpiring(ctx: Context, args: Args, reply: Reply, unit: TimeUnit, command: string): void {
  const expireAtMs = futureOf(args, 2, unit, ctx.nowMs, command);
  const key = args.at(1);
  const value = args.at(3);
  ctx.keys.setString(key, value, { expireAtMs });
  ctx.notify(EVENT_SET, key);
  ctx.notify(EVENT_EXPIRE, key);
  reply.ok();
  ctx.propagate("SET", key, value, "PXAT", momentText(expireAtMs));
}

export function setex(ctx: Context, args: Args, reply: Reply): void {
  setExpiring(ctx, args, reply, EX, "setex");
}

export function psetex(ctx: Context, args: Args, reply: Reply): void {
  setExpiring(ctx, args, reply, PX, "psetex");
}

interface GetexOptions {
  readonly persist: boolean;
  readonly unit: TimeUnit | undefined;
  readonly timeIndex: number;
}

function readOptions(args: Args): GetexOptions {
  let persist = false;
  let unit: TimeUnit | undefined;
  let timeIndex = 0;
  for (let i = 2; i < args.count; i++) {
    const named = unitAt(args, i);
    if (args.is(i, "PERSIST") && unit === undefined) persist = true;
    else if (named !== undefined && !persist && (unit ?? named) === named && i + 1 < args.count) {
      unit = named;
      timeIndex = ++i;
    } else throw SYNTAX;
  }
  return { persist, unit, timeIndex };
}

export function getex(ctx: Context, args: Args, reply: Reply): void {
  const { persist, unit, timeIndex } = readOptions(args);
  const key = args.at(1);
  const value = ctx.keys.string(key);
  if (value === undefined) return reply.null();
  if (unit === undefined) {
    reply.bulk(value);
    if (!persist || !ctx.keys.persist(key)) return;
    ctx.notify(EVENT_PERSIST, key);
    return ctx.propagate("PERSIST", key);
  }
  const expireAtMs = futureOf(args, timeIndex, unit, ctx.nowMs, "getex");
  reply.bulk(value); // before the key can go
  if (!unit.isRelative && hasPassed(ctx, expireAtMs)) {
    ctx.keys.delete(key);
    ctx.notify(EVENT_DEL, key);
    ctx.propagate("DEL", key);
  } else {
    ctx.keys.setExpire(key, expireAtMs);
    ctx.notify(EVENT_EXPIRE, key);
    ctx.propagate("PEXPIREAT", key, momentText(expireAtMs));
  }
}
