// How long requests took, in constant room: counts by size, 64 steps to each doubling, so that a percentile is right to
// one in sixty-four; the longest is kept as it was.

const STEP_BITS = 6;
const STEPS = 1 << STEP_BITS;
/** Microseconds up to 2^32: more than an hour. */
const DOUBLINGS = 32;

export class Waits {
  readonly #counts = new Uint32Array(STEPS * DOUBLINGS);
  count = 0;
  longestMs = 0;

  add(ms: number): void {
    this.count++;
    if (ms > this.longestMs) this.longestMs = ms;
    const at = indexOf(Math.min(ms * 1000, 0xffffffff) >>> 0);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** So many milliseconds or less took `share` of the requests; 0 when there were none. */
  percentileMs(share: number): number {
    let left = Math.ceil(this.count * share);
    for (const [i, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return Math.min(valueOf(i + 1) / 1000, this.longestMs);
    }
    return this.longestMs;
  }

  clear(): void {
    this.#counts.fill(0);
    this.count = 0;
    this.longestMs = 0;
  }
}

/** Below STEPS one step is a microsecond; from there on each doubling is divided alike. */
function indexOf(microseconds: number): number {
  if (microseconds < STEPS) return microseconds;
  const doubling = 31 - Math.clz32(microseconds) - STEP_BITS;
  return (doubling + 1) * STEPS + ((microseconds >>> doubling) - STEPS);
}

/** The smallest number of microseconds counted at an index. */
function valueOf(index: number): number {
  if (index < STEPS) return index;
  const doubling = (index >> STEP_BITS) - 1;
  return (STEPS + (index & (STEPS - 1))) * 2 ** doubling;
}
