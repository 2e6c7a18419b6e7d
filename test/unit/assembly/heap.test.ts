import { expect, test } from "bun:test";
import { Memory } from "../../../src/engine/memory.ts";
import { Random, seeded } from "../../support/random.ts";

const MIB = 1 << 20;

function makeHeap(limitBytes: number): Memory {
  return new Memory({ seed: [1, 2, 3, 4], limitBytes });
}

function someSize(random: Random): number {
  return random.weighted<number>([
    [8, () => random.below(200)],
    [4, () => random.below(3000)],
    [2, () => random.below(40_000)],
    [1, () => random.below(500_000)],
  ]);
}

function isAll(bytes: Uint8Array, mark: number): boolean {
  return (
    bytes.length === 0 ||
    (bytes[0] === mark && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0)
  );
}

/** Blocks with a pattern of their own in them, to see that nothing else writes there. */
class Blocks {
  readonly all: { ptr: number; length: number; mark: number }[] = [];

  constructor(private readonly heap: Memory) {}

  add(length: number, mark: number): boolean {
    const ptr = this.heap.wasm.alloc(length) >>> 0;
    if (ptr === 0) return false;
    expect(this.heap.sizeOf(ptr)).toBeGreaterThanOrEqual(length);
    expect(ptr % 4).toBe(0);
    if (length % 64 === 0 && length > 0) expect(ptr % 64).toBe(0);
    this.heap.bytes.fill(mark, ptr, ptr + length);
    this.all.push({ ptr, length, mark });
    return true;
  }

  check(index: number): void {
    const { ptr, length, mark } = this.all[index]!;
    if (!isAll(this.heap.bytes.subarray(ptr, ptr + length), mark))
      throw new Error(`block ${ptr} of ${length} was overwritten`);
  }

  resize(index: number, length: number): void {
    const block = this.all[index]!;
    this.check(index);
    const ptr = this.heap.wasm.resize(block.ptr, Math.min(block.length, length), length) >>> 0;
    if (ptr === 0) return;
    const kept = { ptr, length: Math.min(block.length, length), mark: block.mark };
    this.all[index] = kept;
    this.check(index);
    this.heap.bytes.fill(block.mark, ptr, ptr + length);
    kept.length = length;
  }

  remove(index: number): void {
    this.check(index);
    this.heap.free(this.all[index]!.ptr);
    this.all[index] = this.all.at(-1)!;
    this.all.pop();
  }
}

/** Gives idle pages back as the host does; what they held is anything afterwards. */
function giveIdle(heap: Memory, limit: number): void {
  for (let run = heap.takeIdle(limit); run !== undefined; run = heap.takeIdle(limit)) {
    heap.bytes.fill(0xaa, run.ptr, run.ptr + run.length);
  }
}

test("blocks never overlap, whatever is taken, resized and given back", async () => {
  await seeded((random) => {
    const heap = makeHeap(64 * MIB);
    const before = heap.usedBytes;
    const blocks = new Blocks(heap);
    for (let i = 0; i < 40_000; i++) {
      const n = blocks.all.length;
      if (random.chance(0.01)) giveIdle(heap, random.below(3 * MIB));
      if (random.chance(0.001)) heap.wasm.beginAside();
      if (random.chance(0.001)) heap.wasm.endAside();
      const wantsMore = random.below(3000) > n;
      if (n === 0 || (wantsMore && random.chance(0.7))) blocks.add(someSize(random), random.below(256));
      else if (random.chance(0.3)) blocks.resize(random.below(n), someSize(random));
      else blocks.remove(random.below(n));
    }
    blocks.all.forEach((_, i) => blocks.check(i));
    while (blocks.all.length > 0) blocks.remove(blocks.all.length - 1);
    expect(heap.usedBytes).toBe(before);
    giveIdle(heap, 2 ** 30);
    expect(heap.idleBytes).toBe(0);
  });
});

test("pages are idle from when they are given back until the system has them", () => {
  const heap = makeHeap(64 * MIB);
  const start = heap.activeBytes;
  expect(heap.idleBytes).toBe(0);
  const a = heap.alloc(8 * MIB);
  const b = heap.alloc(MIB);
  expect(heap.activeBytes - start).toBe(9 * MIB);
  heap.free(a);
  expect(heap.idleBytes).toBe(8 * MIB);
  expect(heap.takeIdle(3 * MIB)).toEqual({ ptr: a, length: 3 * MIB });
  expect(heap.takeIdle(MIB)).toEqual({ ptr: a + 3 * MIB, length: MIB });
  expect(heap.idleBytes).toBe(4 * MIB);
  // A part of it is taken again: three of the pages the system has, and none of the idle ones.
  expect(heap.alloc(4 * MIB)).toBe(a);
  expect(heap.idleBytes).toBe(4 * MIB);
  expect(heap.resize(b, MIB, MIB / 2)).toBe(b);
  expect(heap.idleBytes).toBe(4.5 * MIB);
  giveIdle(heap, 2 ** 30);
  expect(heap.idleBytes).toBe(0);
  expect(heap.takeIdle(MIB)).toBeUndefined();
});

test("slabs of few blocks are set aside, and nothing is taken from them until that ends", () => {
  const heap = makeHeap(64 * MIB);
  const blocks = Array.from({ length: 50_000 }, () => heap.alloc(100));
  const kept = blocks.filter((ptr, i) => i % 10 === 0 || (heap.free(ptr), false));
  const sparse = heap.wasm.sparseBytes();
  expect(sparse).toBeGreaterThan(4 * MIB);
  const pages = new Set(kept.map((ptr) => ptr >>> 16));
  expect(heap.wasm.beginAside()).toBeGreaterThan(pages.size - 2);
  const moved = kept.map((ptr) => {
    const fresh = heap.alloc(100);
    heap.free(ptr);
    return fresh;
  });
  expect(heap.wasm.sparseBytes()).toBeLessThan(MIB / 4);
  expect(heap.idleBytes).toBeGreaterThan(4 * MIB);
  for (const ptr of moved) heap.free(ptr);
  // What is still set aside can be used again.
  const again = Array.from({ length: 5000 }, () => heap.alloc(100));
  again.forEach((ptr, i) => i % 9 !== 0 && heap.free(ptr));
  expect(heap.wasm.beginAside()).toBeGreaterThan(0);
  heap.wasm.endAside();
  const active = heap.activeBytes;
  for (let i = 0; i < 4000; i++) heap.alloc(100);
  expect(heap.activeBytes).toBe(active);
});

test("memory that was in small blocks comes back as one run", () => {
  const heap = makeHeap(24 * MIB);
  const blocks = new Blocks(heap);
  for (let size = 8; blocks.add(size, size & 255); size = (size % 2000) + 24);
  const full = heap.bytes.length;
  expect(full).toBeGreaterThan(22 * MIB);
  while (blocks.all.length > 0) blocks.remove(blocks.all.length - 1);
  // Each size class may keep a page; they may lie anywhere.
  const run = heap.wasm.alloc(8 * MIB) >>> 0;
  expect(run).not.toBe(0);
  expect(heap.bytes.length).toBe(full);
});

test("at the limit it is 0, and works again after something is given back", () => {
  const heap = makeHeap(8 * MIB);
  const taken: number[] = [];
  for (let ptr = heap.wasm.alloc(1000); ptr !== 0; ptr = heap.wasm.alloc(1000)) taken.push(ptr);
  expect(taken.length).toBeGreaterThan(3000);
  expect(heap.wasm.alloc(100_000)).toBe(0);
  expect(heap.bytes.length).toBeLessThanOrEqual(8 * MIB);
  for (const ptr of taken.splice(0, 500)) heap.free(ptr);
  for (let i = 0; i < 490; i++) expect(heap.wasm.alloc(1000)).not.toBe(0);
});

test("the whole of 4 GiB can be asked for, and more is refused", () => {
  const heap = makeHeap(2 ** 32);
  expect(heap.wasm.alloc(0xffffffff) >>> 0).toBe(0);
  const a = heap.wasm.alloc(2 ** 31) >>> 0;
  expect(a).not.toBe(0);
  expect(heap.wasm.alloc(2 ** 31) >>> 0).toBe(0);
  const b = heap.wasm.alloc(2 ** 30) >>> 0;
  expect(b).toBeGreaterThan(2 ** 31);
  heap.bytes[b + 2 ** 30 - 1] = 7;
  heap.free(a);
  expect(heap.wasm.alloc(2 ** 31) >>> 0).toBe(a);
});

test("a large block grows where it stands when what follows is free", () => {
  const heap = makeHeap(64 * MIB);
  const a = heap.alloc(MIB);
  heap.bytes.fill(9, a, a + MIB);
  expect(heap.resize(a, MIB, 20 * MIB)).toBe(a);
  const b = heap.alloc(MIB);
  const moved = heap.resize(a, MIB, 24 * MIB);
  expect(moved).not.toBe(a);
  expect(isAll(heap.bytes.subarray(moved, moved + MIB), 9)).toBe(true);
  expect(heap.resize(b, 0, 100_000)).toBe(b);
});

test("a small block is hardly larger than what was asked for", () => {
  const heap = makeHeap(64 * MIB);
  for (let length = 1; length <= 1024; length++) {
    const waste = heap.sizeOf(heap.wasm.alloc(length) >>> 0) - Math.max(length, 8);
    const most = length <= 64 ? 3 : length > 128 && length <= 512 ? length / 16 : length / 8;
    if (waste > most) throw new Error(`a block for ${length} bytes has ${waste} more`);
  }
});
