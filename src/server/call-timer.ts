// How long commands take. Many an engine command takes less time than reading the clock does, so calls of one row in
// a row share two readings.
import { UNKNOWN } from "../commands/table.ts";
import { monotonicUs } from "../io/clock.ts";
import type { ClientConnection } from "./client.ts";
import type { Observer } from "./observer.ts";
import type { Stats } from "./stats.ts";

export class CallTimer {
  /** Since when calls are timed: the end of the last that were. Microseconds, monotonic. */
  sinceUs = 0;
  /** The row whose calls are being timed together, and how many there were. */
  #id = UNKNOWN;
  #calls = 0;

  constructor(
    private readonly stats: Stats,
    private readonly observer: Observer,
  ) {}

  /** What went before was no call. */
  restart(): void {
    this.sinceUs = monotonicUs();
  }

  /** A call begins that may share its readings of the clock with those before and behind it. */
  join(id: number): void {
    if (id === this.#id) this.#calls++;
    else this.start(id);
  }

  /** A call begins that shares none with those before it. */
  start(id: number): void {
    if (this.#calls > 0) this.stop();
    this.#id = id;
    this.#calls = 1;
  }

  /** @param client who sent the request timed last, when that still lies in the argv table */
  stop(client?: ClientConnection): void {
    const now = monotonicUs();
    if (this.#calls > 0) {
      const us = now - this.sinceUs;
      this.stats.called(this.#id, us, this.#calls);
      if (client !== undefined) this.observer.timed(client, this.#id, us / this.#calls);
    }
    this.#id = UNKNOWN;
    this.#calls = 0;
    this.sinceUs = now;
  }
}
