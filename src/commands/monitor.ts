// MONITOR: from now on this client is shown every request the server gets.
import type { Args } from "../engine/args.ts";
import { ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";

const NOT_IN_EXEC = new ReplyError("ERR MONITOR isn't allowed for DENY BLOCKING client");

export function monitor(ctx: Context, _args: Args, reply: Reply): void {
  if (ctx.client.cannotWait) throw NOT_IN_EXEC;
  ctx.client.isMonitor = true;
  reply.ok();
}
