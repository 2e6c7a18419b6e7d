// What the target of a MIGRATE answers: a line for AUTH and one for SELECT where they were sent, then one for each
// RESTORE. A key is acknowledged when nothing before its line, nor the line itself, was an error; the first error is
// what the client is told.
import { byteText } from "../resp/byte-text.ts";

const OK = Uint8Array.of(43, 79, 75, 13, 10);
const LF = 10;
const CR = 13;
const MINUS = 45;

/** A line that goes on for longer is no reply to any of these requests. */
const LONGEST_LINE = 65_536;

const NOTHING = new Uint8Array(0);

export class RestoreReplies {
  /** For each RESTORE answered so far, whether the target has the key now. */
  readonly acknowledged: boolean[] = [];
  /** The first error, without its minus. */
  error: string | undefined;
  /** What came and is not a whole line yet. */
  #rest = NOTHING;
  #preludesLeft: number;
  /** AUTH or SELECT was refused: so is all that follows, whatever it is answered. */
  #prelude: string | undefined;

  /**
   * @param preludes requests before the first RESTORE: AUTH, SELECT
   * @param restores how many RESTOREs there are
   */
  constructor(
    preludes: number,
    private readonly restores: number,
  ) {
    this.#preludesLeft = preludes;
  }

  /** Whether every request is answered. */
  get isWhole(): boolean {
    return this.#preludesLeft === 0 && this.acknowledged.length === this.restores;
  }

  /** Takes what came. @returns false = it is no answer to what was asked */
  feed(chunk: Uint8Array): boolean {
    const bytes = this.#rest.length === 0 ? chunk : joined(this.#rest, chunk);
    let at = 0;
    while (!this.isWhole) {
      if (this.#preludesLeft === 0 && this.#prelude === undefined && isOk(bytes, at)) {
        this.acknowledged.push(true);
        at += OK.length;
        continue;
      }
      const end = bytes.indexOf(LF, at);
      if (end < 0) break;
      this.#line(bytes, at, bytes[end - 1] === CR && end > at ? end - 1 : end);
      at = end + 1;
    }
    this.#rest = at === bytes.length ? NOTHING : bytes.slice(at);
    if (this.isWhole) return this.#rest.length === 0;
    return this.#rest.length <= LONGEST_LINE;
  }

  #line(bytes: Uint8Array, from: number, to: number): void {
    const refusal = bytes[from] === MINUS ? byteText(bytes, from + 1, to) : undefined;
    if (this.#preludesLeft > 0) {
      this.#preludesLeft--;
      this.#prelude ??= refusal;
      return;
    }
    const error = this.#prelude ?? refusal;
    this.acknowledged.push(error === undefined);
    this.error ??= error;
  }
}

/** Whether the line that begins there is the answer that is expected. */
function isOk(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < OK.length; i++) if (bytes[at + i] !== OK[i]) return false;
  return true;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
