// What redis-cli does for each slot it moves, beside moving keys: SETSLOT at both ends and at every other master, and
// GETKEYSINSLOT. The slots are empty here, so that nothing else is timed.
import { Scope } from "../test/support/cleanup.ts";
import { Client } from "../test/support/client.ts";
import type { Argument } from "../test/support/resp.ts";
import { Masters, processorMs, type Start } from "./masters.ts";
import { median } from "./report.ts";

export const STEPS = [
  "importing",
  "migrating",
  "get keys",
  "node, target",
  "node, source",
  "node, others",
] as const;

export interface StepCosts {
  /** Median microseconds from request to reply, in the order of STEPS. */
  readonly microseconds: readonly number[];
  /** Microseconds of processor time for a whole slot: source, target, one of the others. */
  readonly processor: readonly number[];
}

/** Moves empty slots from the first master to the fourth, request by request, as redis-cli does. */
export async function stepCosts(start: Start, slots: number): Promise<StepCosts> {
  const scope = new Scope();
  try {
    const masters = await Masters.start(scope, start);
    const clients = await Promise.all(masters.ports.map((port) => Client.open(port)));
    const [source, second, third, target] = clients;
    const [from, to] = [masters.nodes[0]!.id, masters.nodes[3]!.id];
    const took = STEPS.map((): number[] => []);
    const time = async (
      step: (typeof STEPS)[number],
      client: Client,
      ...words: readonly Argument[]
    ): Promise<void> => {
      const beginMs = performance.now();
      const reply = await client.ask("CLUSTER", ...words);
      took[STEPS.indexOf(step)]!.push((performance.now() - beginMs) * 1000);
      if (typeof reply === "string" && reply !== "OK") throw new Error(`${words.join(" ")}: ${reply}`);
    };
    const pids = [masters.source, masters.target, masters.servers[1]!].map(({ child }) => child.pid);
    const before = pids.map(processorMs);
    for (let slot = 0; slot < slots; slot++) {
      await time("importing", target!, "SETSLOT", slot, "IMPORTING", from);
      await time("migrating", source!, "SETSLOT", slot, "MIGRATING", to);
      await time("get keys", source!, "GETKEYSINSLOT", slot, 10);
      await time("node, target", target!, "SETSLOT", slot, "NODE", to);
      await time("node, source", source!, "SETSLOT", slot, "NODE", to);
      for (const other of [second!, third!]) await time("node, others", other, "SETSLOT", slot, "NODE", to);
    }
    const processor = pids.map((pid, i) => ((processorMs(pid) - before[i]!) * 1000) / slots);
    for (const client of clients) client.close();
    return { microseconds: took.map(median), processor };
  } finally {
    await scope.close();
  }
}
