// Looking for keys whose names one does not know: KEYS, SCAN, RANDOMKEY.
import type { Args } from "../engine/args.ts";
import { TYPE_NAMES } from "../engine/keys.ts";
import { INVALID_CURSOR, SYNTAX } from "../resp/errors.ts";
import type { Reply, Slice } from "../resp/reply.ts";
import { integerAt } from "./arguments.ts";
import type { Context } from "./context.ts";
import { Glob } from "./glob.ts";

/** Addresses and lengths of keys found, as numbers: thousands of them cost no objects. */
class Found {
  #pairs: number[] = [];

  add(key: Slice): void {
    this.#pairs.push(key.ptr, key.length);
  }

  /** One array of bulk strings. Keys stay where they are meanwhile: nothing here changes the keyspace. */
  write(reply: Reply): void {
    const pairs = this.#pairs;
    reply.array(pairs.length / 2);
    for (let i = 0; i < pairs.length; i += 2) reply.bulk({ ptr: pairs[i]!, length: pairs[i + 1]! });
  }
}

export function keys(ctx: Context, args: Args, reply: Reply): void {
  const glob = new Glob(args.bytes(1));
  const found = new Found();
  ctx.keys.keys((key) => {
    if (glob.matchesAll || glob.matches(ctx.keys.linear, key.ptr, key.length)) found.add(key);
  });
  found.write(reply);
}

const MAX_CURSOR = 2n ** 64n - 1n;
/** What C's strtoul reads whole, up to a zero byte; a minus wraps around. */
const CURSOR = /^(?:([+-])?(\d+))?(?:\0|$)/;

function cursorAt(args: Args, index: number): bigint {
  const match = CURSOR.exec(args.latin1(index));
  if (match === null) throw INVALID_CURSOR;
  const value = BigInt(match[2] ?? "0");
  if (value > MAX_CURSOR) throw INVALID_CURSOR;
  return match[1] === "-" ? BigInt.asUintN(64, -value) : value;
}

interface ScanOptions {
  readonly glob: Glob | undefined;
  readonly count: number;
  /** Name of a type in lower case, known or not. */
  readonly type: string | undefined;
}

function readOptions(args: Args): ScanOptions {
  let glob: Glob | undefined;
  let count = 10;
  let type: string | undefined;
  for (let i = 2; i < args.count; i += 2) {
    const hasValue = i + 1 < args.count;
    if (args.is(i, "COUNT") && hasValue) {
      const given = integerAt(args, i + 1);
      if (given < 1n) throw SYNTAX;
      count = Number(given);
    } else if (args.is(i, "MATCH") && hasValue) glob = new Glob(args.bytes(i + 1));
    else if (args.is(i, "TYPE") && hasValue) type = args.latin1(i + 1).toLowerCase();
    else throw SYNTAX;
  }
  return { glob, count, type };
}

/** COUNT bounds the work of one call, not its outcome: what does not fit the filters is looked at all the same. */
export function scan(ctx: Context, args: Args, reply: Reply): void {
  const cursor = cursorAt(args, 1);
  const { glob, count, type } = readOptions(args);
  const found = new Found();
  const next = ctx.keys.scan(cursor, count, (key, code) => {
    if (glob !== undefined && !glob.matchesAll && !glob.matches(ctx.keys.linear, key.ptr, key.length)) return;
    if (type !== undefined && TYPE_NAMES[code] !== type) return;
    found.add(key);
  });
  reply.array(2);
  reply.bulk(next.toString());
  found.write(reply);
}

export function randomkey(ctx: Context, _args: Args, reply: Reply): void {
  const key = ctx.keys.random();
  if (key === undefined) reply.null();
  else reply.bulk(key);
}
