// The mutation log: every change of the keyspace as the bytes of a RESP command, one after another, each byte with an
// absolute offset. Replica links, the append-only file and slot migration are readers of it, each at its own position;
// the replication backlog is nothing but the window of bytes kept behind the end.
import { encodeRequest, type Part } from "../resp/encode.ts";
import { SharedBytes } from "./shared-bytes.ts";

export class MutationLog extends SharedBytes {
  #selected = -1;

  /** A whole request in RESP, as it came; SELECT goes before it when the database is another than the last one's. */
  append(database: number, request: Uint8Array): void {
    this.#select(database);
    this.write(request);
  }

  /** A command given by its parts. */
  appendParts(database: number, parts: readonly Part[]): void {
    this.append(database, encodeRequest(parts));
  }

  /** What belongs to no database: PING, REPLCONF GETACK, MULTI, EXEC. */
  appendBare(parts: readonly Part[]): void {
    this.write(encodeRequest(parts));
  }

  /** Another server's log, byte for byte, so that offsets mean the same there and here. */
  appendStream(bytes: Uint8Array): void {
    this.write(bytes);
  }

  /** The next record says its database anew: a reader that knows nothing joins here. */
  forgetDatabase(): void {
    this.#selected = -1;
  }

  override restart(offset: number): void {
    super.restart(offset);
    this.#selected = -1;
  }

  #select(database: number): void {
    if (database === this.#selected) return;
    this.#selected = database;
    this.write(encodeRequest(["SELECT", database]));
  }
}
