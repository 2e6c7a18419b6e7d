// Parts of the engine that no export reaches: the engine compiled once more, with a file beside the test that says
// what else to export.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Exports } from "../../src/engine/exports.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** An instance of the engine with what `entry` exports; the caller runs `init`. Takes some seconds. */
export function compileWith<Part>(entry: URL): Exports & Part {
  const directory = mkdtempSync(join(tmpdir(), "slotmesh-asc-"));
  const outFile = join(directory, "part.wasm");
  const args = [
    join(root, "node_modules/assemblyscript/bin/asc.js"),
    relative(root, fileURLToPath(entry)),
    "--config",
    "asconfig.json",
    "--outFile",
    outFile,
  ];
  const done = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  try {
    if (done.status !== 0) throw new Error(`asc: ${done.stderr}`);
    const module = new WebAssembly.Module(readFileSync(outFile));
    const instance = new WebAssembly.Instance(module, { env: { grown: () => undefined } });
    return instance.exports as unknown as Exports & Part;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
