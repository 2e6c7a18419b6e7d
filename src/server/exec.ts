// EXEC: what was queued after MULTI runs, one request after the other with nothing between them, and their replies are
// the elements of one.
import type { ReplyArena } from "../engine/arena.ts";
import type { Args } from "../engine/args.ts";
import type { RequestArena } from "../engine/request-memory.ts";
import type { Decoder } from "../resp/decoder.ts";
import { ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Answers } from "./answers.ts";
import type { CallTimer } from "./call-timer.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client.ts";
import type { CommandRunner } from "./command-runner.ts";
import { NEEDS_NOTICE, type Gates } from "./gates.ts";
import type { Notifications } from "./notifications.ts";
import type { Pushes } from "./pushes.ts";
import type { Refusals } from "./refusals.ts";
import type { Router } from "./router.ts";
import type { Stats } from "./stats.ts";
import type { Transaction } from "./transaction.ts";
import type { NodeTransactions } from "./transactions.ts";

export interface ExecParts {
  readonly requests: RequestArena;
  readonly replies: ReplyArena;
  readonly args: Args;
  readonly reply: Reply;
  readonly changes: Changes;
  readonly gates: Gates;
  readonly router: Router;
  readonly stats: Stats;
  readonly pushes: Pushes;
  readonly transactions: NodeTransactions;
  readonly notifications: Notifications;
}

export class Exec {
  constructor(
    private readonly parts: ExecParts,
    private readonly runner: CommandRunner,
    private readonly timer: CallTimer,
    private readonly answers: Answers,
    private readonly refusals: Refusals,
  ) {}

  /** EXEC: what was queued runs, and its replies are the elements of one. */
  run(client: ClientConnection, transaction: Transaction, id: number): void {
    const { args, pushes, replies, requests, stats, transactions } = this.parts;
    const word = args.at(0);
    const isMute = client.replyMode !== "on";
    const replyAt = replies.length;
    this.timer.stop();
    const sinceUs = this.timer.sinceUs;
    pushes.begin(client, replyAt);
    try {
      this.#runAll(client, transaction, isMute);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.refusals.fail(client, id, replyAt, error);
    }
    this.timer.stop(client);
    this.runner.source = client.decoder;
    requests.setOnly(word);
    stats.called(id, this.timer.sinceUs - sinceUs, 1);
    transactions.discard(client);
    if (isMute) this.answers.muffle(client, replyAt);
    else if (client.replyMode === "skip") client.mutesReply(); // CLIENT REPLY SKIP was about the next request
    this.runner.conclude(client, id, true, true, false);
  }

  #runAll(client: ClientConnection, transaction: Transaction, isMute: boolean): void {
    const { changes, notifications, pushes, reply, transactions } = this.parts;
    reply.protocol = client.protocol;
    if (!transactions.mayRun(client, transaction)) return reply.nullArray();
    if (!isMute) reply.array(transaction.queue.count);
    const { written } = client;
    transaction.isExecuting = true;
    changes.together();
    notifications.isTogether = true;
    transaction.queue.each((decoder) => this.#runQueued(client, decoder, isMute));
    notifications.isTogether = false;
    changes.apart();
    if (client.written !== written) pushes.answered(); // part of the reply has gone out: nothing can stand before it
  }

  /** One request of a transaction that EXEC runs. */
  #runQueued(client: ClientConnection, decoder: Decoder, isMute: boolean): void {
    const { gates, replies, router } = this.parts;
    this.runner.source = decoder;
    const id = this.runner.place(client, decoder.argc);
    if (router.hasKeys[id] === 1) router.locate(id);
    const shut = gates.needs[id]! & gates.closed;
    if ((shut & NEEDS_NOTICE) !== 0) gates.notice(shut, id, client);
    const replyAt = replies.length;
    this.runner.run(client, id);
    // CLIENT REPLY OFF among them silences what follows, itself included.
    if (isMute || client.replyMode === "off") replies.truncate(Math.min(replyAt, replies.length));
    if (!client.isFinishing) this.answers.keepRoom(client);
  }
}
