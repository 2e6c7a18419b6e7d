// A link's bytes, cut into frames. What a link may hold is bounded by what has come and by whom it leads to, never by
// what a frame says of itself.
import { decodeFrame, type Malformed } from "./codec-binary.ts";
import { FAIL, GOSSIP, LAYOUT, SIGNATURE, TYPES, UPDATE } from "./layout-binary.ts";
import type { BusMessage } from "./message.ts";

/** The longest frame of a node we know: a publication of 512 MB and its channel, with room for the header. */
export const FRAME_LIMIT = 1 << 30;
/** The longest of anybody else, who has nothing to send but heartbeats: the gossip of thousands of nodes. */
export const STRANGERS_FRAME_LIMIT = 1 << 20;

/** All extensions of a heartbeat together, and frames of types we do not know, are shorter than this. */
const SPARE_BYTES = 1 << 20;
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

/**
 * The length of a frame as it says itself. One no frame of its type can have is not believed: nobody waits for what would
 * be refused when it is whole.
 * @param bytes what has come of the frame, and perhaps of the next
 * @param limit frames longer than this are refused, bytes
 * @returns undefined = too little has come to tell
 */
function frameLength(bytes: Uint8Array, limit: number): number | Malformed | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < LAYOUT.length) return undefined;
  if (view.getUint32(LAYOUT.signature) !== SIGNATURE) return { malformed: "bad signature" };
  if (bytes.length < LAYOUT.currentEpoch) return undefined;
  const length = view.getUint32(LAYOUT.length);
  if (length < LAYOUT.data) return { malformed: `frame of ${length} bytes is shorter than its header` };
  const longest = Math.min(limit, longestFrame(view));
  if (length > longest) return { malformed: `frame of ${length} bytes is beyond the limit of ${longest}` };
  return length;
}

function longestFrame(view: DataView): number {
  const type = TYPES[view.getUint16(LAYOUT.type)];
  switch (type) {
    case "ping":
    case "pong":
    case "meet":
      return LAYOUT.data + view.getUint16(LAYOUT.count) * GOSSIP.bytes + SPARE_BYTES;
    case "publish":
    case "publishShard":
    case "module":
      return Infinity;
    case "fail":
      return LAYOUT.data + FAIL.bytes;
    case "update":
      return LAYOUT.data + UPDATE.bytes;
    case "authRequest":
    case "authAck":
    case "mfStart":
      return LAYOUT.data;
    case undefined:
      return LAYOUT.data + SPARE_BYTES;
    default:
      return type satisfies never;
  }
}
