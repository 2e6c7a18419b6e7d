// CONFIG: the directives, as clients see and set them.
import type { Args } from "../engine/args.ts";
import { bytesOf } from "../resp/byte-text.ts";
import { ReplyError, SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { writeHelp } from "./help.ts";

export function get(ctx: Context, args: Args, reply: Reply): void {
  const patterns = Array.from({ length: args.count - 2 }, (_, i) => args.latin1(i + 2));
  const found = ctx.server.admin.config.get(patterns);
  reply.map(found.size);
  for (const [name, text] of found) {
    reply.bulk(bytesOf(name));
    reply.bulk(bytesOf(text));
  }
}

export function set(ctx: Context, args: Args, reply: Reply): void {
  const { config } = ctx.server.admin;
  if (args.count % 2 !== 0) throw SYNTAX;
  const pairs: [string, string][] = [];
  for (let i = 2; i < args.count; i += 2) {
    const name = args.latin1(i);
    if (config.isSecret(name)) ctx.redact(i + 1);
    pairs.push([name, args.latin1(i + 1)]);
  }
  const refused = config.set(pairs);
  if (refused === undefined) return reply.ok();
  const { argument, reason } = refused;
  throw new ReplyError(
    reason === undefined
      ? `ERR Unknown option or number of arguments for CONFIG SET - '${argument}'`
      : `ERR CONFIG SET failed (possibly related to argument '${argument}') - ${reason}`,
  );
}

export function rewrite(ctx: Context, _args: Args, reply: Reply): void {
  const reason = ctx.server.admin.rewriteConfig();
  if (reason !== undefined) throw new ReplyError(`ERR ${reason}`);
  reply.ok();
}

export function resetStat(ctx: Context, _args: Args, reply: Reply): void {
  ctx.server.admin.resetStatistics();
  reply.ok();
}

export function help(_ctx: Context, _args: Args, reply: Reply): void {
  const lines = [
    ["GET <pattern> [<pattern> ...]", "Show the directives the patterns name and their values."],
    ["SET <directive> <value> [<directive> <value> ...]", "Set all of these directives, or none."],
    ["RESETSTAT", "Begin anew to count what INFO tells."],
    ["REWRITE", "Write the present values to the configuration file."],
  ] as const;
  writeHelp("CONFIG", lines, reply);
}
