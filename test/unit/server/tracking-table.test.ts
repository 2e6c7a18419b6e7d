// What is remembered of clients' caches, against a plain model; and who is told by prefix.
import { expect, test } from "bun:test";
import { Broadcasts } from "../../../src/server/broadcasts.ts";
import { RecordWords } from "../../../src/server/record-words.ts";
import { TrackingTable } from "../../../src/server/tracking-table.ts";
import { Memory } from "../../../src/engine/memory.ts";
import { seeded } from "../../support/random.ts";

test("the table remembers which clients have which keys, as a map of sets does", () =>
  seeded((random) => {
    const table = new TrackingTable();
    const model = new Map<string, Set<number>>();
    for (let step = 0; step < 5000; step++) {
      const key = `k${random.below(40)}`;
      if (random.chance(0.8)) {
        const id = random.below(5);
        table.remember(key, id);
        model.set(key, (model.get(key) ?? new Set()).add(id));
      } else {
        expect(new Set(table.take(key))).toEqual(model.get(key) ?? new Set());
        model.delete(key);
      }
      expect(table.keyCount).toBe(model.size);
      expect(table.itemCount).toBe([...model.values()].reduce((sum, ids) => sum + ids.size, 0));
      expect(table.oldest).toBe([...model.keys()][0]);
    }
    table.clear();
    expect([table.keyCount, table.itemCount, table.oldest]).toEqual([0, 0, undefined]);
  }));

test("changes are handed out by prefix, in the order of bytes, with who made the last of them", () => {
  const broadcasts = new Broadcasts();
  broadcasts.add("b", 2);
  broadcasts.add("", 1);
  broadcasts.add("b", 1);
  for (const [key, by] of [
    ["bz", 1],
    ["a", 2],
    ["ba", 2],
    ["bz", 0],
  ] as const)
    broadcasts.changed(key, by);
  const told: unknown[] = [];
  const take = (): void =>
    broadcasts.take((id, keys, by) => told.push([id, keys, keys.map((key) => by.get(key))]));
  take();
  expect(told).toEqual([
    [1, ["a", "ba", "bz"], [2, 2, 0]],
    [2, ["ba", "bz"], [2, 0]],
    [1, ["ba", "bz"], [2, 0]],
  ]);
  take();
  expect(told.length).toBe(3);
  broadcasts.changed("ba", 1);
  broadcasts.remove("", 1);
  broadcasts.remove("b", 1);
  broadcasts.remove("b", 1);
  expect(broadcasts.prefixCount).toBe(1);
  take();
  expect(told.slice(3)).toEqual([[2, ["ba"], [1]]]);
  broadcasts.remove("b", 2);
  expect(broadcasts.prefixCount).toBe(0);
});

test("a record's parts read as the words of a request, wherever their bytes lie", () => {
  const memory = new Memory({ seed: [1, 2, 3, 4] });
  const ptr = memory.alloc(16);
  memory.bytes.set([0xff, 0, 65], ptr);
  const words = new RecordWords(memory, [
    "set",
    { ptr, length: 3 },
    new Uint8Array([0xc3, 0xa9]),
    "é",
    "-12",
  ]);
  expect(words.count).toBe(5);
  expect([0, 1, 2, 3, 9].map((index) => words.latin1(index))).toEqual([
    "set",
    "\xff\0A",
    "\xc3\xa9",
    "\xc3\xa9",
    "",
  ]);
  expect([words.is(0, "SET"), words.is(1, "SET"), words.is(9, "")]).toEqual([true, false, false]);
  expect([words.integer(4), words.integer(0)]).toEqual([-12n, undefined]);
});
