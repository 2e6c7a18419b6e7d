// Does the JavaScript heap grow with requests? Ten million SETs and GETs, the heap read in between.
import { Scope } from "../test/support/cleanup.ts";
import { fill, infoField, ourTarget, runBenchmark } from "./load.ts";
import type { Findings, Options } from "./report.ts";

const STEPS = 10;
const FIELD = "js_heap_used";

export async function run({ isQuick }: Options): Promise<Findings> {
  const keys = isQuick ? 20_000 : 1_000_000;
  const requests = isQuick ? 50_000 : 500_000;
  const scope = new Scope();
  try {
    const target = await ourTarget(scope);
    await fill(target, keys);
    const samples = [await infoField(target.port, "memory", FIELD)];
    for (let step = 0; step < STEPS; step++) {
      for (const command of ["set", "get"] as const)
        await runBenchmark(target, { command, pipeline: 16, requests, keys });
      samples.push(await infoField(target.port, "memory", FIELD));
    }
    return present(samples, requests * 2);
  } finally {
    await scope.close();
  }
}

function present(samples: readonly number[], perStep: number): Findings {
  const [first = 0, last = 0] = [samples[1], samples.at(-1)];
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(2);
  const growth = (last - first) / (perStep * (samples.length - 2));
  return {
    tables: [
      {
        title: "JavaScript heap",
        note: `INFO memory, ${FIELD}; ${growth.toFixed(3)} bytes per request from the second reading to the last`,
        columns: ["requests served", "MiB"],
        rows: samples.map((bytes, i) => [(i * perStep).toLocaleString("en"), mib(bytes)]),
      },
    ],
    figures: { "heap growth, bytes per request": growth, "heap at the end, bytes": last },
  };
}
