// The reply arena as resp/reply.ts sees it: the block of linear memory that engine commands append to as well.
import { STATE_REPLY, STATE_REPLY_END, STATE_REPLY_LIMIT } from "../../assembly/abi.ts";
import { OUT_OF_MEMORY } from "../resp/errors.ts";
import type { Arena } from "../resp/reply.ts";
import type { Memory } from "./memory.ts";

export class ReplyArena implements Arena {
  constructor(private readonly memory: Memory) {}

  get bytes(): Uint8Array {
    return this.memory.bytes;
  }

  get start(): number {
    return this.memory.u32[STATE_REPLY >>> 2] as number;
  }

  get end(): number {
    return this.memory.u32[STATE_REPLY_END >>> 2] as number;
  }

  set end(at: number) {
    this.memory.u32[STATE_REPLY_END >>> 2] = at;
  }

  /** How many bytes wait to be sent. */
  get length(): number {
    return this.end - this.start;
  }

  reserve(length: number): void {
    const { u32 } = this.memory;
    if ((u32[STATE_REPLY_END >>> 2] as number) + length <= (u32[STATE_REPLY_LIMIT >>> 2] as number)) return;
    if (this.memory.wasm.reserveReply(length) === 0) throw OUT_OF_MEMORY;
  }

  /** The bytes that wait, as a view that dies with the next call into the engine. */
  written(): Uint8Array {
    return this.memory.bytes.subarray(this.start, this.end);
  }

  /** Takes back what was appended since `end` was at `at` bytes from the start. */
  truncate(at: number): void {
    this.end = this.start + at;
  }

  /** Takes out `length` bytes at `at` bytes from the start. */
  cut(at: number, length: number): void {
    const from = this.start + at;
    this.memory.bytes.copyWithin(from, from + length, this.end);
    this.end -= length;
  }

  /** Forgets what is written; an arena that has grown large is given back. */
  reset(): void {
    this.memory.wasm.resetReply();
  }
}
