// Messages between nodes of both kinds, over the bus and over replication, and clients as people use them.
import { beforeAll, describe, expect, test } from "bun:test";
import { Cluster, Redis } from "ioredis";
import { createCluster } from "redis";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import {
  createWithCli,
  type NodeLine,
  startNodes,
  untilAgreed,
  untilOk,
  untilReplicating,
} from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { plain } from "../support/resp.ts";
import { redisCli, type Server, startOurs, startRedis } from "../support/servers.ts";

const scope = fileScope();

/** The messages a subscriber gets next. */
async function messages(client: Client, count: number): Promise<unknown[]> {
  const all: unknown[] = [];
  for (let i = 0; i < count; i++) all.push(plain((await client.read()).value));
  return all;
}

/** Nothing came but what was read. */
async function expectNoMore(client: Client): Promise<void> {
  expect(await client.ask("PING", "end")).toEqual(["pong", "end"]);
}

describe("a cluster of both kinds", () => {
  let servers: Server[];
  let nodes: NodeLine[];
  const serverOf = (port: number): Server => servers.find((server) => server.port === port)!;
  const masters = (): NodeLine[] => nodes.filter(({ flags }) => flags.includes("master"));
  const replicaOf = (master: NodeLine): NodeLine => nodes.find((node) => node.master === master.id)!;

  beforeAll(async () => {
    const [a, b, c, x, y, z] = await startNodes(scope, { ours: 3, redis: 3 });
    servers = [a!, x!, b!, y!, c!, z!];
    await createWithCli(servers, 1);
    const ports = servers.map(({ port }) => port);
    nodes = await untilAgreed(ports, 60_000);
    await untilOk(ports);
    await untilReplicating(nodes.filter(({ flags }) => flags.includes("slave")).map(({ port }) => port));
  }, 150_000);

  test("what is published on any node is heard on all, once", async () => {
    const listeners = await Promise.all(servers.map((server) => server.connect()));
    for (const [i, listener] of listeners.entries())
      await (i % 2 === 0 ? listener.ask("SUBSCRIBE", "news") : listener.ask("PSUBSCRIBE", "n?ws"));
    const big = "x".repeat(100_000);
    for (const [n, server] of servers.entries()) {
      const publisher = await server.connect();
      expect(await publisher.ask("PUBLISH", "news", `from ${n}`)).toBe(1);
      expect(await publisher.ask("PUBLISH", "news", big)).toBe(1);
    }
    // Publishers' links are independent of each other.
    const wanted = servers.flatMap((_, n) => [`from ${n}`, big]).toSorted();
    for (const listener of listeners) {
      const heard = (await messages(listener, 12)) as string[][];
      expect(heard.map((words) => words.at(-1)!).toSorted()).toEqual(wanted);
      await expectNoMore(listener);
    }
  });

  test("a sharded message is heard by its shard alone, whichever of its nodes it is published on", async () => {
    for (const master of masters()) {
      const slot = Number(master.slots[0]!.split("-")[0]);
      const channel = await channelIn(slot, Number(master.slots[0]!.split("-")[1]), serverOf(master.port));
      const shard = [serverOf(master.port), serverOf(replicaOf(master).port)];
      const listeners = await Promise.all(shard.map((server) => server.connect()));
      for (const listener of listeners)
        expect(await listener.ask("SSUBSCRIBE", channel)).toEqual(["ssubscribe", channel, 1]);
      for (const server of servers) {
        const publisher = await server.connect();
        const reply = await publisher.ask("SPUBLISH", channel, `by ${server.port}`);
        if (shard.includes(server)) expect(reply).toBe(1);
        else expect(reply).toMatch(new RegExp(String.raw`^-MOVED \d+ 127\.0\.0\.1:${master.port}$`));
      }
      for (const listener of listeners) {
        const heard = (await messages(listener, 2)) as string[][];
        expect(heard.map((words) => words.join(" ")).toSorted()).toEqual(
          shard.map(({ port }) => `smessage ${channel} by ${port}`).toSorted(),
        );
        await expectNoMore(listener);
      }
    }
  });

  test("a slot that is resharded away takes its subscribers' channels with it", async () => {
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const [source, target] = [masters()[from]!, masters()[to]!];
      const [first, last] = source.slots[0]!.split("-").map(Number);
      const channel = await channelIn(first!, last!, serverOf(source.port));
      const listener = await serverOf(source.port).connect();
      await listener.ask("SSUBSCRIBE", channel);
      const slot = await (await serverOf(source.port).connect()).ask("CLUSTER", "KEYSLOT", channel);
      for (const node of [target, source])
        await (await serverOf(node.port).connect()).ok("CLUSTER", "SETSLOT", String(slot), "NODE", target.id);
      expect(await messages(listener, 1)).toEqual([["sunsubscribe", channel, 0]]);
      const moved = await listener.ask("SSUBSCRIBE", channel);
      expect(moved).toBe(`-MOVED ${String(slot)} 127.0.0.1:${target.port}`);
    }
    await untilAgreed(servers.map(({ port }) => port));
  });

  test("ioredis: a cluster's subscriber hears what any node publishes", async () => {
    const [subscriber, publisher] = [1, 0].map(
      (n) => new Cluster([{ host: "127.0.0.1", port: servers[n]!.port }]),
    );
    for (const cluster of [subscriber!, publisher!]) scope.defer(() => cluster.disconnect());
    const heard: string[] = [];
    subscriber!.on("message", (channel, text) => heard.push(`${channel} ${text}`));
    subscriber!.on("pmessage", (pattern, channel, text) => heard.push(`${pattern} ${channel} ${text}`));
    await subscriber!.subscribe("io:news");
    await subscriber!.psubscribe("io:o*");
    for (let n = 0; n < 20; n++) await publisher!.publish(n % 2 === 0 ? "io:news" : "io:other", String(n));
    await eventually(() => heard.length === 20, 10_000, "all were heard");
    expect(heard.toSorted()).toEqual(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? `io:news ${n}` : `io:o* io:other ${n}`)).toSorted(),
    );
  });

  test("node-redis: channels and sharded channels of a cluster", async () => {
    const cluster = createCluster({ rootNodes: [{ url: `redis://${servers[0]!.address}` }] });
    cluster.on("error", () => {});
    scope.defer(() => cluster.destroy());
    await cluster.connect();
    const heard: string[] = [];
    await cluster.subscribe("nr:news", (text) => heard.push(text));
    for (let n = 0; n < 10; n++)
      await cluster.sSubscribe(`nr:${n}`, (text, channel) => heard.push(`${channel} ${text}`));
    await cluster.publish("nr:news", "plain");
    for (let n = 0; n < 10; n++) expect(await cluster.sPublish(`nr:${n}`, "sharded")).toBe(1);
    await eventually(() => heard.length === 11, 10_000, "all were heard");
    expect(heard.toSorted()).toEqual(
      [...Array.from({ length: 10 }, (_, n) => `nr:${n} sharded`), "plain"].toSorted(),
    );
  });

  /** A channel whose slot is in a range. */
  async function channelIn(first: number, last: number, server: Server): Promise<string> {
    const client = await server.connect();
    for (let n = 0; ; n++) {
      const slot = Number(await client.ask("CLUSTER", "KEYSLOT", `channel:${n}`));
      if (slot >= first && slot <= last) return `channel:${n}`;
    }
  }
});

describe.each([
  ["a replica of ours", startRedis, startOurs],
  ["a replica of theirs", startOurs, startRedis],
  ["a replica of ours, of ours", startOurs, startOurs],
])("without a cluster: %s", (_, startMaster, startReplica) => {
  test("hears what is published on its master, and its replica what it hears", async () => {
    const flags = { "cluster-enabled": "no", "repl-diskless-sync-delay": 0 };
    const [master, replica, last] = await Promise.all([
      startMaster(scope, flags),
      startReplica(scope, flags),
      startReplica(scope, flags),
    ]);
    for (const [from, to] of [
      [replica, master],
      [last, replica],
    ] as const) {
      const client = await from.connect();
      await client.ok("REPLICAOF", "127.0.0.1", String(to.port));
      const isUp = async (): Promise<boolean> =>
        (await client.text("INFO", "replication")).includes("master_link_status:up");
      await eventually(isUp, 20_000, "the replica follows");
    }
    const listeners = await Promise.all([replica.connect(), last.connect()]);
    for (const listener of listeners) {
      await listener.ask("SUBSCRIBE", "news");
      await listener.ask("SSUBSCRIBE", "shard");
    }
    const publisher = await master.connect();
    await publisher.pipeline([
      ["PUBLISH", "news", "1"],
      ["SET", "k", "v"],
      ["MULTI"],
      ["PUBLISH", "news", "2"],
      ["INCR", "n"],
      ["SPUBLISH", "shard", "3"],
      ["EXEC"],
      ["PUBLISH", "else", "4"],
      ["PUBLISH", "news", "5"],
    ]);
    for (const listener of listeners) {
      expect(await messages(listener, 4)).toEqual([
        ["message", "news", "1"],
        ["message", "news", "2"],
        ["smessage", "shard", "3"],
        ["message", "news", "5"],
      ]);
      await expectNoMore(listener);
    }
    const own = await replica.connect();
    expect(await own.ask("PUBLISH", "news", "own")).toBe(1);
    expect(await messages(listeners[0]!, 1)).toEqual([["message", "news", "own"]]);
    await expectNoMore(listeners[1]!);
  }, 60_000);
});

describe("one node", () => {
  test("cuts a subscriber that does not read, and serves the others", async () => {
    const server = await startOurs(scope, { "client-output-buffer-limit": "pubsub 1mb 0 0" });
    const [slow, quick, publisher] = [await server.connect(), await server.connect(), await server.connect()];
    for (const client of [slow, quick]) await client.ask("SUBSCRIBE", "news");
    slow.pause();
    const text = "x".repeat(10_000);
    let sent = 0;
    const isCut = async (): Promise<boolean> => {
      for (let n = 0; n < 100; n++, sent++) await publisher.ask("PUBLISH", "news", text);
      return (await publisher.ask("PUBSUB", "NUMSUB", "news"))?.toString() === "news,1";
    };
    await eventually(isCut, 30_000, "the slow one is cut");
    expect((await messages(quick, sent)).length).toBe(sent);
    slow.resume();
    await slow.untilClosed();
  }, 60_000);

  test("redis-cli and ioredis hear keyspace notifications", async () => {
    const server = await startOurs(scope, { "notify-keyspace-events": "Ex$" });
    const client = new Redis(server.port);
    const writer = new Redis(server.port);
    for (const redis of [client, writer]) scope.defer(() => redis.disconnect());
    const heard: string[] = [];
    client.on("message", (channel, key) => heard.push(`${channel} ${key}`));
    await client.subscribe("__keyevent@0__:expired", "__keyevent@0__:set");
    await writer.set("gone", "soon", "PX", 20);
    await eventually(() => heard.length === 2, 10_000, "it expires by itself");
    expect(heard).toEqual(["__keyevent@0__:set gone", "__keyevent@0__:expired gone"]);
    expect(await redisCli(["-p", server.port, "config", "get", "notify-keyspace-events"])).toContain("$xE");
  });
});
