// Redis's glob patterns over bytes: `*`, `?`, `[a-z]`, `[^a]`, `\` before a literal. Unlike shell globs nothing is
// special about dots and slashes, and an unfinished class is not an error.

const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const CLOSE = 93;
const CARET = 94;
const DASH = 45;
const BACKSLASH = 92;

/** What one element of a pattern says of one byte: whether it fits, and where the next element begins. */
interface Step {
  fits: boolean;
  next: number;
}

/** Ranges compare bytes as C's signed characters: 0x80 to 0xff lie below the rest. */
function signed(byte: number): number {
  return (byte << 24) >> 24;
}

function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

export class Glob {
  /** Every key fits; callers may skip the test. */
  readonly matchesAll: boolean;
  readonly #pattern: Uint8Array;
  readonly #ignoreCase: boolean;
  readonly #step: Step = { fits: false, next: 0 };

  constructor(pattern: Uint8Array, options: { readonly ignoreCase?: boolean } = {}) {
    this.#pattern = pattern;
    this.#ignoreCase = options.ignoreCase === true;
    this.matchesAll = pattern.length === 1 && pattern[0] === STAR;
  }

  /** Whether bytes[from, from + length) fits the whole pattern. An empty text fits only an empty pattern. */
  matches(bytes: Uint8Array, from = 0, length = bytes.length - from): boolean {
    const pattern = this.#pattern;
    if (length === 0) return pattern.length === 0;
    const end = from + length;
    const step = this.#step;
    let at = from;
    let p = 0;
    // Only the last star seen can need another try: it can give any byte an earlier one could.
    let star = -1;
    let starAt = 0;
    while (at < end) {
      if (p < pattern.length && pattern[p] === STAR) {
        star = ++p;
        starAt = at;
        continue;
      }
      if (p < pattern.length) {
        this.#element(p, bytes[at] ?? 0);
        if (step.fits) {
          p = step.next;
          at++;
          continue;
        }
      }
      if (star < 0) return false;
      p = star;
      at = ++starAt;
    }
    while (p < pattern.length && pattern[p] === STAR) p++;
    return p === pattern.length;
  }

  /** Holds the element at `p`, not a star, against one byte; leaves the outcome in #step. */
  #element(p: number, byte: number): void {
    const pattern = this.#pattern;
    const step = this.#step;
    const head = pattern[p];
    if (head === OPEN) return this.#class(p + 1, byte);
    if (head === QUESTION) {
      step.fits = true;
      step.next = p + 1;
      return;
    }
    const literal = head === BACKSLASH && p + 1 < pattern.length ? p + 1 : p;
    step.fits = this.#same(pattern[literal] ?? 0, byte);
    step.next = literal + 1;
  }

  /** A class from behind its bracket; without a closing bracket it reaches to the pattern's end. */
  #class(p: number, byte: number): void {
    const pattern = this.#pattern;
    const negated = pattern[p] === CARET;
    let at = negated ? p + 1 : p;
    let found = false;
    while (at < pattern.length && pattern[at] !== CLOSE) {
      if (pattern[at] === BACKSLASH && at + 1 < pattern.length) {
        found ||= pattern[at + 1] === byte; // exact even when case is ignored, as in Redis
        at += 2;
      } else if (at + 2 < pattern.length && pattern[at + 1] === DASH) {
        found ||= this.#within(pattern[at] ?? 0, pattern[at + 2] ?? 0, byte);
        at += 3;
      } else {
        found ||= this.#same(pattern[at] ?? 0, byte);
        at++;
      }
    }
    this.#step.fits = found !== negated;
    this.#step.next = Math.min(at + 1, pattern.length);
  }

  #same(a: number, b: number): boolean {
    return a === b || (this.#ignoreCase && lower(a) === lower(b));
  }

  /** Ends may come in any order; they are put right before case is folded. */
  #within(first: number, last: number, byte: number): boolean {
    const fold = (value: number): number => signed(this.#ignoreCase ? lower(value) : value);
    const ordered = signed(first) <= signed(last);
    const value = fold(byte);
    return value >= fold(ordered ? first : last) && value <= fold(ordered ? last : first);
  }
}
