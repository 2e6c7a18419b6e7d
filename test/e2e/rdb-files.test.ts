// Files with collections of all sizes: what redis-server saved ours loads, what ours saved redis-server loads, and each its
// own; in the end the digest of all data is the same.
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { type Flags, type Server, startOurs, startRedis } from "../support/servers.ts";

setDefaultTimeout(120_000);
const scope = fileScope();
const KINDS = {
  ours: (flags: Flags, dir?: string): Promise<Server> =>
    startOurs(scope, { "cluster-enabled": "no", ...flags }, dir === undefined ? {} : { dir }),
  redis: (flags: Flags, dir?: string): Promise<Server> =>
    startRedis(scope, flags, dir === undefined ? {} : { dir }),
} as const;
type Kind = keyof typeof KINDS;

const BIG = 30_000;
const BATCH = 500;

/** Commands that build one collection of `count` elements each. */
function* growing(count: number): Generator<(string | number)[]> {
  for (let from = 0; from < count; from += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => from + i);
    yield ["RPUSH", `list:${count}`, ...numbers.map((n) => `element ${n} ${"of a list ".repeat(n % 5)}`)];
    yield ["SADD", `set:${count}`, ...numbers.map((n) => `member ${n}`)];
    yield ["SADD", `integers:${count}`, ...numbers.map((n) => n * 7)];
    yield ["HSET", `hash:${count}`, ...numbers.flatMap((n) => [`field ${n}`, "v".repeat(n % 90)])];
    yield ["ZADD", `sorted:${count}`, ...numbers.flatMap((n) => [Math.sin(n) * n, `member ${n}`])];
  }
}

async function fill(client: Client): Promise<void> {
  const requests = [1, 2, 50, 300, BIG].flatMap((count) => Array.from(growing(count)));
  for (let n = 0; n < 3000; n++) {
    const type = n % 3;
    if (type === 0) requests.push(["HSET", `small:${n}`, "name", `name ${n}`, "age", n % 100]);
    else if (type === 1) requests.push(["ZADD", `small:${n}`, n / 8, "a", n, "b"]);
    else requests.push(["LPUSH", `small:${n}`, n, "text", -n]);
    if (n % 5 === 0) requests.push(["PEXPIREAT", `small:${n}`, 4_000_000_000_000 + n]);
  }
  requests.push(["SADD", "gone", "a"], ["PEXPIRE", "gone", 1]);
  requests.push(["SELECT", 3], ["RPUSH", "elsewhere", "x", "y"], ["SELECT", 0]);
  for (let from = 0; from < requests.length; from += 200)
    await client.pipeline(requests.slice(from, from + 200));
}

async function digestOf(client: Client): Promise<string> {
  return client.text("DEBUG", "DIGEST");
}

test.each([
  ["redis", "ours", {}],
  ["ours", "redis", {}],
  ["ours", "ours", {}],
  ["ours", "redis", { rdbcompression: "no" }],
  ["redis", "ours", { rdbcompression: "no", "list-compress-depth": 2 }],
] as const)("%s writes, %s reads, with %p", async (writer: Kind, reader: Kind, flags: Flags) => {
  const first = await KINDS[writer](flags);
  const client = await first.connect();
  await fill(client);
  await eventually(async () => (await client.ask("EXISTS", "gone")) === 0, 5000, "what expires is gone");
  const digest = await digestOf(client);
  await client.ok("SAVE");
  await first.stop("SIGKILL");
  expect(existsSync(join(first.dir, "dump.rdb"))).toBe(true);
  const second = await KINDS[reader]({}, first.dir);
  const found = await second.connect();
  expect(await digestOf(found)).toBe(digest);
});

test.each([
  ["redis", "ours", "allkeys-lru"],
  ["ours", "redis", "allkeys-lru"],
  ["redis", "ours", "volatile-lfu"],
  ["ours", "redis", "volatile-lfu"],
] as const)(
  "%s writes, %s reads how long or how often keys were used under %s",
  async (writer, reader, policy) => {
    const flags = { "maxmemory-policy": policy, "lfu-decay-time": 0 };
    const isLfu = policy.endsWith("lfu");
    const first = await KINDS[writer](flags);
    const client = await first.connect();
    await client.ok("SET", "text", "x");
    await client.reply("RPUSH", "list", "x");
    for (const key of ["text", "list"]) {
      const { value } = await client.reply("DUMP", key);
      const payload = value.kind === "bulk" ? value.bytes : Buffer.of();
      await client.ok("RESTORE", key, 0, payload, "REPLACE", isLfu ? "FREQ" : "IDLETIME", isLfu ? 200 : 5000);
    }
    await client.ok("SAVE");
    await first.stop("SIGKILL");
    const found = await (await KINDS[reader](flags, first.dir)).connect();
    for (const key of ["text", "list"]) {
      const age = Number(await found.ask("OBJECT", isLfu ? "FREQ" : "IDLETIME", key));
      expect(age).toBeGreaterThanOrEqual(isLfu ? 200 : 5000);
      expect(age).toBeLessThan(isLfu ? 201 : 5060);
    }
  },
);
