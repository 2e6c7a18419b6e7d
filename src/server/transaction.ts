// What a client has said since MULTI, and what all of it together needs to run.
import type { RequestArena } from "../engine/request-memory.ts";
import { RequestQueue } from "./request-queue.ts";

export class Transaction {
  readonly queue: RequestQueue;
  /** Gates its requests need open, and the flags of their rows: those of any. */
  needs = 0;
  flags = 0;
  /** Slot of the first key it names; -1 = it names none. */
  slot = -1;
  /** It names a key of another slot. */
  isCrossSlot = false;
  /** A request was refused: EXEC will refuse the rest. */
  isAborted = false;
  /** EXEC runs. */
  isExecuting = false;
  /** Bytes of the stream it came in, MULTI's own included. */
  streamBytes = 0;

  constructor(arena: RequestArena) {
    this.queue = new RequestQueue(arena);
  }

  /** A request was queued. */
  note(needs: number, flags: number, slot: number): void {
    this.needs |= needs;
    this.flags |= flags;
    if (slot < 0) return;
    if (this.slot < 0) this.slot = slot;
    else if (slot !== this.slot) this.isCrossSlot = true;
  }
}
