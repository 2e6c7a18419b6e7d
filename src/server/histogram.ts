// How long calls took, as counts in buckets whose width grows with the time: two digits of every time are kept, in a
// few kilobytes whatever happens. Buckets and so percentiles are those of Redis's LATENCYSTATS.

/** Buckets of one size: times up to 2^8 ns are exact, each doubling after that adds this many buckets. */
const HALF = 128;
/** Times above one second are counted as one second. */
const LONGEST_NS = 1_000_000_000;
const BUCKETS = 23 * HALF + HALF;

export class Histogram {
  count = 0;
  readonly #buckets = new Uint32Array(BUCKETS);

  record(ns: number, count = 1): void {
    const value = ns < 1 ? 1 : ns > LONGEST_NS ? LONGEST_NS : ns | 0;
    this.#buckets[bucketOf(value)]! += count;
    this.count += count;
  }

  /** The time, ns, that this share of calls did not exceed; 0 when there were none. */
  percentile(percent: number): number {
    const wanted = Math.max(1, Math.min(this.count, Math.floor((percent / 100) * this.count + 0.5)));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#buckets[i]!;
      if (seen >= wanted && seen > 0) return highestIn(i);
    }
    return 0;
  }

  /** Counts up to each power of two of nanoseconds at which they grow, as LATENCY HISTOGRAM prints them. */
  cumulative(): [limitUs: number, count: number][] {
    const points: [number, number][] = [];
    let seen = 0;
    let at = 0;
    for (let level = 1024; seen < this.count; level *= 2) {
      const before = seen;
      const last = bucketOf(level);
      for (; at <= last; at++) seen += this.#buckets[at]!;
      if (seen > before) points.push([Math.floor(highestIn(last) / 1000), seen]);
    }
    return points;
  }
}

function bucketOf(ns: number): number {
  const shift = Math.max(0, 24 - Math.clz32(ns));
  return shift * HALF + (ns >>> shift);
}

/** The longest time that falls into this bucket. */
function highestIn(index: number): number {
  const shift = index < 2 * HALF ? 0 : Math.floor(index / HALF) - 1;
  return (index - shift * HALF + 1) * 2 ** shift - 1;
}
