// What a node does by itself, `hz` times a second: it keeps the access clock, samples rates, closes idle clients, and
// sets its chores going, which find expired keys and give memory back. None keeps requests waiting for long.
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import { after, monotonicUs, nowMs, type Timer } from "../io/clock.ts";
import type { Changes } from "./changes.ts";
import { Chores } from "./chores.ts";
import type { Clients } from "./clients.ts";
import type { Config } from "./config/config.ts";
import { Defrag } from "./defrag.ts";
import type { Eviction } from "./eviction.ts";
import { IdleMemory } from "./idle-memory.ts";
import type { Stats } from "./stats.ts";

/** What one call of the expiry sweep may cost, in bucket lines looked at: some tens of microseconds. */
const SWEEP_LINES = 1024;
/** Blocks of deleted things given back at a time; some tens of microseconds. */
const RELEASE_BLOCKS = 512;
/** At the least effort: the share of the time between two rounds the sweep may take. */
const SWEEP_SHARE = 0.25;
/**
 * At the least effort: the sweep goes on while this share of the keys it looked at had expired. With those that die until
 * the next round, fewer than a tenth of the keys held are dead at any time.
 */
const WORTHWHILE = 0.05;
/** What each further step of `active-expire-effort` adds to the former and takes from the latter. */
const SHARE_STEP = 0.02;
const WORTHWHILE_STEP = 0.005;

export interface CronParts {
  readonly config: Config;
  readonly memory: Memory;
  readonly keys: Keys;
  readonly changes: Changes;
  readonly clients: Clients;
  readonly stats: Stats;
  readonly eviction: Eviction;
  /** Whether this node decides when keys expire; false on a replica. */
  readonly expires: () => boolean;
  /** Saves the data when it is time to. */
  readonly save: () => void;
  /** Called before each slice of the chores: what clients are told of keys that die gathers. */
  readonly beforeSlice: () => void;
  /** Called after each round and each slice of the chores: what was logged, and what clients are told, goes out. */
  readonly afterRound: () => void;
}

export class Cron {
  /** DEBUG SET-ACTIVE-EXPIRE. */
  activeExpire = true;
  readonly idleMemory: IdleMemory;
  readonly defrag: Defrag;
  #timer: Timer | undefined;
  readonly #chores: Chores;
  /** Time the sweep of this round may still take; 0 = it is done. */
  #sweepUs = 0;

  constructor(private readonly parts: CronParts) {
    const { keys, memory, beforeSlice, afterRound } = parts;
    const idle = (this.idleMemory = new IdleMemory(memory));
    const defrag = (this.defrag = new Defrag(parts));
    this.#chores = new Chores(
      [
        () => keys.release(RELEASE_BLOCKS),
        () => this.#sweep(),
        () => parts.eviction.step(),
        () => defrag.step(),
        () => idle.step(),
      ],
      () => {
        memory.nowMs = nowMs();
        beforeSlice();
      },
      afterRound,
    );
  }

  start(): void {
    this.#timer = after(this.#periodMs, () => {
      this.run();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.stop();
    this.#chores.stop();
  }

  run(): void {
    const { parts } = this;
    const { memory, stats, afterRound } = parts;
    const now = nowMs();
    memory.nowMs = now;
    parts.eviction.tick();
    stats.sample(now);
    stats.observeMemory(memory.usedBytes);
    this.#closeIdle(now);
    this.#closeOverfull(now);
    parts.save();
    afterRound();
    if (this.#sweepUs > 0) stats.totals.expireCyclesCutShort++;
    this.#sweepUs = this.#periodMs * 1000 * (SWEEP_SHARE + this.#effort * SHARE_STEP);
    const rate = parts.config.number("hz");
    this.idleMemory.round(rate);
    this.defrag.round(rate);
    this.#chores.wake();
  }

  /** There is work for the chores. */
  wake(): void {
    this.#chores.wakeSoon();
  }

  get #periodMs(): number {
    return 1000 / this.parts.config.number("hz");
  }

  /** Steps of `active-expire-effort` above the least. */
  get #effort(): number {
    return this.parts.config.number("active-expire-effort") - 1;
  }

  /** A step of the search for expired keys. Goes on while it is worthwhile and this round has time for it. */
  #sweep(): boolean {
    const { keys, changes, stats, expires } = this.parts;
    if (this.#sweepUs <= 0 || !this.activeExpire || !expires()) {
      this.#sweepUs = 0;
      return false;
    }
    const startUs = monotonicUs();
    const { expired, examined } = keys.expireCycle(SWEEP_LINES);
    changes.settleEvents();
    const us = monotonicUs() - startUs;
    stats.totals.expireCycleMs += us / 1000;
    const isWorthwhile = examined > 0 && expired >= examined * (WORTHWHILE - this.#effort * WORTHWHILE_STEP);
    this.#sweepUs = isWorthwhile ? this.#sweepUs - us : 0;
    if (isWorthwhile && this.#sweepUs <= 0) stats.totals.expireCyclesCutShort++;
    return this.#sweepUs > 0;
  }

  /** The soft limit of client-output-buffer-limit is one of time: it is reached without anything being sent. */
  #closeOverfull(now: number): void {
    const { clients } = this.parts;
    for (const client of clients.all()) if (client.outputBytes > 0) clients.outputLimits.check(client, now);
  }

  /** `timeout`: clients that say nothing and take nothing for that many seconds. */
  #closeIdle(now: number): void {
    const timeoutMs = this.parts.config.number("timeout") * 1000;
    if (timeoutMs === 0) return;
    for (const client of this.parts.clients.all()) {
      client.noteOutput(now);
      if (client.mayIdle && now - client.lastActiveAtMs > timeoutMs) client.close("idle for too long");
    }
  }
}
