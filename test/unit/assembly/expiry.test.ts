import { expect, test } from "bun:test";
import {
  EXPIRED_ALIVE,
  EXPIRED_HIDDEN,
  STATE_HITS,
  STATE_KEEP_EXPIRED,
  STATE_MISSES,
} from "../../../assembly/abi.ts";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";
import { seeded } from "../../support/random.ts";

const NOW = 1_000_000;

function takeExpired(space: Keyspace): string[] {
  const taken: string[] = [];
  space.memory.takeEvents((_, database, key) => taken.push(`${database}:${space.text(key)}`));
  return taken;
}

test("a key lives through its last millisecond and is deleted when next met", () => {
  const space = new Keyspace(1);
  space.put("k", "v", NOW);
  expect(space.value("k")).toBe("v");
  space.memory.nowMs = NOW + 1;
  expect(space.keys.size()).toBe(1);
  expect(space.value("k")).toBeUndefined();
  expect(space.keys.size()).toBe(0);
  expect(space.keys.expiring()).toBe(0);
  expect(takeExpired(space)).toEqual(["0:k"]);
  expect(takeExpired(space)).toEqual([]);
});

test("many deaths are told, with database and key", () => {
  const space = new Keyspace(2);
  const expected: string[] = [];
  for (let i = 0; i < 5000; i++) {
    space.memory.database = i % 16;
    const key = `${"k".repeat(i % 40)}${i}`;
    space.put(key, "v", NOW - 1);
    expect(space.keys.has(bytesOf(key))).toBe(false);
    expected.push(`${i % 16}:${key}`);
  }
  expect(takeExpired(space)).toEqual(expected);
});

test("a replica hides what has expired, shows it to its master, and deletes it for its own writers", () => {
  const space = new Keyspace(3);
  space.put("k", "1", NOW - 1);
  space.memory.setU32(STATE_KEEP_EXPIRED, EXPIRED_HIDDEN);
  expect(space.run("get", "k")).toBe("$-1\r\n");
  expect(space.run("exists", "k")).toBe(":0\r\n");
  expect(space.keys.size()).toBe(1);
  space.memory.setU32(STATE_KEEP_EXPIRED, EXPIRED_ALIVE);
  expect(space.run("incr", "k")).toBe(":2\r\n");
  expect(space.keys.expireAtMs(bytesOf("k"))).toBe(NOW - 1);
  space.memory.setU32(STATE_KEEP_EXPIRED, EXPIRED_HIDDEN);
  expect(space.run("incr", "k")).toBe(":1\r\n");
  expect(space.keys.expireAtMs(bytesOf("k"))).toBe(0);
});

test("hits and misses are counted", () => {
  const space = new Keyspace(4);
  space.put("k", "v");
  space.run("get", "k");
  space.run("mget", "k", "none", "k");
  space.run("exists", "none");
  space.run("append", "k", "x");
  expect(space.memory.getF64(STATE_HITS)).toBe(3);
  expect(space.memory.getF64(STATE_MISSES)).toBe(2);
});

test("an expiry comes and goes with the value unhurt", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    const model = new Map<string, number>();
    for (let i = 0; i < 300; i++) {
      space.put(`k${i}`, `value ${i}`);
      model.set(`k${i}`, 0);
    }
    for (let i = 0; i < 20_000; i++) {
      const key = `k${random.below(300)}`;
      const atMs = random.chance(0.4) ? 0 : NOW + 1 + random.below(1e9);
      if (atMs === 0) expect(space.keys.persist(bytesOf(key))).toBe(model.get(key) !== 0);
      else space.keys.setExpire(bytesOf(key), atMs);
      model.set(key, atMs);
    }
    for (const [key, atMs] of model) {
      expect(space.keys.expireAtMs(bytesOf(key))).toBe(atMs);
      expect(space.value(key)).toBe(`value ${key.slice(1)}`);
    }
    expect(space.keys.expiring()).toBe([...model.values()].filter((atMs) => atMs !== 0).length);
  });
});

test("the sweep finds all that has expired, in small steps, and nothing else", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    const due = new Set<string>();
    const living = new Map<number, number>();
    for (let i = 0; i < 30_000; i++) {
      const database = random.chance(0.1) ? 3 : 0;
      space.memory.database = database;
      const key = random.chance(0.5) ? `{tag}${i}` : `k${i}`;
      const kind = random.below(3);
      space.put(key, "v", kind === 0 ? 0 : kind === 1 ? NOW - 1 - random.below(1000) : NOW + 50_000);
      if (kind === 1) due.add(`${database}:${key}`);
      else living.set(database, (living.get(database) ?? 0) + 1);
    }
    space.memory.database = 7;
    const told = new Set<string>();
    let idle = 0;
    for (let calls = 0; idle < 2000 && calls < 100_000; calls++) {
      const { expired, examined } = space.keys.expireCycle(40);
      expect(expired).toBeLessThanOrEqual(examined);
      expect(examined).toBeLessThan(400);
      for (const record of takeExpired(space)) told.add(record);
      idle = expired === 0 ? idle + 1 : 0;
    }
    expect(space.memory.database).toBe(7);
    expect(told).toEqual(due);
    for (const database of [0, 3]) {
      expect(space.keys.size(database)).toBe(living.get(database) ?? 0);
      space.memory.database = database;
      expect(space.names().length).toBe(living.get(database) ?? 0);
      expect(space.keys.averageTtlMs()).toBeGreaterThan(49_000);
      expect(space.keys.averageTtlMs()).toBeLessThan(51_000);
    }
  });
});

test("a sweep over nothing ends", () => {
  const space = new Keyspace(5);
  expect(space.keys.expireCycle(1e9)).toEqual({ expired: 0, examined: 0 });
  space.put("k", "v", NOW + 5);
  expect(space.keys.expireCycle(1e9).expired).toBe(0);
  space.memory.nowMs = NOW + 6;
  expect(space.keys.expireCycle(1e9).expired).toBe(1);
});

test("a random key is a living one", () => {
  const space = new Keyspace(6);
  for (let i = 0; i < 100; i++) space.put(`k${i}`, "v", i === 50 ? 0 : NOW - 1);
  for (let i = 0; i < 20; i++) expect(space.text(space.keys.random())).toBe("k50");
  space.keys.delete(bytesOf("k50"));
  expect(space.keys.random()).toBeUndefined();
  expect(space.keys.size()).toBe(0);
});

test("the sweep, gone on with while a twentieth of what it sees is dead, leaves less than a tenth of all dead", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    const startMs = space.memory.nowMs;
    const keys = 60_000;
    const spanMs = 30_000;
    const deaths = Float64Array.from({ length: keys }, () => startMs + random.unit() * spanMs);
    deaths.forEach((atMs, i) => space.put(`${i % 3 === 0 ? "{tag}" : ""}${i}`, "x", atMs));
    deaths.sort();
    let dead = 0;
    // Ten rounds a second, as the cron makes them, until a tenth of the keys is left.
    for (let nowMs = startMs; dead < keys * 0.9; nowMs += 100) {
      space.memory.nowMs = nowMs;
      for (let goesOn = true; goesOn;) {
        const { expired, examined } = space.keys.expireCycle(1024);
        // A step is as short as its cost says, however many keys are dead.
        expect(expired).toBeLessThan(130);
        goesOn = examined > 0 && expired >= examined * 0.05;
      }
      space.memory.takeEvents(() => undefined);
      while (dead < keys && deaths[dead]! < nowMs) dead++;
      const held = space.keys.size();
      expect((held - (keys - dead)) / held).toBeLessThan(0.1);
    }
  });
});
