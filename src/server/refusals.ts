// Requests that do not do what they say: those nobody can read, unknown ones, those refused before they run, and those
// that fail. Each is answered with an error, counted, and told to whoever must know.
import { notFound } from "../commands/refusal.ts";
import type { CommandTable } from "../commands/table.ts";
import type { ReplyArena } from "../engine/arena.ts";
import type { Args } from "../engine/args.ts";
import type { ReplyError } from "../resp/errors.ts";
import type { Answers } from "./answers.ts";
import type { ClientConnection } from "./client.ts";
import type { Observer } from "./observer.ts";
import type { Stats } from "./stats.ts";
import type { KeyTracking } from "./tracking.ts";
import type { NodeTransactions } from "./transactions.ts";

export interface RefusalParts {
  readonly table: CommandTable;
  readonly args: Args;
  readonly replies: ReplyArena;
  readonly stats: Stats;
  readonly observer: Observer;
  readonly tracking: KeyTracking;
  readonly transactions: NodeTransactions;
}

export class Refusals {
  constructor(
    private readonly parts: RefusalParts,
    private readonly answers: Answers,
  ) {}

  /** No row has the name of the request at hand. */
  unknown(client: ClientConnection): void {
    const { table, args, replies, stats, tracking } = this.parts;
    // What a browser sends: no client of ours, and maybe one that was tricked into talking to us.
    if (args.is(0, "POST") || args.is(0, "HOST:")) return client.close("possible cross-protocol attack");
    if (client.onUnknown?.(args.text(0)) === true) return;
    if (client.transaction === undefined) client.asking = false;
    else client.transaction.isAborted = true;
    if (tracking.isOn) tracking.refused(client, undefined);
    const refusal = notFound(table, args);
    client.onError?.(refusal.message);
    stats.errorReply(refusal.message);
    const replyAt = replies.length;
    this.answers.error(refusal.message);
    if (client.replyMode !== "on") this.answers.muffle(client, replyAt);
  }

  /** Refused before it ran, and with it the transaction it was to be part of. */
  reject(client: ClientConnection, id: number, refusal: ReplyError): void {
    const { transactions, observer } = this.parts;
    this.refuse(client, id, transactions.rejected(client, id, refusal));
    if (observer.hasMonitors && transactions.executes(id)) observer.show(client, id, true);
  }

  /** Refused before it ran. */
  refuse(client: ClientConnection, id: number, refusal: ReplyError): void {
    const { table, replies, stats, tracking } = this.parts;
    const replyAt = replies.length;
    client.onError?.(refusal.message);
    stats.refused(id, refusal.message);
    this.answers.error(refusal.message);
    if (client.transaction === undefined && table.rows[id]!.command.keepsAsking !== true)
      client.asking = false;
    if (tracking.isOn) tracking.refused(client, id);
    if (client.replyMode !== "on") this.answers.muffle(client, replyAt);
  }

  /** Ran, and ended in an error: that is its whole reply, which begins at `replyAt`. */
  fail(client: ClientConnection, id: number, replyAt: number, error: ReplyError): void {
    const { replies, stats } = this.parts;
    client.onError?.(error.message);
    replies.truncate(replyAt);
    this.answers.error(error.message);
    stats.failedWith(id, error.message);
  }

  /** What the client sends is no request: nothing behind it can be read. */
  malformed(client: ClientConnection): void {
    const text = `ERR ${client.decoder.error}`;
    this.parts.stats.errorReply(text);
    this.answers.error(text);
    client.finish();
  }
}
