// Sorted sets as the engine holds them: big ones against a map, what memory they leave behind, and what becomes of them when
// there is none. (Small ones, and every reply, are held against redis-server: test/conformance/sortedsets.test.ts.)
import { expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import { bindCommand, engine } from "../../../src/engine/exports.ts";
import { Keyspace } from "../../support/keyspace.ts";
import { type Random, seeded } from "../../support/random.ts";

const integer = (value: number): string => `:${value}\r\n`;
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const pairs = (cells: readonly (readonly [string, number])[]): string =>
  `*${cells.length * 2}\r\n${cells.map(([member, score]) => bulk(member) + bulk(String(score))).join("")}`;

const inOrder = (model: ReadonlyMap<string, number>): [string, number][] =>
  [...model].toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));

/** A keyspace whose small sorted sets have up to `entries` members. */
function keyspace(random: Random, entries: number, limitBytes?: number): Keyspace {
  const space = new Keyspace(random.seed, limitBytes);
  space.arena.reserve(500_000); // it would grow otherwise while memory is compared
  space.memory.setU32(abi.STATE_ZSET_MAX_ENTRIES, entries);
  space.memory.setU32(abi.STATE_ZSET_MAX_VALUE, 64);
  return space;
}

/** Leaves nothing to be given back later. */
function settle(space: Keyspace): number {
  space.arena.reset();
  while (space.memory.wasm.releaseWaiting(1000) !== 0);
  return space.memory.usedBytes;
}

test("a big sorted set does as a sorted map does, and leaves no memory behind", () =>
  seeded((random) => {
    const space = keyspace(random, 16);
    space.put("other", "x");
    space.run("zadd", "z", "1", "m");
    space.run("zrem", "z", "m");
    space.request("none");
    const before = settle(space);
    const model = new Map<string, number>();
    for (let i = 0; i < 30_000; i++) {
      const member = `m${random.below(i % 10_000 < 7000 ? 5000 : 300)}`;
      const score = random.below(2000);
      if (random.chance(0.7)) {
        expect(space.run("zadd", "z", String(score), member)).toBe(integer(model.has(member) ? 0 : 1));
        model.set(member, score);
      } else {
        expect(space.run("zrem", "z", member)).toBe(integer(model.delete(member) ? 1 : 0));
      }
      if (i % 3000 !== 2999) continue;
      const cells = inOrder(model);
      expect(space.run("zrange", "z", "0", "-1", "withscores")).toBe(pairs(cells));
      const rank = random.below(cells.length);
      expect(space.run("zrank", "z", cells[rank]![0])).toBe(integer(rank));
      const low = random.below(2000);
      const within = cells.filter(([, value]) => value >= low && value < low + 500).length;
      expect(space.run("zcount", "z", String(low), `(${low + 500}`)).toBe(integer(within));
      const gone = cells.splice(random.below(cells.length), 40);
      const first = inOrder(model).findIndex(([name]) => name === gone[0]![0]);
      space.run("zremrangebyrank", "z", String(first), String(first + gone.length - 1));
      for (const [name] of gone) model.delete(name);
      expect(space.run("zrange", "z", "0", "-1", "withscores")).toBe(pairs(cells));
    }
    space.run("del", "z");
    space.request("none");
    expect(settle(space)).toBe(before);
  }));

test("what is computed and not stored leaves no memory behind", () =>
  seeded((random) => {
    const space = keyspace(random, random.pick([0, 128]));
    for (let i = 0; i < 3000; i++) {
      space.run("zadd", `z${random.below(3)}`, String(random.below(50)), `m${random.below(1000)}`);
      space.run("sadd", "s", `m${random.below(1000)}`);
    }
    const commands = ["zunion", "zinter", "zdiff"] as const;
    for (const name of commands) space.run(name, "4", "z0", "z1", "z2", "s");
    space.request("none");
    const before = settle(space);
    for (const name of commands) {
      const reply = space.run(name, "2", random.pick(["z0", "z1", "s"]), "z2", "withscores");
      expect(String(reply)).toStartWith("*");
    }
    expect(space.run("zintercard", "2", "z0", "s")).toStartWith(":");
    space.request("none");
    expect(settle(space)).toBe(before);
  }));

test("without memory a command is refused whole", () =>
  seeded((random) => {
    const space = keyspace(random, random.pick([0, 20, 100_000]), 6 * 1024 * 1024);
    const limit = (bytes: number): void => space.memory.setF64(abi.STATE_MEMORY_LIMIT, bytes);
    const model = new Map<string, number>();
    let refused = 0;
    for (let i = 0; i < 40_000 && refused < 100; i++) {
      const added = Array.from(
        { length: random.pick([1, 1, 3, 50]) },
        () => [`member:${random.below(1e9)}${"x".repeat(random.below(200))}`, random.below(1000)] as const,
      );
      try {
        space.request("zadd", "z", ...added.flatMap(([member, score]) => [String(score), member]));
      } catch {
        // There is not even room for the request.
        refused++;
        continue;
      }
      space.arena.reset();
      const result = bindCommand(space.memory.wasm, engine.zadd)();
      if (result === abi.REFUSED_OUT_OF_MEMORY) refused++;
      else for (const [member, score] of added) model.set(member, score);
    }
    expect(refused).toBe(100);
    limit(space.memory.bytes.length + 131_072); // the next request has to come in
    const stored = (command: "zunionstore" | "zinterstore" | "zdiffstore"): string | number =>
      space.run(command, "d", "1", "z");
    expect([integer(model.size), abi.REFUSED_OUT_OF_MEMORY]).toContain(stored("zunionstore"));
    limit(2 ** 30);
    expect(space.run("zcard", "z")).toBe(integer(model.size));
    for (const [member, score] of model) {
      const held = space.run("zscore", "z", member);
      if (held !== bulk(String(score))) throw new Error(`${member}: ${held}, not ${score}`);
    }
    expect(stored("zdiffstore")).toBe(integer(model.size));
  }));
