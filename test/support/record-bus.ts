// Records what redis-servers say to each other on the cluster bus: packets of every type, for tests that send them to us.
// `bun test/support/record-bus.ts > test/support/bus-recording.txt`; a line per packet: its type, then its bytes,
// deflated, in base64. Each server announces a bus port of ours, which passes on what comes and keeps a copy.
import { deflateRawSync } from "node:zlib";
import { Scope } from "./cleanup.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./ports.ts";
import { redisCli, startRedis, type Server } from "./servers.ts";

const LIMIT_MS = 60_000;
/** Of each type so many are kept, of different lengths first. */
const KEPT = 4;

const packets: Buffer[] = [];

/** Takes whole frames from what came so far. */
function cut(pending: Buffer): Buffer {
  let rest = pending;
  while (rest.length >= 8 && rest.length >= rest.readUInt32BE(4)) {
    packets.push(Buffer.from(rest.subarray(0, rest.readUInt32BE(4))));
    rest = rest.subarray(rest.readUInt32BE(4));
  }
  return rest;
}

interface Way {
  to: Bun.Socket<Way> | undefined;
  pending: Buffer;
  waiting: Buffer[];
}

const handlers = {
  data(socket: Bun.Socket<Way>, chunk: Buffer): void {
    const way = socket.data;
    way.pending = cut(Buffer.concat([way.pending, chunk]));
    if (way.to === undefined) way.waiting.push(Buffer.from(chunk));
    else way.to.write(chunk);
  },
  close(socket: Bun.Socket<Way>): void {
    socket.data.to?.end();
  },
};

function passOn(port: number, busPort: number): Bun.TCPSocketListener<Way> {
  const way = (to?: Bun.Socket<Way>): Way => ({ to, pending: Buffer.alloc(0), waiting: [] });
  return Bun.listen<Way>({
    hostname: "127.0.0.1",
    port,
    socket: {
      ...handlers,
      open(socket) {
        socket.data = way();
        const target = { hostname: "127.0.0.1", port: busPort, data: way(socket), socket: handlers };
        void Bun.connect<Way>(target).then(
          (other) => {
            socket.data.to = other;
            for (const chunk of socket.data.waiting) other.write(chunk);
          },
          () => socket.end(),
        );
      },
    },
  });
}

const cli = (server: Server, ...args: (string | number)[]): Promise<string> =>
  redisCli(["-p", server.port, ...args], { mayFail: true });

async function record(scope: Scope): Promise<void> {
  const servers: Server[] = [];
  const buses: number[] = [];
  for (let i = 0; i < 5; i++) {
    const bus = await freePort();
    const server = await startRedis(scope, {
      "cluster-enabled": "yes",
      "cluster-node-timeout": 2000,
      "cluster-announce-bus-port": bus,
      "repl-ping-replica-period": 1,
      ...(i % 2 === 0 ? { "cluster-announce-hostname": `node-${i}.example.com` } : {}),
    });
    const listener = passOn(bus, server.port + 10_000);
    scope.defer(() => listener.stop(true));
    servers.push(server);
    buses.push(bus);
  }
  const [a, b, c, d, e] = servers as [Server, Server, Server, Server, Server];
  for (const [i, server] of [a, b, c].entries())
    await cli(server, "cluster", "addslotsrange", i * 5461, i === 2 ? 16_383 : i * 5461 + 5460);
  for (const [i, server] of servers.entries())
    if (i > 0) await cli(a, "cluster", "meet", "127.0.0.1", server.port, buses[i]!);
  const knowsAll = async (server: Server): Promise<boolean> =>
    (await cli(server, "cluster", "info")).includes("cluster_known_nodes:5");
  for (const server of servers) await eventually(() => knowsAll(server), LIMIT_MS, "all know all");
  const ids = await Promise.all(servers.map(async (server) => (await cli(server, "cluster", "myid")).trim()));
  for (const server of [d, e])
    await eventually(
      async () => (await cli(server, "cluster", "replicate", ids[0]!)).includes("OK"),
      LIMIT_MS,
    );
  await eventually(async () => (await cli(d, "info", "replication")).includes("link_status:up"), LIMIT_MS);
  await eventually(async () => (await cli(a, "cluster", "info")).includes("state:ok"), LIMIT_MS);
  await cli(b, "publish", "news", "x".repeat(300));
  await cli(a, "spublish", "{06S}shard", "y".repeat(40));
  await cli(b, "cluster", "bumpepoch");
  await cli(d, "cluster", "failover");
  await eventually(async () => (await cli(d, "role")).startsWith("master"), LIMIT_MS, "d takes over");
  await cli(a, "cluster", "failover", "takeover");
  await eventually(async () => (await cli(d, "role")).startsWith("slave"), LIMIT_MS, "a takes over again");
  a.child.kill("SIGSTOP");
  await eventually(() => packets.some((packet) => packet.readUInt16BE(12) === 3), LIMIT_MS, "a FAIL");
  const hasHeir = async (): Promise<boolean> =>
    /master/.test((await cli(e, "role")) + (await cli(d, "role")));
  await eventually(hasHeir, LIMIT_MS, "an heir");
  a.child.kill("SIGCONT");
  // It still claims its slots: an UPDATE puts it right.
  await eventually(() => packets.some((packet) => packet.readUInt16BE(12) === 7), LIMIT_MS, "an UPDATE");
}

const scope = new Scope();
try {
  await record(scope);
} finally {
  await scope.close();
}
const byType = new Map<number, Map<number, Buffer>>();
for (const packet of packets) {
  const type = packet.readUInt16BE(12);
  const kept = byType.get(type) ?? new Map<number, Buffer>();
  byType.set(type, kept);
  if (kept.size < KEPT && !kept.has(packet.length)) kept.set(packet.length, packet);
}
for (const [type, kept] of [...byType].toSorted(([x], [y]) => x - y))
  for (const packet of kept.values()) console.log(`${type} ${deflateRawSync(packet).toString("base64")}`);
process.exit(0);
