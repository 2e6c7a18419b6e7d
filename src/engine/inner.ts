// Engine commands run with other words than those of the request at hand: BLPOP takes its element as LPOP does. The
// words stand in the argv table while the command runs; the request's own come back afterwards.
import { STATE_ARGC, STATE_SLOT } from "../../assembly/abi.ts";
import type { Slice } from "../resp/reply.ts";
import { bindCommand, type EngineCommand } from "./exports.ts";
import type { Memory } from "./memory.ts";
import type { RequestArena } from "./request-memory.ts";
import { Scratch } from "./scratch.ts";

/** An argument: text in ASCII, bytes, or a place in linear memory. */
export type Word = string | Uint8Array | Slice;

const ARGC = STATE_ARGC >> 2;
const SLOT = STATE_SLOT >> 2;

const encoder = new TextEncoder();

export class InnerRequests {
  readonly #memory: Memory;
  readonly #scratch: Scratch;

  constructor(private readonly requests: RequestArena) {
    this.#memory = requests.memory;
    this.#scratch = new Scratch(requests.memory);
  }

  /**
   * @param words name first; no more than the argv table has room for
   * @param keyAt which of them is the first key
   * @returns what the command returned: changes, or a REFUSED_ code. Throws OUT_OF_MEMORY.
   */
  run(command: EngineCommand, words: readonly Word[], keyAt: number): number {
    const memory = this.#memory;
    const slices = this.#bring(words);
    const { argv } = this.requests;
    const slot = memory.u32[SLOT]!;
    const argc = memory.u32[ARGC]!;
    const before = memory.u32.slice(argv, argv + slices.length * 2);
    for (const [i, { ptr, length }] of slices.entries()) {
      memory.u32[argv + i * 2] = ptr;
      memory.u32[argv + i * 2 + 1] = length;
    }
    memory.u32[ARGC] = slices.length;
    memory.u32[SLOT] = memory.slotOf(slices[keyAt]!);
    const status = bindCommand(memory.wasm, command)();
    memory.u32.set(before, argv);
    memory.u32[ARGC] = argc;
    memory.u32[SLOT] = slot;
    return status;
  }

  /** All words as places in linear memory. */
  #bring(words: readonly Word[]): Slice[] {
    const owned = words.map((word) => (typeof word === "string" ? encoder.encode(word) : word));
    const length = owned.reduce((sum, word) => sum + (word instanceof Uint8Array ? word.length : 0), 0);
    const joined = new Uint8Array(length);
    let at = 0;
    for (const word of owned) {
      if (!(word instanceof Uint8Array)) continue;
      joined.set(word, at);
      at += word.length;
    }
    let { ptr } = this.#scratch.bring(joined);
    return owned.map((word) => {
      if (!(word instanceof Uint8Array)) return word;
      const slice = { ptr, length: word.length };
      ptr += word.length;
      return slice;
    });
  }
}
