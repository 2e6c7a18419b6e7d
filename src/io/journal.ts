// The newest text of a small file whose own text may be a little older. Replacing a file whole costs the disk some
// milliseconds; its journal, a file beside it, is written over in place, in one call to the system, and costs some
// microseconds. What is in it outlives this process from then on; it outlives the machine once the file is replaced.
//
//   <SHA-1 of the file's text> <SHA-1 of the newest text> <length of that, 10 digits>\n<newest text>
//
// It counts only beside the very text it was written for, and only whole: a record that a machine's crash tore, or that
// the file has overtaken, is as if it were not there.
import { createHash } from "node:crypto";
import { closeSync, constants, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { attempt, exists, NO_FILE } from "./disk.ts";
import { FaultDomain, type Resource } from "./fault-domain.ts";

const HEAD = /^([0-9a-f]{40}) ([0-9a-f]{40}) (\d{10})\n/;
const NOTHING = new Uint8Array(40);

export const journalOf = (path: string): string => `${path}.journal`;

/**
 * What the journal of a file says, where it counts. Throws DiskError.
 * @param text what the file itself says
 */
export function readJournal(path: string, text: string): string | undefined {
  const journal = journalOf(path);
  if (!exists(journal)) return undefined;
  const bytes = attempt(journal, () => readFileSync(journal));
  const [head, follows, hash, length] = HEAD.exec(bytes.toString("latin1", 0, 100)) ?? [];
  if (head === undefined || follows !== hashOf(text)) return undefined;
  const end = head.length + Number(length);
  if (end > bytes.length) return undefined;
  const newest = bytes.toString("utf8", head.length, end);
  return hashOf(newest) === hash ? newest : undefined;
}

export class Journal implements Resource {
  readonly #domain = FaultDomain.current;
  #file = NO_FILE;
  /** What the file said when its hash was needed last, and the hash: thousands of records may follow one text. */
  #follows: string | undefined;
  #followsHash = "";
  /** undefined = not known: a process before this one may have left something. */
  #isClear: boolean | undefined;

  /** @param path of the file whose journal it is */
  constructor(private readonly path: string) {}

  /**
   * Throws DiskError.
   * @param follows what the file itself says
   */
  write(text: string, follows: string): void {
    const length = String(Buffer.byteLength(text)).padStart(10, "0");
    if (follows !== this.#follows) {
      this.#follows = follows;
      this.#followsHash = hashOf(follows);
    }
    this.#isClear = false;
    this.#put(Buffer.from(`${this.#followsHash} ${hashOf(text)} ${length}\n${text}`));
  }

  /** The file says it all now. Throws DiskError. */
  clear(): void {
    this.#isClear ??= !exists(journalOf(this.path));
    if (this.#isClear) return;
    try {
      this.#put(NOTHING);
    } catch {
      this.#remove();
    }
    this.#isClear = true;
  }

  /** For good, the file being up to date. */
  remove(): void {
    this.#domain?.disown(this);
    this.#remove();
  }

  abort(): void {
    const file = this.#file;
    this.#file = NO_FILE;
    if (file !== NO_FILE) closeSync(file);
  }

  #remove(): void {
    this.abort();
    const journal = journalOf(this.path);
    attempt(journal, () => rmSync(journal, { force: true }));
  }

  #put(bytes: Uint8Array): void {
    const journal = journalOf(this.path);
    attempt(journal, () => {
      if (this.#file === NO_FILE) {
        // What is there counts until it is written over.
        this.#file = openSync(journal, constants.O_RDWR | constants.O_CREAT, 0o644);
        this.#domain?.own(this);
      }
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at, bytes.length - at, at);
    });
  }
}

function hashOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
