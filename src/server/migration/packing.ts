// The requests that carry keys to their target, written in steps: a value of a million elements takes many, between which
// others are served. Nothing changes the keys meanwhile (keys-in-flight.ts), but they may expire or be evicted: those are
// left out.
import type { MigrateRequest } from "../../commands/migrate.ts";
import type { Keys } from "../../engine/keys.ts";
import type { Memory } from "../../engine/memory.ts";
import type { Rdb } from "../../engine/rdb.ts";
import type { Scratch } from "../../engine/scratch.ts";
import { SteppedDump } from "../../engine/stepped-dump.ts";
import type { RequestWriter } from "../../resp/request-writer.ts";

/** Bytes of long values written in one step. */
const STEP_BYTES = 131_072;
/** Short values written in one step. */
const STEP_KEYS = 256;

/** What is sent over a connection, and what has to be answered. */
export interface Shipment {
  /** The receiver's to use up. */
  readonly blocks: Uint8Array[];
  /** Requests before the first RESTORE. */
  readonly preludes: number;
  /** Keys sent, in order. */
  readonly keys: readonly Uint8Array[];
}

export interface PackingParts {
  readonly memory: Memory;
  readonly keys: Keys;
  readonly rdb: Rdb;
  /** RESTORE-ASKING is sent in place of RESTORE. */
  readonly inCluster: boolean;
}

export class Packing {
  readonly #sent: Uint8Array[] = [];
  readonly #preludes: number;
  /** Index of the next key. */
  #next = 0;
  /** The long value at hand, and what is written of it. */
  #dump: SteppedDump | undefined;
  #pieces: Uint8Array[] = [];

  /**
   * @param scratch where keys are brought to be looked up
   * @param writer has nothing to write, and is the packing's until the shipment has been sent
   * @param database of the keys, here
   * @param isSelected the database they go to is the one the connection has selected
   */
  constructor(
    private readonly parts: PackingParts,
    private readonly scratch: Scratch,
    readonly writer: RequestWriter,
    private readonly database: number,
    private readonly request: MigrateRequest,
    isSelected: boolean,
  ) {
    const { auth } = request;
    this.#preludes = (auth === undefined ? 0 : 1) + (isSelected ? 0 : 1);
    if (auth !== undefined) {
      this.writer.begin(1 + auth.length);
      this.writer.text("AUTH");
      for (const word of auth) this.writer.bytes(word);
    }
    if (isSelected) return;
    this.writer.begin(2);
    this.writer.text("SELECT");
    this.writer.text(String(request.database));
  }

  /** Writes on for a while. @returns all of it, once it is written. Throws OUT_OF_MEMORY: `close` it then. */
  step(): Shipment | undefined {
    const { keys } = this.request;
    this.parts.memory.database = this.database;
    for (let left = STEP_KEYS; left > 0; left--) {
      const key = keys[this.#next];
      if (key === undefined)
        return { blocks: this.writer.take(), preludes: this.#preludes, keys: this.#sent };
      if (!this.#pack(key)) return undefined;
      this.#next++;
    }
    return undefined;
  }

  /** Gives up what is not whole. */
  close(): void {
    this.#dump?.close();
    this.#dump = undefined;
  }

  /** Writes a key; false = it is a long one and goes on. */
  #pack(key: Uint8Array): boolean {
    if (this.#dump !== undefined) return this.#packMore(key, this.#dump);
    const { memory, keys, rdb } = this.parts;
    const expireAtMs = keys.expireAtMs(key);
    if (expireAtMs === undefined) return true;
    const found = rdb.dumpOrBegin(this.scratch.bring(key));
    if (found === undefined) return true;
    if (found instanceof SteppedDump) {
      this.#dump = found;
      return this.#packMore(key, found);
    }
    this.#begin(key, expireAtMs);
    this.writer.bytes(memory.bytes, found.ptr, found.ptr + found.length);
    this.#end(key);
    return true;
  }

  #packMore(key: Uint8Array, dump: SteppedDump): boolean {
    for (let left = STEP_BYTES; left > 0 && dump.state === "open";) {
      const piece = dump.more(left);
      if (piece.length > 0) this.#pieces.push(piece);
      left -= Math.max(piece.length, STEP_BYTES >> 2); // compressing takes its time and writes nothing
    }
    if (dump.state === "open") return false;
    const expireAtMs = this.parts.keys.expireAtMs(key);
    if (dump.state === "whole" && expireAtMs !== undefined) {
      this.#begin(key, expireAtMs);
      this.writer.pieces(dump.length, this.#pieces);
      this.#end(key);
    }
    this.#pieces = [];
    this.close();
    return true;
  }

  /** What stands before the payload. */
  #begin(key: Uint8Array, expireAtMs: number): void {
    const { inCluster, memory } = this.parts;
    const writer = this.writer;
    writer.begin(this.request.replace ? 5 : 4);
    writer.text(inCluster ? "RESTORE-ASKING" : "RESTORE");
    writer.bytes(key);
    // What is left of its life; the target adds it to its own clock.
    writer.text(String(expireAtMs === 0 ? 0 : Math.max(1, expireAtMs - memory.nowMs)));
  }

  #end(key: Uint8Array): void {
    if (this.request.replace) this.writer.text("REPLACE");
    this.#sent.push(key);
  }
}
