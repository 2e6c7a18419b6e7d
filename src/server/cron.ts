// What a node does by itself, `hz` times a second: it lets expired keys die, keeps the access clock, samples rates and
// closes idle clients. Each round has a time budget, so that requests never wait long for it.
import { STATE_ACCESS_CLOCK } from "../../assembly/abi.ts";
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import { after, monotonicUs, nowMs, type Timer } from "../io/clock.ts";
import type { Changes } from "./changes.ts";
import type { Clients } from "./clients.ts";
import type { Config } from "./config/config.ts";
import type { Stats } from "./stats.ts";

/** Bucket lines one call of the expiry sweep looks at; some tens of microseconds. */
const SWEEP_LINES = 2048;
/** At the least effort: the share of the time between two rounds the sweep may take. */
const SWEEP_SHARE = 0.25;
/** At the least effort: the sweep goes on while this share of the keys it looked at had expired. */
const WORTHWHILE = 0.1;
/** What each further step of `active-expire-effort` adds to the former and takes from the latter. */
const SHARE_STEP = 0.02;
const WORTHWHILE_STEP = 0.01;

export interface CronParts {
  readonly config: Config;
  readonly memory: Memory;
  readonly keys: Keys;
  readonly changes: Changes;
  readonly clients: Clients;
  readonly stats: Stats;
  /** Whether this node decides when keys expire; false on a replica. */
  readonly expires: () => boolean;
  /** Saves the data when it is time to. */
  readonly save: () => void;
  /** Called after each round: what it logged goes out. */
  readonly afterRound: () => void;
}

export class Cron {
  /** DEBUG SET-ACTIVE-EXPIRE. */
  activeExpire = true;
  #timer: Timer | undefined;

  constructor(private readonly parts: CronParts) {}

  start(): void {
    this.#timer = after(this.#periodMs, () => {
      this.run();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.stop();
  }

  run(): void {
    const { parts } = this;
    const { memory, stats, expires, afterRound } = parts;
    const now = nowMs();
    memory.nowMs = now;
    memory.setU32(STATE_ACCESS_CLOCK, Math.floor(now / 1000) & 0xffffff);
    if (this.activeExpire && expires()) this.#sweep();
    stats.sample(now);
    stats.observeMemory(memory.usedBytes);
    this.#closeIdle(now);
    this.#closeOverfull(now);
    parts.save();
    afterRound();
  }

  get #periodMs(): number {
    return 1000 / this.parts.config.number("hz");
  }

  #sweep(): void {
    const { keys, changes, stats } = this.parts;
    const startUs = monotonicUs();
    const effort = this.parts.config.number("active-expire-effort") - 1;
    const budgetUs = this.#periodMs * 1000 * (SWEEP_SHARE + effort * SHARE_STEP);
    const worthwhile = WORTHWHILE - effort * WORTHWHILE_STEP;
    for (;;) {
      const { expired, examined } = keys.expireCycle(SWEEP_LINES);
      changes.settleEvents();
      if (examined === 0 || expired < examined * worthwhile) break;
      if (monotonicUs() - startUs > budgetUs) {
        stats.totals.expireCyclesCutShort++;
        break;
      }
    }
    stats.totals.expireCycleMs += (monotonicUs() - startUs) / 1000;
  }

  /** The soft limit of client-output-buffer-limit is one of time: it is reached without anything being sent. */
  #closeOverfull(now: number): void {
    const { clients } = this.parts;
    for (const client of clients.all()) if (client.outputBytes > 0) clients.outputLimits.check(client, now);
  }

  /** `timeout`: clients silent for that many seconds. */
  #closeIdle(now: number): void {
    const timeoutMs = this.parts.config.number("timeout") * 1000;
    if (timeoutMs === 0) return;
    for (const client of this.parts.clients.all()) {
      if (!client.isMaster && now - client.lastActiveAtMs > timeoutMs) client.close("idle for too long");
    }
  }
}
