// Puts a full copy in place of the data. A server that holds nothing loads while the copy comes in, once it is more than
// a moment's work: a small one is put in place in one go, and nobody finds the server loading. A server that holds
// data keeps it, and serves it where that is allowed, until the copy is complete on disk and known to be good: a master
// that dies half-way through a copy, or holds what we cannot, must not cost its replica all it had.
import { soon } from "../io/clock.ts";
import { Spool } from "../io/disk.ts";
import { RdbReader, type RdbKey, type RdbSink, type RdbValue } from "../replication/rdb-reader.ts";
import { CollectionIntake, checkDatabase, codecOf, isRefusal, storeString } from "./rdb-intake.ts";
import type { ReplicationHost } from "./replication-host.ts";

/** Bytes loaded between two looks at whatever else there is to do. */
const PIECE = 262_144;
/** A copy up to this size is loaded in one go, some milliseconds, bytes. */
const SMALL = 1_048_576;

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
  /** Reads what is put aside as it comes, to find out whether it can be loaded. */
  readonly #checker: RdbReader;
  /** Where the copy waits until it is complete; undefined = it is loaded as it comes. */
  #spool: Spool | undefined;
  /** The beginning of a copy that may yet turn out to be small. */
  #gathered: Uint8Array[] | undefined;
  #gatheredBytes = 0;
  #hasReplaced = false;
  #isOver = false;
  #streamDatabase = 0;
  #loadedBytes = 0;
  #spooledBytes = 0;

  constructor(
    private readonly host: ReplicationHost,
    private readonly listener: LoadListener,
    holdsData: boolean,
  ) {
    const codec = codecOf(host.rdb);
    this.#reader = new RdbReader(this, codec);
    const ignore = (): void => {};
    const checks: RdbSink = {
      aux: ignore,
      string: (about) => checkDatabase(host, about),
      collection: (about, type) => new CollectionIntake(host, about, type, false),
    };
    this.#checker = new RdbReader(checks, codec);
    if (holdsData) this.#attempt(() => (this.#spool = new Spool(host.directory)));
    else this.#gathered = [];
  }

  /** How much of the copy is in memory; its size is known when it was put aside first. */
  get progress(): { readonly loadedBytes: number; readonly totalBytes: number | undefined } {
    return { loadedBytes: this.#loadedBytes, totalBytes: this.#spooledBytes || undefined };
  }

  take(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const spool = this.#spool;
    this.#attempt(() => {
      if (this.#gathered !== undefined) return this.#gather(this.#gathered, bytes);
      if (spool === undefined) return this.#feed(bytes);
      this.#checker.feed(bytes);
      spool.write(bytes);
      this.#spooledBytes += bytes.length;
    });
  }

  /** The copy is complete. */
  end(): void {
    if (this.#isOver) return;
    const spool = this.#spool;
    if (this.#gathered !== undefined) this.#attempt(() => this.#loadGathered());
    if (this.#isOver) return;
    if (spool === undefined) return this.#finish();
    this.#attempt(() => this.#checker.finish());
    if (this.#isOver) return;
    this.#replace();
    this.#loadSpooled(spool);
  }

  /** The copy will not be completed. */
  abandon(): void {
    this.#fail("it was given up");
  }

  aux(name: string, value: string): void {
    if (name !== "repl-stream-db") return;
    this.#streamDatabase = Number(value);
    checkDatabase(this.host, { database: this.#streamDatabase });
  }

  string(about: RdbKey, value: Uint8Array): void {
    storeString(this.host, about, value);
  }

  collection(about: RdbKey, type: number): RdbValue {
    return new CollectionIntake(this.host, about, type, true);
  }

  #replace(): void {
    this.#hasReplaced = true;
    this.listener.replacing();
    this.host.keys.flushAll();
  }

  #gather(gathered: Uint8Array[], bytes: Uint8Array): void {
    gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes > SMALL) this.#loadGathered();
  }

  #loadGathered(): void {
    const gathered = this.#gathered ?? [];
    this.#gathered = undefined;
    this.#replace();
    for (const bytes of gathered) this.#feed(bytes);
  }

  #feed(bytes: Uint8Array): void {
    this.#loadedBytes += bytes.length;
    this.#reader.feed(bytes);
  }

  /** A piece, then whatever else the event loop has to do. */
  #loadSpooled(spool: Spool): void {
    if (this.#isOver) return;
    let isRead = false;
    this.#attempt(() => {
      const piece = spool.read(PIECE);
      if (piece === undefined) isRead = true;
      else this.#feed(piece);
    });
    if (isRead) this.#finish();
    else soon(() => this.#loadSpooled(spool));
  }

  #finish(): void {
    this.#attempt(() => this.#reader.finish());
    if (this.#isOver) return;
    this.#end();
    this.listener.loaded(this.#streamDatabase);
  }

  /** What the input, memory or the disk refuses ends the load. */
  #attempt(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#fail(error.message);
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#reader.abandon();
    this.#checker.abandon();
    this.#spool?.close();
    this.#spool = undefined;
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    this.#end();
    if (this.#hasReplaced) this.host.keys.flushAll();
    this.listener.failed(reason, this.#hasReplaced);
  }
}
