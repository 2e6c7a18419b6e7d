// Glob patterns against redis-server: KEYS shows whether the one key there fits, COMMAND LIST the same with case ignored.
import { beforeAll, expect, test } from "bun:test";
import { Glob } from "../../src/commands/glob.ts";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { Random, seeded } from "../support/random.ts";
import { plain, printable } from "../support/resp.ts";
import { startRedis } from "../support/servers.ts";

const scope = fileScope();
let redis: Client;

beforeAll(async () => {
  redis = await (await startRedis(scope)).connect();
});

const PAIRS = 20_000;
const BATCH = 500;
// Few letters, so that patterns fit often; all that patterns give a meaning, and bytes on both sides of 0x80.
const textBytes = Buffer.from("aabbcABZ-^]*?[\\\0\x7f\x80\xff", "latin1");
const patternBytes = Buffer.concat([textBytes, Buffer.from("***??[[[]]]^-\\\\")]);

function draw(random: Random, from: Uint8Array, longest: number): Buffer {
  return Buffer.from(
    Array.from({ length: random.below(longest + 1) }, () => from[random.below(from.length)] ?? 0),
  );
}

/** A text and a pattern made from it, so that long ones fit too, or from nothing. */
function pair(random: Random): readonly [text: Buffer, pattern: Buffer] {
  const text = draw(random, textBytes, 12);
  if (random.chance(0.5)) return [text, draw(random, patternBytes, 10)];
  const parts = [...text].flatMap((byte): number[] =>
    random.weighted<number[]>([
      [5, () => [byte]],
      [1, () => [63]],
      [1, () => [42]],
      [1, () => []],
      [1, () => [42, byte]],
      [1, () => [92, byte]],
      [1, () => [91, byte, 93]],
      [1, () => [91, 94, byte ^ 1, 93]],
      [1, () => [91, byte - 1, 45, byte + 1, 93]],
      [1, () => [91, byte + 1, 45, byte - 1, 93]],
    ]),
  );
  return [text, Buffer.from(parts)];
}

test("random patterns fit the keys they fit there", async () => {
  await seeded(async (random) => {
    let fitting = 0;
    for (let done = 0; done < PAIRS; done += BATCH) {
      const pairs = Array.from({ length: BATCH }, () => pair(random));
      const requests = pairs.flatMap(([text, pattern]) => [
        ["FLUSHALL"],
        ["SET", text, ""],
        ["KEYS", pattern],
      ]);
      const replies = await redis.pipeline(requests);
      pairs.forEach(([text, pattern], i) => {
        const { value } = replies[i * 3 + 2]!;
        const theirs = value.kind === "array" && value.items.length === 1;
        const glob = new Glob(pattern);
        // KEYS * takes every key, even the empty one, without asking the matcher.
        const ours = glob.matchesAll || glob.matches(text);
        if (ours !== theirs) {
          throw new Error(`"${printable(pattern)}" and "${printable(text)}": ${ours}, there ${theirs}`);
        }
        if (theirs) fitting++;
      });
    }
    expect(fitting).toBeGreaterThan(PAIRS / 20);
  });
});

test("random patterns fit the names they fit there when case is ignored", async () => {
  const names = (await redis.ask("COMMAND", "LIST")) as string[];
  const letters = Buffer.from("geGEtTsS|*?[]-^\\zZaA");
  await seeded(async (random) => {
    for (let i = 0; i < 300; i++) {
      const name = Buffer.from(random.pick(names));
      const [, pattern] = [name, random.chance(0.5) ? mutate(random, name) : draw(random, letters, 6)];
      const { value } = await redis.reply("COMMAND", "LIST", "FILTERBY", "PATTERN", pattern);
      const theirs = (plain(value) as string[]).toSorted();
      const glob = new Glob(pattern, { ignoreCase: true });
      const ours = names.filter((text) => glob.matches(Buffer.from(text))).toSorted();
      expect(ours, printable(pattern)).toEqual(theirs);
    }
  });
});

function mutate(random: Random, name: Uint8Array): Buffer {
  const parts = [...name].flatMap((byte): number[] =>
    random.weighted<number[]>([
      [4, () => [byte]],
      [2, () => [byte ^ 32]],
      [1, () => [42]],
      [1, () => [63]],
      [1, () => [91, byte ^ 32, 93]],
      [1, () => [91, 92, byte ^ 32, 93]],
      [1, () => [91, 65, 45, byte, 93]],
      [1, () => [91, byte, 45, 90, 93]],
    ]),
  );
  return Buffer.from(parts);
}

test("a pattern full of stars takes no longer than text times pattern", () => {
  const text = Buffer.alloc(20_000, "a");
  const pattern = Buffer.from(`${"*a".repeat(500)}*${"a".repeat(500)}b`);
  const startAtMs = performance.now();
  expect(new Glob(pattern).matches(text)).toBe(false);
  expect(performance.now() - startAtMs).toBeLessThan(5_000);
});
