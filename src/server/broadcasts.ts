// Changed keys by prefix, for clients that are told of all keys with a prefix, whether they read them or not. Changes
// are gathered and told together when the requests at hand have been answered.

interface Prefix {
  readonly clients: Set<number>;
  /** Changed keys and who changed each last; 0 = no client did. */
  readonly changed: Map<string, number>;
}

export class Broadcasts {
  readonly #prefixes = new Map<string, Prefix>();
  #hasChanges = false;

  get prefixCount(): number {
    return this.#prefixes.size;
  }

  add(prefix: string, id: number): void {
    let entry = this.#prefixes.get(prefix);
    if (entry === undefined) {
      entry = { clients: new Set(), changed: new Map() };
      this.#prefixes.set(prefix, entry);
    }
    entry.clients.add(id);
  }

  remove(prefix: string, id: number): void {
    const entry = this.#prefixes.get(prefix);
    if (entry?.clients.delete(id) === true && entry.clients.size === 0) this.#prefixes.delete(prefix);
  }

  /** Whether anybody is told of this key. */
  concern(key: string): boolean {
    for (const prefix of this.#prefixes.keys()) if (key.startsWith(prefix)) return true;
    return false;
  }

  /** @param by id of the client that changed the key; 0 = none */
  changed(key: string, by: number): void {
    for (const [prefix, entry] of this.#prefixes) {
      if (!key.startsWith(prefix)) continue;
      entry.changed.set(key, by);
      this.#hasChanges = true;
    }
  }

  /** Hands out what has changed, prefix by prefix, and forgets it. Keys are in the order of their bytes. */
  take(visit: (id: number, keys: readonly string[], by: ReadonlyMap<string, number>) => void): void {
    if (!this.#hasChanges) return;
    this.#hasChanges = false;
    const prefixes = [...this.#prefixes].toSorted(([a], [b]) => (a < b ? -1 : 1));
    for (const [, { clients, changed }] of prefixes) {
      if (changed.size === 0) continue;
      const by = new Map(changed);
      changed.clear();
      const keys = [...by.keys()].toSorted();
      for (const id of clients) visit(id, keys, by);
    }
  }
}
