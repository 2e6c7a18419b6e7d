// The bytes a client has sent and that have not run yet, in WASM memory where the decoder reads them.
//
// A chunk that ends with a whole request, as nearly all do, is decoded in the request arena all clients share and
// leaves nothing behind. What is left over moves to a block of the engine's heap that belongs to the client; further
// chunks are appended there, so a value of any size is copied once on its way in.
import type { RequestArena } from "../engine/request-memory.ts";
import type { Decoder } from "../resp/decoder.ts";

/** Smallest block, bytes. */
const BLOCK_BYTES = 1024;
/** From so many bytes on, a bulk is taken at its word. */
const MUCH = 1_048_576;

/** A request by itself: where it lies, in which block of the engine's heap. */
export interface RequestBlock {
  readonly block: number;
  readonly capacity: number;
  readonly from: number;
  readonly to: number;
}

export class Input {
  /** Address after the last byte received. */
  end = 0;
  /** Address of the client's own block; 0 = it has none. */
  #block = 0;
  #capacity = 0;
  /** Address where the kept bytes begin, inside the block. */
  #from = 0;
  /** What is kept while the engine has no room for a block: at its ceiling clients must still be able to delete. */
  #spilled: Uint8Array | undefined;

  constructor(
    private readonly arena: RequestArena,
    private readonly decoder: Decoder,
  ) {}

  /** Bytes kept between chunks. */
  get keptBytes(): number {
    return this.#block === 0 ? (this.#spilled?.length ?? 0) : this.end - this.#from;
  }

  /** Bytes of the heap held for them. */
  get capacityBytes(): number {
    return this.#capacity;
  }

  /** Brings a chunk in and points the decoder at what is to be decoded. Returns false when memory is exhausted. */
  receive(received: Uint8Array): boolean {
    const { arena, decoder } = this;
    const { memory } = arena;
    const chunk = this.#spilled === undefined ? received : joined(this.#spilled, received);
    this.#spilled = undefined;
    if (this.#block === 0 && chunk.length <= arena.sizeBytes) {
      memory.bytes.set(chunk, arena.ptr);
      this.end = arena.ptr + chunk.length;
      decoder.resume(arena.ptr);
      return true;
    }
    if (!this.#makeRoom(chunk.length)) return false;
    memory.bytes.set(chunk, this.end);
    this.end += chunk.length;
    decoder.resume(this.#from);
    return true;
  }

  /** Keeps what was not decoded, if anything, before another client uses the arena. */
  keep(): void {
    const { arena, decoder } = this;
    const { memory } = arena;
    const from = decoder.keepFrom;
    const length = this.end - from;
    if (length === 0) return this.release();
    decoder.suspend(arena);
    if (this.#block !== 0) {
      this.#from = from;
      return;
    }
    const capacity = Math.max(BLOCK_BYTES, length);
    const block = memory.wasm.alloc(capacity) >>> 0;
    if (block === 0) {
      this.#spilled = memory.bytes.slice(from, this.end);
      return;
    }
    memory.bytes.copyWithin(block, from, this.end);
    this.#block = block;
    this.#capacity = capacity;
    this.#from = block;
    this.end = block + length;
  }

  /**
   * Takes a request out, whose bytes stay where they are or, from the arena, get a block of their own. It is the
   * caller's, to `attach` again or to free. Undefined = no memory, nothing has changed.
   */
  detach(from: number, to: number): RequestBlock | undefined {
    const { memory } = this.arena;
    if (this.#block !== 0) {
      const aside = { block: this.#block, capacity: this.#capacity, from, to };
      this.#block = 0;
      this.#capacity = 0;
      return aside;
    }
    const capacity = to - from;
    const block = memory.wasm.alloc(capacity) >>> 0;
    if (block === 0) return undefined;
    memory.bytes.copyWithin(block, from, to);
    return { block, capacity, from: block, to: block + capacity };
  }

  /** Makes a request that was detached what is to be decoded; the decoder is between requests. */
  attach({ block, capacity, from, to }: RequestBlock): void {
    this.release();
    this.#block = block;
    this.#capacity = capacity;
    this.#from = from;
    this.end = to;
    this.decoder.resume(from);
  }

  /** Forgets what is kept and gives the block back. */
  release(): void {
    this.#spilled = undefined;
    if (this.#block === 0) return;
    this.arena.memory.free(this.#block);
    this.#block = 0;
    this.#capacity = 0;
    this.end = 0;
    this.#from = 0;
  }

  /** Makes the block longer, where it stands if that can be; false = it is as it was. */
  #extend(kept: number, capacity: number): boolean {
    if (this.#block === 0 || this.#from !== this.#block) return false;
    const block = this.arena.memory.wasm.resize(this.#block, kept, capacity) >>> 0;
    if (block === 0) return false;
    this.#block = block;
    this.#capacity = capacity;
    this.#from = block;
    this.end = block + kept;
    return true;
  }

  /** Room for `length` more bytes after `end`: kept bytes move to the block's start, or to a bigger block. */
  #makeRoom(length: number): boolean {
    const { arena, decoder } = this;
    const { memory } = arena;
    const kept = this.#block === 0 ? 0 : this.end - this.#from;
    if (this.#block !== 0 && this.end + length <= this.#block + this.#capacity) return true;
    let target = this.#block;
    if (kept + length > this.#capacity) {
      // Twice what has come, but no more than the awaited bulk needs: a length that was only claimed costs nothing. Of a
      // big bulk there is soon room for all, because what has come may have to be copied each time.
      const needed = kept + length;
      const doubled = Math.max(BLOCK_BYTES, needed * 2);
      const ahead = needed < MUCH ? doubled : needed * 32;
      let capacity = decoder.wanted > needed ? Math.min(ahead, decoder.wanted) : doubled;
      if (this.#extend(kept, capacity)) return true;
      target = memory.wasm.alloc(capacity) >>> 0;
      if (target === 0) {
        capacity = needed;
        target = memory.wasm.alloc(capacity) >>> 0;
      }
      if (target === 0) return false;
      this.#capacity = capacity;
    }
    if (kept > 0) memory.bytes.copyWithin(target, this.#from, this.end);
    if (this.#block !== 0 && this.#block !== target) memory.free(this.#block);
    this.#block = target;
    this.#from = target;
    this.end = target + kept;
    return true;
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
