// Files of assembly/ compiled by themselves, so that a test reaches what the engine's face does not show.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cache = `${tmpdir()}/slotmesh-parts-${process.getuid?.() ?? 0}`;

export interface Parts {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  /** An exported function of any of the files. */
  call(name: string, ...args: readonly (number | bigint)[]): number;
  /** An exported variable. */
  global(name: string): number;
}

/** An instance of `assembly/<name>.ts` for each name; the state block lies below 4096 as in the engine. */
export function compileParts(...names: readonly string[]): Parts {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(compiled(names))), {
    env: { grown: () => undefined },
  });
  const memory = instance.exports["memory"] as WebAssembly.Memory;
  return {
    memory,
    get bytes() {
      return new Uint8Array(memory.buffer);
    },
    call: (name, ...args) => (instance.exports[name] as (...args: unknown[]) => number)(...args),
    global: (name) => (instance.exports[name] as WebAssembly.Global).value as number,
  };
}

/** The module's path; it is compiled again only when a source has changed. */
function compiled(names: readonly string[]): string {
  const hash = createHash("sha256").update(names.join());
  for (const file of readdirSync(`${root}assembly`).toSorted()) {
    if (file.endsWith(".ts")) hash.update(file).update(readFileSync(`${root}assembly/${file}`));
  }
  const path = `${cache}/${hash.digest("hex")}.wasm`;
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const fresh = `${cache}/${process.pid}.wasm`;
  const options = ["--runtime", "stub", "--memoryBase", "4096", "--initialMemory", "32", "-O3", "--noAssert"];
  const features = ["--enable", "simd", "--enable", "relaxed-simd", "--use", "abort="];
  const sources = names.map((name) => `assembly/${name}.ts`);
  const asc = ["node_modules/assemblyscript/bin/asc.js", ...sources, ...options, ...features, "-o", fresh];
  const done = spawnSync(process.execPath, asc, { cwd: root, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`asc ${sources.join(" ")}: ${done.stderr}${done.stdout}`);
  renameSync(fresh, path);
  return path;
}
