// The engine's WebAssembly as it is built: the release engine, or the one that checks itself.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * `debug` has assertions on and checks the values a command touched after it (assembly/debug): slower, for tests and for
 * tracking a fault down.
 */
export type EngineBuild = "release" | "debug";

export const ENGINE_BUILDS: readonly EngineBuild[] = ["release", "debug"];

const FILES = {
  release: "engine.wasm",
  debug: "engine.debug.wasm",
} as const satisfies Record<EngineBuild, string>;

let chosen: EngineBuild = "release";
const compiled = new Map<EngineBuild, { readonly module: WebAssembly.Module; readonly hash: string }>();

/** From here on, engines of this process are of this build. */
export function chooseEngine(build: EngineBuild): void {
  chosen = build;
}

export function chosenEngine(): EngineBuild {
  return chosen;
}

export class EngineMissing extends Error {}

/** The module of the chosen build, compiled once. Throws EngineMissing, which says how to build it. */
export function engineModule(): WebAssembly.Module {
  let found = compiled.get(chosen);
  if (found === undefined) {
    const bytes = read(engineFile(chosen));
    const hash = createHash("sha256").update(bytes).digest("hex");
    found = { module: new WebAssembly.Module(bytes), hash };
    compiled.set(chosen, found);
  }
  return found.module;
}

/** SHA-256 of the module that runs, in hex: what is on disk by now may be another. */
export function engineHash(): string {
  return compiled.get(chosen)?.hash ?? "";
}

/** Where a build is. */
export function engineFile(build: EngineBuild): string {
  return fileURLToPath(new URL(`../../build/${FILES[build]}`, import.meta.url));
}

function read(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(file));
  } catch {
    throw new EngineMissing(`the engine is not built: run "bun run build" in slotmesh's folder (no ${file})`);
  }
}
