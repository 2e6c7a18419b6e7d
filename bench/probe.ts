// The longest wait of a client that asks a server something small, over and over, while something else is done to it.
import { fileURLToPath } from "node:url";

export interface Waits {
  readonly worstMs: number;
  readonly p999Ms: number;
  readonly count: number;
}

/** Asks PING, from a process of its own, until `work` is done. */
export async function waitsDuring(port: number, work: () => Promise<unknown>): Promise<Waits> {
  const file = fileURLToPath(new URL("prober.ts", import.meta.url));
  const prober = Bun.spawn([process.execPath, file, String(port)], { stdin: "pipe", stdout: "pipe" });
  try {
    const output = prober.stdout.getReader();
    const first = Buffer.from((await output.read()).value ?? []).toString();
    if (first !== "ready\n") throw new Error(`the prober did not begin: ${first}`);
    await work();
    await prober.stdin.end();
    const parts: Uint8Array[] = [];
    for (let part = await output.read(); !part.done; part = await output.read()) parts.push(part.value);
    return JSON.parse(Buffer.concat(parts).toString()) as Waits;
  } finally {
    prober.kill();
  }
}
