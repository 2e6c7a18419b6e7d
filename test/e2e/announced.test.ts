// Addresses a node announces in place of its own: peers and clients are told them, and its own again once they are taken
// back, over restarts too.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { type Flags, ownAllSlots, type Server, startOurs, startRedis } from "../support/servers.ts";

const scope = fileScope();

/** Where a node is, as SLOTS, SHARDS and NODES of whoever is asked say it. */
async function places(client: Client, id: string): Promise<string[]> {
  const nodes = await client.text("CLUSTER", "NODES");
  const line = nodes.split("\n").find((each) => each.startsWith(id)) ?? "";
  const slots = JSON.stringify(await client.ask("CLUSTER", "SLOTS"));
  const shards = JSON.stringify(await client.ask("CLUSTER", "SHARDS"));
  const host = /^\[\[0,16383,\["([^"]*)",(\d+)/.exec(slots);
  const shard = new RegExp(`"${id}","port",(\\d+),"ip","([^"]*)"`).exec(shards);
  return [line.split(" ")[1] ?? "", `${host?.[1]}:${host?.[2]}`, `${shard?.[2]}:${shard?.[1]}`];
}

async function meet(server: Server, peer: Client): Promise<void> {
  await peer.ok("CLUSTER", "MEET", "127.0.0.1", server.port);
}

test.each([
  ["ours", startOurs],
  ["redis-server", startRedis],
] as const)("an announced address goes when it is taken back; a peer of %s", async (_kind, startPeer) => {
  const server = await startOurs(scope);
  await ownAllSlots(server);
  const client = await server.connect();
  const id = await client.text("CLUSTER", "MYID");
  const peer = await (await startPeer(scope, { "cluster-enabled": "yes" })).connect();
  await meet(server, peer);
  const agree = (
    ip: string,
    port = server.port,
    busPort = server.port + 10_000,
    name = "",
  ): Promise<unknown> =>
    eventually(
      async () => {
        const wanted = [`${ip}:${port}@${busPort}${name}`, `${ip}:${port}`, `${ip}:${port}`];
        const told = [await places(client, id), await places(peer, id)];
        return told.every((each) => JSON.stringify(each) === JSON.stringify(wanted));
      },
      20_000,
      `both say ${ip}:${port}`,
    );
  const file = (): string => readFileSync(join(server.dir, "nodes.conf"), "utf8");
  await agree("127.0.0.1");
  // The bus port stays as it is: a peer that links to another one would lose us.
  await client.ok("CONFIG", "SET", "cluster-announce-ip", "127.0.0.9", "cluster-announce-port", 7);
  await client.ok("CONFIG", "SET", "cluster-announce-hostname", "nine.example");
  await agree("127.0.0.9", 7, server.port + 10_000, ",nine.example");
  await eventually(() => file().includes("127.0.0.9:7@"), 5000, "nodes.conf has it");
  await client.ok("CONFIG", "SET", "cluster-announce-ip", "", "cluster-announce-port", 0);
  await client.ok("CONFIG", "SET", "cluster-announce-hostname", "");
  await agree("127.0.0.1");
  await eventually(() => !/127\.0\.0\.9|nine/.test(file()), 5000, "nodes.conf has it no more");
});

test("an address announced at one start and not at the next is forgotten", async () => {
  const flags: Flags = { "cluster-announce-ip": "203.0.113.9" };
  const first = await startOurs(scope, flags);
  await ownAllSlots(first);
  const before = await first.connect();
  const id = await before.text("CLUSTER", "MYID");
  expect((await places(before, id))[1]).toBe(`203.0.113.9:${first.port}`);
  await first.stop("SIGTERM");
  const second = await startOurs(scope, {}, { dir: first.dir, port: first.port });
  const client = await second.connect();
  expect((await places(client, id))[1]).toBe(`:${second.port}`); // nobody has reached it yet
  const peer = await (await startOurs(scope)).connect();
  await meet(second, peer);
  const isTold = async (): Promise<boolean> =>
    (await places(client, id)).every((each) => each.startsWith(`127.0.0.1:${second.port}`));
  await eventually(isTold, 15_000, "the peer has told it its address");
});

test("what nodes.conf and INFO could not hold is refused, and the file stays readable", async () => {
  const server = await startOurs(scope);
  const client = await server.connect();
  for (const name of ["cluster-announce-ip", "replica-announce-ip"]) {
    for (const ip of ["10.0.0.9,x", "10.0.0.9 x", "10.0.0.9\nx", '10.0.0.9"', "10.0.0.9\u00e9"]) {
      expect(await client.ask("CONFIG", "SET", name, ip)).toBe(
        `-ERR CONFIG SET failed (possibly related to argument '${name}') - Addresses may only contain ` +
          "alphanumeric characters, hyphens, underscores, dots, colons or percent signs",
      );
    }
  }
  await client.ok("CONFIG", "SET", "cluster-announce-ip", "fe80::1%eth_0.x-y");
  const id = await client.text("CLUSTER", "MYID");
  await server.stop("SIGTERM");
  const again = await (await startOurs(scope, {}, { dir: server.dir })).connect();
  expect(await again.text("CLUSTER", "MYID")).toBe(id);
});
