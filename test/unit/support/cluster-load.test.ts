// The load's own judge: what it must find on servers that lose, mix up and move keys. Beside real redis-servers, so that
// nothing of ours can hide a mistake of the checker.
import { beforeAll, describe, expect, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import { ClusterLoad } from "../../support/cluster-load.ts";
import { type Client } from "../../support/client.ts";
import { untilAgreed, untilOk } from "../../support/cluster.ts";
import { eventually } from "../../support/eventually.ts";
import { slotOf, tagsFor } from "../../support/load/slots.ts";
import { Waits } from "../../support/load/waits.ts";
import { ownAllSlots, redisCli, type Server, startRedis } from "../../support/servers.ts";

const scope = fileScope();
const CLEAN = { errors: 0, lost: 0, stale: 0, wrong: 0, outages: 0 };

test("slots and tags agree with redis-server", async () => {
  const client = await (await startRedis(scope, { "cluster-enabled": "yes" })).connect();
  const tags = tagsFor([0, 5460, 16383]);
  for (const key of ["key", "{}x", "{a}b", "a{bc}d{e}", "123456789", "{{a}}", ...tags])
    expect(slotOf(key)).toBe(Number(await client.ask("CLUSTER", "KEYSLOT", key)));
  expect(tags.map(slotOf)).toEqual([0, 5460, 16383]);
});

test("percentiles are right to one in sixty-four, the longest to the point", () => {
  const waits = new Waits();
  for (let i = 1; i <= 100_000; i++) waits.add(i / 1000);
  for (const share of [0.1, 0.5, 0.99, 0.999])
    expect(Math.abs(waits.percentileMs(share) / (100 * share) - 1)).toBeLessThan(1 / 64);
  expect(waits.longestMs).toBe(100);
  expect(new Waits().percentileMs(0.5)).toBe(0);
});

describe("on one node", () => {
  interface Held {
    readonly load: ClusterLoad;
    readonly client: Client;
    name(kind: string): string;
  }

  let server: Server;
  beforeAll(async () => {
    server = await startRedis(scope, { "cluster-enabled": "yes" });
    await ownAllSlots(server);
  });

  /** A load that has run and stands still. */
  async function hold(): Promise<Held> {
    const client = await server.connect();
    await client.ok("FLUSHALL");
    const load = new ClusterLoad({ ports: [server.port], clients: 2, keysPerClient: 16 });
    scope.defer(() => load.close());
    await load.start();
    await eventually(() => load.report.requests > 300, 15_000, "some hundred requests");
    await load.hold();
    const name = (kind: string): string => {
      const found = load.names.find((text) => text.includes(`:${kind}`));
      if (found === undefined) throw new Error(`no key of the kind ${kind}`);
      return found;
    };
    return { load, client, name };
  }

  test("finds nothing where nothing is wrong, and times every request", async () => {
    const { load } = await hold();
    const report = await load.stop();
    expect(report).toMatchObject({ ...CLEAN, moved: 0, asked: 0, tryAgain: 0 });
    expect(report.p50Ms).toBeWithin(0.001, report.longestMs);
    expect(report.p999Ms).toBeLessThanOrEqual(report.longestMs);
  });

  test.each(["string", "hash", "list", "zset", "group:b"])("a %s that is gone is lost", async (kind) => {
    const { load, client, name } = await hold();
    expect(await client.ask("DEL", name(kind))).toBe(1);
    const report = await load.stop();
    expect(report).toMatchObject({ ...CLEAN, lost: 1 });
    expect(report.findings.join()).toContain(name(kind));
  });

  test("a value of before is stale while the load runs, and lost at its end", async () => {
    const { load, client, name } = await hold();
    const key = name("string");
    const setBack = (): Promise<void> => client.ok("SET", key, `1:${key}:`.padEnd(200, "x"));
    load.resume();
    await eventually(
      async () => {
        await setBack();
        return load.report.stale > 0;
      },
      15_000,
      "the older version was read",
    );
    await load.hold();
    await setBack();
    const report = await load.stop();
    expect(report).toMatchObject({ ...CLEAN, lost: 1, stale: report.stale });
  });

  test.each([
    ["list", (key: string) => ["RPUSH", key, "999"]],
    ["hash", (key: string) => ["HSET", key, "copy", "999"]],
    ["zset", (key: string) => ["ZADD", key, "0.5", "copy"]],
    ["string", (key: string) => ["APPEND", key, "x"]],
    ["string", (key: string) => ["SET", key, `999999:${key}:`.padEnd(200, "x")]],
  ])("what was never written to a %s is wrong", async (kind, sabotage) => {
    const { load, client, name } = await hold();
    await client.ask(...sabotage(name(kind)));
    expect(await load.stop()).toMatchObject({ ...CLEAN, wrong: 1 });
  });

  test("an error reply is counted with its text", async () => {
    const { load, client, name } = await hold();
    await client.ask("DEL", name("hash"));
    await client.ok("SET", name("hash"), "no hash");
    const report = await load.stop();
    expect(report.errors).toBe(1);
    expect(Object.keys(report.errorTexts)).toEqual([
      "HMGET: WRONGTYPE Operation against a key holding the wrong kind of value",
    ]);
  });
});

test("follows slots that redis-cli moves, and counts how", async () => {
  const servers = await Promise.all([0, 1, 2].map(() => startRedis(scope, { "cluster-enabled": "yes" })));
  const [first, , third] = servers;
  const addresses = servers.map(({ address }) => address);
  await redisCli(["--cluster", "create", ...addresses, "--cluster-yes"]);
  const nodes = await untilAgreed(servers.map(({ port }) => port));
  await untilOk(servers.map(({ port }) => port));
  const moving = [0, 1, 2];
  const load = new ClusterLoad({ ports: [first!.port], slots: moving, keysPerClient: 512, rate: 0 });
  scope.defer(() => load.close());
  await load.start();
  const [source, target] = [first, third].map(
    (server) => nodes.find(({ port }) => port === server!.port)!.id,
  );
  const args = ["--cluster-from", source!, "--cluster-to", target!, "--cluster-slots", moving.length];
  // One key at a time, so that slots stay open for some time.
  await redisCli(["--cluster", "reshard", first!.address, ...args, "--cluster-yes", "--cluster-pipeline", 1]);
  const seen = load.report.requests;
  await eventually(() => load.report.requests > seen + 200, 15_000, "the load goes on");
  const report = await load.stop();
  expect(report).toMatchObject(CLEAN);
  expect(report.asked).toBeGreaterThan(0);
  expect(report.tryAgain).toBeGreaterThan(0);
  expect(report.moved).toBeGreaterThan(moving.length);
});
