// How many requests a second, beside redis-server and beside a server that only counts?
import { Scope } from "../test/support/cleanup.ts";
import {
  benchmarkArgs,
  ceilingTarget,
  fill,
  type Load,
  ourTarget,
  redisTarget,
  runBenchmark,
  type Target,
} from "./load.ts";
import { compact, type Findings, median, type Options, pairedRatio, times } from "./report.ts";

const PIPELINES = [1, 16, 64] as const;
const REQUESTS: Readonly<Record<number, number>> = { 1: 200_000, 16: 1_500_000, 64: 3_000_000 };

interface Cell {
  readonly rates: number[];
  readonly p99s: number[];
}

export async function run({ isQuick, rounds }: Options): Promise<Findings> {
  const keys = isQuick ? 20_000 : 1_000_000;
  const loads = (["set", "get"] as const).flatMap((command) =>
    PIPELINES.map((pipeline): Load => ({
      command,
      pipeline,
      keys,
      requests: (REQUESTS[pipeline] ?? 0) / (isQuick ? 20 : 1),
    })),
  );
  const scope = new Scope();
  try {
    const targets = [await redisTarget(scope), await ourTarget(scope), await ceilingTarget(scope)];
    for (const target of targets.slice(0, 2)) await fill(target, keys);
    return present(loads, targets, await measure(loads, targets, rounds), rounds);
  } finally {
    await scope.close();
  }
}

/** Servers take turns within every load, loads within every round: a slow minute of the machine hits all alike. */
async function measure(
  loads: readonly Load[],
  targets: readonly Target[],
  rounds: number,
): Promise<Map<string, Cell>> {
  const cells = new Map<string, Cell>();
  for (let round = 0; round < rounds; round++) {
    for (const load of loads) {
      for (const target of targets) {
        const { rate, p99Ms } = await runBenchmark(target, load);
        const cell = cells.get(nameOf(load, target)) ?? { rates: [], p99s: [] };
        cell.rates.push(rate);
        cell.p99s.push(p99Ms);
        cells.set(nameOf(load, target), cell);
      }
    }
  }
  return cells;
}

function nameOf({ command, pipeline }: Load, { name }: Target): string {
  return `${command.toUpperCase()} pipeline ${pipeline}: ${name}`;
}

function present(
  loads: readonly Load[],
  targets: readonly Target[],
  cells: ReadonlyMap<string, Cell>,
  rounds: number,
): Findings {
  const figures: Record<string, number> = {};
  const rows = loads.map((load) => {
    const [base, ...others] = targets.map((target) => cells.get(nameOf(load, target))!.rates);
    const rates = [base!, ...others].map(median);
    for (const [i, rate] of rates.entries()) figures[`${nameOf(load, targets[i]!)}, requests/s`] = rate;
    const ratios = others.map((runs) => pairedRatio(runs, base!));
    const p99s = targets.slice(0, 2).map((target) => median(cells.get(nameOf(load, target))?.p99s ?? []));
    figures[`${load.command.toUpperCase()} pipeline ${load.pipeline}: ratio`] = ratios[0]!;
    return [
      `${load.command.toUpperCase()} pipeline ${load.pipeline}`,
      ...rates.map(compact),
      ...ratios.map(times),
      ...p99s.map((ms) => ms.toFixed(2)),
    ];
  });
  const [redis, ours, ceiling] = targets.map(({ name }) => name);
  const columns = [
    "requests/s",
    redis,
    ours,
    ceiling,
    `${ours}/redis`,
    `${ceiling}/redis`,
    "p99 ms redis",
    `p99 ms ${ours}`,
  ].map(String);
  const example = benchmarkArgs(loads.at(-1) as Load).join(" ");
  const note = `medians of ${rounds} interleaved runs and of their ratios, cluster mode on, all keys present; the last row is ${example}`;
  return { tables: [{ title: "redis-benchmark", note, columns, rows }], figures };
}
