// Runs small functions side by side with tinybench and makes a table of it.
import { Bench } from "tinybench";
import { compact, type Findings, type Options, ratio } from "./report.ts";

export interface Contender {
  readonly name: string;
  readonly run: () => unknown;
}

export interface MicroCase {
  readonly title: string;
  readonly note: string;
  /** Operations in one call of a contender. */
  readonly operations: number;
  /** What an operation is: key, request. */
  readonly unit: string;
  /** The first is what the others are held against. */
  readonly contenders: readonly Contender[];
}

const TIME_MS = 800;
const QUICK_TIME_MS = 60;

export async function runMicro(micro: MicroCase, { isQuick }: Options): Promise<Findings> {
  const bench = new Bench({
    time: isQuick ? QUICK_TIME_MS : TIME_MS,
    warmupTime: isQuick ? 20 : 200,
    throws: true,
  });
  for (const { name, run } of micro.contenders) bench.add(name, run);
  await bench.run();
  const rates = bench.tasks.map(({ name, result }) => {
    if (!("latency" in result)) throw new Error(`${name} gave no figures`);
    // The median leaves out what the collector and other processes did in between.
    return { name, rate: (micro.operations * 1000) / result.latency.p50 };
  });
  const base = rates[0]?.rate ?? 1;
  const rows = rates.map(({ name, rate }) => [
    name,
    compact(rate),
    (1e9 / rate).toPrecision(3),
    ratio(rate, base),
  ]);
  const columns = ["", `${micro.unit}s/s`, `ns/${micro.unit}`, "ratio"];
  return {
    tables: [{ title: micro.title, note: micro.note, columns, rows }],
    figures: Object.fromEntries(rates.map(({ name, rate }) => [`${micro.title}: ${name}`, rate])),
  };
}

export function merge(all: readonly Findings[]): Findings {
  return {
    tables: all.flatMap(({ tables }) => tables),
    figures: Object.assign({}, ...all.map(({ figures }) => figures)) as Record<string, number>,
  };
}
