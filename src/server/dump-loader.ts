// Reads the file a node keeps its data in, before the node serves. What is damaged, or holds what this server cannot,
// stops the start: data must not be lost by going on without it.
import { nowMs } from "../io/clock.ts";
import { DiskError, exists, readInPieces } from "../io/disk.ts";
import { isOffset, isReplId } from "../replication/history.ts";
import { RdbReader, type RdbKey, type RdbSink, type RdbValue } from "../replication/rdb-reader.ts";
import type { RdbOrigin } from "../replication/rdb-writer.ts";
import {
  checkDatabase,
  CollectionIntake,
  codecOf,
  isDatabase,
  isRefusal,
  storeString,
  type IntakeParts,
} from "./rdb-intake.ts";
import { StartError } from "./start-error.ts";

const PIECE = 1_048_576;
/** Milliseconds between two lines of the log about a long load. */
const TELL_EVERY_MS = 2000;

export interface LoadOptions {
  /** Keys that have expired are left out. */
  readonly isMaster: boolean;
  readonly verifies: boolean;
  /** The history the file says its data is part of, before the first key. */
  begun(history: NonNullable<RdbOrigin["replication"]>): void;
  /** A key was left out; its bytes are the reader's. */
  expired(database: number, key: Uint8Array): void;
  notice(text: string): void;
}

export interface Loaded {
  readonly keys: number;
  readonly expired: number;
}

/** @returns what was loaded; undefined when there is no file. Throws StartError when it cannot be loaded. */
export function loadFile(path: string, parts: IntakeParts, options: LoadOptions): Loaded | undefined {
  if (!isThere(path)) return undefined;
  const startedAtMs = nowMs();
  const intake = new DumpIntake(parts, options, startedAtMs);
  // A backup that `redis-cli --rdb -` wrote has the mark of the replication stream after its end.
  const reader = new RdbReader(intake, codecOf(parts.rdb), options.verifies, true);
  let readBytes = 0;
  let toldAtMs = startedAtMs;
  try {
    readInPieces(path, PIECE, (piece, wholeBytes) => {
      reader.feed(piece);
      readBytes += piece.length;
      if (nowMs() - toldAtMs < TELL_EVERY_MS) return;
      toldAtMs = nowMs();
      options.notice(`Loading ${path}: ${Math.floor((readBytes / wholeBytes) * 100)} %`);
    });
    reader.finish();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw refusalOf(path, error);
  }
  const { keys, expired } = intake;
  options.notice(`Done loading RDB, keys loaded: ${keys}, keys expired: ${expired}.`);
  options.notice(`DB loaded from disk: ${((nowMs() - startedAtMs) / 1000).toFixed(3)} seconds`);
  return { keys, expired };
}

function isThere(path: string): boolean {
  try {
    return exists(path);
  } catch (error) {
    if (error instanceof DiskError) throw refusalOf(path, error);
    throw error;
  }
}

function refusalOf(path: string, { message }: Error): StartError {
  return new StartError(`cannot load ${path}: ${message}; it is left as it is`);
}

class DumpIntake implements RdbSink {
  keys = 0;
  expired = 0;
  readonly #about = new Map<string, string>();
  #isBegun = false;

  constructor(
    private readonly parts: IntakeParts,
    private readonly options: LoadOptions,
    private readonly startedAtMs: number,
  ) {}

  aux(name: string, value: string): void {
    this.#about.set(name, value);
    if (name === "redis-ver") this.options.notice(`Loading RDB produced by version ${value}`);
    this.#begin();
  }

  string(about: RdbKey, value: Uint8Array): void {
    checkDatabase(this.parts, about);
    if (this.#isLate(about)) return;
    storeString(this.parts, about, value);
    this.keys++;
  }

  collection(about: RdbKey, type: number): RdbValue {
    checkDatabase(this.parts, about);
    const isKept = !this.#isLate(about);
    if (isKept) this.keys++;
    return new CollectionIntake(this.parts, about, type, isKept);
  }

  /** Whether the key has expired meanwhile, which is told. */
  #isLate({ expireAtMs, database, key }: RdbKey): boolean {
    if (!this.options.isMaster || expireAtMs === undefined || expireAtMs >= this.startedAtMs) return false;
    this.expired++;
    this.options.expired(database, key);
    return true;
  }

  /** As soon as all of it is known: the history. */
  #begin(): void {
    const replId = this.#about.get("repl-id");
    const offset = Number(this.#about.get("repl-offset") ?? NaN);
    const database = Number(this.#about.get("repl-stream-db") ?? NaN);
    if (this.#isBegun || replId === undefined || !isReplId(replId)) return;
    if (!isOffset(offset) || !isDatabase(this.parts, database)) return;
    this.#isBegun = true;
    this.options.begun({ replId, offset, database });
  }
}
