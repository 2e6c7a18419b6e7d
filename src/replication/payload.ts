// Finds the end of a full copy in what a master sends. Two forms:
//
//   $<length>\r\n  bytes                 the size was known beforehand; the stream follows at once
//   $EOF:<mark>\r\n  bytes  <mark>       40 random bytes end it; nothing follows until the replica has answered
//
// Empty lines before either mean the master is still preparing.

const MARK_LENGTH = 40;
const HEAD_LIMIT = 128;
const LF = 10;
const NOTHING = new Uint8Array(0);

export interface PayloadPart {
  /** Bytes of the copy; they share memory with what was given. */
  readonly pieces: readonly Uint8Array[];
  readonly ended: boolean;
  /** What follows the copy. */
  readonly rest: Uint8Array;
  /** The master sent something else. */
  readonly problem?: string;
}

export class PayloadReader {
  #head: number[] = [];
  #form: { left: number } | { mark: Uint8Array; tail: Uint8Array } | undefined;
  #received = 0;
  #total: number | undefined;

  /** Whether the head was read. */
  get begun(): boolean {
    return this.#form !== undefined;
  }

  get progress(): { readonly received: number; readonly total: number | undefined } {
    return { received: this.#received, total: this.#total };
  }

  take(bytes: Uint8Array): PayloadPart {
    if (this.#form === undefined) return this.#takeHead(bytes);
    return "mark" in this.#form ? this.#untilMark(this.#form, bytes) : this.#counted(this.#form, bytes);
  }

  #takeHead(bytes: Uint8Array): PayloadPart {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (byte !== LF) {
        this.#head.push(byte);
        if (this.#head.length > HEAD_LIMIT) return problem("the copy's head is no line");
        continue;
      }
      const line = String.fromCharCode(...this.#head).replace(/\r$/, "");
      this.#head = [];
      if (line === "") continue;
      const wrong = this.#begin(line);
      if (wrong !== undefined) return problem(wrong);
      return this.take(bytes.subarray(i + 1));
    }
    return { pieces: [], ended: false, rest: NOTHING };
  }

  #begin(line: string): string | undefined {
    if (line.startsWith("-")) return `the master gave up the copy: ${line}`;
    const mark = /^\$EOF:(.{40})$/s.exec(line)?.[1];
    if (mark !== undefined) {
      this.#form = { mark: Uint8Array.from(mark, (char) => char.charCodeAt(0)), tail: NOTHING };
      return undefined;
    }
    const length = /^\$(\d{1,15})$/.exec(line)?.[1];
    if (length === undefined) return `a copy was expected, not ${line}`;
    this.#total = Number(length);
    this.#form = { left: this.#total };
    return undefined;
  }

  #counted(form: { left: number }, bytes: Uint8Array): PayloadPart {
    const piece = bytes.subarray(0, form.left);
    form.left -= piece.length;
    this.#received += piece.length;
    return {
      pieces: piece.length > 0 ? [piece] : [],
      ended: form.left === 0,
      rest: bytes.subarray(piece.length),
    };
  }

  /** The last 40 bytes are held back: they may be the mark. */
  #untilMark(form: { mark: Uint8Array; tail: Uint8Array }, bytes: Uint8Array): PayloadPart {
    const { tail } = form;
    const keepFromTail = Math.max(0, Math.min(tail.length, MARK_LENGTH - bytes.length));
    const sent = tail.subarray(0, tail.length - keepFromTail);
    const fresh = bytes.subarray(0, Math.max(0, bytes.length - MARK_LENGTH));
    const kept = new Uint8Array(keepFromTail + bytes.length - fresh.length);
    kept.set(tail.subarray(tail.length - keepFromTail));
    kept.set(bytes.subarray(fresh.length), keepFromTail);
    form.tail = kept;
    this.#received += sent.length + fresh.length;
    const pieces = [sent, fresh].filter((piece) => piece.length > 0);
    const ended = kept.length === MARK_LENGTH && kept.every((byte, i) => byte === form.mark[i]);
    return { pieces, ended, rest: NOTHING };
  }
}

function problem(text: string): PayloadPart {
  return { pieces: [], ended: false, rest: NOTHING, problem: text };
}
