// Does the JavaScript heap grow with requests? Ten million SETs and GETs, the heap read in between.
import { Scope } from "../test/support/cleanup.ts";
import { fill, infoField, ourTarget, runBenchmark } from "./load.ts";
import type { Findings, Options } from "./report.ts";

const STEPS = 20;
/** How often the request counter is looked at while the load runs. */
const LOOK_MS = 20;

interface Sample {
  readonly requests: number;
  /** Alive after the last collection. */
  readonly used: number;
  /** Of the heap's blocks, what has died since the last collection included. */
  readonly total: number;
}

export async function run({ isQuick }: Options): Promise<Findings> {
  const keys = isQuick ? 20_000 : 1_000_000;
  const requests = isQuick ? 500_000 : 5_000_000;
  const scope = new Scope();
  try {
    const target = await ourTarget(scope);
    await fill(target, keys);
    // The same fifty connections from beginning to end of each half: what is seen is owed to requests alone.
    const load = { pipeline: 16, requests, keys };
    const set = runBenchmark(target, { command: "set", ...load });
    const samples = await sampleWhile(target.port, set, (requests * 2) / STEPS);
    const get = runBenchmark(target, { command: "get", ...load });
    samples.push(...(await sampleWhile(target.port, get, (requests * 2) / STEPS)));
    return present(samples);
  } finally {
    await scope.close();
  }
}

/** A sample every `every` requests until the load is done. */
async function sampleWhile(port: number, running: Promise<unknown>, every: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const load = { isRunning: true };
  const done = running.finally(() => (load.isRunning = false));
  let next = 0;
  while (load.isRunning) {
    const requests = await infoField(port, "stats", "total_commands_processed");
    if (requests >= next) {
      const used = await infoField(port, "memory", "js_heap_used");
      const total = await infoField(port, "memory", "js_heap_total");
      samples.push({ requests, used, total });
      next = requests + every;
    }
    await Bun.sleep(LOOK_MS);
  }
  await done;
  return samples;
}

/** The first quarter is left out: by then everything has been compiled and run. */
function present(samples: readonly Sample[]): Findings {
  const settled = samples.slice(samples.length >> 2);
  const half = settled.length >> 1;
  const mean = (some: readonly Sample[], of: "requests" | "total" | "used"): number =>
    some.reduce((sum, sample) => sum + sample[of], 0) / some.length;
  const [early, late] = [settled.slice(0, half), settled.slice(half)];
  const apart = mean(late, "requests") - mean(early, "requests");
  const growth = (mean(late, "used") - mean(early, "used")) / apart;
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(2);
  return {
    tables: [
      {
        title: "JavaScript heap",
        note: `INFO memory, redis-benchmark -c 50 -P 16 running; ${growth.toFixed(4)} bytes alive more per request after the first quarter`,
        columns: ["requests served", "MiB alive", "MiB of blocks"],
        rows: samples.map(({ requests, used, total }) => [
          requests.toLocaleString("en"),
          mib(used),
          mib(total),
        ]),
      },
    ],
    figures: {
      "heap growth, bytes per request": growth,
      "heap blocks at most, bytes": Math.max(...samples.map(({ total }) => total)),
    },
  };
}
