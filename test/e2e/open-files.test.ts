// Open files are few where the system says so, and strangers may take them all: a node keeps some for itself, says so,
// and goes on to serve and to save.
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { connect, type Socket } from "node:net";
import { BUS_OFFSET } from "../../src/cluster/options.ts";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { createWithCli, info, nodesOf, startNodes, untilAgreed, untilOk } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/ports.ts";
import {
  ownAllSlots,
  type Server,
  startOurs,
  startRedis,
  startSubject,
  type StartOptions,
} from "../support/servers.ts";
import { run } from "../support/process.ts";
import { encodeRequest } from "../support/resp.ts";

const FULL = "-ERR max number of clients + cluster connections reached\r\n";
const isLinux = process.platform === "linux";

describe.if(isLinux)("open files", () => {
  const scope = fileScope();

  interface Idler {
    readonly socket: Socket;
    heard: string;
    isClosed: boolean;
  }

  /** Connections that say `greeting` and then nothing, and that never close by themselves. */
  async function idle(port: number, count: number, greeting = ""): Promise<Idler[]> {
    const open = (): Promise<Idler> =>
      new Promise((resolve, reject) => {
        const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
        const idler: Idler = { socket, heard: "", isClosed: false };
        scope.defer(() => void socket.destroy());
        socket.once("error", reject);
        socket.once("connect", () => {
          socket.on("error", () => (idler.isClosed = true));
          if (greeting !== "") socket.write(greeting);
          resolve(idler);
        });
        socket.on("data", (chunk) => (idler.heard += chunk.toString()));
        for (const event of ["end", "close"] as const) socket.on(event, () => (idler.isClosed = true));
      });
    const all: Idler[] = [];
    while (all.length < count) all.push(...(await Promise.all(Array.from({ length: 50 }, open))));
    return all;
  }

  /** Whatever was done to it: it serves, and its files can be written and read. */
  async function isSound(server: Server, client: Client): Promise<void> {
    expect(await client.ask("SET", "{a}k", "v")).toBe("OK");
    expect(await client.ask("GET", "{a}k")).toBe("v");
    expect(await client.ask("SAVE")).toBe("OK");
    expect(await client.text("CLUSTER", "BUMPEPOCH")).toMatch(/^(BUMPED|STILL)/);
    expect(existsSync(join(server.dir, "dump.rdb"))).toBe(true);
    expect(server.child.isRunning).toBe(true);
  }

  async function restartsSoundly(server: Server, config: readonly string[]): Promise<void> {
    server.child.kill("SIGKILL");
    await server.child.exited;
    const again = await startSubject(scope, {}, { port: server.port, dir: server.dir, config });
    const client = await again.connect();
    await eventually(
      async () => (await client.ask("GET", "{a}k")) === "v",
      15_000,
      "it serves what it saved",
    );
    await again.stop();
  }

  test("maxclients is what they allow, and CONFIG SET cannot go beyond, as in redis-server", async () => {
    const answers = async (server: Server): Promise<unknown[]> => {
      const client = await server.connect();
      return [
        await client.ask("CONFIG", "GET", "maxclients"),
        await client.ask("CONFIG", "SET", "maxclients", 225),
        await client.ask("CONFIG", "SET", "maxclients", 100),
        await client.ask("CONFIG", "SET", "maxclients", 1_000_000, "timeout", 7),
        await client.ask("CONFIG", "GET", "timeout"),
        await client.ask("CONFIG", "SET", "maxclients", 224),
        (await info(server.port, "clients"))["maxclients"],
      ];
    };
    const ours = await startSubject(scope, {}, { openFiles: 256 });
    const judge = await startRedis(scope, {}, { openFiles: 256 });
    const [found, expected] = [await answers(ours), await answers(judge)];
    expect(found).toEqual(expected);
    expect(found[0]).toEqual(["maxclients", "224"]);
    await ours.child.waitForOutput(/maxclients has been reduced to 224/);
  });

  test("maxclients that they allow stays, and too low a limit is no start", async () => {
    const ours = await startOurs(scope, { maxclients: 300 }, { openFiles: 332 });
    const client = await ours.connect();
    expect(await client.ask("CONFIG", "GET", "maxclients")).toEqual(["maxclients", "300"]);
    expect(ours.child.output).not.toContain("reduced");
    const options: StartOptions = { openFiles: 32 };
    await expect(startOurs(scope, {}, options)).rejects.toThrow(/'ulimit -n' is 32/);
  });

  test("idle clients of a node of a cluster, one of whose nodes dies, take none it needs", async () => {
    const config = ["cluster-enabled yes", "cluster-node-timeout 1000"];
    const [port = 0] = await freePorts(1);
    const few = await startSubject(scope, {}, { port, config, openFiles: 256 });
    const others = await startNodes(scope, { ours: 2 }, { "cluster-node-timeout": 1000 });
    const servers = [few, ...others];
    await createWithCli(servers, 0);
    await untilAgreed(servers.map((server) => server.port));
    await untilOk([port]);
    const operator = await few.connect();
    await operator.ok("CONFIG", "SET", "cluster-require-full-coverage", "no");
    const idlers = await idle(port, 300);
    await eventually(
      () => idlers.filter(({ isClosed }) => isClosed).length >= 81,
      10_000,
      "some are refused",
    );
    const refused = idlers.filter(({ isClosed }) => isClosed);
    expect(new Set(refused.map(({ heard }) => heard))).toEqual(new Set([FULL]));
    expect(idlers.length - refused.length).toBe(224 - 4 - 1);
    others[0]!.child.kill("SIGKILL");
    await eventually(
      async () => (await operator.text("CLUSTER", "NODES")).includes(" master,fail "),
      15_000,
      "its death is seen",
    );
    expect(await operator.ask("SAVE")).toBe("OK");
    expect(await operator.text("CLUSTER", "BUMPEPOCH")).toMatch(/^(BUMPED|STILL)/);
    expect(few.openFileCount).toBeLessThan(250);
    for (const { socket } of idlers) socket.destroy();
    const isServed = async (): Promise<boolean> => (await nodesOf(port)).length === 3;
    await eventually(isServed, 10_000, "others come in again");
    expect(few.child.isRunning).toBe(true);
  });

  test("those refused for want of a place hold nothing", async () => {
    const config = ["cluster-enabled yes", "maxclients 100", "requirepass pw"];
    const server = await startSubject(scope, {}, { config, openFiles: 400, password: "pw" });
    const operator = await server.connect();
    const idlers = await idle(server.port, 600);
    await eventually(
      () => idlers.filter(({ isClosed }) => isClosed).length === 501,
      10_000,
      "501 are refused",
    );
    expect(server.openFileCount).toBeLessThan(130);
    expect(await operator.text("CLUSTER", "BUMPEPOCH")).toBe("BUMPED 1");
    await operator.ok("SAVE");
    expect(server.child.isRunning).toBe(true);
  });

  test("those who leave and do not close hold little, and not for long", async () => {
    const config = ["cluster-enabled yes"];
    const server = await startOurs(scope, {}, { config, openFiles: 256 });
    await ownAllSlots(server);
    const operator = await server.connect();
    for (let round = 0; round < 3; round++) {
      const leavers = await idle(server.port, 150, round === 1 ? "*1\r\nfoo\r\n" : "QUIT\r\n");
      await eventually(() => leavers.every(({ isClosed }) => isClosed), 10_000, "all were sent away");
      expect(leavers.filter(({ heard }) => /^(\+OK|-ERR Protocol)/.test(heard)).length).toBeGreaterThan(100);
      await eventually(() => server.openFileCount < 120, 4000, "few linger");
      await isSound(server, operator);
    }
    await restartsSoundly(server, config);
  });

  test("strangers on the bus are few, and nodes still find in", async () => {
    const [port = 0, other = 0] = await freePorts(2);
    const config = ["cluster-enabled yes", "cluster-node-timeout 5000"];
    const server = await startOurs(scope, {}, { port, config, openFiles: 256 });
    const friend = await startOurs(scope, {}, { port: other, config });
    await ownAllSlots(server);
    const operator = await server.connect();
    const clients = await idle(port, 300);
    const strangers = await idle(port + BUS_OFFSET, 1000);
    await eventually(
      () => strangers.filter(({ isClosed }) => isClosed).length > 950,
      10_000,
      "most are closed",
    );
    expect(server.openFileCount).toBeLessThan(252);
    await operator.ok("CLUSTER", "MEET", "127.0.0.1", friend.port);
    await eventually(
      async () =>
        (await nodesOf(friend.port)).filter(({ linkState }) => linkState === "connected").length === 2,
      15_000,
      "the friend is in",
    );
    await isSound(server, operator);
    for (const { socket } of [...clients, ...strangers]) socket.destroy();
    await restartsSoundly(server, config);
  });

  test.if(Bun.which("prlimit") !== null)(
    "a passing want of files fails a save and nothing else",
    async () => {
      const server = await startSubject(scope, { "cluster-enabled": "no" });
      const client = await server.connect();
      const allow = (count: number): Promise<unknown> =>
        run(["prlimit", "--pid", String(server.child.pid), `--nofile=${count}:1000`]);
      await allow(8);
      expect(await client.ask("SET", "{a}k", "v")).toBe("OK");
      expect(await client.ask("SAVE")).toBe("-ERR");
      expect(await client.text("PING")).toBe("PONG");
      await allow(1000);
      expect(await client.ask("SAVE")).toBe("OK");
      expect(server.child.isRunning).toBe(true);
    },
  );

  test("a stranger on the bus that claims much, or reads nothing, is sent away", async () => {
    const [port = 0] = await freePorts(1);
    const server = await startOurs(scope, {}, { port, config: ["cluster-enabled yes"] });
    const [claimer] = await idle(port + BUS_OFFSET, 1);
    const head = Buffer.alloc(400_000);
    head.write("RCmb");
    head.writeUInt32BE(1 << 29, 4);
    claimer!.socket.write(head);
    await eventually(() => claimer!.isClosed, 10_000, "it is closed");
    const client = await server.connect();
    client.write(encodeRequest(["PING"]));
    expect((await client.read()).raw.toString()).toBe("+PONG\r\n");
  });
});
