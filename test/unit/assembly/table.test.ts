import { expect, test } from "bun:test";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";
import { seeded, type Random } from "../../support/random.ts";

/** Keys of all slots, or of one by a hash tag. */
function someKey(random: Random, tag: string, range: number): string {
  const n = random.below(range);
  return n % 50 === 0 ? `${tag}${"long".repeat(80)}${n}` : `${tag}${n}`;
}

function check(space: Keyspace, model: ReadonlyMap<string, string>): void {
  expect(space.keys.size()).toBe(model.size);
  for (const [key, value] of model) {
    const got = space.value(key);
    if (got !== value) throw new Error(`${key}: ${got} instead of ${value}`);
  }
  const names = space.names();
  expect(names.length).toBe(model.size);
  expect(new Set(names)).toEqual(new Set(model.keys()));
}

test.each([
  ["all over the slots", "", 200],
  ["in one slot, a block of buckets", "{tag}", 1500],
  ["in one slot, segments of buckets", "{tag}", 30_000],
])("a table does as a Map does: keys %s", async (_, tag, range) => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    const model = new Map<string, string>();
    // Phases of mostly adding and mostly deleting, so that tables grow and shrink through all their forms.
    for (let phase = 0; phase < 6; phase++) {
      const adds = phase % 2 === 0 ? 0.8 : 0.1;
      for (let i = 0; i < range * 1.5; i++) {
        const key = someKey(random, tag, range);
        if (random.chance(adds)) {
          const value = random.chance(0.3) ? String(random.below(1000)) : "v".repeat(random.below(100));
          space.put(key, value);
          model.set(key, value);
        } else {
          expect(space.keys.delete(bytesOf(key))).toBe(model.delete(key));
        }
      }
      check(space, model);
    }
    for (const key of model.keys()) space.keys.delete(bytesOf(key));
    check(space, new Map());
  });
});

test("all that 200 000 keys of one slot took is given back when they go", () => {
  const space = new Keyspace(7);
  const slot = space.memory.slotOf((space.request("get", "{tag}"), space.args.at(1)));
  space.put("{tag}first", "x");
  space.keys.keysInSlot(slot, 1, () => undefined);
  space.keys.delete(bytesOf("{tag}first"));
  const before = space.memory.usedBytes;
  for (let i = 0; i < 200_000; i++) space.put(`{tag}${i}`, "value");
  expect(space.keys.countInSlot(slot)).toBe(200_000);
  let seen = 0;
  space.keys.keysInSlot(slot, 50, () => seen++);
  expect(seen).toBe(50);
  for (let i = 0; i < 199_990; i++) space.keys.delete(bytesOf(`{tag}${i}`));
  expect(space.memory.usedBytes - before).toBeLessThan(4096);
  expect(space.keys.flushSlot(slot)).toBe(10);
  expect(space.keys.size()).toBe(0);
  while (space.keys.release(64)) continue;
  expect(space.memory.usedBytes).toBe(before);
});

test("flushing gives everything back, and databases are apart", () => {
  const space = new Keyspace(8);
  space.put("a", "1");
  space.memory.database = 5;
  space.put("a", "1");
  space.memory.database = 0;
  space.keys.flushAll();
  while (space.keys.release(64)) continue;
  const before = space.memory.usedBytes;
  for (let i = 0; i < 20_000; i++) space.put(`k${i}`, "v".repeat(i % 90), i % 3 === 0 ? 2_000_000 : 0);
  space.memory.database = 5;
  space.put("only here", "5");
  expect(space.keys.size(0)).toBe(20_000);
  expect(space.keys.size()).toBe(1);
  expect(space.value("k1")).toBeUndefined();
  space.keys.swap(0, 5);
  expect(space.value("k1")).toBe("v");
  expect(space.keys.expiring()).toBe(6667);
  expect(space.keys.flush()).toBe(20_000);
  expect(space.keys.expiring()).toBe(0);
  expect(space.keys.size(0)).toBe(1);
  space.keys.flushAll();
  while (space.keys.release(64)) continue;
  expect(space.memory.usedBytes).toBe(before);
});

test("every key is drawn about as often as any other", () => {
  const space = new Keyspace(9);
  // One crowded slot and many sparse ones.
  for (let i = 0; i < 50; i++) space.put(`{tag}${i}`, "x");
  for (let i = 0; i < 50; i++) space.put(`k${i}`, "x");
  const drawn = new Map<string, number>();
  for (let i = 0; i < 100_000; i++) {
    const key = space.text(space.keys.random())!;
    drawn.set(key, (drawn.get(key) ?? 0) + 1);
  }
  expect(drawn.size).toBe(100);
  // 1000 expected, deviation about 32: seven of them.
  for (const [key, count] of drawn) expect([key, Math.abs(count - 1000) < 225]).toEqual([key, true]);
});
