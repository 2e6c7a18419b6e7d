// The snapshots that are being taken, whoever takes them: before a write touches what one of them has not written out
// yet, it is written out. While there is any, writes pass through a gate that sees to this.
import { DATABASE_COUNT } from "../../assembly/abi.ts";
import type { Keys } from "../engine/keys.ts";
import type { Rdb } from "../engine/rdb.ts";
import type { Snapshot, SnapshotSource } from "../replication/snapshot.ts";
import { ReplyError } from "../resp/errors.ts";
import { NEEDS_SNAPSHOT, type Gates } from "./gates.ts";

/** What a snapshot of many keys fails with when they all go at once (FLUSHALL, SWAPDB): writing them out would pause. */
export const OVERTAKEN = new ReplyError("ERR the whole data set was replaced meanwhile");

/** Keys that are written out at once when a command names none. */
const FEW_KEYS = 100_000;

export interface SnapshotsParts {
  readonly keys: Keys;
  readonly rdb: Rdb;
  readonly gates: Gates;
  /** Visits the slot of each key of the request at hand; false = it names none. */
  eachSlot(id: number, visit: (slot: number) => void): boolean;
}

export class Snapshots {
  /** The keyspace, as snapshots read it. */
  readonly source: SnapshotSource;
  /** By snapshot: told when a write could not bring it up to date, with what was thrown. */
  readonly #taken = new Map<Snapshot, (error: unknown) => void>();

  constructor(private readonly parts: SnapshotsParts) {
    const { keys, rdb } = parts;
    this.source = {
      databases: () =>
        Array.from({ length: DATABASE_COUNT }, (_, i) => i).filter((database) => keys.size(database) > 0),
      sizes: (database) => ({ keys: keys.size(database), expires: keys.expiring(database) }),
      serialise: (database, slot, write) => rdb.slot(database, slot, write),
    };
  }

  /** @param failed it is not looked after any more, and of no use */
  add(snapshot: Snapshot, failed: (error: unknown) => void): void {
    this.#taken.set(snapshot, failed);
    this.#settleGate();
  }

  /** It is done, or given up. */
  remove(snapshot: Snapshot | undefined): void {
    if (snapshot !== undefined) this.#taken.delete(snapshot);
    this.#settleGate();
  }

  /** The request at hand is about to write: what it touches is written out, or all when it names no keys and they are few. */
  beforeWrite(id: number): void {
    const slots: number[] = [];
    const namesKeys = this.parts.eachSlot(id, (slot) => slots.push(slot));
    this.#each((snapshot) => {
      if (namesKeys) for (const slot of slots) snapshot.beforeWrite(slot);
      else if (this.parts.keys.total() <= FEW_KEYS) snapshot.complete();
      else throw OVERTAKEN;
    });
  }

  /** A slot is about to be emptied by other means than a command. */
  beforeSlot(slot: number): void {
    this.#each((snapshot) => snapshot.beforeWrite(slot));
  }

  #each(visit: (snapshot: Snapshot) => void): void {
    for (const [snapshot, failed] of this.#taken) {
      try {
        visit(snapshot);
      } catch (error) {
        this.remove(snapshot);
        failed(error);
      }
    }
  }

  #settleGate(): void {
    this.parts.gates.set(NEEDS_SNAPSHOT, this.#taken.size > 0);
  }
}
