// A link's bytes, cut into frames. What a link may hold is bounded by what has come and by whom it leads to, never by
// what a frame says of itself.
import { decodeFrame, frameLength, type Malformed } from "./codec-binary.ts";
import type { BusMessage } from "./message.ts";

/** The longest frame of a node we know: a publication of 512 MB and its channel, with room for the header. */
export const FRAME_LIMIT = 1 << 30;
/** The longest of anybody else, who has nothing to send but heartbeats: the gossip of thousands of nodes. */
export const STRANGERS_FRAME_LIMIT = 1 << 20;

/** Memory kept for the next frame once all that came is used. */
const KEPT_BYTES = 65_536;

/** Add every chunk as it comes and take the messages it completes; what is not yet whole is kept. */
export class FrameDecoder {
  /** Frames longer than this end the link, bytes. */
  frameLimit = FRAME_LIMIT;
  #pending: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #broken: Malformed | undefined;

  /** Bytes kept for a frame that is not whole. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  add(chunk: Uint8Array): void {
    if (this.#broken !== undefined) return;
    if (this.#end + chunk.length > this.#pending.length) this.#makeRoom(chunk.length);
    this.#pending.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /**
   * The next message; undefined = it has not come whole. Once this reports `malformed` it does so for ever: the link is
   * to be closed. Throws nothing.
   */
  next(): BusMessage | Malformed | undefined {
    if (this.#broken !== undefined) return this.#broken;
    const length = frameLength(this.#pending.subarray(this.#start, this.#end), this.frameLimit);
    if (typeof length === "object") return this.#break(length);
    if (length === undefined || this.pendingBytes < length) return undefined;
    const decoded = decodeFrame(this.#pending.slice(this.#start, this.#start + length));
    if ("malformed" in decoded) return this.#break(decoded);
    this.#start += length;
    if (this.#start === this.#end) this.#rewind();
    return decoded;
  }

  /** Adds a chunk and takes all messages it completes, and the fault that ends the link if there is one. */
  feed(chunk: Uint8Array): { readonly messages: readonly BusMessage[]; readonly malformed?: string } {
    const messages: BusMessage[] = [];
    this.add(chunk);
    for (let next = this.next(); next !== undefined; next = this.next()) {
      if ("malformed" in next) return { messages, malformed: next.malformed };
      messages.push(next);
    }
    return { messages };
  }

  #makeRoom(bytes: number): void {
    const needed = this.pendingBytes + bytes;
    const whole = this.#pending.subarray(this.#start, this.#end);
    if (needed > this.#pending.length) this.#pending = new Uint8Array(Math.max(needed, 2 * whole.length));
    this.#pending.set(whole);
    this.#end -= this.#start;
    this.#start = 0;
  }

  #rewind(): void {
    this.#start = this.#end = 0;
    if (this.#pending.length > KEPT_BYTES) this.#pending = new Uint8Array(0);
  }

  #break(flaw: Malformed): Malformed {
    this.#broken = flaw;
    this.#pending = new Uint8Array(0);
    this.#start = this.#end = 0;
    return flaw;
  }
}
