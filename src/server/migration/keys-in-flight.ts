// Keys that are on their way to another server: sent, and not yet gone here. Reads of them are served. A write would be
// lost with the key once the target has it, so a request that writes waits until it is known whether the key stays; the
// gate it waits at is closed while there are such keys.
import { Buffer } from "node:buffer";
import { soon } from "../../io/clock.ts";
import type { Slice } from "../../resp/reply.ts";
import type { ClientConnection } from "../client.ts";
import { NEEDS_ARRIVAL, type Gates } from "../gates.ts";

const nameOf = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");

export class KeysInFlight {
  /** By key, whatever its database: how many requests move it. */
  readonly #counts = new Map<string, number>();
  /** Clients whose request waits for one of them. */
  #held = new Set<ClientConnection>();

  constructor(private readonly gates: Gates) {}

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** @returns what `remove` is to be told */
  add(keys: readonly Uint8Array[]): readonly string[] {
    const names = keys.map((key) => nameOf(key, 0, key.length));
    for (const name of names) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.gates.set(NEEDS_ARRIVAL, true);
    return names;
  }

  /** They are gone, or stay. */
  remove(names: readonly string[]): void {
    for (const name of names) {
      const count = this.#counts.get(name) ?? 0;
      if (count > 1) this.#counts.set(name, count - 1);
      else this.#counts.delete(name);
    }
    this.gates.set(NEEDS_ARRIVAL, !this.isEmpty);
    // Not within the request that may be running: those released share its arenas.
    if (this.#held.size > 0) soon(() => this.#release());
  }

  has(key: Uint8Array): boolean {
    return this.#counts.has(nameOf(key, 0, key.length));
  }

  /** @param linear linear memory, where the key lies */
  hasAt(linear: Uint8Array, { ptr, length }: Slice): boolean {
    return this.#counts.has(nameOf(linear, ptr, ptr + length));
  }

  /** The client's request is held until one of those that are in flight is not any more. */
  hold(client: ClientConnection): void {
    this.#held.add(client);
  }

  /** Requests that were held try again; those that still have to wait are held anew. */
  #release(): void {
    const held = this.#held;
    this.#held = new Set();
    for (const client of held) client.release();
  }
}
