// Many requests written one behind the other, for a peer that gets them all at once. They gather in blocks that are
// filled and never moved, so what is written costs one copy; long parts may be given as they are. The first block is kept
// and used again: whoever writes thousands of short requests a second leaves no garbage of that size behind.
const CR = 13;
const LF = 10;
const ARRAY = 42;
const BULK = 36;

/** Bytes of a block, unless one part alone is longer. */
const BLOCK_BYTES = 65_536;
/** Shorter parts are copied byte by byte: a view is an object. */
const SHORT_BYTES = 64;
/** The longest head: a type, digits, CRLF. */
const HEAD_BYTES = 20;

export class RequestWriter {
  readonly #blocks: Uint8Array[] = [];
  readonly #first = new Uint8Array(BLOCK_BYTES);
  #block = this.#first;
  #length = 0;

  /** A request of so many parts begins. */
  begin(count: number): void {
    this.#head(ARRAY, count);
  }

  /** A part in ASCII. */
  text(part: string): void {
    this.#head(BULK, part.length);
    this.#reserve(part.length + 2);
    for (let i = 0; i < part.length; i++) this.#block[this.#length++] = part.charCodeAt(i);
    this.#end();
  }

  /** A part, [from, to) of bytes, which is copied. */
  bytes(part: Uint8Array, from = 0, to = part.length): void {
    const length = to - from;
    this.#head(BULK, length);
    this.#reserve(length + 2);
    if (length > SHORT_BYTES) this.#block.set(part.subarray(from, to), this.#length);
    else for (let i = 0; i < length; i++) this.#block[this.#length + i] = part[from + i]!;
    this.#length += length;
    this.#end();
  }

  /** A part of `length` bytes that comes in pieces, which are not copied. */
  pieces(length: number, pieces: readonly Uint8Array[]): void {
    this.#head(BULK, length);
    this.#close();
    this.#blocks.push(...pieces);
    this.#reserve(2);
    this.#end();
  }

  /** All that was written, in order; good until `reset`. */
  take(): Uint8Array[] {
    this.#close();
    return this.#blocks.splice(0);
  }

  /** Begins anew; what was taken is not needed any more. */
  reset(): void {
    this.#blocks.length = 0;
    this.#block = this.#first;
    this.#length = 0;
  }

  #head(type: number, value: number): void {
    this.#reserve(HEAD_BYTES);
    this.#block[this.#length++] = type;
    const digits = String(value);
    for (let i = 0; i < digits.length; i++) this.#block[this.#length++] = digits.charCodeAt(i);
    this.#end();
  }

  #end(): void {
    this.#block[this.#length++] = CR;
    this.#block[this.#length++] = LF;
  }

  #reserve(byteCount: number): void {
    if (this.#length + byteCount <= this.#block.length) return;
    this.#close();
    this.#block = new Uint8Array(Math.max(BLOCK_BYTES, byteCount));
  }

  /** What the block holds is whole; what follows it goes into the room behind it. */
  #close(): void {
    if (this.#length === 0) return;
    this.#blocks.push(this.#block.subarray(0, this.#length));
    this.#block = this.#block.subarray(this.#length);
    this.#length = 0;
  }
}
