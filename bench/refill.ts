// Does memory that held what is deleted come back? Keys of mixed types are written, a random nine tenths of them deleted,
// and as much written again in other sizes: the memory of the process beside that of one that only did the last.
import { Scope } from "../test/support/cleanup.ts";
import { Random } from "../test/support/random.ts";
import type { Argument } from "../test/support/resp.ts";
import { eventually } from "../test/support/eventually.ts";
import { feed } from "./feed.ts";
import { ourTarget, redisTarget, residentBytes, type Target } from "./load.ts";
import { type Findings, type Options, ratio } from "./report.ts";

const KEYS = 5_000_000;
const KEPT = 10;
/** How long memory may take to come back. */
const PATIENCE_MS = 120_000;
const STILL_BYTES = 4 * 2 ** 20;

/** @param stretch how much longer values are than at first */
function write(key: string, random: Random, stretch: number): readonly Argument[] {
  const text = (most: number): string => "v".repeat(random.between(8, Math.floor(most * stretch)));
  const kind = random.below(20);
  if (kind < 14) return ["SET", `s${key}`, text(100)];
  const parts = Array.from({ length: random.between(1, 8) }, () => text(20));
  if (kind < 16) return ["RPUSH", `l${key}`, ...parts];
  if (kind < 18) return ["HSET", `h${key}`, ...parts.flatMap((part, i) => [`field:${i}`, part])];
  return ["ZADD", `z${key}`, ...parts.flatMap((part, i) => [i, part + String(i)])];
}

function* writes(name: string, keys: number, seed: number, stretch: number): Generator<readonly Argument[]> {
  const random = new Random(seed);
  for (let i = 0; i < keys; i++) yield write(`${name}${i}`, random, stretch);
}

/** Deletes nine of ten keys of what `writes` made. */
function* deletions(
  name: string,
  keys: number,
  seed: number,
  stretch: number,
): Generator<readonly Argument[]> {
  const random = new Random(seed);
  const chance = new Random(seed + 1);
  for (let i = 0; i < keys; i++) {
    const key = write(`${name}${i}`, random, stretch)[1]!;
    if (chance.below(KEPT) !== 0) yield ["DEL", key];
  }
}

/** Resident memory once it has not fallen for some seconds. */
async function settledBytes(target: Target): Promise<number> {
  let least = Infinity;
  let sinceMs = performance.now();
  await eventually(
    async () => {
      await Bun.sleep(250);
      const now = residentBytes(target.pid);
      if (now < least - STILL_BYTES) {
        least = now;
        sinceMs = performance.now();
      }
      return performance.now() - sinceMs > 5000;
    },
    PATIENCE_MS,
    "memory stands still",
  );
  return residentBytes(target.pid);
}

interface Found {
  readonly full: number;
  readonly deleted: number;
  readonly again: number;
  readonly fresh: number;
}

async function measure(start: (scope: Scope) => Promise<Target>, keys: number): Promise<Found> {
  const within = async <T>(use: (target: Target) => Promise<T>): Promise<T> => {
    const scope = new Scope();
    try {
      return await use(await start(scope));
    } finally {
      await scope.close();
    }
  };
  const later = Math.floor(keys * 0.7);
  const used = await within(async (target) => {
    await feed(target.port, writes("a", keys, 1, 1));
    const full = await settledBytes(target);
    await feed(target.port, deletions("a", keys, 1, 1));
    const deleted = await settledBytes(target);
    await feed(target.port, writes("b", later, 3, 1.6));
    const again = await settledBytes(target);
    return { full, deleted, again };
  });
  const fresh = await within(async (target) => {
    // The tenth that is kept, and the rest.
    await feed(target.port, writes("a", Math.floor(keys / KEPT), 1, 1));
    await feed(target.port, writes("b", later, 3, 1.6));
    return settledBytes(target);
  });
  return { ...used, fresh };
}

export async function run({ isQuick }: Options): Promise<Findings> {
  const keys = isQuick ? KEYS / 10 : KEYS;
  const figures: Record<string, number> = {};
  const rows: string[][] = [];
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  for (const [name, start] of [
    ["redis-server", redisTarget],
    ["slotmesh", ourTarget],
  ] as const) {
    const { full, deleted, again, fresh } = await measure(start, keys);
    rows.push([name, mib(full), mib(deleted), mib(again), mib(fresh), ratio(again, fresh)]);
    figures[`refilled to fresh: ${name}`] = again / fresh;
  }
  return {
    tables: [
      {
        title: "memory after nine tenths are deleted and other sizes written",
        note: `${keys} keys of mixed types, resident MiB of the process; fresh = what is there in the end, written to a new server`,
        columns: ["server", "filled", "deleted", "refilled", "fresh", "ratio"],
        rows,
      },
    ],
    figures,
  };
}
