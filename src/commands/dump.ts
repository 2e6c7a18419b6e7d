// DUMP and RESTORE: a value as bytes that any Redis understands, out of one server and into another. RESTORE-ASKING is
// what MIGRATE sends: RESTORE that an importing slot accepts.
import { EVENT_DEL, EVENT_RESTORE } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import { HOW_READ, type Keys } from "../engine/keys.ts";
import type { SteppedRestore } from "../engine/stepped-restore.ts";
import { ReplyError, SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import { integerAt } from "./arguments.ts";
import type { Context } from "./context.ts";
import { hasPassed, LATEST, momentText } from "./expiry.ts";
import { family, keyAt } from "./family.ts";
import type { Command } from "./row.ts";

const BUSY_KEY = new ReplyError("BUSYKEY Target key name already exists.");
const INVALID_TTL = new ReplyError("ERR Invalid TTL value, must be >= 0");
const INVALID_IDLE = new ReplyError("ERR Invalid IDLETIME value, must be >= 0");
const INVALID_FREQUENCY = new ReplyError("ERR Invalid FREQ value, must be >= 0 and <= 255");

const MAX_FREQUENCY = 255n;
/** All of a payload at once. */
const WHOLE = 2 ** 30;

/** RESTOREs that are read in steps before they run, because they would hold everybody. */
export interface Restores {
  /** What was read for the request at hand; undefined = nothing, it runs as it comes. */
  take(): SteppedRestore | undefined;
}

interface Options {
  readonly replace: boolean;
  readonly isAbsolute: boolean;
  readonly idleSeconds: number | undefined;
  readonly frequency: number | undefined;
}

function dump(ctx: Context, args: Args, reply: Reply): void {
  const payload = ctx.rdb.dump(args.at(1), HOW_READ);
  if (payload === undefined) reply.null();
  else reply.bulk(payload);
}

function restore(ctx: Context, args: Args, reply: Reply): void {
  const options = readOptions(args);
  const key = args.at(1);
  const existed = ctx.keys.has(key);
  if (existed && !options.replace) throw BUSY_KEY;
  const reading =
    ctx.server.restores.take() ??
    ctx.rdb.beginRestore(key, args.at(3), expiryOf(args, options.isAbsolute, ctx.nowMs));
  while (!reading.isDone) reading.more(WHOLE);
  const value = reading.take();
  const { expireAtMs } = reading;
  reply.ok();
  if (expireAtMs !== 0 && hasPassed(ctx, expireAtMs)) {
    value.abandon();
    if (!existed) return;
    ctx.keys.delete(key);
    ctx.notify(EVENT_DEL, key);
    return ctx.propagate("DEL", key);
  }
  const clock = ctx.keys.clockFor(options);
  const store = (): void => value.store(ctx.client.database);
  if (clock === undefined) store();
  else ctx.keys.stamped(clock, store);
  ctx.notify(EVENT_RESTORE, key);
  if (expireAtMs === 0 || options.isAbsolute) return ctx.changed();
  const rest = Array.from({ length: args.count - 3 }, (_, i) => args.at(i + 3));
  ctx.propagate(args.at(0), key, momentText(expireAtMs), ...rest, "ABSTTL");
}

/**
 * When what the RESTORE at hand is to store expires, before its payload is read in steps; 0 = never, undefined = it is
 * refused already. A time to live counts from here, when the request has come in: how long the payload takes to be read
 * must not make the key live longer.
 */
export function expiryBeforehand(args: Args, keys: Keys, nowMs: number): number | undefined {
  try {
    const options = readOptions(args);
    if (!options.replace && keys.has(args.at(1))) return undefined;
    return expiryOf(args, options.isAbsolute, nowMs);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    return undefined;
  }
}

function readOptions(args: Args): Options {
  let replace = false;
  let isAbsolute = false;
  let idleSeconds: number | undefined;
  let frequency: number | undefined;
  for (let i = 4; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (args.is(i, "REPLACE")) {
      replace = true;
    } else if (args.is(i, "ABSTTL")) {
      isAbsolute = true;
    } else if (args.is(i, "IDLETIME") && hasMore && frequency === undefined) {
      const given = integerAt(args, ++i);
      if (given < 0n) throw INVALID_IDLE;
      idleSeconds = Number(given);
    } else if (args.is(i, "FREQ") && hasMore && idleSeconds === undefined) {
      const given = integerAt(args, ++i);
      if (given < 0n || given > MAX_FREQUENCY) throw INVALID_FREQUENCY;
      frequency = Number(given);
    } else {
      throw SYNTAX;
    }
  }
  return { replace, isAbsolute, idleSeconds, frequency };
}

/** Unix milliseconds, 0 = never. A time to live that ends beyond 64 bits wraps into the past, as it does in Redis. */
function expiryOf(args: Args, isAbsolute: boolean, nowMs: number): number {
  const ttl = integerAt(args, 2);
  if (ttl < 0n) throw INVALID_TTL;
  if (ttl === 0n) return 0;
  return Math.min(Number(isAbsolute ? ttl : BigInt.asIntN(64, ttl + BigInt(nowMs))), LATEST);
}

const restoreRow = {
  arity: -4,
  keys: [keyAt(1, "OW", "update")],
  categories: ["keyspace", "dangerous"],
  complexity:
    "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
  history: [
    ["3.0.0", "Added the `REPLACE` modifier."],
    ["5.0.0", "Added the `ABSTTL` modifier."],
    ["5.0.0", "Added the `IDLETIME` and `FREQ` options."],
  ],
  syntax:
    "key ttl:integer serialized-value [REPLACE ^3.0.0] [ABSTTL ^5.0.0] [IDLETIME seconds:integer ^5.0.0] " +
    "[FREQ frequency:integer ^5.0.0]",
  inSteps: true,
  run: restore,
} as const satisfies Partial<Command>;

export const dumpFamily = family("generic", [
  {
    name: "dump",
    arity: 2,
    flags: ["readonly"],
    keys: [keyAt(1, "RO", "access")],
    since: "2.6.0",
    complexity:
      "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).",
    summary: "Gives a key's value as bytes that RESTORE takes.",
    tips: ["nondeterministic_output"],
    syntax: "key",
    run: dump,
  },
  {
    ...restoreRow,
    name: "restore",
    flags: ["write", "denyoom"],
    since: "2.6.0",
    summary: "Makes a key of what DUMP gave.",
  },
]);

export const migrationFamily = family("server", [
  {
    ...restoreRow,
    name: "restore-asking",
    flags: ["write", "denyoom", "asking"],
    since: "3.0.0",
    summary: "RESTORE into a slot that is being imported; sent by MIGRATE.",
    system: true,
  },
]);
