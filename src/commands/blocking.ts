// Commands that wait for a key: what all of them share. A command takes what it wants at once where it can; where it
// cannot, its client waits for the first of its keys that comes to hold a value of the type it wants.
import { TYPE_NONE } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import type { EngineCommand } from "../engine/exports.ts";
import type { TypeCode } from "../engine/keys.ts";
import { NEGATIVE_TIMEOUT, ReplyError, WRONG_TYPE } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Client, Context } from "./context.ts";
import { parseLongDouble } from "./longdouble.ts";
import type { Handler } from "./row.ts";

const NOT_A_TIME = new ReplyError("ERR timeout is not a float or out of range");
const TOO_LONG = new ReplyError("ERR timeout is out of range");
const LATEST_MS = 2 ** 63;

/** What a client waits for. */
export interface Want {
  readonly type: TypeCode;
  /** Takes it from a key, which holds a value of that type, and replies. Throws a ReplyError. */
  take(ctx: Context, key: Uint8Array, reply: Reply): void;
  /** Another key it writes to. */
  readonly target?: Uint8Array;
}

export interface Blocking {
  /** Holds the client until a key has what it wants; when its time is over it is told that there was nothing. */
  wait(client: Client, keys: readonly Uint8Array[], want: Want, timeoutMs: number): void;
  /** Two databases have changed places. */
  swapped(a: number, b: number): void;
}

/** An argument in seconds, as milliseconds; 0 = for ever. */
export function secondsAt(ctx: Context, args: Args, index: number): number {
  const value = parseLongDouble(args.latin1(index));
  if (value === undefined || value.kind === "nan") throw NOT_A_TIME;
  if (value.kind === "infinite") throw value.negative ? NEGATIVE_TIMEOUT : TOO_LONG;
  const ms = Number(value.significand) * 2 ** value.exponent * 1000;
  if (value.negative) {
    if (ms >= 1) throw NEGATIVE_TIMEOUT;
    return 0; // rounded up
  }
  if (ms + ctx.nowMs >= LATEST_MS) throw TOO_LONG;
  return value.significand > 0n ? Math.max(1, Math.ceil(ms)) : 0;
}

/** Takes from the first of the keys that is there, or waits for one. */
export function takeOrWait(
  ctx: Context,
  keys: readonly Uint8Array[],
  want: Want,
  timeoutMs: number,
  reply: Reply,
): void {
  for (const key of keys) {
    const type = ctx.keys.type(key);
    if (type === TYPE_NONE) continue;
    if (type !== want.type) throw WRONG_TYPE;
    return want.take(ctx, key, reply);
  }
  waitFor(ctx, keys, want, timeoutMs, reply);
}

function waitFor(
  ctx: Context,
  keys: readonly Uint8Array[],
  want: Want,
  timeoutMs: number,
  reply: Reply,
): void {
  if (ctx.client.cannotWait) reply.nullArray();
  else ctx.server.blocking.wait(ctx.client, keys, want, timeoutMs);
}

/** `B…POP key [key ...] timeout`, for what takes one element of one key and replies with it. */
export function popper(type: TypeCode, name: string, { command, parts, head }: Pop): Handler {
  const want: Want = {
    type,
    take: (ctx, key, reply) => {
      reply.array(1 + parts);
      reply.bulk(key);
      ctx.run(command, [name, key], 1, head);
    },
  };
  return (ctx, args, reply) => {
    const last = args.count - 1;
    const timeoutMs = secondsAt(ctx, args, last);
    takeOrWait(ctx, wordsOf(args, 1, last), want, timeoutMs, reply);
  };
}

/** How one element is taken. */
export interface Pop {
  readonly command: EngineCommand;
  /** Parts of an element in its reply, and bytes of the reply before them. */
  readonly parts: number;
  readonly head: number;
}

/** `B…MPOP timeout numkeys key [key ...] where [COUNT count]`, for the command of the same form without a timeout. */
export function manyPopper(type: TypeCode, name: string, command: EngineCommand): Handler {
  return (ctx, args, reply) => {
    const timeoutMs = secondsAt(ctx, args, 1);
    const words = wordsOf(args, 2, args.count);
    if (ctx.run(command, [name, ...words], 2)) return;
    const keyCount = Number(args.number(2));
    const how = words.slice(1 + keyCount);
    const want: Want = {
      type,
      take: (context, key) => void context.run(command, [name, "1", key, ...how], 2),
    };
    waitFor(ctx, words.slice(1, 1 + keyCount), want, timeoutMs, reply);
  };
}

/** Arguments as bytes of their own: they outlive the request. */
export function wordsOf(args: Args, from: number, to: number): Uint8Array[] {
  return Array.from({ length: to - from }, (_, i) => args.bytes(from + i));
}
