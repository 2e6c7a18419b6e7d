// DUMP and RESTORE of collections, both ways between redis-server and ours: what one dumps the other restores to the
// same elements, in the same encoding, and where the encoding is a row of bytes both dump the same bytes.
import { beforeAll, describe, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { type Random, seeded } from "../support/random.ts";
import { startOurs, startRedis } from "../support/servers.ts";

type Argument = string | number | Uint8Array;

const scope = fileScope();
let judge: Client;
let subject: Client;

beforeAll(async () => {
  judge = await (await startRedis(scope)).connect();
  subject = await (await startOurs(scope, { "cluster-enabled": "no" })).connect();
}, 60_000);

async function bytesOf(client: Client, ...request: readonly Argument[]): Promise<Buffer> {
  const { raw } = await client.reply(...request);
  return raw.subarray(raw.indexOf("\n") + 1, -2);
}

async function textOf(client: Client, ...request: readonly Argument[]): Promise<string> {
  return (await client.reply(...request)).raw.toString("latin1");
}

function randomText(random: Random): string {
  switch (random.below(6)) {
    case 0:
      return String(random.below(300) - 150);
    case 1:
      return String(random.below(2 ** 31) * random.below(2 ** 21) - 2 ** 50);
    case 2:
      return "ab".repeat(random.below(40));
    case 3:
      return `text ${random.below(1e6)} of some length, which LZF can shorten, shorten, shorten`;
    case 4:
      return String.fromCharCode(...Array.from({ length: random.below(30) }, () => random.below(128)));
    default:
      return `m${random.below(5000)}`;
  }
}

function randomScore(random: Random): string {
  return random.pick([
    "inf",
    "-inf",
    "0",
    "-0",
    "1.5",
    "1e17",
    "3",
    "-7",
    "0.1",
    "1e300",
    String(random.below(1e9) / 7),
  ]);
}

/** What builds a value of a type from `count` elements. */
const BUILDERS: Readonly<Record<string, (random: Random, count: number) => Argument[]>> = {
  list: (random, count) => ["RPUSH", "key", ...Array.from({ length: count }, () => randomText(random))],
  "list from both ends": (random, count) => [
    random.pick(["LPUSH", "RPUSH"]),
    "key",
    ...Array.from({ length: count * 4 }, () => randomText(random)),
  ],
  set: (random, count) => ["SADD", "key", ...Array.from({ length: count }, () => randomText(random))],
  integers: (random, count) => [
    "SADD",
    "key",
    ...Array.from({ length: count }, () => random.below(random.pick([100, 1e5, 2 ** 40])) - 50),
  ],
  hash: (random, count) => [
    "HSET",
    "key",
    ...Array.from({ length: count }, () => [randomText(random), randomText(random)]).flat(),
  ],
  "sorted set": (random, count) => [
    "ZADD",
    "key",
    ...Array.from({ length: count }, () => [randomScore(random), randomText(random)]).flat(),
  ],
};

const ROW_ENCODINGS = ["listpack", "intset", "quicklist"];

async function restoreBothWays(): Promise<void> {
  const encoding = await textOf(judge, "OBJECT", "ENCODING", "key");
  const payload = await bytesOf(judge, "DUMP", "key");
  expect(await textOf(subject, "RESTORE", "key", 0, payload, "REPLACE")).toBe("+OK\r\n");
  expect(await textOf(subject, "OBJECT", "ENCODING", "key")).toBe(encoding);
  const digest = await textOf(judge, "DEBUG", "DIGEST-VALUE", "key");
  expect(await textOf(subject, "DEBUG", "DIGEST-VALUE", "key")).toBe(digest);
  const ours = await bytesOf(subject, "DUMP", "key");
  if (ROW_ENCODINGS.some((name) => encoding.includes(name))) expect(ours.equals(payload)).toBe(true);
  expect(await textOf(judge, "RESTORE", "copy", 0, ours, "REPLACE")).toBe("+OK\r\n");
  expect(await textOf(judge, "DEBUG", "DIGEST-VALUE", "copy")).toBe(digest);
  expect(await textOf(judge, "OBJECT", "ENCODING", "copy")).toBe(encoding);
  await copyAndMove(digest, encoding);
}

/** COPY makes another value of the same elements, RENAME and MOVE give it another place. */
async function copyAndMove(digest: string, encoding: string): Promise<void> {
  expect(await textOf(subject, "COPY", "key", "copy", "REPLACE")).toBe(":1\r\n");
  expect(await textOf(subject, "RENAME", "copy", "renamed")).toBe("+OK\r\n");
  expect(await textOf(subject, "DEL", "key")).toBe(":1\r\n");
  expect(await textOf(subject, "DEBUG", "DIGEST-VALUE", "renamed")).toBe(digest);
  expect(await textOf(subject, "OBJECT", "ENCODING", "renamed")).toBe(encoding);
  expect(await textOf(subject, "MEMORY", "USAGE", "renamed")).toMatch(/^:[0-9]+\r\n$/);
  const usage = Number((await textOf(subject, "MEMORY", "USAGE", "renamed", "SAMPLES", 0)).slice(1));
  expect(usage).toBeGreaterThan((await bytesOf(subject, "DUMP", "renamed")).length / 20);
}

describe("collections are dumped and restored both ways", () => {
  for (const [name, build] of Object.entries(BUILDERS)) {
    test(
      name,
      async () => {
        await seeded(async (random) => {
          for (let i = 0; i < 120; i++) {
            const count = 1 + random.below(random.pick([3, 40, 140, 1200]));
            await judge.reply("DEL", "key");
            await judge.reply(...build(random, count));
            await restoreBothWays();
          }
        });
      },
      60_000,
    );
  }

  test("all of them have the digest redis-server has for the same data", async () => {
    await seeded(async (random) => {
      for (const client of [judge, subject]) await client.reply("FLUSHALL");
      for (const [name, build] of Object.entries(BUILDERS)) {
        await judge.reply("DEL", "key");
        await judge.reply(...build(random, 50));
        const payload = await bytesOf(judge, "DUMP", "key");
        for (const client of [judge, subject]) {
          await client.reply("RESTORE", name, 0, payload);
          await client.reply("RESTORE", `${name} that expires`, 1e6, payload);
          await client.reply("SET", `text of ${name}`, name);
          await client.reply("DEL", "key");
        }
      }
      const digest = await textOf(judge, "DEBUG", "DIGEST");
      expect(await textOf(subject, "DEBUG", "DIGEST")).toBe(digest);
    });
  });
});
