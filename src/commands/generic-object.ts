// OBJECT: how a value is kept. Looking at a key this way does not count as using it.
import type { Args } from "../engine/args.ts";
import { HOW_TRACELESS } from "../engine/keys.ts";
import { FREQUENCY_NOT_TRACKED, IDLE_TIME_NOT_TRACKED } from "../resp/errors.ts";
import type { Reply, Slice } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { type HelpLine, writeHelp } from "./help.ts";

/** Redis keeps each integer below 10000 once, for all its keys, and counts its owners as this many. */
const SHARED_DIGITS = 4;
const MINUS = 45;
const SHARED_REFERENCES = 2 ** 31 - 1;

export function objectEncoding(ctx: Context, args: Args, reply: Reply): void {
  const encoding = ctx.keys.encoding(args.at(2));
  if (encoding === undefined) reply.null();
  else reply.bulk(encoding);
}

export function objectIdleTime(ctx: Context, args: Args, reply: Reply): void {
  const key = args.at(2);
  const idle = ctx.keys.idleSeconds(key);
  if (idle === undefined) return reply.null();
  if (ctx.keys.countsUses) throw IDLE_TIME_NOT_TRACKED;
  reply.integer(idle);
}

export function objectFrequency(ctx: Context, args: Args, reply: Reply): void {
  const frequency = ctx.keys.frequency(args.at(2));
  if (frequency === undefined) return reply.null();
  if (!ctx.keys.countsUses) throw FREQUENCY_NOT_TRACKED;
  reply.integer(frequency);
}

export function objectReferences(ctx: Context, args: Args, reply: Reply): void {
  const key = args.at(2);
  const encoding = ctx.keys.encoding(key);
  if (encoding === undefined) return reply.null();
  reply.integer(referencesOf(ctx, key, encoding));
}

/** Values have one owner here; those that Redis would share are told as it tells them. */
export function referencesOf(ctx: Context, key: Slice, encoding: string): number {
  return encoding === "int" && isShared(ctx, key) ? SHARED_REFERENCES : 1;
}

/** Whether an integer lies in [0, 10000): it has at most four digits and no sign. */
function isShared(ctx: Context, key: Slice): boolean {
  const value = ctx.keys.string(key, HOW_TRACELESS);
  return value !== undefined && value.length <= SHARED_DIGITS && ctx.keys.linear[value.ptr] !== MINUS;
}

export function objectHelp(_ctx: Context, _args: Args, reply: Reply): void {
  writeHelp("OBJECT", helpLines, reply);
}

const helpLines: readonly HelpLine[] = [
  ["ENCODING <key>", "The form in which the key's value is kept."],
  ["FREQ <key>", "How often the key is used, on a logarithmic scale (LFU policies only)."],
  ["IDLETIME <key>", "Seconds since the key was last used (not with LFU policies)."],
  ["REFCOUNT <key>", "How many owners the key's value has."],
];
