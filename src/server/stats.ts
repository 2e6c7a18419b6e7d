// What the server counts: calls and times per command, errors by code, traffic, and rates sampled over time. Plain
// data; nothing here reads a clock. Counting a call touches typed arrays only.
import { Histogram } from "./histogram.ts";

/** Rates are means over this many samples. */
const SAMPLES = 16;

/** What is counted in all; each is one line of INFO. CONFIG RESETSTAT zeroes them. */
export interface Totals {
  connections: number;
  commands: number;
  rejectedConnections: number;
  inputBytes: number;
  outputBytes: number;
  replicationInputBytes: number;
  replicationOutputBytes: number;
  /** Times bytes came from clients, and went to them. */
  reads: number;
  writes: number;
  expireCyclesCutShort: number;
  expireCycleMs: number;
  fullSyncs: number;
  partialSyncs: number;
  partialSyncsRefused: number;
  errorReplies: number;
}

const noTotals = (): Totals => ({
  connections: 0,
  commands: 0,
  rejectedConnections: 0,
  inputBytes: 0,
  outputBytes: 0,
  replicationInputBytes: 0,
  replicationOutputBytes: 0,
  reads: 0,
  writes: 0,
  expireCyclesCutShort: 0,
  expireCycleMs: 0,
  fullSyncs: 0,
  partialSyncs: 0,
  partialSyncsRefused: 0,
  errorReplies: 0,
});

const RATES = [
  "commands",
  "inputBytes",
  "outputBytes",
  "replicationInputBytes",
  "replicationOutputBytes",
] as const;
export type Rate = (typeof RATES)[number];

/** Error codes told apart; what comes after the last is counted in all only, so that a client cannot make codes up. */
const ERROR_CODES = 128;

export class Stats {
  readonly totals: Totals = noTotals();
  /** By command id, as the command table numbers rows. */
  readonly calls: Float64Array;
  readonly us: Float64Array;
  /** Refused before running: arity, NOAUTH, MOVED, OOM ... */
  readonly rejected: Float64Array;
  /** Ran and replied with an error. */
  readonly failed: Float64Array;
  /** By command id; undefined until its first call. */
  readonly latency: (Histogram | undefined)[];
  /** Error replies by their code, in the order they first arose. */
  readonly errors = new Map<string, number>();
  peakMemoryBytes = 0;
  /** Whether `latency` is kept; follows `latency-tracking`. */
  tracksLatency = true;

  readonly #rates = Object.fromEntries(
    RATES.map((rate) => [rate, { last: 0, perSecond: new Float64Array(SAMPLES) }]),
  ) as Record<Rate, { last: number; perSecond: Float64Array }>;
  #sampledAtMs = 0;
  #nextSample = 0;

  /** @param commandCount rows of the command table */
  constructor(commandCount: number) {
    this.calls = new Float64Array(commandCount);
    this.us = new Float64Array(commandCount);
    this.rejected = new Float64Array(commandCount);
    this.failed = new Float64Array(commandCount);
    this.latency = Array.from({ length: commandCount }, () => undefined);
  }

  /** A command ran `count` times in a row, for `us` microseconds in all (a fraction counts). */
  called(id: number, us: number, count = 1): void {
    this.totals.commands += count;
    this.calls[id]! += count;
    this.us[id]! += us;
    if (this.tracksLatency) (this.latency[id] ??= new Histogram()).record((us * 1000) / count, count);
  }

  /** A command was refused before it ran. */
  refused(id: number, text: string): void {
    this.rejected[id]! += 1;
    this.errorReply(text);
  }

  /** A command that ran replied with an error. */
  failedWith(id: number, text: string): void {
    this.failed[id]! += 1;
    this.errorReply(text);
  }

  /** An error was sent; its code is the first word of `text`. */
  errorReply(text: string): void {
    this.totals.errorReplies++;
    const space = text.indexOf(" ");
    const code = space < 0 ? text : text.slice(0, space);
    const seen = this.errors.get(code);
    if (seen === undefined && this.errors.size >= ERROR_CODES) return;
    this.errors.set(code, (seen ?? 0) + 1);
  }

  /** Once every 100 ms or so: what rates are reckoned from. */
  sample(nowMs: number): void {
    const elapsedMs = nowMs - this.#sampledAtMs;
    if (this.#sampledAtMs > 0 && elapsedMs <= 0) return;
    for (const rate of RATES) {
      const series = this.#rates[rate];
      const total = this.totals[rate];
      if (this.#sampledAtMs > 0)
        series.perSecond[this.#nextSample] = ((total - series.last) * 1000) / elapsedMs;
      series.last = total;
    }
    if (this.#sampledAtMs > 0) this.#nextSample = (this.#nextSample + 1) % SAMPLES;
    this.#sampledAtMs = nowMs;
  }

  /** Per second, over the last samples. */
  rate(of: Rate): number {
    return this.#rates[of].perSecond.reduce((sum, value) => sum + value, 0) / SAMPLES;
  }

  observeMemory(usedBytes: number): void {
    if (usedBytes > this.peakMemoryBytes) this.peakMemoryBytes = usedBytes;
  }

  /** CONFIG RESETSTAT. */
  reset(usedBytes: number): void {
    Object.assign(this.totals, noTotals());
    for (const counts of [this.calls, this.us, this.rejected, this.failed]) counts.fill(0);
    this.latency.fill(undefined);
    this.errors.clear();
    for (const rate of RATES) {
      this.#rates[rate].last = 0;
      this.#rates[rate].perSecond.fill(0);
    }
    this.peakMemoryBytes = usedBytes;
  }
}
