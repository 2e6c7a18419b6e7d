// Files a node finds at its start: what cannot be read or reached stops it with one line, before anything is written
// over; a backup that came through a pipe loads.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { startServer } from "../../src/embed/index.ts";
import { Scope } from "../support/cleanup.ts";
import { freePort } from "../support/ports.ts";
import { type Ended, run } from "../support/process.ts";
import { MAIN, type Server, startOurs, startRedis } from "../support/servers.ts";
import { tempDir } from "../support/temp.ts";

setDefaultTimeout(60_000);

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

/** A server that is expected to end by itself; its last word. */
async function refused(dir: string, ...args: readonly string[]): Promise<string> {
  const flags = ["--port", String(await freePort()), "--dir", dir, ...args];
  const ended: Ended = await run([process.execPath, MAIN, "server", ...flags], { cwd: dir });
  expect(ended.code).toBe(1);
  expect(ended.output).not.toMatch(/\bat .*\.ts:\d+/);
  return ended.output.trimEnd().split("\n").at(-1) ?? "";
}

/** What `redis-cli --rdb -` writes: the data, and after its end the mark of the replication stream. */
async function piped(server: Server): Promise<Buffer> {
  const path = join(tempDir(scope), "backup.rdb");
  const command = `redis-cli -p ${server.port} --rdb - > "${path}"`;
  expect((await run(["sh", "-c", command], {})).code).toBe(0);
  return readFileSync(path);
}

async function serves(dir: string, isOurs: boolean): Promise<unknown> {
  const flags = { save: "", "cluster-enabled": "no" };
  const server = isOurs
    ? await startOurs(scope, flags, { dir })
    : await startRedis(scope, { save: "" }, { dir });
  const client = await server.connect();
  return client.ask("GET", "key");
}

describe("a backup taken through a pipe", () => {
  test.each([
    ["redis-server", "yes"],
    ["redis-server", "no"],
    ["ours", "yes"],
    ["ours", "no"],
  ] as const)("of %s with repl-diskless-sync %s loads here and there", async (whose, diskless) => {
    const flags = { "repl-diskless-sync": diskless, "repl-diskless-sync-delay": 0 };
    const server = whose === "ours" ? await startOurs(scope, flags) : await startRedis(scope, flags);
    const client = await server.connect();
    await client.ok("SET", "key", "value");
    const backup = await piped(server);
    if (whose === "redis-server" && diskless === "yes")
      expect(backup.subarray(-40).toString()).toMatch(/^[0-9a-f]{40}$/);
    for (const isOurs of [true, false]) {
      const dir = tempDir(scope);
      writeFileSync(join(dir, "dump.rdb"), backup);
      expect(await serves(dir, isOurs)).toBe("value");
    }
    // Cut off anywhere before its checksum's end it does not.
    const dir = tempDir(scope);
    writeFileSync(join(dir, "dump.rdb"), backup.subarray(0, backup.length - 48));
    expect(await refused(dir)).toEndWith("the input ends in the middle; it is left as it is");
  });
});

describe("dump.rdb stops the start", () => {
  test.each([
    ["empty", "", "the input ends in the middle"],
    ["no RDB", "this is no dump", "wrong signature, this is no RDB"],
    ["of a version to come", "REDIS0099\xff", "cannot read RDB version 0099"],
    ["cut off", "REDIS0010\xfe", "the input ends in the middle"],
    ["damaged", "REDIS0010\xff12345678", "wrong checksum"],
  ])("when it is %s", async (_what, content, reason) => {
    const dir = tempDir(scope);
    const path = join(dir, "dump.rdb");
    writeFileSync(path, content, "latin1");
    expect(await refused(dir)).toBe(`slotmesh: cannot load ${path}: ${reason}; it is left as it is`);
    expect(readFileSync(path, "latin1")).toBe(content);
  });

  test("when it is a directory, and when it cannot be reached", async () => {
    const dir = tempDir(scope);
    const path = join(dir, "dump.rdb");
    mkdirSync(path);
    expect(await refused(dir)).toBe(`slotmesh: cannot load ${path}: Is a directory; it is left as it is`);
    rmSync(path, { recursive: true });
    symlinkSync("dump.rdb", path);
    expect(await refused(dir)).toBe(
      `slotmesh: cannot load ${path}: Too many levels of symbolic links; it is left as it is`,
    );
    expect(readlinkSync(path)).toBe("dump.rdb");
    await expect(startServer({ dir })).rejects.toThrow("Too many levels of symbolic links");
    rmSync(path);
    const server = await startServer({ dir });
    await server.stop();
  });
});

test("nodes.conf that cannot be reached stops the start, and the directory is free afterwards", async () => {
  const dir = tempDir(scope);
  const path = join(dir, "nodes.conf");
  symlinkSync("nodes.conf", path);
  expect(await refused(dir)).toBe(`slotmesh: cannot read ${path}: Too many levels of symbolic links`);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  await expect(startServer({ dir })).rejects.toThrow("Too many levels of symbolic links");
  rmSync(path);
  const server = await startServer({ dir });
  await server.stop();
});

test("a directory of nodes that cannot be reached is not taken for an empty one", async () => {
  const dir = tempDir(scope);
  symlinkSync("loop", join(dir, "loop"));
  const command = [
    process.execPath,
    MAIN,
    "cluster",
    "--port",
    String(await freePort()),
    "--dir",
    join(dir, "loop"),
  ];
  const ended = await run(command, { cwd: dir });
  expect(ended.code).toBe(1);
  expect(ended.output).toMatch(/loop: Too many levels of symbolic links\n$/);
});
