// Files: small whole ones are read and replaced here. A replacement is on disk before it is seen under its name, so a
// crash leaves the old file or the new one, never a part.
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { FaultDomain, type Resource } from "./fault-domain.ts";
import { codeOf, reasonOf } from "./reason.ts";

/** Stands for a file that was closed: its number may be another file's by now, and this one the system refuses. */
export const NO_FILE = -1;

/** What the disk refused, in the operating system's words. */
export class DiskError extends Error {
  override readonly name = "DiskError";

  constructor(
    readonly path: string,
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** Runs what touches the disk; what the system refuses becomes a DiskError. */
export function attempt<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new DiskError(path, reasonOf(error));
  }
}

export const absolute = (path: string, base = "."): string => resolve(base, path);

/**
 * Whether there is something of this name. Only the system's "no such file" is a no: what cannot be reached may well be
 * there, and whoever took it for absent would write over it. Throws DiskError.
 */
export function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw new DiskError(path, reasonOf(error));
  }
}

/** The file's text, read as UTF-8. Throws DiskError. */
export const readText = (path: string): string => attempt(path, () => readFileSync(path, "utf8"));

/** The file's bytes, a character for each. Throws DiskError. */
export const readByteText = (path: string): string => attempt(path, () => readFileSync(path, "latin1"));

/**
 * Reads a file from its beginning to its end. Throws DiskError.
 * @param take gets each piece, whose memory is used again, and the size of the whole
 */
export function readInPieces(
  path: string,
  pieceBytes: number,
  take: (piece: Uint8Array, wholeBytes: number) => void,
): void {
  const file = attempt(path, () => openSync(path, "r"));
  try {
    const wholeBytes = attempt(path, () => fstatSync(file).size);
    const buffer = new Uint8Array(pieceBytes);
    for (;;) {
      const length = attempt(path, () => readSync(file, buffer));
      if (length === 0) return;
      take(buffer.subarray(0, length), wholeBytes);
    }
  } finally {
    closeSync(file);
  }
}

/** Everything standard input has until it ends, a character for each byte. */
export const readStandardInput = (): string => attempt("standard input", () => readFileSync(0, "latin1"));

export const append = (path: string, data: string | Uint8Array): void =>
  attempt(path, () => appendFileSync(path, data));

export const remove = (path: string): void => attempt(path, () => rmSync(path, { force: true }));

export const rename = (from: string, to: string): void => attempt(to, () => renameSync(from, to));

/** Files a glob pattern names, sorted. */
export const expand = (pattern: string): readonly string[] => globSync(pattern).toSorted();

/** Makes the directory, and those above it, if they are not there. Throws DiskError. */
export const makeDirectory = (path: string): void => {
  attempt(path, () => mkdirSync(path, { recursive: true }));
};

const temporaryDirectories = new Set<string>();
let exitHook: unknown;

/** A new directory, removed when this process ends if it was not before. Throws DiskError. */
export function makeTemporaryDirectory(prefix: string): string {
  exitHook ??= process.once("exit", () => temporaryDirectories.forEach((path) => removeDirectory(path)));
  const path = attempt(tmpdir(), () => mkdtempSync(join(tmpdir(), prefix)));
  temporaryDirectories.add(path);
  return path;
}

/** Removes a directory and all in it. Throws DiskError. */
export function removeDirectory(path: string): void {
  attempt(path, () => rmSync(path, { recursive: true, force: true }));
  temporaryDirectories.delete(path);
}

export const directoryOf = (path: string): string => dirname(path);

/** Bytes of the files in a directory whose names end so; 0 when it cannot be read. */
export function bytesInDirectory(path: string, ending: string): number {
  try {
    const names = readdirSync(path).filter((name) => name.endsWith(ending));
    return names.reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
  } catch {
    return 0;
  }
}

/** Names in a directory, sorted; none when it is not there. Throws DiskError. */
export const listDirectory = (path: string): readonly string[] =>
  exists(path) ? attempt(path, () => readdirSync(path).toSorted()) : [];

/** Why nothing can be written into this directory; undefined = it can. */
export function directoryFault(path: string): string | undefined {
  try {
    attempt(path, () => {
      if (!statSync(path).isDirectory()) throw new DiskError(path, "Not a directory");
      accessSync(path, constants.W_OK | constants.X_OK);
    });
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/**
 * Replaces the file whole: a temporary file beside it, fsync, rename, fsync of the directory. Throws DiskError.
 * @param isLasting false = the file need not outlive this machine's next crash: no fsync
 */
export function replaceFile(path: string, data: string | Uint8Array, isLasting = true): void {
  attempt(path, () => {
    const temporary = `${path}.tmp-${process.pid}`;
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    try {
      const file = openSync(temporary, "w", 0o644);
      try {
        for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
        if (isLasting) fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    } catch (error) {
      try {
        rmSync(temporary, { force: true });
      } catch {} // what went wrong first is told
      throw error;
    }
    if (!isLasting) return;
    syncDirectory(path);
  });
}

/** Waits until the disk knows the file under its name. Throws the system's error. */
export function syncDirectory(path: string): void {
  const directory = openSync(dirname(path), "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/**
 * Bytes put aside on disk, to be read once in the same order. The file has no name any more: it vanishes with the
 * process at the latest. Every method throws DiskError.
 */
export class Spool implements Resource {
  readonly #domain = FaultDomain.current;
  #file: number;
  #written = 0;
  #read = 0;

  /** @param directory where there is room */
  constructor(private readonly directory: string) {
    const path = `${directory}/temp-${process.pid}-${performance.now()}.rdb`;
    this.#file = attempt(path, () => openSync(path, "w+", 0o600));
    this.#domain?.own(this);
    remove(path);
  }

  write(bytes: Uint8Array): void {
    attempt(this.directory, () => {
      for (let at = 0; at < bytes.length;) {
        const count = writeSync(this.#file, bytes, at, bytes.length - at, this.#written);
        at += count;
        this.#written += count;
      }
    });
  }

  /** Up to `length` bytes, fresh ones; undefined = all were read. */
  read(length: number): Uint8Array | undefined {
    if (this.#read === this.#written) return undefined;
    const bytes = this.readAt(this.#read, length);
    this.#read += bytes.length;
    return bytes;
  }

  /** Up to `length` bytes from a place on, fresh ones; none at the end. */
  readAt(from: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(length, this.#written - from));
    if (bytes.length === 0) return bytes;
    return attempt(this.directory, () => {
      const count = readSync(this.#file, bytes, 0, bytes.length, from);
      if (count === 0) throw new DiskError(this.directory, "the file was cut");
      return bytes.subarray(0, count);
    });
  }

  close(): void {
    this.#domain?.disown(this);
    this.abort();
  }

  abort(): void {
    const file = this.#file;
    this.#file = NO_FILE;
    if (file !== NO_FILE) closeSync(file);
  }
}
