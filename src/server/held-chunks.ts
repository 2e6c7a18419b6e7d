// What a client sent while it was held, in order. One that is held again by the first request of a chunk gets the rest of
// that chunk put back: many requests that wait, one after the other, do not have what is behind them moved each time.

/** Places of chunks that were taken, from which on they are given back once they are half of all. */
const MANY = 64;

export class HeldChunks {
  #chunks: Uint8Array[] = [];
  /** Index of the first that was not taken. */
  #next = 0;
  byteCount = 0;

  /** Places of chunks, those of some that were taken included. */
  get placeCount(): number {
    return this.#chunks.length;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.byteCount += chunk.length;
  }

  /** Before all others. */
  putBack(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#next > 0) this.#chunks[--this.#next] = chunk;
    else this.#chunks.unshift(chunk);
    this.byteCount += chunk.length;
  }

  /** The first, which is held no longer. */
  take(): Uint8Array | undefined {
    const chunk = this.#chunks[this.#next];
    if (chunk === undefined) return undefined;
    this.#chunks[this.#next++] = EMPTY;
    this.byteCount -= chunk.length;
    if (this.#next === this.#chunks.length) this.clear();
    else if (this.#next >= MANY && this.#next * 2 >= this.#chunks.length) {
      this.#chunks.splice(0, this.#next);
      this.#next = 0;
    }
    return chunk;
  }

  clear(): void {
    this.#chunks = [];
    this.#next = 0;
    this.byteCount = 0;
  }
}

const EMPTY = new Uint8Array(0);
