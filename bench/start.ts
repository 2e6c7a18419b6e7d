// How long until it serves: a node, a cluster of processes, a cluster inside the caller's process?
import { startCluster } from "../src/embed/index.ts";
import { Scope } from "../test/support/cleanup.ts";
import { Client } from "../test/support/client.ts";
import { eventually } from "../test/support/eventually.ts";
import { freePort, freePortRun } from "../test/support/ports.ts";
import { spawn } from "../test/support/process.ts";
import { MAIN, redisCli } from "../test/support/servers.ts";
import { tempDir } from "../test/support/temp.ts";
import { type Findings, median, type Options } from "./report.ts";

const PATIENCE_MS = 30_000;
const SHAPE = { masters: 3, replicas: 1 };
const NODES = SHAPE.masters * (1 + SHAPE.replicas);

/** From the start of the process to its first PONG. */
async function server(scope: Scope): Promise<void> {
  const port = await freePort();
  spawn(scope, [process.execPath, MAIN, "server", "--port", String(port), "--dir", tempDir(scope)]);
  const answers = async (): Promise<boolean> => {
    const client = await Client.open(port);
    const pong = await client.ask("PING");
    client.close();
    return pong === "PONG";
  };
  await eventually(answers, PATIENCE_MS, "PONG");
}

/** From the start of the supervisor to the table of nodes, which it prints when all are in step. */
async function cluster(scope: Scope): Promise<void> {
  const first = await freePortRun(NODES);
  const shape = Object.entries(SHAPE).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const args = [MAIN, "cluster", ...shape, "--port", String(first), "--dir", tempDir(scope)];
  const child = spawn(scope, [process.execPath, ...args], { group: true });
  const last = String(first + NODES - 1);
  const isTold = (): boolean =>
    (child.output.match(/\breplica\b/g)?.length ?? 0) >= SHAPE.masters && child.output.includes(last);
  await eventually(isTold, PATIENCE_MS, "the table of nodes");
  const checked = await redisCli(["--cluster", "check", `127.0.0.1:${first}`]);
  if (!checked.includes("[OK] All 16384 slots covered.")) throw new Error(`told too early:\n${checked}`);
}

async function embedded(scope: Scope): Promise<void> {
  const started = await startCluster(SHAPE);
  scope.defer(() => started.stop());
}

const CASES = [
  ["server answers PING", server],
  [`cluster of ${NODES} processes, in step`, cluster],
  [`startCluster() of ${NODES} nodes, in step`, embedded],
] as const;

export async function run({ rounds }: Options): Promise<Findings> {
  const figures: Record<string, number> = {};
  const rows: (string | number)[][] = [];
  for (const [name, start] of CASES) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const scope = new Scope();
      try {
        const startedAtMs = performance.now();
        await start(scope);
        times.push(performance.now() - startedAtMs);
      } finally {
        await scope.close();
      }
    }
    figures[`${name}, ms`] = median(times);
    rows.push([name, ...[Math.min(...times), median(times), Math.max(...times)].map((ms) => Math.round(ms))]);
  }
  const note = `${rounds} starts each; the cluster's figure includes a redis-cli --cluster check, some 50 ms`;
  return {
    tables: [{ title: "until it serves, ms", note, columns: ["", "least", "median", "most"], rows }],
    figures,
  };
}
