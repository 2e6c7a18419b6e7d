// CLIENT TRACKING and what belongs to it: a client that caches what it reads is told which of it has changed.
import type { Args } from "../engine/args.ts";
import { ReplyError, SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import { integerAt } from "./arguments.ts";
import type { Context } from "./context.ts";
import type { Tracked, TrackingRequest } from "./tracking.ts";

const ONE_REDIRECTION = new ReplyError("ERR A client can only redirect to a single other client");
const NO_TARGET = new ReplyError("ERR The client ID you want redirect to does not exist");
const NEEDS_BCAST = new ReplyError("ERR PREFIX option requires BCAST mode to be enabled");
const BCAST_SWITCH = new ReplyError(
  "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with " +
    "a different mode.",
);
const OPT_WITH_BCAST = new ReplyError("ERR OPTIN and OPTOUT are not compatible with BCAST");
const BOTH_OPTS = new ReplyError("ERR You can't specify both OPTIN mode and OPTOUT mode");
const OPT_SWITCH = new ReplyError(
  "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with " +
    "a different mode.",
);
const NOT_TRACKING = new ReplyError(
  "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
);
const YES_NEEDS_OPTIN = new ReplyError(
  "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
);
const NO_NEEDS_OPTOUT = new ReplyError(
  "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
);

/** The words after ON or OFF. */
interface Options {
  redirect: number;
  bcast: boolean;
  optin: boolean;
  optout: boolean;
  noLoop: boolean;
  prefixes: string[];
}

export function tracking(ctx: Context, args: Args, reply: Reply): void {
  const options = readOptions(ctx, args);
  const { client, server } = ctx;
  if (args.is(2, "ON")) server.tracking.start(client, allowed(options, client.tracking));
  else if (args.is(2, "OFF")) server.tracking.stop(client);
  else throw SYNTAX;
  reply.ok();
}

function readOptions(ctx: Context, args: Args): Options {
  const options: Options = {
    redirect: 0,
    bcast: false,
    optin: false,
    optout: false,
    noLoop: false,
    prefixes: [],
  };
  for (let i = 3; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (hasMore && args.is(i, "REDIRECT")) options.redirect = readTarget(ctx, args, ++i, options.redirect);
    else if (hasMore && args.is(i, "PREFIX")) options.prefixes.push(args.latin1(++i));
    else if (args.is(i, "BCAST")) options.bcast = true;
    else if (args.is(i, "OPTIN")) options.optin = true;
    else if (args.is(i, "OPTOUT")) options.optout = true;
    else if (args.is(i, "NOLOOP")) options.noLoop = true;
    else throw SYNTAX;
  }
  return options;
}

/** It must exist now, though it may go later. */
function readTarget(ctx: Context, args: Args, index: number, before: number): number {
  if (before !== 0) throw ONE_REDIRECTION;
  const id = Number(integerAt(args, index));
  if (ctx.server.admin.clients.get(id) === undefined) throw NO_TARGET;
  return id;
}

/** Whether the options go together, and with what is on already. */
function allowed(options: Options, before: Tracked | undefined): TrackingRequest {
  const { redirect, bcast, optin, optout, noLoop, prefixes } = options;
  if (!bcast && prefixes.length > 0) throw NEEDS_BCAST;
  if (before !== undefined && (before.scope === "broadcast") !== bcast) throw BCAST_SWITCH;
  if (bcast && (optin || optout)) throw OPT_WITH_BCAST;
  if (optin && optout) throw BOTH_OPTS;
  if ((optin && before?.scope === "optout") || (optout && before?.scope === "optin")) throw OPT_SWITCH;
  if (bcast) checkOverlaps(prefixes, before?.prefixes ?? []);
  const scope = bcast ? "broadcast" : optin ? "optin" : optout ? "optout" : "read";
  return { redirect, scope, noLoop, prefixes };
}

/** Two prefixes one of which begins with the other would tell of the same keys twice. */
function checkOverlaps(prefixes: readonly string[], existing: readonly string[]): void {
  for (const [i, prefix] of prefixes.entries()) {
    const old = existing.find((other) => overlap(prefix, other));
    if (old !== undefined) throw overlapping(prefix, "an existing prefix", old);
    const other = prefixes.slice(i + 1).find((later) => overlap(prefix, later));
    if (other !== undefined) throw overlapping(prefix, "another provided prefix", other);
  }
}

const overlap = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);

/** A text of C ends at its first zero byte. */
const shown = (prefix: string): string => prefix.split("\0", 1)[0]!;

function overlapping(prefix: string, what: string, other: string): ReplyError {
  return new ReplyError(
    `ERR Prefix '${shown(prefix)}' overlaps with ${what} '${shown(other)}'. ` +
      "Prefixes for a single client must not overlap.",
  );
}

export function trackingInfo({ client: { tracking: tracked } }: Context, _args: Args, reply: Reply): void {
  const flags = flagsOf(tracked);
  reply.map(3);
  reply.bulk("flags");
  reply.set(flags.length);
  for (const flag of flags) reply.bulk(flag);
  reply.bulk("redirect");
  reply.integer(tracked?.redirect ?? -1);
  reply.bulk("prefixes");
  const prefixes = tracked?.prefixes ?? [];
  reply.array(prefixes.length);
  for (const prefix of prefixes) reply.bulk(Uint8Array.from(prefix, (char) => char.charCodeAt(0)));
}

function flagsOf(tracked: Tracked | undefined): readonly string[] {
  if (tracked === undefined) return ["off"];
  const { scope, hasCaching, noLoop, isBroken } = tracked;
  const flags = ["on"];
  if (scope === "broadcast") flags.push("bcast");
  else if (scope !== "read") flags.push(scope);
  if (hasCaching && scope === "optin") flags.push("caching-yes");
  if (hasCaching && scope === "optout") flags.push("caching-no");
  if (noLoop) flags.push("noloop");
  if (isBroken) flags.push("broken_redirect");
  return flags;
}

export function caching({ client: { tracking: tracked } }: Context, args: Args, reply: Reply): void {
  if (tracked === undefined) throw NOT_TRACKING;
  if (args.is(2, "YES")) {
    if (tracked.scope !== "optin") throw YES_NEEDS_OPTIN;
  } else if (args.is(2, "NO")) {
    if (tracked.scope !== "optout") throw NO_NEEDS_OPTOUT;
  } else {
    throw SYNTAX;
  }
  tracked.hasCaching = true;
  reply.ok();
}

export function getRedirection({ client }: Context, _args: Args, reply: Reply): void {
  reply.integer(client.tracking?.redirect ?? -1);
}
