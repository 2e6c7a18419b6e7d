// A client's connection: its place in the protocol, its input, and what it is allowed and waiting for.
import type { Client, ClientKind } from "../commands/context.ts";
import type { Tracked } from "../commands/tracking.ts";
import type { ReplyArena } from "../engine/arena.ts";
import type { Args } from "../engine/args.ts";
import type { RequestArena } from "../engine/request-memory.ts";
import type { Connection, ConnectionUser } from "../io/sockets.ts";
import { Decoder } from "../resp/decoder.ts";
import { encodeRequest } from "../resp/encode.ts";
import { formatAddress } from "./addresses.ts";
import { NEEDS_AUTH, NEEDS_UNSUBSCRIBED } from "./gates.ts";
import { HeldChunks } from "./held-chunks.ts";
import { Input, type RequestBlock } from "./input.ts";
import type { OwnSubscriptions } from "./pubsub.ts";
import type { Runs } from "./pushes.ts";
import type { Transaction } from "./transaction.ts";

/** What a connection needs of the node it belongs to. */
export interface ClientHost {
  readonly requests: RequestArena;
  receive(client: ClientConnection, chunk: Uint8Array): void;
  left(client: ClientConnection): void;
  /** Replies were handed to the socket. */
  sent(client: ClientConnection, byteCount: number): void;
  warn(text: string): void;
  isReplica(client: ClientConnection): boolean;
  /** Connections of the bus that count as clients against maxclients. */
  readonly clusterConnections: number;
  /** So many more clients said MONITOR. */
  monitorsChanged(by: number): void;
}

/** The connection behind a client as handlers see it: all clients of a node are such. */
export function connectionOf(client: Client): ClientConnection {
  if (client instanceof ClientConnection) return client;
  throw new Error(`client ${client.id} is no connection of this node`);
}

export class ClientConnection implements Client, ConnectionUser {
  name = "";
  database = 0;
  protocol: 2 | 3 = 2;
  /** Gates of gates.ts that are closed for this client alone. */
  closedGates = 0;
  /** READONLY was said: a replica serves this client's reads. */
  readsReplica = false;
  /** ASKING was said just before: an importing slot serves the next request. */
  asking = false;
  /** The stream of our master: nothing of it is refused or redirected. */
  isMaster = false;
  /** CLIENT REPLY; `skipping` mutes the reply of the very next request. */
  replyMode: "on" | "off" | "skip" | "skipping" = "on";
  lastActiveAtMs: number;
  /** More bytes than this may not wait to be run. */
  inputLimit = Infinity;
  /** Row id of the command run last; -1 = none yet. */
  lastCommand = -1;
  /** Where the log ended when its last batch had run; in a transaction, when MULTI had. */
  loggedTo = 0;
  /** Address of the first request of the batch at hand. */
  batchStart = 0;

  /** Set for a connection that is sent more than replies: its socket has taken all that was queued. */
  onDrained: (() => void) | undefined;

  /** Told every error this client's requests end in; set for our master, whom no reply tells. */
  onError: ((text: string) => void) | undefined;
  /** Asked about commands that do not exist; true = it was dealt with. */
  onUnknown: ((name: string) => boolean) | undefined;

  readonly decoder = new Decoder();
  readonly input: Input;
  /** Its requests are being run: their bytes stay where they are, whatever becomes of the connection. */
  isRunning = false;
  isHeld = false;
  isFinishing = false;
  /** CLIENT NO-EVICT. */
  isSpared = false;
  tracking: Tracked | undefined;
  #subscriptions: OwnSubscriptions | undefined;
  /** What waits for it in the block of pushes.ts. */
  readonly pushes: Runs = [];
  /** MULTI was said. */
  transaction: Transaction | undefined;
  isDirty = false;
  /** Bytes of replies handed to the socket so far. */
  written = 0;
  /** Bytes that waited for the socket when the cron last looked. */
  #outputBefore = 0;
  #isMonitor = false;
  /** What came while the client was held, the request it was held at first. */
  readonly #held = new HeldChunks();
  /** Its request waits for an answer. */
  #isBlocked = false;
  #isAnswered = false;

  constructor(
    readonly id: number,
    readonly connection: Connection,
    private readonly host: ClientHost,
    readonly createdAtMs: number,
  ) {
    this.input = new Input(host.requests, this.decoder);
    this.lastActiveAtMs = createdAtMs;
  }

  received(chunk: Uint8Array): void {
    this.host.receive(this, chunk);
  }

  drained(): void {
    this.onDrained?.();
  }

  closed(): void {
    this.isFinishing = true;
    if (!this.isRunning) this.input.release();
    this.#held.clear();
    this.host.left(this);
  }

  /** Closes at once; `reason` goes to the log. */
  close(reason: string): void {
    this.isFinishing = true;
    this.host.warn(`Closing client ${this.address}: ${reason}`);
    this.connection.close();
  }

  /** Closes once the replies so far have gone out; nothing more of its input runs. */
  finish(): void {
    this.isFinishing = true;
  }

  /** Closes once all that was sent has gone out. */
  end(): void {
    this.isFinishing = true;
    this.connection.finish();
  }

  /** Until it is, the gate of authentication is closed and its requests may not be large. */
  get authenticated(): boolean {
    return (this.closedGates & NEEDS_AUTH) === 0;
  }

  set authenticated(isSo: boolean) {
    this.closedGates = isSo ? this.closedGates & ~NEEDS_AUTH : this.closedGates | NEEDS_AUTH;
    this.decoder.trusted = isSo;
  }

  get kind(): ClientKind {
    if (this.isMaster) return "master";
    if (this.host.isReplica(this)) return "replica";
    return this.#subscriptions === undefined ? "normal" : "pubsub";
  }

  get subscriptions(): OwnSubscriptions | undefined {
    return this.#subscriptions;
  }

  set subscriptions(all: OwnSubscriptions | undefined) {
    this.#subscriptions = all;
    this.closedGates =
      all === undefined ? this.closedGates & ~NEEDS_UNSUBSCRIBED : this.closedGates | NEEDS_UNSUBSCRIBED;
  }

  get isMonitor(): boolean {
    return this.#isMonitor;
  }

  set isMonitor(isSo: boolean) {
    if (isSo !== this.#isMonitor) this.host.monitorsChanged(isSo ? 1 : -1);
    this.#isMonitor = isSo;
  }

  get address(): string {
    const { remoteAddress, remotePort } = this.connection;
    return formatAddress(remoteAddress, remotePort);
  }

  get localAddress(): string {
    const { localAddress, localPort } = this.connection;
    return formatAddress(localAddress, localPort);
  }

  get inputBytes(): number {
    return this.input.keptBytes;
  }

  get inputFreeBytes(): number {
    return this.input.capacityBytes - this.input.keptBytes;
  }

  get outputBytes(): number {
    return this.connection.queuedBytes;
  }

  /**
   * False for those that are meant to be silent, whom `timeout` does not concern: they wait for what others do, or speak
   * under rules of their own, as masters and replicas.
   */
  get mayIdle(): boolean {
    return !this.isHeld && !this.#isMonitor && this.kind === "normal";
  }

  /** A client that takes what it is sent, however slowly, is not silent. */
  noteOutput(nowMs: number): void {
    const { outputBytes } = this;
    if (outputBytes !== this.#outputBefore) this.lastActiveAtMs = nowMs;
    this.#outputBefore = outputBytes;
  }

  get queuedCount(): number {
    return this.transaction?.queue.count ?? -1;
  }

  get queuedBytes(): number {
    return this.transaction?.queue.capacityBytes ?? 0;
  }

  /** EXEC runs what it queued. */
  get isExecuting(): boolean {
    return this.transaction?.isExecuting === true;
  }

  /**
   * Where the log ended before the request at hand, as far as this client's requests went: what others have written
   * since its last one is none of its business.
   * @param end where the log ends now
   */
  loggedBefore(end: number): number {
    const ranNothingSince = this.isExecuting || this.decoder.start === this.batchStart;
    return ranNothingSince ? Math.min(this.loggedTo, end) : end;
  }

  get cannotWait(): boolean {
    return this.isMaster || this.isExecuting;
  }

  /** Whether more waits to be run than a client may make wait. */
  get isOverInputLimit(): boolean {
    return this.input.keptBytes + (this.transaction?.queue.length ?? 0) > this.inputLimit;
  }

  /** Sends what is in the arena and empties it. */
  sendReplies(replies: ReplyArena): void {
    const { length } = replies;
    if (length > 0) {
      this.connection.send(replies.bytes, replies.start, replies.end);
      this.written += length;
      replies.reset();
      this.host.sent(this, length);
    }
    if (this.isFinishing) this.connection.finish();
  }

  /** Sends what is not in the arena. */
  push(bytes: Uint8Array): void {
    this.connection.send(bytes);
    this.host.sent(this, bytes.length);
  }

  /** Puts the request at hand and all that came after it aside until `release`. To be called while it runs. */
  hold(args: Args): void {
    const { decoder, input } = this;
    const { bytes } = this.host.requests;
    this.isHeld = true;
    if (decoder.multibulk) {
      this.#held.putBack(bytes.slice(decoder.start, input.end));
    } else {
      this.#held.putBack(bytes.slice(decoder.at, input.end));
      // The words of an inline request were unescaped where they lay: its line is no more.
      this.#held.putBack(encodeRequest(Array.from({ length: args.count }, (_, index) => args.bytes(index))));
    }
    decoder.forget();
  }

  /** The request at hand is answered later: all that came after it waits until `resume`. To be called while it runs. */
  block(): void {
    const { decoder, input } = this;
    this.isHeld = true;
    this.#isBlocked = true;
    this.#held.putBack(this.host.requests.bytes.slice(decoder.at, input.end));
    decoder.forget();
  }

  /** As `block`, with the request at hand put aside as well, where it lies, for `again`. Undefined = no memory. */
  setAside(): RequestBlock | undefined {
    const { decoder, input } = this;
    const aside = input.detach(decoder.start, decoder.at);
    if (aside !== undefined) this.block();
    return aside;
  }

  /** Runs the request that was put aside, then what came after it. */
  again(aside: RequestBlock, run: () => void): void {
    this.#isBlocked = false;
    this.isHeld = false;
    this.input.attach(aside);
    run();
    if (this.isHeld || this.isFinishing) return;
    this.isHeld = true;
    this.release();
  }

  /** It has been answered; what came after it is about to run. */
  unblock(): void {
    this.#isAnswered = true;
  }

  resume(): void {
    this.#isBlocked = false;
    this.#isAnswered = false;
    this.release();
  }

  get isWaiting(): boolean {
    return this.isHeld && !this.#isAnswered;
  }

  holdChunk(chunk: Uint8Array): void {
    this.#held.add(chunk);
    if (this.#held.byteCount > this.inputLimit) this.close("its requests exceed client-query-buffer-limit");
  }

  /** Goes on with what was put aside, unless it waits for an answer. */
  release(): void {
    if (!this.isHeld || this.#isBlocked) return;
    this.isHeld = false;
    while (!this.isHeld && !this.isFinishing) {
      const chunk = this.#held.take();
      if (chunk === undefined) return;
      this.host.receive(this, chunk);
    }
  }

  /** Whether the reply just written is to be dropped, by CLIENT REPLY. */
  mutesReply(): boolean {
    switch (this.replyMode) {
      case "on":
        return false;
      case "off":
        return true;
      case "skip":
        this.replyMode = "skipping"; // CLIENT REPLY SKIP itself has none
        return true;
      case "skipping":
        this.replyMode = "on";
        return true;
    }
  }
}
