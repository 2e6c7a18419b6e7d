// From bytes to replies: the path every request takes. One event of a socket is one batch: its chunk is decoded in
// place, each request runs as soon as its last byte is found, replies gather in the arena, and the socket gets them in
// one write. Nothing here makes an object, a string or a closure for a request that an engine command serves.
import {
  RECORDED,
  REFUSED_ARITY,
  REFUSED_OUT_OF_MEMORY,
  STATE_ARGC,
  STATE_DB,
  STATE_EVENT_COUNT,
  STATE_PROTOCOL,
  STATE_REPLY,
  STATE_REPLY_END,
  STATE_REPLY_LIMIT,
} from "../../assembly/abi.ts";
import { notFound, wrongArity } from "../commands/refusal.ts";
import type { Handler } from "../commands/row.ts";
import { UNKNOWN, type CommandTable } from "../commands/table.ts";
import type { ReplyArena } from "../engine/arena.ts";
import type { Args } from "../engine/args.ts";
import { bindCommand, type EngineRun } from "../engine/exports.ts";
import { refusal as refusalOf } from "../engine/refused.ts";
import type { RequestArena } from "../engine/request-memory.ts";
import { monotonicUs, nowMs } from "../io/clock.ts";
import { INCOMPLETE, MALFORMED } from "../resp/decoder.ts";
import { OUT_OF_MEMORY, ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client.ts";
import { HOLD, NEEDS_ASSENT, NEEDS_AUTH, type Gates } from "./gates.ts";
import type { Observer } from "./observer.ts";
import type { Pushes } from "./pushes.ts";
import type { RequestContext } from "./request-context.ts";
import type { Router } from "./router.ts";
import type { Stats } from "./stats.ts";
import type { KeyTracking } from "./tracking.ts";

/** Replies gathered beyond this go out before the batch ends. */
const FLUSH_BYTES = 262_144;

/** Room the arena has for each request's reply, so that memory never runs out for an error or a short one. */
const REPLY_ROOM = 4096;

/** With more than this still to decode, it pays to look at the keys of the requests ahead. */
const PIPELINE_BYTES = 128;

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
  readonly tracking: KeyTracking;
  readonly pushes: Pushes;
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

  constructor(private readonly parts: DispatchParts) {
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
      const { u32 } = memory;
      if (u32[REPLY_END]! - u32[REPLY]! > FLUSH_BYTES) client.sendReplies(replies);
      else if (u32[REPLY_LIMIT]! - u32[REPLY_END]! < REPLY_ROOM) this.#makeRoom(client);
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
    if (input.keptBytes > client.inputLimit) client.close("its requests exceed client-query-buffer-limit");
    requests.trim();
  }

  /** The request in the argv table. */
  #request(client: ClientConnection): void {
    const { requests, table, gates, router } = this.parts;
    const { memory } = requests;
    const { argc } = client.decoder;
    const { u32 } = memory;
    u32[ARGC] = argc;
    u32[DB] = client.database;
    u32[PROTOCOL] = client.protocol;
    const id = table.resolve(memory.bytes, u32, requests.argv, argc);
    if (id === UNKNOWN) return this.#unknown(client);
    if (!table.acceptsCount(id, argc)) return this.#refuse(client, id, wrongArity(table, id));
    const needs = gates.needs[id]!;
    if ((needs & (client.closedGates | gates.closed) & (NEEDS_AUTH | NEEDS_ASSENT)) !== 0) {
      const refusal = gates.admit(id, client);
      if (refusal !== undefined) return this.#refuse(client, id, refusal);
    }
    if (router.hasKeys[id] === 1) {
      const refusal = router.place(id, argc, client);
      if (refusal !== undefined) return this.#refuse(client, id, refusal);
    }
    if ((needs & gates.closed) !== 0) {
      const verdict = gates.pass(id, client);
      if (verdict === HOLD) return client.hold(this.parts.args);
      if (verdict !== undefined) return this.#refuse(client, id, verdict);
    }
    client.asking = false;
    client.lastCommand = id;
    this.#run(client, id);
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
    if (status < 0) {
      const isArity = status === REFUSED_ARITY;
      this.#fail(client, id, replyAt, isArity ? wrongArity(this.parts.table, id) : refusalOf(status));
    }
    if (client.replyMode !== "on") this.#muffle(client, replyAt);
    const { observer, tracking, pushes } = this.parts;
    const hasEvents = requests.memory.u32[EVENT_COUNT] !== 0;
    const isWatched = hasEvents || tracking.isOn || observer.hasMonitors;
    if (isWatched) pushes.begin(client, replyAt);
    if (hasEvents) changes.settleEvents();
    if (status >= RECORDED) {
      changes.rewritten(status - RECORDED, client.database);
    } else if (status > 0) {
      const { start, at, multibulk } = client.decoder;
      changes.applied(status, client.database, multibulk ? start : at, at);
    }
    if (observer.timesEach) this.#stopTiming(client);
    if (!isWatched) return;
    if (observer.hasMonitors) observer.show(client, id, true);
    if (tracking.isOn) tracking.ran(client, id, status > 0 && status < RECORDED);
    pushes.end();
  }

  /** A command that TypeScript runs. */
  #handle(client: ClientConnection, id: number, replyAt: number): void {
    const { args, reply, context, changes, tracking, observer, pushes } = this.parts;
    const { database } = client;
    pushes.begin(client, replyAt);
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
    const { start, at, multibulk } = client.decoder;
    changes.commit(database, multibulk ? start : at, at);
    changes.settleEvents();
    this.#stopTiming(client);
    if (observer.hasMonitors) observer.show(client, id, false);
    if (tracking.isOn) tracking.ran(client, id, changes.isAsSent);
    pushes.end();
  }

  #unknown(client: ClientConnection): void {
    const { table, args, stats, tracking } = this.parts;
    // What a browser sends: no client of ours, and maybe one that was tricked into talking to us.
    if (args.is(0, "POST") || args.is(0, "HOST:")) return client.close("possible cross-protocol attack");
    if (client.onUnknown?.(args.text(0)) === true) return;
    if (tracking.isOn) tracking.refused(client, undefined);
    const refusal = notFound(table, args);
    client.onError?.(refusal.message);
    stats.errorReply(refusal.message);
    const replyAt = this.parts.replies.length;
    this.#writeError(refusal.message);
    if (client.replyMode !== "on") this.#muffle(client, replyAt);
  }

  /** Refused before it ran. */
  #refuse(client: ClientConnection, id: number, refusal: ReplyError): void {
    const replyAt = this.parts.replies.length;
    client.onError?.(refusal.message);
    this.parts.stats.refused(id, refusal.message);
    this.#writeError(refusal.message);
    client.asking = false;
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

  /** The arena is nearly full: it grows, or what it holds goes out. */
  #makeRoom(client: ClientConnection): void {
    const { requests, replies } = this.parts;
    if (requests.memory.wasm.reserveReply(REPLY_ROOM) === 0) client.sendReplies(replies);
  }

  /** CLIENT REPLY OFF and SKIP. */
  #muffle(client: ClientConnection, replyAt: number): void {
    if (client.mutesReply()) this.parts.replies.truncate(replyAt);
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
