// How much memory does a key cost the process, all counted?
import { Scope } from "../test/support/cleanup.ts";
import { fill, keysHeld, ourTarget, redisTarget, steadyBytes, type Target, VALUE_BYTES } from "./load.ts";
import { type Findings, type Options, ratio } from "./report.ts";

const KEY_BYTES = 16;
/** Keys set again and again before the first reading, so that what serving itself takes is not counted as keys. */
const WARM_KEYS = 1000;
const WARM_ROUNDS = 100;

interface Cost {
  readonly name: string;
  /** Growth of resident memory per key. */
  readonly bytes: number;
  /** Resident memory of the whole process with all keys. */
  readonly whole: number;
}

async function costOf(target: Target, keys: number): Promise<Cost> {
  for (let i = 0; i < WARM_ROUNDS; i++) await fill(target, WARM_KEYS);
  const before = await steadyBytes(target.pid);
  await fill(target, keys);
  const after = await steadyBytes(target.pid);
  const held = await keysHeld(target.port);
  if (held !== keys) throw new Error(`${target.name} holds ${held} keys, not ${keys}`);
  return { name: target.name, bytes: (after - before) / (keys - WARM_KEYS), whole: after };
}

export async function run({ isQuick }: Options): Promise<Findings> {
  const keys = isQuick ? 100_000 : 1_000_000;
  const figures: Record<string, number> = {};
  const found: Cost[] = [];
  for (const start of [redisTarget, ourTarget]) {
    const scope = new Scope();
    try {
      const target = await start(scope);
      const cost = await costOf(target, keys);
      figures[`bytes per key: ${target.name}`] = cost.bytes;
      figures[`resident bytes: ${target.name}`] = cost.whole;
      found.push(cost);
    } finally {
      await scope.close();
    }
  }
  const base = found[0]?.bytes ?? 1;
  const data = KEY_BYTES + VALUE_BYTES;
  figures["bytes per key: ratio"] = (found[1]?.bytes ?? 0) / base;
  return {
    tables: [
      {
        title: "process memory per key",
        note: `growth of resident memory / keys, ${keys} keys of ${KEY_BYTES} bytes with values of ${VALUE_BYTES}, cluster mode on`,
        columns: ["server", "bytes/key", "overhead", "ratio", "whole process, MiB"],
        rows: found.map(({ name, bytes, whole }) => [
          name,
          bytes.toFixed(1),
          (bytes - data).toFixed(1),
          ratio(bytes, base),
          (whole / 2 ** 20).toFixed(1),
        ]),
      },
    ],
    figures,
  };
}
