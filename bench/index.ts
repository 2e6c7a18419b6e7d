// The bench command: every question, or those named.
//   bun bench                       all of them
//   bun bench wire memory           some
//   bun bench wire --rounds 5       more interleaved runs than the usual three
//   bun bench --quick               a tenth of the work, to see that it runs
//   bun bench --json figures.json   where the figures go; .bench/latest.json unless told
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { run as commands } from "./commands.ts";
import { run as crc16 } from "./crc16.ts";
import { run as decoder } from "./decoder.ts";
import { run as elements } from "./elements.ts";
import { run as drops } from "./drops.ts";
import { run as eviction } from "./eviction.ts";
import { run as expiry } from "./expiry.ts";
import { run as heap } from "./heap.ts";
import { run as memory } from "./memory.ts";
import { run as pauses } from "./pauses.ts";
import { run as refill } from "./refill.ts";
import { type Findings, type Options, printSurroundings, printTable, surroundings } from "./report.ts";
import { run as reshard } from "./reshard.ts";
import { run as start } from "./start.ts";
import { run as table } from "./table.ts";
import { run as wire } from "./wire.ts";

interface Case {
  readonly run: (options: Options) => Promise<Findings>;
  /** Programs it cannot do without. */
  readonly needs: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  crc16: { run: crc16, needs: [] },
  table: { run: table, needs: [] },
  decoder: { run: decoder, needs: [] },
  wire: { run: wire, needs: ["redis-server", "redis-benchmark"] },
  commands: { run: commands, needs: ["redis-server", "redis-benchmark"] },
  memory: { run: memory, needs: ["redis-server"] },
  pauses: { run: pauses, needs: ["redis-server"] },
  elements: { run: elements, needs: ["redis-server"] },
  start: { run: start, needs: ["redis-cli"] },
  expiry: { run: expiry, needs: ["redis-server"] },
  drops: { run: drops, needs: ["redis-server"] },
  refill: { run: refill, needs: ["redis-server"] },
  eviction: { run: eviction, needs: ["redis-server"] },
  reshard: { run: reshard, needs: ["redis-server", "redis-cli"] },
  heap: { run: heap, needs: ["redis-benchmark"] },
};

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: { quick: { type: "boolean" }, rounds: { type: "string", default: "3" }, json: { type: "string" } },
});
const unknown = positionals.find((name) => !Object.hasOwn(CASES, name));
if (unknown !== undefined) {
  console.error(`no bench is called '${unknown}'; there are ${Object.keys(CASES).join(", ")}`);
  process.exit(1);
}
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds takes a whole number above 0, not '${values.rounds}'`);
  process.exit(1);
}
const isQuick = values.quick === true;
const options: Options = { isQuick, rounds: isQuick ? 1 : rounds };
const around = surroundings();
printSurroundings(around);

const results: Record<string, Findings> = {};
const skipped: string[] = [];
const failures: string[] = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(CASES)) {
  const found = CASES[name];
  if (found === undefined) continue;
  const missing = found.needs.filter((program) => Bun.which(program) === null);
  if (missing.length > 0) {
    skipped.push(`${name}: needs ${missing.join(" and ")}`);
    continue;
  }
  try {
    const findings = await found.run(options);
    for (const shown of findings.tables) printTable(shown);
    results[name] = findings;
  } catch (error) {
    failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
for (const line of skipped) console.log(`\nleft out: ${line}`);
for (const line of failures) console.error(`\nfailed: ${line}`);

const file = resolve(values.json ?? fileURLToPath(new URL("../.bench/latest.json", import.meta.url)));
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify({ ...around, options, results }, undefined, 2)}\n`);
console.log(`\nfigures written to ${file}`);
process.exit(failures.length === 0 && Object.keys(results).length > 0 ? 0 : 1);
