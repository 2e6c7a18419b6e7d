// One replica of ours: what it said of itself, how far it is, and the bytes on their way to it.
//
//   introduced -> copying -> awaiting its first acknowledgement -> online
//        '-------- (goes on from an offset) -------------------------^
import { soon } from "../io/clock.ts";
import type { LogReader, MutationLog } from "../replication/log.ts";
import type { Snapshot } from "../replication/snapshot.ts";
import type { ClientConnection } from "./client.ts";
import type { Totals } from "./stats.ts";

/** Bytes a socket may have queued before the log or the snapshot waits for it. */
const QUEUE_LIMIT = 1_048_576;
/** Bytes of a copy that go to the socket at a time. */
const BATCH = 65536;

const encoder = new TextEncoder();

export class ReplicaLink {
  phase: "introduced" | "copying" | "awaiting" | "online" = "introduced";
  port = 0;
  address = "";
  /** Capabilities it named. */
  endsByMark = false;
  takesNewIds = false;
  /** Wants a copy and no stream. */
  copyOnly = false;
  withoutKeys = false;
  snapshot: Snapshot | undefined;
  reader: LogReader | undefined;
  ackOffset = 0;
  ackAtMs = 0;
  /** Since when more waits for it than the soft limit allows; 0 = it does not. */
  overSoftSinceMs = 0;
  /** The line that answers PSYNC has not gone out yet: what follows it is kept. */
  #held: Uint8Array[] | undefined;
  #isClosed = false;
  /** A slot's entries are few bytes, and each write to a socket costs: they go out together. */
  #batch = new Uint8Array(0);
  #batched = 0;
  /** A copy whose size must be told first. */
  #collected: Uint8Array[] | undefined;
  #mark = "";

  constructor(
    readonly client: ClientConnection,
    private readonly totals: Totals,
  ) {}

  get ip(): string {
    return this.address === "" ? this.client.connection.remoteAddress : this.address;
  }

  /** Whether it takes more now. */
  get hasRoom(): boolean {
    return this.#held === undefined && this.client.connection.queuedBytes < QUEUE_LIMIT;
  }

  /** Bytes it is behind: not yet read from the log, and queued for its socket. */
  lagBytes(log: MutationLog): number {
    const unread = this.reader === undefined ? 0 : log.end - this.reader.position;
    return unread + this.client.connection.queuedBytes;
  }

  /** The reply at hand is about to be sent; `then` runs once it was. */
  afterReply(then: () => void): void {
    this.#held = [];
    soon(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      if (this.#isClosed) return;
      for (const bytes of held) this.send(bytes);
      then();
    });
  }

  /** @param bytes the caller's again when this returns */
  send(bytes: Uint8Array): void {
    this.totals.replicationOutputBytes += bytes.length;
    if (this.#held !== undefined) this.#held.push(bytes.slice());
    else this.client.connection.send(bytes);
  }

  /** @param mark 40 characters that will not occur in the copy */
  beginCopy(mark: string): void {
    this.phase = "copying";
    this.#batch = new Uint8Array(BATCH);
    this.#mark = mark;
    if (this.endsByMark) this.send(encoder.encode(`$EOF:${mark}\r\n`));
    else this.#collected = [];
  }

  copy(bytes: Uint8Array): void {
    if (this.#batched + bytes.length > this.#batch.length) this.flushCopy();
    if (bytes.length > this.#batch.length) return this.#copyNow(bytes);
    this.#batch.set(bytes, this.#batched);
    this.#batched += bytes.length;
  }

  /** What was gathered of the copy goes out. */
  flushCopy(): void {
    const gathered = this.#batch.subarray(0, this.#batched);
    this.#batched = 0;
    if (gathered.length > 0) this.#copyNow(gathered);
  }

  #copyNow(bytes: Uint8Array): void {
    if (this.#collected === undefined) this.send(bytes);
    else this.#collected.push(bytes.slice());
  }

  /** The copy is complete. One that ended by a mark is followed by nothing until the replica speaks. */
  endCopy(): void {
    this.flushCopy();
    this.#batch = new Uint8Array(0);
    this.snapshot = undefined;
    if (this.#collected === undefined) {
      this.send(encoder.encode(this.#mark));
      this.phase = "awaiting";
      return;
    }
    const pieces = this.#collected;
    this.#collected = undefined;
    this.send(encoder.encode(`$${pieces.reduce((sum, piece) => sum + piece.length, 0)}\r\n`));
    for (const piece of pieces) this.send(piece);
    this.phase = this.copyOnly ? "awaiting" : "online";
  }

  /** Sends what the log has for it, as far as the socket takes it. */
  stream(log: MutationLog): void {
    const { reader } = this;
    if (reader === undefined || this.phase !== "online") return;
    while (this.hasRoom) {
      const run = log.peek(reader);
      if (run.length === 0) return;
      this.send(run);
      log.advance(reader, run.length);
    }
  }

  wasClosed(log: MutationLog): void {
    this.#isClosed = true;
    this.snapshot = undefined;
    if (this.reader !== undefined) log.close(this.reader);
    this.reader = undefined;
  }
}
