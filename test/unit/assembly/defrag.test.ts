import { expect, test } from "bun:test";
import type { EngineName } from "../../../src/engine/exports.ts";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";
import { seeded, type Random } from "../../support/random.ts";

const READS: Readonly<Record<string, (key: string) => readonly [EngineName, ...string[]]>> = {
  string: (key) => ["get", key],
  list: (key) => ["lrange", key, "0", "-1"],
  hash: (key) => ["hgetall", key],
  zset: (key) => ["zrange", key, "0", "-1", "WITHSCORES"],
};
const KINDS = Object.keys(READS);

/** Adds something to a key; small values and big ones, of every encoding. */
function grow(space: Keyspace, random: Random, kind: string, key: string, count: number): void {
  const text = (): string => "x".repeat(random.below(60)) + String(random.below(1000));
  const parts = Array.from({ length: count }, text);
  const run = (...args: readonly [EngineName, ...string[]]): void => {
    if (typeof space.run(...args) === "number") throw new Error(args.slice(0, 3).join(" "));
  };
  if (kind === "string") run("set", key, parts.join("").slice(0, random.below(300)));
  else if (kind === "list") run("rpush", key, ...parts);
  else if (kind === "hash") run("hset", key, ...parts.flatMap((part) => [part, text()]));
  else run("zadd", key, ...parts.flatMap((part) => [String(random.below(5)), part]));
}

/** All keys with what they hold. (Fields of a hash come in no order that may change.) */
function contents(space: Keyspace, keys: Iterable<string>): Map<string, string | number> {
  return new Map(
    Array.from(keys, (key) => [key, space.run(...READS[key.slice(key.indexOf(":") + 1)]!(key))]),
  );
}

test("blocks of every kind of value move, and nothing else changes", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    // Limits so low that all encodings arise.
    for (const at of [176, 180, 188, 192]) space.memory.setU32(at, random.below(40));
    space.memory.setU32(168, random.between(1, 200));
    const keys = new Set<string>();
    for (let i = 0; i < 6000; i++) {
      const kind = random.pick(KINDS);
      const key = `${random.chance(0.3) ? "{t}" : ""}${i}:${kind}`;
      keys.add(key);
      grow(space, random, kind, key, random.chance(0.02) ? 400 : random.between(1, 12));
    }
    for (const kind of ["hash", "zset", "list"]) {
      const key = `big:${kind}`;
      keys.add(key);
      for (let i = 0; i < 20; i++) grow(space, random, kind, key, 500);
    }
    for (const key of keys) {
      if (key.startsWith("big") || random.chance(0.15)) continue;
      keys.delete(key);
      space.keys.delete(bytesOf(key));
    }
    while (space.keys.release(1000)) continue;
    const before = contents(space, keys);
    const { wasm } = space.memory;
    const sparse = wasm.sparseBytes();
    const used = space.memory.usedBytes;
    expect(wasm.beginAside()).toBeGreaterThan(10);
    wasm.beginDefrag();
    while (wasm.defrag(random.between(1, 300)) !== 0) continue;
    wasm.endAside();
    expect(wasm.takeMovedCount()).toBeGreaterThan(1000);
    expect(wasm.sparseBytes()).toBeLessThan(sparse * 0.7); // what is left shares pages with blocks of few sizes
    expect(contents(space, keys)).toEqual(before);
    expect(Math.abs(space.memory.usedBytes - used)).toBeLessThan(200_000); // the arena of replies, expansions of lists
    // Every value can still be changed and deleted.
    for (const key of keys)
      if (random.chance(0.5)) grow(space, random, key.slice(key.indexOf(":") + 1), key, 3);
    for (const key of keys) expect(space.keys.delete(bytesOf(key))).toBe(true);
    while (space.keys.release(1000)) continue;
    expect(space.keys.size()).toBe(0);
  });
}, 60_000);

test("keys come, change and go while a pass is under way", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    for (const at of [176, 180, 188, 192]) space.memory.setU32(at, 20);
    space.memory.setU32(168, 30);
    const values = new Map<string, string>();
    const kinds = ["list", "hash", "zset"];
    const { wasm } = space.memory;
    let isUnderWay = false;
    for (let i = 0; i < 30_000; i++) {
      const key = `{t}${random.below(900)}`;
      const shrinks = i % 10_000 > 5000;
      if (random.chance(shrinks ? 0.2 : 0.6)) {
        const value = "v".repeat(random.below(200));
        space.put(key, value);
        values.set(key, value);
      } else {
        expect(space.keys.delete(bytesOf(key))).toBe(values.delete(key));
      }
      const kind = random.pick(kinds);
      const big = `{t}${kind}:${kind}`;
      if (random.chance(0.3)) grow(space, random, kind, big, random.between(1, 60));
      if (random.chance(0.005)) space.keys.delete(bytesOf(big));
      if (!isUnderWay && random.chance(0.01)) {
        isUnderWay = wasm.beginAside() > 0;
        wasm.beginDefrag();
      }
      if (isUnderWay && random.chance(0.5)) {
        isUnderWay = wasm.defrag(random.between(1, 200)) !== 0;
        if (!isUnderWay) wasm.endAside();
      }
      if (random.chance(0.3)) space.keys.release(50);
    }
    for (const [key, value] of values) expect(space.value(key)).toBe(value);
    for (const kind of kinds) expect(typeof space.run(...READS[kind]!(`{t}${kind}:${kind}`))).toBe("string");
    space.keys.flush();
    while (space.keys.release(1000)) continue;
  });
}, 60_000);
