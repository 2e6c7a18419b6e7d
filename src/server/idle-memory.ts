// Gives memory back to the system that held what is deleted now. Not at once, or what is deleted and written again, over
// and over, would be given back and asked for over and over: each round a part of what lies idle goes, so that half of
// it is gone after some seconds of rest.
import type { Memory } from "../engine/memory.ts";
import { givePages } from "../io/pages.ts";

/** The part given back each second. */
const SHARE = 0.2;
/** The least a round gives back, so that the last of it goes too. */
const LEAST_BYTES = 2 ** 20;
/** What stays, as a part of what is in use. */
const KEPT_SHARE = 1 / 32;
/** Given back at a time: some hundred microseconds. */
const STEP_BYTES = 4 * 2 ** 20;

export class IdleMemory {
  /** False once the system has shown that it takes nothing back. */
  isPossible = true;
  #dueBytes = 0;

  constructor(private readonly memory: Memory) {}

  /** A round of the cron begins; there are `rate` of them a second. */
  round(rate: number): void {
    const { idleBytes, activeBytes } = this.memory;
    const surplus = idleBytes - activeBytes * KEPT_SHARE;
    this.#dueBytes = surplus <= 0 ? 0 : Math.max((surplus * SHARE) / rate, LEAST_BYTES);
  }

  /** Gives back a little of what is due; whether more is. */
  step(): boolean {
    if (this.#dueBytes <= 0) return false;
    const given = this.#give(Math.min(STEP_BYTES, Math.max(this.#dueBytes, 65536)));
    this.#dueBytes = given === 0 ? 0 : this.#dueBytes - given;
    return this.#dueBytes > 0;
  }

  /** Gives back all that lies idle; returns how many bytes that were. */
  purge(): number {
    let all = 0;
    for (let given = this.#give(2 ** 30); given > 0; given = this.#give(2 ** 30)) all += given;
    return all;
  }

  #give(limit: number): number {
    if (!this.isPossible) return 0;
    const run = this.memory.takeIdle(limit);
    if (run === undefined) return 0;
    this.isPossible = givePages(this.memory.bytes, run.ptr, run.length);
    return this.isPossible ? run.length : 0;
  }
}
