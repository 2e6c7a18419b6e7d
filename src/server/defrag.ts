// activedefrag: when much memory lies in pages of few blocks, the blocks are moved together and the pages given back. It
// begins by itself and works between requests, for a share of the time that grows with what there is to gain.
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import { monotonicUs } from "../io/clock.ts";
import type { Config } from "./config/config.ts";

/** Keys and elements looked at in one step: some tens of microseconds. */
const STEP = 256;
/** Between two looks at how much there is to gain. */
const LOOK_MS = 1000;
/** After a pass that gained less than this share of what it could have: it is not tried again for a while. */
const WORTHWHILE = 0.2;
const REST_MS = 60_000;

export interface DefragParts {
  readonly config: Config;
  readonly memory: Memory;
  readonly keys: Keys;
}

export class Defrag {
  /** Blocks moved, and time spent, since the counters were reset. */
  movedBlocks = 0;
  totalMs = 0;
  /** The share of the time given to it, percent; 0 = no pass is under way. */
  percent = 0;
  #nextLookAtMs = 0;
  /** What there was to gain when the pass began, bytes. */
  #sparseBytes = 0;
  #dueUs = 0;

  constructor(private readonly parts: DefragParts) {
    parts.config.watch("activedefrag", (isOn) => {
      if (isOn) this.#nextLookAtMs = 0;
      else if (this.percent > 0) this.#end();
    });
  }

  /** A round of the cron begins; there are `rate` of them a second. */
  round(rate: number): void {
    const { config, memory } = this.parts;
    if (!config.flag("activedefrag")) return;
    if (this.percent === 0 && memory.nowMs >= this.#nextLookAtMs) this.#look();
    this.#dueUs = (1e6 / rate) * (this.percent / 100);
  }

  /** A little of what is due in this round; whether more is. */
  step(): boolean {
    if (this.#dueUs <= 0 || this.percent === 0) return false;
    const { memory } = this.parts;
    const startUs = monotonicUs();
    const hasMore = memory.defrag(STEP);
    const us = monotonicUs() - startUs;
    this.totalMs += us / 1000;
    this.#dueUs -= us;
    if (!hasMore) this.#finish();
    return hasMore && this.#dueUs > 0;
  }

  forget(): void {
    this.movedBlocks = 0;
    this.totalMs = 0;
  }

  /** Begins a pass when there is enough to gain. What is still to be given back would only be moved in vain. */
  #look(): void {
    const { config, memory, keys } = this.parts;
    this.#nextLookAtMs = memory.nowMs + LOOK_MS;
    if (keys.waitingObjects > 0) return;
    const sparse = memory.sparseBytes;
    const percent = (sparse / Math.max(memory.usedBytes, 1)) * 100;
    const lower = config.number("active-defrag-threshold-lower");
    if (sparse < config.number("active-defrag-ignore-bytes") || percent < lower) return;
    if (!memory.beginDefrag()) return;
    this.#sparseBytes = sparse;
    this.percent = this.#effort(percent, lower);
  }

  /** From active-defrag-cycle-min at the lower threshold to -max at the upper. */
  #effort(percent: number, lower: number): number {
    const { config } = this.parts;
    const least = config.number("active-defrag-cycle-min");
    const most = Math.max(least, config.number("active-defrag-cycle-max"));
    const upper = Math.max(config.number("active-defrag-threshold-upper"), lower + 1);
    return least + (most - least) * Math.min(1, (percent - lower) / (upper - lower));
  }

  #finish(): void {
    const { memory } = this.parts;
    const gained = this.#sparseBytes - memory.sparseBytes;
    if (gained < this.#sparseBytes * WORTHWHILE) this.#nextLookAtMs = memory.nowMs + REST_MS;
    this.#end();
  }

  #end(): void {
    const { memory } = this.parts;
    memory.endDefrag();
    this.movedBlocks += memory.takeMovedCount();
    this.percent = 0;
  }
}
