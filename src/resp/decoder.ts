// Finds the arguments of requests where they lie: multibulk and inline, whole or split at any byte. Nothing is
// copied (inline arguments with escapes shrink in place) and nothing is allocated per request.
//
// A decoder belongs to one connection and survives an incomplete request: it remembers how far it came, as offsets
// from the request's first byte, so that the bytes may be moved before more arrive. The rules, limits and error
// texts are those of Redis 7.0; like there, the bytes in place of a CRLF after a bulk's data are not looked at.

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
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const QUOTE = 34;
const APOSTROPHE = 39;
const BACKSLASH = 92;

/** `#line` found no end of line yet. */
const NO_LINE = -1;
/** `integerAt` found no canonical decimal integer. */
const NOT_INTEGER = Number.MIN_SAFE_INTEGER;

/** For how many arguments the table was made when so many had been found. */
const reservedFor = (count: number): number => Math.ceil(count / ARGV_STEP) * ARGV_STEP;

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
  /** While a request is incomplete: address and length pairs found so far, addresses from the request's start. */
  #saved: Uint32Array | undefined;

  /** Bytes that must lie at `keepFrom` and after before decoding can go on; a lower bound, for buffer growth. */
  get wanted(): number {
    return this.at - this.keepFrom + (this.#bulkLength < 0 ? 1 : this.#bulkLength + 2);
  }

  /** Address of the first byte that must be kept: the start of an incomplete request, else the next one's. */
  get keepFrom(): number {
    return this.#remaining > 0 ? this.start : this.at;
  }

  /**
   * Goes on after the bytes from `keepFrom` on have been moved to `from`. Returns false when the argv table, which may have
   * been made small meanwhile, cannot hold what was found before.
   */
  resume(memory: RequestMemory, from: number): boolean {
    this.at = from + (this.at - this.keepFrom);
    this.start = from;
    const saved = this.#saved;
    if (saved === undefined) return true;
    if (!memory.reserveArgv(reservedFor(saved.length / 2))) return false;
    this.#saved = undefined;
    const { u32, argv } = memory;
    for (let i = 0; i < saved.length; i += 2) {
      u32[argv + i] = saved[i]! + from;
      u32[argv + i + 1] = saved[i + 1]!;
    }
    return true;
  }

  /** Drops the request at hand: what is decoded next begins a new one. */
  forget(): void {
    this.#remaining = 0;
    this.#saved = undefined;
    this.argc = 0;
  }

  /** Remembers the incomplete request at hand; its bytes from `start` on are the caller's to keep. */
  suspend(memory: RequestMemory): void {
    if (this.#remaining === 0 || this.argc === 0) return;
    const { u32, argv } = memory;
    const saved = u32.slice(argv, argv + this.argc * 2);
    for (let i = 0; i < saved.length; i += 2) saved[i] = saved[i]! - this.start;
    this.#saved = saved;
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
    const eol = lineEnd(bytes, this.at, end);
    if (eol === NO_LINE) return this.#awaitLine(end, "too big mbulk count string");
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
      if (this.argc % ARGV_STEP === 0) {
        if (!memory.reserveArgv(this.argc + ARGV_STEP))
          return this.#malformed("too many arguments for memory");
        ({ bytes, u32, argv } = memory);
      }
      const pair = argv + this.argc * 2;
      u32[pair] = this.at;
      u32[pair + 1] = length;
      this.argc++;
      this.at += length + 2;
      this.#bulkLength = -1;
      this.#remaining--;
    }
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
    const eol = lineEnd(bytes, at, end);
    if (eol === NO_LINE) return this.#awaitLine(end, "too big bulk count string");
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
    let eol = this.at;
    const { bytes } = memory;
    while (eol < end && bytes[eol] !== LF && bytes[eol] !== 0) eol++;
    if (eol === end || bytes[eol] !== LF) return this.#awaitLine(end, "too big inline request");
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

  #awaitLine(end: number, tooLong: string): Decoded {
    return end - this.at > LINE_LIMIT ? this.#malformed(tooLong) : INCOMPLETE;
  }

  #malformed(reason: string): Decoded {
    this.error = `Protocol error: ${reason}`;
    return MALFORMED;
  }
}

/** Address of the CR that ends the line at `at`, once the byte after it is there too. A NUL hides the rest, as in C. */
function lineEnd(bytes: Uint8Array, at: number, end: number): number {
  const last = Math.min(end - 1, at + LINE_LIMIT + 1);
  for (let i = at; i < last; i++) {
    const byte = bytes[i]!;
    if (byte === CR) return i;
    if (byte === 0) return NO_LINE;
  }
  return NO_LINE;
}

/**
 * The canonical decimal integer in [from, to): no plus sign, no leading zero, within 64 bits. Beyond 2^53 its value is
 * only roughly right, which does for comparing it with a limit.
 */
function integerAt(bytes: Uint8Array, from: number, to: number): number {
  const negative = bytes[from] === MINUS;
  const first = negative ? from + 1 : from;
  if (first >= to || to - first > 19) return NOT_INTEGER;
  if (bytes[first] === ZERO) return to - first === 1 && !negative ? 0 : NOT_INTEGER;
  let value = 0;
  for (let i = first; i < to; i++) {
    const byte = bytes[i]!;
    if (byte < ZERO || byte > NINE) return NOT_INTEGER;
    value = value * 10 + (byte - ZERO);
  }
  // Nineteen digits may say more than 64 bits hold, and doubles are too coarse to tell.
  if (to - first === 19 && value > 9.2e18 && exceeds64Bits(bytes, first, negative)) return NOT_INTEGER;
  return negative ? -value : value;
}

const LIMIT_DIGITS = "9223372036854775807";

/** Whether nineteen digits exceed 2^63 - 1, or 2^63 when negative. */
function exceeds64Bits(bytes: Uint8Array, first: number, negative: boolean): boolean {
  for (let i = 0; i < 19; i++) {
    const limit = LIMIT_DIGITS.charCodeAt(i) + (negative && i === 18 ? 1 : 0);
    const digit = bytes[first + i]!;
    if (digit !== limit) return digit > limit;
  }
  return false;
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
