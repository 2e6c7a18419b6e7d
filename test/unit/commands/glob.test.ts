// The matcher against redis-server's KEYS: patterns made mostly of what is special in them.
import { beforeAll, expect, test } from "bun:test";
import { Glob } from "../../../src/commands/glob.ts";
import { fileScope } from "../../support/cleanup.ts";
import type { Client } from "../../support/client.ts";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";
import { Random, seeded } from "../../support/random.ts";
import { startRedis } from "../../support/servers.ts";

const scope = fileScope();
let redis: Client;
beforeAll(async () => {
  redis = await (await startRedis(scope)).connect();
}, 30_000);

const KEY_BYTES = [97, 98, 99, 65, 66, 91, 93, 94, 45, 92, 42, 63, 0, 200, 128, 255];
const PATTERN_BYTES = [97, 98, 99, 65, 91, 91, 93, 94, 45, 45, 92, 42, 42, 63, 200, 255, 0];

const draw = (random: Random, from: readonly number[], limit: number): Buffer =>
  Buffer.from(Array.from({ length: random.below(limit) }, () => random.pick(from)));

test("patterns find the keys they find in redis-server", async () => {
  await seeded(async (random) => {
    const drawn = Array.from({ length: 300 }, () => draw(random, KEY_BYTES, 6));
    const names = [...new Set(["", ...drawn.map((key) => key.toString("latin1"))])];
    const stored = names.map((name) => Buffer.from(name, "latin1"));
    await redis.ok("FLUSHALL");
    await redis.ok("MSET", ...stored.flatMap((key) => [key, ""]));
    const patterns = Array.from({ length: 3000 }, () => draw(random, PATTERN_BYTES, 9));
    const replies = await redis.pipeline(patterns.map((pattern) => ["KEYS", pattern]));
    for (const [i, pattern] of patterns.entries()) {
      const value = replies[i]?.value;
      if (value?.kind !== "array") throw new Error("KEYS gave no array");
      const theirs = value.items.map((item) => (item.kind === "bulk" ? item.bytes.toString("latin1") : "?"));
      const glob = new Glob(pattern);
      const ours = stored
        .filter((key) => glob.matchesAll || glob.matches(key))
        .map((key) => key.toString("latin1"));
      expect({ pattern, keys: ours.toSorted() }).toEqual({ pattern, keys: theirs.toSorted() });
    }
  });
}, 30_000);

test("the engine's scans find by a pattern what KEYS finds", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    const names = ["", ...Array.from({ length: 200 }, () => draw(random, KEY_BYTES, 6).toString("latin1"))];
    space.run("sadd", "names", ...names);
    for (let i = 0; i < 2000; i++) {
      const pattern = draw(random, PATTERN_BYTES, 9);
      const glob = new Glob(pattern);
      const fit = new Set(names.filter((name) => glob.matchesAll || glob.matches(bytesOf(name))));
      const reply = space.run("sscan", "names", "0", "MATCH", pattern, "COUNT", "1000000");
      const count = /^\*2\r\n\$1\r\n0\r\n\*(\d+)/.exec(String(reply))?.[1];
      expect({ pattern, count: Number(count) }).toEqual({ pattern, count: fit.size });
      for (const name of fit) expect(reply).toContain(`$${name.length}\r\n${name}\r\n`);
    }
  });
});

test("case is ignored on request, in ranges too, but not behind a backslash", () => {
  const matches = (pattern: string, text: string): boolean =>
    new Glob(Buffer.from(pattern), { ignoreCase: true }).matches(Buffer.from(text));
  expect(matches("MAX*", "maxmemory")).toBe(true);
  expect(matches("[a-c]X", "Bx")).toBe(true);
  expect(matches("[\\a]", "A")).toBe(false);
  expect(new Glob(Buffer.from("MAX*")).matches(Buffer.from("maxmemory"))).toBe(false);
});

test("many stars against a text that almost fits end soon", () => {
  const pattern = Buffer.from(`${"a*".repeat(40)}b`);
  expect(new Glob(pattern).matches(Buffer.alloc(20_000, "a"))).toBe(false);
});
