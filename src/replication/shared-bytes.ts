// A run of bytes that only grows, kept once for all who read it, each at its own position. Bytes live in blocks that
// are cut off in front once neither the window nor the slowest reader needs them, and used again behind.
//
//   base          start                                   end
//    | block 0      .      | block 1          | block 2    .     |
//                   <----- kept: readers and window ------->

const BLOCK_SIZE = 65536;
/** Blocks kept for reuse: 1 MiB, so that a busy log of the default window allocates nothing. */
const SPARE_BLOCKS = 16;

/** A position among the bytes; made by `SharedBytes.open`, moved by `advance`. */
export interface LogReader {
  readonly name: string;
  /** Absolute offset of the next byte this reader takes. */
  readonly position: number;
}

interface Position extends LogReader {
  position: number;
}

export class SharedBytes {
  /** Bytes kept behind the end for those who come back; 0 keeps what readers need only. */
  #window = 0;
  #blocks: Uint8Array[] = [];
  #spare: Uint8Array[] = [];
  /** Offset of the first byte of block 0. */
  #base: number;
  #start: number;
  #end: number;
  readonly #readers = new Set<Position>();

  constructor(offset = 0) {
    this.#base = this.#start = this.#end = offset;
  }

  /** Offset of the oldest byte still here. */
  get start(): number {
    return this.#start;
  }

  /** Offset the next byte gets. */
  get end(): number {
    return this.#end;
  }

  get window(): number {
    return this.#window;
  }

  set window(bytes: number) {
    this.#window = bytes;
    this.#trim();
  }

  /** Whether anybody needs what comes: a reader, or the window for a reader to come. */
  get wanted(): boolean {
    return this.#readers.size > 0 || this.#window > 0;
  }

  /** Bytes the blocks take, spare ones included. */
  get memoryBytes(): number {
    return (this.#blocks.length + this.#spare.length) * BLOCK_SIZE;
  }

  write(bytes: Uint8Array): void {
    this.#copy(bytes);
    this.#trim();
  }

  /** A reader at `position` (the end unless told), or undefined when those bytes are gone or not yet written. */
  open(name: string, position = this.#end): LogReader | undefined {
    if (position < this.#start || position > this.#end) return undefined;
    const reader: Position = { name, position };
    this.#readers.add(reader);
    return reader;
  }

  close(reader: LogReader): void {
    this.#readers.delete(reader as Position);
    this.#trim();
  }

  /**
   * What the reader has not taken, as far as it lies in one run; empty at the end of the log.
   * The bytes are the log's own: use or copy them before the next append.
   */
  peek(reader: LogReader): Uint8Array {
    return this.#run(reader.position);
  }

  /** The reader took `length` bytes of what `peek` showed. */
  advance(reader: LogReader, length: number): void {
    const position = reader.position + length;
    if (length < 0 || position > this.#end) throw new RangeError(`${reader.name} ran past the log's end`);
    (reader as Position).position = position;
    if (reader.position - length - this.#base < BLOCK_SIZE) this.#trim();
  }

  /** All is dropped and counting goes on from `offset`: another history begins. Readers end here. */
  restart(offset: number): void {
    this.#readers.clear();
    this.#recycle(this.#blocks.length);
    this.#base = this.#start = this.#end = offset;
  }

  #run(position: number): Uint8Array {
    const inBase = position - this.#base;
    const block = this.#blocks[Math.floor(inBase / BLOCK_SIZE)];
    if (block === undefined) return new Uint8Array(0);
    const from = inBase % BLOCK_SIZE;
    return block.subarray(from, Math.min(BLOCK_SIZE, from + this.#end - position));
  }

  #copy(bytes: Uint8Array): void {
    let taken = 0;
    while (taken < bytes.length) {
      const used = (this.#end - this.#base) % BLOCK_SIZE;
      if (this.#end - this.#base === this.#blocks.length * BLOCK_SIZE) {
        this.#blocks.push(this.#spare.pop() ?? new Uint8Array(BLOCK_SIZE));
      }
      const part = bytes.subarray(taken, taken + BLOCK_SIZE - used);
      (this.#blocks.at(-1) as Uint8Array).set(part, used);
      taken += part.length;
      this.#end += part.length;
    }
  }

  #trim(): void {
    let needed = this.#end - Math.min(this.#window, this.#end - this.#start);
    for (const reader of this.#readers) if (reader.position < needed) needed = reader.position;
    const whole = Math.floor((needed - this.#base) / BLOCK_SIZE);
    if (whole > 0) this.#recycle(whole);
    // What lies before `needed` in the first block is gone for newcomers too: the window is exact.
    this.#start = needed;
  }

  #recycle(count: number): void {
    for (const block of this.#blocks.splice(0, count)) {
      if (this.#spare.length < SPARE_BLOCKS) this.#spare.push(block);
    }
    this.#base += count * BLOCK_SIZE;
  }
}
