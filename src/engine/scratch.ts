// A place in linear memory for bytes of JavaScript's, good for one call. Short ones find room when memory is full.
import type { Slice } from "../resp/reply.ts";
import type { Memory } from "./memory.ts";

/** Bytes in linear memory or in JavaScript. */
export type Bytes = Slice | Uint8Array;

const SCRATCH_FIRST = 4096;
const SCRATCH_KEPT = 65536;

export class Scratch {
  #ptr: number;
  #room = SCRATCH_FIRST;

  constructor(private readonly memory: Memory) {
    this.#ptr = memory.alloc(SCRATCH_FIRST);
  }

  bring(value: Bytes): Slice {
    if (!(value instanceof Uint8Array)) return value;
    if (value.length > this.#room) this.#replace(this.memory.alloc(value.length), value.length);
    else if (this.#room > SCRATCH_KEPT && value.length <= SCRATCH_FIRST) {
      const fresh = this.memory.wasm.alloc(SCRATCH_FIRST) >>> 0;
      if (fresh !== 0) this.#replace(fresh, SCRATCH_FIRST);
    }
    this.memory.bytes.set(value, this.#ptr);
    return { ptr: this.#ptr, length: value.length };
  }

  #replace(ptr: number, room: number): void {
    this.memory.free(this.#ptr);
    this.#ptr = ptr;
    this.#room = room;
  }
}
