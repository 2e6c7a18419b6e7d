// From bytes to replies: the path every request takes. One event of a socket is one batch: its chunk is decoded in
// place, each request runs as soon as its last byte is found, replies gather in the arena, and the socket gets them in
// one write. Nothing here makes an object, a string or a closure for a request that an engine command serves.
import {
  RECORDED,
  REFUSED_OUT_OF_MEMORY,
  STATE_ARGC,
  STATE_DB,
  STATE_EVENT_COUNT,
  STATE_PROTOCOL,
  STATE_REPLY,
  STATE_REPLY_END,
  STATE_REPLY_LIMIT,
} from "../../assembly/abi.ts";
import { engineRefusal, notFound, wrongArity } from "../commands/refusal.ts";
import type { Handler } from "../commands/row.ts";
import { UNKNOWN, type CommandTable } from "../commands/table.ts";
import type { ReplyArena } from "../engine/arena.ts";
import type { Args } from "../engine/args.ts";
import { bindCommand, type EngineRun } from "../engine/exports.ts";
import type { RequestArena } from "../engine/request-memory.ts";
import { monotonicUs, nowMs } from "../io/clock.ts";
import { Decoder, INCOMPLETE, MALFORMED } from "../resp/decoder.ts";
import { OUT_OF_MEMORY, ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { BlockedKeys } from "./blocked-keys.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client.ts";
import { HOLD, NEEDS_ASSENT, NEEDS_AUTH, NEEDS_NOTICE, type Gates } from "./gates.ts";
import type { KeyFeed } from "./key-feed.ts";
import type { Notifications } from "./notifications.ts";
import type { Observer } from "./observer.ts";
import type { Pushes } from "./pushes.ts";
import type { RequestContext } from "./request-context.ts";
import type { Router } from "./router.ts";
import type { Stats } from "./stats.ts";
import type { KeyTracking } from "./tracking.ts";
import type { Transaction } from "./transaction.ts";
import type { NodeTransactions } from "./transactions.ts";

/** Replies gathered beyond this go out before the batch ends. */
const FLUSH_BYTES = 262_144;

/** Room the arena has for each request's reply, so that memory never runs out for an error or a short one. */
const REPLY_ROOM = 4096;

/** With more than this still to decode, it pays to look at the keys of the requests ahead. */
const PIPELINE_BYTES = 128;

const QUEUED = new TextEncoder().encode("+QUEUED\r\n");

const ARGC = STATE_ARGC >> 2;
const DB = STATE_DB >> 2;
const PROTOCOL = STATE_PROTOCOL >> 2;
const EVENT_COUNT = STATE_EVENT_COUNT >> 2;
const REPLY = STATE_REPLY >> 2;
const REPLY_END = STATE_REPLY_END >> 2;
const REPLY_LIMIT = STATE_REPLY_LIMIT >> 2;

export interface DispatchParts {
  readonly requests: RequestArena;
  readonly replies: ReplyArena;
  readonly args: Args;
  readonly reply: Reply;
  readonly table: CommandTable;
  readonly context: RequestContext;
  readonly changes: Changes;
  readonly gates: Gates;
  readonly router: Router;
  readonly stats: Stats;
  readonly observer: Observer;
  readonly feed: KeyFeed;
  readonly tracking: KeyTracking;
  readonly pushes: Pushes;
  readonly transactions: NodeTransactions;
  readonly blocking: BlockedKeys;
  readonly notifications: Notifications;
  /** After a batch that logged something: what is new goes to whoever reads the log. */
  readonly logged: () => void;
}

export class Dispatcher {
  readonly #engineRuns: (EngineRun | undefined)[];
  /** The number of arguments the engine runs a row for; 0 = any. */
  readonly #engineArgc: Uint32Array;
  readonly #handlers: (Handler | undefined)[];
  /** The row whose calls are being timed together, how many there were, and since when. */
  #timedId = UNKNOWN;
  #timedCalls = 0;
  #timedSinceUs = 0;
  /** Tells where the request that runs lies. */
  #source: Decoder;

  constructor(private readonly parts: DispatchParts) {
    this.#source = new Decoder();
    const { table, requests } = parts;
    this.#engineRuns = table.rows.map(({ command: { run, shortcut } }) => {
      const command = run !== undefined && "export" in run ? run : shortcut?.run;
      return command === undefined ? undefined : bindCommand(requests.memory.wasm, command);
    });
    this.#engineArgc = Uint32Array.from(table.rows, ({ command }) => command.shortcut?.count ?? 0);
    this.#handlers = table.rows.map(({ command: { run } }) => (typeof run === "function" ? run : undefined));
  }

  /** Runs every whole request of a client's chunk and sends the replies. */
  receive(client: ClientConnection, chunk: Uint8Array): void {
    if (client.isHeld) return client.holdChunk(chunk);
    if (!client.input.receive(chunk)) return client.close("out of memory for its requests");
    const { requests, replies, changes, stats } = this.parts;
    const { memory } = requests;
    memory.nowMs = nowMs();
    client.lastActiveAtMs = memory.nowMs;
    this.#timedSinceUs = monotonicUs();
    stats.totals.reads++;
    stats.totals.inputBytes += chunk.length;
    client.isRunning = true;
    this.parts.pushes.gather();
    const { decoder, input } = client;
    // A request that began in an earlier chunk lies before this one, whole: the look ahead begins with it.
    let warmTo = decoder.keepFrom;
    while (!client.isHeld && !client.isFinishing) {
      if (decoder.keepFrom === warmTo && input.end - warmTo > PIPELINE_BYTES) {
        memory.u32[DB] = client.database;
        warmTo = memory.wasm.lookAhead(warmTo, input.end) >>> 0;
      }
      const found = decoder.next(requests, input.end);
      if (found === INCOMPLETE) break;
      if (found === MALFORMED) {
        this.#malformed(client);
        break;
      }
      this.#request(client);
      if (this.parts.blocking.hasReady) this.#serve(client);
      this.#keepRoom(client);
    }
    this.#stopTiming(client);
    changes.flush();
    if (changes.log.wanted) this.parts.logged();
    client.sendReplies(replies);
    client.isRunning = false;
    if (this.parts.tracking.isOn) this.parts.tracking.broadcast();
    this.parts.pushes.release();
    if (client.isFinishing || client.isHeld) input.release();
    else input.keep();
    if (client.isFinishing) this.parts.transactions.left(client);
    if (client.isOverInputLimit) client.close("its requests exceed client-query-buffer-limit");
    requests.trim();
  }

  /** Keys have come to be that clients wait for. */
  #serve(client: ClientConnection): void {
    this.#stopTiming(client);
    this.parts.blocking.serve();
    this.parts.tracking.settle();
    this.#timedSinceUs = monotonicUs();
  }

  /** The request in the argv table. */
  #request(client: ClientConnection): void {
    const { table, gates, router, transactions } = this.parts;
    const { decoder, transaction } = client;
    this.#source = decoder;
    const id = this.#place(client, decoder.argc);
    if (id === UNKNOWN) return this.#unknown(client);
    if (!table.acceptsCount(id, decoder.argc)) return this.#reject(client, id, wrongArity(table, id));
    let needs = gates.needs[id]!;
    if (transaction !== undefined) needs |= transactions.needs(transaction, id);
    if ((needs & (client.closedGates | gates.closed) & (NEEDS_AUTH | NEEDS_ASSENT)) !== 0) {
      const refusal = gates.admit(id, client);
      if (refusal !== undefined) return this.#reject(client, id, refusal);
    }
    if (transaction !== undefined) {
      const refusal = transactions.refusal(client, id);
      if (refusal !== undefined) return this.#refuse(client, id, refusal);
    }
    if (router.hasKeys[id] === 1) {
      const refusal = router.place(id, decoder.argc, client);
      if (refusal !== undefined) return this.#reject(client, id, refusal);
    }
    const shut = needs & (client.closedGates | gates.closed);
    if (shut !== 0 && !client.isMaster) {
      const verdict = gates.pass(shut, id, client);
      if (verdict === HOLD) return client.hold(this.parts.args);
      if (verdict !== undefined) return this.#reject(client, id, verdict);
    }
    client.lastCommand = id;
    if (transaction !== undefined) return this.#runInside(client, transaction, id, shut);
    if ((shut & NEEDS_NOTICE) !== 0) gates.notice(shut, id, client);
    const { asking } = client;
    client.asking = false;
    this.#run(client, id);
    if (asking && client.transaction !== undefined) client.asking = true; // for all that MULTI begins
  }

  /** Readies the state block for the request in the argv table, and finds its row. */
  #place(client: ClientConnection, argc: number): number {
    const { requests, table } = this.parts;
    const { bytes, u32 } = requests.memory;
    u32[ARGC] = argc;
    u32[DB] = client.database;
    u32[PROTOCOL] = client.protocol;
    return table.resolve(bytes, u32, requests.argv, argc);
  }

  /** A request after MULTI: it waits, unless it is one of those that do not. */
  #runInside(client: ClientConnection, transaction: Transaction, id: number, shut: number): void {
    const { transactions, gates, reply } = this.parts;
    if (transactions.executes(id)) {
      if ((shut & NEEDS_NOTICE) !== 0) gates.notice(shut, id, client);
      this.#execute(client, transaction, id);
    } else if (!transactions.isQueued(id)) {
      this.#run(client, id);
    } else {
      if (!transactions.queue(client, transaction, id)) return this.#reject(client, id, OUT_OF_MEMORY);
      const replyAt = this.parts.replies.length;
      reply.raw(QUEUED);
      if (client.replyMode !== "on") this.#muffle(client, replyAt);
    }
    if (client.transaction === undefined) client.asking = false;
  }

  /** EXEC: what was queued runs, and its replies are the elements of one. */
  #execute(client: ClientConnection, transaction: Transaction, id: number): void {
    const { args, pushes, replies, requests, stats, transactions } = this.parts;
    const word = args.at(0);
    const isMute = client.replyMode !== "on";
    const replyAt = replies.length;
    this.#stopTiming();
    const sinceUs = this.#timedSinceUs;
    pushes.begin(client, replyAt);
    try {
      this.#runAll(client, transaction, isMute);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.#fail(client, id, replyAt, error);
    }
    this.#stopTiming(client);
    this.#source = client.decoder;
    requests.setOnly(word);
    stats.called(id, this.#timedSinceUs - sinceUs, 1);
    transactions.discard(client);
    if (isMute) this.#muffle(client, replyAt);
    else if (client.replyMode === "skip") client.mutesReply(); // CLIENT REPLY SKIP was about the next request
    this.#conclude(client, id, true, true, false);
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
    this.#source = decoder;
    const id = this.#place(client, decoder.argc);
    if (router.hasKeys[id] === 1) router.locate(id);
    const shut = gates.needs[id]! & gates.closed;
    if ((shut & NEEDS_NOTICE) !== 0) gates.notice(shut, id, client);
    const replyAt = replies.length;
    this.#run(client, id);
    // CLIENT REPLY OFF among them silences what follows, itself included.
    if (isMute || client.replyMode === "off") replies.truncate(Math.min(replyAt, replies.length));
    if (!client.isFinishing) this.#keepRoom(client);
  }

  #run(client: ClientConnection, id: number): void {
    const { requests, changes } = this.parts;
    const { u32 } = requests.memory;
    const engineRun = this.#engineRuns[id];
    const engineArgc = this.#engineArgc[id]!;
    let replyAt = u32[REPLY_END]! - u32[REPLY]!;
    if (engineRun === undefined || (engineArgc !== 0 && engineArgc !== u32[ARGC])) {
      return this.#handle(client, id, replyAt);
    }
    if (id !== this.#timedId) this.#startTiming(id);
    this.#timedCalls++;
    let status = engineRun();
    if (status === REFUSED_OUT_OF_MEMORY && replyAt > 0) {
      // Earlier replies may be what takes the room.
      client.sendReplies(this.parts.replies);
      replyAt = 0;
      status = engineRun();
    }
    if (status < 0) this.#fail(client, id, replyAt, engineRefusal(this.parts.table, id, status));
    if (client.replyMode !== "on") this.#muffle(client, replyAt);
    const { observer, feed, pushes } = this.parts;
    const hasEvents = requests.memory.u32[EVENT_COUNT] !== 0;
    const isWatched = hasEvents || feed.isOn || observer.hasMonitors;
    if (isWatched && !client.isExecuting) pushes.begin(client, replyAt);
    if (hasEvents) this.#settleEvents(id);
    if (status >= RECORDED) {
      changes.rewritten(status - RECORDED, client.database);
    } else if (status > 0) {
      const { start, at, multibulk } = this.#source;
      changes.applied(status, client.database, multibulk ? start : at, at);
    }
    this.#conclude(client, id, isWatched, true, status > 0 && status < RECORDED);
  }

  /** Events of an engine command: its reply stands, so where it would have stood when they were told is looked up. */
  #settleEvents(id: number): void {
    const { table, changes, notifications } = this.parts;
    const { answersFirst, shortcut } = table.rows[id]!.command;
    // A shortcut serves the plain form of a command, which reads nothing.
    notifications.place = answersFirst === true && shortcut === undefined ? "after" : "before";
    changes.settleEvents();
    notifications.place = "here";
  }

  /** A command that TypeScript runs. */
  #handle(client: ClientConnection, id: number, replyAt: number): void {
    const { args, reply, context, changes, pushes } = this.parts;
    const { database } = client;
    if (!client.isExecuting) pushes.begin(client, replyAt);
    this.#startTiming(id);
    this.#timedCalls++;
    changes.begin();
    context.begin(client);
    reply.protocol = client.protocol;
    const handler = this.#handlers[id];
    try {
      if (handler === undefined) throw wrongArity(this.parts.table, id); // a container without its subcommand
      handler(context, args, reply);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.#fail(client, id, replyAt, error);
    }
    if (client.replyMode !== "on") this.#muffle(client, replyAt);
    const { start, at, multibulk } = this.#source;
    changes.commit(database, multibulk ? start : at, at);
    changes.settleEvents();
    this.#stopTiming(client);
    this.#conclude(client, id, true, false, changes.isAsSent);
  }

  /**
   * A request has run: whoever is to see it, or what it did, does.
   * @param asSent what it changed is what it says it changes
   */
  #conclude(
    client: ClientConnection,
    id: number,
    isWatched: boolean,
    isEngine: boolean,
    asSent: boolean,
  ): void {
    const { observer, feed, tracking, pushes } = this.parts;
    if (observer.timesEach) this.#stopTiming(client);
    if (!isWatched) return;
    if (observer.hasMonitors) observer.show(client, id, isEngine);
    if (feed.isOn) feed.ran(client, id, asSent);
    if (tracking.isOn) tracking.ran(client, id);
    if (client.isExecuting) return; // whoever waits for the end of EXEC
    feed.done();
    pushes.end();
  }

  #unknown(client: ClientConnection): void {
    const { table, args, stats, tracking } = this.parts;
    // What a browser sends: no client of ours, and maybe one that was tricked into talking to us.
    if (args.is(0, "POST") || args.is(0, "HOST:")) return client.close("possible cross-protocol attack");
    if (client.onUnknown?.(args.text(0)) === true) return;
    if (client.transaction !== undefined) client.transaction.isAborted = true;
    if (tracking.isOn) tracking.refused(client, undefined);
    const refusal = notFound(table, args);
    client.onError?.(refusal.message);
    stats.errorReply(refusal.message);
    const replyAt = this.parts.replies.length;
    this.#writeError(refusal.message);
    if (client.replyMode !== "on") this.#muffle(client, replyAt);
  }

  /** Refused before it ran, and with it the transaction it was to be part of. */
  #reject(client: ClientConnection, id: number, refusal: ReplyError): void {
    const { transactions, observer } = this.parts;
    this.#refuse(client, id, transactions.rejected(client, id, refusal));
    if (observer.hasMonitors && transactions.executes(id)) observer.show(client, id, true);
  }

  /** Refused before it ran. */
  #refuse(client: ClientConnection, id: number, refusal: ReplyError): void {
    const replyAt = this.parts.replies.length;
    client.onError?.(refusal.message);
    this.parts.stats.refused(id, refusal.message);
    this.#writeError(refusal.message);
    if (client.transaction === undefined) client.asking = false;
    if (this.parts.tracking.isOn) this.parts.tracking.refused(client, id);
    if (client.replyMode !== "on") this.#muffle(client, replyAt);
  }

  /** Ran, and ended in an error: that is its whole reply. */
  #fail(client: ClientConnection, id: number, replyAt: number, error: ReplyError): void {
    const { replies, stats } = this.parts;
    client.onError?.(error.message);
    replies.truncate(replyAt);
    this.#writeError(error.message);
    stats.failedWith(id, error.message);
  }

  #malformed(client: ClientConnection): void {
    const text = `ERR ${client.decoder.error}`;
    this.parts.stats.errorReply(text);
    this.#writeError(text);
    client.finish();
  }

  /** An error that quotes more of its request than there is memory for is told in short. */
  #writeError(text: string): void {
    const { reply } = this.parts;
    try {
      reply.error(text);
    } catch (error) {
      if (error !== OUT_OF_MEMORY) throw error;
      reply.error(OUT_OF_MEMORY);
    }
  }

  /** Room in the arena for another reply: it grows, or what it holds goes out. */
  #keepRoom(client: ClientConnection): void {
    const { requests, replies } = this.parts;
    const { u32, wasm } = requests.memory;
    if (u32[REPLY_END]! - u32[REPLY]! > FLUSH_BYTES) client.sendReplies(replies);
    else if (u32[REPLY_LIMIT]! - u32[REPLY_END]! < REPLY_ROOM && wasm.reserveReply(REPLY_ROOM) === 0)
      client.sendReplies(replies);
  }

  /** CLIENT REPLY OFF and SKIP. */
  #muffle(client: ClientConnection, replyAt: number): void {
    if (!client.isExecuting && client.mutesReply()) this.parts.replies.truncate(replyAt);
  }

  /** Calls of one row in a row share two readings of the clock. */
  #startTiming(id: number): void {
    if (this.#timedCalls > 0) this.#stopTiming();
    this.#timedId = id;
  }

  /** @param client who sent the request timed last, when that still lies in the argv table */
  #stopTiming(client?: ClientConnection): void {
    const now = monotonicUs();
    if (this.#timedCalls > 0) {
      const us = now - this.#timedSinceUs;
      this.parts.stats.called(this.#timedId, us, this.#timedCalls);
      if (client !== undefined) this.parts.observer.timed(client, this.#timedId, us / this.#timedCalls);
    }
    this.#timedId = UNKNOWN;
    this.#timedCalls = 0;
    this.#timedSinceUs = now;
  }
}
