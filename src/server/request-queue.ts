// Requests that wait to run together, as the bytes they came in: in blocks of the engine's heap, so that a million of
// them cost no object of JavaScript's, and behind one another, so that those that change something are logged by few
// copies. Blocks begin small and double up to a bound; a request lies in one block.
import type { Args } from "../engine/args.ts";
import type { RequestArena } from "../engine/request-memory.ts";
import { Decoder, REQUEST } from "../resp/decoder.ts";
import { encodeRequest } from "../resp/encode.ts";

const FIRST_BYTES = 1024;
const BLOCK_BYTES = 65_536;

interface Block {
  readonly ptr: number;
  readonly room: number;
  /** Bytes of it in use. */
  length: number;
}

export class RequestQueue {
  count = 0;
  /** Bytes of all requests. */
  length = 0;
  #capacity = 0;
  readonly #blocks: Block[] = [];

  constructor(private readonly arena: RequestArena) {}

  /** Bytes of the heap held. */
  get capacityBytes(): number {
    return this.#capacity;
  }

  /** Adds the request that was just decoded; false = there is no memory for it. */
  add(decoder: Decoder, args: Args): boolean {
    if (decoder.multibulk) return this.#copy(decoder.start, decoder.at - decoder.start);
    // The words of an inline request were unescaped where they lay: its line is no more.
    const words = Array.from({ length: args.count }, (_, index) => args.bytes(index));
    return this.#append(encodeRequest(words));
  }

  /** Decodes one after the other; `visit` finds each in the argv table. */
  each(visit: (decoder: Decoder) => void): void {
    const { arena } = this;
    const decoder = new Decoder();
    decoder.bulkLimit = Infinity;
    for (const { ptr, length } of this.#blocks) {
      decoder.resume(ptr);
      while (decoder.next(arena, ptr + length) === REQUEST) visit(decoder);
    }
  }

  /** Forgets all and gives the memory back. */
  release(): void {
    for (const { ptr } of this.#blocks) this.arena.memory.free(ptr);
    this.#blocks.length = 0;
    this.count = this.length = this.#capacity = 0;
  }

  #copy(from: number, length: number): boolean {
    const at = this.#place(length);
    if (at === 0) return false;
    this.arena.memory.bytes.copyWithin(at, from, from + length);
    return true;
  }

  #append(bytes: Uint8Array): boolean {
    const at = this.#place(bytes.length);
    if (at === 0) return false;
    this.arena.memory.bytes.set(bytes, at);
    return true;
  }

  /** Where the next `length` bytes go; 0 = nowhere. */
  #place(length: number): number {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.length + length > block.room) {
      const usual = block === undefined ? FIRST_BYTES : Math.min(block.room * 2, BLOCK_BYTES);
      const room = Math.max(usual, length);
      const ptr = this.arena.memory.wasm.alloc(room) >>> 0;
      if (ptr === 0) return 0;
      block = { ptr, room, length: 0 };
      this.#blocks.push(block);
      this.#capacity += room;
    }
    const at = block.ptr + block.length;
    block.length += length;
    this.length += length;
    this.count++;
    return at;
  }
}
