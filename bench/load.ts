// Load on servers in processes of their own: redis-benchmark, filling a keyspace, and reading a process's memory.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Scope } from "../test/support/cleanup.ts";
import { Client } from "../test/support/client.ts";
import { eventually } from "../test/support/eventually.ts";
import { freePort } from "../test/support/ports.ts";
import { run, spawn } from "../test/support/process.ts";
import { ownAllSlots, type Server, startOurs, startRedis } from "../test/support/servers.ts";
import { feed } from "./feed.ts";

export const VALUE_BYTES = 64;

export interface Target {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

function targetOf(name: string, server: Server): Target {
  return { name, port: server.port, pid: server.child.pid };
}

/** redis-server in cluster mode, owning all slots, saving nothing. */
export async function redisTarget(scope: Scope): Promise<Target> {
  const server = await startRedis(scope, { "cluster-enabled": "yes" });
  await ownAllSlots(server);
  return targetOf("redis-server", server);
}

/** Ours in cluster mode, owning all slots. */
export async function ourTarget(scope: Scope): Promise<Target> {
  const server = await startOurs(scope, { "cluster-enabled": "yes" });
  await ownAllSlots(server);
  return targetOf("slotmesh", server);
}

export async function ceilingTarget(scope: Scope): Promise<Target> {
  const port = await freePort();
  const file = fileURLToPath(new URL("ceiling.ts", import.meta.url));
  const child = spawn(scope, [process.execPath, file, String(port)]);
  await child.waitForOutput("counting");
  return { name: "ceiling", port, pid: child.pid };
}

export interface Load {
  readonly command: "set" | "get";
  readonly pipeline: number;
  readonly requests: number;
  readonly keys: number;
}

export interface Measured {
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The redis-benchmark command line of a load, without the port. */
export function benchmarkArgs({ command, pipeline, requests, keys }: Load): string[] {
  const settings = { t: command, P: pipeline, n: requests, r: keys, c: 50, d: VALUE_BYTES };
  return [
    "redis-benchmark",
    ...Object.entries(settings).flatMap(([flag, value]) => [`-${flag}`, String(value)]),
    "--csv",
  ];
}

export async function runBenchmark(target: Target, load: Load): Promise<Measured> {
  const [found] = await measure(target, benchmarkArgs(load), [load.command]);
  return found!;
}

/**
 * Runs redis-benchmark on a server.
 * @param args its command line with `--csv`, without the port
 * @param tests how the lines to be read begin, whatever their case
 */
export async function measure(
  { port }: Target,
  args: readonly string[],
  tests: readonly string[],
): Promise<readonly Measured[]> {
  const ended = await run([args[0]!, "-p", String(port), ...args.slice(1)], {}, 600_000);
  // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
  const lines = ended.stdout.split("\n");
  return tests.map((test) => {
    const line = lines.find((text) => text.toLowerCase().startsWith(`"${test.toLowerCase()}`));
    const numbers = line?.slice(line.indexOf('",')).match(/\d+(\.\d+)?/g) ?? [];
    const [rate, , , p50Ms, , p99Ms] = numbers.map(Number);
    if (ended.code !== 0 || rate === undefined || p50Ms === undefined || p99Ms === undefined || !(rate > 0)) {
      throw new Error(`redis-benchmark gave no figures for ${test}:\n${ended.output}`);
    }
    return { rate, p50Ms, p99Ms };
  });
}

/** Sets the keys redis-benchmark draws from, 16 bytes each, to values of 64 bytes of their own. */
export function fill({ port }: Target, keys: number): Promise<void> {
  return feed(port, sets(keys));
}

function* sets(keys: number): Generator<string[]> {
  for (let i = 0; i < keys; i++) yield ["SET", keyOf(i), valueOf(i)];
}

function keyOf(i: number): string {
  return `key:${String(i).padStart(12, "0")}`;
}

function valueOf(i: number): string {
  return `value ${i} `.padEnd(VALUE_BYTES, "v");
}

/** Resident memory of a process in bytes, as the kernel counts it. */
export function residentBytes(pid: number): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} tells no VmRSS`);
  return Number(kib) * 1024;
}

const STEADY_BYTES = 256 * 1024;
/** Readings in a row, a quarter second apart, that must agree. What was garbage is given back a second later, at rest. */
const STEADY_READINGS = 10;

/** Resident memory once it has stopped moving for some seconds. */
export async function steadyBytes(pid: number): Promise<number> {
  let readings: number[] = [];
  await eventually(
    async () => {
      readings = [...readings.slice(1 - STEADY_READINGS), residentBytes(pid)];
      await Bun.sleep(250);
      return (
        readings.length === STEADY_READINGS && Math.max(...readings) - Math.min(...readings) < STEADY_BYTES
      );
    },
    30_000,
    "memory stands still",
  );
  return readings.at(-1) ?? 0;
}

export async function infoField(port: number, section: string, field: string): Promise<number> {
  const client = await Client.open(port);
  try {
    const text = await client.text("INFO", section);
    const value = new RegExp(`^${field}:(\\d+)`, "m").exec(text)?.[1];
    if (value === undefined) throw new Error(`INFO ${section} has no ${field}`);
    return Number(value);
  } finally {
    client.close();
  }
}

export async function keysHeld(port: number): Promise<number> {
  const client = await Client.open(port);
  try {
    return Number(await client.ask("DBSIZE"));
  } finally {
    client.close();
  }
}
