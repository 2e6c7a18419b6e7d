// Memory that is as good as full, to the block: what is free is taken by fillers of every size, and only some of those are
// given back. So an allocation can fail wherever a command makes one, not only where a page happens to be full.
import type { Memory } from "../../src/engine/memory.ts";
import type { Random } from "./random.ts";

const PAGE = 65_536;
const SMALLEST = 8;

/** Sizes of blocks, from the largest on; each a class of its own, or several of one. */
function* sizes(): Generator<number> {
  for (let size = 32_768; size > SMALLEST; size = Math.min(size - 4, Math.floor(size * 0.95) & ~3))
    yield size;
  yield SMALLEST;
}

const SIZES = [...sizes()];

export class Squeeze {
  #pages: number[] = [];
  #fillers: number[] = [];

  constructor(
    private readonly memory: Memory,
    private readonly random: Random,
  ) {}

  /** Takes all that is free. */
  fill(): void {
    for (let ptr = this.#alloc(PAGE); ptr !== 0; ptr = this.#alloc(PAGE)) this.#pages.push(ptr);
    for (const size of SIZES) {
      for (let ptr = this.#alloc(size); ptr !== 0; ptr = this.#alloc(size)) this.#fillers.push(ptr);
    }
  }

  /** Takes all that is free, then gives some blocks back. */
  tighten(): void {
    this.fill();
    // Whole pages, which are the first to be taken, as often as blocks of any kind.
    const pages = this.random.chance(0.5) ? Math.min(this.#pages.length, this.random.below(40)) : 0;
    for (let i = 0; i < pages; i++) this.memory.wasm.free(this.#pages.pop()!);
    const count = this.random.pick([0, 0, 1, 2, 3, 5, 10, 30]);
    for (let i = 0; i < count && this.#fillers.length > 0; i++) {
      const at = this.random.below(this.#fillers.length);
      const last = this.#fillers.pop()!;
      const chosen = at < this.#fillers.length ? this.#fillers[at]! : last;
      if (chosen !== last) this.#fillers[at] = last;
      this.memory.wasm.free(chosen);
    }
  }

  #alloc(size: number): number {
    return this.memory.wasm.alloc(size) >>> 0;
  }

  /** Gives all back. */
  loosen(): void {
    for (const ptr of [...this.#pages, ...this.#fillers]) this.memory.wasm.free(ptr);
    this.#pages = [];
    this.#fillers = [];
  }
}
