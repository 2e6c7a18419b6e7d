// One request that nothing refuses: it runs, by the engine or by its handler, and whoever is to see it, or what it did,
// does. Nothing here makes an object, a string or a closure for a request that an engine command serves.
import {
  RECORDED,
  REFUSED_OUT_OF_MEMORY,
  STATE_ARGC,
  STATE_DB,
  STATE_EVENT_COUNT,
  STATE_PROTOCOL,
  STATE_REPLY,
  STATE_REPLY_END,
  TOUCHED,
} from "../../assembly/abi.ts";
import { engineRefusal, wrongArity } from "../commands/refusal.ts";
import type { Handler } from "../commands/row.ts";
import type { CommandTable } from "../commands/table.ts";
import type { ReplyArena } from "../engine/arena.ts";
import type { Args } from "../engine/args.ts";
import { bindCommand, type EngineRun } from "../engine/exports.ts";
import type { RequestArena } from "../engine/request-memory.ts";
import { Decoder } from "../resp/decoder.ts";
import { ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Answers } from "./answers.ts";
import type { CallTimer } from "./call-timer.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client.ts";
import type { KeyFeed } from "./key-feed.ts";
import type { Notifications } from "./notifications.ts";
import type { Observer } from "./observer.ts";
import type { Pushes } from "./pushes.ts";
import type { Refusals } from "./refusals.ts";
import type { RequestContext } from "./request-context.ts";
import type { KeyTracking } from "./tracking.ts";

const ARGC = STATE_ARGC >> 2;
const DB = STATE_DB >> 2;
const PROTOCOL = STATE_PROTOCOL >> 2;
const EVENT_COUNT = STATE_EVENT_COUNT >> 2;
const REPLY = STATE_REPLY >> 2;
const REPLY_END = STATE_REPLY_END >> 2;

export interface RunnerParts {
  readonly requests: RequestArena;
  readonly replies: ReplyArena;
  readonly args: Args;
  readonly reply: Reply;
  readonly table: CommandTable;
  readonly context: RequestContext;
  readonly changes: Changes;
  readonly observer: Observer;
  readonly feed: KeyFeed;
  readonly tracking: KeyTracking;
  readonly pushes: Pushes;
  readonly notifications: Notifications;
}

export class CommandRunner {
  /** Tells where the request that runs lies. */
  source = new Decoder();
  readonly #engineRuns: (EngineRun | undefined)[];
  /** The number of arguments the engine runs a row for; 0 = any. */
  readonly #engineArgc: Uint32Array;
  readonly #handlers: (Handler | undefined)[];

  constructor(
    private readonly parts: RunnerParts,
    private readonly timer: CallTimer,
    private readonly answers: Answers,
    private readonly refusals: Refusals,
  ) {
    const { table, requests } = parts;
    this.#engineRuns = table.rows.map(({ command: { run, shortcut } }) => {
      const command = run !== undefined && "export" in run ? run : shortcut?.run;
      return command === undefined ? undefined : bindCommand(requests.memory.wasm, command);
    });
    this.#engineArgc = Uint32Array.from(table.rows, ({ command }) => command.shortcut?.count ?? 0);
    this.#handlers = table.rows.map(({ command: { run } }) => (typeof run === "function" ? run : undefined));
  }

  /** Readies the state block for the request in the argv table, and finds its row. */
  place(client: ClientConnection, argc: number): number {
    const { requests, table } = this.parts;
    const { bytes, u32 } = requests.memory;
    u32[ARGC] = argc;
    u32[DB] = client.database;
    u32[PROTOCOL] = client.protocol;
    return table.resolve(bytes, u32, requests.argv, argc);
  }

  /** Runs the request in the argv table, whose row is `id`; whatever can refuse it has been asked. */
  run(client: ClientConnection, id: number): void {
    const { requests, changes } = this.parts;
    const { u32 } = requests.memory;
    const engineRun = this.#engineRuns[id];
    const engineArgc = this.#engineArgc[id]!;
    let replyAt = u32[REPLY_END]! - u32[REPLY]!;
    if (engineRun === undefined || (engineArgc !== 0 && engineArgc !== u32[ARGC])) {
      return this.#handle(client, id, replyAt);
    }
    this.timer.join(id);
    let status = engineRun();
    if (status === REFUSED_OUT_OF_MEMORY && replyAt > 0) {
      // Earlier replies may be what takes the room.
      client.sendReplies(this.parts.replies);
      replyAt = 0;
      status = engineRun();
    }
    if (status < 0) this.refusals.fail(client, id, replyAt, engineRefusal(this.parts.table, id, status));
    if (client.replyMode !== "on") this.answers.muffle(client, replyAt);
    const { observer, feed, pushes } = this.parts;
    const hasEvents = requests.memory.u32[EVENT_COUNT] !== 0;
    const isWatched = hasEvents || feed.isOn || observer.hasMonitors;
    if (isWatched && !client.isExecuting) pushes.begin(client, replyAt);
    // A key that had expired and what came in its place are told together.
    const isUnit = hasEvents && !client.isExecuting;
    if (isUnit) changes.together();
    if (hasEvents) this.#settleEvents(id);
    if (status >= RECORDED) {
      changes.rewritten(status - RECORDED, client.database);
    } else if (status > 0 && status !== TOUCHED) {
      const { start, at, multibulk } = this.source;
      changes.applied(status, client.database, multibulk ? start : at, at);
    }
    if (isUnit) changes.apart();
    this.conclude(client, id, isWatched, true, status > 0 && status < RECORDED);
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
    this.timer.start(id);
    changes.begin();
    if (!client.isExecuting) changes.together();
    context.begin(client);
    reply.protocol = client.protocol;
    const handler = this.#handlers[id];
    try {
      if (handler === undefined) throw wrongArity(this.parts.table, id); // a container without its subcommand
      handler(context, args, reply);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.refusals.fail(client, id, replyAt, error);
    }
    if (client.replyMode !== "on") this.answers.muffle(client, replyAt);
    const { start, at, multibulk } = this.source;
    changes.commit(database, multibulk ? start : at, at);
    changes.settleEvents();
    if (!client.isExecuting) changes.apart();
    this.timer.stop(client);
    this.conclude(client, id, true, false, changes.isAsSent);
  }

  /**
   * A request has run: whoever is to see it, or what it did, does.
   * @param asSent what it changed is what it says it changes
   */
  conclude(
    client: ClientConnection,
    id: number,
    isWatched: boolean,
    isEngine: boolean,
    asSent: boolean,
  ): void {
    const { observer, feed, tracking, pushes } = this.parts;
    if (observer.timesEach) this.timer.stop(client);
    if (!isWatched) return;
    if (observer.hasMonitors) observer.show(client, id, isEngine);
    if (feed.isOn) feed.ran(client, id, asSent);
    if (tracking.isOn) tracking.ran(client, id);
    if (client.isExecuting) return; // whoever waits for the end of EXEC
    feed.done();
    pushes.end();
  }
}
