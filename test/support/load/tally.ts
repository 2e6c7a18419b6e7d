// What a load saw: how many requests, how they were redirected, what was wrong, how long they took.
import { Waits } from "./waits.ts";

export interface Report {
  readonly seconds: number;
  readonly requests: number;
  readonly reads: number;
  readonly writes: number;
  readonly moved: number;
  readonly asked: number;
  readonly tryAgain: number;
  /** Replies and lost connections that only a node's death excuses, and counted only where one may die. */
  readonly outages: number;
  /** Any other error reply, or a request without an end; the texts with how often each came. */
  readonly errors: number;
  readonly errorTexts: Readonly<Record<string, number>>;
  /** Acknowledged, and not there. */
  readonly lost: number;
  /** An older version than the one acknowledged. */
  readonly stale: number;
  /** What was never written: a mixture of versions, an element twice, a version from nowhere. */
  readonly wrong: number;
  /** The first of what was lost, stale or wrong, in words. */
  readonly findings: readonly string[];
  readonly longestMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

const FINDINGS_KEPT = 20;
const TEXTS_KEPT = 50;

export class Tally {
  readonly waits = new Waits();
  reads = 0;
  writes = 0;
  moved = 0;
  asked = 0;
  tryAgain = 0;
  outages = 0;
  lost = 0;
  stale = 0;
  wrong = 0;
  #errors = 0;
  readonly #texts = new Map<string, number>();
  readonly #findings: string[] = [];
  #sinceMs = performance.now();

  error(text: string): void {
    this.#errors++;
    if (this.#texts.size < TEXTS_KEPT || this.#texts.has(text))
      this.#texts.set(text, (this.#texts.get(text) ?? 0) + 1);
  }

  find(what: "lost" | "stale" | "wrong", words: string): void {
    this[what]++;
    if (this.#findings.length < FINDINGS_KEPT) this.#findings.push(`${what}: ${words}`);
  }

  /** From here on only; what was wrong before stays. */
  beginAnew(): void {
    this.waits.clear();
    this.reads = 0;
    this.writes = 0;
    this.moved = 0;
    this.asked = 0;
    this.tryAgain = 0;
    this.#sinceMs = performance.now();
  }

  report(): Report {
    const { reads, writes, moved, asked, tryAgain, outages, lost, stale, wrong, waits } = this;
    return {
      seconds: (performance.now() - this.#sinceMs) / 1000,
      requests: reads + writes,
      reads,
      writes,
      moved,
      asked,
      tryAgain,
      outages,
      errors: this.#errors,
      errorTexts: Object.fromEntries(this.#texts),
      lost,
      stale,
      wrong,
      findings: [...this.#findings],
      longestMs: waits.longestMs,
      p50Ms: waits.percentileMs(0.5),
      p99Ms: waits.percentileMs(0.99),
      p999Ms: waits.percentileMs(0.999),
    };
  }
}
