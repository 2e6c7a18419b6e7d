import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  addSlot,
  bitmapsEqual,
  emptyBitmap,
  forEachSlot,
  hasSlot,
  removeSlot,
  slotRanges,
} from "../../../src/cluster/slot-bitmap.ts";

const slot = fc.nat(16_383);
/** Sets as clusters have them: a few runs, with holes. */
const runs = fc.array(fc.tuple(slot, fc.nat(3000)), { maxLength: 6 });

function bitmapOf(slots: Iterable<number>): Uint8Array {
  const bitmap = emptyBitmap();
  for (const one of slots) addSlot(bitmap, one);
  return bitmap;
}

function setOf(spans: readonly (readonly [number, number])[], holes: readonly number[]): Set<number> {
  const set = new Set<number>();
  for (const [start, length] of spans)
    for (let n = start; n <= Math.min(start + length, 16_383); n++) set.add(n);
  for (const hole of holes) set.delete(hole);
  return set;
}

test("a bitmap holds what a set holds", () => {
  fc.assert(
    fc.property(runs, fc.array(slot, { maxLength: 20 }), (spans, holes) => {
      const set = setOf(spans, holes);
      const bitmap = bitmapOf(set);
      const seen: number[] = [];
      forEachSlot(bitmap, (one) => void seen.push(one));
      expect(seen).toEqual([...set].toSorted((a, b) => a - b));
      const fromRanges = slotRanges(bitmap).flatMap(({ start, end }) =>
        Array.from({ length: end - start + 1 }, (_, i) => start + i),
      );
      expect(fromRanges).toEqual(seen);
      for (const hole of holes) {
        expect(hasSlot(bitmap, hole)).toBe(false);
        addSlot(bitmap, hole);
        expect(bitmapsEqual(bitmap, bitmapOf(set))).toBe(false);
        removeSlot(bitmap, hole);
      }
      expect(bitmapsEqual(bitmap, bitmapOf(set))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test("ranges are as long as can be", () => {
  expect(slotRanges(bitmapOf([0, 1, 2, 4, 7, 8, 9, 16_382, 16_383]))).toEqual([
    { start: 0, end: 2 },
    { start: 4, end: 4 },
    { start: 7, end: 9 },
    { start: 16_382, end: 16_383 },
  ]);
  expect(slotRanges(emptyBitmap())).toEqual([]);
  expect(slotRanges(emptyBitmap().fill(255))).toEqual([{ start: 0, end: 16_383 }]);
});

test("the walk over a set ends when it is told to", () => {
  const seen: number[] = [];
  forEachSlot(bitmapOf([3, 5, 7]), (one) => {
    seen.push(one);
    return one < 5;
  });
  expect(seen).toEqual([3, 5]);
});
