// RESTOREs of big values, read in steps while other clients are served. Nobody sees such a value until it is whole; then
// the request runs as if it had just come in, and finds its value read: so all that can refuse a write is asked at that
// moment, and what follows from it (replicas, notifications, tracking, blocked clients) is as for any other.
//
//   request, which nothing refuses yet -> its client is blocked, the request put aside where it lies
//     -> a step of one of them between two looks at the sockets
//     -> the request runs once more; if it has to wait now (a pause), it will be read anew
import { expiryBeforehand, type Restores } from "../commands/dump.ts";
import type { Args } from "../engine/args.ts";
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import type { Rdb } from "../engine/rdb.ts";
import type { SteppedRestore } from "../engine/stepped-restore.ts";
import { monotonicUs, soon } from "../io/clock.ts";
import type { Slice } from "../resp/reply.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client.ts";
import type { RequestBlock } from "./input.ts";

/** Payloads up to this size are read at once, some milliseconds, bytes. */
const SMALL = 262_144;
/** Bytes looked at between two looks at the clock, and what a step may take, microseconds. */
const PIECE = 16_384;
const STEP_US = 1000;

export interface SteppedRestoresParts {
  readonly memory: Memory;
  readonly args: Args;
  readonly keys: Keys;
  readonly rdb: Rdb;
  readonly changes: Changes;
  /** Runs the requests in a client's input. */
  run(client: ClientConnection): void;
}

interface Pending {
  readonly client: ClientConnection;
  readonly aside: RequestBlock;
  readonly restore: SteppedRestore;
}

export class SteppedRestores implements Restores {
  /** In the order in which their turn comes. */
  readonly #pending: Pending[] = [];
  /** Whose request runs. */
  #running: Pending | undefined;
  #isScheduled = false;

  constructor(private readonly parts: SteppedRestoresParts) {}

  /** Whether the RESTORE at hand is read in steps first: its client is blocked then. */
  begin(client: ClientConnection): boolean {
    const { args, keys, rdb, memory, changes } = this.parts;
    if (client.transaction !== undefined || this.#running?.client === client) return false;
    if (args.length(3) <= SMALL || !client.decoder.multibulk) return false;
    const expireAtMs = expiryBeforehand(args, keys, memory.nowMs);
    changes.settleEvents(); // the key may have been met, and had expired
    if (expireAtMs === undefined) return false;
    const from = client.decoder.start;
    const aside = client.setAside();
    if (aside === undefined) return false;
    // A request from the arena lies elsewhere now.
    const moved = ({ ptr, length }: Slice): Slice => ({ ptr: ptr - from + aside.from, length });
    const restore = rdb.beginRestore(moved(args.at(1)), moved(args.at(3)), expireAtMs);
    this.#pending.push({ client, aside, restore });
    this.#schedule();
    return true;
  }

  take(): SteppedRestore | undefined {
    return this.#running?.restore;
  }

  /** A client is gone. */
  left(client: ClientConnection): void {
    const at = this.#pending.findIndex((pending) => pending.client === client);
    if (at < 0) return;
    const [pending] = this.#pending.splice(at, 1) as [Pending];
    pending.restore.close();
    this.parts.memory.free(pending.aside.block);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#pending.length === 0) return;
    this.#isScheduled = true;
    soon(() => {
      this.#isScheduled = false;
      this.#step();
      this.#schedule();
    });
  }

  /** Reads on for one of them. */
  #step(): void {
    const pending = this.#pending.shift();
    if (pending === undefined) return; // its client has gone
    const { restore } = pending;
    const endUs = monotonicUs() + STEP_US;
    do restore.more(PIECE);
    while (!restore.isDone && monotonicUs() < endUs);
    if (restore.isDone) this.#finish(pending);
    else this.#pending.push(pending);
  }

  #finish(pending: Pending): void {
    const { client, aside, restore } = pending;
    client.again(aside, () => {
      this.#running = pending;
      this.parts.run(client);
      this.#running = undefined;
      restore.close();
    });
  }
}
