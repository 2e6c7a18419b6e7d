// DEBUG, as far as it helps to test a server: sleeping, looking at keys, switching active expiry, failing.
import { FAULT_ACCESS, FAULT_UNREACHABLE } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import { HOW_TRACELESS } from "../engine/keys.ts";
import { NO_SUCH_KEY, wrongForm } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { referencesOf } from "./generic-object.ts";
import { writeHelp } from "./help.ts";

export function debug(ctx: Context, args: Args, reply: Reply): void {
  const { count } = args;
  if (count === 2 && args.is(1, "HELP")) return help(reply);
  if (args.is(1, "SEGFAULT")) ctx.server.admin.fault(FAULT_ACCESS);
  if (args.is(1, "PANIC")) ctx.server.admin.fault(FAULT_UNREACHABLE);
  if (count === 3 && args.is(1, "SLEEP")) return sleep(ctx, args, reply);
  if (count === 2 && args.is(1, "DIGEST")) return reply.simple(hex(ctx.rdb.digest()));
  if (count >= 2 && args.is(1, "DIGEST-VALUE")) return digestValues(ctx, args, reply);
  if (count === 3 && args.is(1, "OBJECT")) return object(ctx, args, reply);
  if (count === 3 && args.is(1, "SET-ACTIVE-EXPIRE")) return setActiveExpire(ctx, args, reply);
  throw wrongForm("DEBUG", args.latin1(1));
}

function sleep(ctx: Context, args: Args, reply: Reply): void {
  const seconds = Number.parseFloat(args.text(2));
  ctx.server.admin.sleep(Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : 0);
  reply.ok();
}

function object(ctx: Context, args: Args, reply: Reply): void {
  const key = args.at(2);
  const encoding = ctx.keys.encoding(key, HOW_TRACELESS);
  const clock = ctx.keys.accessClock(key);
  const idle = ctx.keys.idleSeconds(key);
  if (encoding === undefined || clock === undefined || idle === undefined) throw NO_SUCH_KEY;
  // The payload of DUMP without its type, version and checksum.
  const length = (ctx.rdb.dump(key, HOW_TRACELESS)?.length ?? 11) - 11;
  reply.simple(
    `Value at:0x${key.ptr.toString(16).padStart(12, "0")} refcount:${referencesOf(ctx, key, encoding)} encoding:${encoding} ` +
      `serializedlength:${length} lru:${clock} lru_seconds_idle:${idle}`,
  );
}

function digestValues(ctx: Context, args: Args, reply: Reply): void {
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) reply.simple(hex(ctx.rdb.digestOf(args.at(i))));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function setActiveExpire(ctx: Context, args: Args, reply: Reply): void {
  ctx.server.admin.expiresActively = (args.number(2) ?? 0) !== 0;
  reply.ok();
}

function help(reply: Reply): void {
  const lines = [
    ["DIGEST", "Show 20 bytes, in hex, that tell what all keys hold."],
    ["DIGEST-VALUE <key> [<key> ...]", "Show 20 bytes, in hex, that tell what each key holds."],
    ["OBJECT <key>", "Show how a key's value is kept."],
    ["PANIC", "Crash the server: its engine comes to a place that cannot be reached."],
    ["SEGFAULT", "Crash the server: its engine reads memory that is not there."],
    ["SET-ACTIVE-EXPIRE <0|1>", "Whether expired keys are looked for."],
    ["SLEEP <seconds>", "Hold the whole server; fractions are allowed."],
  ] as const;
  writeHelp("DEBUG", lines, reply);
}
