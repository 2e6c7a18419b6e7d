// A node whose bus port is sent what real packets become by chance or malice, whole, in pieces and byte by byte: it
// serves on, holds no more memory than before, and its nodes.conf loads again.
import { connect, type Socket } from "node:net";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { parseNodesConf } from "../../src/cluster/nodes-conf.ts";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { parseInfo } from "../support/info.ts";
import { mutate, recordedPackets } from "../support/mutate-bus.ts";
import { seeded, type Random } from "../support/random.ts";
import { startOurs, type Server } from "../support/servers.ts";
import { tempDir } from "../support/temp.ts";

const scope = fileScope();
const PACKETS = 800;
const packets = recordedPackets();
/** What a process may grow by: its own garbage included. */
const GROWTH_BYTES = 150e6;

/** A node that has met the senders of the recording; nobody is at their addresses. */
async function startAcquainted(): Promise<Server> {
  const dir = tempDir(scope);
  const ids = [...new Set(packets.map((packet) => packet.toString("latin1", 40, 80)))];
  const self = `${"f".repeat(40)} 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-16383\n`;
  const others = ids.map((id, i) => `${id} 127.0.0.1:${i + 3}@${i + 3} master - 0 0 ${i + 2} connected\n`);
  const vars = `vars currentEpoch ${ids.length + 1} lastVoteEpoch 0\n`;
  writeFileSync(`${dir}/nodes.conf`, self + others.join("") + vars);
  return startOurs(scope, { "cluster-enabled": "yes", "cluster-require-full-coverage": "no" }, { dir });
}

function open(server: Server): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(server.port + 10_000, "127.0.0.1", () => resolve(socket));
  socket.on("error", reject);
  socket.on("data", () => {});
  scope.defer(() => void socket.destroy());
  return promise;
}

async function residentBytes(client: Client): Promise<number> {
  return Number(parseInfo(await client.text("INFO", "memory")).get("used_memory_rss"));
}

async function expectLoads(server: Server): Promise<void> {
  const client = await server.connect();
  expect(String(await client.ask("CLUSTER", "BUMPEPOCH"))).toMatch(/BUMPED|STILL/);
  await client.ok("CLUSTER", "SAVECONFIG");
  const told = await client.text("CLUSTER", "MYID");
  expect(parseNodesConf(readFileSync(`${server.dir}/nodes.conf`, "utf8")).nodes.length).toBeGreaterThan(0);
  await server.stop("SIGKILL");
  const again = await startOurs(scope, { "cluster-enabled": "yes" }, { dir: server.dir });
  expect(await (await again.connect()).text("CLUSTER", "MYID")).toBe(told);
  await again.stop();
}

async function attack(server: Server, random: Random): Promise<void> {
  let socket = await open(server);
  for (let n = 0; n < PACKETS; n++) {
    if (socket.destroyed || socket.readyState !== "open") socket = await open(server);
    const bytes = mutate(random, packets);
    const pieces = random.chance(0.8) ? 1 : random.between(2, 40);
    for (let i = 0; i < pieces; i++) {
      const [from, to] = [i, i + 1].map((part) => Math.floor((bytes.length * part) / pieces));
      socket.write(bytes.subarray(from, to));
      if (pieces > 1) await Promise.resolve();
    }
    if (n % 10 === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  socket.destroy();
}

test("changed packets, in pieces of any size", async () => {
  const server = await startAcquainted();
  const client = await server.connect();
  const before = await residentBytes(client);
  await seeded(async (random) => {
    await attack(server, random);
    expect(String(await client.ask("PING"))).toBe("PONG");
    expect((await residentBytes(client)) - before).toBeLessThan(GROWTH_BYTES);
    expect(server.child.isRunning, server.child.output).toBe(true);
    await expectLoads(server);
  });
});

test("strangers that claim much, or send it, or send a byte at a time", async () => {
  const server = await startAcquainted();
  const client = await server.connect();
  const before = await residentBytes(client);
  const stranger = Buffer.from(packets.find((packet) => packet.readUInt16BE(12) === 4)!); // a publication
  stranger.fill("0", 40, 80);

  const claims: Socket[] = [];
  for (let i = 0; i < 20; i++) {
    const socket = await open(server);
    stranger.writeUInt32BE(i % 2 === 0 ? 0xffffffff : 1 << 29, 4);
    socket.write(stranger);
    claims.push(socket);
  }
  await eventually(
    () => claims.every((socket) => socket.destroyed || socket.readyState !== "open"),
    10_000,
    "all are closed",
  );

  // Just what a stranger may send, never whole.
  stranger.writeUInt32BE(1 << 20, 4);
  for (let i = 0; i < 10; i++) (await open(server)).write(Buffer.concat([stranger, Buffer.alloc(900_000)]));
  const slow = await open(server);
  const ping = packets[0]!;
  for (const byte of ping) slow.write(Uint8Array.of(byte));
  await eventually(() => slow.bytesRead > 0, 10_000, "the PONG to a PING that came byte by byte");
  expect((await residentBytes(client)) - before).toBeLessThan(GROWTH_BYTES);
  expect(String(await client.ask("PING"))).toBe("PONG");
  await expectLoads(server);
});
