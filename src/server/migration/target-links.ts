// Connections to the servers that keys are sent to. One that has served its request is kept a while for the next one:
// whoever moves a slot moves it in many requests.
import { every, nowMs, type Timer } from "../../io/clock.ts";
import type { Connection } from "../../io/sockets.ts";

/** So many are kept, whatever their targets. */
const MOST_IDLE = 64;
/** Milliseconds one is kept unused. */
const IDLE_MS = 10_000;
const LOOK_EVERY_MS = 1000;

export interface TargetLink {
  readonly target: string;
  readonly connection: Connection;
  /** The database selected there; undefined = SELECT has to be sent. */
  database: bigint | undefined;
  idleSinceMs: number;
}

const expectNothing = { received: (): void => {}, closed: (): void => {} };

export class TargetLinks {
  /** Unused ones, the one used last behind. */
  readonly #idle: TargetLink[] = [];
  /** In use. */
  readonly #busy = new Set<TargetLink>();
  #timer: Timer | undefined;

  get count(): number {
    return this.#idle.length + this.#busy.size;
  }

  /** A kept connection to the target. */
  take(target: string): TargetLink | undefined {
    const at = this.#idle.findLastIndex((link) => link.target === target);
    if (at < 0) return undefined;
    const [link] = this.#idle.splice(at, 1) as [TargetLink];
    this.#busy.add(link);
    return link;
  }

  /** A fresh connection, which its caller uses from now on. */
  add(target: string, connection: Connection): TargetLink {
    const link = { target, connection, database: undefined, idleSinceMs: 0 };
    this.#busy.add(link);
    return link;
  }

  /** Its request has been answered. */
  keep(link: TargetLink): void {
    this.#busy.delete(link);
    if (link.connection.isClosed) return;
    link.idleSinceMs = nowMs();
    // What comes now answers nothing: the peer is not what we took it for.
    const discard = (): void => this.#discard(link);
    link.connection.user = { received: discard, closed: discard };
    this.#idle.push(link);
    if (this.#idle.length > MOST_IDLE) this.#discard(this.#idle[0]!);
    this.#timer ??= every(LOOK_EVERY_MS, () => this.#look());
  }

  /** It is of no more use. */
  close(link: TargetLink): void {
    this.#busy.delete(link);
    link.connection.user = expectNothing;
    link.connection.close();
  }

  stop(): void {
    for (const link of [...this.#idle, ...this.#busy]) this.close(link);
    this.#idle.length = 0;
    this.#timer?.stop();
    this.#timer = undefined;
  }

  #discard(link: TargetLink): void {
    const at = this.#idle.indexOf(link);
    if (at >= 0) this.#idle.splice(at, 1);
    this.close(link);
  }

  #look(): void {
    const limitMs = nowMs() - IDLE_MS;
    for (const link of this.#idle.filter(({ idleSinceMs }) => idleSinceMs < limitMs)) this.#discard(link);
    if (this.#idle.length > 0) return;
    this.#timer?.stop();
    this.#timer = undefined;
  }
}
