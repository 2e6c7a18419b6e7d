// What concerns the whole node: its data as a whole, its clock, what it knows of itself, its end.
import type { Args } from "../engine/args.ts";
import { ReplyError, SYNTAX, wrongForm } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import { integerAt } from "./arguments.ts";
import { lowerAscii } from "./ascii.ts";
import type { Context } from "./context.ts";
import { writeHelp } from "./help.ts";
import { drawMesh } from "./lolwut.ts";

/** ASYNC and SYNC say when memory is free again; here the keys go in one step and memory comes back by and by. */
function checkFlushMode(args: Args): void {
  const isMode = args.is(1, "ASYNC") || args.is(1, "SYNC");
  if (args.count > 2 || (args.count === 2 && !isMode)) throw SYNTAX;
}

export function flushall(ctx: Context, args: Args, reply: Reply): void {
  checkFlushMode(args);
  ctx.server.transactions.emptying();
  // Replicas are told even when nothing was there: they may hold keys that have expired here.
  ctx.changed(Math.max(1, ctx.keys.flushAll()));
  ctx.server.tracking.emptied();
  reply.ok();
}

export function flushdb(ctx: Context, args: Args, reply: Reply): void {
  checkFlushMode(args);
  ctx.server.transactions.emptying(ctx.client.database);
  ctx.changed(Math.max(1, ctx.keys.flush()));
  ctx.server.tracking.emptied();
  reply.ok();
}

export function time(ctx: Context, _args: Args, reply: Reply): void {
  const us = ctx.server.admin.microseconds();
  reply.array(2);
  reply.bulk(String(Math.floor(us / 1e6)));
  reply.bulk(String(Math.floor(us % 1e6)));
}

export function info(ctx: Context, args: Args, reply: Reply): void {
  const sections = new Set<string>();
  for (let i = 1; i < args.count; i++) sections.add(lowerAscii(args.latin1(i)));
  reply.verbatim("txt", ctx.server.admin.info(sections));
}

export function shutdown(ctx: Context, args: Args, reply: Reply): void {
  let save: boolean | undefined;
  let now = false;
  let force = false;
  let abort = false;
  for (let i = 1; i < args.count; i++) {
    if (args.is(i, "NOSAVE") && save !== true) save = false;
    else if (args.is(i, "SAVE") && save !== false) save = true;
    else if (args.is(i, "NOW")) now = true;
    else if (args.is(i, "FORCE")) force = true;
    else if (args.is(i, "ABORT")) abort = true;
    else throw SYNTAX;
  }
  if (abort) {
    if (save !== undefined || now || force) throw SYNTAX;
    if (!ctx.server.admin.abortShutdown()) throw new ReplyError("ERR No shutdown in progress.");
    return reply.ok();
  }
  const reason = ctx.server.admin.shutdown(ctx.client, { save, now, force });
  if (reason !== undefined) throw new ReplyError(`ERR ${reason}`);
}

export function lolwut(ctx: Context, args: Args, reply: Reply): void {
  let version = 0;
  if (args.count > 2 && args.is(1, "VERSION")) {
    version = Number(integerAt(args, 2) % 1000n);
  }
  reply.verbatim("txt", `${drawMesh(ctx.nowMs, version)}\nslotmesh ver. ${ctx.server.admin.version}\n`);
}

const SLOWLOG_RANGE = new ReplyError("ERR count should be greater than or equal to -1");

export function slowlogGet(ctx: Context, args: Args, reply: Reply): void {
  if (args.count > 3) {
    throw wrongForm("SLOWLOG", args.latin1(1));
  }
  const asked = args.count === 3 ? args.integer(2) : 10n;
  if (asked === undefined || asked < -1n) throw SLOWLOG_RANGE;
  const { slowlog } = ctx.server.admin;
  const entries = slowlog.newest(asked === -1n ? slowlog.length : Number(asked));
  reply.array(entries.length);
  for (const entry of entries) {
    reply.array(6);
    reply.integer(entry.id);
    reply.integer(entry.atSeconds);
    reply.integer(entry.us);
    reply.array(entry.args.length);
    for (const arg of entry.args) reply.bulk(arg);
    reply.bulk(entry.address);
    reply.bulk(entry.clientName);
  }
}

export function slowlogLen(ctx: Context, _args: Args, reply: Reply): void {
  reply.integer(ctx.server.admin.slowlog.length);
}

export function slowlogReset(ctx: Context, _args: Args, reply: Reply): void {
  ctx.server.admin.slowlog.reset();
  reply.ok();
}

export function slowlogHelp(_ctx: Context, _args: Args, reply: Reply): void {
  const lines = [
    ["GET [<count>]", "Show the newest entries: 10, or so many; -1 means all."],
    ["LEN", "Tell how many entries there are."],
    ["RESET", "Forget them."],
  ] as const;
  writeHelp("SLOWLOG", lines, reply);
}
