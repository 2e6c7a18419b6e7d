// Memory has run short: whoever keeps some that nobody needs any more gives it back. The allocator asks here and so
// knows nothing of what stands in its blocks; start.ts says who is asked.

/** Gives back about so many blocks, and allocates nothing; false = there is no more to give back. */
type Release = (budget: u32) => bool;

/** Blocks given back each time. */
const STEP: u32 = 1024;

let release: Release = (): bool => false;

export function setRelease(by: Release): void {
  release = by;
}

/** Has some memory given back; false = no more can be. */
export function reclaim(): bool {
  return release(STEP);
}
