import { expect, test } from "bun:test";
import { REFUSED_OUT_OF_MEMORY } from "../../../assembly/abi.ts";
import { OUT_OF_MEMORY } from "../../../src/resp/errors.ts";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";
import { seeded, type Random } from "../../support/random.ts";

const LIMIT = 6 * 2 ** 20;

test("full memory is refused before any change, and never traps", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed, LIMIT);
    const model = new Map<string, string>();
    let refused = 0;
    for (let i = 0; i < 60_000; i++) refused += step(space, random, model) ? 0 : 1;
    expect(refused).toBeGreaterThan(100);
    expect(space.keys.size()).toBe(model.size);
    for (const [key, value] of model) if (space.value(key) !== value) throw new Error(`${key} is damaged`);
    expect(space.memory.bytes.length).toBeLessThanOrEqual(LIMIT);
  });
});

/** One random command to engine and model; false = refused, and the model is left alone. */
function step(space: Keyspace, random: Random, model: Map<string, string>): boolean {
  const key = random.chance(0.5) ? `{tag}${random.below(3000)}` : `k${random.below(3000)}`;
  const value = "v".repeat(random.chance(0.02) ? random.below(300_000) : random.below(1500));
  const old = model.get(key);
  switch (random.below(8)) {
    case 0:
      return done(
        () => space.run("append", key, value),
        () => model.set(key, (old ?? "") + value),
      );
    case 1:
      return done(
        () => space.run("mset", key, value, `${key}x`, value),
        () => {
          model.set(key, value).set(`${key}x`, value);
        },
      );
    case 2:
      return done(
        () => space.run("set", key, value),
        () => model.set(key, value),
      );
    case 3:
      return done(
        () => space.run("setrange", key, "10", "x"),
        () => {
          model.set(key, `${(old ?? "").slice(0, 10).padEnd(10, "\0")}x${(old ?? "").slice(11)}`);
        },
      );
    case 4:
      return done(
        () => space.run("del", key),
        () => model.delete(key),
      );
    default:
      return done(
        () => space.run("set", key, value),
        () => model.set(key, value),
      );
  }
}

function done(run: () => string | number, note: () => unknown): boolean {
  let result: string | number;
  try {
    result = run();
  } catch (error) {
    // Not even the request's arguments found room.
    if (error !== OUT_OF_MEMORY) throw error;
    result = REFUSED_OUT_OF_MEMORY;
  }
  if (typeof result === "string") note();
  else expect(result).toBe(REFUSED_OUT_OF_MEMORY);
  return typeof result === "string";
}

test("handlers are told, and can delete their way out", () => {
  const space = new Keyspace(1, LIMIT);
  let count = 0;
  expect(() => {
    for (; ; count++) space.put(`k${count}`, "v".repeat(200));
  }).toThrow(OUT_OF_MEMORY);
  expect(count).toBeGreaterThan(5000);
  expect(space.keys.size()).toBe(count);
  for (let i = 0; i < count; i++) expect(space.keys.delete(bytesOf(`k${i}`))).toBe(true);
  space.put("k", "v".repeat(200));
  expect(space.value("k")).toBe("v".repeat(200));
});
