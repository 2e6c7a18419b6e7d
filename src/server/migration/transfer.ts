// One MIGRATE on its way: a connection to the target, the requests that carry the keys, the target's answers.
//
//   connecting -> sending (what it says depends on the connection: SELECT only where need be) -> answered
//        ^            '- the connection broke before any key was answered: once more, over a fresh one
//        '------------'
import type { MigrateRequest } from "../../commands/migrate.ts";
import { after, soon, type Timer } from "../../io/clock.ts";
import { contained } from "../../io/fault-domain.ts";
import { connect, type Connection } from "../../io/sockets.ts";
import { RestoreReplies } from "../../migration/replies.ts";
import { ReplyError } from "../../resp/errors.ts";
import type { TargetLink, TargetLinks } from "./target-links.ts";

const CANNOT_CONNECT = new ReplyError("IOERR error or timeout connecting to the client");
const CANNOT_WRITE = new ReplyError("IOERR error or timeout writing to target instance");
const CANNOT_READ = new ReplyError("IOERR error or timeout reading to target instance");

const targetError = (text: string): ReplyError =>
  new ReplyError(`ERR Target instance replied with error: ${text}`);

/** What is sent over a connection, and what has to be answered. */
export interface Shipment {
  readonly blocks: readonly Uint8Array[];
  /** Requests before the first RESTORE. */
  readonly preludes: number;
  /** Keys sent, in order. */
  readonly keys: readonly Uint8Array[];
}

export interface TransferHost {
  readonly links: TargetLinks;
  /** Writes the requests that carry the keys. Throws OUT_OF_MEMORY. */
  pack(request: MigrateRequest, isSelected: boolean): Shipment;
}

/** How it ended. */
export interface Outcome {
  /** Keys the target has now. */
  readonly arrived: readonly Uint8Array[];
  /** What the client is told; undefined = OK. */
  readonly error: ReplyError | undefined;
}

export class Transfer {
  readonly #target: string;
  #link: TargetLink | undefined;
  /** Keys sent over it. */
  #keys: readonly Uint8Array[] = [];
  #replies = new RestoreReplies(0, 0);
  #mayRetry = true;
  #timer: Timer | undefined;
  /** Whether the target has said anything since the timer was set. */
  #hasProgress = false;
  #isOver = false;

  /** @param ended told once, never while `begin` runs */
  constructor(
    private readonly host: TransferHost,
    private readonly request: MigrateRequest,
    private readonly ended: (outcome: Outcome) => void,
  ) {
    this.#target = `${request.host}:${request.port}`;
  }

  begin(): void {
    const kept = this.host.links.take(this.#target);
    if (kept === undefined) this.#connect();
    else this.#use(kept);
  }

  /** Gives up; nobody is told. */
  abort(): void {
    this.#isOver = true;
    this.#dropLink();
  }

  #connect(): void {
    const { host, port, timeoutMs } = this.request;
    const failed = contained(() => this.#end({ arrived: [], error: CANNOT_CONNECT }));
    const opened = contained((connection: Connection) => {
      if (this.#isOver) connection.close();
      else if (connection.isClosed) this.#end({ arrived: [], error: CANNOT_CONNECT });
      else this.#use(this.host.links.add(this.#target, connection));
    });
    connect(host, port, timeoutMs).then(opened, failed);
  }

  #use(link: TargetLink): void {
    this.#link = link;
    let shipment: Shipment;
    try {
      shipment = this.host.pack(this.request, link.database === this.request.database);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      return soon(() => this.#end({ arrived: [], error }));
    }
    this.#keys = shipment.keys;
    this.#replies = new RestoreReplies(shipment.preludes, shipment.keys.length);
    const { connection } = link;
    connection.user = {
      received: (chunk) => this.#received(chunk),
      closed: () => this.#broke(connection.unsentBytes > 0),
    };
    for (const block of shipment.blocks) connection.send(block);
    this.#watch(connection);
    if (this.#replies.isWhole) soon(() => this.#answered()); // every key has expired meanwhile
  }

  #received(chunk: Uint8Array): void {
    this.#hasProgress = true;
    if (!this.#replies.feed(chunk)) this.#broke(false);
    else if (this.#replies.isWhole) this.#answered();
  }

  #answered(): void {
    const link = this.#link;
    if (link === undefined) return;
    const { error } = this.#replies;
    link.database = error === undefined ? this.request.database : undefined;
    this.#end({ arrived: this.#arrived(), error: error === undefined ? undefined : targetError(error) });
  }

  /** The connection is of no more use, before all was answered. */
  #broke(isWriting: boolean, isTimeout = false): void {
    this.#dropLink();
    const { acknowledged, error } = this.#replies;
    if (acknowledged.length === 0 && this.#mayRetry && !isTimeout) {
      this.#mayRetry = false;
      return this.#connect();
    }
    const ownError = isWriting ? CANNOT_WRITE : CANNOT_READ;
    this.#end({ arrived: this.#arrived(), error: error === undefined ? ownError : targetError(error) });
  }

  #arrived(): readonly Uint8Array[] {
    const { acknowledged } = this.#replies;
    return this.#keys.filter((_, index) => acknowledged[index] === true);
  }

  /** Lets the target do nothing for as long as was asked for, and not longer. */
  #watch(connection: Connection): void {
    this.#hasProgress = false;
    const { queuedBytes } = connection;
    this.#timer = after(this.request.timeoutMs, () => {
      if (this.#hasProgress || connection.queuedBytes !== queuedBytes) this.#watch(connection);
      else this.#broke(queuedBytes > 0, true);
    });
  }

  #dropLink(): void {
    this.#timer?.stop();
    if (this.#link !== undefined) this.host.links.close(this.#link);
    this.#link = undefined;
  }

  #end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.stop();
    if (this.#link !== undefined) this.host.links.keep(this.#link);
    this.#link = undefined;
    this.ended(outcome);
  }
}
