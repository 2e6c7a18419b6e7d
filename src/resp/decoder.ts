// Finds the arguments of requests where they lie: multibulk and inline, whole or split at any byte. Nothing is
// copied (inline arguments with escapes shrink in place) and nothing is allocated per request.
//
// A decoder belongs to one connection and survives an incomplete request: it remembers how far it came, as offsets
// from the request's first byte, so that the bytes may be moved before more arrive. Nothing is looked at or copied
// anew for each chunk: a request costs what it is long, however many chunks it comes in. The rules, limits and error
// texts are those of Redis 7.0; like there, the bytes in place of a CRLF after a bulk's data are not looked at.

import { integerAt, NOT_INTEGER } from "./integer.ts";

/** Where requests lie and where their arguments are noted; implemented over WASM memory. */
export interface RequestMemory {
  /** All bytes. */
  readonly bytes: Uint8Array;
  /** The same memory as 32-bit words. */
  readonly u32: Uint32Array;
  /** Index into `u32` of the argv table: per argument its address and its length. */
  readonly argv: number;
  /** Makes the argv table hold `count` arguments; may move it and renew the views. Returns false when it cannot. */
  reserveArgv(count: number): boolean;
}

/** What `next` found. */
export const INCOMPLETE = 0;
export const REQUEST = 1;
export const MALFORMED = 2;
export type Decoded = typeof INCOMPLETE | typeof REQUEST | typeof MALFORMED;

/** Longest line (an inline request, a length) in bytes. */
const LINE_LIMIT = 65536;
/** Arguments the argv table is made longer for at a time. */
const ARGV_STEP = 1024;
const INT_MAX = 2147483647;
/** How much a client may ask for before it has authenticated. */
const ANONYMOUS_ARGS = 10;
const ANONYMOUS_BULK = 16384;

const CR = 13;
const LF = 10;
const ASTERISK = 42;
const DOLLAR = 36;
const ZERO = 48;
const NINE = 57;
const QUOTE = 34;
const APOSTROPHE = 39;
const BACKSLASH = 92;

/** A line that is no longer is looked at anew; the short forms of requests are tried first, and none is so long. */
const SHORT_LINE = 32;
export class Decoder {
  /** Arguments of the request at hand, complete once `next` returns REQUEST. */
  argc = 0;
  /** Address of the first byte of the request at hand. */
  start = 0;
  /** Address of the first byte not decoded yet. */
  at = 0;
  /** Why the input is malformed, as sent after `ERR `. */
  error = "";
  /** True when the request at hand came as a multibulk, so that its bytes are RESP already. */
  multibulk = false;
  /** False until the client has authenticated, if it must: small requests only. */
  trusted = true;
  /** proto-max-bulk-len, bytes. */
  bulkLimit = 536870912;

  /** Bulks of the multibulk at hand still to come; 0 = between requests. */
  #remaining = 0;
  /** Length of the bulk whose data is awaited; -1 = its `$` line is. */
  #bulkLength = -1;
  /**
   * The first arguments of an incomplete request, found in earlier chunks: address and length pairs, addresses from the
   * request's start. The argv table, which others use meanwhile, holds those found since, and all once it is complete.
   */
  #saved: Uint32Array | undefined;
  /** Arguments that `#saved` holds; it has room for more. */
  #savedCount = 0;
  /** Bytes of the line at hand that hold no end of it. */
  #lineSeen = 0;

  /** Bytes that must lie at `keepFrom` and after before decoding can go on; a lower bound, for buffer growth. */
  get wanted(): number {
    return this.at - this.keepFrom + (this.#bulkLength < 0 ? 1 : this.#bulkLength + 2);
  }

  /** Address of the first byte that must be kept: the start of an incomplete request, else the next one's. */
  get keepFrom(): number {
    return this.#remaining > 0 ? this.start : this.at;
  }

  /** Goes on after the bytes from `keepFrom` on have been moved to `from`. */
  resume(from: number): void {
    this.at = from + (this.at - this.keepFrom);
    this.start = from;
  }

  /** Drops the request at hand: what is decoded next begins a new one. */
  forget(): void {
    this.#remaining = 0;
    this.#saved = undefined;
    this.#savedCount = 0;
    this.#lineSeen = 0;
    this.argc = 0;
  }

  /** Remembers the incomplete request at hand; its bytes from `start` on are the caller's to keep. */
  suspend(memory: RequestMemory): void {
    const known = this.#savedCount;
    if (this.#remaining === 0 || this.argc === known) return;
    const words = this.argc * 2;
    if (this.#saved === undefined || words > this.#saved.length) {
      const roomier = new Uint32Array(known === 0 ? words : words * 2);
      if (this.#saved !== undefined) roomier.set(this.#saved);
      this.#saved = roomier;
    }
    const { u32, argv } = memory;
    for (let from = argv, to = known * 2; to < words; from += 2, to += 2) {
      this.#saved[to] = u32[from]! - this.start;
      this.#saved[to + 1] = u32[from + 1]!;
    }
    this.#savedCount = this.argc;
  }

  /** Puts what was found in earlier chunks before what the argv table holds. Returns false when there is no memory. */
  #gather(memory: RequestMemory): boolean {
    const saved = this.#saved!;
    if (!memory.reserveArgv(this.argc)) return false;
    const { u32, argv } = memory;
    const words = this.#savedCount * 2;
    u32.copyWithin(argv + words, argv, argv + this.argc * 2 - words);
    for (let i = 0; i < words; i += 2) {
      u32[argv + i] = saved[i]! + this.start;
      u32[argv + i + 1] = saved[i + 1]!;
    }
    this.#saved = undefined;
    this.#savedCount = 0;
    return true;
  }

  /**
   * Decodes up to the end of the next request.
   * @param end address after the last byte received
   * @returns REQUEST with its arguments in the argv table, INCOMPLETE, or MALFORMED with `error` set.
   */
  next(memory: RequestMemory, end: number): Decoded {
    for (;;) {
      if (this.#remaining === 0) {
        this.start = this.at;
        this.argc = 0;
        if (this.at >= end) return INCOMPLETE;
        this.multibulk = memory.bytes[this.at] === ASTERISK;
        if (this.multibulk && this.#short(memory, end)) return REQUEST;
        const found = this.multibulk ? this.#head(memory, end) : this.#inline(memory, end);
        if (found !== REQUEST) return found;
        if (!this.multibulk) {
          if (this.argc === 0) continue; // an empty line asks for nothing
          return REQUEST;
        }
        if (this.#remaining === 0) continue; // so does *0
      }
      return this.#bulks(memory, end);
    }
  }

  /**
   * A whole request of fewer than ten arguments, each shorter than a hundred bytes, as nearly all are. Returns false, and
   * nothing has changed, when this is none: bytes behind `end` may have been looked at, but nothing rests on them.
   */
  #short(memory: RequestMemory, end: number): boolean {
    let at = this.at;
    const count = memory.bytes[at + 1]! - ZERO;
    if (!(count >= 1 && count <= 9) || memory.bytes[at + 2] !== CR) return false;
    if (!memory.reserveArgv(count)) return false;
    const { bytes, u32, argv } = memory;
    at += 4;
    for (let pair = argv, last = argv + count * 2; pair < last; pair += 2) {
      if (bytes[at] !== DOLLAR) return false;
      let length = bytes[at + 1]! - ZERO;
      if (!(length >= 0 && length <= 9)) return false;
      const next = bytes[at + 2]!;
      if (next === CR) {
        at += 4;
      } else {
        const second = next - ZERO;
        if (length === 0 || !(second >= 0 && second <= 9) || bytes[at + 3] !== CR) return false;
        length = length * 10 + second;
        at += 5;
      }
      u32[pair] = at;
      u32[pair + 1] = length;
      at += length + 2;
    }
    if (at > end) return false;
    this.start = this.at;
    this.argc = count;
    this.at = at;
    return true;
  }

  /** The `*count` line. REQUEST here means: line consumed, `#remaining` set. */
  #head(memory: RequestMemory, end: number): Decoded {
    const { bytes } = memory;
    const eol = lineEnd(bytes, this.at + this.#lineSeen, end);
    if (eol < 0) return this.#awaitLine(~eol, end, "too big mbulk count string");
    this.#lineSeen = 0;
    const count = integerAt(bytes, this.at + 1, eol);
    if (count === NOT_INTEGER || count > INT_MAX) return this.#malformed("invalid multibulk length");
    if (count > ANONYMOUS_ARGS && !this.trusted) return this.#malformed("unauthenticated multibulk length");
    this.at = eol + 2;
    this.#remaining = count > 0 ? count : 0;
    this.#bulkLength = -1;
    return REQUEST;
  }

  #bulks(memory: RequestMemory, end: number): Decoded {
    let { bytes, u32, argv } = memory;
    while (this.#remaining > 0) {
      if (this.#bulkLength < 0) {
        const found = this.#bulkHead(bytes, end);
        if (found !== REQUEST) return found;
      }
      const length = this.#bulkLength;
      if (end - this.at < length + 2) return INCOMPLETE;
      // The table grows with the arguments that came, not with the count a client claims.
      const index = this.argc - this.#savedCount;
      if (index % ARGV_STEP === 0) {
        if (!memory.reserveArgv(index + ARGV_STEP)) return this.#malformed("too many arguments for memory");
        ({ bytes, u32, argv } = memory);
      }
      const pair = argv + index * 2;
      u32[pair] = this.at;
      u32[pair + 1] = length;
      this.argc++;
      this.at += length + 2;
      this.#bulkLength = -1;
      this.#remaining--;
    }
    if (this.#savedCount > 0 && !this.#gather(memory))
      return this.#malformed("too many arguments for memory");
    return REQUEST;
  }

  /** The `$length` line. */
  #bulkHead(bytes: Uint8Array, end: number): Decoded {
    const at = this.at;
    // One or two digits, nearly always: no search for the end of the line.
    if (at + 5 < end && bytes[at] === DOLLAR) {
      const first = bytes[at + 1]! - ZERO;
      if (first >= 0 && first <= 9) {
        if (bytes[at + 2] === CR) {
          this.#bulkLength = first;
          this.at = at + 4;
          return REQUEST;
        }
        const second = bytes[at + 2]! - ZERO;
        if (first > 0 && second >= 0 && second <= 9 && bytes[at + 3] === CR) {
          this.#bulkLength = first * 10 + second;
          this.at = at + 5;
          return REQUEST;
        }
      }
    }
    const eol = lineEnd(bytes, at + this.#lineSeen, end);
    if (eol < 0) return this.#awaitLine(~eol, end, "too big bulk count string");
    this.#lineSeen = 0;
    if (bytes[at] !== DOLLAR) {
      return this.#malformed(`expected '$', got '${String.fromCharCode(bytes[at]!)}'`);
    }
    const length = integerAt(bytes, at + 1, eol);
    if (length === NOT_INTEGER || length < 0 || length > this.bulkLimit) {
      return this.#malformed("invalid bulk length");
    }
    if (length > ANONYMOUS_BULK && !this.trusted) return this.#malformed("unauthenticated bulk length");
    this.#bulkLength = length;
    this.at = eol + 2;
    return REQUEST;
  }

  /** A line of words, quoted as in a shell: `"..."` with \n \r \t \b \a \xhh escapes, `'...'` with \' only. */
  #inline(memory: RequestMemory, end: number): Decoded {
    let eol = this.at + this.#lineSeen;
    const { bytes } = memory;
    while (eol < end && bytes[eol] !== LF && bytes[eol] !== 0) eol++;
    if (eol === end || bytes[eol] !== LF) return this.#awaitLine(eol, end, "too big inline request");
    this.#lineSeen = 0;
    const next = eol + 1;
    if (eol > this.at && bytes[eol - 1] === CR) eol--;
    let at = this.at;
    for (;;) {
      while (at < eol && isSpace(bytes[at]!)) at++;
      if (at === eol) break;
      // Argument addresses are offsets below 2^32, so -1 is free to mean unbalanced quotes.
      const after = this.#word(memory, at, eol);
      if (after < 0) return this.#malformed("unbalanced quotes in request");
      at = after;
    }
    this.at = next;
    return REQUEST;
  }

  /** Notes the word at `at` as an argument, unescaped in place. Returns where it ended, -1 when a quote stays open. */
  #word(memory: RequestMemory, at: number, eol: number): number {
    if (!memory.reserveArgv(this.argc + 1)) return -1;
    const { bytes, u32, argv } = memory;
    const begin = at;
    let out = at;
    while (at < eol && !endsWord(bytes[at]!)) {
      const quote = bytes[at]!;
      if (quote !== QUOTE && quote !== APOSTROPHE) {
        bytes[out++] = bytes[at++]!;
        continue;
      }
      at++;
      for (;;) {
        if (at >= eol) return -1;
        const byte = bytes[at]!;
        if (byte === quote) break;
        if (byte !== BACKSLASH || at + 1 >= eol) {
          bytes[out++] = byte;
          at++;
        } else if (quote === APOSTROPHE) {
          if (bytes[at + 1] === APOSTROPHE) at++;
          bytes[out++] = bytes[at++]!;
        } else if (bytes[at + 1] === 120 && at + 3 < eol && isHex(bytes[at + 2]!) && isHex(bytes[at + 3]!)) {
          bytes[out++] = hexValue(bytes[at + 2]!) * 16 + hexValue(bytes[at + 3]!);
          at += 4;
        } else {
          bytes[out++] = unescape(bytes[at + 1]!);
          at += 2;
        }
      }
      at++;
      if (at === eol || isSpace(bytes[at]!)) break; // a closing quote ends the word
      return -1;
    }
    u32[argv + this.argc * 2] = begin;
    u32[argv + this.argc * 2 + 1] = out - begin;
    this.argc++;
    return at;
  }

  /** @param seenTo where the search for the end of the line at hand is to go on */
  #awaitLine(seenTo: number, end: number, tooLong: string): Decoded {
    if (end - this.at > LINE_LIMIT) return this.#malformed(tooLong);
    if (seenTo - this.at > SHORT_LINE) this.#lineSeen = seenTo - this.at;
    return INCOMPLETE;
  }

  #malformed(reason: string): Decoded {
    this.error = `Protocol error: ${reason}`;
    return MALFORMED;
  }
}

/**
 * Address of the CR that ends the line, once the byte after it is there too, sought from `from` on. A NUL hides the rest,
 * as in C. Without one: the complement (~) of where the search ended.
 */
function lineEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  for (; at < end - 1; at++) {
    const byte = bytes[at]!;
    if (byte === CR) return at;
    if (byte === 0) break;
  }
  return ~at;
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

/** What ends a word without quotes; a vertical tab or a form feed only separates, and belongs to the word it follows. */
function endsWord(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === LF || byte === CR;
}

function isHex(byte: number): boolean {
  return (byte >= ZERO && byte <= NINE) || (byte >= 97 && byte <= 102) || (byte >= 65 && byte <= 70);
}

function hexValue(byte: number): number {
  return byte <= NINE ? byte - ZERO : (byte | 32) - 87;
}

function unescape(byte: number): number {
  switch (byte) {
    case 110:
      return LF;
    case 114:
      return CR;
    case 116:
      return 9;
    case 98:
      return 8;
    case 97:
      return 7;
    default:
      return byte;
  }
}
