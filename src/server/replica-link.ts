// One replica of ours: what it said of itself, how far it is, and the bytes on their way to it.
//
//   introduced -> waiting for a copy -> copying -> awaiting its first acknowledgement -> online
//        '---------------------- (goes on from an offset) -----------------------------^
import { soon } from "../io/clock.ts";
import type { MutationLog } from "../replication/log.ts";
import type { LogReader } from "../replication/shared-bytes.ts";
import type { ClientConnection } from "./client.ts";
import type { CopyReader } from "./replica-copy.ts";
import type { Totals } from "./stats.ts";

/** A replica whose socket has taken nothing for so long is not waited for. */
const STUCK_MS = 1000;
/** One that takes less than this in a second is slow, bytes: no link that replicas can follow a master over is. */
const SLOW_BYTES = 1 << 20;
const RATED_EVERY_MS = 1000;
/** How often one that waits for its copy is shown that we live. */
const SIGN_EVERY_MS = 1000;

const LINE_BREAK = Uint8Array.of(10);

export class ReplicaLink {
  phase: "introduced" | "waiting" | "copying" | "awaiting" | "online" = "introduced";
  port = 0;
  address = "";
  /** Capabilities it named. */
  endsByMark = false;
  takesNewIds = false;
  /** Wants a copy and no stream. */
  copyOnly = false;
  withoutKeys = false;
  reader: LogReader | undefined;
  ackOffset = 0;
  ackAtMs = 0;
  /** Since when more waits for it than the soft limit allows; 0 = it does not. */
  overSoftSinceMs = 0;
  /** Its socket has taken nothing for a while. */
  isStuck = false;
  /** It takes something, and hardly anything. */
  isSlow = false;
  /** Its share of a copy. */
  #copy: CopyReader | undefined;
  /** The line that answers PSYNC has not gone out yet: what follows it is kept. */
  #held: Uint8Array[] | undefined;
  #isClosed = false;
  /** When its socket took something last, as far as looked at, and how much had been sent then. */
  #tookAtMs = 0;
  #sentBytes = 0;
  #seenBytes = 0;
  #signAtMs = 0;
  /** When it was last looked at how much it takes in a second, and what it had taken by then. */
  #ratedAtMs = 0;
  #ratedBytes = 0;

  constructor(
    readonly client: ClientConnection,
    private readonly totals: Totals,
  ) {}

  get ip(): string {
    return this.address === "" ? this.client.connection.remoteAddress : this.address;
  }

  /** Bytes kept for it: not yet read from the copy and the log, and queued for its socket. */
  lagBytes(log: MutationLog): number {
    const unread = this.reader === undefined ? 0 : log.end - this.reader.position;
    return unread + (this.#copy?.lagBytes ?? 0) + this.client.connection.queuedBytes;
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
    this.#sentBytes += bytes.length;
    this.totals.replicationOutputBytes += bytes.length;
    if (this.#held !== undefined) this.#held.push(bytes.slice());
    else this.client.connection.send(bytes);
  }

  /** @param reader what follows the copy; undefined = nothing */
  beginCopy(copy: CopyReader, reader: LogReader | undefined): void {
    this.phase = "copying";
    this.#copy = copy;
    this.reader = reader;
  }

  /**
   * Sends what there is for it, its copy and then the log, as far as the socket takes it: only what it left of one
   * piece waits here, all else where it is kept for all replicas.
   * @param allowance about how many bytes
   * @returns how many were sent
   */
  pump(log: MutationLog, allowance: number): number {
    let sent = 0;
    while (sent < allowance && this.#held === undefined && this.client.connection.queuedBytes === 0) {
      const run = this.#next(log);
      if (run === undefined || run.length === 0) break;
      this.send(run);
      if (this.#copy !== undefined) this.#tookOfCopy(this.#copy, run.length);
      else if (this.reader !== undefined) log.advance(this.reader, run.length);
      sent += run.length;
    }
    return sent;
  }

  #next(log: MutationLog): Uint8Array | undefined {
    if (this.#copy !== undefined) return this.#copy.peek();
    return this.phase === "online" && this.reader !== undefined ? log.peek(this.reader) : undefined;
  }

  /** A copy that ended by a mark is followed by nothing until the replica speaks. */
  #tookOfCopy(copy: CopyReader, length: number): void {
    copy.advance(length);
    if (!copy.isOver) return;
    this.#copy = undefined;
    this.phase = this.endsByMark || this.copyOnly ? "awaiting" : "online";
  }

  /**
   * Looks at whether the socket takes what it is sent, and shows life to a replica that has to wait. To be called now and
   * then.
   * @returns since when it has taken nothing, unix milliseconds
   */
  look(nowMs: number): number {
    const isOwed = this.client.connection.queuedBytes > 0;
    if (!isOwed || this.#sentBytes !== this.#seenBytes || this.#tookAtMs === 0) this.#tookAtMs = nowMs;
    this.#seenBytes = this.#sentBytes;
    this.isStuck = nowMs - this.#tookAtMs > STUCK_MS;
    this.#rate(nowMs, isOwed);
    const waits = this.phase === "waiting" || this.#copy?.isWaiting === true;
    if (waits && !isOwed && this.#held === undefined && nowMs - this.#signAtMs >= SIGN_EVERY_MS) {
      this.#signAtMs = nowMs;
      this.send(LINE_BREAK);
    }
    return this.#tookAtMs;
  }

  #rate(nowMs: number, isOwed: boolean): void {
    if (nowMs - this.#ratedAtMs < RATED_EVERY_MS) return;
    const taken = this.#sentBytes - this.client.connection.queuedBytes;
    this.isSlow = isOwed && taken - this.#ratedBytes < SLOW_BYTES;
    this.#ratedAtMs = nowMs;
    this.#ratedBytes = taken;
  }

  wasClosed(log: MutationLog): void {
    this.#isClosed = true;
    this.#copy = undefined;
    if (this.reader !== undefined) log.close(this.reader);
    this.reader = undefined;
  }
}
