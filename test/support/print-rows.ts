// Prints the commands of redis-server as rows ready to be given a summary and a handler:
//   bun test/support/print-rows.ts connection         a group
//   bun test/support/print-rows.ts get config         commands by name
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Command, KeySpec } from "../../src/commands/row.ts";
import { Client } from "./client.ts";
import { freePort } from "./ports.ts";
import { redisFamilies } from "./redis-rows.ts";
import { eventually } from "./eventually.ts";

const wanted = new Set(process.argv.slice(2));
const port = await freePort();
const server = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", ""], {
  stdio: "ignore",
});
try {
  let client: Client | undefined;
  const open = async (): Promise<boolean> => {
    client = await Client.open(port, { protocol: 3 });
    return true;
  };
  await eventually(open, 10_000, "redis-server answers");
  for (const { group, rows } of await redisFamilies(client!)) {
    for (const row of rows.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (wanted.has(group) || wanted.has(row.name)) console.log(printRow(row, "  "));
    }
  }
  client?.close();
} finally {
  server.kill();
  await once(server, "exit");
}

function printRow(row: Command, indent: string): string {
  const { keys, summary: _, subcommands, ...fields } = row;
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  if (keys !== undefined) lines.splice(3, 0, `keys: [${keys.map(printKeySpec).join(", ")}]`);
  lines.push('summary: ""'); // ours is in words of our own
  if (subcommands === undefined) lines.push("run: ");
  else {
    const sorted = subcommands.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    lines.push(
      `subcommands: [\n${sorted.map((sub) => printRow(sub, `${indent}    `)).join("\n")}\n${indent}  ]`,
    );
  }
  return `${indent}{\n${lines.map((line) => `${indent}  ${line},\n`).join("")}${indent}},`;
}

function printKeySpec({ flags, begin, find, notes }: KeySpec): string {
  const names = flags.map((flag) => JSON.stringify(flag)).join(", ");
  const spec = helperOf(begin, find, names);
  return notes === undefined ? spec : `noted(${spec}, ${JSON.stringify(notes)})`;
}

function helperOf(begin: KeySpec["begin"], find: KeySpec["find"], names: string): string {
  if (begin === "unknown" || find === "unknown") return `keysUnknown(${names})`;
  if ("keyword" in begin) {
    if (!("range" in find)) throw new Error(`no helper for a number of keys behind ${begin.keyword}`);
    return `keysAfter(${JSON.stringify(begin.keyword)}, ${begin.startFrom}, ${JSON.stringify(find.range)}, ${names})`;
  }
  if ("keynum" in find) return `keysCounted(${begin.index}, ${names})`;
  const [last, step] = find.range;
  if (last === 0 && step === 1) return `keyAt(${begin.index}, ${names})`;
  return `keysFrom(${begin.index}, ${last}, ${step}, ${names})`;
}
