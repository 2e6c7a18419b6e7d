// Client libraries as people use them, unmodified, against a cluster of three.
import { beforeAll, describe, expect, test } from "bun:test";
import { Cluster } from "ioredis";
import { BasicPooledClientSideCache, createCluster } from "redis";
import { fileScope, type Scope } from "../support/cleanup.ts";
import { Client } from "../support/client.ts";
import { type NodeLine, startCluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { type Server, startOurs } from "../support/servers.ts";

const KEYS = Array.from({ length: 200 }, (_, i) => `key:${i}`);

describe("a cluster of three masters", () => {
  const scope = fileScope();
  let servers: Server[];
  let nodes: NodeLine[];

  beforeAll(async () => {
    ({ servers, nodes } = await startCluster(scope, { ours: 3 }, 0));
  }, 120_000);

  test("ioredis Cluster finds its way from any one node", async () => {
    for (const { port } of servers) {
      const cluster = ioredis(scope, port);
      expect(await cluster.set("key", "value")).toBe("OK");
      expect(await cluster.get("key")).toBe("value");
      cluster.disconnect();
    }
  });

  test("ioredis Cluster: reads and writes in every slot, pipelines, expiry, many keys with one tag", async () => {
    const cluster = ioredis(scope, servers[0]?.port ?? 0);
    await Promise.all(KEYS.map((key) => cluster.set(`ioredis:${key}`, `value of ${key}`)));
    expect(await Promise.all(KEYS.map((key) => cluster.get(`ioredis:${key}`)))).toEqual(
      KEYS.map((key) => `value of ${key}`),
    );
    expect(cluster.nodes("master").length).toBe(3);
    const sizes = await Promise.all(cluster.nodes("master").map((node) => node.dbsize()));
    expect(Math.min(...sizes)).toBeGreaterThan(30);
    const pipeline = cluster.pipeline();
    for (let i = 0; i < 100; i++) pipeline.incr("{tag}counter").append("{tag}log", "x");
    const results = await pipeline.exec();
    expect(results?.at(-2)).toEqual([null, 100]);
    expect(results?.at(-1)).toEqual([null, 100]);
    expect(await cluster.mset("{tag}a", "1", "{tag}b", "2")).toBe("OK");
    expect(await cluster.mget("{tag}a", "{tag}b", "{tag}missing")).toEqual(["1", "2", null]);
    expect(await cluster.set("{tag}a", "x", "EX", 100, "NX")).toBeNull();
    expect(await cluster.set("{tag}a", "x", "EX", 100, "XX")).toBe("OK");
    expect(await cluster.ttl("{tag}a")).toBeWithin(95, 101);
    const binary = Buffer.from([0, 255, 13, 10]);
    await cluster.set("{tag}binary", binary);
    expect(await cluster.getBuffer("{tag}binary")).toEqual(binary);
    await expectFailure(cluster.mget("a", "b"), /CROSSSLOT/);
    cluster.disconnect();
  });

  test("node-redis keeps what it has read until somebody changes it", async () => {
    const cache = new BasicPooledClientSideCache({ maxEntries: 100, recordStats: true });
    const cluster = createCluster({
      rootNodes: servers.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })),
      RESP: 3,
      clientSideCache: cache,
    });
    scope.defer(() => (cluster.isOpen ? cluster.destroy() : undefined));
    await cluster.connect();
    const writer = ioredis(scope, servers[0]?.port ?? 0);
    await Promise.all(KEYS.slice(0, 20).map((key) => writer.set(`cached:${key}`, "1")));
    for (const key of KEYS.slice(0, 20).map((name) => `cached:${name}`)) {
      const before = cache.stats().hitCount;
      expect([await cluster.get(key), await cluster.get(key)]).toEqual(["1", "1"]);
      expect(cache.stats().hitCount).toBe(before + 1);
      await writer.set(key, "2");
      await eventually(async () => (await cluster.get(key)) === "2", 5000, `${key} is read anew`);
    }
    cluster.destroy();
    writer.disconnect();
  });

  test("node-redis createCluster, in RESP2 and RESP3", async () => {
    for (const RESP of [2, 3] as const) {
      const cluster = createCluster({ rootNodes: [{ url: `redis://${servers[1]?.address}` }], RESP });
      cluster.on("error", () => {});
      scope.defer(() => cluster.destroy());
      await cluster.connect();
      await Promise.all(KEYS.map((key) => cluster.set(`node-redis:${RESP}:${key}`, key)));
      expect(await Promise.all(KEYS.map((key) => cluster.get(`node-redis:${RESP}:${key}`)))).toEqual(KEYS);
      expect(cluster.masters.length).toBe(3);
      expect(await cluster.incrBy(`{${RESP}}n`, 41)).toBe(41);
      expect(await cluster.incr(`{${RESP}}n`)).toBe(42);
      expect(await cluster.mGet([`{${RESP}}n`, `{${RESP}}missing`])).toEqual(["42", null]);
      expect(
        await cluster.set(`{${RESP}}n`, "x", { expiration: { type: "PX", value: 100_000 }, GET: true }),
      ).toBe("42");
      expect(await cluster.pTTL(`{${RESP}}n`)).toBeWithin(90_000, 100_001);
      expect(await cluster.del([`{${RESP}}n`])).toBe(1);
    }
  });

  test("Bun's RedisClient on the node that owns the key", async () => {
    const owner = nodes.find(({ slots }) => slots.includes("10923-16383"));
    const client = new Bun.RedisClient(`redis://127.0.0.1:${owner?.port}`);
    scope.defer(() => client.close());
    expect(await client.set("key", "of bun")).toBe("OK");
    expect(await client.get("key")).toBe("of bun");
    expect(await client.incr("{key}n")).toBe(1);
    expect(await client.expire("key", 100)).toBe(1);
    expect(await client.ttl("key")).toBeWithin(95, 101);
    expect(await client.exists("key")).toBe(true);
    expect(await client.del("key")).toBe(1);
    expect(await client.get("key")).toBeNull();
    const stranger = nodes.find(({ slots }) => slots.includes("0-5460"));
    const lost = new Bun.RedisClient(`redis://127.0.0.1:${stranger?.port}`);
    scope.defer(() => lost.close());
    await expectFailure(lost.get("key"), /MOVED 12539/);
  });
});

describe("a node alone", () => {
  const scope = fileScope();
  let server: Server;

  beforeAll(async () => {
    server = await startOurs(scope);
  });

  test("ioredis Cluster takes it for a cluster of one", async () => {
    const cluster = ioredis(scope, server.port);
    await Promise.all(KEYS.map((key) => cluster.set(key, key)));
    expect(await Promise.all(KEYS.map((key) => cluster.get(key)))).toEqual(KEYS);
    expect(cluster.nodes("master").length).toBe(1);
    cluster.disconnect();
  });

  test("node-redis createCluster does too", async () => {
    const cluster = createCluster({ rootNodes: [{ url: `redis://${server.address}` }] });
    cluster.on("error", () => {});
    scope.defer(() => cluster.destroy());
    await cluster.connect();
    expect(await cluster.set("alone", "yes")).toBe("OK");
    expect(await cluster.get("alone")).toBe("yes");
  });

  test("Bun's RedisClient", async () => {
    const client = new Bun.RedisClient(`redis://${server.address}`);
    scope.defer(() => client.close());
    expect(await Promise.all(KEYS.map((key) => client.set(`bun:${key}`, key)))).toEqual(KEYS.map(() => "OK"));
    expect(await Promise.all(KEYS.map((key) => client.get(`bun:${key}`)))).toEqual(KEYS);
  });

  test("it shows slots to clients and none to redis-cli, so that a cluster can still be made of it", async () => {
    const client = await Client.open(server.port);
    scope.defer(() => client.close());
    const slots = await client.ask("CLUSTER", "SLOTS");
    expect(slots).toEqual([[0, 16383, ["127.0.0.1", server.port, await client.text("CLUSTER", "MYID"), []]]]);
    expect(await client.text("CLUSTER", "NODES")).toMatch(
      /^[0-9a-f]{40} \S* myself,master - 0 0 \d+ connected\n$/,
    );
    const info = await client.text("CLUSTER", "INFO");
    expect(info).toContain("cluster_state:ok\r\n");
    expect(info).toContain("cluster_slots_assigned:0\r\n");
    expect(info).toContain("cluster_known_nodes:1\r\n");
  });
});

function ioredis(scope: Scope, port: number): Cluster {
  const cluster = new Cluster([{ host: "127.0.0.1", port }], { slotsRefreshTimeout: 5000 });
  cluster.on("error", () => {});
  scope.defer(() => cluster.disconnect());
  return cluster;
}

async function expectFailure(promise: Promise<unknown>, text: RegExp): Promise<void> {
  const failure = await promise.then(
    () => undefined,
    (error: unknown) => String(error instanceof Error ? error.message : error),
  );
  expect(failure).toMatch(text);
}
