// A large file written in pieces beside the one it replaces, and put in its place once all of it is on disk. Until then
// the old file is whole under its name; a file given up leaves nothing behind.
import { closeSync, fsync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { attempt, DiskError, NO_FILE, syncDirectory } from "./disk.ts";
import { contained, FaultDomain, type Resource } from "./fault-domain.ts";

/** Bytes gathered for one write. */
const BUFFER = 262_144;
/** Bytes between two requests to the system to write to the disk what it holds: the last one then has little to do. */
const SYNC_EVERY = 33_554_432;

export class NewFile implements Resource {
  readonly #domain = FaultDomain.current;
  readonly #temporary: string;
  #file: number;
  readonly #buffer = new Uint8Array(BUFFER);
  #buffered = 0;
  #written = 0;
  #unsynced = 0;
  /** The system is at it on another thread: the file must stay open meanwhile. */
  #isSyncing = false;
  #isAbandoned = false;
  #afterSync: ((problem: DiskError | undefined) => void) | undefined;

  /**
   * Throws DiskError when it cannot be made.
   * @param isLasting false = it need not outlive this machine's next crash: nothing waits for the disk
   */
  constructor(
    private readonly path: string,
    private readonly isLasting: boolean,
  ) {
    this.#temporary = `${path}.tmp-${process.pid}`;
    this.#file = attempt(path, () => openSync(this.#temporary, "w", 0o644));
    this.#domain?.own(this);
  }

  get sizeBytes(): number {
    return this.#written + this.#buffered;
  }

  /** @param bytes the caller's again when this returns. Throws DiskError. */
  write(bytes: Uint8Array): void {
    if (this.#buffered + bytes.length > BUFFER) this.flush();
    if (bytes.length > BUFFER) return this.#put(bytes);
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
  }

  /** Hands what was gathered to the system. Throws DiskError. */
  flush(): void {
    const gathered = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    this.#put(gathered);
  }

  /** Lets the disk begin with what was written so far, if that is much; the caller goes on meanwhile. */
  syncAhead(): void {
    if (this.isLasting && !this.#isSyncing && this.#unsynced >= SYNC_EVERY) this.#sync();
  }

  /** Puts the file in its place and holds the caller until that is on disk. Throws DiskError: `abandon` it then. */
  finish(): void {
    attempt(this.path, () => {
      this.flush();
      if (this.isLasting) fsyncSync(this.#file);
      this.#close();
      renameSync(this.#temporary, this.path);
      if (this.isLasting) syncDirectory(this.path);
    });
  }

  /** The same without holding the caller: `done` is told what was wrong, if anything: `abandon` it then. */
  finishLater(done: (problem: DiskError | undefined) => void): void {
    const end = (problem: DiskError | undefined): void => {
      if (problem !== undefined) return done(problem);
      try {
        attempt(this.path, () => {
          this.#close();
          renameSync(this.#temporary, this.path);
          if (this.isLasting) syncDirectoryLater(this.path, done);
        });
      } catch (error) {
        return done(error as DiskError);
      }
      if (!this.isLasting) done(undefined);
    };
    try {
      this.flush();
    } catch (error) {
      return done(error as DiskError);
    }
    if (!this.isLasting) return end(undefined);
    // What an earlier request is at does not cover what came after it.
    if (this.#isSyncing) this.#afterSync = () => this.#sync(end);
    else this.#sync(end);
  }

  /** Gives it up: the old file stays, and nothing of this one. */
  abandon(): void {
    if (this.#isAbandoned) return; // its name may be another's by now
    this.#isAbandoned = true;
    this.#domain?.disown(this);
    if (!this.#isSyncing) this.#close();
    rmSync(this.#temporary, { force: true });
  }

  abort(): void {
    this.abandon();
  }

  #close(): void {
    const file = this.#file;
    this.#file = NO_FILE;
    this.#domain?.disown(this);
    if (file !== NO_FILE) closeSync(file);
  }

  #put(bytes: Uint8Array): void {
    attempt(this.path, () => {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    });
    this.#written += bytes.length;
    this.#unsynced += bytes.length;
  }

  #sync(done?: (problem: DiskError | undefined) => void): void {
    this.#isSyncing = true;
    this.#unsynced = 0;
    if (done !== undefined) this.#afterSync = done;
    const synced = contained((error: Error | null) => {
      const then = this.#afterSync;
      this.#afterSync = undefined;
      then?.(error === null ? undefined : new DiskError(this.path, error.message));
    });
    fsync(this.#file, (error) => {
      this.#isSyncing = false;
      if (this.#isAbandoned) return this.#close(); // also in a domain that has failed
      synced(error);
    });
  }
}

/** As `syncDirectory` without holding the caller. */
function syncDirectoryLater(path: string, done: (problem: DiskError | undefined) => void): void {
  const directory = openSync(dirname(path), "r");
  const synced = contained((error: Error | null) => {
    done(error === null ? undefined : new DiskError(path, error.message));
  });
  fsync(directory, (error) => {
    closeSync(directory);
    synced(error);
  });
}
