// The words of replication against redis-server: REPLCONF, PSYNC, REPLICAOF, ROLE, WAIT and the lines of INFO.
import { beforeAll, describe, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { replicationInfo } from "../support/replication.ts";
import { type Server, startRedis, startSubject, subjectIsRedis } from "../support/servers.ts";

const scope = fileScope();
let judgeServer: Server;
let subjectServer: Server;
let judge: Client;
let subject: Client;

beforeAll(async () => {
  const flags = { "repl-diskless-sync-delay": 0 };
  judgeServer = await startRedis(scope, flags);
  subjectServer = await startSubject(scope, subjectIsRedis() ? flags : { "cluster-enabled": "no" });
  judge = await judgeServer.connect();
  subject = await subjectServer.connect();
}, 60_000);

async function expectEqual(...request: (string | number)[]): Promise<string> {
  const [expected, found] = await Promise.all([judge.reply(...request), subject.reply(...request)]);
  expect({ request, reply: found.raw.toString() }).toEqual({ request, reply: expected.raw.toString() });
  return expected.raw.toString();
}

describe("while nobody follows anybody", () => {
  const requests: (string | number)[][] = [
    ["ROLE"],
    ["ROLE", "x"],
    ["REPLCONF"],
    ["REPLCONF", "a"],
    ["REPLCONF", "foo", "bar"],
    ["REPLCONF", "listening-port", "abc"],
    ["REPLCONF", "LISTENING-PORT", 7000, "capa", "eof"],
    ["REPLCONF", "listening-port", 7000, "capa"],
    ["REPLCONF", "ip-address", "x".repeat(255)],
    ["REPLCONF", "ip-address", "x".repeat(256)],
    ["REPLCONF", "capa", "anything"],
    ["REPLCONF", "rdb-only", 2],
    ["REPLCONF", "rdb-only", "x"],
    ["REPLCONF", "rdb-only", 0],
    ["REPLCONF", "rdb-filter-only", "keys"],
    ["REPLCONF", "rdb-filter-only", "functions"],
    ["PSYNC", "x"],
    ["PSYNC", "?", "x"],
    ["SYNC", "x"],
    ["REPLICAOF", "a"],
    ["REPLICAOF", "127.0.0.1", "x"],
    ["REPLICAOF", "127.0.0.1", -1],
    ["REPLICAOF", "127.0.0.1", 65536],
    ["REPLICAOF", "no", "one"],
    ["SLAVEOF", "NO", "ONE"],
    ["WAIT", 0, 0],
    ["WAIT", -1, 0],
    ["WAIT", "x", 0],
    ["WAIT", 1, "x"],
    ["WAIT", 1, -1],
    ["WAIT", 1, 20],
    ["WAIT", "99999999999999999999", 1],
    ["WAIT", 1],
  ];
  test.each(requests.map((request) => [request.map(String).join(" ").slice(0, 40), request] as const))(
    "%s",
    async (_, request) => {
      await expectEqual(...request);
    },
  );

  test("INFO replication has the same lines", async () => {
    const lines = async (client: Client): Promise<string[]> => [...(await replicationInfo(client)).keys()];
    expect(await lines(subject)).toEqual(await lines(judge));
  });
});

test("while they follow one master, they tell the same of it, and it of them", async () => {
  const masterServer = await startRedis(scope, { "repl-diskless-sync-delay": 0 });
  const master = await masterServer.connect();
  await master.ok("SET", "a", "1");
  await expectEqual("REPLICAOF", "127.0.0.1", masterServer.port);
  await expectEqual("REPLICAOF", "127.0.0.1", masterServer.port);
  for (const client of [judge, subject]) {
    await eventually(
      async () => (await replicationInfo(client)).get("master_link_status") === "up",
      20_000,
      "the link is up",
    );
  }
  await eventually(
    async () => (await master.text("INFO", "replication")).match(/^slave\d:.*state=online/gm)?.length === 2,
    10_000,
    "the master tells of both",
  );
  const info = async (client: Client): Promise<[string, string | undefined][]> => {
    const changing = new Set(["master_last_io_seconds_ago"]);
    return [...(await replicationInfo(client))].map(([name, value]) => [
      name,
      changing.has(name) ? undefined : value,
    ]);
  };
  await master.ok("SET", "a", "2");
  await eventually(
    async () => {
      const [one, other] = [await info(judge), await info(subject)];
      expect(other).toEqual(one);
      return true;
    },
    10_000,
    "INFO tells the same",
  );
  await expectEqual("ROLE");
  await expectEqual("SET", "a", "3");
  await expectEqual("WAIT", 1, 1);
  await expectEqual("GET", "a");

  // The master goes away: both wait for it, then turn to nobody, then to a port where nobody is.
  await masterServer.stop("SIGKILL");
  for (const client of [judge, subject]) {
    await eventually(
      async () => (await replicationInfo(client)).get("master_link_status") === "down",
      10_000,
      "the link is down",
    );
  }
  const names = async (client: Client): Promise<string[]> => [...(await replicationInfo(client)).keys()];
  expect(await names(subject)).toEqual(await names(judge));
  await expectEqual("PSYNC", "?", -1);
  await expectEqual("REPLICAOF", "NO", "ONE");
  const [one, other] = [await replicationInfo(judge), await replicationInfo(subject)];
  for (const name of [
    "role",
    "master_replid2",
    "second_repl_offset",
    "master_repl_offset",
    "repl_backlog_active",
  ]) {
    expect({ name, value: other.get(name) }).toEqual({ name, value: one.get(name) });
  }
  await expectEqual("SET", "a", "4");
  await expectEqual("REPLICAOF", "127.0.0.1", await freePort());
  await expectEqual("GET", "a");
  await expectEqual("REPLICAOF", "NO", "ONE");
}, 90_000);
