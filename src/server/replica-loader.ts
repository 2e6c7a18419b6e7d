// Puts a full copy in place of the data. A server that holds nothing loads while the copy comes in. One that holds
// data keeps it, and serves it where that is allowed, until the copy is complete: a master that dies half-way through
// a copy must not cost its replica all it had.
import { soon } from "../io/clock.ts";
import { RdbError, RdbReader, type RdbKey, type RdbSink } from "../replication/rdb-reader.ts";
import { ReplyError } from "../resp/errors.ts";
import type { ReplicationHost } from "./replication-host.ts";

const FOR_EVER = {};

export interface LoadListener {
  /** The data is being replaced: nothing can be served until `loaded` or `failed`. */
  replacing(): void;
  /** @param database the one the stream goes on in */
  loaded(database: number): void;
  /** What was loaded so far is gone again, if anything was. */
  failed(reason: string, hadReplaced: boolean): void;
}

export class ReplicaLoader implements RdbSink {
  readonly #reader: RdbReader;
  /** Pieces that wait until all have come; undefined = each is loaded at once. */
  #kept: Uint8Array[] | undefined;
  #hasReplaced = false;
  #isOver = false;
  #streamDatabase = 0;

  constructor(
    private readonly host: ReplicationHost,
    private readonly listener: LoadListener,
    holdsData: boolean,
  ) {
    const { rdb } = host;
    this.#reader = new RdbReader(this, {
      crc64: (crc, bytes) => rdb.crc64(crc, bytes),
      decompress: (packed, length) => rdb.decompress(packed, length),
    });
    if (holdsData) this.#kept = [];
    else this.#replace();
  }

  take(bytes: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#kept === undefined) this.#feed(bytes);
    else this.#kept.push(bytes);
  }

  /** The copy is complete. */
  end(): void {
    if (this.#isOver) return;
    if (this.#kept === undefined) return this.#finish();
    this.#replace();
    this.#loadKept();
  }

  /** The copy will not be completed. */
  abandon(): void {
    this.#fail("it was given up");
  }

  aux(name: string, value: string): void {
    if (name === "repl-stream-db") this.#streamDatabase = Number(value);
  }

  resize(): void {
    // The tables grow in even steps: there is nothing to prepare.
  }

  string(about: RdbKey, value: Uint8Array): void {
    const { memory, keys, databaseCount } = this.host;
    const { database, key, expireAtMs } = about;
    if (database >= databaseCount) {
      throw new RdbError(`database ${database} is beyond the ${databaseCount} this server has`);
    }
    memory.database = database;
    const options = expireAtMs === undefined ? FOR_EVER : { expireAtMs };
    const clock = keys.clockFor(about);
    if (clock === undefined) keys.setString(key, value, options);
    else keys.stamped(clock, () => keys.setString(key, value, options));
  }

  #replace(): void {
    this.#hasReplaced = true;
    this.listener.replacing();
    this.host.keys.flushAll();
  }

  /** A piece, then whatever else the event loop has to do. */
  #loadKept(): void {
    if (this.#isOver) return;
    const piece = this.#kept?.shift();
    if (piece === undefined) return this.#finish();
    this.#feed(piece);
    soon(() => this.#loadKept());
  }

  #feed(bytes: Uint8Array): void {
    try {
      this.#reader.feed(bytes);
    } catch (error) {
      this.#failWith(error);
    }
  }

  #finish(): void {
    try {
      this.#reader.finish();
    } catch (error) {
      return this.#failWith(error);
    }
    this.#isOver = true;
    this.listener.loaded(this.#streamDatabase);
  }

  #failWith(error: unknown): void {
    if (!(error instanceof RdbError) && !(error instanceof ReplyError)) throw error;
    this.#fail(error.message);
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#kept = undefined;
    if (this.#hasReplaced) this.host.keys.flushAll();
    this.listener.failed(reason, this.#hasReplaced);
  }
}
