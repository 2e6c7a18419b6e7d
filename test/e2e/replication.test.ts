// Masters and replicas by REPLICAOF: ours and real ones in every order. What a replica holds is compared key by key
// with its master, expiries included.
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { startFakeMaster } from "../support/fakemaster.ts";
import { eventually } from "../support/eventually.ts";
import { contents, follow, replicationInfo, untilCaughtUp, untilLinked } from "../support/replication.ts";
import { type Flags, type Server, startOurs, startRedis } from "../support/servers.ts";

const scope = fileScope();

type Kind = "ours" | "theirs";
const ALONE: Flags = { "cluster-enabled": "no" };

function start(kind: Kind, flags: Flags = {}): Promise<Server> {
  // A real master would wait five seconds for more replicas before it begins a copy.
  if (kind === "theirs") return startRedis(scope, { "repl-diskless-sync-delay": 0, ...flags });
  return startOurs(scope, { ...ALONE, ...flags });
}

/** Fills a server with strings of every form: numbers, short, long, compressible, binary, with and without expiry. */
async function fill(client: Client, count: number, from = 0): Promise<void> {
  const expireAtMs = Date.now() + 3_600_000;
  for (let at = from; at < from + count; at += 1000) {
    const requests: (string | number | Uint8Array)[][] = [];
    for (let i = at; i < Math.min(at + 1000, from + count); i++) {
      const key = `key:${i}`;
      const value = [
        String(i * 7919),
        `v${i}`,
        `${i} and on `.repeat(20),
        Buffer.from([0, 255, 13, 10, i & 255]),
      ][i % 4];
      if (i % 3 === 0) requests.push(["SET", key, value as string, "PXAT", expireAtMs + i]);
      else requests.push(["SET", key, value as string]);
    }
    await client.pipeline(requests);
  }
}

async function expectSame(master: Client, replica: Client): Promise<void> {
  await untilCaughtUp(master, replica);
  const [expected, found] = [await contents(master), await contents(replica)];
  expect(found.length).toBe(expected.length);
  expect(found).toEqual(expected);
}

describe.each<[Kind, Kind]>([
  ["ours", "theirs"],
  ["theirs", "ours"],
  ["ours", "ours"],
])("%s followed by %s", (masterKind, replicaKind) => {
  test("copies 50 000 keys while more are written, streams, and comes back after the link broke", async () => {
    const [masterServer, replicaServer] = [await start(masterKind), await start(replicaKind)];
    const master = await masterServer.connect();
    await fill(master, 50_000);
    await master.ask("SET", "long", "x".repeat(3_000_000));
    await master.ask("SELECT", 3);
    await master.ask("SET", "elsewhere", "here");
    await master.ask("SELECT", 0);
    // What the replica had before must go.
    const before = await replicaServer.connect();
    await before.ok("SET", "mine", "gone soon");

    const replica = await replicaServer.connect();
    await replica.ok("REPLICAOF", "127.0.0.1", masterServer.port);
    let written = 0;
    let isLinked = false;
    while (!isLinked) {
      await fill(master, 500, 40_000 + written);
      await master.pipeline([
        ["INCR", "counter"],
        ["APPEND", "tail", `${written};`],
        ["DEL", `key:${written}`],
      ]);
      written += 500;
      isLinked = (await replicationInfo(replica)).get("master_link_status") === "up";
    }
    await expectSame(master, replica);
    for (const database of [4, 6, 7, 0]) {
      await master.ok("SELECT", database);
      await replica.ok("SELECT", database);
      await expectSame(master, replica);
    }
    await replica.ask("SELECT", 3);
    expect(await replica.ask("GET", "elsewhere")).toBe("here");
    await replica.ask("SELECT", 0);
    expect(await replica.ask("SET", "a", "b")).toBe("-READONLY You can't write against a read only replica.");

    // Expiry, rewritten commands and other databases reach it too.
    await master.pipeline([
      ["SET", "brief", "x", "PX", 60],
      ["SETEX", "hour", 3600, "x"],
      ["GETDEL", "counter"],
      ["GETEX", "hour", "PERSIST"],
      ["INCRBYFLOAT", "float", "1.5"],
      ["EXPIRE", "long", 1000],
      ["SELECT", 5],
      ["SET", "five", "5"],
      ["COPY", "five", "copied", "DB", 0],
      ["SELECT", 0],
    ]);
    await eventually(async () => (await master.ask("GET", "brief")) === null, 5000, "the key expires");
    await master.ask("SET", "after", "expiry");
    await expectSame(master, replica);

    // The link breaks: the replica comes back by itself, goes on where it was and misses nothing.
    await fill(master, 1000, 100_000);
    await untilCaughtUp(master, replica);
    expect(await master.ask("CLIENT", "KILL", "TYPE", "replica")).toBe(1);
    await fill(master, 1000, 101_000);
    await untilLinked(replica);
    await expectSame(master, replica);
    const stats = await master.text("INFO", "stats");
    expect(stats).toContain("sync_full:1\r\n");
    expect(stats).toContain("sync_partial_ok:1\r\n");
    expect(await master.ask("WAIT", 1, 5000)).toBe(1);
  }, 120_000);
});

test("a chain ours - ours - theirs - ours passes every byte on, and its middle can be promoted", async () => {
  const servers = [await start("ours"), await start("ours"), await start("theirs"), await start("ours")];
  const top = await (servers[0] as Server).connect();
  await fill(top, 2000);
  const clients = [top];
  for (let i = 1; i < servers.length; i++) {
    clients.push(await follow(servers[i] as Server, servers[i - 1] as Server));
  }
  await fill(top, 2000, 2000);
  await top.ok("SET", "last", "word");
  for (const replica of clients.slice(1)) {
    await eventually(async () => (await replica.ask("GET", "last")) === "word", 10_000, "the write arrives");
    await expectSame(top, replica);
  }
  const offsets = await Promise.all(
    clients.map(async (client) => (await replicationInfo(client)).get("master_repl_offset")),
  );
  const ids = await Promise.all(
    clients.map(async (client) => (await replicationInfo(client)).get("master_replid")),
  );
  expect(new Set(ids).size).toBe(1);
  expect(new Set(offsets).size).toBe(1);

  const promoted = clients[1] as Client;
  await promoted.ok("REPLICAOF", "NO", "ONE");
  expect((await replicationInfo(promoted)).get("master_replid2")).toBe(ids[0] as string);
  await promoted.ok("SET", "after", "promotion");
  for (const replica of clients.slice(2)) {
    await eventually(
      async () => (await replica.ask("GET", "after")) === "promotion",
      20_000,
      "the write arrives",
    );
    await expectSame(promoted, replica);
  }
}, 60_000);

test("a replica that cannot reach its master serves what it has, unless told not to", async () => {
  const [masterServer, replicaServer] = [
    await start("ours"),
    await start("ours", { "replica-serve-stale-data": "no" }),
  ];
  const master = await masterServer.connect();
  await master.ok("SET", "a", "1");
  const replica = await follow(replicaServer, masterServer);
  await untilCaughtUp(master, replica);
  expect(await replica.ask("GET", "a")).toBe("1");
  await masterServer.stop("SIGKILL");
  const down = "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
  await eventually(async () => (await replica.ask("GET", "a")) === down, 5000, "MASTERDOWN");
  expect(((await replica.ask("ROLE")) as string[]).slice(0, 3)).toEqual([
    "slave",
    "127.0.0.1",
    masterServer.port,
  ] as never);
  await replica.ok("REPLICAOF", "NO", "ONE");
  expect(await replica.ask("GET", "a")).toBe("1");
}, 60_000);

test("a master asks for good replicas before it writes, where it is told to", async () => {
  const [masterServer, replicaServer] = [
    await start("ours", { "min-replicas-to-write": 1 }),
    await start("theirs"),
  ];
  const master = await masterServer.connect();
  expect(await master.ask("SET", "a", "1")).toBe("-NOREPLICAS Not enough good replicas to write.");
  const replica = await follow(replicaServer, masterServer);
  await eventually(async () => (await master.ask("SET", "a", "1")) === "OK", 5000, "the replica counts");
  expect(await master.ask("WAIT", 1, 5000)).toBe(1);
  expect(await master.ask("WAIT", 2, 50)).toBe(1);
  // One that waits for ever is answered as soon as enough replicas are there, one on a new replica is told so.
  const other = await start("ours");
  const patient = master.ask("WAIT", 2, 0);
  const second = await follow(other, masterServer);
  expect(await patient).toBe(2);
  const outsider = await masterServer.connect();
  const impatient = outsider.ask("WAIT", 3, 0);
  await second.ok("REPLICAOF", "NO", "ONE");
  await replica.ok("REPLICAOF", "NO", "ONE");
  await master.ok("REPLICAOF", "127.0.0.1", other.port);
  expect(String(await impatient)).toStartWith(
    "-UNBLOCKED force unblock from blocking operation, instance state changed",
  );
  await master.ok("REPLICAOF", "NO", "ONE");
  await eventually(
    async () => (await master.ask("SET", "a", "2")) === "-NOREPLICAS Not enough good replicas to write.",
    5000,
    "the master notices",
  );
}, 60_000);

test("a replica with a password follows a master that asks for one", async () => {
  const masterServer = await startRedis(scope, { "repl-diskless-sync-delay": 0 }, { password: "secret" });
  const master = await masterServer.connect();
  await master.ok("SET", "a", "1");
  const replicaServer = await start("ours", { masterauth: "secret" });
  const replica = await follow(replicaServer, masterServer);
  expect(await replica.ask("GET", "a")).toBe("1");
}, 60_000);

test("a replica that does not read is dropped at its limit, and the next is served", async () => {
  const server = await start("ours", { "client-output-buffer-limit": "replica 8mb 0 0" });
  const master = await server.connect();
  await fill(master, 1000);
  const dropped = Promise.withResolvers<void>();
  const socket = connect(server.port, "127.0.0.1");
  scope.defer(() => void socket.destroy());
  socket.once("close", () => dropped.resolve());
  socket.write("REPLCONF capa eof\r\nPSYNC ? -1\r\n");
  await eventually(
    async () => (await replicationInfo(master)).get("connected_slaves") === "1",
    5000,
    "it is a replica",
  );
  socket.pause();
  const value = "x".repeat(100_000);
  for (let i = 0; i < 300; i++) await master.ok("SET", "big", value);
  await eventually(
    async () => (await replicationInfo(master)).get("connected_slaves") === "0",
    5000,
    "the one that does not read is dropped",
  );
  socket.resume();
  await dropped.promise;
  const replica = await follow(await start("theirs"), server);
  await expectSame(master, replica);
}, 60_000);

test("transactions and publications of a real master pass; a command unknown here breaks the link and says so", async () => {
  const [masterServer, replicaServer] = [await start("theirs"), await start("ours")];
  const master = await masterServer.connect();
  const replica = await follow(replicaServer, masterServer);
  await master.pipeline([
    ["MULTI"],
    ["SET", "a", "1"],
    ["INCRBY", "b", "5"],
    ["EXEC"],
    ["PUBLISH", "news", "x"],
  ]);
  await expectSame(master, replica);
  expect(await replica.ask("MGET", "a", "b")).toEqual(["1", "5"]);
  await master.ask("XADD", "queue", "*", "job", "1");
  await eventually(
    () => replicaServer.child.output.includes("XADD, unknown here"),
    10_000,
    "the reason is in the log",
  );
  await master.ask("DEL", "queue");
  await untilLinked(replica);
  await expectSame(master, replica);
}, 60_000);

test("a copy that breaks off, or is damaged, costs a replica nothing of what it had", async () => {
  const id = "5".repeat(40);
  const copy = Buffer.from(`REDIS0010\xfe\0\0\x03new\x01n\xff`, "latin1");
  const whole = Buffer.concat([copy, Buffer.alloc(8)]);
  const damaged = Buffer.concat([copy, Buffer.alloc(8, 1)]);
  const master = await startFakeMaster(scope, (socket, turn) => {
    socket.write(`+FULLRESYNC ${id} 100\r\n$${whole.length}\r\n`);
    if (turn === 0) socket.end(whole.subarray(0, 15));
    else if (turn === 1) socket.write(damaged);
    // The third is good; a command follows it at once, another cut in two.
    else
      socket.write(
        Buffer.concat([whole, Buffer.from("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*3\r\n$3\r\nSE")]),
      );
  });
  const server = await start("ours");
  const replica = await server.connect();
  await replica.ok("SET", "old", "o");
  await replica.ok("REPLICAOF", "127.0.0.1", master.port);
  await eventually(() => master.asked.length >= 2, 10_000, "the replica comes again");
  expect(await replica.ask("GET", "old")).toBe("o");
  await eventually(async () => (await replica.ask("GET", "k")) === "v", 10_000, "the third copy is taken");
  expect(await replica.ask("MGET", "old", "new")).toEqual([null, "n"]);
  // Only whole commands count.
  const offset = 100 + "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n".length;
  expect((await replicationInfo(replica)).get("slave_repl_offset")).toBe(String(offset));
  expect(master.asked.slice(1).map((line) => line.split(" ")[1] === id)).toEqual([false, false]);
  await replica.ask("REPLICAOF", "NO", "ONE");
  expect((await replicationInfo(replica)).get("master_replid2")).toBe(id);
}, 60_000);

test("a stream in the master's data is refused by name, and what the replica had is kept", async () => {
  const [masterServer, replicaServer] = [await start("theirs"), await start("ours")];
  const master = await masterServer.connect();
  await master.ask("XADD", "queue", "*", "job", "1");
  const replica = await replicaServer.connect();
  await replica.ok("SET", "mine", "1");
  await replica.ok("REPLICAOF", "127.0.0.1", masterServer.port);
  const reason = "slotmesh cannot hold key queue: it is a stream";
  await eventually(() => replicaServer.child.output.includes(reason), 10_000, "the reason is in the log");
  expect((await replicationInfo(replica)).get("master_link_status")).toBe("down");
  expect(await replica.ask("GET", "mine")).toBe("1");
}, 60_000);
