// Data that outlives its process: whole servers and clusters, stopped in every way and started again.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startCluster, startServer } from "../../src/embed/index.ts";
import { Scope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { info } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { freePortRun } from "../support/ports.ts";
import { type Child, run, spawn } from "../support/process.ts";
import { type Flags, MAIN, redisCli, ROOT, type Server, startOurs } from "../support/servers.ts";
import { tempDir } from "../support/temp.ts";

setDefaultTimeout(60_000);

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

const SAVES: Flags = { save: "3600 100000" };

/** A server with one key. */
async function withKey(flags: Flags, dir = tempDir(scope)): Promise<{ server: Server; client: Client }> {
  const server = await startOurs(scope, flags, { dir });
  const client = await server.connect();
  await client.ok("SET", "key", "value");
  return { server, client };
}

/** What a new process finds in the directory. */
async function found(dir: string, flags: Flags = SAVES): Promise<unknown> {
  const server = await startOurs(scope, flags, { dir });
  const client = await server.connect();
  const value = await client.ask("GET", "key");
  await server.stop("SIGKILL");
  return value;
}

describe("one node", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s keeps the data where there are save points",
    async (signal) => {
      const { server } = await withKey(SAVES);
      expect((await server.child.stop(signal)).code).toBe(0);
      expect(await found(server.dir)).toBe("value");
      expect(readdirSync(server.dir).filter((name) => name.includes("tmp"))).toEqual([]);
    },
  );

  test.each([
    ["SHUTDOWN", SAVES, "value"],
    ["SHUTDOWN NOSAVE", SAVES, null],
    ["SHUTDOWN", { save: "" }, null],
    ["SHUTDOWN SAVE", { save: "" }, "value"],
    ["SHUTDOWN NOW", SAVES, "value"],
  ] as const)("%s with %p", async (request, flags, expected) => {
    const { server, client } = await withKey(flags);
    client.write(`${request}\r\n`);
    expect((await server.child.exited).code).toBe(0);
    expect(existsSync(join(server.dir, "dump.rdb"))).toBe(expected !== null);
    expect(await found(server.dir)).toBe(expected);
  });

  test.each([
    ["nosave", SAVES, null],
    ["save now", { save: "" }, "value"],
  ] as const)("shutdown-on-sigterm %s", async (how, flags, expected) => {
    const { server } = await withKey({ ...flags, "shutdown-on-sigterm": how });
    expect((await server.child.stop("SIGTERM")).code).toBe(0);
    expect(await found(server.dir)).toBe(expected);
  });

  test("what was answered before the end is in the file", async () => {
    const { server } = await withKey(SAVES);
    const clients = await Promise.all(Array.from({ length: 8 }, () => server.connect()));
    const answered = clients.map(async (client, i) => {
      let last = -1;
      try {
        for (let n = 0; ; n++) {
          await client.ok("SET", `counter:${i}`, n);
          last = n;
        }
      } catch {
        return last;
      }
    });
    const hasBegun = async (): Promise<boolean> =>
      Number(await redisCli(["-p", server.port, "dbsize"])) === 9;
    await eventually(hasBegun, 10_000, "all clients write");
    server.child.kill("SIGTERM");
    const lasts = await Promise.all(answered);
    await server.child.exited;
    const again = await startOurs(scope, SAVES, { dir: server.dir });
    const client = await again.connect();
    for (const [i, last] of lasts.entries()) {
      // One more may have run whose answer the closing connection took with it.
      const kept = Number(await client.ask("GET", `counter:${i}`)) - last;
      expect(kept === 0 || kept === 1).toBe(true);
    }
  });

  test("kill -9 leaves what the last background save wrote", async () => {
    const { server, client } = await withKey(SAVES);
    await client.ask("BGSAVE");
    const isSaved = async (): Promise<boolean> =>
      (await info(server.port, "persistence"))["rdb_changes_since_last_save"] === "0";
    await eventually(isSaved, 10_000, "the save is done");
    await client.ok("SET", "key", "too late");
    await server.stop("SIGKILL");
    expect(await found(server.dir)).toBe("value");
  });

  test("a save point saves by itself", async () => {
    const { server } = await withKey({ save: "1 1" });
    const isSaved = async (): Promise<boolean> =>
      (await info(server.port, "persistence"))["rdb_changes_since_last_save"] === "0";
    await eventually(isSaved, 10_000, "the save point is due");
    await server.stop("SIGKILL");
    expect(await found(server.dir)).toBe("value");
  });

  test("expired keys do not come back", async () => {
    const { server, client } = await withKey(SAVES);
    await client.ok("SET", "brief", "x", "PX", 60);
    await client.ok("SET", "long", "x", "EX", 1000);
    await server.stop();
    const endedAtMs = Date.now();
    await eventually(() => Date.now() > endedAtMs + 100, 5000, "the key has expired");
    const again = await (await startOurs(scope, SAVES, { dir: server.dir })).connect();
    expect(await again.ask("DBSIZE")).toBe(2);
    expect(await again.ask("TTL", "long")).toBeGreaterThan(900);
  });

  test("a full disk: the old file stays, the log says so, and the data with it until somebody insists", async () => {
    const dir = join(tempDir(scope), "small");
    mkdirSync(dir);
    const mounted = await run(["mount", "-t", "tmpfs", "-o", "size=1m", "slotmesh-test", dir]);
    if (mounted.code !== 0)
      return console.log(`skipped, no file system of a set size: ${mounted.output.trim()}`);
    scope.defer(async () => void (await run(["umount", "-l", dir])));
    const { server, client } = await withKey(SAVES, dir);
    await client.ok("SAVE");
    const old = readFileSync(join(dir, "dump.rdb"));
    const random = Array.from({ length: 2_000 }, () => crypto.getRandomValues(new Uint8Array(1000)));
    await client.pipeline(random.map((value, i) => ["SET", `key:${i}`, value]));
    expect(await client.ask("SAVE")).toBe("-ERR");
    await client.ask("BGSAVE");
    const hasFailed = async (): Promise<boolean> =>
      (await info(server.port, "persistence"))["rdb_last_bgsave_status"] === "err";
    await eventually(hasFailed, 10_000, "the background save fails");
    expect(await client.ask("SET", "a", "b")).toMatch(/^-MISCONF /);
    expect(await client.ask("SHUTDOWN")).toBe("-ERR Errors trying to SHUTDOWN. Check logs.");
    expect(server.child.output).toMatch(/No space left on device/);
    expect(readFileSync(join(dir, "dump.rdb")).equals(old)).toBe(true);
    expect(readdirSync(dir).filter((name) => name.includes("tmp"))).toEqual([]);
    expect(await client.ask("GET", "key")).toBe("value");
    client.write("SHUTDOWN FORCE\r\n");
    expect((await server.child.exited).code).toBe(0);
    expect(readFileSync(join(dir, "dump.rdb")).equals(old)).toBe(true);
  });
});

describe("slotmesh cluster --dir", () => {
  async function start(ports: readonly number[], dir: string): Promise<Child> {
    const args = ["cluster", "--masters", "3", "--replicas", "1", "--port", String(ports[0]), "--dir", dir];
    // A PING in the stream that one of two who end at once has not got would make them differ.
    args.push("--repl-ping-replica-period", "3600");
    const child = spawn(scope, [process.execPath, MAIN, ...args], { cwd: ROOT, group: true });
    await child.waitForOutput("ready in", 30_000);
    return child;
  }

  test("ctrl-C and a new start: every key is there, on masters and replicas, and no copy was needed", async () => {
    const dir = tempDir(scope);
    const firstPort = await freePortRun(6);
    const ports = Array.from({ length: 6 }, (_, i) => firstPort + i);
    const sizes = async (): Promise<number[]> =>
      await Promise.all(ports.map(async (port) => Number(await redisCli(["-p", port, "dbsize"]))));
    const first = await start(ports, dir);
    const sets = Array.from({ length: 300 }, (_, i) => `set key:${i} value:${i}`);
    await redisCli(["-c", "-p", ports[0]!], { stdin: `${sets.join("\n")}\n` });
    const sum = (counts: number[]): number => counts.reduce((total, count) => total + count, 0);
    await eventually(async () => sum(await sizes()) === 600, 10_000, "replicas have all keys");
    const before = await sizes();
    expect((await first.stop("SIGINT")).code).toBe(0);
    const second = await start(ports, dir);
    expect(second.output).toContain("the cluster as it was");
    expect(await sizes()).toEqual(before);
    const gets = Array.from({ length: 300 }, (_, i) => `get key:${i}`);
    const values = await redisCli(["-c", "-p", ports[0]!], { stdin: `${gets.join("\n")}\n` });
    for (let i = 0; i < 300; i++) expect(values).toContain(`value:${i}\n`);
    const stats = await Promise.all(ports.map((port) => info(port, "stats")));
    expect(stats.map((each) => each["sync_full"])).toEqual(["0", "0", "0", "0", "0", "0"]);
    expect((await second.stop("SIGINT")).code).toBe(0);
  });
});

describe("inside a program", () => {
  test("startServer keeps the data of a directory, and writes none without one", async () => {
    const dir = tempDir(scope);
    const first = await startServer({ dir });
    await redisCli(["-p", first.port, "set", "key", "value"]);
    await first.stop();
    const second = await startServer({ dir });
    expect(await redisCli(["-p", second.port, "get", "key"])).toBe("value\n");
    await second.stop();
    const brief = await startServer();
    expect(await redisCli(["-p", brief.port, "config", "get", "save"])).toBe("save\n\n");
    await brief.stop();
    expect(existsSync(brief.dir)).toBe(false);
  });

  test("startServer says what is wrong with the data", async () => {
    const dir = tempDir(scope);
    await Bun.write(join(dir, "dump.rdb"), "REDIS0010");
    await expect(startServer({ dir })).rejects.toThrow(
      /cannot load .*dump\.rdb: the input ends in the middle/,
    );
  });

  test("a stop that cannot save says so, and stops all the same", async () => {
    const dir = tempDir(scope);
    const server = await startServer({ dir });
    await redisCli(["-p", server.port, "set", "key", "value"]);
    mkdirSync(join(dir, "dump.rdb", "x"), { recursive: true });
    await expect(server.stop()).rejects.toThrow(/could not be saved/);
    await expect(redisCli(["-p", server.port, "ping"])).rejects.toThrow();
  });

  test("startCluster keeps keys as it keeps identities, on whatever ports", async () => {
    const dir = tempDir(scope);
    const first = await startCluster({ masters: 3, replicas: 1, dir });
    for (let i = 0; i < 30; i++) await redisCli(["-c", "-p", first.ports[0]!, "set", `key:${i}`, i]);
    await first.stop();
    const second = await startCluster({ masters: 3, replicas: 1, dir });
    try {
      for (let i = 0; i < 30; i++)
        expect(await redisCli(["-c", "-p", second.ports[0]!, "get", `key:${i}`])).toBe(`${i}\n`);
      const sizes = await Promise.all(
        second.nodes.map(async ({ port }) => Number(await redisCli(["-p", port, "dbsize"]))),
      );
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(60);
    } finally {
      await second.stop();
    }
  });
});
