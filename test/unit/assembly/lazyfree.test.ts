import { expect, test } from "bun:test";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";
import { seeded } from "../../support/random.ts";

const MIB = 1 << 20;

function drain(space: Keyspace, budget: number): number {
  let steps = 1;
  while (space.keys.release(budget)) steps++;
  return steps;
}

test("a flushed database is empty at once and comes back in small steps", () => {
  const space = new Keyspace(1);
  space.keys.flushAll();
  drain(space, 1000);
  const before = space.memory.usedBytes;
  for (let i = 0; i < 20_000; i++) space.put(i % 2 === 0 ? `k${i}` : `{tag}${i}`, "v".repeat(i % 99), i % 3);
  const full = space.memory.usedBytes;
  expect(space.keys.flush()).toBe(20_000);
  expect(space.names()).toEqual([]);
  expect(space.memory.usedBytes).toBe(full);
  expect(space.keys.waitingObjects).toBe(20_000);
  // No step gives back much more than it was told to.
  let held = full;
  do {
    const now = space.memory.usedBytes;
    expect(held - now).toBeLessThan(64 * 1024);
    held = now;
  } while (space.keys.release(64));
  expect(space.memory.usedBytes).toBe(before);
  expect(space.keys.waitingObjects).toBe(0);
  expect(space.keys.releasedObjects).toBe(20_000);
  space.keys.forgetReleased();
  expect(space.keys.releasedObjects).toBe(0);
});

test("slots and databases wait together, while new keys take their place", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    const model = new Map<string, string>();
    space.put("x", "");
    space.keys.flush();
    drain(space, 1000);
    const before = space.memory.usedBytes;
    for (let i = 0; i < 60_000; i++) {
      const key = random.chance(0.5) ? `{tag}${random.below(9000)}` : `{x}${random.below(5000)}`;
      const act = random.below(1000);
      if (act < 900) {
        space.put(key, String(i));
        model.set(key, String(i));
      } else if (act < 990) {
        expect(space.keys.delete(bytesOf(key))).toBe(model.delete(key));
      } else if (act === 990) {
        expect(space.keys.flush()).toBe(model.size);
        model.clear();
      } else if (act === 991) {
        space.request("get", "{tag}");
        const slot = space.keys.slotOf(space.args.at(1));
        const gone = [...model.keys()].filter((name) => name.startsWith("{tag}"));
        for (const name of gone) model.delete(name);
        expect(space.keys.flushSlot(slot)).toBe(gone.length);
      }
      if (random.chance(0.5)) space.keys.release(random.below(100));
    }
    for (const [key, value] of model) expect(space.value(key)).toBe(value);
    expect(space.names().length).toBe(model.size);
    space.keys.flush();
    drain(space, 100);
    expect(space.memory.usedBytes - before).toBeLessThan(70_000); // the lists that names and events are told through are kept
  });
});

test("memory that waits is room for what comes", () => {
  const space = new Keyspace(2, 16 * MIB);
  const fill = (name: string): number => {
    for (let i = 0; ; i++) {
      if (space.run("set", `{${name}}${i}`, "v".repeat(1000)) !== "+OK\r\n") return i;
    }
  };
  const first = fill("a");
  expect(first).toBeGreaterThan(8000);
  space.keys.flush();
  expect(fill("b")).toBeGreaterThan(first - 100);
  // MSET, which asks before it begins, and a large block, which needs pages side by side.
  space.keys.flush();
  const pairs = Array.from({ length: 2000 }, (_, i) => [`m${i}`, "v".repeat(1000)]).flat();
  expect(space.run("mset", ...pairs)).toBe("+OK\r\n");
  space.keys.flush();
  expect(space.run("set", "large", "v".repeat(2 * MIB))).toBe("+OK\r\n");
});
