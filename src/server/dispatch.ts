// From bytes to replies: the path every request takes. One event of a socket is one batch: its chunk is decoded in
// place, each request runs as soon as its last byte is found, replies gather in the arena, and the socket gets them in
// one write. Nothing here makes an object, a string or a closure for a request that an engine command serves.
import { STATE_DB } from "../../assembly/abi.ts";
import { wrongArity } from "../commands/refusal.ts";
import { UNKNOWN } from "../commands/table.ts";
import { nowMs } from "../io/clock.ts";
import { INCOMPLETE, MALFORMED } from "../resp/decoder.ts";
import { OUT_OF_MEMORY } from "../resp/errors.ts";
import { Answers } from "./answers.ts";
import type { BlockedKeys } from "./blocked-keys.ts";
import { CallTimer } from "./call-timer.ts";
import type { ClientConnection } from "./client.ts";
import { CommandRunner, type RunnerParts } from "./command-runner.ts";
import { Exec, type ExecParts } from "./exec.ts";
import { HOLD, LATER, NEEDS_ASSENT, NEEDS_AUTH, NEEDS_CLIENT, NEEDS_NOTICE } from "./gates.ts";
import { Refusals, type RefusalParts } from "./refusals.ts";
import type { Transaction } from "./transaction.ts";

/** With more than this still to decode, it pays to look at the keys of the requests ahead. */
const PIPELINE_BYTES = 128;

const QUEUED = new TextEncoder().encode("+QUEUED\r\n");

/** Gates asked before routing. */
const ADMISSION = NEEDS_AUTH | NEEDS_ASSENT | NEEDS_CLIENT;

const DB = STATE_DB >> 2;

export interface DispatchParts extends RunnerParts, ExecParts, RefusalParts {
  readonly blocking: BlockedKeys;
  /** After a batch that logged something: what is new goes to whoever reads the log. */
  readonly logged: () => void;
}

export class Dispatcher {
  readonly #timer: CallTimer;
  readonly #answers: Answers;
  readonly #refusals: Refusals;
  readonly #runner: CommandRunner;
  readonly #exec: Exec;

  constructor(private readonly parts: DispatchParts) {
    const { requests, replies, reply, stats, observer } = parts;
    this.#timer = new CallTimer(stats, observer);
    this.#answers = new Answers(requests.memory, replies, reply);
    this.#refusals = new Refusals(parts, this.#answers);
    this.#runner = new CommandRunner(parts, this.#timer, this.#answers, this.#refusals);
    this.#exec = new Exec(parts, this.#runner, this.#timer, this.#answers, this.#refusals);
  }

  /** Runs every whole request of a client's chunk and sends the replies. */
  receive(client: ClientConnection, chunk: Uint8Array): void {
    if (client.isHeld) return client.holdChunk(chunk);
    if (!client.input.receive(chunk)) return client.close("out of memory for its requests");
    const { stats } = this.parts;
    stats.totals.reads++;
    stats.totals.inputBytes += chunk.length;
    this.run(client);
  }

  /** Runs every whole request of a client's input and sends the replies. */
  run(client: ClientConnection): void {
    const { requests, replies, changes } = this.parts;
    const { memory } = requests;
    memory.nowMs = nowMs();
    client.lastActiveAtMs = memory.nowMs;
    this.#timer.restart();
    client.isRunning = true;
    this.parts.pushes.gather();
    const { decoder, input } = client;
    client.batchStart = decoder.keepFrom;
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
        this.#refusals.malformed(client);
        break;
      }
      this.#request(client);
      if (this.parts.blocking.hasReady) this.#serve(client);
      this.#answers.keepRoom(client);
    }
    this.#timer.stop(client);
    changes.flush();
    if (client.transaction === undefined) client.loggedTo = changes.log.end;
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
    this.#timer.stop(client);
    this.parts.blocking.serve();
    this.parts.tracking.settle();
    this.#timer.restart();
  }

  /** The request in the argv table. */
  #request(client: ClientConnection): void {
    const { table, gates, router, transactions } = this.parts;
    const { decoder, transaction } = client;
    this.#runner.source = decoder;
    const id = this.#runner.place(client, decoder.argc);
    if (id === UNKNOWN) return this.#refusals.unknown(client);
    if (!table.acceptsCount(id, decoder.argc))
      return this.#refusals.reject(client, id, wrongArity(table, id));
    let needs = gates.needs[id]!;
    if (transaction !== undefined) needs |= transactions.needs(transaction, id);
    if ((needs & (client.closedGates | gates.closed) & ADMISSION) !== 0) {
      const refusal = gates.admit(id, client);
      if (refusal !== undefined) return this.#refusals.reject(client, id, refusal);
    }
    if (transaction !== undefined) {
      const refusal = transactions.refusal(client, id);
      if (refusal !== undefined) return this.#refusals.refuse(client, id, refusal);
    }
    if (router.hasKeys[id] === 1) {
      const refusal = router.place(id, decoder.argc, client);
      if (refusal !== undefined) return this.#refusals.reject(client, id, refusal);
    }
    const shut = needs & (client.closedGates | gates.closed);
    if (shut !== 0 && !client.isMaster) {
      const verdict = gates.pass(shut, id, client);
      if (verdict === HOLD) return client.hold(this.parts.args);
      if (verdict === LATER) return;
      if (verdict !== undefined) return this.#refusals.reject(client, id, verdict);
    }
    client.lastCommand = id;
    if (transaction !== undefined) return this.#runInside(client, transaction, id, shut);
    if ((shut & NEEDS_NOTICE) !== 0) gates.notice(shut, id, client);
    const { asking } = client;
    client.asking = false;
    this.#runner.run(client, id);
    if (asking && client.transaction !== undefined) client.asking = true; // for all that MULTI begins
  }

  /** A request after MULTI: it waits, unless it is one of those that do not. */
  #runInside(client: ClientConnection, transaction: Transaction, id: number, shut: number): void {
    const { transactions, gates, reply } = this.parts;
    if (transactions.executes(id)) {
      if ((shut & NEEDS_NOTICE) !== 0) gates.notice(shut, id, client);
      this.#exec.run(client, transaction, id);
    } else if (!transactions.isQueued(id)) {
      this.#runner.run(client, id);
    } else {
      if (!transactions.queue(client, transaction, id))
        return this.#refusals.reject(client, id, OUT_OF_MEMORY);
      const replyAt = this.parts.replies.length;
      reply.raw(QUEUED);
      if (client.replyMode !== "on") this.#answers.muffle(client, replyAt);
    }
    if (client.transaction === undefined) client.asking = false;
  }
}
