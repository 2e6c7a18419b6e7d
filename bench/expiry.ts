// Do keys go when their time has come? A million keys expire one after the other: how many that are dead are still there,
// and how long a client waits at worst meanwhile.
import { Scope } from "../test/support/cleanup.ts";
import { Random } from "../test/support/random.ts";
import type { Argument } from "../test/support/resp.ts";
import { feed } from "./feed.ts";
import { keysHeld, ourTarget, redisTarget, type Target } from "./load.ts";
import { waitsDuring } from "./probe.ts";
import type { Findings, Options } from "./report.ts";

const KEYS = 1_000_000;
/** Between the first death and the last. */
const SPAN_MS = 30_000;
const LOOK_MS = 250;
const HOUR_MS = 3_600_000;
const VALUE = "v".repeat(32);

interface Found {
  /** The largest share of the keys held that were dead, while at least a tenth of all were alive. */
  readonly share: number;
  readonly worstMs: number;
  readonly p999Ms: number;
}

async function measure(target: Target, keys: number, spanMs: number): Promise<Found> {
  const random = new Random(1);
  const deaths = Float64Array.from({ length: keys }, () => random.unit() * spanMs);
  function* writes(firstMs: number): Generator<readonly Argument[]> {
    for (const [i, afterMs] of deaths.entries())
      yield ["SET", `key:${i}`, VALUE, "PXAT", Math.floor(firstMs + afterMs)];
  }
  // Written twice, so that it is known how long that takes: no key may die before all are there.
  const startMs = Date.now();
  await feed(target.port, writes(startMs + HOUR_MS));
  const firstMs = Date.now() + 2 * (Date.now() - startMs) + 1000;
  await feed(target.port, writes(firstMs));
  if (Date.now() > firstMs) throw new Error("keys died before all were written");
  deaths.sort();
  let share = 0;
  const waits = await waitsDuring(target.port, async () => {
    let alive = keys;
    while (alive > keys / 10) {
      await Bun.sleep(LOOK_MS);
      const held = await keysHeld(target.port);
      const now = Date.now();
      alive = deaths.length - deaths.findIndex((afterMs) => firstMs + afterMs > now);
      if (alive <= keys) share = Math.max(share, (held - alive) / held);
    }
  });
  return { share, worstMs: waits.worstMs, p999Ms: waits.p999Ms };
}

export async function run({ isQuick }: Options): Promise<Findings> {
  const keys = isQuick ? KEYS / 10 : KEYS;
  const spanMs = isQuick ? SPAN_MS / 6 : SPAN_MS;
  const figures: Record<string, number> = {};
  const rows: string[][] = [];
  for (const [name, start] of [
    ["redis-server", redisTarget],
    ["slotmesh", ourTarget],
  ] as const) {
    const scope = new Scope();
    try {
      const { share, worstMs, p999Ms } = await measure(await start(scope), keys, spanMs);
      rows.push([name, `${(share * 100).toFixed(1)} %`, p999Ms.toFixed(2), worstMs.toFixed(2)]);
      figures[`dead but there, share: ${name}`] = share;
      figures[`worst wait, ms: ${name}`] = worstMs;
    } finally {
      await scope.close();
    }
  }
  return {
    tables: [
      {
        title: "expired keys that are still there",
        note: `${keys} keys that expire within ${spanMs / 1000} s; the largest share of keys held that were dead; waits of PINGs in milliseconds`,
        columns: ["server", "dead", "p99.9", "worst"],
        rows,
      },
    ],
    figures,
  };
}
