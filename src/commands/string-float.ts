// INCRBYFLOAT: sums in 80-bit floating point, printed as Redis prints them.
import { EVENT_INCRBYFLOAT } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import { HOW_TRACELESS } from "../engine/keys.ts";
import { NOT_FINITE, NOT_FLOAT } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { addLongDoubles, latin1, parseLongDouble, printLongDouble, ZERO } from "./longdouble.ts";

const encoder = new TextEncoder();

export function incrbyfloat(ctx: Context, args: Args, reply: Reply): void {
  const key = args.at(1);
  const old = ctx.keys.string(key, HOW_TRACELESS);
  const value = old === undefined ? ZERO : parseLongDouble(latin1(ctx.keys.bytesOf(old)));
  const increment = value && parseLongDouble(args.latin1(2));
  if (value === undefined || increment === undefined) throw NOT_FLOAT;
  const sum = addLongDoubles(value, increment);
  if (sum.kind !== "finite") throw NOT_FINITE;
  const text = encoder.encode(printLongDouble(sum));
  ctx.keys.setString(key, text, { keepTtl: true, plain: true });
  ctx.notify(EVENT_INCRBYFLOAT, key);
  reply.bulk(text);
  // The sum itself: a replica with other floating point must not differ, nor its expiry be lost.
  ctx.propagate("SET", key, text, "KEEPTTL");
}
