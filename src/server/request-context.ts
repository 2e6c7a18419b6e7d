// The Context a handler sees: one per node, pointed at each request in turn.
import type { Context, Server } from "../commands/context.ts";
import type { Keys } from "../engine/keys.ts";
import { Rdb } from "../engine/rdb.ts";
import type { Memory } from "../engine/memory.ts";
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
