// DEBUG DIGEST-VALUE, by which redis-cli tells whether two nodes hold the same value: the same for ours as for
// redis-server, for all types, around the sizes at which the encoding changes, and after the value has moved.
import { beforeAll, expect, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import type { Client } from "../../support/client.ts";
import { startRedis, startSubject } from "../../support/servers.ts";

const scope = fileScope();
let redis: Client;
let ours: Client;
let ports: readonly [redis: number, ours: number];

beforeAll(async () => {
  const flags = { "cluster-enabled": "no" };
  const servers = await Promise.all([startRedis(scope, flags), startSubject(scope, flags)]);
  ports = [servers[0].port, servers[1].port];
  [redis, ours] = await Promise.all([servers[0].connect(), servers[1].connect()]);
}, 40_000);

type Request = readonly (string | number)[];

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const around = (edge: number): number[] => [edge - 1, edge, edge + 1];

/** Values by what they are, as the requests that make them under the key `k`. */
function* values(): Generator<readonly [string, readonly Request[]]> {
  for (const text of [
    "",
    "a",
    "0",
    "-1",
    "12345",
    "9223372036854775807",
    "9223372036854775808",
    "1.5",
    "\r\n\0",
  ])
    yield [`string ${JSON.stringify(text)}`, [["SET", "k", text]]];
  for (const size of [...around(44), ...around(255), 20_000, 1_000_000])
    yield [`string of ${size}`, [["SET", "k", "x".repeat(size)]]];
  yield [
    "string appended to",
    [
      ["SET", "k", "12"],
      ["APPEND", "k", "34"],
    ],
  ];
  for (const count of [1, ...around(128), ...around(512), 3000]) {
    yield [`list of ${count}`, [["RPUSH", "k", ...numbers(count)]]];
    yield [`set of ${count} integers`, [["SADD", "k", ...numbers(count)]]];
    yield [`set of ${count} words`, [["SADD", "k", ...numbers(count).map((n) => `m${n}`)]]];
    yield [`hash of ${count}`, [["HSET", "k", ...numbers(count).flatMap((n) => [`f${n}`, n])]]];
    yield [`sorted set of ${count}`, [["ZADD", "k", ...numbers(count).flatMap((n) => [n / 3, `m${n}`])]]];
  }
  for (const size of around(64)) {
    const word = "w".repeat(size);
    yield [`list with a word of ${size}`, [["RPUSH", "k", "a", word, 1]]];
    yield [`hash with a word of ${size}`, [["HSET", "k", word, word]]];
    yield [`sorted set with a word of ${size}`, [["ZADD", "k", 1, word]]];
  }
  yield ["list with a huge element", [["RPUSH", "k", "y".repeat(10_000), "z"]]];
  const scores = [
    "-inf",
    "inf",
    "0",
    "-0",
    "1e300",
    "1e-300",
    "0.1",
    "3",
    "1234567890123456789",
    "17179869184.5",
  ];
  yield ["sorted set with odd scores", [["ZADD", "k", ...scores.flatMap((score, i) => [score, `m${i}`])]]];
}

async function digests(client: Client, ...keys: readonly string[]): Promise<string> {
  return JSON.stringify(await client.ask("DEBUG", "DIGEST-VALUE", ...keys));
}

test("every value has the digest it has in redis-server, and keeps it when it moves", async () => {
  for (const [name, requests] of values()) {
    for (const client of [redis, ours]) {
      await client.ok("FLUSHALL");
      for (const request of requests) await client.reply(...request);
    }
    const expected = await digests(redis, "k");
    expect(await digests(ours, "k"), name).toBe(expected);
    // There and back: what arrives may be encoded otherwise than what was built up here.
    await ours.reply("DEL", "k");
    await redis.ok("MIGRATE", "127.0.0.1", ports[1], "k", 0, 5000);
    expect(await digests(ours, "k"), `${name}, from redis-server`).toBe(expected);
    await ours.ok("MIGRATE", "127.0.0.1", ports[0], "k", 0, 5000);
    expect(await digests(redis, "k"), `${name}, and back`).toBe(expected);
  }
});

test("equal values have equal digests in whatever encoding", async () => {
  for (const client of [redis, ours]) {
    await client.ok("FLUSHALL");
    await client.reply("SADD", "s1", 1, 2, 3);
    await client.reply("SADD", "s2", "x", 1, 2, 3);
    await client.reply("SREM", "s2", "x");
    await client.reply("HSET", "h1", "f", "v");
    await client.reply("HSET", "h2", "f", "x".repeat(100));
    await client.reply("HSET", "h2", "f", "v");
    await client.reply("ZADD", "z1", 1, "m", 2, "n");
    await client.reply("ZADD", "z2", 2, "n", 1, "m", 3, "x".repeat(100));
    await client.reply("ZREM", "z2", "x".repeat(100));
    await client.reply("SET", "i", 12_345);
    await client.reply("APPEND", "t", "12345");
    await client.reply("SET", "e1", "v");
    await client.reply("SET", "e2", "v", "PX", 1_000_000);
  }
  const pairs = ["s1", "s2", "h1", "h2", "z1", "z2", "i", "t", "e1", "e2"] as const;
  const theirs = await digests(redis, ...pairs);
  expect(await digests(ours, ...pairs)).toBe(theirs);
  const each = JSON.parse(theirs) as readonly string[];
  for (const at of [0, 2, 4, 6]) expect(each[at + 1], pairs[at]!).toBe(each[at]!);
});

test("several keys, missing and expired ones, none at all", async () => {
  for (const client of [redis, ours]) {
    await client.ok("FLUSHALL");
    await client.ok("MSET", "k", "v", "l", "w");
    await client.ok("DEBUG", "SET-ACTIVE-EXPIRE", 0);
    await client.ok("SET", "gone", "x", "PX", 1);
    await client.ok("DEBUG", "SLEEP", 0.01);
  }
  for (const keys of [["k"], ["k", "l", "k"], ["missing"], ["k", "missing", "l"], ["gone"], [], [""]]) {
    const theirs = await redis.reply("DEBUG", "DIGEST-VALUE", ...keys);
    const mine = await ours.reply("DEBUG", "DIGEST-VALUE", ...keys);
    expect(mine.raw.toString(), JSON.stringify(keys)).toBe(theirs.raw.toString());
  }
  for (const client of [redis, ours]) await client.ok("DEBUG", "SET-ACTIVE-EXPIRE", 1);
});
