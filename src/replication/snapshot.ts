// A snapshot: all keys as they are at one moment, the cut, written while the server goes on serving. Slots are
// serialised one after another, a few between two batches of requests; a slot about to change is serialised first.
// So what is written is the state at the cut, and everything later is in the mutation log from the cut's offset on.
//
// Keys that expire meanwhile may be missing: the log holds their DEL.
import { SLOT_COUNT } from "../../assembly/abi.ts";
import type { RdbOrigin, RdbWriter } from "./rdb-writer.ts";

/** What a snapshot needs of the keyspace. */
export interface SnapshotSource {
  /** Databases that hold keys. */
  databases(): readonly number[];
  /** Keys of a database, and those of them that expire. */
  sizes(database: number): { readonly keys: number; readonly expires: number };
  /** Writes a slot's entries in RDB form, if any; the pieces die with the next call. Throws without memory. */
  serialise(database: number, slot: number, write: (bytes: Uint8Array) => void): void;
}

interface Remaining {
  readonly database: number;
  readonly sizes: { readonly keys: number; readonly expires: number };
  /** 1 = serialised. */
  readonly written: Uint8Array;
  /** Slots below are all serialised. */
  next: number;
}

export class Snapshot {
  readonly #remaining: Remaining[];
  #isDone = false;

  /** Cuts here: the head is written at once. */
  constructor(
    private readonly source: SnapshotSource,
    private readonly writer: RdbWriter,
    origin: RdbOrigin,
  ) {
    this.#remaining = source.databases().map((database) => ({
      database,
      sizes: source.sizes(database),
      written: new Uint8Array(SLOT_COUNT),
      next: 0,
    }));
    writer.head(origin);
  }

  /** Whether everything is written, the end included. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Serialises slots until all are done or time is up.
   * @param mayGoOn asked after each slot that held something, and now and then between empty ones
   */
  step(mayGoOn: () => boolean): void {
    while (!this.#isDone) {
      const current = this.#remaining[0];
      if (current === undefined) return this.#finish();
      if (current.next === SLOT_COUNT) {
        this.#remaining.shift();
        continue;
      }
      const wrote = this.#write(current, current.next++);
      if ((wrote || current.next % 1024 === 0) && !mayGoOn()) return;
    }
  }

  /** A slot is about to change, in whichever database. To be called before each change. */
  beforeWrite(slot: number): void {
    for (const remaining of this.#remaining) this.#write(remaining, slot);
  }

  /** Writes all that is left. */
  complete(): void {
    this.step(() => true);
  }

  #write(remaining: Remaining, slot: number): boolean {
    if (remaining.written[slot] === 1) return false;
    remaining.written[slot] = 1;
    const { database, sizes } = remaining;
    let wrote = false;
    this.source.serialise(database, slot, (bytes) => {
      wrote = true;
      this.writer.entries(database, sizes, bytes);
    });
    return wrote;
  }

  #finish(): void {
    this.#isDone = true;
    this.writer.end();
  }
}
