// The engine's WebAssembly as it is built: the release engine, or the one that checks itself.
import { readFileSync } from "node:fs";

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
const compiled = new Map<EngineBuild, WebAssembly.Module>();

/** From here on, engines of this process are of this build. */
export function chooseEngine(build: EngineBuild): void {
  chosen = build;
}

export function chosenEngine(): EngineBuild {
  return chosen;
}

/** The module of the chosen build, compiled once. Throws an error that says how to build it. */
export function engineModule(): WebAssembly.Module {
  let module = compiled.get(chosen);
  if (module === undefined) {
    module = new WebAssembly.Module(read(FILES[chosen]));
    compiled.set(chosen, module);
  }
  return module;
}

function read(name: string): Uint8Array<ArrayBuffer> {
  const file = new URL(`../../build/${name}`, import.meta.url);
  try {
    return new Uint8Array(readFileSync(file));
  } catch {
    throw new Error(
      `the engine is not built: run "bun run build" in slotmesh's folder (no ${file.pathname})`,
    );
  }
}
