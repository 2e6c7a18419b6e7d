// Many requests written one behind the other, for a peer that gets them all at once. They gather in blocks that are
// filled and never moved, so what is written costs one copy; long parts may be given as they are.
const CR = 13;
const LF = 10;
const ARRAY = 42;
const BULK = 36;

/** Bytes of a block, unless one part alone is longer. */
const BLOCK_BYTES = 65_536;
/** The longest head: a type, digits, CRLF. */
const HEAD_BYTES = 20;

export class RequestWriter {
  readonly #blocks: Uint8Array[] = [];
  #block = new Uint8Array(1024);
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

  /** A part, which is copied. */
  bytes(part: Uint8Array): void {
    this.#head(BULK, part.length);
    this.#reserve(part.length + 2);
    this.#block.set(part, this.#length);
    this.#length += part.length;
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

  /** All that was written, in order; the writer begins anew. */
  take(): Uint8Array[] {
    this.#close();
    return this.#blocks.splice(0);
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
