// Lists that are waited for: BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH. What is taken is taken by the commands that do not
// wait, and so replicas are told.
import { TYPE_LIST, TYPE_NONE } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import { engine } from "../engine/exports.ts";
import type { Word } from "../engine/inner.ts";
import { SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import { manyPopper, popper, secondsAt, takeOrWait, type Want, wordsOf } from "./blocking.ts";
import type { Context } from "./context.ts";
import { family, keyAt, keysCounted, keysFrom } from "./family.ts";

const blpop = popper(TYPE_LIST, "LPOP", { command: engine.lpop, parts: 1, head: 0 });
const brpop = popper(TYPE_LIST, "RPOP", { command: engine.rpop, parts: 1, head: 0 });

/** BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout */
function blmove(ctx: Context, args: Args, reply: Reply): void {
  for (const at of [3, 4]) if (!args.is(at, "LEFT") && !args.is(at, "RIGHT")) throw SYNTAX;
  const timeoutMs = secondsAt(args, 5);
  const [source, target, ...ends] = wordsOf(args, 1, 5) as [Uint8Array, Uint8Array, ...Uint8Array[]];
  // What a client has waited for is told to replicas in small letters, as by redis-server.
  const waits = ctx.keys.type(source) === TYPE_NONE;
  const words = waits ? [3, 4].map((at) => (args.is(at, "LEFT") ? "left" : "right")) : ends;
  move(ctx, source, target, ["LMOVE", source, target, ...words], timeoutMs, reply);
}

/** BRPOPLPUSH source destination timeout */
function brpoplpush(ctx: Context, args: Args, reply: Reply): void {
  const timeoutMs = secondsAt(args, 3);
  const [source, target] = wordsOf(args, 1, 3) as [Uint8Array, Uint8Array];
  move(ctx, source, target, ["RPOPLPUSH", source, target], timeoutMs, reply);
}

function move(
  ctx: Context,
  source: Uint8Array,
  target: Uint8Array,
  words: readonly Word[],
  timeoutMs: number,
  reply: Reply,
): void {
  const command = words.length === 3 ? engine.rpoplpush : engine.lmove;
  const want: Want = { type: TYPE_LIST, take: (context) => void context.run(command, words), target };
  if (ctx.keys.type(source) === TYPE_NONE && ctx.client.cannotWait) return reply.null();
  takeOrWait(ctx, [source], want, timeoutMs, reply);
}

const FRACTION = ["6.0.0", "`timeout` is interpreted as a double instead of an integer."] as const;

export const blockingLists = family("list", [
  {
    name: "blmove",
    arity: 6,
    flags: ["write", "denyoom", "noscript", "blocking"],
    keys: [keyAt(1, "RW", "access", "delete"), keyAt(2, "RW", "insert")],
    since: "6.2.0",
    complexity: "O(1)",
    syntax: "source:key destination:key wherefrom(LEFT | RIGHT) whereto(LEFT | RIGHT) timeout:double",
    summary: "Moves an element from one end of a list to an end of another, once there is one.",
    run: blmove,
  },
  {
    name: "blmpop",
    arity: -5,
    flags: ["write", "blocking"],
    keys: [keysCounted(2, "RW", "access", "delete")],
    since: "7.0.0",
    complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
    syntax: "timeout:double numkeys key... where(LEFT | RIGHT) [COUNT count]",
    summary: "Takes elements from one end of the first of several lists that is there, once one is.",
    run: manyPopper(TYPE_LIST, ["LMPOP", engine.lmpop], ["LEFT", "RIGHT"]),
  },
  {
    name: "blpop",
    arity: -3,
    flags: ["write", "noscript", "blocking"],
    keys: [keysFrom(1, -2, 1, "RW", "access", "delete")],
    since: "2.0.0",
    complexity: "O(N) where N is the number of provided keys.",
    syntax: "key... timeout:double",
    history: [FRACTION],
    summary: "Takes an element from the front of the first of several lists that is there, once one is.",
    run: blpop,
  },
  {
    name: "brpop",
    arity: -3,
    flags: ["write", "noscript", "blocking"],
    keys: [keysFrom(1, -2, 1, "RW", "access", "delete")],
    since: "2.0.0",
    complexity: "O(N) where N is the number of provided keys.",
    syntax: "key... timeout:double",
    history: [FRACTION],
    summary: "Takes an element from the back of the first of several lists that is there, once one is.",
    run: brpop,
  },
  {
    name: "brpoplpush",
    arity: 4,
    flags: ["write", "denyoom", "noscript", "blocking"],
    keys: [keyAt(1, "RW", "access", "delete"), keyAt(2, "RW", "insert")],
    since: "2.2.0",
    complexity: "O(1)",
    syntax: "source:key destination:key timeout:double",
    history: [FRACTION],
    deprecated: { since: "6.2.0", replacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments" },
    summary: "Moves an element from the back of a list to the front of another, once there is one.",
    run: brpoplpush,
  },
]);
