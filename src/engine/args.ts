// The arguments of the request at hand, read from the argv table in linear memory. Nothing is allocated unless a
// method says so. Index 0 is the command's name.
import { STATE_ARGC, STATE_ARGV } from "../../assembly/abi.ts";
import { byteText } from "../resp/byte-text.ts";
import type { Slice } from "../resp/reply.ts";
import type { Memory } from "./memory.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const MINUS = 45;
const MAX_INTEGER = 2n ** 63n - 1n;
const MIN_INTEGER = -(2n ** 63n);

export class Args {
  constructor(private readonly memory: Memory) {}

  get count(): number {
    return this.memory.u32[STATE_ARGC >>> 2] as number;
  }

  /** Address of an argument's bytes. */
  ptr(index: number): number {
    const { u32 } = this.memory;
    return u32[((u32[STATE_ARGV >>> 2] as number) >>> 2) + index * 2] as number;
  }

  length(index: number): number {
    const { u32 } = this.memory;
    return u32[((u32[STATE_ARGV >>> 2] as number) >>> 2) + index * 2 + 1] as number;
  }

  /** An argument in place: it stays where it is until the request is done. */
  at(index: number): Slice {
    return { ptr: this.ptr(index), length: this.length(index) };
  }

  /** An argument's bytes in place, as a view that dies with the next call into the engine. */
  view(index: number): Uint8Array {
    const ptr = this.ptr(index);
    return this.memory.bytes.subarray(ptr, ptr + this.length(index));
  }

  /** A copy of an argument's bytes. */
  bytes(index: number): Uint8Array {
    const ptr = this.ptr(index);
    return this.memory.bytes.slice(ptr, ptr + this.length(index));
  }

  /** An argument as text (UTF-8; what is not becomes U+FFFD). */
  text(index: number): string {
    const ptr = this.ptr(index);
    return decoder.decode(this.memory.bytes.subarray(ptr, ptr + this.length(index)));
  }

  /** An argument as text, one character per byte: nothing is lost. */
  latin1(index: number): string {
    const ptr = this.ptr(index);
    return byteText(this.memory.bytes, ptr, ptr + this.length(index));
  }

  /** Whether an argument is this word, whatever its case. `word` is ASCII in capitals. */
  is(index: number, word: string): boolean {
    if (index >= this.count || this.length(index) !== word.length) return false;
    const { bytes } = this.memory;
    const ptr = this.ptr(index);
    for (let i = 0; i < word.length; i++) {
      let byte = bytes[ptr + i] as number;
      if (byte >= 97 && byte <= 122) byte -= 32;
      if (byte !== word.charCodeAt(i)) return false;
    }
    return true;
  }

  /** Whether the bytes of an argument are exactly this ASCII text. */
  equals(index: number, text: string): boolean {
    if (index >= this.count || this.length(index) !== text.length) return false;
    const { bytes } = this.memory;
    const ptr = this.ptr(index);
    for (let i = 0; i < text.length; i++) if (bytes[ptr + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** An argument that spells a 64-bit integer canonically (no plus, no leading zeros, no spaces). */
  integer(index: number): bigint | undefined {
    const small = this.number(index);
    if (small !== undefined) return BigInt(small);
    if (!this.#isCanonical(index)) return undefined;
    const value = BigInt(this.latin1(index));
    return value >= MIN_INTEGER && value <= MAX_INTEGER ? value : undefined;
  }

  /** As `integer` for numbers a double holds exactly; those beyond 2^53 are undefined. */
  number(index: number): number | undefined {
    if (!this.#isCanonical(index)) return undefined;
    const { bytes } = this.memory;
    const ptr = this.ptr(index);
    const length = this.length(index);
    if (length > 17) return undefined;
    const isNegative = bytes[ptr] === MINUS;
    let value = 0;
    for (let i = isNegative ? 1 : 0; i < length; i++) value = value * 10 + (bytes[ptr + i] as number) - 48;
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
    return isNegative ? -value : value;
  }

  #isCanonical(index: number): boolean {
    const { bytes } = this.memory;
    const ptr = this.ptr(index);
    const length = this.length(index);
    if (length === 0 || length > 20) return false;
    const from = bytes[ptr] === MINUS ? 1 : 0;
    if (length === from) return false;
    if (bytes[ptr + from] === 48) return length === 1;
    for (let i = from; i < length; i++) {
      const byte = bytes[ptr + i] as number;
      if (byte < 48 || byte > 57) return false;
    }
    return true;
  }
}
