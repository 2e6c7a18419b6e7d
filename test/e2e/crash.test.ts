// A fault of our own: what the log says, what the process leaves, what peers, the supervisor and a host process see.
import { afterEach, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { startCluster, startServer } from "../../src/embed/index.ts";
import { fileScope } from "../support/cleanup.ts";
import { Client } from "../support/client.ts";
import { clusterInfo, info, nodesOf, untilOk, untilReplicating } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, freePortRun } from "../support/ports.ts";
import { type Child, spawn } from "../support/process.ts";
import { redisCli, MAIN, ROOT, startOurs } from "../support/servers.ts";
import { tempDir } from "../support/temp.ts";

const scope = fileScope();
const CODE = 70;

/** Says a request whose reply never comes. */
async function crash(port: number, how: "PANIC" | "SEGFAULT" = "PANIC"): Promise<void> {
  await redisCli(["-p", port, "debug", how], { mayFail: true });
}

describe("a server", () => {
  for (const [how, says] of [
    ["PANIC", "Unreachable code"],
    ["SEGFAULT", "Out of bounds memory access"],
  ] as const) {
    test(`DEBUG ${how} ends it with a report, a code of its own and no reply`, async () => {
      const server = await startOurs(scope);
      await crash(server.port, how);
      const { code, output } = await server.child.exited;
      expect(code).toBe(CODE);
      expect(output).toContain(`Fault: engine trap, RuntimeError: ${says}`);
      expect(output).toContain("Request: debug, of client");
      expect(output).toContain(`Arguments: 2, of 5 ${how.length} bytes`);
      expect(output).toMatch(/Build: slotmesh [\d.]+, release engine [0-9a-f]{64}, Bun /);
      expect(output).toMatch(
        /Stack:\n.* {2}at assembly\/fault\/fault\n.* {2}at debug \(.*debug\.ts:\d+:\d+\)/,
      );
      expect(output.trimEnd().split("\n").at(-1)).toContain("END OF THE CRASH REPORT");
    });
  }

  for (const [what, code] of [
    ["an exception", "throw new Error('stray')"],
    ["a promise nobody looks at", "void Promise.reject(new Error('stray'))"],
  ] as const) {
    test(`ends the same way by ${what} from anywhere`, async () => {
      const dir = tempDir(scope);
      writeFileSync(`${dir}/stray.ts`, `process.on("SIGUSR2", () => setTimeout(() => { ${code}; }, 0));`);
      const port = await freePort();
      const command = [process.execPath, "--preload", `${dir}/stray.ts`, MAIN, "server"];
      const child = spawn(scope, [...command, "--port", String(port), "--dir", dir, "--save", ""]);
      await child.waitForOutput("Ready to accept");
      child.kill("SIGUSR2");
      const ended = await child.exited;
      expect(ended.code).toBe(CODE);
      expect(ended.output).toContain("Fault: exception, Error: stray");
      expect(ended.output).toContain("stray.ts:1:");
    });
  }

  test("is not ended by those who may not use DEBUG", async () => {
    const server = await startOurs(scope, { "enable-debug-command": "no" });
    expect(await redisCli(["-p", server.port, "debug", "panic"])).toStartWith(
      "ERR DEBUG command not allowed",
    );
    expect(await redisCli(["-p", server.port, "ping"])).toBe("PONG\n");
  });

  test("saves nothing over what it saved before, and frees its lock and its pidfile", async () => {
    const dir = tempDir(scope);
    const flags = { "cluster-enabled": "yes", save: "3600 1", pidfile: `${dir}/pid` };
    const first = await startOurs(scope, flags, { dir });
    const client = await first.connect();
    await client.ok("SET", "k", "saved");
    await client.ok("SAVE");
    await client.ok("SET", "k", "not saved");
    const before = readFileSync(`${dir}/dump.rdb`);
    expect(existsSync(`${dir}/pid`)).toBe(true);
    await crash(first.port);
    expect((await first.child.exited).code).toBe(CODE);
    expect(readFileSync(`${dir}/dump.rdb`).equals(before)).toBe(true);
    expect(existsSync(`${dir}/pid`)).toBe(false);
    const second = await startOurs(scope, flags, { dir });
    expect(await (await second.connect()).text("GET", "k")).toBe("saved");
  });

  test("sends neither clients nor replicas what a half-run request wrote", async () => {
    const alone = { "cluster-enabled": "no" };
    const master = await startOurs(scope, alone);
    const replica = await startOurs(scope, { ...alone, replicaof: `127.0.0.1 ${master.port}` });
    await untilReplicating([replica.port]);
    const client = await master.connect();
    await client.ok("SET", "whole", "1");
    await client.ok("MULTI");
    for (const words of [
      ["SET", "half", "secret-value"],
      ["GET", "whole"],
      ["DEBUG", "PANIC"],
    ])
      expect(await client.ask(...words)).toBe("QUEUED");
    expect(String(await client.ask("EXEC").catch((error: unknown) => error))).toContain("closed");
    const { code, output } = await master.child.exited;
    expect(code).toBe(CODE);
    expect(output).toContain("Request: debug, within EXEC, of client");
    expect(output).not.toContain("secret");
    const copy = await replica.connect();
    await eventually(
      async () => (await info(replica.port, "replication"))["master_link_status"] === "down",
      5000,
      "the replica sees its master dead",
    );
    expect(await copy.text("GET", "whole")).toBe("1");
    expect(await copy.ask("GET", "half")).toBe(null);
  });
});

describe("slotmesh cluster", () => {
  async function start(
    masters: number,
    replicas: number,
    ...flags: readonly string[]
  ): Promise<{ child: Child; ports: number[] }> {
    const count = masters * (1 + replicas);
    const firstPort = await freePortRun(count);
    const shape = ["--masters", String(masters), "--replicas", String(replicas), "--port", String(firstPort)];
    const directives = ["--cluster-node-timeout", "1000", "--enable-debug-command", "yes"];
    const child = spawn(scope, [process.execPath, MAIN, "cluster", ...shape, ...directives, ...flags], {
      cwd: ROOT,
      group: true,
    });
    await child.waitForOutput("ready in", 30_000);
    return { child, ports: Array.from({ length: count }, (_, i) => firstPort + i) };
  }

  test("starts a master that crashed again once its replica has its place, and no key is lost", async () => {
    const { child, ports } = await start(3, 1);
    const [victim = 0, other = 0] = ports;
    const numbers = Array.from({ length: 60 }, (_, i) => i);
    const ask = (port: number, line: (i: number) => string): Promise<string> =>
      redisCli(["-c", "-p", port], { stdin: numbers.map((i) => `${line(i)}\n`).join("") });
    await ask(other, (i) => `set key${i} ${i}`);
    await crash(victim);
    await child.waitForOutput(
      new RegExp(`node ${victim} \\(process \\d+\\) was ended by an engine trap .*, code 70; see .*node.log`),
    );
    await child.waitForOutput(`node ${victim} was started again`, 20_000);
    await untilOk(ports);
    await untilReplicating([victim]);
    const line = (await nodesOf(other)).find(({ port }) => port === victim);
    expect(line?.flags).toContain("slave");
    const answers = (await ask(victim, (i) => `get key${i}`)).replaceAll(/^-> .*\n/gm, "");
    expect(answers).toBe(numbers.map((i) => `${i}\n`).join(""));
    expect((await child.stop("SIGINT")).code).toBe(0);
  }, 60_000);

  test("has a replica take its master's place without votes where too few live to vote, and no key is lost", async () => {
    const { child, ports } = await start(1, 1);
    const [master = 0, replica = 0] = ports;
    for (let i = 0; i < 20; i++) await redisCli(["-p", master, "set", `key${i}`, i]);
    await eventually(
      async () => (await redisCli(["-p", replica, "dbsize"])).trim() === "20",
      10_000,
      "the replica has it all",
    );
    await crash(master);
    await child.waitForOutput(`node ${master} was started again`, 30_000);
    await untilReplicating([master]);
    for (const port of ports) expect((await redisCli(["-p", port, "dbsize"])).trim()).toBe("20");
    expect((await child.stop("SIGINT")).code).toBe(0);
  }, 60_000);

  test("tries a node again whose port is taken for a moment", async () => {
    const { child, ports } = await start(1, 0);
    const [port = 0] = ports;
    const squatter = createServer();
    const taken = (): Promise<void> =>
      new Promise((resolve, reject) => {
        squatter.once("error", reject);
        squatter.listen(port + 10_000, "127.0.0.1", resolve);
      });
    await crash(port);
    await eventually(
      async () =>
        await taken().then(
          () => true,
          () => false,
        ),
      5000,
      "the bus port is taken",
    );
    await child.waitForOutput(/see .*node\.log/);
    const log = child.output.match(/see (.*node\.log)/)?.[1] ?? "";
    await eventually(
      async () => readFileSync(log, "utf8").includes("in use"),
      20_000,
      "the node ends at once",
    );
    await new Promise((resolve) => squatter.close(resolve));
    await child.waitForOutput(`node ${port} was started again`, 30_000);
    expect((await child.stop("SIGINT")).code).toBe(0);
  }, 60_000);

  test("gives a node up that crashes again and again", async () => {
    const { child, ports } = await start(1, 0);
    const [port = 0] = ports;
    for (let i = 0; i < 4; i++) {
      await eventually(async () => (await clusterInfo(port))["cluster_state"] === "ok", 10_000, "it serves");
      await crash(port);
    }
    const { code, output } = await child.exited;
    expect(output.match(/was started again/g)?.length).toBe(3);
    expect(output).toContain("code 70, more than 3 times in 10 s. No node is left.");
    expect(code).toBe(1);
  }, 60_000);

  test("ends when the last node crashed and cannot be started again", async () => {
    const dir = tempDir(scope);
    const { child, ports } = await start(1, 0, "--dir", dir);
    const [port = 0] = ports;
    const log = `${dir}/node-1/node.log`;
    renameSync(log, `${log}.old`);
    mkdirSync(log);
    await crash(port);
    const { code, output } = await child.exited;
    expect(output).toMatch(
      new RegExp(`node ${port} cannot be started again: .*node.log: .*No node is left.`),
    );
    expect(code).toBe(1);
  }, 60_000);
});

describe("nodes in the process of their user", () => {
  const running: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of running.splice(0)) await each.stop();
  });

  test("a server that crashes is gone, and its owner is told", async () => {
    const told: [string, number][] = [];
    const dir = tempDir(scope);
    const server = await startServer({
      dir,
      config: { "enable-debug-command": true },
      onCrash: (error, port) => told.push([error.message, port]),
    });
    await crash(server.port);
    await eventually(() => told.length > 0, 5000, "the owner is told");
    expect(told).toEqual([[expect.stringContaining("Unreachable code"), server.port]]);
    expect(readFileSync(`${dir}/node.log`, "utf8")).toContain("  at assembly/fault/fault\n");
    await expect(Client.open(server.port)).rejects.toThrow();
    await expect(Client.open(server.port + 10_000)).rejects.toThrow();
    await server.stop();
    expect(existsSync(`${dir}/dump.rdb`)).toBe(false);
    const again = await startServer({ dir, port: server.port }); // ports and lock are free
    await again.stop();
  });

  test("the others of a cluster go on, and take its slots", async () => {
    const told: number[] = [];
    const config = { "enable-debug-command": true, "cluster-node-timeout": 1000 };
    const cluster = await startCluster({
      masters: 3,
      replicas: 1,
      config,
      onCrash: (_, port) => told.push(port),
    });
    running.push(cluster);
    const [victim = 0, ...rest] = cluster.ports;
    await crash(victim, "SEGFAULT");
    await eventually(() => told.length > 0, 5000, "the owner is told");
    expect(told).toEqual([victim]);
    await eventually(
      async () => {
        const nodes = await nodesOf(rest[0]!);
        return nodes.some(({ port, flags }) => port === victim && flags.includes("fail"));
      },
      10_000,
      "the others see that it is gone",
    );
    await untilOk(rest);
  }, 30_000);
});
