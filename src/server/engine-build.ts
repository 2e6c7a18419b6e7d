// The debug engine is compiled where it is asked for the first time; from then on setup.ts keeps it up to date.
import { fileURLToPath } from "node:url";
import { engineFile, type EngineBuild } from "../engine/binary.ts";
import { runToEnd } from "../io/children.ts";
import { exists } from "../io/disk.ts";
import { executable } from "../io/process.ts";

const SETUP = fileURLToPath(new URL("../setup.ts", import.meta.url));

/** Sees to it that a build of the engine is there, where it can be made. */
export function provideEngine(build: EngineBuild): void {
  if (build === "debug" && !exists(engineFile(build))) runToEnd([executable, SETUP, "--debug"]);
}
