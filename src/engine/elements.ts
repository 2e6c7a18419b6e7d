// The elements of a collection, copied by the engine into one block that is given back as soon as they have been used.
//
//   | length u32 | bytes | up to 3 unused | ...
import type { Slice } from "../resp/reply.ts";
import type { Memory } from "./memory.ts";

/** Bytes one element takes in such a block. */
export function elementRoom(length: number): number {
  return (4 + length + 3) & ~3;
}

export class Elements {
  /** Where each one's length stands. */
  readonly #places: Uint32Array;

  /** @param ptr the block's first byte */
  constructor(
    private readonly memory: Memory,
    ptr: number,
    readonly count: number,
  ) {
    this.#places = new Uint32Array(count);
    for (let i = 0, at = ptr; i < count; i++) {
      this.#places[i] = at;
      at += elementRoom(memory.getU32(at));
    }
  }

  at(index: number): Slice {
    const place = this.#places[index]!;
    return { ptr: place + 4, length: this.memory.getU32(place) };
  }

  /** An element's bytes, as a view that dies with the next call into the engine. */
  view(index: number): Uint8Array {
    const place = this.#places[index]!;
    return this.memory.bytes.subarray(place + 4, place + 4 + this.memory.getU32(place));
  }
}
