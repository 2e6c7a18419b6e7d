// Reads RESP2 replies, for the places where this program is itself a client of a server. Made for a few short
// replies, not for speed: an unfinished reply is read again from its start when more bytes have come, though not before
// all of a bulk is there. One that is far longer than any asked for is refused.
import { ReplyError } from "./errors.ts";

/** A reply: an error is a value too, so that one inside an array can be told apart. */
export type ReplyValue = string | number | null | ReplyError | readonly ReplyValue[];

/** Longest reply, bytes. */
const REPLY_LIMIT = 67_108_864;

const CR = 13;
const LF = 10;
const decoder = new TextDecoder();

/** Thrown, and caught in `next`, when the bytes end inside a reply. */
const UNFINISHED = Symbol("unfinished");

export class ReplyReader {
  /** What came and was not read lies in [#at, #end). */
  #bytes = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** The reply that begins at `#at` cannot be whole before `#end` is here. */
  #neededEnd = 0;

  feed(chunk: Uint8Array): void {
    const kept = this.#end - this.#at;
    if (this.#end + chunk.length > this.#bytes.length) {
      const roomier = new Uint8Array(Math.max(kept + chunk.length, kept * 2));
      roomier.set(this.#bytes.subarray(this.#at, this.#end));
      this.#bytes = roomier;
      this.#neededEnd -= this.#at;
      this.#at = 0;
      this.#end = kept;
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole reply; undefined = more bytes are needed. Throws an Error when what came is no RESP2. */
  next(): ReplyValue | undefined {
    if (this.#end < this.#neededEnd) return undefined;
    const start = this.#at;
    try {
      return this.#value();
    } catch (reason) {
      this.#at = start;
      if (reason !== UNFINISHED) throw reason;
      if (Math.max(this.#end, this.#neededEnd) - start <= REPLY_LIMIT) return undefined;
      throw new Error("a reply that is too long", { cause: reason });
    }
  }

  #value(): ReplyValue {
    const line = this.#line();
    const text = line.slice(1);
    switch (line[0]) {
      case "+":
        return text;
      case "-":
        return new ReplyError(text);
      case ":":
        return Number(text);
      case "$":
        return text === "-1" ? null : this.#bulk(count(line));
      case "*":
        return text === "-1" ? null : Array.from({ length: count(line) }, () => this.#value());
      default:
        throw new Error(`a reply that is not RESP2: ${JSON.stringify(line.slice(0, 40))}`);
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(CR, this.#at);
    if (end < 0 || end + 1 >= this.#end) throw UNFINISHED;
    if (this.#bytes[end + 1] !== LF) throw new Error("a line of a reply that does not end in CRLF");
    const line = decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 2;
    return line;
  }

  #bulk(length: number): string {
    const end = this.#at + length;
    if (this.#end < end + 2) {
      this.#neededEnd = end + 2;
      throw UNFINISHED;
    }
    const text = decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 2;
    return text;
  }
}

function count(line: string): number {
  if (!/^.\d{1,9}$/.test(line)) throw new Error(`a reply of no length: ${JSON.stringify(line.slice(0, 40))}`);
  return Number(line.slice(1));
}
