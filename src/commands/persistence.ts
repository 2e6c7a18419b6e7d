// The data on disk, as operators ask for it.
import type { Args } from "../engine/args.ts";
import { ReplyError, SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";

const IN_PROGRESS = new ReplyError("ERR Background save already in progress");
const FAILED = new ReplyError("ERR");

export function save(ctx: Context, _args: Args, reply: Reply): void {
  const { persistence } = ctx.server.admin;
  if (persistence.isSaving) throw IN_PROGRESS;
  if (!persistence.save()) throw FAILED;
  reply.ok();
}

/**
 * SCHEDULE waits for work that excludes a save; there is none here, so it begins at once. Only what EXEC runs is such:
 * the data of half a transaction are not to be saved.
 */
export function bgsave(ctx: Context, args: Args, reply: Reply): void {
  if (args.count > 1 && !(args.count === 2 && args.is(1, "SCHEDULE"))) throw SYNTAX;
  const { persistence } = ctx.server.admin;
  if (persistence.isSaving) throw IN_PROGRESS;
  if (ctx.client.cannotWait) {
    persistence.scheduleSave();
    return reply.simple("Background saving scheduled");
  }
  persistence.saveInBackground();
  reply.simple("Background saving started");
}

export function lastsave(ctx: Context, _args: Args, reply: Reply): void {
  reply.integer(ctx.server.admin.persistence.lastSaveSeconds);
}
