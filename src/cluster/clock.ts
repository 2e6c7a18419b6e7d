// The time the machine lives by. It follows the clock it is given, but never runs backwards, and a long gap between
// two steps (a set clock, a stopped process) does not count: what was not awaited cannot have been late.

/** Steps come at least every 100 ms; a gap beyond this is not lived through. */
const LONGEST_GAP_MS = 2000;
/** What such a gap counts for. */
const GAP_COUNTS_MS = 100;

export class SteadyClock {
  #lastMs: number;
  #shiftMs = 0;
  #sleptMs = 0;

  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** The machine's time for a moment of the outer clock; moves this clock forward. */
  advance(outerMs: number): number {
    const gapMs = outerMs + this.#shiftMs - this.#lastMs;
    if (gapMs < 0) this.#shiftMs -= gapMs;
    else if (gapMs > LONGEST_GAP_MS) this.#shiftMs -= gapMs - GAP_COUNTS_MS;
    this.#sleptMs = gapMs > LONGEST_GAP_MS ? gapMs : 0;
    this.#lastMs = outerMs + this.#shiftMs;
    return this.#lastMs;
  }

  /** How long the last step was not awaited for, when that was too long to be lived through; otherwise 0. */
  get sleptMs(): number {
    return this.#sleptMs;
  }

  /** A moment of the outer clock in the machine's time. */
  inner(outerMs: number): number {
    return outerMs + this.#shiftMs;
  }

  /** A moment of the machine's time in the outer clock's. */
  outer(innerMs: number): number {
    return innerMs - this.#shiftMs;
  }
}
