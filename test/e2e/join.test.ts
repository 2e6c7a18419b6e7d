// The join recipe against real redis-servers: what it asks for, and when it calls a cluster ready, must hold there too.
import { afterEach, expect, test } from "bun:test";
import { CommandLink } from "../../src/server/command-link.ts";
import { join } from "../../src/server/join.ts";
import { fileScope } from "../support/cleanup.ts";
import { redisCli, startRedis, type Server } from "../support/servers.ts";

const scope = fileScope();
const TIMEOUT_MS = 30_000;
const links: CommandLink[] = [];

afterEach(() => {
  for (const link of links.splice(0)) link.close();
});

async function startNodes(count: number): Promise<Server[]> {
  const flags = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": 2000,
    "repl-diskless-sync-delay": 0,
  };
  return await Promise.all(Array.from({ length: count }, () => startRedis(scope, flags)));
}

async function connect(servers: readonly Server[]): Promise<CommandLink[]> {
  const opened = await Promise.all(
    servers.map(({ port }) => CommandLink.open({ host: "127.0.0.1", port }, TIMEOUT_MS)),
  );
  links.push(...opened);
  return opened;
}

test("blank nodes become one cluster, which is then left as it is", async () => {
  const servers = await startNodes(4);
  const opened = await connect(servers);
  const shape = { masters: 2, replicas: 1, timeoutMs: TIMEOUT_MS };
  const { view, created } = await join(opened, shape);
  expect(created).toBe(true);
  const byPort = new Map(view.nodes.map((node) => [node.port, node]));
  const [first, second, third, fourth] = servers.map(({ port }) => byPort.get(port));
  expect(first?.slots).toEqual([{ start: 0, end: 8191 }]);
  expect(second?.slots).toEqual([{ start: 8192, end: 16383 }]);
  expect([third?.masterId, fourth?.masterId]).toEqual([first?.id, second?.id]);
  expect(await redisCli(["--cluster", "check", servers[0]!.address])).toContain(
    "[OK] All 16384 slots covered.",
  );

  const again = await join(opened, shape);
  expect(again.created).toBe(false);
  expect(again.view.nodes.map(({ id }) => id).toSorted()).toEqual(view.nodes.map(({ id }) => id).toSorted());
}, 60_000);

test("a cluster left half made is finished", async () => {
  const servers = await startNodes(3);
  const opened = await connect(servers);
  await opened[0]!.ask("CLUSTER", "SET-CONFIG-EPOCH", 1);
  await opened[0]!.ask("CLUSTER", "ADDSLOTSRANGE", 0, 99, 200, 16383);
  await opened[0]!.ask("CLUSTER", "MEET", "127.0.0.1", servers[1]!.port);
  const { view } = await join(opened, { masters: 1, replicas: 2, timeoutMs: TIMEOUT_MS });
  const master = view.nodes.find(({ port }) => port === servers[0]!.port);
  expect(master?.slots).toEqual([{ start: 0, end: 16383 }]);
  expect(view.nodes.filter(({ masterId }) => masterId === master?.id).length).toBe(2);
}, 60_000);

test("what is missing is said when the time is up", async () => {
  const opened = await connect(await startNodes(1));
  const joining = join(opened, { masters: 2, replicas: 0, timeoutMs: 300 });
  await expect(joining).rejects.toThrow(/not ready: .*8192 of 16384 slots/);
}, 60_000);
