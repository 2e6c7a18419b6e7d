// The one importer of the WASM module: an engine instance, its linear memory and the state block in it.
//
// Linear memory grows, and each growth replaces its buffer: `grown()` renews the views. So a view is read anew from
// here after any call into WASM, never kept across one.
import * as abi from "../../assembly/abi.ts";
import { OUT_OF_MEMORY } from "../resp/errors.ts";
import type { Slice } from "../resp/reply.ts";
import { chosenEngine, engineModule } from "./binary.ts";
import { checked, failedAssertion } from "./checked.ts";
import type { Exports } from "./exports.ts";

/** The highest ceiling linear memory can have, bytes: one node can never hold more. */
export const MEMORY_CEILING = 2 ** 32 - 65536;

export interface MemoryOptions {
  /** 128 bits nobody outside knows: the seed of the hashtables. */
  readonly seed: readonly [number, number, number, number];
  /** Ceiling of linear memory in bytes. */
  readonly limitBytes?: number;
}

export class Memory {
  /** All of linear memory. */
  bytes = new Uint8Array(0);
  /** The same as 32-bit words: index = address >> 2. */
  u32 = new Uint32Array(0);
  /** The same as doubles: index = address >> 3. */
  f64 = new Float64Array(0);
  readonly wasm: Exports;

  constructor(options: MemoryOptions) {
    const instance = new WebAssembly.Instance(engineModule(), {
      env: {
        grown: () => this.refresh(),
        abort: (message: number, file: number, line: number) => {
          throw failedAssertion(this.bytes, message, file, line);
        },
      },
    });
    const exports = instance.exports as unknown as Exports;
    this.wasm = chosenEngine() === "debug" ? checked(exports) : exports;
    this.refresh();
    this.setF64(abi.STATE_MEMORY_LIMIT, Math.min(options.limitBytes ?? MEMORY_CEILING, MEMORY_CEILING));
    this.setU32(abi.STATE_PROTOCOL, 2);
    this.wasm.init(...options.seed);
  }

  refresh(): void {
    // The first growth happens before `wasm` is assigned, within no call: the constructor refreshes after it.
    const { buffer } = this.wasm.memory;
    this.bytes = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  getU32(at: number): number {
    return this.u32[at >>> 2] as number;
  }

  setU32(at: number, value: number): void {
    this.u32[at >>> 2] = value;
  }

  getF64(at: number): number {
    return this.f64[at >>> 3] as number;
  }

  setF64(at: number, value: number): void {
    this.f64[at >>> 3] = value;
  }

  /** A block of at least `length` bytes; throws OUT_OF_MEMORY. */
  alloc(length: number): number {
    const ptr = this.wasm.alloc(length) >>> 0;
    if (ptr === 0) throw OUT_OF_MEMORY;
    return ptr;
  }

  /** The block with its first `keep` bytes and room for `length`; throws OUT_OF_MEMORY, and `ptr` lives on. */
  resize(ptr: number, keep: number, length: number): number {
    const moved = this.wasm.resize(ptr, keep, length) >>> 0;
    if (moved === 0) throw OUT_OF_MEMORY;
    return moved;
  }

  free(ptr: number): void {
    this.wasm.free(ptr);
  }

  /** Room of a block in bytes, at least what was asked for. */
  sizeOf(ptr: number): number {
    return this.wasm.sizeOf(ptr) >>> 0;
  }

  /** A copy of bytes, good for as long as one likes. */
  copy(slice: Slice): Uint8Array {
    return this.bytes.slice(slice.ptr, slice.ptr + slice.length);
  }

  /** Whether the engine is to tell events of a kind, an EVENT_ constant. */
  want(kind: number, isWanted: boolean): void {
    const at = (abi.STATE_EVENTS_WANTED >>> 2) + (kind >>> 5);
    const bit = 1 << (kind & 31);
    this.u32[at] = isWanted ? this.u32[at]! | bit : this.u32[at]! & ~bit;
  }

  wants(kind: number): boolean {
    return (this.u32[(abi.STATE_EVENTS_WANTED >>> 2) + (kind >>> 5)]! & (1 << (kind & 31))) !== 0;
  }

  /** Runs `change` with no event wanted: nobody is told of keys that are loaded. */
  unheard(change: () => void): void {
    const at = abi.STATE_EVENTS_WANTED >>> 2;
    const [low, high] = [this.u32[at]!, this.u32[at + 1]!];
    this.u32[at] = this.u32[at + 1] = 0;
    try {
      change();
    } finally {
      this.u32[at] = low;
      this.u32[at + 1] = high;
    }
  }

  /** What an engine call left in STATE_RESULT_PTR and _LENGTH. */
  result(): Slice {
    return { ptr: this.getU32(abi.STATE_RESULT_PTR), length: this.getU32(abi.STATE_RESULT_LENGTH) };
  }

  /** Unix milliseconds, for all that follows. */
  set nowMs(value: number) {
    this.setF64(abi.STATE_NOW_MS, value);
  }

  get nowMs(): number {
    return this.getF64(abi.STATE_NOW_MS);
  }

  /** The selected database. */
  set database(index: number) {
    this.setU32(abi.STATE_DB, index);
  }

  get database(): number {
    return this.getU32(abi.STATE_DB);
  }

  /** Bytes in use by data and buffers. */
  get usedBytes(): number {
    return this.wasm.usedBytes();
  }

  /** Bytes of the pages that hold blocks. */
  get activeBytes(): number {
    return this.wasm.activeBytes();
  }

  /** Bytes of pages that hold nothing but that the system still keeps memory for. */
  get idleBytes(): number {
    return this.wasm.idleBytes();
  }

  /**
   * Up to `limit` bytes of such pages, side by side, which are not counted as idle any more: the caller gives them back
   * to the system before it calls the engine again. Undefined = there are none.
   */
  takeIdle(limit: number): Slice | undefined {
    return this.wasm.takeIdle(limit >>> 16) === 0 ? undefined : this.result();
  }

  /** Bytes in pages of small blocks that no block is in. Looks at every page. */
  get sparseBytes(): number {
    return this.wasm.sparseBytes();
  }

  /** Begins a pass that empties pages of few blocks; false = there are none worth it. */
  beginDefrag(): boolean {
    this.wasm.beginDefrag();
    return this.wasm.beginAside() > 0;
  }

  /**
   * Goes on with the pass.
   * @param budget keys and elements to look at, about; some tens of nanoseconds each
   * @returns whether there is more to do
   */
  defrag(budget: number): boolean {
    const hasMore = this.wasm.defrag(budget) !== 0;
    if (!hasMore) this.wasm.endAside();
    return hasMore;
  }

  /** Gives the pass up. */
  endDefrag(): void {
    this.wasm.endAside();
  }

  /** Blocks moved since this was asked last. */
  takeMovedCount(): number {
    return this.wasm.takeMovedCount() >>> 0;
  }

  /** Fails on purpose, by a FAULT_ constant: throws a WebAssembly.RuntimeError. */
  fault(kind: number): never {
    return this.wasm.fault(kind);
  }

  /** The slot of a key that stands in linear memory. */
  slotOf(key: Slice): number {
    return this.wasm.slotOf(key.ptr, key.length);
  }

  /**
   * Hands out what happened to keys since the last call, in order; then forgets it.
   * @param visit must not call the engine; `kind` is an EVENT_ constant
   */
  takeEvents(visit: (kind: number, database: number, key: Slice, answeredBytes: number) => void): void {
    if (this.getU32(abi.STATE_EVENT_COUNT) === 0) return;
    this.wasm.takeEvents();
    const list = this.result();
    for (let at = list.ptr; at < list.ptr + list.length;) {
      const head = this.getU32(at);
      const length = this.getU32(at + 4);
      visit(head & 0xffff, head >>> 16, { ptr: at + 12, length }, this.getU32(at + 8));
      at += (12 + length + 3) & ~3;
    }
    this.wasm.clearEvents();
  }
}
