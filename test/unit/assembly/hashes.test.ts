import { expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import { MEMORY_CEILING } from "../../../src/engine/memory.ts";
import { OUT_OF_MEMORY } from "../../../src/resp/errors.ts";
import { Keyspace } from "../../support/keyspace.ts";
import { seeded, type Random } from "../../support/random.ts";
import { plain, ReplyReader } from "../../support/resp.ts";

/** Less than the hashes of a test take. */
const FULL = 6 * 2 ** 20;

type Model = Map<string, Map<string, string>>;

function hashspace(
  seed: number,
  limits: readonly [entries: number, value: number],
  bytes?: number,
): Keyspace {
  const space = new Keyspace(seed, bytes);
  space.memory.setU32(abi.STATE_HASH_MAX_ENTRIES, limits[0]);
  space.memory.setU32(abi.STATE_HASH_MAX_VALUE, limits[1]);
  return space;
}

/** A flat array of bulk strings. */
function texts(space: Keyspace, ...[name, ...args]: Parameters<Keyspace["run"]>): string[] {
  const raw = space.run(name, ...args);
  if (typeof raw === "number") throw new Error(`refused: ${raw}`);
  const reader = new ReplyReader();
  reader.feed(Buffer.from(raw, "latin1"));
  const { value } = reader.next()!;
  if (value.kind !== "array") throw new Error("not an array");
  return value.items.map((item) =>
    item.kind === "bulk" ? item.bytes.toString("latin1") : String(plain(item)),
  );
}

function fieldsOf(space: Keyspace, key: string): Map<string, string> {
  const flat = texts(space, "hgetall", key);
  return new Map(flat.flatMap((field, i) => (i % 2 === 0 ? [[field, flat[i + 1]!] as const] : [])));
}

function someValue(random: Random): string {
  return random.weighted([
    [6, () => String(random.between(-5, 70_000))],
    [6, () => "v".repeat(random.below(80))],
    [1, () => "w".repeat(random.pick([254, 255, 256, 5000, 40_000]))],
  ]);
}

/** Runs a command; the request itself may not fit into memory either. */
function run(space: Keyspace, ...[name, ...args]: Parameters<Keyspace["run"]>): string | number {
  try {
    return space.run(name, ...args);
  } catch (error) {
    if (error !== OUT_OF_MEMORY) throw error;
    return abi.REFUSED_OUT_OF_MEMORY;
  }
}

/** One random change to engine and model; false = refused for want of memory, and the model is left alone. */
function change(space: Keyspace, random: Random, model: Model): boolean {
  const key = `h${random.below(20)}`;
  const fields = Array.from({ length: random.between(1, 8) }, () =>
    random.chance(0.02) ? "f".repeat(300) : `f${random.below(60)}`,
  );
  if (random.chance(0.35)) {
    const reply = run(space, "hdel", key, ...fields);
    if (reply === abi.REFUSED_OUT_OF_MEMORY) return false;
    const held = model.get(key);
    let removed = 0;
    for (const field of fields) removed += held?.delete(field) === true ? 1 : 0;
    if (held?.size === 0) model.delete(key);
    expect(reply).toBe(`:${removed}\r\n`);
    return true;
  }
  const pairs = fields.map((field) => [field, someValue(random)] as const);
  const reply = run(space, "hset", key, ...pairs.flat());
  if (reply === abi.REFUSED_OUT_OF_MEMORY) return false;
  const held = model.get(key) ?? new Map<string, string>();
  model.set(key, held);
  const before = held.size;
  for (const [field, value] of pairs) held.set(field, value);
  expect(reply).toBe(`:${held.size - before}\r\n`);
  return true;
}

function check(space: Keyspace, model: Model): void {
  expect(space.keys.size()).toBe(model.size);
  for (const [key, fields] of model) expect(fieldsOf(space, key)).toEqual(fields);
}

test.each([
  ["of any size", [8, 64], undefined],
  ["all small", [1000, 100_000], undefined],
  ["in memory that gets full", [8, 64], FULL],
  ["all small, in memory that gets full", [1000, 100_000], FULL],
] as const)("hashes %s do as Maps do", async (_, limits, bytes) => {
  await seeded((random) => {
    const space = hashspace(random.seed, limits, bytes);
    const model: Model = new Map();
    let refused = 0;
    for (let i = 0; i < 4000; i++) {
      refused += change(space, random, model) ? 0 : 1;
      if (i % 500 === 0 && bytes === undefined) check(space, model);
    }
    expect(refused > 0).toBe(bytes !== undefined);
    space.memory.setF64(abi.STATE_MEMORY_LIMIT, MEMORY_CEILING);
    check(space, model);
    for (const [key, fields] of model) space.run("hdel", key, ...fields.keys());
    expect(space.keys.size()).toBe(0);
  });
});

test("what hashes took is given back with their last fields", () => {
  const space = hashspace(1, [128, 64]);
  const keep = (): number => {
    space.run("hset", "h", "last", "1");
    space.request("hget", "h", "last");
    space.arena.reset();
    return space.memory.usedBytes;
  };
  const before = keep();
  const names = Array.from({ length: 5000 }, (_, i) => `field:${i}`);
  for (const name of names) space.run("hset", "h", name, "x".repeat(name.length));
  for (const name of names) space.run("hset", "h", name, "y".repeat(100));
  for (const name of names) space.run("hdel", "h", name);
  space.run("hdel", "h", "last");
  expect(keep()).toBe(before);
});

test.each([
  ["a listpack", 100, 128],
  ["a hashtable, a few of many", 600, 0],
  ["a hashtable, most of it", 100, 0],
])("HRANDFIELD draws fairly from %s", (_, size, entries) => {
  const space = hashspace(2, [entries, 64]);
  for (let i = 0; i < size; i++) space.run("hset", "h", `f${i}`, `v${i}`);
  const drawn = new Map<string, number>();
  const rounds = size * 5;
  const taken = 60;
  for (let i = 0; i < rounds; i++) {
    const distinct = texts(space, "hrandfield", "h", String(taken), "withvalues");
    const names = distinct.filter((__, at) => at % 2 === 0);
    expect(new Set(names).size).toBe(taken);
    for (const [at, name] of names.entries()) {
      if (distinct[at * 2 + 1] !== name.replace("f", "v")) throw new Error(`${name} with another's value`);
      drawn.set(name, (drawn.get(name) ?? 0) + 1);
    }
  }
  // Each field is drawn `mean` times with a deviation of its root or less.
  const mean = (rounds * taken) / size;
  const far = 6 * Math.sqrt(mean);
  expect(drawn.size).toBe(size);
  for (const count of drawn.values()) expect(Math.abs(count - mean)).toBeLessThan(far);
});

test("HRANDFIELD asked for more than any reply can hold refuses at once", () => {
  const space = hashspace(3, [128, 64]);
  space.run("hset", "h", "f", "v");
  expect(space.run("hrandfield", "h", "-9223372036854775807")).toBe(abi.REFUSED_OUT_OF_MEMORY);
  expect(space.run("hrandfield", "h", "9223372036854775807")).toBe("*1\r\n$1\r\nf\r\n");
});
