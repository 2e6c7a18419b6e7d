// MONITOR: from now on this client is shown every request the server gets.
import type { Args } from "../engine/args.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";

export function monitor(ctx: Context, _args: Args, reply: Reply): void {
  ctx.client.isMonitor = true;
  reply.ok();
}
