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
    expect(ptr % 8).toBe(0);
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

test("blocks never overlap, whatever is taken, resized and given back", async () => {
  await seeded((random) => {
    const heap = makeHeap(64 * MIB);
    const before = heap.usedBytes;
    const blocks = new Blocks(heap);
    for (let i = 0; i < 40_000; i++) {
      const n = blocks.all.length;
      const wantsMore = random.below(3000) > n;
      if (n === 0 || (wantsMore && random.chance(0.7))) blocks.add(someSize(random), random.below(256));
      else if (random.chance(0.3)) blocks.resize(random.below(n), someSize(random));
      else blocks.remove(random.below(n));
    }
    blocks.all.forEach((_, i) => blocks.check(i));
    while (blocks.all.length > 0) blocks.remove(blocks.all.length - 1);
    expect(heap.usedBytes).toBe(before);
  });
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
