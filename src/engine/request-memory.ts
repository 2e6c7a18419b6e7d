// Where requests are decoded: the argv table of the state block, and an arena that takes one chunk of a socket.
import { STATE_ARGC, STATE_ARGV } from "../../assembly/abi.ts";
import type { RequestMemory } from "../resp/decoder.ts";
import type { Slice } from "../resp/reply.ts";
import type { Memory } from "./memory.ts";

/** A socket delivers at most 512 KiB at once. */
const ARENA_BYTES = 524_288;
const PAIR_BYTES = 8;
/** Arguments the argv table holds from the start. */
const FIRST_CAPACITY = 1024;

const ARGC = STATE_ARGC >> 2;
const ARGV = STATE_ARGV >> 2;

export class RequestArena implements RequestMemory {
  /** Address of the arena that all clients' chunks are brought into. */
  readonly ptr: number;
  readonly sizeBytes = ARENA_BYTES;
  #capacity = FIRST_CAPACITY;

  constructor(readonly memory: Memory) {
    this.ptr = memory.alloc(ARENA_BYTES);
    memory.setU32(STATE_ARGV, memory.alloc(FIRST_CAPACITY * PAIR_BYTES));
  }

  get bytes(): Uint8Array {
    return this.memory.bytes;
  }

  get u32(): Uint32Array {
    return this.memory.u32;
  }

  get argv(): number {
    return this.memory.u32[ARGV]! >>> 2;
  }

  reserveArgv(count: number): boolean {
    if (count <= this.#capacity) return true;
    const capacity = Math.max(count, this.#capacity * 2);
    const { memory } = this;
    const moved =
      memory.wasm.resize(memory.u32[ARGV]!, this.#capacity * PAIR_BYTES, capacity * PAIR_BYTES) >>> 0;
    if (moved === 0) return false;
    memory.setU32(STATE_ARGV, moved);
    this.#capacity = capacity;
    return true;
  }

  /** Makes a word that lies in memory the whole request at hand. */
  setOnly({ ptr, length }: Slice): void {
    const { u32 } = this.memory;
    u32[this.argv] = ptr;
    u32[this.argv + 1] = length;
    u32[ARGC] = 1;
  }

  /** Gives back an argv table that one request has made large. Call it between requests. */
  trim(): void {
    if (this.#capacity <= 65_536) return;
    const { memory } = this;
    memory.free(memory.u32[ARGV]!);
    memory.setU32(STATE_ARGV, memory.alloc(FIRST_CAPACITY * PAIR_BYTES));
    this.#capacity = FIRST_CAPACITY;
  }
}
