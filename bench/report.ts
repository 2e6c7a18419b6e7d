// What every bench prints and writes: the machine, the versions, the command line, and tables of figures.
import { execFileSync } from "node:child_process";
import { cpus, totalmem, type as systemName, release } from "node:os";
import { readFileSync } from "node:fs";

export interface Table {
  readonly title: string;
  /** Reads the figures for those who were not there: what was measured and how. */
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What a case found: tables for people, figures by name for programs. */
export interface Findings {
  readonly tables: readonly Table[];
  readonly figures: Readonly<Record<string, number>>;
}

export interface Options {
  /** A tenth of the work: shows that a bench runs, not how fast anything is. */
  readonly isQuick: boolean;
  readonly rounds: number;
}

export interface Surroundings {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly commandLine: string;
  readonly date: string;
}

export function surroundings(): Surroundings {
  const [cpu] = cpus();
  const memoryGib = (totalmem() / 2 ** 30).toFixed(0);
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return {
    machine: `${cpus().length} x ${cpu?.model.trim() ?? "unknown"}, ${memoryGib} GiB, ${systemName()} ${release()}`,
    versions: { slotmesh: version, bun: Bun.version, redis: redisVersion() },
    commandLine: ["bun", "bench", ...process.argv.slice(2)].join(" "),
    date: new Date().toISOString(),
  };
}

function redisVersion(): string {
  if (Bun.which("redis-server") === null) return "not installed";
  return /v=(\S+)/.exec(execFileSync("redis-server", ["--version"]).toString())?.[1] ?? "unknown";
}

export function printSurroundings({ machine, versions, commandLine, date }: Surroundings): void {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  console.log(`${commandLine}\n${machine}\n${named.join(", ")}, ${date}`);
}

/** A table in columns: the first to the left, figures to the right. */
export function printTable({ title, note, columns, rows }: Table): void {
  const cells = [columns, ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => String(row[i] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ");
  console.log(`\n${title}`);
  for (const row of cells) console.log(`  ${line(row)}`);
  console.log(`  ${note}`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  if (high === undefined) throw new Error("no values");
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2;
}

/**
 * The median of what each run makes of the run beside it: the machine's slow minutes, which hit both, cancel out, as they
 * would not between medians taken apart.
 */
export function pairedRatio(values: readonly number[], bases: readonly number[]): number {
  return median(values.map((value, i) => value / bases[i]!));
}

/** 1234567 as 1,235 k; 85.2 as 85.2. */
export function compact(value: number): string {
  if (value >= 100_000) return `${Math.round(value / 1000).toLocaleString("en")} k`;
  return value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

export function ratio(value: number, base: number): string {
  return times(value / base);
}

export function times(value: number): string {
  return `${value.toFixed(2)}x`;
}
