import { expect, test } from "bun:test";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";
import { seeded } from "../../support/random.ts";

/** A whole SCAN; `between` runs after each step. */
function scanAll(space: Keyspace, count: number, between: () => void): Map<string, number> {
  const seen = new Map<string, number>();
  let cursor = 0n;
  do {
    cursor = space.keys.scan(cursor, count, (key) => {
      const name = space.text(key)!;
      seen.set(name, (seen.get(name) ?? 0) + 1);
    });
    expect(cursor < 2n ** 53n).toBe(true);
    between();
  } while (cursor !== 0n);
  return seen;
}

test.each([
  ["of many slots", "", 3000],
  ["of one slot", "{tag}", 3000],
  ["of one slot with segments", "{tag}", 12_000],
])("a scan %s never misses a key that stays, while others come and go", async (_, tag, crowd) => {
  await seeded((random) => {
    for (let round = 0; round < 6; round++) {
      const space = new Keyspace(random.seed + round);
      const stays: string[] = [];
      for (let i = 0; i < 200; i++) {
        stays.push(`${tag}stay${i}`);
        space.put(`${tag}stay${i}`, "x");
      }
      // From few to many, from many to few, or both in turn: the table passes through all its sizes meanwhile.
      let grows = round % 2 === 0;
      if (!grows) for (let i = 0; i < crowd; i++) space.put(`${tag}${i}`, "x");
      let edge = grows ? 0 : crowd;
      const step = random.between(20, 400);
      const seen = scanAll(space, random.between(1, 20), () => {
        for (let i = 0; i < step; i++) {
          if (grows) space.put(`${tag}${edge++}`, "x");
          else space.keys.delete(bytesOf(`${tag}${--edge}`));
          if (edge <= 0 || edge >= crowd) grows = edge <= 0;
        }
      });
      for (const key of stays) if (!seen.has(key)) throw new Error(`round ${round}: ${key} was missed`);
    }
  });
});

test("a scan of a table at rest shows each key once", () => {
  const space = new Keyspace(3);
  for (let i = 0; i < 5000; i++) space.put(i % 2 === 0 ? `{t}${i}` : `${i}`, "x");
  for (const count of [1, 10, 7777]) {
    const seen = scanAll(space, count, () => undefined);
    expect(seen.size).toBe(5000);
    expect([...seen.values()].every((times) => times === 1)).toBe(true);
  }
});

test("a step visits about as many keys as it was told", () => {
  const space = new Keyspace(4);
  for (let i = 0; i < 5000; i++) space.put(`{t}${i}`, "x");
  let visited = 0;
  space.keys.scan(0n, 100, () => visited++);
  expect(visited).toBeGreaterThanOrEqual(100);
  expect(visited).toBeLessThan(160);
});

test("an empty database is done at once, and any cursor is harmless", async () => {
  const space = new Keyspace(5);
  expect(space.keys.scan(0n, 10, () => undefined)).toBe(0n);
  for (let i = 0; i < 500; i++) space.put(`k${i}`, "x");
  await seeded((random) => {
    for (let i = 0; i < 500; i++) {
      let cursor = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
      for (let steps = 0; (steps === 0 || cursor !== 0n) && steps < 1000; steps++)
        cursor = space.keys.scan(cursor, 50, () => undefined);
      expect(cursor).toBe(0n);
    }
  });
});

test("expired keys are not shown", () => {
  const space = new Keyspace(6);
  space.put("gone", "x", 999_000);
  space.put("there", "x", 1_001_000);
  expect(space.names()).toEqual(["there"]);
});
