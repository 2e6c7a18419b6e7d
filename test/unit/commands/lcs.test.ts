// The one-row table with its direction bits against the plain definition, and against redis-server's choice among
// subsequences of equal length.
import { beforeAll, expect, test } from "bun:test";
import { commonLength, commonSubsequence } from "../../../src/commands/lcs.ts";
import { fileScope } from "../../support/cleanup.ts";
import type { Client } from "../../support/client.ts";
import { type Random, seeded } from "../../support/random.ts";
import { plain } from "../../support/resp.ts";
import { startRedis } from "../../support/servers.ts";

const scope = fileScope();
let redis: Client;
beforeAll(async () => {
  redis = await (await startRedis(scope)).connect();
}, 30_000);

const letters = (random: Random): Buffer => {
  const alphabet = random.pick(["ab", "abc", "abcdefgh"]);
  return Buffer.from(Array.from({ length: random.below(40) }, () => random.pick([...alphabet])).join(""));
};

function lengthByDefinition(a: Uint8Array, b: Uint8Array): number {
  const table = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  const cell = (i: number, j: number): number => table[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = table[i] ?? [];
    for (let j = 1; j <= b.length; j++) {
      row[j] = a[i - 1] === b[j - 1] ? cell(i - 1, j - 1) + 1 : Math.max(cell(i - 1, j), cell(i, j - 1));
    }
  }
  return cell(a.length, b.length);
}

test("lengths are those of the definition", async () => {
  await seeded((random) => {
    for (let round = 0; round < 2000; round++) {
      const [a, b] = [letters(random), letters(random)];
      expect(commonLength(a, b)).toBe(lengthByDefinition(a, b));
    }
  });
});

test("subsequence and matches are those redis-server finds", async () => {
  await seeded(async (random) => {
    for (let round = 0; round < 400; round++) {
      const [a, b] = [letters(random), letters(random)];
      await redis.ok("MSET", "a", a, "b", b);
      const [text, indexes] = await redis.pipeline([
        ["LCS", "a", "b"],
        ["LCS", "a", "b", "IDX", "WITHMATCHLEN"],
      ]);
      const ours = commonSubsequence(a, b);
      if (ours === undefined || text === undefined || indexes === undefined) throw new Error("no reply");
      expect<unknown>(Buffer.from(ours.bytes).toString()).toBe(plain(text.value));
      const matches = ours.matches.map((match) => [
        [match.aStart, match.aEnd],
        [match.bStart, match.bEnd],
        match.aEnd - match.aStart + 1,
      ]);
      expect<unknown>(["matches", matches, "len", ours.bytes.length]).toEqual(plain(indexes.value));
    }
  });
}, 30_000);
