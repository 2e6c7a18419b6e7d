// The first session of an operator: six nodes, redis-cli makes a cluster of them, keys are set through any node.
import { beforeAll, describe, expect, test } from "bun:test";
import { fileScope, Scope } from "../support/cleanup.ts";
import { Client } from "../support/client.ts";
import {
  clusterInfo,
  createWithCli,
  type NodeLine,
  startNodes,
  untilAgreed,
  untilOk,
  untilReplicating,
} from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { redisCli, type Server } from "../support/servers.ts";

const MESSAGE_KINDS = ["ping", "pong", "meet"] as const;

describe("redis-cli --cluster create on six nodes", () => {
  const scope = fileScope();
  let servers: Server[];
  let ports: number[];
  let created: string;
  let nodes: NodeLine[];

  beforeAll(async () => {
    servers = await startNodes(scope, { ours: 6 });
    ports = servers.map(({ port }) => port);
    created = await createWithCli(servers, 1);
    nodes = await untilAgreed(ports);
    await untilOk(ports);
  }, 120_000);

  const masters = (): NodeLine[] => nodes.filter(({ flags }) => flags.includes("master"));
  const ownerOf = (range: string): NodeLine => {
    const owner = masters().find(({ slots }) => slots.includes(range));
    if (owner === undefined) throw new Error(`nobody owns ${range}`);
    return owner;
  };

  test("it shares out the slots and is content", () => {
    for (const range of ["0-5460", "5461-10922", "10923-16383"])
      expect(created).toContain(`slots:[${range}]`);
    expect(created.match(/^M: /gm)?.length).toBeGreaterThanOrEqual(3);
    expect(created.match(/^S: /gm)?.length).toBeGreaterThanOrEqual(3);
    expect(created.match(/^ +replicates [0-9a-f]{40}$/gm)?.length).toBeGreaterThanOrEqual(3);
    expect(created).toContain("[OK] All nodes agree about slots configuration.");
    expect(created).toContain("[OK] All 16384 slots covered.");
    expect(created).not.toContain("[ERR]");
  });

  test("--cluster check agrees from every node", async () => {
    const outputs = await Promise.all(
      servers.map(({ address }) => redisCli(["--cluster", "check", address])),
    );
    for (const output of outputs) {
      expect(output).toContain("[OK] All nodes agree about slots configuration.");
      expect(output).toContain("[OK] All 16384 slots covered.");
      expect(output).not.toMatch(/ERR|WARNING/);
    }
  });

  test("CLUSTER INFO has every line", async () => {
    for (const port of ports) {
      const hasPinged = async (): Promise<boolean> => {
        const found = await clusterInfo(port);
        return ["sent", "received"].every((way) => Number(found[`cluster_stats_messages_ping_${way}`]) > 0);
      };
      await eventually(hasPinged, 10_000, "it has pinged somebody, and been pinged: each does once a second");
      const info = await clusterInfo(port);
      expect(info).toMatchObject({
        cluster_state: "ok",
        cluster_slots_assigned: "16384",
        cluster_slots_ok: "16384",
        cluster_slots_pfail: "0",
        cluster_slots_fail: "0",
        cluster_known_nodes: "6",
        cluster_size: "3",
      });
      expect(Number(info["cluster_current_epoch"])).toBeGreaterThanOrEqual(6);
      expect(Number(info["cluster_my_epoch"])).toBeGreaterThanOrEqual(1);
      for (const direction of ["sent", "received"]) {
        const counted = MESSAGE_KINDS.map((kind) =>
          Number(info[`cluster_stats_messages_${kind}_${direction}`] ?? 0),
        );
        expect(counted[0]).toBeGreaterThan(0);
        expect(Number(info[`cluster_stats_messages_${direction}`])).toBeGreaterThanOrEqual(
          counted.reduce((a, b) => a + b, 0),
        );
      }
      expect(info["total_cluster_links_buffer_limit_exceeded"]).toBe("0");
    }
  });

  test("CLUSTER NODES tells addresses, bus ports, roles and slots", async () => {
    expect(nodes.map(({ port }) => port).toSorted()).toEqual(ports.toSorted());
    for (const node of nodes) {
      expect(node.id).toMatch(/^[0-9a-f]{40}$/);
      expect(node.busPort).toBe(node.port + 10_000);
    }
    const replicas = nodes.filter(({ flags }) => flags.includes("slave"));
    expect(replicas.map(({ master }) => master).toSorted()).toEqual(
      masters()
        .map(({ id }) => id)
        .toSorted(),
    );
    expect(new Set(masters().map(({ configEpoch }) => configEpoch)).size).toBe(3);
  });

  test("redis-cli -c is redirected to the owner of the slot", async () => {
    const owner = ownerOf("10923-16383");
    const other = ownerOf("0-5460");
    const output = await redisCli(["-c", "-p", other.port], { stdin: "set key value\nget key\n" });
    const redirected = `-> Redirected to slot [12539] located at 127.0.0.1:${owner.port}`;
    expect(output.split("\n").slice(0, 3)).toEqual([redirected, "OK", "value"]);
    const client = await Client.open(other.port);
    expect(await client.ask("SET", "key", "value")).toBe(`-MOVED 12539 127.0.0.1:${owner.port}`);
    client.close();
  });

  test("keys spread over all masters and their replicas hold copies", async () => {
    const replicas = nodes.filter(({ flags }) => flags.includes("slave"));
    await untilReplicating(replicas.map(({ port }) => port));
    const commands = Array.from({ length: 300 }, (_, i) => `set key:${i} value:${i}\n`).join("");
    const output = await redisCli(["-c", "-p", ownerOf("0-5460").port], { stdin: commands });
    expect(output.match(/^OK$/gm)?.length).toBe(300);
    for (const replica of replicas) {
      const master = masters().find(({ id }) => id === replica.master);
      if (master === undefined) throw new Error(`replica ${replica.port} has no master`);
      const [theirs, copy] = [await Client.open(master.port), await Client.open(replica.port)];
      const held = Number(await theirs.ask("DBSIZE"));
      expect(held).toBeGreaterThan(50);
      await eventually(
        async () => (await copy.ask("DBSIZE")) === held,
        10_000,
        `replica ${replica.port} holds ${held} keys`,
      );
      await copy.ok("READONLY");
      const names = await theirs.reply("KEYS", "*");
      if (names.value.kind !== "array") throw new Error("KEYS gave no array");
      for (const name of names.value.items) {
        if (name.kind !== "bulk") throw new Error("a key is no bulk string");
        expect((await copy.reply("GET", name.bytes)).raw).toEqual(
          (await theirs.reply("GET", name.bytes)).raw,
        );
      }
      theirs.close();
      copy.close();
    }
  });

  test("a replica redirects what it may not serve", async () => {
    const master = ownerOf("10923-16383");
    const replica = nodes.find((node) => node.master === master.id);
    if (replica === undefined) throw new Error("the master has no replica");
    const client = await Client.open(replica.port);
    const moved = `-MOVED 12539 127.0.0.1:${master.port}`;
    expect(await client.ask("GET", "key")).toBe(moved);
    await client.ok("READONLY");
    await eventually(
      async () => (await client.ask("GET", "key")) === "value",
      5000,
      "the replica serves reads",
    );
    expect(await client.ask("SET", "key", "other")).toBe(moved);
    await client.ok("READWRITE");
    expect(await client.ask("GET", "key")).toBe(moved);
    expect(await client.ask("MGET", "a", "b")).toBe("-CROSSSLOT Keys in request don't hash to the same slot");
    client.close();
  });

  test("--cluster call, info and set-timeout reach every node", async () => {
    const first = servers[0]?.address ?? "";
    const called = await redisCli(["--cluster", "call", first, "ping"]);
    expect(called.match(/PONG/g)?.length).toBe(6);
    const info = await redisCli(["--cluster", "info", first]);
    expect(info).toMatch(/\d+ keys in 3 masters\./);
    const timeout = await redisCli(["--cluster", "set-timeout", first, 6000]);
    expect(timeout).toContain("6 OK, 0 ERR");
  });
});

test("redis-cli --cluster create asks first, and a yes is enough", async () => {
  const scope = new Scope();
  try {
    const servers = await startNodes(scope, { ours: 3 });
    const addresses = servers.map(({ address }) => address);
    const output = await redisCli(["--cluster", "create", ...addresses], {
      stdin: "yes\n",
      timeoutMs: 60_000,
    });
    expect(output).toContain("Can I set the above configuration?");
    expect(output).toContain("[OK] All 16384 slots covered.");
    const refused = await redisCli(["--cluster", "create", ...addresses, "--cluster-yes"], { mayFail: true });
    expect(refused).toMatch(/is not empty/);
  } finally {
    await scope.close();
  }
}, 90_000);
