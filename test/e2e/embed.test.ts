// The library inside the caller's process: ready means ready, and nothing stays behind.
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { startCluster, startServer, StartError, type EmbeddedCluster } from "../../src/embed/index.ts";
import { fileScope } from "../support/cleanup.ts";
import { Client } from "../support/client.ts";
import { clusterInfo, info, nodesOf } from "../support/cluster.ts";
import { freePort } from "../support/ports.ts";
import { redisCli, startRedis } from "../support/servers.ts";
import { tempDir } from "../support/temp.ts";

const scope = fileScope();
const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

async function started<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const each = await starting;
  running.push(each);
  return each;
}

async function isReached(port: number): Promise<boolean> {
  try {
    (await Client.open(port)).close();
    return true;
  } catch {
    return false;
  }
}

describe("startServer", () => {
  test("serves every key alone on a free port, and is gone when stopped", async () => {
    const server = await started(startServer());
    expect(await redisCli(["-c", "-p", server.port, "set", "key", "value"])).toBe("OK\n");
    expect(await redisCli(["-c", "-p", server.port, "get", "key"])).toBe("value\n");
    expect(server.ports).toEqual([server.port]);
    expect(existsSync(server.dir)).toBe(true);
    await server.stop();
    expect(existsSync(server.dir)).toBe(false);
    expect(await isReached(server.port)).toBe(false);
    expect(await isReached(server.port + 10_000)).toBe(false);
  });

  test("takes a port, a directory that stays, and directives of every kind", async () => {
    const port = await freePort();
    const dir = tempDir(scope);
    const config = { maxmemory: "1gb", requirepass: "secret", "cluster-enabled": false, databases: 16 };
    const server = await started(startServer({ port, dir, config }));
    expect(server.port).toBe(port);
    const client = await Client.open(port, { password: "secret" });
    expect(await client.ask("CLUSTER", "MYID")).toBe("-ERR This instance has cluster support disabled");
    client.close();
    await server.stop();
    expect(existsSync(dir)).toBe(true);
  });

  test("stopping what a client has shut down already is no error", async () => {
    const server = await startServer();
    const client = await Client.open(server.port);
    client.write("SHUTDOWN NOSAVE\r\n");
    await client.untilClosed(5000);
    await server.stop();
    await server.stop();
  });

  test("several live side by side, each with its own keys", async () => {
    const servers = await Promise.all([1, 2, 3].map(() => started(startServer())));
    expect(new Set(servers.map(({ port }) => port)).size).toBe(3);
    for (const { port } of servers) await redisCli(["-p", port, "set", "port", port]);
    for (const { port } of servers) expect(await redisCli(["-p", port, "get", "port"])).toBe(`${port}\n`);
  });

  test("says what is wrong, and leaves nothing behind", async () => {
    const taken = await startRedis(scope);
    await expect(startServer({ port: taken.port })).rejects.toThrow(StartError);
    await expect(startServer({ port: taken.port })).rejects.toThrow(/Address already in use/);
    await expect(startServer({ config: { maxmemori: "1gb" } })).rejects.toThrow(/did you mean 'maxmemory'/);
    await expect(startServer({ config: { maxmemory: "much" } })).rejects.toThrow(StartError);
    await expect(startServer({ port: 60_000 })).rejects.toThrow(/no room for the bus/);
  });
});

/** Everything a user may rely on at the moment the promise resolves: no waiting in here. */
async function expectReady(cluster: EmbeddedCluster, masters: number, replicas: number): Promise<void> {
  expect(cluster.ports.length).toBe(masters * (1 + replicas));
  expect(cluster.nodes.map(({ port }) => port)).toEqual([...cluster.ports]);
  const tables = await Promise.all(cluster.ports.map((port) => nodesOf(port)));
  const story = (nodes: (typeof tables)[number]): string[] =>
    nodes.map(({ id, slots, flags }) => `${id} ${flags.includes("master")} ${slots.join()}`).toSorted();
  for (const nodes of tables) expect(story(nodes)).toEqual(story(tables[0]!));
  for (const port of cluster.ports) {
    expect(await clusterInfo(port)).toMatchObject({
      cluster_state: "ok",
      cluster_slots_ok: "16384",
      cluster_known_nodes: String(cluster.ports.length),
      cluster_size: String(masters),
    });
  }
  for (const { port, role, masterPort } of cluster.nodes) {
    if (role === "master") continue;
    expect(cluster.nodes.find((node) => node.port === masterPort)?.role).toBe("master");
    expect((await info(port, "replication"))["master_link_status"]).toBe("up");
  }
  expect(cluster.nodes.filter(({ role }) => role === "master").length).toBe(masters);
}

describe("startCluster", () => {
  test("masters alone: all slots shared out and served", async () => {
    const cluster = await started(startCluster({ masters: 3, replicas: 0 }));
    await expectReady(cluster, 3, 0);
    const [first] = cluster.ports;
    expect(await redisCli(["-c", "-p", first!, "set", "key", "value"])).toBe("OK\n");
    expect(await redisCli(["--cluster", "check", `127.0.0.1:${first}`])).toContain("All 16384 slots covered");
    const dirs = cluster.nodes.map(({ dir }) => dir);
    await cluster.stop();
    for (const dir of dirs) expect(existsSync(dir)).toBe(false);
    for (const port of cluster.ports) expect(await isReached(port)).toBe(false);
  });

  test("three masters with a replica each: replicas hold what masters took", async () => {
    const cluster = await started(startCluster({ masters: 3, replicas: 1 }));
    await expectReady(cluster, 3, 1);
    // Nothing was written yet, and still every node knows of every replica that it serves.
    for (const port of cluster.ports) {
      const slots = await redisCli(["-p", port, "cluster", "slots"]);
      for (const { id } of cluster.nodes) expect(slots).toContain(id);
      expect(await redisCli(["-p", port, "cluster", "shards"])).not.toContain("loading");
    }
    const [first] = cluster.ports;
    for (let i = 0; i < 20; i++) {
      expect(await redisCli(["-c", "-p", first!, "set", `key:${i}`, i])).toBe("OK\n");
    }
    const sizes = async (role: string): Promise<number> => {
      const found = cluster.nodes.filter((node) => node.role === role);
      const counts = await Promise.all(found.map(({ port }) => redisCli(["-p", port, "dbsize"])));
      return counts.reduce((sum, count) => sum + Number(count), 0);
    };
    expect(await sizes("master")).toBe(20);
    expect(await sizes("replica")).toBe(20);
  });

  test("a directory keeps identities and slots for the next start, on whatever ports", async () => {
    const dir = tempDir(scope);
    const first = await startCluster({ masters: 3, replicas: 0, dir });
    const identity = ({ id, slots }: (typeof first.nodes)[number]): unknown => ({ id, slots });
    const before = first.nodes.map(identity);
    await first.stop();
    const second = await started(startCluster({ masters: 3, replicas: 0, dir }));
    await expectReady(second, 3, 0);
    expect(second.nodes.map(identity)).toEqual(before);
    await expect(startCluster({ masters: 5, replicas: 0, dir })).rejects.toThrow(
      /keeps a cluster of 3 nodes, and 5 are asked for/,
    );
  });

  test("a password is asked of clients and known to the nodes", async () => {
    const cluster = await started(
      startCluster({ masters: 1, replicas: 1, config: { requirepass: "secret" } }),
    );
    const client = await Client.open(cluster.ports[0]!);
    expect(await client.ask("GET", "key")).toBe("-NOAUTH Authentication required.");
    client.close();
    expect(cluster.nodes.map(({ role }) => role)).toEqual(["master", "replica"]);
  });

  test("nonsense is refused, and a taken port leaves nothing running", async () => {
    await expect(startCluster({ masters: 0 })).rejects.toThrow(/masters is to be a whole number from 1/);
    await expect(startCluster({ replicas: 1.5 })).rejects.toThrow(/replicas is to be/);
    const taken = await startRedis(scope);
    await expect(startCluster({ masters: 2, replicas: 0, port: taken.port - 1 })).rejects.toThrow(
      /Address already in use/,
    );
    expect(await isReached(taken.port - 1)).toBe(false);
  });
});
