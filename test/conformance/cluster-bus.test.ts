// The bus beside real redis-servers: what they say of us and what we say of them must be the same.
import { expect, test } from "bun:test";
import { describeNodes } from "../../src/cluster/nodes-conf.ts";
import { BusNode } from "../support/bus-node.ts";
import { fileScope } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { redisCli, startRedis, type Server } from "../support/servers.ts";

const scope = fileScope();
const LIMIT_MS = 20_000;

async function cli(port: number, ...args: string[]): Promise<string> {
  return (await redisCli(["-p", port, ...args])).trimEnd();
}

/** Real servers by port, for those tests that end one. */
const servers = new Map<number, Server>();

async function startReal(): Promise<number> {
  const flags = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": 2000,
    "cluster-replica-validity-factor": 0, // a bus alone has no data to be too old
  };
  const server = await startRedis(scope, flags);
  servers.set(server.port, server);
  return server.port;
}

async function startBus(): Promise<BusNode> {
  const port = await freePort();
  const node = new BusNode({
    port,
    busPort: port + 10_000,
    nodeTimeoutMs: 2000,
    validityFactor: 0,
    hostname: "ours.example",
  });
  scope.defer(() => node.stop());
  return node;
}

/** CLUSTER NODES without what differs by nature: who speaks, ping times, order. */
function normal(text: string): string {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [id, place, flags, master, , , epoch, link, ...slots] = line.split(" ");
      return [id, place, flags?.replace("myself,", ""), master, epoch, link, ...slots].join(" ");
    })
    .toSorted()
    .join("\n");
}

async function views(reals: readonly number[], ours: readonly BusNode[]): Promise<string[]> {
  const theirs = await Promise.all(reals.map((port) => cli(port, "cluster", "nodes")));
  return [...theirs, ...ours.map((node) => describeNodes(node.machine.state))].map(normal);
}

async function agree(reals: readonly number[], ours: readonly BusNode[], nodes: number): Promise<string> {
  return eventually(async () => {
    const seen = await views(reals, ours);
    const [first] = seen;
    if (new Set(seen).size === 1 && first?.split("\n").length === nodes) return first;
    throw new Error(`no agreement:\n${[...new Set(seen)].join("\n---\n")}`);
  }, LIMIT_MS);
}

async function makeMixed(): Promise<{ reals: number[]; ours: BusNode[] }> {
  const reals = [await startReal(), await startReal(), await startReal()];
  const ours = [await startBus(), await startBus(), await startBus()];
  const epochOf = (i: number): string => `${i + 1}`;
  for (const [i, port] of reals.entries()) {
    await cli(port, "cluster", "addslotsrange", `${i * 2000}`, `${i * 2000 + 1999}`);
    await cli(port, "cluster", "set-config-epoch", epochOf(i));
  }
  for (const [i, node] of ours.slice(0, 2).entries()) {
    const start = 6000 + i * 5000;
    node.ask({ type: "addSlots", ranges: [{ start, end: i === 1 ? 16_383 : start + 4999 }] });
    node.ask({ type: "setConfigEpoch", epoch: i + 4 });
  }
  for (const port of reals.slice(1)) await cli(port, "cluster", "meet", "127.0.0.1", `${reals[0]}`);
  for (const node of ours)
    node.ask({ type: "meet", ip: "127.0.0.1", port: reals[0]!, busPort: reals[0]! + 10_000 });
  await agree(reals, ours, 6);
  return { reals, ours };
}

test("three real servers and three machines come to one view, roles and moves of slots included", async () => {
  const { reals, ours } = await makeMixed();
  const [first, second, third] = ours;
  await eventually(
    async () => (await cli(reals[0]!, "cluster", "info")).includes("cluster_state:ok"),
    LIMIT_MS,
  );
  await eventually(() => ours.every((node) => node.machine.state.ok), LIMIT_MS);

  // A replica of a real master, and one of ours that a real server follows.
  const realId = await cli(reals[0]!, "cluster", "myid");
  expect(third!.ask({ type: "replicate", node: realId })).toEqual({ status: "OK" });
  const text = await agree(reals, ours, 6);
  expect(text).toContain(`slave ${realId}`);

  // A slot moves from ours to a real one and back, by SETSLOT alone.
  const target = await cli(reals[1]!, "cluster", "myid");
  const source = first!.machine.state.myself.id;
  expect(await cli(reals[1]!, "cluster", "setslot", "6000", "importing", source)).toBe("OK");
  expect(first!.ask({ type: "setSlot", slot: 6000, to: "migrating", node: target })).toEqual({
    status: "OK",
  });
  expect(await cli(reals[1]!, "cluster", "setslot", "6000", "node", target)).toBe("OK");
  expect(first!.ask({ type: "setSlot", slot: 6000, to: "node", node: target })).toEqual({ status: "OK" });
  await agree(reals, ours, 6);
  expect(second!.machine.state.slots.owner(6000)?.id).toBe(target);
  first!.ask({ type: "setSlot", slot: 6000, to: "importing", node: target });
  await cli(reals[1]!, "cluster", "setslot", "6000", "migrating", source);
  first!.ask({ type: "setSlot", slot: 6000, to: "node", node: source });
  await cli(reals[1]!, "cluster", "setslot", "6000", "node", source);
  await agree(reals, ours, 6);
  expect(second!.machine.state.slots.owner(6000)?.id).toBe(source);
  for (const node of ours) expect(node.faults).toEqual([]);
});

test("a node of ours that dies is failed by all, and a forgotten one stays forgotten", async () => {
  const { reals, ours } = await makeMixed();
  const [first, second, third] = ours;
  first!.stop();
  const dead = first!.machine.state.myself.id;
  const says = async (flag: string): Promise<boolean> =>
    (await views(reals, [second!, third!])).every((view) =>
      view.split("\n").some((line) => line.startsWith(dead) && line.includes(flag)),
    );
  await eventually(() => says(" master,fail "), LIMIT_MS);
  await eventually(
    async () => (await cli(reals[0]!, "cluster", "info")).includes("cluster_state:fail"),
    LIMIT_MS,
  );
  for (const port of reals) expect(await cli(port, "cluster", "forget", dead)).toBe("OK");
  for (const node of [second!, third!])
    expect(node.ask({ type: "forget", node: dead })).toEqual({ status: "OK" });
  await agree(reals, [second!, third!], 5);
});

test("masters of both kinds elect replicas of both kinds", async () => {
  const { reals, ours } = await makeMixed();
  const [first, second, third] = ours;
  const idOf = (node: BusNode | undefined): string => node!.machine.state.myself.id;
  await eventually(() => ours.every((node) => node.machine.state.ok), LIMIT_MS);

  // One of ours follows a real master, which dies: two real masters and two of ours are left to vote.
  const dying = await cli(reals[0]!, "cluster", "myid");
  third!.ask({ type: "replicate", node: dying });
  await agree(reals, ours, 6);
  await servers.get(reals[0]!)!.stop("SIGKILL");
  await eventually(() => third!.machine.state.slots.owner(0)?.id === idOf(third), LIMIT_MS);
  const left = reals.slice(1);
  await eventually(
    async () => (await cli(left[0]!, "cluster", "info")).includes("cluster_state:ok"),
    LIMIT_MS,
  );
  expect(await cli(left[0]!, "cluster", "nodes")).toContain(`${idOf(third)} 127.0.0.1:`);
  expect((await cli(left[1]!, "cluster", "info")).includes("auth-ack_sent:1")).toBe(true);
  for (const port of left) await cli(port, "cluster", "forget", dying);
  for (const node of ours) node.ask({ type: "forget", node: dying });

  // A real server follows one of ours, which dies.
  const fresh = await startReal();
  await cli(fresh, "cluster", "meet", "127.0.0.1", `${left[0]}`);
  await agree([...left, fresh], ours, 6);
  expect(await cli(fresh, "cluster", "replicate", idOf(first))).toBe("OK");
  await agree([...left, fresh], ours, 6);
  first!.stop();
  const heir = await cli(fresh, "cluster", "myid");
  await eventually(() => second!.machine.state.slots.owner(6000)?.id === heir, LIMIT_MS);
  expect(second!.machine.state.sent.get("authAck")).toBeGreaterThan(0);
  await eventually(() => second!.machine.state.ok && third!.machine.state.ok, LIMIT_MS);
});
