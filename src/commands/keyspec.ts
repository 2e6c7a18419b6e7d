// What older clients know of keys: first key, last key and step, and whether that is not the whole truth
// (`movablekeys`). Both derive from the key specs.
import type { KeySpec } from "./row.ts";

export interface KeyRange {
  /** Argument of the first key; 0 = none known. */
  readonly first: number;
  /** Argument of the last key; negative counts from the end. */
  readonly last: number;
  readonly step: number;
}

const NONE: KeyRange = { first: 0, last: 0, step: 0 };

/** The one range that covers the specs with fixed places: runs of neighbours are joined, all else is left out. */
export function rangeOf(specs: readonly KeySpec[]): KeyRange {
  const ranges = specs.flatMap(({ begin, find }) => {
    if (begin === "unknown" || !("index" in begin) || find === "unknown" || !("range" in find)) return [];
    const [last, step] = find.range;
    return [{ first: begin.index, last: last >= 0 ? begin.index + last : last, step }];
  });
  const only = ranges[0];
  if (only === undefined) return NONE;
  if (specs.length === 1) return only;
  let first = Infinity;
  let last = 0;
  for (const range of ranges) {
    if (range.step !== 1 || (last !== 0 && last !== range.first - 1)) continue;
    first = Math.min(first, range.first);
    // Unsigned, so that one counted from the end outweighs any place.
    if (range.last >>> 0 > last >>> 0) last = range.last;
  }
  return first === Infinity ? NONE : { first, last, step: 1 };
}

/** Whether some key stands where only the whole request tells. */
export function isMovable(specs: readonly KeySpec[]): boolean {
  return specs.some(
    ({ begin, find }) =>
      begin === "unknown" || !("index" in begin) || find === "unknown" || !("range" in find),
  );
}
