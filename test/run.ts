// The test command: provides the judges' tools, runs every group of tests and sums up.
//   bun run test                          everything but `long`
//   bun run test unit sim                 some groups
//   bun run test long                     what takes minutes
//   bun run test e2e -t "mixed"           from the first option on, arguments go to `bun test`
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { provideTools } from "./support/tools.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** From the quickest to tell to the slowest. */
const GROUPS = ["unit", "sim", "conformance", "e2e"] as const;
/** Run only when it is named. */
const LONG = "long";

/** Those that run on the debug engine, which checks itself; the others run what users run. */
const CHECKED_GROUPS: ReadonlySet<string> = new Set(["unit", "sim", "conformance", "long"]);

/** Characters shown of what a failed test says. */
const FAILURE_LENGTH = 2000;

interface Outcome {
  readonly group: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  /** Which tests failed, and how: a long run ends with them. */
  readonly failures: readonly string[];
}

function chooseGroups(names: readonly string[]): readonly string[] {
  const all: readonly string[] = [...GROUPS, LONG];
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new Error(`no group of tests is called '${unknown}'; there are ${all.join(", ")}`);
  if (names.length > 0) return names;
  return GROUPS.filter((group) => hasTests(`${ROOT}test/${group}`));
}

function hasTests(path: string): boolean {
  if (!existsSync(path)) return false;
  return readdirSync(path, { recursive: true }).some((file) => String(file).endsWith(".test.ts"));
}

async function runGroup(group: string, extra: readonly string[], reports: string): Promise<Outcome> {
  const report = join(reports, `${group}.xml`);
  const startedAtMs = performance.now();
  console.log(`\n== ${group}`);
  const command = [
    process.execPath,
    "test",
    `./test/${group}/`,
    ...(CHECKED_GROUPS.has(group)
      ? ["--preload", "./test/support/debug-engine.ts", "--timeout", "30000"]
      : []),
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    ...extra,
  ];
  const child = Bun.spawn(command, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  const code = await child.exited;
  const text = existsSync(report) ? readFileSync(report, "utf8") : "";
  const counts = readCounts(text);
  const seconds = (performance.now() - startedAtMs) / 1000;
  // A crash, or a file that does not load, need not show in the report: the status has the last word.
  const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed;
  return { group, ...counts, failed, seconds, failures: readFailures(text) };
}

function readCounts(report: string): { passed: number; failed: number; skipped: number } {
  const head = /<testsuites [^>]*>/.exec(report)?.[0];
  const count = (name: string): number =>
    Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head ?? "")?.[1] ?? 0);
  const [failed, skipped] = [count("failures"), count("skipped")];
  return { passed: count("tests") - failed - skipped, failed, skipped };
}

function readFailures(report: string): string[] {
  const failed =
    /<testcase name="([^"]*)" classname="([^"]*)"[^>]* file="([^"]*)"[^>]*>\s*<failure[^>]*>([^<]*)/g;
  return Array.from(report.matchAll(failed), ([, name = "", group = "", file = "", how = ""]) => {
    const title = [file, group, name].filter((part) => part !== "").join(" > ");
    return unescapeXml(`failed: ${title}\n${how.slice(0, FAILURE_LENGTH)}`);
  });
}

function unescapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    amp: "&",
    "#10": "\n",
  };
  return text.replace(/&([a-z]+|#10);/g, (whole, name: string) => entities[name] ?? whole);
}

function sum(outcomes: readonly Outcome[], field: "passed" | "failed" | "skipped" | "seconds"): number {
  return outcomes.reduce((total, outcome) => total + outcome[field], 0);
}

function line({ group, passed, failed, skipped, seconds }: Outcome): string {
  const extra = skipped > 0 ? `, ${skipped} skipped` : "";
  return `${group.padEnd(12)} ${passed} passed, ${failed} failed${extra} in ${seconds.toFixed(1)} s`;
}

const args = process.argv.slice(2).filter((arg) => arg !== "--");
const firstOption = args.findIndex((arg) => arg.startsWith("-"));
const names = firstOption < 0 ? args : args.slice(0, firstOption);
const extra = firstOption < 0 ? [] : args.slice(firstOption);

const trouble = provideTools();
if (trouble !== undefined) {
  console.error(trouble);
  process.exit(1);
}
const reports = mkdtempSync(join(tmpdir(), "slotmesh-reports-"));
const outcomes: Outcome[] = [];
try {
  for (const group of chooseGroups(names)) outcomes.push(await runGroup(group, extra, reports));
} finally {
  rmSync(reports, { recursive: true, force: true });
}
for (const { failures } of outcomes) for (const failure of failures) console.log(`\n${failure}`);
console.log(`\n${outcomes.map(line).join("\n")}`);
console.log(`${sum(outcomes, "passed")} passed, ${sum(outcomes, "failed")} failed`);
process.exit(sum(outcomes, "failed") === 0 && sum(outcomes, "passed") > 0 ? 0 : 1);
