// The Context a handler sees: one per node, pointed at each request in turn.
import { RECORDED } from "../../assembly/abi.ts";
import type { Context, Server } from "../commands/context.ts";
import type { ReplyArena } from "../engine/arena.ts";
import type { EngineCommand } from "../engine/exports.ts";
import type { InnerRequests, Word } from "../engine/inner.ts";
import type { Keys } from "../engine/keys.ts";
import { Rdb } from "../engine/rdb.ts";
import type { Memory } from "../engine/memory.ts";
import { refusal } from "../engine/refused.ts";
import type { Slice } from "../resp/reply.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client.ts";

export class RequestContext implements Context {
  #client: ClientConnection | undefined;
  /** Arguments not to be shown; empty for nearly every request. */
  readonly #redacted = new Set<number>();

  constructor(
    private readonly memory: Memory,
    private readonly changes: Changes,
    readonly keys: Keys,
    readonly server: Server,
    private readonly inner: InnerRequests,
    private readonly replies: ReplyArena,
    readonly rdb = new Rdb(memory),
  ) {}

  /** The next request is this client's. */
  begin(client: ClientConnection): void {
    this.#client = client;
    if (this.#redacted.size > 0) this.#redacted.clear();
  }

  redact(index: number): void {
    this.#redacted.add(index);
  }

  isRedacted(index: number): boolean {
    return this.#redacted.has(index);
  }

  get nowMs(): number {
    return this.memory.nowMs;
  }

  get client(): ClientConnection {
    if (this.#client === undefined) throw new Error("no request is being served");
    return this.#client;
  }

  changed(count = 1): void {
    this.changes.changed(count);
  }

  relay(): void {
    this.changes.relay(this.memory.database);
  }

  run(command: EngineCommand, words: readonly Word[], keyAt = 1, head = 0): boolean {
    const { memory, changes, replies } = this;
    const replyAt = replies.length;
    const status = this.inner.run(command, words, keyAt);
    if (status < 0) throw refusal(status);
    if (head > 0) replies.cut(replyAt, head);
    if (status === 0) replies.truncate(replyAt);
    else if (status >= RECORDED) changes.rewritten(status - RECORDED, memory.database);
    else changes.propagate(memory.database, words);
    return status > 0;
  }

  notify(kind: number, key: Slice | Uint8Array, database = this.memory.database): void {
    this.changes.notify(database, kind, key);
  }

  touched(database: number, key: Slice): void {
    this.changes.watcher?.touched(database, this.memory.copy(key));
  }

  propagate(...parts: readonly (string | Slice | Uint8Array)[]): void {
    this.changes.propagate(this.memory.database, parts);
  }
}
