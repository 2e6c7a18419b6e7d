// Masters that hand over, masters that are killed, nodes that come and go: no key is lost, and all agree in the end.
import { describe, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import {
  createWithCli,
  nodesOf,
  startNodes,
  untilAgreed,
  untilOk,
  untilReplicating,
  type NodeLine,
} from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { redisCli, type Server } from "../support/servers.ts";

const scope = fileScope();
const LIMIT_MS = 30_000;
const KEYS = Array.from({ length: 40 }, (_, i) => `key:${i}`);

const isReplica = (node: NodeLine | undefined): boolean => node?.flags.includes("slave") === true;

async function lineOf(port: number, id: string): Promise<NodeLine | undefined> {
  return (await nodesOf(port)).find((seen) => seen.id === id);
}

async function expectKeys(port: number): Promise<void> {
  const commands = KEYS.map((key) => `get ${key}\n`).join("");
  const seen = await redisCli(["-c", "-p", port], { stdin: commands });
  const values = seen.split("\n").filter((line) => line.startsWith("value of "));
  expect(values).toEqual(KEYS.map((key) => `value of ${key}`));
}

async function start(kinds: {
  ours: number;
  redis?: number;
}): Promise<{ servers: Server[]; nodes: NodeLine[] }> {
  const servers = await startNodes(scope, kinds);
  const ports = servers.map(({ port }) => port);
  for (const port of ports) await redisCli(["-p", port, "config", "set", "cluster-node-timeout", 1500]);
  await createWithCli(servers, 1);
  const nodes = await untilAgreed(ports);
  await untilOk(ports);
  await untilReplicating(nodes.filter(isReplica).map(({ port }) => port));
  await redisCli(["-c", "-p", ports[0]!], {
    stdin: KEYS.map((key) => `set ${key} "value of ${key}"\n`).join(""),
  });
  return { servers, nodes };
}

describe.each([{ ours: 6 }, { ours: 3, redis: 3 }])("a cluster of %p", (kinds) => {
  test("hands its masters over, and replaces one that is killed", async () => {
    const { servers, nodes } = await start(kinds);
    const ports = servers.map(({ port }) => port);
    const replicas = nodes.filter(isReplica);
    for (const replica of replicas) {
      expect(await redisCli(["-p", replica.port, "cluster", "failover"])).toBe("OK\n");
      const master = nodes.find(({ id }) => id === replica.master)!;
      await eventually(async () => isReplica(await lineOf(master.port, master.id)), LIMIT_MS);
    }
    await untilAgreed(ports);
    await untilOk(ports);
    const former = nodes.filter((seen) => !isReplica(seen));
    await untilReplicating(former.map(({ port }) => port));
    await expectKeys(ports[0]!);

    const [victim] = replicas;
    const heir = former.find(({ id }) => id === victim!.master)!;
    await servers.find(({ port }) => port === victim!.port)!.stop("SIGKILL");
    const left = ports.filter((port) => port !== victim!.port);
    await eventually(async () => (await lineOf(left[0]!, heir.id))?.flags.includes("master"), LIMIT_MS);
    await untilOk(left);
    await expectKeys(left[0]!);
  });
});

test("redis-cli adds a node and takes it out again", async () => {
  const { servers } = await start({ ours: 6 });
  const [fresh] = await startNodes(scope, { ours: 1 });
  const [first] = servers;
  const added = await redisCli(["--cluster", "add-node", fresh!.address, first!.address]);
  expect(added).toContain("[OK] New node added correctly.");
  const ports = [...servers, fresh!].map(({ port }) => port);
  await untilAgreed(ports);
  const id = (await redisCli(["-p", fresh!.port, "cluster", "myid"])).trim();
  const taken = await redisCli(["--cluster", "del-node", first!.address, id]);
  expect(taken).toContain("CLUSTER RESET SOFT");
  await untilAgreed(servers.map(({ port }) => port));
  expect((await nodesOf(fresh!.port)).length).toBe(1);
  expect(await redisCli(["--cluster", "check", first!.address])).toContain("[OK] All 16384 slots covered.");
});
