// Free ports for servers. A cluster node also takes port + 10000, so both are tried; both stay below the range
// the kernel draws outgoing ports from, so that no connection of another test can sit on them.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { BUS_OFFSET } from "../../src/cluster/options.ts";

const FIRST = 10_240;
const LAST = 22_000;

const given = new Set<number>();

/** A port that is free now together with its bus port, not given before by this process. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = randomInt(FIRST, LAST + 1);
    if (given.has(port)) continue;
    given.add(port);
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) return port;
  }
  throw new Error("no free port found");
}

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

/** `count` ports in a row, all free with their bus ports. */
export async function freePortRun(count: number): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const first = randomInt(FIRST, LAST - count);
    const run = Array.from({ length: count }, (_, i) => first + i);
    if (run.some((port) => given.has(port))) continue;
    for (const port of run) given.add(port);
    const free = await Promise.all(run.flatMap((port) => [isFree(port), isFree(port + BUS_OFFSET)]));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no ${count} free ports in a row found`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
  });
}
