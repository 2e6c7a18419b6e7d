// Pauses of clients' requests: those an operator asks for (CLIENT PAUSE), and the one a manual failover needs. Each
// purpose has its own; requests wait while any lasts, and what waits hardest counts.
import { after, nowMs, soon, type Timer } from "../io/clock.ts";
import { NEEDS_GO, NEEDS_WRITE_GO, type Gates } from "./gates.ts";

export type PausePurpose = "operator" | "failover" | "shutdown";
export type PauseReach = "all" | "write";

interface Pause {
  readonly reach: PauseReach;
  readonly untilMs: number;
  readonly timer: Timer;
}

export class Pauses {
  readonly #lasting = new Map<PausePurpose, Pause>();

  /**
   * @param changed called when writes begin or cease to be held
   * @param release lets all held clients go on
   */
  constructor(
    private readonly gates: Gates,
    private readonly changed: (holdsWrites: boolean) => void,
    private readonly release: () => void,
  ) {}

  /** Whether no client's write can run now. */
  get holdsWrites(): boolean {
    return this.#lasting.size > 0;
  }

  /** Holds requests until then; a pause never makes one of its purpose that lasts already shorter or weaker. */
  begin(purpose: PausePurpose, reach: PauseReach, untilMs: number): void {
    const before = this.#lasting.get(purpose);
    before?.timer.stop();
    const latestMs = Math.max(untilMs, before?.untilMs ?? 0);
    this.#lasting.set(purpose, {
      reach: before?.reach === "all" ? "all" : reach,
      untilMs: latestMs,
      timer: after(Math.max(0, latestMs - nowMs()), () => this.end(purpose)),
    });
    this.#setGates();
  }

  end(purpose: PausePurpose): void {
    const pause = this.#lasting.get(purpose);
    if (pause === undefined) return;
    pause.timer.stop();
    this.#lasting.delete(purpose);
    this.#setGates();
    // Not within the request that ends the pause: the requests released share its arenas. Those that another pause
    // holds are held anew.
    soon(this.release);
  }

  stop(): void {
    for (const pause of this.#lasting.values()) pause.timer.stop();
    this.#lasting.clear();
  }

  #setGates(): void {
    const reaches = new Set([...this.#lasting.values()].map((pause) => pause.reach));
    this.gates.set(NEEDS_GO, reaches.has("all"));
    this.gates.set(NEEDS_WRITE_GO, reaches.has("write"));
    this.changed(this.holdsWrites);
  }
}
