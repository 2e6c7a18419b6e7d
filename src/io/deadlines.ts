// Many waits that nearly never run out: one timer, set for the earliest of them, looks at all. A wait that ends in time
// costs nothing but its place in a set; the timer finds it gone.
import { after, nowMs, type Timer } from "./clock.ts";

export interface Deadline {
  /** Unix milliseconds. */
  readonly dueAtMs: number;
  /** It has run out, and is waited for no more. */
  overdue(): void;
}

export class Deadlines {
  readonly #waits = new Set<Deadline>();
  #timer: Timer | undefined;
  #firesAtMs = Infinity;

  begin(wait: Deadline): void {
    this.#waits.add(wait);
    if (wait.dueAtMs < this.#firesAtMs) this.#set(wait.dueAtMs);
  }

  end(wait: Deadline): void {
    this.#waits.delete(wait);
  }

  stop(): void {
    this.#waits.clear();
    this.#timer?.stop();
  }

  #set(atMs: number): void {
    this.#timer?.stop();
    this.#firesAtMs = atMs;
    this.#timer = after(Math.max(0, atMs - nowMs()), () => this.#look());
  }

  #look(): void {
    this.#firesAtMs = Infinity;
    const now = nowMs();
    const due = [...this.#waits].filter(({ dueAtMs }) => dueAtMs <= now);
    for (const wait of due) if (this.#waits.delete(wait)) wait.overdue();
    let earliestMs = Infinity;
    for (const { dueAtMs } of this.#waits) earliestMs = Math.min(earliestMs, dueAtMs);
    if (earliestMs < this.#firesAtMs) this.#set(earliestMs);
  }
}
