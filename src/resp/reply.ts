// Writes RESP2 and RESP3 replies into an arena of bytes. The one place that knows how a reply looks on the wire.
import type { ReplyError } from "./errors.ts";

/** Where replies are appended: a growing run of bytes with one write position. */
export interface Arena {
  /** All bytes; `end` indexes into it. Read anew after `reserve`, which may replace it. */
  readonly bytes: Uint8Array;
  /** Where the next byte goes. */
  end: number;
  /** Makes room for `length` more bytes; throws OUT_OF_MEMORY when it cannot. */
  reserve(length: number): void;
}

/** A run of bytes in the arena's own memory, or any bytes of JavaScript's. */
export interface Slice {
  readonly ptr: number;
  readonly length: number;
}

const CR = 13;
const LF = 10;
const ZERO = 48;

const encoder = new TextEncoder();

export class Reply {
  /** 2 or 3, the version the client at hand speaks. */
  protocol: 2 | 3 = 2;

  constructor(private readonly arena: Arena) {}

  /** `+text`; the text must hold no CR or LF. */
  simple(text: string): void {
    this.#line(43, text);
  }

  /** `-text`, one byte per character (what a text quotes of a request may be any bytes); no CR or LF gets through. */
  error(error: ReplyError | string): void {
    const text = typeof error === "string" ? error : error.message;
    this.#text(`-${text.replace(/[\r\n]/g, " ")}\r\n`);
  }

  ok(): void {
    this.simple("OK");
  }

  /** `:n`; n may be a bigint for the full 64-bit range. */
  integer(value: number | bigint): void {
    this.#number(58, value);
  }

  /** A boolean in RESP3, 1 or 0 in RESP2. */
  boolean(value: boolean): void {
    if (this.protocol === 3) this.#line(35, value ? "t" : "f");
    else this.integer(value ? 1 : 0);
  }

  /** A double in RESP3, a bulk string in RESP2; `text` is the number as Redis prints it. */
  double(text: string): void {
    if (this.protocol === 3) this.#line(44, text);
    else this.bulk(text);
  }

  /** A big number in RESP3, a bulk string in RESP2. */
  bigNumber(text: string): void {
    if (this.protocol === 3) this.#line(40, text);
    else this.bulk(text);
  }

  /** A bulk string from text (UTF-8), JavaScript bytes or a slice of the arena's memory. */
  bulk(value: string | Uint8Array | Slice): void {
    if (typeof value === "string") return this.bulk(encoder.encode(value));
    this.#number(36, value.length);
    this.#raw(value);
    this.#crlf();
  }

  /** Text whose format a RESP3 client is told: `txt` or `mkd`. A plain bulk string in RESP2. */
  verbatim(format: "txt" | "mkd", value: string): void {
    if (this.protocol === 2) return this.bulk(value);
    const bytes = encoder.encode(value);
    this.#number(61, bytes.length + 4);
    this.#raw(encoder.encode(`${format}:`));
    this.#raw(bytes);
    this.#crlf();
  }

  /** No value: `_` in RESP3, the null bulk string in RESP2. */
  null(): void {
    this.#text(this.protocol === 3 ? "_\r\n" : "$-1\r\n");
  }

  /** No array: `_` in RESP3, the null array in RESP2. */
  nullArray(): void {
    this.#text(this.protocol === 3 ? "_\r\n" : "*-1\r\n");
  }

  /** Head of an array of `length` replies that follow. */
  array(length: number): void {
    this.#number(42, length);
  }

  /** Head of a map of `length` pairs that follow; a flat array in RESP2. */
  map(length: number): void {
    if (this.protocol === 3) this.#number(37, length);
    else this.#number(42, length * 2);
  }

  /** Head of a set of `length` replies that follow; an array in RESP2. */
  set(length: number): void {
    this.#number(this.protocol === 3 ? 126 : 42, length);
  }

  /** Head of an out-of-band push of `length` replies; an array in RESP2. */
  push(length: number): void {
    this.#number(this.protocol === 3 ? 62 : 42, length);
  }

  /** Bytes that are already RESP. */
  raw(bytes: Uint8Array): void {
    this.#raw(bytes);
  }

  #line(type: number, text: string): void {
    const body = encoder.encode(text);
    this.arena.reserve(body.length + 3);
    this.arena.bytes[this.arena.end++] = type;
    this.#raw(body);
    this.#crlf();
  }

  #text(text: string): void {
    const { arena } = this;
    arena.reserve(text.length);
    for (let i = 0; i < text.length; i++) arena.bytes[arena.end++] = text.charCodeAt(i);
  }

  #raw(value: Uint8Array | Slice): void {
    const { arena } = this;
    arena.reserve(value.length);
    if (value instanceof Uint8Array) arena.bytes.set(value, arena.end);
    else arena.bytes.copyWithin(arena.end, value.ptr, value.ptr + value.length);
    arena.end += value.length;
  }

  #crlf(): void {
    const { arena } = this;
    arena.reserve(2);
    arena.bytes[arena.end++] = CR;
    arena.bytes[arena.end++] = LF;
  }

  #number(type: number, value: number | bigint): void {
    const { arena } = this;
    arena.reserve(24);
    const { bytes } = arena;
    let at = arena.end;
    bytes[at++] = type;
    if (typeof value === "number" && value >= 0 && value < 10) {
      bytes[at++] = ZERO + value;
    } else {
      const digits = value.toString();
      for (let i = 0; i < digits.length; i++) bytes[at++] = digits.charCodeAt(i);
    }
    bytes[at++] = CR;
    bytes[at++] = LF;
    arena.end = at;
  }
}
