// `slotmesh cluster`: a whole cluster from one command, one process per node, and all of it gone with ctrl-C.
import { describe, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { Client } from "../support/client.ts";
import { clusterInfo, info, nodesOf, type NodeLine, untilAgreed, viewOf } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { freePortRun } from "../support/ports.ts";
import { type Child, spawn } from "../support/process.ts";
import { MAIN, redisCli, ROOT, startRedis } from "../support/servers.ts";
import { tempDir } from "../support/temp.ts";

const READY_MS = 30_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function pidsOf(ports: readonly number[]): Promise<number[]> {
  const infos = await Promise.all(ports.map((port) => info(port, "server")));
  return infos.map((found) => Number(found["process_id"]));
}

/** The table with a line per node is the last thing printed before the user takes over. */
async function untilTable(child: Child, ports: readonly number[]): Promise<void> {
  const isComplete = (): boolean => ports.every((port) => child.output.includes(String(port)));
  const isReady = async (): Promise<boolean> => {
    if (!child.isRunning) throw new Error(`it ended:\n${child.output}`);
    if (!isComplete()) return false;
    const states = await Promise.all(ports.map(async (port) => (await clusterInfo(port))["cluster_state"]));
    return (
      states.every((state) => state === "ok") &&
      (child.output.match(/\b(master|replica)\b/g)?.length ?? 0) >= ports.length
    );
  };
  await eventually(isReady, READY_MS, "the table of nodes is printed");
}

describe("slotmesh cluster --masters 3 --replicas 1", () => {
  const scope = fileScope();

  function start(command: readonly string[], firstPort: number, dir: string): Child {
    const args = ["--masters", "3", "--replicas", "1", "--port", String(firstPort), "--dir", dir];
    return spawn(scope, [process.execPath, ...command, ...args], { cwd: ROOT, group: true });
  }

  test("serves when it says so, ends whole, and comes back as it was", async () => {
    const firstPort = await freePortRun(6);
    const ports = Array.from({ length: 6 }, (_, i) => firstPort + i);
    const dir = tempDir(scope);

    const first = start([MAIN, "cluster"], firstPort, dir);
    await untilTable(first, ports);
    // What it says is so at once: every node ok, all slots covered, replicas online.
    const before = await untilAgreed(ports, 2000);
    expect(before.filter(({ flags }) => flags.includes("master")).length).toBe(3);
    for (const port of ports)
      expect(await clusterInfo(port)).toMatchObject({
        cluster_state: "ok",
        cluster_slots_ok: "16384",
        cluster_size: "3",
      });
    for (const port of ports) {
      const slots = await redisCli(["-p", port, "cluster", "slots"]);
      for (const { id } of before) expect(slots).toContain(id);
    }
    for (const { port } of before.filter(({ flags }) => flags.includes("slave"))) {
      expect((await info(port, "replication"))["master_link_status"]).toBe("up");
    }
    expect(await redisCli(["--cluster", "check", `127.0.0.1:${firstPort}`])).toContain(
      "[OK] All 16384 slots covered.",
    );
    expect(await redisCli(["-c", "-p", firstPort, "set", "key", "value"])).toBe("OK\n");
    const told = await redisCli(["--cluster", "set-timeout", `127.0.0.1:${firstPort}`, "7000"]);
    expect(told).toContain("New node timeout set. 6 OK, 0 ERR.");

    const pids = await pidsOf(ports);
    expect(new Set(pids).size).toBe(6);
    first.kill("SIGINT");
    const ended = await first.exited;
    expect([0, 130]).toContain(ended.code);
    expect(ended.output).not.toMatch(/\bat .*\.ts:\d+/);
    await eventually(() => !pids.some(isAlive), 5000, "every node's process is gone");

    const second = start([MAIN, "cluster"], firstPort, dir);
    await untilTable(second, ports);
    const after = await untilAgreed(ports, 5000);
    const identity = (nodes: readonly NodeLine[]): string[] =>
      nodes.map(({ id, port, slots }) => `${id} ${port} ${slots.join()}`).toSorted();
    expect(identity(after)).toEqual(identity(before));
    const timeout = await redisCli(["-p", firstPort + 5, "config", "get", "cluster-node-timeout"]);
    expect(timeout).toBe("cluster-node-timeout\n7000\n");
    const pidsAgain = await pidsOf(ports);
    await second.stop("SIGTERM");
    await eventually(() => !pidsAgain.some(isAlive), 5000, "every node's process is gone after SIGTERM");
  });

  test("bun run cluster, as a user types it; a killed node takes no other with it", async () => {
    const firstPort = await freePortRun(6);
    const ports = Array.from({ length: 6 }, (_, i) => firstPort + i);
    const child = start(["run", "cluster"], firstPort, tempDir(scope));
    await untilTable(child, ports);
    const [victim] = await pidsOf([firstPort + 5]);
    if (victim === undefined) throw new Error("the node tells no process id");
    process.kill(victim, "SIGKILL");
    await eventually(() => !isAlive(victim), 5000, "the killed node is gone");
    for (const port of ports.slice(0, 5)) {
      const client = await Client.open(port);
      expect(await client.ask("PING")).toBe("PONG");
      client.close();
    }
    expect(viewOf(await nodesOf(firstPort)).split("\n").length).toBe(6);
    const pids = await pidsOf(ports.slice(0, 5));
    await child.stop("SIGINT");
    await eventually(() => !pids.some(isAlive), 5000, "every node's process is gone");
  });

  test("nodes do not outlive a supervisor that was killed", async () => {
    const firstPort = await freePortRun(3);
    const ports = [firstPort, firstPort + 1, firstPort + 2];
    const args = ["--masters", "3", "--replicas", "0", "--port", String(firstPort), "--dir", tempDir(scope)];
    const child = spawn(scope, [process.execPath, MAIN, "cluster", ...args], { cwd: ROOT });
    await untilTable(child, ports);
    const pids = await pidsOf(ports);
    await child.stop("SIGKILL");
    await eventually(() => !pids.some(isAlive), 5000, "every node's process is gone");
  });

  test("it goes with its terminal, unless nohup was said; no other signal that is no reason ends it", async () => {
    for (const nohup of [[], ["nohup"]]) {
      const firstPort = await freePortRun(3);
      const ports = [firstPort, firstPort + 1, firstPort + 2];
      const args = [
        "--masters",
        "3",
        "--replicas",
        "0",
        "--port",
        String(firstPort),
        "--dir",
        tempDir(scope),
      ];
      const child = spawn(scope, [...nohup, process.execPath, MAIN, "cluster", ...args], { cwd: ROOT });
      await untilTable(child, ports);
      const pids = await pidsOf(ports);
      for (const pid of [child.pid, ...pids]) process.kill(pid, "SIGALRM");
      for (const pid of pids) process.kill(pid, "SIGHUP");
      expect(await pidsOf(ports)).toEqual(pids);
      child.kill("SIGHUP");
      if (nohup.length > 0) {
        expect(await pidsOf(ports)).toEqual(pids);
        expect(child.isRunning).toBe(true);
        child.kill("SIGTERM");
      }
      expect((await child.exited).code).toBe(0);
      await eventually(() => !pids.some(isAlive), 5000, "every node's process is gone");
    }
  });

  test("a port in use is one clear line and leaves nothing running", async () => {
    const firstPort = await freePortRun(6);
    await startRedis(scope, {}, { port: firstPort + 3 });
    const child = start([MAIN, "cluster"], firstPort, tempDir(scope));
    const ended = await child.exited;
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(/in use/);
    expect(ended.output).toContain(String(firstPort + 3));
    for (const port of [firstPort, firstPort + 1, firstPort + 5]) {
      const reached = await Client.open(port).then(
        () => true,
        () => false,
      );
      expect(reached).toBe(false);
    }
  });
});
