// The data set of a simulated node: keys by slot, each with the version a client last wrote. Versions are unique in a
// world, so that two copies of a key can be told apart.
export type Version = number;

/** Keys that nobody wrote through a client, and whose versions do not matter. */
const MADE_UP: Version = 0;

export class SimKeys {
  readonly #slots = new Map<number, Map<string, Version>>();

  /** Number of slots that hold keys. */
  get size(): number {
    return this.#slots.size;
  }

  get(slot: number, key: string): Version | undefined {
    return this.#slots.get(slot)?.get(key);
  }

  has(slot: number, key: string): boolean {
    return this.get(slot, key) !== undefined;
  }

  put(slot: number, key: string, version: Version): void {
    let keys = this.#slots.get(slot);
    if (keys === undefined) this.#slots.set(slot, (keys = new Map()));
    keys.set(key, version);
  }

  remove(slot: number, key: string): void {
    const keys = this.#slots.get(slot);
    keys?.delete(key);
    if (keys?.size === 0) this.#slots.delete(slot);
  }

  /** Fills a slot with that many keys of no importance. */
  set(slot: number, count: number): this {
    for (let n = 0; n < count; n++) this.put(slot, `made up ${n}`, MADE_UP);
    return this;
  }

  clear(): void {
    this.#slots.clear();
  }

  countIn(slot: number): number {
    return this.#slots.get(slot)?.size ?? 0;
  }

  /** Keys of a slot, at most `most`. */
  in(slot: number, most = Infinity): string[] {
    return [...(this.#slots.get(slot)?.keys() ?? [])].slice(0, most);
  }

  *entries(): Generator<{ readonly slot: number; readonly key: string; readonly version: Version }> {
    for (const [slot, keys] of this.#slots) for (const [key, version] of keys) yield { slot, key, version };
  }

  copy(): SimKeys {
    const copy = new SimKeys();
    for (const { slot, key, version } of this.entries()) copy.put(slot, key, version);
    return copy;
  }

  /** Becomes what another data set is. */
  replaceBy(other: SimKeys): void {
    this.clear();
    for (const { slot, key, version } of other.entries()) this.put(slot, key, version);
  }
}
