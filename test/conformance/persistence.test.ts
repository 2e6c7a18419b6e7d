// The data on disk against redis-server: it loads our files and we load its, SAVE and BGSAVE say what its say, and a
// disk that fails is told in the same words.
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { run } from "../support/process.ts";
import { contents, replicationInfo, untilCaughtUp, untilLinked } from "../support/replication.ts";
import { type Flags, MAIN, type Server, startOurs, startRedis, startSubject } from "../support/servers.ts";
import { tempDir } from "../support/temp.ts";

const scope = fileScope();
const ALONE: Flags = { "cluster-enabled": "no" };

type Start = (flags: Flags, dir: string) => Promise<Server>;
const redis: Start = (flags, dir) => startRedis(scope, flags, { dir });
const ours: Start = (flags, dir) => startOurs(scope, { ...ALONE, ...flags }, { dir });

/** Strings of every form a file has for them, in several databases, some to expire. */
async function fill(client: Client): Promise<void> {
  for (const database of [0, 3, 15]) {
    await client.ok("SELECT", database);
    const values = ["", "x", "12", "-129", "70000", "2147483648", "ab".repeat(3000), "\r\n\0\xff", "0012"];
    await client.pipeline(values.map((value, i) => ["SET", `value:${i}`, Buffer.from(value, "latin1")]));
    await client.pipeline(values.map((value, i) => ["SET", `expires:${i}`, value, "PX", 1e9 + i]));
    await client.ok("SET", Buffer.from([0, 255, 13, 10]), "binary");
    await client.ok("SET", "k".repeat(20_000), "a long key");
    const many = Array.from({ length: 500 }, (_, i) => ["SET", `many:${i}:${database}`, i * 7919]);
    await client.pipeline(many);
  }
}

async function everything(client: Client): Promise<string[]> {
  const found: string[] = [];
  for (const database of [0, 3, 15]) {
    await client.ok("SELECT", database);
    found.push(...(await contents(client)).map((line) => `${database} ${line}`));
  }
  return found;
}

async function lastLoaded(client: Client): Promise<string> {
  return /rdb_last_load_keys_loaded:\d+/.exec(await client.text("INFO", "persistence"))![0];
}

describe("a file that one has written, the other loads", () => {
  const forms: [string, Flags][] = [
    ["as it is by default", {}],
    ["without compression and checksum", { rdbcompression: "no", rdbchecksum: "no" }],
    ["under another name", { dbfilename: "other.rdb" }],
  ];
  const ways: [string, Start, Start][] = [
    ["ours to redis-server", ours, redis],
    ["redis-server's to us", redis, ours],
    ["ours to us", ours, ours],
  ];
  const cases = ways.flatMap(([way, from, to]) =>
    forms.map(([form, flags]) => ({ way, form, from, to, flags })),
  );

  test.each(cases)("$way, $form", async ({ from, to, flags }) => {
    const dir = tempDir(scope);
    const writer = await from({ ...flags, save: "3600 1" }, dir);
    const client = await writer.connect();
    await fill(client);
    const expected = await everything(client);
    await writer.stop();
    const reader = await to(flags, dir);
    const again = await reader.connect();
    expect(await lastLoaded(again)).toBe(`rdb_last_load_keys_loaded:${expected.length}`);
    expect(await everything(again)).toEqual(expected);
  });

  test("redis-check-rdb finds ours whole", async () => {
    const server = await ours({}, tempDir(scope));
    const client = await server.connect();
    await fill(client);
    await client.ok("SAVE");
    const { code, output } = await run(["redis-check-rdb", join(server.dir, "dump.rdb")]);
    expect(output).toContain("RDB looks OK");
    expect(output).toContain("Checksum OK");
    expect(code).toBe(0);
  });
});

test("a background save holds the data as it was when it was asked for", async () => {
  const server = await ours({}, tempDir(scope));
  const client = await server.connect();
  const keys = Array.from({ length: 30_000 }, (_, i) => i);
  await client.pipeline(keys.map((key) => ["SET", `key:${key}`, "before".repeat(50)]));
  // One batch: the save has not written a single slot when the first change comes.
  const after = keys.flatMap((key): [string, ...string[]][] => {
    if (key % 3 === 0) return [["SET", `key:${key}`, "after"]];
    return key % 3 === 1 ? [["DEL", `key:${key}`]] : [["SET", `new:${key}`, "after"]];
  });
  await client.pipeline([["BGSAVE"], ...after]);
  await eventually(
    async () => (await client.text("INFO", "persistence")).includes("rdb_bgsave_in_progress:0"),
    20_000,
    "the save is done",
  );
  expect(await client.text("INFO", "persistence")).toContain(`rdb_changes_since_last_save:${after.length}`);
  await server.stop("SIGKILL");
  const reader = await redis({}, server.dir);
  const again = await reader.connect();
  expect(await again.ask("DBSIZE")).toBe(keys.length);
  const values = await again.pipeline(keys.map((key) => ["GET", `key:${key}`]));
  expect(new Set(values.map(({ raw }) => raw.toString())).size).toBe(1);
});

/** The same request to both; the replies must be equal to the byte. */
async function expectEqual(pair: readonly Client[], ...request: (string | number)[]): Promise<string> {
  const [expected, found] = await Promise.all(pair.map((client) => client.reply(...request)));
  expect({ request, reply: found!.raw.toString() }).toEqual({ request, reply: expected!.raw.toString() });
  return found!.raw.toString();
}

async function untilSaved(pair: readonly Client[]): Promise<void> {
  for (const client of pair) {
    const isDone = async (): Promise<boolean> =>
      (await client.text("INFO", "persistence")).includes("rdb_bgsave_in_progress:0");
    await eventually(isDone, 20_000, "no save is under way");
  }
}

async function persistenceInfo(client: Client): Promise<string[]> {
  const text = await client.text("INFO", "persistence");
  // Moments, durations and pages copied by a fork are each server's own.
  return text.split("\r\n").filter((line) => !/_time|_cow_|_fork_perc|_save_keys_/.test(line));
}

describe("the words of SAVE, BGSAVE and SHUTDOWN", () => {
  test("while the disk takes everything", async () => {
    const flags = { save: "3600 1000" };
    const servers = [
      await startRedis(scope, flags),
      await startSubject(scope, { ...ALONE, ...flags }),
    ] as const;
    const pair = await Promise.all(servers.map((server) => server.connect()));
    const words = [["SAVE"], ["SAVE", "x"], ["BGSAVE", "x"], ["BGSAVE", "SCHEDULE", "x"], ["LASTSAVE", "x"]];
    for (const request of words) await expectEqual(pair, ...request);
    await expectEqual(pair, "SET", "a", "b");
    await expectEqual(pair, "MSET", "a", "b", "c", "d");
    expect(await persistenceInfo(pair[1]!)).toEqual(await persistenceInfo(pair[0]!));
    await expectEqual(pair, "BGSAVE");
    await untilSaved(pair);
    await expectEqual(pair, "DEL", "a", "c", "e");
    await expectEqual(pair, "BGSAVE", "schedule");
    await untilSaved(pair);
    expect(await persistenceInfo(pair[1]!)).toEqual(await persistenceInfo(pair[0]!));
    for (const client of pair) {
      const at = Number(await client.ask("LASTSAVE"));
      expect(Math.abs(at - Date.now() / 1000)).toBeLessThan(60);
    }
    for (const name of ["save", "dbfilename", "stop-writes-on-bgsave-error", "rdbchecksum", "rdbcompression"])
      await expectEqual(pair, "CONFIG", "GET", name);
  });

  test("while the disk takes nothing", async () => {
    const flags = { save: "3600 1" };
    const servers = [
      await startRedis(scope, flags),
      await startSubject(scope, { ...ALONE, ...flags }),
    ] as const;
    const pair = await Promise.all(servers.map((server) => server.connect()));
    // A directory that is not empty cannot be replaced by a file, whoever asks.
    for (const { dir } of servers) mkdirSync(join(dir, "dump.rdb", "x"), { recursive: true });
    const same = (...request: (string | number)[]): Promise<string> => expectEqual(pair, ...request);
    await same("SET", "a", "b");
    await same("SAVE");
    await same("SET", "a", "c");
    await same("BGSAVE");
    await untilSaved(pair);
    expect(await same("SET", "a", "d")).toStartWith("-MISCONF ");
    for (const request of [["PING"], ["GET", "a"], ["DEL", "a"], ["EXISTS", "a"], ["FLUSHALL"]])
      await same(...request);
    expect(await persistenceInfo(pair[1]!)).toEqual(await persistenceInfo(pair[0]!));
    await same("CONFIG", "SET", "stop-writes-on-bgsave-error", "no");
    await same("SET", "a", "e");
    await same("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes");
    await same("SET", "a", "f");
    await same("CONFIG", "SET", "save", "");
    await same("SET", "a", "g");
    await same("CONFIG", "SET", "save", "1000 1");
    await same("SET", "a", "h");
    expect(await same("SHUTDOWN")).toBe("-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    await same("SHUTDOWN", "NOW");
    await same("SHUTDOWN", "SAVE");
    for (const { child } of servers) {
      child.kill("SIGTERM");
      const refusals = (): number =>
        child.output.split("Error trying to save the DB, can't exit.").length - 1;
      await eventually(() => refusals() === 4, 10_000, "the signal is refused as SHUTDOWN was");
    }
    await same("GET", "a");
    for (const { dir } of servers) rmSync(join(dir, "dump.rdb"), { recursive: true });
    await same("BGSAVE");
    await untilSaved(pair);
    await same("SET", "a", "i");
    for (const { dir } of servers) {
      rmSync(join(dir, "dump.rdb"));
      mkdirSync(join(dir, "dump.rdb", "x"), { recursive: true });
    }
    for (const server of servers) {
      const client = await server.connect();
      client.write("SHUTDOWN FORCE\r\n");
      expect((await client.untilClosed()).toString()).toBe("");
      expect((await server.child.exited).code).toBe(0);
    }
  });
});

describe("what cannot be loaded stops the start, and stays as it is", () => {
  async function refused(dir: string): Promise<string> {
    const path = join(dir, "dump.rdb");
    const before = readFileSync(path);
    const flags = ["--port", String(await freePort()), "--cluster-enabled", "no"];
    const ended = await run([process.execPath, MAIN, "server", ...flags], { cwd: dir });
    expect(ended.code).toBe(1);
    expect(readFileSync(path).equals(before)).toBe(true);
    const complaint = ended.output.split("\n").filter((line) => line.startsWith("slotmesh: "));
    expect(complaint.length).toBe(1);
    expect(complaint[0]).toContain(path);
    expect(ended.output).not.toMatch(/\bat .*\.ts:\d+/);
    return complaint[0]!;
  }

  test("a stream", async () => {
    const server = await redis({}, tempDir(scope));
    const client = await server.connect();
    await client.reply("XADD", "key", "*", "a", "b");
    await client.ok("SAVE");
    await server.stop();
    expect(await refused(server.dir)).toContain("cannot hold key key: it is a stream");
  });

  test("a library of functions", async () => {
    const server = await redis({}, tempDir(scope));
    const client = await server.connect();
    await client.reply(
      "FUNCTION",
      "LOAD",
      "#!lua name=l\nredis.register_function('f', function() return 1 end)",
    );
    await client.ok("SAVE");
    await server.stop();
    expect(await refused(server.dir)).toContain("library");
  });

  test("damage of every kind", async () => {
    const server = await redis({}, tempDir(scope));
    const client = await server.connect();
    await client.pipeline(Array.from({ length: 50 }, (_, i) => ["SET", `key:${i}`, "value"]));
    await client.ok("SAVE");
    await server.stop();
    const path = join(server.dir, "dump.rdb");
    const whole = readFileSync(path);
    const damage: [string, Uint8Array][] = [
      ["the input ends in the middle", whole.subarray(0, whole.length >> 1)],
      ["the input ends in the middle", whole.subarray(0, whole.length - 1)],
      ["the input ends in the middle", whole.subarray(0, 0)],
      ["the input ends in the middle", whole.subarray(0, 5)],
      ["wrong checksum", Buffer.concat([whole.subarray(0, -1), Buffer.of(whole.at(-1)! ^ 1)])],
      ["wrong signature", Buffer.concat([Buffer.from("RODIS"), whole.subarray(5)])],
      ["cannot read RDB version 9999", Buffer.concat([Buffer.from("REDIS9999"), whole.subarray(9)])],
    ];
    for (const [reason, bytes] of damage) {
      writeFileSync(path, bytes);
      expect(await refused(server.dir)).toContain(reason);
    }
  });

  test("keys of other databases, in a cluster", async () => {
    const server = await ours({ save: "1000 1" }, tempDir(scope));
    const client = await server.connect();
    await client.ok("SELECT", 3);
    await client.ok("SET", "a", "b");
    await server.stop();
    const port = String(await freePort());
    const ended = await run([process.execPath, MAIN, "server", "--port", port], { cwd: server.dir });
    expect(ended.code).toBe(1);
    expect(ended.output).toContain("database 3 is beyond the 1 this server has");
  });
});

describe("a replica that comes back with its file needs no copy", () => {
  const pairs: [string, Start, Start][] = [
    ["ours of redis-server", redis, ours],
    ["redis-server of ours", ours, redis],
    ["ours of ours", ours, ours],
  ];

  const syncs = async (client: Client, which: string): Promise<number> =>
    Number(new RegExp(`${which}:(\\d+)`).exec(await client.text("INFO", "stats"))![1]);

  test.each(pairs)("%s", async (_, startMaster, startReplica) => {
    const master = await startMaster({ "repl-diskless-sync-delay": 0 }, tempDir(scope));
    const writes = await master.connect();
    await fill(writes);
    const flags = { save: "3600 1", replicaof: `127.0.0.1 ${master.port}` };
    const first = await startReplica(flags, tempDir(scope));
    const reads = await first.connect();
    await untilLinked(reads);
    await writes.ok("SELECT", 3);
    await writes.ok("SET", "before", 1);
    await untilCaughtUp(writes, reads);
    await first.stop();
    await writes.ok("SET", "meanwhile", 1);
    const second = await startReplica(flags, first.dir);
    const again = await second.connect();
    await untilLinked(again);
    await writes.ok("SET", "after", 1);
    await untilCaughtUp(writes, again);
    expect(await everything(again)).toEqual(await everything(writes));
    expect(await syncs(writes, "sync_full")).toBe(1);
    expect(await syncs(writes, "sync_partial_ok")).toBe(1);
  });

  test.each(pairs)("nor when its master comes back: %s", async (_, startMaster, startReplica) => {
    const flags = { save: "3600 1", "repl-diskless-sync-delay": 0, "shutdown-timeout": 10 };
    const first = await startMaster(flags, tempDir(scope));
    const writes = await first.connect();
    await fill(writes);
    const replica = await startReplica({ replicaof: `127.0.0.1 ${first.port}` }, tempDir(scope));
    const reads = await replica.connect();
    await untilLinked(reads);
    await writes.ok("SET", "before", 1);
    await untilCaughtUp(writes, reads);
    await first.stop();
    const start = startMaster === redis ? startRedis : startOurs;
    const own = startMaster === redis ? {} : ALONE;
    const second = await start(scope, { ...own, ...flags }, { dir: first.dir, port: first.port });
    const again = await second.connect();
    await untilLinked(reads);
    await again.ok("SET", "after", 1);
    await untilCaughtUp(again, reads);
    expect(await everything(reads)).toEqual(await everything(again));
    expect(await syncs(again, "sync_full")).toBe(0);
    expect(await syncs(again, "sync_partial_ok")).toBe(1);
    expect((await replicationInfo(again)).get("master_replid")).toBe(
      (await replicationInfo(reads)).get("master_replid"),
    );
  });
});

test("SHUTDOWN waits for replicas that lag, and can be called off meanwhile", async () => {
  const flags = { "repl-diskless-sync-delay": 0, "shutdown-timeout": 30 };
  for (const start of [redis, ours]) {
    const master = await start(flags, tempDir(scope));
    const replica = await redis({ replicaof: `127.0.0.1 ${master.port}` }, tempDir(scope));
    const reads = await replica.connect();
    await untilLinked(reads);
    const client = await master.connect();
    await client.ok("SET", "a", "b");
    await untilCaughtUp(client, reads);
    replica.child.kill("SIGSTOP");
    await client.ok("SET", "a", "c");
    const asking = await master.connect();
    const asked = asking.reply("SHUTDOWN");
    await master.child.waitForOutput("Waiting for replicas before shutting down.");
    const second = await master.connect();
    const alsoAsked = second.reply("SHUTDOWN");
    // Reads go on, writes wait.
    expect(await client.ask("GET", "a")).toBe("c");
    const writer = await master.connect();
    const written = writer.reply("SET", "a", "d");
    // Connections overtake each other: what is to be called off must have arrived before.
    const held = async (): Promise<boolean> =>
      (await client.text("CLIENT", "LIST")).match(/ flags=b /g)?.length === 3;
    await eventually(held, 10_000, "both that asked and the writer wait");
    expect(await client.ask("SHUTDOWN", "ABORT")).toBe("OK");
    expect((await asked).raw.toString()).toBe("-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    expect((await alsoAsked).raw.toString()).toBe("-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    expect((await written).raw.toString()).toBe("+OK\r\n");
    expect(await client.ask("SHUTDOWN", "ABORT")).toBe("-ERR No shutdown in progress.");
    expect(await client.ask("GET", "a")).toBe("d");
    const again = await master.connect();
    again.write("SHUTDOWN\r\n");
    const waits = (): boolean => master.child.output.split("Waiting for replicas before").length === 3;
    await eventually(waits, 10_000, "it waits again");
    replica.child.kill("SIGCONT");
    expect((await again.untilClosed(20_000)).toString()).toBe("");
    expect((await master.child.exited).code).toBe(0);
    await eventually(
      async () => (await reads.ask("GET", "a")) === "d",
      10_000,
      "the replica has the last write",
    );
  }
});
