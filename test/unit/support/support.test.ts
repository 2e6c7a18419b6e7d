import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { Scope } from "../../support/cleanup.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort, freePortRun } from "../../support/ports.ts";
import { run, spawn } from "../../support/process.ts";
import { Random, seeded } from "../../support/random.ts";
import { redisCli, startRedis } from "../../support/servers.ts";
import { tempDir } from "../../support/temp.ts";

test("the same seed gives the same draws, another seed others", () => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => random.below(1_000_000));
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  const spread = new Random(1);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 4000; i++) counts[spread.below(4)]!++;
  for (const count of counts) expect(count).toBeWithin(850, 1150);
});

test("a failure names its seed", async () => {
  const failing = seeded(() => {
    throw new Error("broken");
  }, 4711);
  await expect(failing).rejects.toThrow(/broken[^]*SLOTMESH_SEED=4711/);
});

test("eventually waits for the condition and gives up in time", async () => {
  let asked = 0;
  expect(await eventually(() => ++asked === 4 && "done", 1000)).toBe("done");
  await expect(eventually(() => false, 20, "never")).rejects.toThrow("never");
});

test("ports are free together with their bus ports and are not given twice", async () => {
  const ports = [await freePort(), await freePort(), await freePortRun(3)];
  expect(new Set(ports).size).toBe(3);
  for (const port of ports) expect(port + 10_000).toBeLessThan(32_768);
});

test("a process's output, status and end by signal are seen", async () => {
  const ended = await run(["sh", "-c", "echo out; echo err >&2; exit 3"]);
  expect(ended.code).toBe(3);
  expect(ended.stdout).toBe("out\n");
  expect(ended.output).toContain("err\n");
  const scope = new Scope();
  const child = spawn(scope, ["sh", "-c", "echo ready; exec sleep 60"]);
  await child.waitForOutput("ready");
  expect((await child.stop()).code).toBe(143);
  await scope.close();
});

test("closing the scope ends servers and removes their directories", async () => {
  const scope = new Scope();
  const server = await startRedis(scope);
  const loose = tempDir(scope);
  expect(await redisCli(["-p", server.port, "echo", "hello"])).toBe("hello\n");
  await scope.close();
  expect(server.child.isRunning).toBe(false);
  expect(existsSync(server.dir)).toBe(false);
  expect(existsSync(loose)).toBe(false);
});

test("a server that cannot start is an error that shows its output", async () => {
  const scope = new Scope();
  await expect(startRedis(scope, { "no-such-directive": 1 })).rejects.toThrow(/no-such-directive/);
  await scope.close();
});

test("a client sees replies, splits writes anywhere and learns that the server closed", async () => {
  const scope = new Scope();
  const server = await startRedis(scope);
  const client = await server.connect({ protocol: 3 });
  await client.ok("SET", "key", Buffer.of(0, 13, 10, 255));
  expect((await client.reply("GET", "key")).raw.toString("latin1")).toBe("$4\r\n\x00\r\n\xff\r\n");
  const wire = Buffer.from("*1\r\n$4\r\nPING\r\n");
  await client.writeSplit(
    wire,
    Array.from(wire, (_, i) => i),
  );
  expect((await client.read()).raw.toString()).toBe("+PONG\r\n");
  expect(await client.ask("QUIT")).toBe("OK");
  await client.untilClosed();
  await expect(client.read()).rejects.toThrow("closed the connection");
  await scope.close();
});
