// maxmemory: before a command that may take memory runs, keys are evicted until there is room, as far as the policy
// allows. What takes longer than a request may wait goes on between requests, and the request runs all the same.
import {
  EVICT_LFU,
  EVICT_LRU,
  EVICT_NONE,
  EVICT_RANDOM,
  EVICT_TTL,
  LFU_FIRST,
  STATE_ACCESS_CLOCK,
  STATE_LFU,
  STATE_LFU_DECAY_MINUTES,
  STATE_LFU_LOG_FACTOR,
} from "../../assembly/abi.ts";
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import { monotonicUs } from "../io/clock.ts";
import type { Changes } from "./changes.ts";
import type { Config } from "./config/config.ts";

/** Keys evicted between two looks at the clock. */
const STEPS = 16;
const RULES: Readonly<Record<string, number>> = {
  lru: EVICT_LRU,
  lfu: EVICT_LFU,
  ttl: EVICT_TTL,
  random: EVICT_RANDOM,
};
/** The largest word the engine takes. */
const WORD = 2 ** 32 - 1;

export interface EvictionParts {
  readonly config: Config;
  readonly memory: Memory;
  readonly keys: Keys;
  readonly changes: Changes;
  /** Whether this node may evict now: it does not load data, nor follow a master that decides, nor are writes held. */
  readonly isAllowed: () => boolean;
  /** There is work for `step` soon. */
  readonly wake: () => void;
}

/** Microseconds a request may wait for eviction, by maxmemory-eviction-tenacity (Redis's curve). */
export function patienceUs(tenacity: number): number {
  if (tenacity <= 10) return 50 * tenacity;
  return tenacity < 100 ? 500 * 1.15 ** (tenacity - 10) : Infinity;
}

export class Eviction {
  /** Milliseconds memory was above its ceiling for longer than a request waits, but for the time that lasts still. */
  exceededMs = 0;
  #ceiling = 0;
  #patienceUs = 0;
  #overSinceUs: number | undefined;

  constructor(private readonly parts: EvictionParts) {
    const { config, memory } = parts;
    config.watch("maxmemory", (bytes) => (this.#ceiling = bytes));
    config.onChange("maxmemory", () => parts.wake());
    config.watch("maxmemory-eviction-tenacity", (tenacity) => (this.#patienceUs = patienceUs(tenacity)));
    config.watch("lfu-log-factor", (factor) => memory.setU32(STATE_LFU_LOG_FACTOR, Math.min(factor, WORD)));
    config.watch("lfu-decay-time", (minutes) =>
      memory.setU32(STATE_LFU_DECAY_MINUTES, Math.min(minutes, WORD)),
    );
    config.watch("maxmemory-policy", () => this.#choose());
    config.watch("maxmemory-samples", () => this.#choose());
  }

  /** Keeps the access clock, which entries are stamped with. */
  tick(): void {
    const { memory, keys } = this.parts;
    const seconds = Math.floor(memory.nowMs / 1000);
    const clock = keys.countsUses
      ? ((Math.floor(seconds / 60) & 0xffff) << 8) | LFU_FIRST
      : seconds & 0xffffff;
    memory.setU32(STATE_ACCESS_CLOCK, clock);
  }

  /** Evicts what a command that takes memory must wait for; false = there is no room, and none can be made. */
  makeRoom(): boolean {
    if (!this.#isOver || !this.parts.isAllowed()) return true;
    const endUs = monotonicUs() + this.#patienceUs;
    do {
      const isLeft = this.#evict();
      if (!this.#isOver) return true;
      if (!isLeft) return false;
    } while (monotonicUs() < endUs);
    this.#overSinceUs ??= monotonicUs();
    this.parts.wake();
    return true;
  }

  /** Evicts a little of what makes memory exceed its ceiling; whether there is more to do. */
  step(): boolean {
    const goesOn = this.#isOver && this.parts.isAllowed() && this.#evict() && this.#isOver;
    if (!goesOn) {
      this.exceededMs += this.currentExceededMs;
      this.#overSinceUs = undefined;
    }
    return goesOn;
  }

  /** Milliseconds since requests had to run with memory above its ceiling; 0 = it is not. */
  get currentExceededMs(): number {
    return this.#overSinceUs === undefined ? 0 : (monotonicUs() - this.#overSinceUs) / 1000;
  }

  get #isOver(): boolean {
    return this.#ceiling > 0 && this.parts.memory.usedBytes > this.#ceiling;
  }

  #evict(): boolean {
    const { keys, changes } = this.parts;
    const isLeft = keys.evict(this.#ceiling, STEPS);
    changes.settleEvents();
    return isLeft;
  }

  #choose(): void {
    const { config, memory, keys } = this.parts;
    const policy = config.text("maxmemory-policy");
    const [scope, rule = ""] = policy.split("-");
    const samples = config.number("maxmemory-samples");
    keys.setEviction(RULES[rule] ?? EVICT_NONE, scope === "volatile", samples);
    memory.setU32(STATE_LFU, rule === "lfu" ? 1 : 0);
    this.tick();
  }
}
