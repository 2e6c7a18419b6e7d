// The keyspace of the selected database, as handlers in TypeScript use it.
//
// A key or value is a Slice of linear memory (an argument, say) or bytes of JavaScript's, which are brought in through
// a scratch. What comes back as a Slice lies in linear memory and dies with the next change of the keyspace: reply or
// copy it at once.
import * as abi from "../../assembly/abi.ts";
import { HOW_PEEK, HOW_COUNTED, HOW_READ, HOW_TRACELESS } from "../../assembly/abi.ts";
import type { Slice } from "../resp/reply.ts";
import { Elements, elementRoom } from "./elements.ts";
import type { Memory } from "./memory.ts";
import { orThrow } from "./refused.ts";
import { type Bytes, Scratch } from "./scratch.ts";

export { HOW_PEEK, HOW_COUNTED, HOW_READ, HOW_TRACELESS };
export type How = typeof HOW_PEEK | typeof HOW_TRACELESS | typeof HOW_COUNTED | typeof HOW_READ;

export type TypeName = "none" | "string" | "list" | "set" | "zset" | "hash";
export type TypeCode = 0 | 1 | 2 | 3 | 4 | 5;
/** Names by TYPE_ constant. */
export const TYPE_NAMES: readonly TypeName[] = ["none", "string", "list", "set", "zset", "hash"];

/** Names by ENCODING_ constant; a list of one listpack is a quicklist of one node to those who ask. */
const ENCODING_NAMES: readonly string[] = [
  "raw", "int", "embstr", "listpack", "intset", "hashtable", "quicklist", "skiplist",
]; // prettier-ignore

function encodingOf(shape: number): string | undefined {
  return (shape & 7) === abi.TYPE_LIST ? "quicklist" : ENCODING_NAMES[shape >> 3];
}

/** What the engine's `shapeOf` and `inspect` say, in words. */
export function shapeText(shape: number): string {
  return shape === 0 ? "no value" : `${TYPE_NAMES[shape & 7]}, ${encodingOf(shape)}`;
}

export interface SetOptions {
  /** Unix milliseconds; absent = never. */
  readonly expireAtMs?: number;
  /** The expiry stays as it was. */
  readonly keepTtl?: boolean;
  /** What looks like an integer is kept as text all the same (OBJECT ENCODING tells). */
  readonly plain?: boolean;
}

export class Keys {
  readonly #keys: Scratch;
  readonly #values: Scratch;

  /** @param randomNumber what chooses keys: a number in [0, 1), as Math.random gives */
  constructor(
    private readonly memory: Memory,
    private readonly randomNumber: () => number,
  ) {
    this.#keys = new Scratch(memory);
    this.#values = new Scratch(memory);
  }

  /** A TYPE_ constant; TYPE_NONE where there is no such key. */
  type(key: Bytes, how: How = HOW_TRACELESS): TypeCode {
    const { ptr, length } = this.#keys.bring(key);
    return this.memory.wasm.typeOf(ptr, length, how) as TypeCode;
  }

  has(key: Bytes, how: How = HOW_TRACELESS): boolean {
    return this.type(key, how) !== abi.TYPE_NONE;
  }

  /** As `has` in another database. */
  hasIn(database: number, key: Bytes, how: How = HOW_TRACELESS): boolean {
    const selected = this.memory.database;
    this.memory.database = database;
    try {
      return this.has(key, how);
    } finally {
      this.memory.database = selected;
    }
  }

  /** Linear memory, where slices lie; read anew after any call into the engine. */
  get linear(): Uint8Array {
    return this.memory.bytes;
  }

  /** A copy of a slice's bytes. */
  bytesOf(slice: Slice): Uint8Array {
    return this.memory.copy(slice);
  }

  /** A string's bytes; undefined when absent; throws WRONG_TYPE. */
  string(key: Bytes, how: How = HOW_READ): Slice | undefined {
    const { ptr, length } = this.#keys.bring(key);
    const found = orThrow(this.memory.wasm.stringOf(ptr, length, how));
    return found === 0 ? undefined : this.memory.result();
  }

  /** Sets a key to a string whatever it held; throws OUT_OF_MEMORY before any change. */
  setString(key: Bytes, value: Bytes, options: SetOptions = {}): void {
    const at = this.#keys.bring(key);
    const bytes = this.#values.bring(value);
    const expireAtMs = options.keepTtl === true ? -1 : (options.expireAtMs ?? 0);
    const { wasm } = this.memory;
    orThrow(wasm.setString(at.ptr, at.length, bytes.ptr, bytes.length, expireAtMs, options.plain === true));
  }

  /** The value of a field of a hash; undefined when either is absent; throws WRONG_TYPE. Leaves no trace. */
  field(key: Bytes, field: Bytes): Slice | undefined {
    const at = this.#keys.bring(key);
    const name = this.#values.bring(field);
    const found = orThrow(this.memory.wasm.fieldOf(at.ptr, at.length, name.ptr, name.length));
    return found === 0 ? undefined : this.memory.result();
  }

  /** Sets a field of a hash, which is made if need be; throws WRONG_TYPE, or OUT_OF_MEMORY before any change. */
  setField(key: Bytes, field: Slice, value: Bytes): void {
    const at = this.#keys.bring(key);
    const bytes = this.#values.bring(value);
    const { wasm } = this.memory;
    orThrow(wasm.setField(at.ptr, at.length, field.ptr, field.length, bytes.ptr, bytes.length));
  }

  /** What SORT can sort: type and number of elements, none where there is no such key; throws WRONG_TYPE. */
  collection(key: Slice): { readonly type: TypeCode; readonly count: number } {
    const type = orThrow(this.memory.wasm.collectionOf(key.ptr, key.length)) as TypeCode;
    return { type, count: this.memory.getF64(abi.STATE_RESULT_NUMBER) };
  }

  /**
   * Hands out copies of `count` elements of a list, set or sorted set from number `from` on, all there; they are gone
   * when `use` returns. Throws OUT_OF_MEMORY.
   */
  withElements(key: Slice, from: number, count: number, use: (elements: Elements) => void): void {
    const { wasm } = this.memory;
    try {
      orThrow(wasm.listElements(key.ptr, key.length, from, count));
      use(new Elements(this.memory, this.memory.result().ptr, count));
    } finally {
      wasm.freeElements();
    }
  }

  /** Sets a key to a list, whatever it held; throws OUT_OF_MEMORY before any change. */
  setList(key: Slice, elements: readonly Uint8Array[]): void {
    const size = elements.reduce((sum, { length }) => sum + elementRoom(length), 0);
    const block = this.memory.alloc(size);
    try {
      let at = block;
      for (const element of elements) {
        this.memory.setU32(at, element.length);
        this.memory.bytes.set(element, at + 4);
        at += elementRoom(element.length);
      }
      orThrow(this.memory.wasm.setList(key.ptr, key.length, block, size));
    } finally {
      this.memory.free(block);
    }
  }

  /** Whether there was something to delete. */
  delete(key: Bytes): boolean {
    const { ptr, length } = this.#keys.bring(key);
    return this.memory.wasm.deleteKey(ptr, length) !== 0;
  }

  /** When a key expires in unix milliseconds: 0 = never, undefined = no such key. */
  expireAtMs(key: Bytes, how: How = HOW_TRACELESS): number | undefined {
    const { ptr, length } = this.#keys.bring(key);
    const atMs = this.memory.wasm.expireAtOf(ptr, length, how);
    return atMs === -1 ? undefined : atMs;
  }

  /** Gives a key an expiry, also one in the past; false = no such key. Throws OUT_OF_MEMORY. */
  setExpire(key: Bytes, atMs: number): boolean {
    const { ptr, length } = this.#keys.bring(key);
    return orThrow(this.memory.wasm.setExpiry(ptr, length, atMs)) !== 0;
  }

  /** Takes a key's expiry away; whether it had one. Throws OUT_OF_MEMORY. */
  persist(key: Bytes): boolean {
    const { ptr, length } = this.#keys.bring(key);
    if (this.memory.wasm.expireAtOf(ptr, length, HOW_TRACELESS) <= 0) return false;
    return orThrow(this.memory.wasm.setExpiry(ptr, length, 0)) !== 0;
  }

  /** Moves value and expiry to another key, whatever that held; false = no such key. Throws OUT_OF_MEMORY. */
  rename(from: Bytes, to: Bytes): boolean {
    const source = this.#keys.bring(from);
    const target = this.#values.bring(to);
    const { wasm } = this.memory;
    return orThrow(wasm.renameKey(source.ptr, source.length, target.ptr, target.length)) !== 0;
  }

  /** Moves a key with its value and expiry to another database, whatever that held under it; false = no such key. */
  move(key: Bytes, toDatabase: number): boolean {
    const { ptr, length } = this.#keys.bring(key);
    return orThrow(this.memory.wasm.moveKey(ptr, length, toDatabase)) !== 0;
  }

  /** Copies value and expiry to a key of any database, whatever that held; false = no such key. */
  copy(from: Bytes, toDatabase: number, to: Bytes): boolean {
    const source = this.#keys.bring(from);
    const target = this.#values.bring(to);
    const { wasm } = this.memory;
    return orThrow(wasm.copyKey(source.ptr, source.length, toDatabase, target.ptr, target.length)) !== 0;
  }

  /** What OBJECT ENCODING says; undefined = no such key. */
  encoding(key: Bytes, how: How = HOW_COUNTED): string | undefined {
    const { ptr, length } = this.#keys.bring(key);
    const shape = this.memory.wasm.shapeOf(ptr, length, how);
    return shape === 0 ? undefined : encodingOf(shape);
  }

  /** The 24-bit access clock: seconds of the host's choice when it was last used. Undefined = no such key. */
  accessClock(key: Bytes): number | undefined {
    const { ptr, length } = this.#keys.bring(key);
    const clock = this.memory.wasm.clockOf(ptr, length);
    return clock === -1 ? undefined : clock;
  }

  /** Seconds since a key was last used, where the access clock counts seconds. Undefined = no such key. */
  idleSeconds(key: Bytes): number | undefined {
    const clock = this.accessClock(key);
    return clock === undefined ? undefined : (this.memory.getU32(abi.STATE_ACCESS_CLOCK) - clock) & 0xffffff;
  }

  /** Whether access clocks count uses and do not tell the last one's time. */
  get countsUses(): boolean {
    return this.memory.getU32(abi.STATE_LFU) !== 0;
  }

  /** How often a key is used, 0 to 255 on a logarithmic scale, where access clocks count that. Undefined = no such key. */
  frequency(key: Bytes): number | undefined {
    const clock = this.accessClock(key);
    return clock === undefined ? undefined : this.memory.wasm.frequencyNow(clock);
  }

  /** The access clock of a key whose age is known from elsewhere; undefined = it says nothing the clock counts. */
  clockFor(age: {
    readonly idleSeconds: number | undefined;
    readonly frequency: number | undefined;
  }): number | undefined {
    const now = this.memory.getU32(abi.STATE_ACCESS_CLOCK);
    if (this.countsUses) return age.frequency === undefined ? undefined : (now & 0xffff00) | age.frequency;
    if (age.idleSeconds === undefined) return undefined;
    return (now - Math.min(age.idleSeconds, 0xffffff)) & 0xffffff;
  }

  /** Runs `change` with another access clock than the host's: what it writes is as old as that. */
  stamped(clock: number, change: () => void): void {
    const now = this.memory.getU32(abi.STATE_ACCESS_CLOCK);
    this.memory.setU32(abi.STATE_ACCESS_CLOCK, clock);
    try {
      change();
    } finally {
      this.memory.setU32(abi.STATE_ACCESS_CLOCK, now);
    }
  }

  /**
   * Bytes a key takes, all counted; undefined = no such key.
   * @param samples so many elements of a big value are looked at, and the rest taken to be like them; 0 = all
   */
  memoryUsage(key: Bytes, samples: number): number | undefined {
    const { ptr, length } = this.#keys.bring(key);
    const bytes = this.memory.wasm.memoryOf(ptr, length, Math.min(samples, 0xffffffff));
    return Math.trunc(bytes) || undefined; // what a mean of samples stands for is seldom whole
  }

  /** Any key, each with the same chance; undefined = there is none. */
  random(): Slice | undefined {
    return this.memory.wasm.randomKey(this.randomNumber()) === 0 ? undefined : this.memory.result();
  }

  /**
   * One step of SCAN.
   * @param cursor 0n begins; what a step returned goes on from there
   * @param count about how many keys to visit
   * @param visit must not call the engine; the key dies with the next call into it
   * @returns the next cursor, 0n = done
   */
  scan(cursor: bigint, count: number, visit: (key: Slice, type: TypeCode) => void): bigint {
    const at = BigInt.asUintN(53, cursor);
    const slot = Number(at & 16383n);
    const place = Number(BigInt.asUintN(32, at >> 14n));
    const budget = Math.min(Math.max(count, 1), 0xffffffff);
    const found = orThrow(this.memory.wasm.scan(slot, place, budget));
    const next = BigInt(this.memory.getF64(abi.STATE_RESULT_NUMBER));
    this.#visit(found, visit);
    return next;
  }

  /** Visits every living key once. `visit` must not call the engine. */
  keys(visit: (key: Slice, type: TypeCode) => void): void {
    let cursor = 0n;
    do cursor = this.scan(cursor, 4096, visit);
    while (cursor !== 0n);
  }

  /** The hash slot of a key. */
  slotOf(key: Bytes): number {
    return this.memory.slotOf(this.#keys.bring(key));
  }

  /** Number of keys of a slot, expired ones that still lie there included. */
  countInSlot(slot: number): number {
    return this.memory.wasm.slotKeys(slot) >>> 0;
  }

  /** Visits up to `limit` keys of a slot. `visit` must not call the engine. */
  keysInSlot(slot: number, limit: number, visit: (key: Slice, type: TypeCode) => void): void {
    this.#visit(orThrow(this.memory.wasm.listSlot(slot, Math.min(limit, 0xffffffff))), visit);
  }

  /** Drops all keys of a slot; returns how many. */
  flushSlot(slot: number): number {
    return this.memory.wasm.flushSlot(slot) >>> 0;
  }

  /** Number of keys of a database, the selected one by default. */
  size(database: number = this.memory.database): number {
    return this.memory.wasm.databaseKeys(database) >>> 0;
  }

  /** Number of keys of all databases. */
  total(): number {
    let keys = 0;
    for (let i = 0; i < abi.DATABASE_COUNT; i++) keys += this.size(i);
    return keys;
  }

  /** Number of keys of a database that have an expiry. */
  expiring(database: number = this.memory.database): number {
    return this.memory.wasm.databaseExpiring(database) >>> 0;
  }

  /** An estimate of their mean time to live, milliseconds. */
  averageTtlMs(database: number = this.memory.database): number {
    return this.memory.wasm.databaseAverageTtl(database);
  }

  /**
   * Sweeps on through all databases for expired keys, for a cost of about `budget` bucket lines (some 20 ns each;
   * a key that expired is as ten). To be called where this node decides when keys expire.
   */
  expireCycle(budget: number): { readonly expired: number; readonly examined: number } {
    const expired = this.memory.wasm.expireCycle(budget);
    return { expired, examined: this.memory.getF64(abi.STATE_RESULT_NUMBER) };
  }

  /** Drops all keys of a database; returns how many. */
  flush(database: number = this.memory.database): number {
    return this.memory.wasm.flushDatabase(database) >>> 0;
  }

  /** Drops all keys of all databases; returns how many. */
  flushAll(): number {
    let dropped = 0;
    for (let i = 0; i < abi.DATABASE_COUNT; i++) dropped += this.flush(i);
    return dropped;
  }

  /**
   * Gives back memory of what was deleted and was too much to be given back at once.
   * @param budget blocks, about; one takes some 50 to 100 ns
   * @returns whether more waits
   */
  release(budget: number): boolean {
    return this.memory.wasm.releaseWaiting(budget) !== 0;
  }

  /** Deleted keys and values whose memory is still to be given back. */
  get waitingObjects(): number {
    return this.memory.wasm.waitingObjects() >>> 0;
  }

  /** Those that have waited and are given back, since `forgetReleased`. */
  get releasedObjects(): number {
    return this.memory.wasm.releasedObjects();
  }

  forgetReleased(): void {
    this.memory.wasm.forgetReleased();
  }

  /**
   * Which keys `evict` takes.
   * @param rule an EVICT_ constant
   * @param samples keys looked at for each that goes
   */
  setEviction(rule: number, onlyVolatile: boolean, samples: number): void {
    this.memory.wasm.setEviction(rule, onlyVolatile, samples);
  }

  /**
   * Evicts keys, a microsecond or two each, until at most `ceiling` bytes are in use or so many steps are done.
   * @returns false = memory is above the ceiling and nothing was found that may go
   */
  evict(ceiling: number, steps: number): boolean {
    return this.memory.wasm.evict(ceiling, steps) !== 0;
  }

  /** How often a key that was looked for was there, and was not, in all databases since `forgetLookups`. */
  get lookups(): { readonly hits: number; readonly misses: number } {
    return { hits: this.memory.getF64(abi.STATE_HITS), misses: this.memory.getF64(abi.STATE_MISSES) };
  }

  forgetLookups(): void {
    this.memory.setF64(abi.STATE_HITS, 0);
    this.memory.setF64(abi.STATE_MISSES, 0);
  }

  /** SWAPDB. */
  swap(a: number, b: number): void {
    this.memory.wasm.swapDatabases(a, b);
  }

  #visit(count: number, visit: (key: Slice, type: TypeCode) => void): void {
    const { u32 } = this.memory;
    let at = this.memory.getU32(abi.STATE_RESULT_PTR) >>> 2;
    for (let i = 0; i < count; i++, at += 3) {
      visit({ ptr: u32[at] as number, length: u32[at + 1] as number }, u32[at + 2] as TypeCode);
    }
  }
}
