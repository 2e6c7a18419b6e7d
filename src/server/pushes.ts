// What clients are sent that answers no request of theirs: messages of channels, notifications, invalid keys, what
// MONITOR shows. Whoever has such a thing hands it over here, and need not know whose request runs.
//
// - For the client whose request runs it goes before or after that request's reply, never into the middle of it, and
//   CLIENT REPLY does not mute it.
// - For anybody else it waits until the requests at hand have run, and goes out with all that waits for that client in
//   one write. Outside of requests it goes out at once.
//
// A push is written once, into a block that all who get it share; each client notes only which runs of its bytes are
// meant for it. So ten thousand clients of one channel cost neither an object nor a copy each.
import { Buffer } from "node:buffer";
import type { ReplyArena } from "../engine/arena.ts";
import { OUT_OF_MEMORY } from "../resp/errors.ts";
import type { ClientConnection } from "./client.ts";

/** Where a push stands for the client whose request runs; `here` = behind its reply if any of that is written. */
export type Place = "before" | "here" | "after";

/** Runs of bytes of the block: where each begins and where it ends. */
export type Runs = number[];

const FIRST_ROOM = 16_384;
/** A block that has grown beyond this is given back once it is empty. */
const KEPT_ROOM = 1_048_576;
/** With more than this in the block, its pushes do not wait for the end of the batch. */
const FLUSH_BYTES = 1_048_576;

export class Pushes {
  #block = Buffer.alloc(FIRST_ROOM);
  #length = 0;
  /** Requests are being run. */
  #isGathering = false;
  /** Who has pushes waiting. */
  readonly #waiting: ClientConnection[] = [];
  /** Whose request runs, where its reply begins in bytes from the start of the arena, and what belongs around it. */
  #running: ClientConnection | undefined;
  #replyAt = 0;
  readonly #before: Runs = [];
  readonly #after: Runs = [];
  /** The view sent last: most clients of a channel get the same one. */
  #view: Uint8Array = this.#block.subarray(0, 0);
  #viewFrom = 0;

  constructor(private readonly replies: ReplyArena) {}

  /** Requests are about to be run. */
  gather(): void {
    this.#isGathering = true;
  }

  /** They have been run: what has gathered goes out. */
  release(): void {
    this.#isGathering = false;
    this.#flush();
  }

  /** A client's request runs whose reply begins at `replyAt`. One that it runs inside of is taken to be answered. */
  begin(client: ClientConnection, replyAt: number): void {
    this.end();
    this.#running = client;
    this.#replyAt = replyAt;
  }

  /** Where a push stands that arose when the arena reached so far, in bytes from its start. */
  placeAt(answeredBytes: number): Place {
    return answeredBytes > this.#replyAt ? "after" : "before";
  }

  /** Its reply has begun to go out: what comes for it stands behind what is written now. */
  answered(): void {
    this.#replyAt = this.replies.length;
  }

  /** Its reply stands: what was meant for its own client takes its place around it. */
  end(): void {
    const client = this.#running;
    if (client === undefined) return;
    this.#running = undefined;
    if (this.#before.length > 0) this.#insert(client, this.#before);
    if (this.#after.length > 0) this.#append(client, this.#after);
    this.relieve();
  }

  /** To be called before a push is written for many: the block must not be emptied while they are handed it. */
  relieve(): void {
    const isOwn = this.#before.length > 0 || this.#after.length > 0;
    if (!isOwn && (!this.#isGathering || this.#length > FLUSH_BYTES)) this.#flush();
  }

  /** Sends a push to one client. */
  send(target: ClientConnection, bytes: Uint8Array, place: Place = "here"): void {
    this.relieve();
    const from = this.write(bytes);
    this.hand(target, place, from, this.#length);
  }

  /** Where what is written next will stand. */
  get length(): number {
    return this.#length;
  }

  /** Writes a push for many, or a part of one, for `hand`. @returns where it begins */
  write(bytes: Uint8Array): number {
    const from = this.#take(bytes.length);
    this.#block.set(bytes, from);
    return from;
  }

  /** As `write`; one byte per character. */
  writeText(text: string): number {
    const from = this.#take(text.length);
    this.#block.write(text, from, "latin1");
    return from;
  }

  /** Writes what stands between two places of the block once more. */
  repeat(from: number, to: number): void {
    const at = this.#take(to - from);
    this.#block.copyWithin(at, from, to);
  }

  #take(length: number): number {
    const from = this.#length;
    this.#length += length;
    if (this.#length > this.#block.length) this.#grow();
    return from;
  }

  /** A client is to have what stands between two places of the block. */
  hand(target: ClientConnection, place: Place, from: number, to: number): void {
    if (target === this.#running) {
      const isBefore = place === "before" || (place === "here" && this.replies.length <= this.#replyAt);
      addRun(isBefore ? this.#before : this.#after, from, to);
    } else if (target.isRunning) {
      this.#append(target, [from, to]);
    } else if (this.#isGathering) {
      if (target.pushes.length === 0) this.#waiting.push(target);
      addRun(target.pushes, from, to);
    } else {
      target.push(this.#bytes(from, to));
    }
  }

  /** Sends all that waits and empties the block. */
  #flush(): void {
    for (const client of this.#waiting) {
      const runs = client.pushes;
      if (!client.isFinishing)
        client.push(runs.length === 2 ? this.#bytes(runs[0]!, runs[1]!) : this.#joined(runs));
      runs.length = 0;
    }
    this.#waiting.length = 0;
    this.#length = 0;
    if (this.#block.length <= KEPT_ROOM) return;
    this.#block = Buffer.alloc(FIRST_ROOM);
    this.#view = this.#block.subarray(0, 0);
  }

  /** Behind what the client has been answered so far. */
  #append(client: ClientConnection, runs: Runs): void {
    const { replies } = this;
    const bytes = this.#joined(runs);
    runs.length = 0;
    if (client.isFinishing) return;
    if (!this.#reserve(bytes.length)) {
      client.sendReplies(replies);
      return client.push(bytes);
    }
    replies.bytes.set(bytes, replies.end);
    replies.end += bytes.length;
  }

  /** Before the reply of the request that has run. */
  #insert(client: ClientConnection, runs: Runs): void {
    const { replies } = this;
    const bytes = this.#joined(runs);
    runs.length = 0;
    const at = Math.min(this.#replyAt, replies.length);
    if (client.isFinishing) return;
    if (!this.#reserve(bytes.length)) {
      const reply = replies.written().slice(at);
      replies.truncate(at);
      client.sendReplies(replies);
      client.push(bytes);
      return client.push(reply);
    }
    const from = replies.start + at;
    replies.bytes.copyWithin(from + bytes.length, from, replies.end);
    replies.bytes.set(bytes, from);
    replies.end += bytes.length;
  }

  /** Room in the arena; false = there is no memory for it. */
  #reserve(length: number): boolean {
    try {
      this.replies.reserve(length);
      return true;
    } catch (error) {
      if (error !== OUT_OF_MEMORY) throw error;
      return false;
    }
  }

  #bytes(from: number, to: number): Uint8Array {
    const view = this.#view;
    if (this.#viewFrom !== from || view.length !== to - from) {
      this.#view = this.#block.subarray(from, to);
      this.#viewFrom = from;
    }
    return this.#view;
  }

  /** Several runs as one, put together behind the end of the block. */
  #joined(runs: Runs): Uint8Array {
    if (runs.length === 2) return this.#bytes(runs[0]!, runs[1]!);
    const from = this.#length;
    let to = from;
    for (let i = 0; i < runs.length; i += 2) to += runs[i + 1]! - runs[i]!;
    if (to > this.#block.length) this.#grow(to);
    let at = from;
    for (let i = 0; i < runs.length; i += 2) {
      this.#block.copyWithin(at, runs[i]!, runs[i + 1]!);
      at += runs[i + 1]! - runs[i]!;
    }
    return this.#bytes(from, to);
  }

  #grow(length = this.#length): void {
    const block = Buffer.alloc(Math.max(length, this.#block.length * 2));
    block.set(this.#block);
    this.#block = block;
    this.#view = block.subarray(0, 0);
  }
}

/** Notes a run; one that goes on where the last one ended makes that one longer. */
function addRun(runs: Runs, from: number, to: number): void {
  if (runs.length > 0 && runs.at(-1) === from) runs[runs.length - 1] = to;
  else runs.push(from, to);
}
