// What one request, or one transaction, tells the mutation log. A record by itself is logged as it is; several stand
// between MULTI and EXEC, so that whoever reads the log sees them take effect at once. So the first one waits here until
// it is known whether another follows.
import type { MutationLog } from "../replication/log.ts";

export class LogUnit {
  /** closed = every record is a unit by itself. */
  #state: "closed" | "empty" | "held" | "open" = "closed";
  #heldDatabase = 0;
  #held = new Uint8Array(0);

  constructor(private readonly log: MutationLog) {}

  begin(): void {
    if (this.#state === "closed") this.#state = "empty";
  }

  /** Nothing has been logged in it. */
  get isEmpty(): boolean {
    return this.#state === "empty";
  }

  /** @param isSeveral whether `bytes` are more than one record; matters only while the unit is empty */
  append(database: number, bytes: Uint8Array, isSeveral: boolean): void {
    if (this.#state === "empty" && !isSeveral) {
      this.#state = "held";
      this.#heldDatabase = database;
      this.#held = bytes.slice();
      return;
    }
    if (this.#state === "empty") this.#open(database);
    else if (this.#state === "held") {
      this.#open(this.#heldDatabase);
      this.#release();
    }
    this.log.append(database, bytes);
  }

  end(): void {
    if (this.#state === "held") this.#release();
    else if (this.#state === "open") this.log.appendBare(["EXEC"]);
    this.#state = "closed";
  }

  #open(database: number): void {
    this.#state = "open";
    this.log.appendParts(database, ["MULTI"]);
  }

  #release(): void {
    this.log.append(this.#heldDatabase, this.#held);
    this.#held = new Uint8Array(0);
  }
}
