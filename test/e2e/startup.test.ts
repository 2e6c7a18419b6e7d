// How a node starts, why it refuses to, and how it ends.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { Scope } from "../support/cleanup.ts";
import { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { type Ended, run, spawn } from "../support/process.ts";
import { MAIN, redisCli, ROOT, startOurs } from "../support/servers.ts";
import { tempDir } from "../support/temp.ts";

setDefaultTimeout(60_000);

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

/** Starts a server that is expected to end by itself. */
function attempt(...args: readonly (string | number)[]): Promise<Ended> {
  return run([process.execPath, MAIN, "server", ...args.map(String)], { cwd: tempDir(scope) });
}

/** Lines of the output that say something was wrong; a stack trace would be many. */
function complaints(ended: Ended): string[] {
  return ended.output.split("\n").filter((line) => line.trim() !== "");
}

describe("what a start prints", () => {
  test("version, runtime, ports, process id and what to do next", async () => {
    const server = await startOurs(scope);
    const { output, pid } = server.child;
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { version: string };
    expect(output).toContain(version);
    expect(output).toMatch(/bun/i);
    expect(output).toContain(Bun.version);
    expect(output).toContain(String(server.port));
    expect(output).toContain(String(server.port + 10_000));
    expect(output).toContain(String(pid));
    expect(output).toContain("redis-cli");
  });

  test("bun run server, as a user types it", async () => {
    const port = await freePort();
    const command = [process.execPath, "run", "server", "--port", String(port), "--dir", tempDir(scope)];
    const child = spawn(scope, command, { cwd: ROOT, group: true });
    await child.waitForOutput(String(port), 30_000);
    await eventually(
      async () => (await redisCli(["-p", port, "ping"], { mayFail: true })) === "PONG\n",
      15_000,
      "PONG",
    );
    expect(await redisCli(["-c", "-p", port, "set", "a", "b"])).toBe("OK\n");
    expect(await redisCli(["-c", "-p", port, "get", "a"])).toBe("b\n");
  });
});

describe("a configuration file", () => {
  function configure(text: string): string {
    const file = join(tempDir(scope), "redis.conf");
    writeFileSync(file, text);
    return file;
  }

  test("in Redis's format is read, and flags override it", async () => {
    const logs = tempDir(scope);
    const config = [
      "# a comment", "", "port 1", "Cluster-Enabled yes", "  maxmemory   1gb  ", "bind 127.0.0.1", `logfile "${logs}/server.log"`,
      'save ""', "tcp-keepalive 123", "maxmemory-policy noeviction", 'requirepass "open\\x20sesame"', "enable-debug-command local",
    ]; // prettier-ignore
    const server = await startOurs(scope, { "tcp-keepalive": 77 }, { config, password: "open sesame" });
    const client = await server.connect();
    expect(await client.ask("CONFIG", "GET", "maxmemory")).toEqual(["maxmemory", "1073741824"]);
    expect(await client.ask("CONFIG", "GET", "tcp-keepalive")).toEqual(["tcp-keepalive", "77"]);
    expect(await client.ask("CONFIG", "GET", "port")).toEqual(["port", String(server.port)]);
    expect(await client.ask("CONFIG", "GET", "cluster-enabled")).toEqual(["cluster-enabled", "yes"]);
    expect(readFileSync(`${logs}/server.log`, "utf8")).toContain(String(server.port));
  });

  test("what has no effect here and does no harm is passed over, and said", async () => {
    const server = await startOurs(scope, { "tcp-backlog": 128, "io-threads": 4 });
    expect(server.child.output).toMatch(
      /'tcp-backlog' has no effect here[^]*'io-threads' has no effect here/,
    );
    const client = await server.connect();
    expect(await client.ask("CONFIG", "GET", "io-threads")).toEqual(["io-threads", "4"]);
  });

  test("every family of addresses is one word of bind", async () => {
    const hasIpv6 = Object.values(networkInterfaces()).some((each) =>
      each?.some(({ family }) => family === "IPv6"),
    );
    const server = await startOurs(scope, { bind: "0.0.0.0 -::", "protected-mode": "yes" });
    expect(await redisCli(["-h", "127.0.0.1", "-p", server.port, "ping"])).toBe("PONG\n");
    if (hasIpv6) expect(await redisCli(["-h", "::1", "-p", server.port, "ping"])).toBe("PONG\n");
  });

  test("a mistyped directive stops the start: file, line and the nearest real name", async () => {
    const file = configure("port 0\n\ncluster-enable yes\n");
    const ended = await attempt(file);
    expect(ended.code).toBe(1);
    expect(ended.output).toContain(file);
    expect(ended.output).toMatch(/line 3\b/);
    expect(ended.output).toContain("cluster-enable yes");
    expect(ended.output).toContain("cluster-enabled");
    expect(ended.output).not.toMatch(/\bat .*\.ts:\d+/);
  });

  test.each([
    ["maxmemory plenty", /maxmemory/],
    ["cluster-enabled perhaps", /yes.*no/i],
    ["port 70000", /port/],
    ['dir "unbalanced', /line 1\b/],
    ["port", /line 1\b/],
  ])("a wrong value stops the start: %s", async (line, says) => {
    const ended = await attempt(configure(`${line}\n`));
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(says);
    expect(ended.output).not.toMatch(/\bat .*\.ts:\d+/);
  });

  test("a file that is not there", async () => {
    const ended = await attempt("/nonexistent/redis.conf");
    expect(ended.code).toBe(1);
    expect(ended.output).toContain("/nonexistent/redis.conf");
    expect(complaints(ended).length).toBeLessThanOrEqual(3);
  });

  test("a mistyped flag", async () => {
    const ended = await attempt("--prot", await freePort());
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(/prot\b[^]*port/);
  });
});

describe("what keeps a node from starting is one clear line and status 1", () => {
  test("the port is in use", async () => {
    const other = await startOurs(scope);
    const ended = await attempt("--port", other.port);
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(/in use/);
    expect(ended.output).toContain(String(other.port));
    expect(ended.output).not.toMatch(/\bat .*\.ts:\d+/);
  });

  test("the bus port is in use", async () => {
    const port = await freePort();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(port + 10_000, "127.0.0.1", resolve));
    scope.defer(() => void squatter.close());
    const ended = await attempt("--port", port);
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(/in use/);
    expect(ended.output).toContain(String(port + 10_000));
  });

  test("there is no port", async () => {
    const ended = await attempt("--port", 0);
    expect(ended.code).toBe(1);
    expect(complaints(ended)).toEqual(["slotmesh: port 0: configured not to listen anywhere"]);
  });

  test("the log file cannot be opened", async () => {
    const ended = await attempt("--port", await freePort(), "--logfile", "/nonexistent/node.log");
    expect(ended.code).toBe(1);
    expect(complaints(ended)).toEqual([
      "slotmesh: cannot open the log file /nonexistent/node.log: No such file or directory",
    ]);
  });

  test("the directory is not there", async () => {
    const ended = await attempt("--port", await freePort(), "--dir", "/nonexistent/place");
    expect(ended.code).toBe(1);
    expect(ended.output).toContain("/nonexistent/place");
    expect(ended.output).not.toMatch(/\bat .*\.ts:\d+/);
  });

  test("the directory cannot be written to", async () => {
    // Root may write anywhere but where the kernel itself says no.
    const ended = await attempt("--port", await freePort(), "--dir", "/proc/self");
    expect(ended.code).toBe(1);
    expect(ended.output).toContain("/proc/self");
    expect(ended.output).not.toMatch(/\bat .*\.ts:\d+/);
  });

  test("nodes.conf is locked by another process", async () => {
    const other = await startOurs(scope);
    const ended = await attempt("--port", await freePort(), "--dir", other.dir);
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(/nodes\.conf/);
    expect(ended.output).toMatch(/lock|in use/i);
    expect(ended.output).not.toMatch(/\bat .*\.ts:\d+/);
  });

  test("nodes.conf is damaged", async () => {
    const dir = tempDir(scope);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "nodes.conf"), "this is no nodes.conf\n");
    const ended = await attempt("--port", await freePort(), "--dir", dir);
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(/nodes\.conf/);
  });
});

describe("the end", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s ends it cleanly", async (signal) => {
    const server = await startOurs(scope);
    const client = await server.connect();
    await client.ok("SET", "a", "b");
    server.child.kill(signal);
    await client.untilClosed(5000);
    expect((await server.child.exited).code).toBe(0);
    expect(server.child.output).not.toMatch(/\bat .*\.ts:\d+/);
  });

  test("its process id stands in pidfile while it runs", async () => {
    const server = await startOurs(scope, { pidfile: "node.pid" });
    const path = join(server.dir, "node.pid");
    const client = await server.connect();
    const info = await client.text("INFO", "server");
    expect(readFileSync(path, "utf8")).toBe(`${/process_id:(\d+)/.exec(info)?.[1]}\n`);
    await server.stop("SIGTERM");
    expect(existsSync(path)).toBe(false);
  });

  test("SHUTDOWN ends it without a reply", async () => {
    const server = await startOurs(scope);
    const client = await server.connect();
    client.write("*2\r\n$8\r\nSHUTDOWN\r\n$6\r\nNOSAVE\r\n");
    expect((await client.untilClosed(5000)).toString()).toBe("");
    expect((await server.child.exited).code).toBe(0);
  });

  test("redis-cli shutdown", async () => {
    const server = await startOurs(scope);
    await redisCli(["-p", server.port, "shutdown", "nosave"]);
    expect((await server.child.exited).code).toBe(0);
  });

  test("is not that nobody reads its output any more", async () => {
    const port = await freePort();
    const command = `"${process.execPath}" "${MAIN}" server --port ${port} --cluster-enabled no | head -n 1`;
    spawn(scope, ["sh", "-c", command], { cwd: tempDir(scope), group: true });
    const alive = async (): Promise<boolean> => {
      const client = await Client.open(port);
      scope.defer(() => client.close());
      for (let i = 1; i < 20; i++) await client.ok("REPLICAOF", "127.0.0.1", i); // each is told in the log
      return (await client.ask("PING")) === "PONG";
    };
    await eventually(alive, 15_000, "the node serves");
    const client = await Client.open(port);
    client.write("SHUTDOWN NOSAVE\r\n");
    await client.untilClosed();
  });

  test("a node that comes back is the same node", async () => {
    const first = await startOurs(scope);
    const client = await first.connect();
    await client.ok("CLUSTER", "ADDSLOTSRANGE", 0, 16383);
    const id = await client.text("CLUSTER", "MYID");
    await first.stop();
    expect(existsSync(join(first.dir, "nodes.conf"))).toBe(true);
    const second = await startOurs(scope, {}, { dir: first.dir, port: first.port });
    const again = await second.connect();
    expect(await again.text("CLUSTER", "MYID")).toBe(id);
    expect(await again.text("CLUSTER", "INFO")).toContain("cluster_slots_assigned:16384\r\n");
  });

  test("kill -9 loses neither identity nor slots", async () => {
    const first = await startOurs(scope);
    const client = await first.connect();
    await client.ok("CLUSTER", "ADDSLOTSRANGE", 0, 99);
    const id = await client.text("CLUSTER", "MYID");
    await first.stop("SIGKILL");
    const second = await startOurs(scope, {}, { dir: first.dir });
    const again = await second.connect();
    expect(await again.text("CLUSTER", "MYID")).toBe(id);
    expect(await again.text("CLUSTER", "NODES")).toContain(" 0-99\n");
  });
});

describe("safe by default", () => {
  test("protected mode and the loopback", async () => {
    const server = await startOurs(scope);
    const client = await server.connect();
    expect(await client.ask("CONFIG", "GET", "protected-mode")).toEqual(["protected-mode", "yes"]);
    const dir = tempDir(scope);
    const port = await freePort();
    spawn(scope, [process.execPath, MAIN, "server", "--port", String(port)], { cwd: dir });
    await eventually(
      async () => (await redisCli(["-p", port, "ping"], { mayFail: true })) === "PONG\n",
      15_000,
      "PONG",
    );
    const own = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === "IPv4" && !address.internal);
    if (own !== undefined) {
      const reached = await Client.open(port, { host: own.address }).then(
        () => true,
        () => false,
      );
      expect(reached).toBe(false);
    }
  });

  test("a node with a password answers nobody without it", async () => {
    const server = await startOurs(scope, {}, { password: "secret" });
    const stranger = await Client.open(server.port);
    scope.defer(() => stranger.close());
    expect(await stranger.ask("GET", "a")).toBe("-NOAUTH Authentication required.");
    expect(await stranger.ask("AUTH", "wrong")).toMatch(/^-WRONGPASS/);
    expect(await stranger.ask("AUTH", "secret")).toBe("OK");
    expect(await stranger.ask("GET", "a")).toBeNull();
    expect(await redisCli(["-p", server.port, "-a", "secret", "--no-auth-warning", "ping"])).toBe("PONG\n");
  });
});
