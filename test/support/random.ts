// Chance that can be repeated: every draw follows from one 32-bit seed, and a failing test names that seed.
import { randomInt } from "node:crypto";

/** The seed tests draw from: SLOTMESH_SEED when set, otherwise new in every run. */
export function pickSeed(): number {
  const text = process.env["SLOTMESH_SEED"];
  if (text === undefined || text === "") return randomInt(2 ** 31);
  const seed = Number(text);
  if (!Number.isSafeInteger(seed)) throw new Error(`SLOTMESH_SEED must be an integer, not '${text}'`);
  return seed;
}

/** A generator of the mulberry32 kind: one word of state, good enough to spread tests, not for secrets. */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed | 0;
  }

  /** Uniform in [0, 1). */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }

  /** Uniform integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  /** One of the makers, chosen by weight and run. */
  weighted<T>(choices: readonly (readonly [weight: number, make: () => T])[]): T {
    let left = this.unit() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, make] of choices) {
      left -= weight;
      if (left < 0) return make();
    }
    throw new Error("nothing to choose from");
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.below(256);
    return bytes;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const [a, b] = [shuffled[i], shuffled[j]];
      if (a !== undefined && b !== undefined) [shuffled[i], shuffled[j]] = [b, a];
    }
    return shuffled;
  }
}

/** Runs `body` with a fresh generator; a failure is rethrown with the seed that repeats it. */
export async function seeded(
  body: (random: Random) => void | Promise<void>,
  seed = pickSeed(),
): Promise<void> {
  try {
    await body(new Random(seed));
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`${text}\nrepeat with SLOTMESH_SEED=${seed}`, { cause: error });
  }
}
