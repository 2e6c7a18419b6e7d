// What operators did to slots outlives the node that was told, though nodes.conf itself is written a little later.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { fileScope } from "../support/cleanup.ts";
import { nodesOf, untilAgreed } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/ports.ts";
import { redisCli, type Server, startOurs } from "../support/servers.ts";

const scope = fileScope();
const FLAGS = { "cluster-enabled": "yes" };

async function openSlots(server: Server): Promise<readonly string[]> {
  const nodes = await nodesOf(server.port);
  return nodes.flatMap(({ slots }) => slots.filter((slot) => slot.startsWith("[")));
}

async function start(): Promise<{ servers: readonly Server[]; other: string }> {
  const ports = await freePorts(3);
  const servers = await Promise.all(ports.map((port) => startOurs(scope, FLAGS, { port })));
  await redisCli(["--cluster", "create", ...servers.map(({ address }) => address), "--cluster-yes"]);
  const nodes = await untilAgreed(ports);
  const other = nodes.find(({ port }) => port === ports[1])!.id;
  // Whatever the creation left to be saved is saved, and the next replacement is a second away.
  await eventually(() => !readFileSync(`${servers[0]!.dir}/nodes.conf`, "utf8").includes("handshake"), 5000);
  return { servers, other };
}

test("a node killed right after its answer comes back with its open slots", async () => {
  const { servers, other } = await start();
  const [victim] = servers;
  const client = await victim!.connect();
  const wanted: string[] = [];
  for (let slot = 0; slot < 200; slot++) {
    await client.ok("CLUSTER", "SETSLOT", slot, "MIGRATING", other);
    wanted.push(`[${slot}->-${other}]`);
  }
  await victim!.stop("SIGKILL");
  const again = await startOurs(scope, FLAGS, { port: victim!.port, dir: victim!.dir });
  expect(await openSlots(again)).toEqual(wanted);
  // It is in nodes.conf itself soon, and the journal is gone with a node that stops as it should.
  await eventually(() => readFileSync(`${again.dir}/nodes.conf`, "utf8").includes(`[199->-${other}]`), 5000);
  await again.stop();
  expect(existsSync(`${again.dir}/nodes.conf.journal`)).toBe(false);
  const third = await startOurs(scope, FLAGS, { port: victim!.port, dir: victim!.dir });
  expect(await openSlots(third)).toEqual(wanted);
});
