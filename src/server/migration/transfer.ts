// One MIGRATE on its way: a connection to the target, the requests that carry the keys, the target's answers.
//
//   connecting -> packing (SELECT only where need be) -> sending -> answered
//        ^                                                  '- the connection broke before any key was answered:
//        '-----------------------------------------------------  once more, over a fresh one
import type { MigrateRequest } from "../../commands/migrate.ts";
import { nowMs, soon } from "../../io/clock.ts";
import { contained } from "../../io/fault-domain.ts";
import { connect, isRefused, type Connection } from "../../io/sockets.ts";
import { RestoreReplies } from "../../migration/replies.ts";
import { ReplyError } from "../../resp/errors.ts";
import type { Deadline, Deadlines } from "../../io/deadlines.ts";
import type { Packing, Shipment } from "./packing.ts";
import type { TargetLink, TargetLinks } from "./target-links.ts";

const CANNOT_CONNECT = new ReplyError("IOERR error or timeout connecting to the client");
const CANNOT_WRITE = new ReplyError("IOERR error or timeout writing to target instance");
const CANNOT_READ = new ReplyError("IOERR error or timeout reading to target instance");

const targetError = (text: string): ReplyError =>
  new ReplyError(`ERR Target instance replied with error: ${text}`);

export interface TransferHost {
  readonly links: TargetLinks;
  readonly deadlines: Deadlines;
  /** Begins to write the requests that carry the keys. */
  pack(isSelected: boolean): Packing;
  /** Goes on with that, and returns what it returns. Throws OUT_OF_MEMORY. */
  goOn(packing: Packing): Shipment | undefined;
  /** It is given up, or all of it is sent. */
  unpack(packing: Packing): void;
}

/** How it ended. */
export interface Outcome {
  /** Keys the target has now. */
  readonly arrived: readonly Uint8Array[];
  /** What the client is told; undefined = OK. */
  readonly error: ReplyError | undefined;
}

export class Transfer implements Deadline {
  readonly #target: string;
  #link: TargetLink | undefined;
  /** What is being written and sent over it. */
  #packing: Packing | undefined;
  /** Keys sent over it, and what of the requests the socket has not been given yet. */
  #keys: readonly Uint8Array[] = [];
  #unsent: Uint8Array[] = [];
  #replies = new RestoreReplies(0, 0);
  #mayRetry = true;
  /** When it has done nothing for too long, unless it does something before. */
  dueAtMs = Infinity;
  /** Whether the target has done anything since that was set, and what waited for it then. */
  #hasProgress = false;
  #queuedBytes = 0;
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
    const failed = contained((reason: unknown) => {
      // redis-server goes on at once and notices when it writes.
      const error = isRefused(reason) ? CANNOT_WRITE : CANNOT_CONNECT;
      this.#end({ arrived: [], error });
    });
    const opened = contained((connection: Connection) => {
      if (this.#isOver) connection.close();
      else if (connection.isClosed) this.#end({ arrived: [], error: CANNOT_CONNECT });
      else this.#use(this.host.links.add(this.#target, connection));
    });
    connect(host, port, timeoutMs).then(opened, failed);
  }

  #use(link: TargetLink): void {
    this.#link = link;
    const { connection } = link;
    connection.user = {
      received: (chunk) => this.#received(chunk),
      drained: () => this.#send(connection),
      closed: () => this.#broke(connection.unsentBytes > 0 || this.#unsent.length > 0),
    };
    this.#replies = new RestoreReplies(0, 0);
    this.#packing = this.host.pack(link.database === this.request.database);
    this.#pack(this.#packing, connection);
  }

  /** Goes on until all is packed, while others have their turns. */
  #pack(packing: Packing, connection: Connection): void {
    if (this.#packing !== packing) return;
    let shipment: Shipment | undefined;
    try {
      shipment = this.host.goOn(packing);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      return soon(() => this.#end({ arrived: [], error }));
    }
    if (shipment === undefined) return soon(() => this.#pack(packing, connection));
    this.#keys = shipment.keys;
    this.#unsent = shipment.blocks;
    this.#replies = new RestoreReplies(shipment.preludes, shipment.keys.length);
    this.#send(connection);
    this.#watch(connection);
    if (this.#replies.isWhole) soon(() => this.#answered()); // every key has expired meanwhile
  }

  /** Sends as much as the socket takes: what it does not is not to be copied. */
  #send(connection: Connection): void {
    this.#hasProgress = true;
    while (connection.queuedBytes === 0 && !connection.isClosed) {
      const block = this.#unsent.shift();
      if (block === undefined) return this.#unpack();
      connection.send(block);
    }
  }

  #unpack(): void {
    if (this.#packing !== undefined) this.host.unpack(this.#packing);
    this.#packing = undefined;
    this.#unsent = [];
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
    this.#queuedBytes = connection.queuedBytes;
    this.dueAtMs = nowMs() + this.request.timeoutMs;
    this.host.deadlines.begin(this);
  }

  overdue(): void {
    const connection = this.#link?.connection;
    if (connection === undefined) return;
    if (this.#hasProgress || connection.queuedBytes !== this.#queuedBytes) this.#watch(connection);
    else this.#broke(connection.queuedBytes > 0, true);
  }

  #dropLink(): void {
    this.host.deadlines.end(this);
    this.#unpack();
    if (this.#link !== undefined) this.host.links.close(this.#link);
    this.#link = undefined;
  }

  #end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.host.deadlines.end(this);
    const link = this.#link;
    this.#link = undefined;
    // Answered before it was all sent: what is left of a request would stand before the next one.
    if (link !== undefined && this.#packing !== undefined) this.host.links.close(link);
    else if (link !== undefined) this.host.links.keep(link);
    this.#unpack();
    this.ended(outcome);
  }
}
