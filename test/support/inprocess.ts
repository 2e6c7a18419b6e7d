// Rows and handlers without a server around them: requests run in this process, replies come back as trees, and what
// replicas would be told is noted.
import * as abi from "../../assembly/abi.ts";
import type { Blocking } from "../../src/commands/blocking.ts";
import type { Client, Context, Server } from "../../src/commands/context.ts";
import { commandTable } from "../../src/commands/families.ts";
import type { Transactions } from "../../src/commands/transactions.ts";
import type { Command } from "../../src/commands/row.ts";
import { UNKNOWN } from "../../src/commands/table.ts";
import { ReplyArena } from "../../src/engine/arena.ts";
import { Args } from "../../src/engine/args.ts";
import { bindCommand } from "../../src/engine/exports.ts";
import { InnerRequests } from "../../src/engine/inner.ts";
import { Keys } from "../../src/engine/keys.ts";
import { Rdb } from "../../src/engine/rdb.ts";
import { Memory } from "../../src/engine/memory.ts";
import { eachRecord } from "../../src/engine/record.ts";
import { refusal } from "../../src/engine/refused.ts";
import { RequestArena } from "../../src/engine/request-memory.ts";
import { ReplyError } from "../../src/resp/errors.ts";
import { Reply } from "../../src/resp/reply.ts";
import { type Argument, type Reply as Read, ReplyReader } from "./resp.ts";

/** What replicas are told: a request, one character per byte. */
export type Record = readonly string[];

export interface Ran {
  readonly reply: Read;
  readonly records: readonly Record[];
}

export interface InProcessOptions {
  readonly nowMs?: number;
  readonly protocol?: 2 | 3;
  readonly clusterEnabled?: boolean;
  readonly keepsExpired?: boolean;
  /** A request that has a shortcut into the engine takes it. */
  readonly shortcuts?: boolean;
  /** Ceiling of linear memory. */
  readonly limitBytes?: number;
}

const WRONG_ARITY = new ReplyError("ERR wrong number of arguments");

export class InProcess {
  readonly memory: Memory;
  readonly keys: Keys;
  readonly rdb: Rdb;
  readonly client = { id: 1, name: "", database: 0, protocol: 2 as const, authenticated: true };
  readonly #args: Args;
  readonly #arena: ReplyArena;
  readonly #requests: RequestArena;
  readonly #inner: InnerRequests;
  readonly #reply: Reply;
  #records: Record[] = [];
  #changes = 0;
  #isRewritten = false;

  constructor(private readonly options: InProcessOptions = {}) {
    const { limitBytes } = options;
    this.memory = new Memory({ seed: [1, 2, 3, 4], ...(limitBytes === undefined ? {} : { limitBytes }) });
    this.#args = new Args(this.memory);
    this.#arena = new ReplyArena(this.memory);
    this.#requests = new RequestArena(this.memory);
    this.#inner = new InnerRequests(this.#requests);
    this.#reply = new Reply(this.#arena);
    this.keys = new Keys(this.memory, () => 0.5);
    this.rdb = new Rdb(this.memory);
    this.memory.nowMs = options.nowMs ?? 1_700_000_000_000;
    this.#reply.protocol = options.protocol ?? 2;
    this.memory.setU32(abi.STATE_PROTOCOL, this.#reply.protocol);
  }

  run(...args: readonly Argument[]): Ran {
    this.#bringIn(args.map((arg) => (arg instanceof Uint8Array ? arg : Buffer.from(String(arg)))));
    this.#records = [];
    this.#changes = 0;
    this.#isRewritten = false;
    this.#arena.reset();
    try {
      const made = this.#execute(); // handlers count by themselves meanwhile
      this.#changes += made;
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.#arena.truncate(0);
      this.#reply.error(error);
    }
    this.#settleExpired();
    if (this.#changes > 0 && !this.#isRewritten) this.#records.push(this.#request());
    const reader = new ReplyReader();
    reader.feed(this.#arena.written());
    const reply = reader.next();
    if (reply === undefined || reader.rest.length > 0) throw new Error(`not one reply: ${String(args[0])}`);
    return { reply, records: this.#records };
  }

  /** Lays the request out as the decoder does: bytes in the arena, places in the argv table. */
  #bringIn(args: readonly Uint8Array[]): void {
    const { memory } = this;
    const size = args.reduce((sum, arg) => sum + arg.length, 0);
    if (size > this.#requests.sizeBytes || !this.#requests.reserveArgv(args.length))
      throw new Error("request too large");
    let at = this.#requests.ptr;
    for (const [i, arg] of args.entries()) {
      memory.bytes.set(arg, at);
      memory.u32[this.#requests.argv + i * 2] = at;
      memory.u32[this.#requests.argv + i * 2 + 1] = arg.length;
      at += arg.length;
    }
    memory.setU32(abi.STATE_ARGC, args.length);
    memory.database = this.client.database;
  }

  #execute(): number {
    const { memory } = this;
    const id = commandTable.resolve(memory.bytes, memory.u32, this.#requests.argv, this.#args.count);
    if (id === UNKNOWN) throw new ReplyError("ERR unknown command");
    if (!commandTable.acceptsCount(id, this.#args.count)) throw WRONG_ARITY;
    const first = commandTable.firstKey[id] ?? 0;
    if (first > 0) memory.setU32(abi.STATE_SLOT, memory.slotOf(this.#args.at(first)));
    const run = this.#runOf(commandTable.rows[id]!.command);
    if (typeof run === "function") {
      run(this.#context(), this.#args, this.#reply);
      return 0;
    }
    if (run === undefined) throw new Error("a container was called without its subcommand");
    const outcome = bindCommand(memory.wasm, run)();
    if (outcome === abi.REFUSED_ARITY || outcome === abi.REFUSED_NO_INPUT_KEYS) throw WRONG_ARITY;
    if (outcome < 0) throw refusal(outcome);
    if (outcome === abi.TOUCHED) return 0;
    if (outcome < abi.RECORDED) return outcome;
    this.#isRewritten = true;
    this.#settleExpired();
    eachRecord(memory, (parts) => {
      this.#records.push(parts.map((part) => Buffer.from(memory.copy(part)).toString("latin1")));
    });
    return outcome - abi.RECORDED;
  }

  #runOf({ run, shortcut }: Command): Command["run"] {
    const takes = this.options.shortcuts === true && shortcut?.count === this.#args.count;
    return takes ? shortcut.run : run;
  }

  #context(): Context {
    const { options } = this;
    return {
      nowMs: this.memory.nowMs,
      keys: this.keys,
      rdb: this.rdb,
      client: this.client as Client,
      server: {
        clusterEnabled: options.clusterEnabled ?? false,
        databaseCount: abi.DATABASE_COUNT,
        keepsExpired: options.keepsExpired ?? false,
        table: commandTable,
        tracking: { start: () => {}, stop: () => {}, emptied: () => {} },
        blocking: { swapped: () => {} } as Partial<Blocking> as Blocking,
        restores: { take: () => undefined },
        transactions: { emptying: () => {}, swapping: () => {} } as Partial<Transactions> as Transactions,
      } as Partial<Server> as Server,
      changed: (count = 1) => {
        this.#changes += count;
      },
      run: (command, words, keyAt = 1) => {
        const replyAt = this.#arena.length;
        const outcome = this.#inner.run(command, words, keyAt);
        if (outcome < 0) throw refusal(outcome);
        if (outcome === 0) this.#arena.truncate(replyAt);
        this.#changes += outcome;
        return outcome > 0;
      },
      notify: () => {},
      touched: () => {},
      relay: () => {},
      redact: () => {},
      propagate: (...parts) => {
        this.#isRewritten = true;
        this.#settleExpired();
        this.#records.push(
          parts.map((part) => {
            if (typeof part === "string") return Buffer.from(part).toString("latin1");
            return Buffer.from(part instanceof Uint8Array ? part : this.memory.copy(part)).toString("latin1");
          }),
        );
      },
    };
  }

  #request(): Record {
    return Array.from({ length: this.#args.count }, (_, i) => this.#args.latin1(i));
  }

  #settleExpired(): void {
    this.memory.takeEvents((kind, _, key) => {
      if (kind === abi.EVENT_EXPIRED)
        this.#records.push(["DEL", Buffer.from(this.memory.copy(key)).toString("latin1")]);
    });
  }
}
