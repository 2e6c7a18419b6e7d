// Values that change their key or their database: RENAME, COPY, MOVE, SWAPDB.
import {
  EVENT_COPY_TO,
  EVENT_MOVE_FROM,
  EVENT_MOVE_TO,
  EVENT_RENAME_FROM,
  EVENT_RENAME_TO,
} from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import { HOW_READ } from "../engine/keys.ts";
import {
  COPY_IN_CLUSTER,
  DATABASE_OUT_OF_RANGE,
  INVALID_FIRST_DATABASE,
  INVALID_SECOND_DATABASE,
  MOVE_IN_CLUSTER,
  NO_SUCH_KEY,
  SAME_OBJECT,
  SWAPDB_IN_CLUSTER,
  SYNTAX,
} from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import { intAt } from "./arguments.ts";
import type { Context } from "./context.ts";

function isSame(args: Args, a: number, b: number): boolean {
  return args.latin1(a) === args.latin1(b);
}

export function rename(ctx: Context, args: Args, reply: Reply): void {
  const from = args.at(1);
  if (!ctx.keys.has(from)) throw NO_SUCH_KEY;
  if (!isSame(args, 1, 2)) {
    ctx.keys.rename(from, args.at(2));
    tellRename(ctx, args);
    ctx.changed();
  }
  reply.ok();
}

function tellRename(ctx: Context, args: Args): void {
  ctx.notify(EVENT_RENAME_FROM, args.at(1));
  ctx.notify(EVENT_RENAME_TO, args.at(2));
}

export function renamenx(ctx: Context, args: Args, reply: Reply): void {
  const from = args.at(1);
  const to = args.at(2);
  if (!ctx.keys.has(from)) throw NO_SUCH_KEY;
  if (ctx.keys.has(to)) return reply.integer(0); // the same key included
  ctx.keys.rename(from, to);
  tellRename(ctx, args);
  ctx.changed();
  reply.integer(1);
}

function isDatabase(ctx: Context, index: number): boolean {
  return index >= 0 && index < ctx.server.databaseCount;
}

function databaseAt(ctx: Context, args: Args, index: number): number {
  const database = intAt(args, index);
  if (!isDatabase(ctx, database)) throw DATABASE_OUT_OF_RANGE;
  return database;
}

export function copy(ctx: Context, args: Args, reply: Reply): void {
  const here = ctx.client.database;
  let target = here;
  let replace = false;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "REPLACE")) replace = true;
    else if (args.is(i, "DB") && i + 1 < args.count) target = databaseAt(ctx, args, ++i);
    else throw SYNTAX;
  }
  if (ctx.server.clusterEnabled && (here !== 0 || target !== 0)) throw COPY_IN_CLUSTER;
  if (target === here && isSame(args, 1, 2)) throw SAME_OBJECT;
  const from = args.at(1);
  const to = args.at(2);
  if (!ctx.keys.has(from, HOW_READ)) return reply.integer(0);
  if (!replace && ctx.keys.hasIn(target, to)) return reply.integer(0);
  ctx.keys.copy(from, target, to);
  ctx.notify(EVENT_COPY_TO, to, target);
  ctx.changed();
  ctx.touched(target, to);
  reply.integer(1);
}

export function move(ctx: Context, args: Args, reply: Reply): void {
  if (ctx.server.clusterEnabled) throw MOVE_IN_CLUSTER;
  const target = databaseAt(ctx, args, 2);
  if (target === ctx.client.database) throw SAME_OBJECT;
  const key = args.at(1);
  if (!ctx.keys.has(key) || ctx.keys.hasIn(target, key)) return reply.integer(0);
  ctx.keys.move(key, target);
  ctx.notify(EVENT_MOVE_FROM, key);
  ctx.notify(EVENT_MOVE_TO, key, target);
  ctx.changed();
  ctx.touched(ctx.client.database, key);
  ctx.touched(target, key);
  reply.integer(1);
}

export function swapdb(ctx: Context, args: Args, reply: Reply): void {
  if (ctx.server.clusterEnabled) throw SWAPDB_IN_CLUSTER;
  const a = intAt(args, 1, INVALID_FIRST_DATABASE);
  const b = intAt(args, 2, INVALID_SECOND_DATABASE);
  if (!isDatabase(ctx, a) || !isDatabase(ctx, b)) throw DATABASE_OUT_OF_RANGE;
  // Even with itself it counts as a change, and replicas are told.
  if (a !== b) swap(ctx, a, b);
  ctx.changed();
  reply.ok();
}

function swap(ctx: Context, a: number, b: number): void {
  ctx.server.transactions.swapping(a, b);
  ctx.keys.swap(a, b);
  ctx.server.blocking.swapped(a, b);
}
