// Transactions of a node's clients: what is queued after MULTI and what is refused then, and whether EXEC may run it.
import type { Client } from "../commands/context.ts";
import { flagBit } from "../commands/flags.ts";
import type { Transactions } from "../commands/transactions.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Args } from "../engine/args.ts";
import type { Keys } from "../engine/keys.ts";
import type { RequestArena } from "../engine/request-memory.ts";
import type { MutationLog } from "../replication/log.ts";
import { ReplyError } from "../resp/errors.ts";
import { type ClientConnection, connectionOf } from "./client.ts";
import { NEEDS_MEMORY, NEEDS_NOTICE, type Gates } from "./gates.ts";
import type { KeyFeed } from "./key-feed.ts";
import type { Router } from "./router.ts";
import { Transaction } from "./transaction.ts";
import { Watches } from "./watches.ts";

const NOT_INSIDE = new ReplyError("ERR Command not allowed inside a transaction");
const ABORTED = new ReplyError("EXECABORT Transaction discarded because of previous errors.");

/** What a request is to a transaction that was begun. */
const QUEUED = 0;
const REFUSED = 1;
const ENDS = 2;
const EXECUTES = 3;
const PARTS = { refused: REFUSED, ends: ENDS, executes: EXECUTES } as const;

export interface TransactionParts {
  readonly table: CommandTable;
  readonly requests: RequestArena;
  readonly args: Args;
  readonly keys: Keys;
  readonly gates: Gates;
  readonly feed: KeyFeed;
  readonly log: MutationLog;
  router(): Router;
}

export class NodeTransactions implements Transactions {
  readonly #watches: Watches;
  /** By row id: one of the constants above. */
  readonly #part: Uint8Array;

  constructor(private readonly parts: TransactionParts) {
    const { table, requests, keys, feed } = parts;
    this.#watches = new Watches(requests.memory, keys, () => feed.refresh());
    feed.add(this.#watches);
    this.#part = Uint8Array.from(table.rows, ({ command: { duringMulti } }) =>
      duringMulti === undefined ? QUEUED : PARTS[duringMulti],
    );
  }

  begin(client: Client): void {
    const connection = connectionOf(client);
    const transaction = new Transaction(this.parts.requests);
    transaction.streamBytes = connection.decoder.at - connection.decoder.start;
    connection.transaction = transaction;
    connection.loggedTo = this.parts.log.end;
  }

  discard(client: Client): void {
    const connection = connectionOf(client);
    connection.transaction?.queue.release();
    connection.transaction = undefined;
    this.unwatch(client);
  }

  watch(client: Client, args: Args, index: number): void {
    this.#watches.add(connectionOf(client), args.at(index));
  }

  unwatch(client: Client): void {
    const connection = connectionOf(client);
    this.#watches.drop(connection);
    connection.isDirty = false;
  }

  emptying(database?: number): void {
    this.#watches.emptying(database);
  }

  swapping(a: number, b: number): void {
    this.#watches.swapping(a, b);
  }

  /** The data is replaced by another server's. */
  replacing(): void {
    this.#watches.replacing();
  }

  /** A client is gone; one whose requests run goes when they have. */
  left(client: ClientConnection): void {
    if (!client.isRunning) this.discard(client);
  }

  /** Whether the row runs a transaction that was begun. */
  executes(id: number): boolean {
    return this.#part[id] === EXECUTES;
  }

  /** Whether the request waits for EXEC. */
  isQueued(id: number): boolean {
    return this.#part[id] === QUEUED;
  }

  /** Gates a request needs open beyond its own because a transaction was begun. */
  needs(transaction: Transaction, id: number): number {
    const part = this.#part[id];
    if (part === EXECUTES) return transaction.needs;
    return part === ENDS ? 0 : NEEDS_MEMORY; // what waits takes memory, whatever it will do
  }

  /** Why a request cannot be part of a transaction, or the transaction cannot run here. */
  refusal(client: ClientConnection, id: number): ReplyError | undefined {
    if ((this.parts.table.flags[id]! & flagBit.no_multi) !== 0) return this.rejected(client, id, NOT_INSIDE);
    const { transaction } = client;
    if (this.#part[id] !== EXECUTES || transaction === undefined || transaction.slot < 0) return undefined;
    const refusal = this.parts.router().placeAllOf(transaction, id, client);
    if (refusal !== undefined) this.discard(client);
    return refusal;
  }

  /** A request was refused before it ran: what the client is told, and what that does to its transaction. */
  rejected(client: ClientConnection, id: number, refusal: ReplyError): ReplyError {
    if (this.#part[id] === EXECUTES) {
      this.discard(client);
      const reason = refusal.message.replace(/^ERR /, "");
      return new ReplyError(`EXECABORT Transaction discarded because of: ${reason}`);
    }
    if (client.transaction !== undefined) client.transaction.isAborted = true;
    return refusal;
  }

  /** Queues the request at hand, unless EXEC will run nothing anyway; false = there is no memory for it. */
  queue(client: ClientConnection, transaction: Transaction, id: number): boolean {
    const { gates, table, args } = this.parts;
    const { decoder } = client;
    if (transaction.isAborted || client.isDirty) return true;
    if (!transaction.queue.add(decoder, args)) return false;
    transaction.streamBytes += decoder.at - decoder.start;
    transaction.note(gates.needs[id]! & ~NEEDS_NOTICE, table.flags[id]!, this.parts.router().slotFound(id));
    return true;
  }

  /**
   * EXEC was said: whether what waits may run. If so the keys watched are forgotten.
   * Throws when a request was refused before.
   */
  mayRun(client: ClientConnection, transaction: Transaction): boolean {
    this.#watches.expire(client);
    const { isDirty } = client;
    this.unwatch(client);
    if (transaction.isAborted) throw ABORTED;
    return !isDirty;
  }
}
