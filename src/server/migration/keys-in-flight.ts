// Keys that are on their way to another server: sent, and not yet gone here. Reads of them are served. A write would be
// lost with the key once the target has it, so a request that writes waits until it is known whether the key stays; the
// gate it waits at is closed while there are such keys.
import { soon } from "../../io/clock.ts";
import { byteText } from "../../resp/byte-text.ts";
import type { Slice } from "../../resp/reply.ts";
import type { ClientConnection } from "../client.ts";
import { NEEDS_ARRIVAL, type Gates } from "../gates.ts";

export class KeysInFlight {
  /** Of each request that moves keys, whatever their database. */
  readonly #moving = new Set<readonly Uint8Array[]>();
  /** All of them by name; undefined = nobody has asked since they changed. */
  #names: Set<string> | undefined;
  /** Clients whose request waits for one of them. */
  #held = new Set<ClientConnection>();

  constructor(private readonly gates: Gates) {}

  get isEmpty(): boolean {
    return this.#moving.size === 0;
  }

  add(keys: readonly Uint8Array[]): void {
    this.#moving.add(keys);
    this.#changed();
  }

  /** They are gone, or stay. @param keys the very array that was added */
  remove(keys: readonly Uint8Array[]): void {
    this.#moving.delete(keys);
    this.#changed();
    // Not within the request that may be running: those released share its arenas.
    if (this.#held.size > 0) soon(() => this.#release());
  }

  #changed(): void {
    this.#names = undefined;
    this.gates.set(NEEDS_ARRIVAL, !this.isEmpty);
  }

  has(key: Uint8Array): boolean {
    return this.#all().has(byteText(key));
  }

  /** @param linear linear memory, where the key lies */
  hasAt(linear: Uint8Array, { ptr, length }: Slice): boolean {
    return this.#all().has(byteText(linear, ptr, ptr + length));
  }

  #all(): ReadonlySet<string> {
    if (this.#names !== undefined) return this.#names;
    const names = new Set<string>();
    for (const keys of this.#moving) for (const key of keys) names.add(byteText(key));
    return (this.#names = names);
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
