// HINCRBYFLOAT: sums in 80-bit floating point, printed as Redis prints them.
import { EVENT_HINCRBYFLOAT } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import { FIELD_NOT_FLOAT, INCREMENT_NOT_FINITE, NOT_FINITE, NOT_FLOAT } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { addLongDoubles, latin1, parseLongDouble, printLongDouble, ZERO } from "./longdouble.ts";

const encoder = new TextEncoder();

export function hincrbyfloat(ctx: Context, args: Args, reply: Reply): void {
  const increment = parseLongDouble(args.latin1(3));
  if (increment === undefined) throw NOT_FLOAT;
  if (increment.kind !== "finite") throw INCREMENT_NOT_FINITE;
  const [key, field] = [args.at(1), args.at(2)];
  const old = ctx.keys.field(key, field);
  const value = old === undefined ? ZERO : parseLongDouble(latin1(ctx.keys.bytesOf(old)));
  if (value === undefined) throw FIELD_NOT_FLOAT;
  const sum = addLongDoubles(value, increment);
  if (sum.kind !== "finite") throw NOT_FINITE;
  const text = encoder.encode(printLongDouble(sum));
  ctx.keys.setField(key, field, text);
  reply.bulk(text);
  ctx.notify(EVENT_HINCRBYFLOAT, key);
  // The sum itself: a replica with other floating point must not differ.
  ctx.propagate("HSET", key, field, text);
}
