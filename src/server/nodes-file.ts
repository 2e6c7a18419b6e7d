// nodes.conf and its journal. What is promised to others is in the file, on disk, before it is on the wire. What
// operators change slot by slot, some thousand times in a row, is in the journal before they are answered, and in the
// file soon after: it outlives this process at once, and the machine within a second.
import { DiskError, exists, readText, replaceFile } from "../io/disk.ts";
import { Journal, readJournal } from "../io/journal.ts";

export class NodesFile {
  readonly #journal: Journal;
  /** What the file says. */
  #text = "";
  /** What the journal says, where it counts. */
  #noted = "";
  #isBehind = false;

  /** @param isLasting false = what is saved is gone with this process anyway */
  constructor(
    private readonly path: string,
    private readonly isLasting: boolean,
  ) {
    this.#journal = new Journal(path);
  }

  /** Something is in the journal alone. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** The newest text; empty when there is none. Throws DiskError. */
  read(): string {
    this.#text = exists(this.path) ? readText(this.path) : "";
    const newest = readJournal(this.path, this.#text);
    this.#isBehind = newest !== undefined;
    return (this.#noted = newest ?? this.#text);
  }

  /** Throws DiskError; what was saved last still holds then. */
  replace(text: string): void {
    replaceFile(this.path, text, this.isLasting);
    this.#text = text;
    this.#isBehind = false;
    this.#journal.clear();
  }

  /**
   * Saves it for the time being: `replace` is due. A record that could not be written may have spoilt the one before, so
   * the file must take it then; or, where the file takes nothing either, the one before is written again: the disk has
   * its bytes already. Throws DiskError; what was saved last still holds then.
   */
  note(text: string): void {
    try {
      this.#journal.write(text, this.#text);
      this.#noted = text;
      this.#isBehind = true;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#replaceOrRestore(text);
    }
  }

  #replaceOrRestore(text: string): void {
    try {
      this.replace(text);
    } catch (error) {
      if (this.#isBehind) this.#journal.write(this.#noted, this.#text);
      throw error;
    }
  }

  /** The node stops; what was saved stays. */
  close(): void {
    try {
      if (this.#isBehind) this.#journal.abort();
      else this.#journal.remove();
    } catch (error) {
      // It stays, and does not count.
      if (!(error instanceof DiskError)) throw error;
    }
  }
}
