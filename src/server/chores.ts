// Work that can wait and must not make anybody wait: memory of what was deleted is given back, expired keys are found.
// It is done in slices between requests, each much shorter than a request may be kept waiting, while there is any.
import { after, monotonicUs, type Timer } from "../io/clock.ts";

/** The longest slice, but for the step it ends with. */
const SLICE_US = 500;
/** Between two slices, so that requests get at least twice the time chores take. */
const REST_MS = 1;

/** Does some tens of microseconds of the work; returns whether there is more. */
export type Chore = () => boolean;

export class Chores {
  #timer: Timer | undefined;
  /** Each slice begins with another chore, so that none waits for the end of the others. */
  #turn = 0;

  /**
   * @param begin called before each slice
   * @param end called after each slice
   */
  constructor(
    private readonly chores: readonly Chore[],
    private readonly begin: () => void,
    private readonly end: () => void,
  ) {}

  /** Looks whether there is work, and goes on until there is none. */
  wake(): void {
    if (this.#timer === undefined) this.#slice();
  }

  /** As `wake`, once what runs now is done. */
  wakeSoon(): void {
    this.#timer ??= after(0, () => this.#slice());
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  #slice(): void {
    this.begin();
    const endUs = monotonicUs() + SLICE_US;
    this.#turn = (this.#turn + 1) % this.chores.length;
    const order = [...this.chores.slice(this.#turn), ...this.chores.slice(0, this.#turn)];
    const hasMore = order.some((chore) => worksUntil(chore, endUs));
    this.end();
    this.#timer = hasMore ? after(REST_MS, () => this.#slice()) : undefined;
  }
}

/** Whether the chore has more to do at the time given. */
function worksUntil(chore: Chore, endUs: number): boolean {
  while (chore()) if (monotonicUs() >= endUs) return true;
  return false;
}
