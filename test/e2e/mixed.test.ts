// Real redis-servers and ours in one cluster: the bus speaks one language, so all of them must tell the same.
import { beforeAll, describe, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
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

describe.each([
  ["our masters, their replicas", 0],
  ["their masters, our replicas", 3],
])("%s", (_, rotate) => {
  const scope = fileScope();
  let servers: Server[];
  let ports: number[];
  let nodes: NodeLine[];
  let created: string;

  beforeAll(async () => {
    const started = await startNodes(scope, { ours: 3, redis: 3 });
    // redis-cli makes masters of the first it is given.
    servers = [...started.slice(rotate), ...started.slice(0, rotate)];
    ports = servers.map(({ port }) => port);
    created = await createWithCli(servers, 1);
    nodes = await untilAgreed(ports, 60_000);
    await untilOk(ports);
  }, 150_000);

  test("redis-cli makes the cluster and is content", () => {
    expect(created).toContain("[OK] All nodes agree about slots configuration.");
    expect(created).toContain("[OK] All 16384 slots covered.");
  });

  test("every node tells the same of all six", () => {
    expect(nodes.length).toBe(6);
    expect(nodes.filter(({ flags }) => flags.join() === "master").length).toBe(3);
    expect(nodes.filter(({ flags }) => flags.join() === "slave").length).toBe(3);
  });

  test("every node sees the whole cluster in CLUSTER INFO, SLOTS and SHARDS", async () => {
    const tells = await Promise.all(
      ports.map(async (port) => {
        const info = await clusterInfo(port);
        expect(info).toMatchObject({
          cluster_state: "ok",
          cluster_known_nodes: "6",
          cluster_size: "3",
          cluster_slots_ok: "16384",
        });
        const client = await Client.open(port);
        const slots = await client.ask("CLUSTER", "SLOTS");
        client.close();
        if (!Array.isArray(slots)) throw new Error("CLUSTER SLOTS gave no array");
        return slots.map((range) => JSON.stringify((range as unknown[]).slice(0, 3))).toSorted();
      }),
    );
    for (const tell of tells) expect(tell).toEqual(tells[0] ?? []);
  });

  test("keys written through any node reach masters and replicas of either kind", async () => {
    await untilReplicating(nodes.filter(({ flags }) => flags.includes("slave")).map(({ port }) => port));
    const commands = Array.from({ length: 200 }, (_unused, i) => `set key:${i} value:${i}\n`).join("");
    const output = await redisCli(["-c", "-p", ports[0] ?? 0], { stdin: commands });
    expect(output.match(/^OK$/gm)?.length).toBe(200);
    for (const replica of nodes.filter(({ flags }) => flags.includes("slave"))) {
      const master = nodes.find(({ id }) => id === replica.master);
      const [theirs, copy] = [await Client.open(master?.port ?? 0), await Client.open(replica.port)];
      const held = await theirs.ask("DBSIZE");
      expect(Number(held)).toBeGreaterThan(20);
      await eventually(
        async () => (await copy.ask("DBSIZE")) === held,
        10_000,
        `the replica holds ${String(held)} keys`,
      );
      theirs.close();
      copy.close();
    }
  });

  test("it holds: two seconds of gossip later nobody suspects anybody", async () => {
    const before = (await clusterInfo(ports[0] ?? 0))["cluster_stats_messages_received"];
    const later = async (): Promise<boolean> =>
      Number((await clusterInfo(ports[0] ?? 0))["cluster_stats_messages_received"]) > Number(before) + 20;
    await eventually(later, 30_000, "twenty more messages came");
    for (const node of await untilAgreed(ports)) expect(["master", "slave"]).toContain(node.flags.join());
  });
});
