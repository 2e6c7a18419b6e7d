// A record of the mutation log, part by part as its handler gives it, read as the request it is.
import type { Words } from "../commands/getkeys.ts";
import type { Memory } from "../engine/memory.ts";
import { byteText, fromUnicode } from "../resp/byte-text.ts";
import type { Slice } from "../resp/reply.ts";

export class RecordWords implements Words {
  constructor(
    private readonly memory: Memory,
    private readonly parts: readonly (string | Slice | Uint8Array)[],
  ) {}

  get count(): number {
    return this.parts.length;
  }

  /** A part as text, one character per byte. */
  latin1(index: number): string {
    const part = this.parts[index] ?? "";
    if (typeof part === "string") return fromUnicode(part);
    if (part instanceof Uint8Array) return byteText(part);
    return byteText(this.memory.bytes, part.ptr, part.ptr + part.length);
  }

  is(index: number, word: string): boolean {
    return index < this.count && this.latin1(index).toUpperCase() === word;
  }

  integer(index: number): bigint | undefined {
    const text = this.latin1(index);
    return /^(0|-?[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined;
  }
}
