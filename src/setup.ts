// What must be there before anything runs: the packages of the lock file and the engine's WebAssembly.
// Both are left alone when they are up to date; that is decided by a hash of the sources, because the
// modification times of a fresh checkout say nothing.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { spawnSync } from "node:child_process";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The builds of the engine: what asconfig.json calls each, where it begins, and what it becomes in build/. */
const release = { target: "release", entry: "assembly/index.ts", name: "engine" };
const debug = { target: "debug", entry: "assembly/debug/index.ts", name: "engine.debug" };

function run(args: string[]): void {
  const done = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (done.status !== 0) {
    console.error(`setup: bun ${args.join(" ")} failed`);
    process.exit(1);
  }
}

function sourceHash(): string {
  const hash = createHash("sha256");
  const files = readdirSync(`${root}assembly`, { recursive: true, encoding: "utf8" });
  const sources = files.filter((file) => file.endsWith(".ts"));
  for (const file of sources.toSorted()) hash.update(file).update(readFileSync(`${root}assembly/${file}`));
  for (const file of ["asconfig.json", "bun.lock"]) hash.update(readFileSync(`${root}${file}`));
  return hash.digest("hex");
}

/** Compiles a build unless it is there and made of these sources. */
function build({ target, entry, name }: typeof release, hash: string): void {
  const wasm = `${root}build/${name}.wasm`;
  const stamp = `${root}build/${name}.hash`;
  if (!isForced && existsSync(wasm) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  mkdirSync(`${root}build`, { recursive: true });
  const fresh = `build/${name}.${process.pid}.wasm`;
  run(["node_modules/assemblyscript/bin/asc.js", entry, "--target", target, "--outFile", fresh]);
  renameSync(`${root}${fresh}`, wasm); // whole or not at all: another process may be reading it
  writeFileSync(stamp, hash);
}

const isForced = process.argv.includes("--force");
/** The debug engine is made where it is asked for, and kept up to date from then on. */
const wantsDebug =
  isForced || process.argv.includes("--debug") || existsSync(`${root}build/${debug.name}.wasm`);
// A package installed from a registry carries its WASM and no compiler; only a checkout has the lock file.
if (existsSync(`${root}bun.lock`)) {
  const lock = createHash("sha256")
    .update(readFileSync(`${root}bun.lock`))
    .digest("hex");
  const installed = `${root}node_modules/.slotmesh-lock`;
  if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
    run(["install", "--frozen-lockfile", "--silent"]);
    writeFileSync(installed, lock);
  }
  const hash = sourceHash();
  build(release, hash);
  if (wantsDebug) build(debug, hash);
}
