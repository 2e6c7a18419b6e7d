// The data on disk: dump.rdb, written at once (SAVE, the end of the node), or little by little between requests
// (BGSAVE, save points), and read at the start. A file is complete before it takes the old one's place.
import type { Persistence } from "../commands/administration.ts";
import { monotonicUs, nowMs, soon } from "../io/clock.ts";
import { absolute, DiskError } from "../io/disk.ts";
import { NewFile } from "../io/new-file.ts";
import { RdbWriter, type RdbOrigin } from "../replication/rdb-writer.ts";
import { Snapshot, type SnapshotSource } from "../replication/snapshot.ts";
import { ReplyError } from "../resp/errors.ts";
import type { Changes } from "./changes.ts";
import type { Config } from "./config/config.ts";
import { loadFile, type Loaded } from "./dump-loader.ts";
import type { PersistenceFacts } from "./info.ts";
import type { IntakeParts } from "./rdb-intake.ts";
import { OVERTAKEN, type Snapshots } from "./snapshots.ts";

/** Microseconds a background save may take of the event loop at a time. */
const BUDGET_US = 2000;
/** After a background save failed, save points wait this long before the next. */
const RETRY_MS = 5000;

export interface PersistenceHost extends IntakeParts {
  readonly config: Config;
  readonly changes: Changes;
  readonly snapshots: Snapshots;
  /** Where the file is kept, absolute. */
  readonly directory: string;
  /** False = the directory goes with this process: nothing needs to survive a crash. */
  readonly isLasting: boolean;
  /** The history the data is part of at this moment; undefined = none that is kept. */
  history(): RdbOrigin["replication"];
  /** The data is being replaced by another's. */
  isLoading(): boolean;
  /** Whether saves succeed, and so whether writes are wanted, may be another answer now. */
  changed(): void;
  notice(text: string): void;
  warn(text: string): void;
}

/** A save that is under way. */
interface Running {
  readonly snapshot: Snapshot;
  readonly file: NewFile;
  readonly startedAtMs: number;
  /** Changes since the former save, as of the cut. */
  readonly changes: number;
  readonly progress: Progress;
}

interface Progress {
  readonly keysTotal: number;
  keysDone: number;
}

export class NodePersistence implements Persistence {
  /** The last time everything was on disk; the start counts as one. */
  savedAtMs = nowMs();
  /** How the last background save ended. */
  lastSucceeded = true;
  /** How long it took; -1 = there was none. */
  lastSeconds = -1;
  saves = 0;
  /** What the start found in the file. */
  loaded: Loaded | undefined;
  #triedAtMs = 0;
  #isScheduled = false;
  #running: Running | undefined;

  constructor(private readonly host: PersistenceHost) {}

  /** Absolute path of the file. */
  get path(): string {
    return absolute(this.host.config.path("dbfilename"), this.host.directory);
  }

  get lastSaveSeconds(): number {
    return Math.floor(this.savedAtMs / 1000);
  }

  /** Whether there are save points: without them nothing is written unless somebody asks. */
  get isWanted(): boolean {
    return this.host.config.value("save").length > 0;
  }

  get isSaving(): boolean {
    return this.#running !== undefined;
  }

  /** Writes are refused: what they changed might never be on disk. */
  get stopsWrites(): boolean {
    return !this.lastSucceeded && this.isWanted && this.host.config.flag("stop-writes-on-bgsave-error");
  }

  /** Of the save under way, if one is. */
  get progress(): PersistenceFacts["progress"] {
    if (this.#running === undefined) return undefined;
    const { startedAtMs, progress } = this.#running;
    return { seconds: Math.floor((nowMs() - startedAtMs) / 1000), ...progress };
  }

  /** Writes the file while everything waits; false = it could not be, and the log says why. */
  save(): boolean {
    const { host } = this;
    let running: Running | undefined;
    try {
      running = this.#cut();
      running.snapshot.complete();
      running.file.finish();
    } catch (error) {
      running?.file.abandon();
      host.warn(`Write error saving DB on disk(${reasonOf(error)})`);
      return false;
    }
    host.notice("DB saved on disk");
    host.changes.sinceSave = 0;
    this.#succeeded();
    return true;
  }

  saveInBackground(): boolean {
    if (this.#running !== undefined) return false;
    const { host } = this;
    this.#triedAtMs = nowMs();
    this.#isScheduled = false;
    try {
      const running = this.#cut();
      this.#running = running;
      host.notice("Background saving started");
      host.snapshots.add(running.snapshot, (error) => {
        if (error === OVERTAKEN) this.abandon();
        else this.#failed(running, error);
      });
      soon(() => this.#goOn(running));
    } catch (error) {
      this.#failed(undefined, error);
    }
    return true;
  }

  scheduleSave(): void {
    this.#isScheduled = true;
  }

  /** Gives up the save under way, if one is: its data is about to be replaced, or is written anew. */
  abandon(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.host.warn("The background save under way is given up");
    this.#drop(running);
  }

  /** Saves when a save point says so. To be called now and then. */
  tick(): void {
    const { config, changes } = this.host;
    if (this.#running !== undefined || this.host.isLoading()) return;
    const now = nowMs();
    if (!this.lastSucceeded && now - this.#triedAtMs <= RETRY_MS) return;
    if (this.#isScheduled) return void this.saveInBackground();
    const seconds = Math.floor(now / 1000) - this.lastSaveSeconds;
    const due = config
      .value("save")
      .find((point) => changes.sinceSave >= point.changes && seconds > point.seconds);
    if (due === undefined) return;
    this.host.notice(`${due.changes} changes in ${due.seconds} seconds. Saving...`);
    this.saveInBackground();
  }

  /**
   * Loads the file, if there is one. Throws StartError when it cannot be loaded.
   * @param isMaster keys that have expired are left out, where nobody else decides when they do
   * @param begun told of the history the data is part of, before the first key
   */
  load(isMaster: boolean, begun: (history: NonNullable<RdbOrigin["replication"]>) => void): void {
    const { host } = this;
    this.loaded = loadFile(this.path, host, {
      isMaster,
      verifies: host.config.flag("rdbchecksum"),
      begun,
      expired: (database, key) => host.changes.propagate(database, ["DEL", key]),
      notice: (text) => host.notice(text),
    });
    host.changes.sinceSave = 0;
  }

  /** Begins a file with the data as it is now. Throws what the disk or memory refuses. */
  #cut(): Running {
    const { host } = this;
    const { config, rdb, snapshots, changes } = host;
    changes.settleEvents();
    changes.flush();
    this.saves++;
    const file = new NewFile(this.path, host.isLasting);
    const history = host.history();
    const startedAtMs = nowMs();
    const writer = new RdbWriter(
      config.flag("rdbchecksum") ? (crc, bytes) => rdb.crc64(crc, bytes) : undefined,
      (bytes) => file.write(bytes),
    );
    const origin = { createdAtMs: startedAtMs, usedMemory: host.memory.usedBytes, aofBase: false };
    const progress = { keysTotal: this.host.keys.total(), keysDone: 0 };
    try {
      const snapshot = new Snapshot(
        this.#counted(snapshots.source, progress),
        writer,
        history === undefined ? origin : { ...origin, replication: history },
      );
      return { snapshot, file, startedAtMs, changes: changes.sinceSave, progress };
    } catch (error) {
      file.abandon();
      throw error;
    }
  }

  /** The keyspace, keeping account of the keys that were written. */
  #counted(source: SnapshotSource, progress: Progress): SnapshotSource {
    const { keys, memory } = this.host;
    return {
      ...source,
      serialise: (database, slot, write) => {
        const selected = memory.database;
        memory.database = database;
        progress.keysDone += keys.countInSlot(slot);
        memory.database = selected;
        source.serialise(database, slot, write);
      },
    };
  }

  #goOn(running: Running): void {
    if (running !== this.#running) return;
    const { snapshot, file } = running;
    const endUs = monotonicUs() + BUDGET_US;
    try {
      snapshot.step(() => monotonicUs() < endUs);
    } catch (error) {
      return this.#failed(running, error);
    }
    if (this.host.config.flag("rdb-save-incremental-fsync")) file.syncAhead();
    if (!snapshot.isDone) return soon(() => this.#goOn(running));
    this.host.snapshots.remove(snapshot);
    file.finishLater((problem) => {
      if (running !== this.#running) return;
      if (problem !== undefined) return this.#failed(running, problem);
      this.#running = undefined;
      this.#ended(running);
    });
  }

  #ended(running: Running): void {
    const { host } = this;
    host.notice("Background saving terminated with success");
    host.changes.sinceSave -= running.changes;
    this.lastSeconds = Math.floor((nowMs() - running.startedAtMs) / 1000);
    this.#succeeded();
  }

  #succeeded(): void {
    this.savedAtMs = nowMs();
    this.lastSucceeded = true;
    this.host.changed();
  }

  #failed(running: Running | undefined, error: unknown): void {
    const reason = reasonOf(error);
    if (running !== undefined) {
      this.#drop(running);
      this.lastSeconds = Math.floor((nowMs() - running.startedAtMs) / 1000);
    }
    this.host.warn(`Background saving error: ${this.path}: ${reason}`);
    this.lastSucceeded = false;
    this.host.changed();
  }

  #drop(running: Running): void {
    this.#running = undefined;
    this.host.snapshots.remove(running.snapshot);
    running.file.abandon();
  }
}

/** What the disk or memory refused; anything else is a fault of ours and thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof DiskError || error instanceof ReplyError) return error.message;
  throw error;
}
