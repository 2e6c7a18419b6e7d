// Which clients may have cached which keys. A key nobody has changed stays until it is, or until there are too many;
// a client that is gone leaves its id behind, which means nothing any more: ids are not used twice.

export class TrackingTable {
  /** By key, one character per byte: one client's id, or several. */
  readonly #ids = new Map<string, number | Set<number>>();
  /** Ids in all entries. */
  itemCount = 0;

  get keyCount(): number {
    return this.#ids.size;
  }

  has(key: string): boolean {
    return this.#ids.has(key);
  }

  remember(key: string, id: number): void {
    const before = this.#ids.get(key);
    if (before === id) return;
    if (before === undefined) this.#ids.set(key, id);
    else if (typeof before === "number") this.#ids.set(key, new Set([before, id]));
    else if (before.has(id)) return;
    else before.add(id);
    this.itemCount++;
  }

  /** The clients that may have the key, which is forgotten: to be told again they must read it again. */
  take(key: string): readonly number[] {
    const found = this.#ids.get(key);
    if (found === undefined) return [];
    this.#ids.delete(key);
    const ids = typeof found === "number" ? [found] : [...found];
    this.itemCount -= ids.length;
    return ids;
  }

  /** The key that has been here longest. */
  get oldest(): string | undefined {
    for (const key of this.#ids.keys()) return key;
    return undefined;
  }

  clear(): void {
    this.#ids.clear();
    this.itemCount = 0;
  }
}
