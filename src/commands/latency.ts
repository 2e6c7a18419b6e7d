// LATENCY: how long commands take, from the histograms all calls are counted in. Events are watched by a threshold
// this server does not have (`latency-monitor-threshold` stays 0), so there is never one to tell of.
import type { Args } from "../engine/args.ts";
import { ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { writeHelp } from "./help.ts";
import type { Row } from "./table.ts";

export function histogram(ctx: Context, args: Args, reply: Reply): void {
  const { table, admin } = ctx.server;
  const chosen: Row[] = args.count === 2 ? [...table.rows] : [];
  for (let i = 2; i < args.count; i++) {
    const row = table.named(args.latin1(i));
    if (row === undefined) continue;
    if (row.subcommands.length > 0) chosen.push(...row.subcommands);
    else chosen.push(row);
  }
  const counted = [...new Set(chosen)].flatMap((row) => {
    const times = admin.latencyOf(row.id);
    return times === undefined ? [] : [{ name: row.fullName, ...times }];
  });
  reply.map(counted.length);
  for (const { name, calls, upTo } of counted) {
    reply.bulk(name);
    reply.map(2);
    reply.bulk("calls");
    reply.integer(calls);
    reply.bulk("histogram_usec");
    reply.map(upTo.length);
    for (const [limitUs, count] of upTo) {
      reply.integer(limitUs);
      reply.integer(count);
    }
  }
}

export function latest(_ctx: Context, _args: Args, reply: Reply): void {
  reply.array(0);
}

export function history(_ctx: Context, _args: Args, reply: Reply): void {
  reply.array(0);
}

export function reset(_ctx: Context, _args: Args, reply: Reply): void {
  reply.integer(0);
}

export function graph(_ctx: Context, args: Args): void {
  throw new ReplyError(`ERR No samples available for event '${args.latin1(2)}'`);
}

export function doctor(_ctx: Context, _args: Args, reply: Reply): void {
  reply.verbatim(
    "txt",
    "Latency events are not watched by this server; see LATENCY HISTOGRAM and SLOWLOG instead.\n",
  );
}

export function help(_ctx: Context, _args: Args, reply: Reply): void {
  const lines = [
    ["DOCTOR", "Say what is amiss with latency, if events are watched."],
    ["GRAPH <event>", "Draw an event's samples."],
    ["HISTOGRAM [COMMAND ...]", "Tell how many calls took up to how many microseconds."],
    ["HISTORY <event>", "List an event's samples."],
    ["LATEST", "List the newest sample of every event."],
    ["RESET [<event> ...]", "Forget samples of events."],
  ] as const;
  writeHelp("LATENCY", lines, reply);
}
