// Many cases of something wrong, each to be borne, in a process of their own: a case that never ends is ended from
// outside, and what the memory lacks at the end is seen.
import { fileURLToPath } from "node:url";
import type { InProcess } from "../inprocess.ts";
import { run } from "../process.ts";
import { pickSeed } from "../random.ts";

export interface Attack {
  /** Runs one case; whether what is wrong was accepted. Throws what is not as it should be. */
  run(index: number): boolean;
  /** Deletes all there is: bytes in use then. */
  end(): number;
}

/** Lets what was deleted be given back. */
export function settle({ memory }: InProcess): void {
  while (memory.wasm.releaseWaiting(1e6) !== 0);
}

export function usedWhenEmpty(at: InProcess): number {
  at.keys.flushAll();
  settle(at);
  return at.memory.usedBytes;
}

const PROGRAM = fileURLToPath(new URL("main.ts", import.meta.url));
/** A case takes a millisecond or two. */
const LONGEST_MS = 60_000;
const CASE_MS = 40;

/** Runs `count` cases of an attack; a failure names seed and case. @returns how many were accepted */
export async function attacked(name: "restore" | "file", count: number): Promise<number> {
  const seed = pickSeed();
  const command = [process.execPath, PROGRAM, name, String(seed), "0", String(count)];
  const { code, output } = await run(command, {}, LONGEST_MS + count * CASE_MS);
  const accepted = /^(\d+) of \d+ accepted/m.exec(output)?.[1];
  if (code !== 0 || accepted === undefined)
    throw new Error(`it ended with ${code}; repeat with SLOTMESH_SEED=${seed}:\n${output.slice(-3000)}`);
  return Number(accepted);
}
