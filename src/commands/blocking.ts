// Commands that wait for a key: what all of them share. A command takes what it wants at once where it can; where it
// cannot, its client waits for the first of its keys that comes to hold a value of the type it wants.
import { TYPE_NONE } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import type { EngineCommand } from "../engine/exports.ts";
import type { TypeCode } from "../engine/keys.ts";
import {
  COUNT_NOT_POSITIVE,
  NEGATIVE_TIMEOUT,
  NUMKEYS_NOT_POSITIVE,
  ReplyError,
  SYNTAX,
  WRONG_TYPE,
} from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Client, Context } from "./context.ts";
import { ceilOfProduct, parseLongDouble } from "./longdouble.ts";
import type { Handler } from "./row.ts";

const NOT_A_TIME = new ReplyError("ERR timeout is not a float or out of range");
const BEYOND = 2n ** 63n;

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

/** An argument in seconds, as milliseconds; 0 = for ever. One too great for 64 bits counts as negative, as Redis has it. */
export function secondsAt(args: Args, index: number): number {
  const value = parseLongDouble(args.latin1(index));
  if (value === undefined || value.kind === "nan") throw NOT_A_TIME;
  const ms = value.kind === "finite" ? ceilOfProduct(value, 1000n) : -1n;
  if (ms < 0n || ms >= BEYOND) throw NEGATIVE_TIMEOUT;
  return Number(ms);
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
    const timeoutMs = secondsAt(args, last);
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
export function manyPopper(
  type: TypeCode,
  [name, command]: readonly [name: string, command: EngineCommand],
  places: readonly string[],
): Handler {
  return (ctx, args, reply) => {
    const whereAt = placeAt(args, places);
    const timeoutMs = secondsAt(args, 1);
    const keys = wordsOf(args, 3, whereAt);
    const how = wordsOf(args, whereAt, args.count);
    const take: Want["take"] = (context, key) => void context.run(command, [name, "1", key, ...how], 2);
    takeOrWait(ctx, keys, { type, take }, timeoutMs, reply);
  };
}

/** Reads what follows the timeout. @returns which argument says where to take from */
function placeAt(args: Args, places: readonly string[]): number {
  const keyCount = args.integer(2);
  if (keyCount === undefined || keyCount < 1n) throw NUMKEYS_NOT_POSITIVE;
  const at = 3 + Number(keyCount);
  if (at >= args.count || !places.some((place) => args.is(at, place))) throw SYNTAX;
  if (at + 1 === args.count) return at;
  if (!args.is(at + 1, "COUNT") || at + 2 >= args.count) throw SYNTAX;
  const count = args.integer(at + 2);
  if (count === undefined || count < 1n) throw COUNT_NOT_POSITIVE;
  if (at + 3 < args.count) throw SYNTAX;
  return at;
}

/** Arguments as bytes of their own: they outlive the request. */
export function wordsOf(args: Args, from: number, to: number): Uint8Array[] {
  return Array.from({ length: to - from }, (_, i) => args.bytes(from + i));
}
