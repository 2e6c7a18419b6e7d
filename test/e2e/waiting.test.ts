// Clients that wait, as job queues use them: over a cluster that loses a master, by the thousand, and on servers that
// replicate to one another.
import { describe, expect, test } from "bun:test";
import { Cluster } from "ioredis";
import { fileScope } from "../support/cleanup.ts";
import { Client } from "../support/client.ts";
import { startCluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { seeded, type Random } from "../support/random.ts";
import { follow, untilCaughtUp } from "../support/replication.ts";
import { type Server, startOurs, startRedis } from "../support/servers.ts";

const scope = fileScope();
const ALONE = { "cluster-enabled": "no" };
const JOBS = 300;
const WORKERS = 4;
/** All keys of the queue share a slot. */
const [WAITING, ACTIVE, DELAYED, DONE] = ["{q}waiting", "{q}active", "{q}delayed", "{q}done"] as const;

describe("a queue of jobs on a cluster", () => {
  test("loses no job that a replica had, when its master is killed", async () => {
    const { servers } = await startCluster(scope, { ours: 6 }, 1);
    const ports = servers.map(({ port }) => port);
    for (const port of ports) await ask(port, "CONFIG", "SET", "cluster-node-timeout", "1500");
    let isOver = false;
    const workers = Array.from({ length: WORKERS }, () => work(ports, () => isOver));
    const promoter = promote(ports, () => isOver);
    const safe = new Set<string>();
    for (let i = 0; i < JOBS; i++) {
      // Once a master is lost its replica is alone, and nothing more is killed.
      const copies = i <= JOBS / 2 ? 1 : 0;
      if (await add(ports, `job:${i}`, i % 10 === 0, copies)) safe.add(`job:${i}`);
      if (i === JOBS / 2) await servers.find(({ port }) => port === owner)?.stop("SIGKILL");
    }
    expect(safe.size).toBeGreaterThan(JOBS / 2);
    const cluster = connect(ports);
    await eventually(
      async () => {
        await requeue(cluster);
        const done = new Set(await cluster.zrange(DONE, "0", "-1"));
        return [...safe].every((job) => done.has(job));
      },
      60_000,
      "every job is done",
    );
    isOver = true;
    await Promise.all([...workers, promoter]);
    cluster.disconnect();
  }, 180_000);
});

/** Port of the master that has the queue, as far as is known. */
let owner = 0;

function connect(ports: readonly number[]): Cluster {
  const cluster = new Cluster(
    ports.map((port) => ({ host: "127.0.0.1", port })),
    { slotsRefreshTimeout: 5000, clusterRetryStrategy: () => 100, redisOptions: { connectTimeout: 2000 } },
  );
  cluster.on("error", () => {}); // a node that was killed
  scope.defer(() => cluster.disconnect());
  return cluster;
}

/** What fails while a master is replaced is tried again. */
async function patiently<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return undefined;
  }
}

/** Takes jobs and does them, until it is over. */
async function work(ports: readonly number[], isOver: () => boolean): Promise<void> {
  const cluster = connect(ports);
  while (!isOver()) {
    const job = await patiently(() => cluster.blmove(WAITING, ACTIVE, "RIGHT", "LEFT", 0.5));
    if (job === undefined || job === null) continue;
    await patiently(() => cluster.multi().lrem(ACTIVE, 1, job).zadd(DONE, Date.now(), job).exec());
  }
  cluster.disconnect();
}

/** Jobs whose time has come are to be done. */
async function promote(ports: readonly number[], isOver: () => boolean): Promise<void> {
  const cluster = connect(ports);
  while (!isOver()) {
    const next = await patiently(() => cluster.bzpopmin(DELAYED, 0.5));
    if (next === undefined || next === null) continue;
    while ((await patiently(() => cluster.lpush(WAITING, next[1]))) === undefined && !isOver());
  }
  cluster.disconnect();
}

/** What a worker took and never did is done by another. */
async function requeue(cluster: Cluster): Promise<void> {
  await patiently(() => cluster.lmove(ACTIVE, WAITING, "RIGHT", "LEFT"));
}

/** Adds a job, in a transaction. @returns whether so many replicas have it */
async function add(
  ports: readonly number[],
  job: string,
  isDelayed: boolean,
  copies: number,
): Promise<boolean> {
  try {
    if (owner === 0) owner = await findOwner(ports);
    const client = await Client.open(owner);
    try {
      const queue = isDelayed ? ["ZADD", DELAYED, Date.now(), job] : ["LPUSH", WAITING, job];
      const replies = await client.pipeline([
        ["MULTI"],
        ["SET", `{q}${job}`, "what is to be done"],
        queue,
        ["EXEC"],
        ["WAIT", copies, 2000],
      ]);
      const [ran, waited] = [replies[3]!.value, replies[4]!.value];
      if (ran.kind === "error") throw new Error(ran.text);
      // A job that waits for its time may be in nobody's hands but the promoter's when the master dies.
      return !isDelayed && waited.kind === "integer" && Number(waited.text) >= copies;
    } finally {
      client.close();
    }
  } catch {
    owner = 0;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return false;
  }
}

/** A node that is alive knows who owns the queue's slot. */
async function findOwner(ports: readonly number[]): Promise<number> {
  for (const port of ports) {
    const moved = await ask(port, "SET", "{q}owner", "sought").catch(() => "");
    if (moved === "OK") return port;
  }
  throw new Error("nobody owns the queue's slot");
}

async function ask(port: number, ...args: string[]): Promise<unknown> {
  const client = await Client.open(port);
  try {
    return await client.ask(...args);
  } finally {
    client.close();
  }
}

test("a thousand clients wait for one list, and each is served once", async () => {
  const server = await startOurs(scope, ALONE);
  const clients = await Promise.all(Array.from({ length: 1000 }, () => server.connect()));
  const replies = clients.map((client) => client.ask("BLPOP", "l", 60));
  const pusher = await server.connect();
  const waiting = async (): Promise<boolean> =>
    (await pusher.text("INFO", "clients")).includes("blocked_clients:1000\r");
  await eventually(waiting, 20_000, "all wait");
  const elements = Array.from({ length: 1500 }, (_, i) => String(i));
  expect(await pusher.ask("RPUSH", "l", ...elements)).toBe(1500);
  const got = (await Promise.all(replies)).map((reply) => (reply as readonly string[])[1]);
  expect(got.toSorted((a, b) => Number(a) - Number(b))).toEqual(elements.slice(0, 1000));
  expect(await pusher.ask("LRANGE", "l", 0, -1)).toEqual(elements.slice(1000));
}, 60_000);

describe("replicas are told what those who waited took", () => {
  test("redis-server follows ours", async () => {
    const [master, replica] = await Promise.all([startOurs(scope, ALONE), startRedis(scope)]);
    await seeded((random) => replicate(master, replica, random));
  }, 60_000);

  test("ours follows redis-server", async () => {
    const [master, replica] = await Promise.all([
      startRedis(scope, { "repl-diskless-sync-delay": 0 }),
      startOurs(scope, ALONE),
    ]);
    await seeded((random) => replicate(master, replica, random));
  }, 60_000);
});

async function replicate(master: Server, replica: Server, random: Random): Promise<void> {
  const follower = await follow(replica, master);
  const writer = await master.connect();
  const waiters = await Promise.all(Array.from({ length: 8 }, () => master.connect()));
  const key = (): string => `k${random.below(4)}`;
  const end = (): string => random.pick(["LEFT", "RIGHT"]);
  const last = waiters.map(() => Promise.resolve<unknown>(undefined));
  for (let i = 0; i < 600; i++) {
    const who = random.below(waiters.length);
    const wait = random.pick([
      ["BLPOP", key(), key(), "0.05"],
      ["BRPOP", key(), "0.05"],
      ["BLMOVE", key(), key(), end(), end(), "0.05"],
      ["BRPOPLPUSH", key(), key(), "0.05"],
      ["BLMPOP", "0.05", "2", key(), key(), end(), "COUNT", "2"],
      ["BZPOPMIN", `z${key()}`, "0.05"],
      ["BZMPOP", "0.05", "1", `z${key()}`, "MAX", "COUNT", "2"],
    ]);
    last[who] = waiters[who]!.reply(...wait);
    const push = random.chance(0.5)
      ? ["RPUSH", key(), `a${i}`, `b${i}`]
      : ["ZADD", `z${key()}`, String(i), `m${i}`, "1.5", `n${i}`];
    if (random.chance(0.3)) await writer.pipeline([["MULTI"], push, ["RPUSH", key(), "x"], ["EXEC"]]);
    else await writer.reply(...push);
  }
  await Promise.all(last);
  await untilCaughtUp(writer, follower);
  for (let n = 0; n < 4; n++) {
    const list = ["LRANGE", `k${n}`, 0, -1] as const;
    const set = ["ZRANGE", `zk${n}`, 0, -1, "WITHSCORES"] as const;
    expect(await follower.ask(...list)).toEqual(await writer.ask(...list));
    expect(await follower.ask(...set)).toEqual(await writer.ask(...set));
  }
}
