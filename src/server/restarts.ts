// How often a process that crashes is started again: what crashes at once each time would do nothing else.
export class Restarts {
  #startedAtMs: number[] = [];

  /** @param most so many within `withinMs` */
  constructor(
    private readonly most: number,
    private readonly withinMs: number,
  ) {}

  /** Whether it may be started once more, which is counted then. */
  take(nowMs: number): boolean {
    this.#startedAtMs = this.#startedAtMs.filter((atMs) => nowMs - atMs < this.withinMs);
    if (this.#startedAtMs.length >= this.most) return false;
    this.#startedAtMs.push(nowMs);
    return true;
  }
}
