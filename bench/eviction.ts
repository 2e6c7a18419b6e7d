// Does eviction keep what is used? Keys of which a tenth is used again and again, then as many new ones as memory has no
// room for: the share of the used keys that is still there afterwards.
import { Scope } from "../test/support/cleanup.ts";
import { Client } from "../test/support/client.ts";
import type { Argument } from "../test/support/resp.ts";
import { feed } from "./feed.ts";
import { infoField, keysHeld, ourTarget, redisTarget, type Target } from "./load.ts";
import type { Findings, Options } from "./report.ts";

const POLICIES = ["allkeys-lru", "allkeys-lfu", "volatile-lru", "volatile-lfu", "volatile-ttl"] as const;
type Policy = (typeof POLICIES)[number];

/** One key in so many is used. */
const HOT = 10;
/** Rounds of reading the used keys, with this long in between: the clock of LRU counts seconds. */
const ROUNDS = 3;
const REST_MS = 1100;
const VALUE = "v".repeat(64);
const DAY_SECONDS = 86_400;

const keyOf = (i: number): string => `key:${String(i).padStart(9, "0")}`;

/** Used keys expire last, as far as they expire at all. */
function setOf(i: number, policy: Policy): readonly Argument[] {
  if (policy.startsWith("allkeys")) return ["SET", keyOf(i), VALUE];
  return ["SET", keyOf(i), VALUE, "EX", i % HOT === 0 ? 10 * DAY_SECONDS : DAY_SECONDS + (i % 1000)];
}

function* sets(from: number, to: number, policy: Policy): Generator<readonly Argument[]> {
  for (let i = from; i < to; i++) yield setOf(i, policy);
}

/** EXISTS would not count as a use; TOUCH answers with one line. */
function* uses(keys: number): Generator<readonly Argument[]> {
  for (let i = 0; i < keys; i += HOT) yield ["TOUCH", keyOf(i)];
}

function* looks(keys: number): Generator<readonly Argument[]> {
  for (let i = 0; i < keys; i += HOT) yield ["EXISTS", keyOf(i)];
}

interface Kept {
  readonly share: number;
  readonly evicted: number;
}

async function keptBy(target: Target, policy: Policy, keys: number): Promise<Kept> {
  const client = await Client.open(target.port);
  try {
    await client.ok("FLUSHALL");
    await client.ok("CONFIG", "SET", "maxmemory", 0, "maxmemory-policy", policy);
    await feed(target.port, sets(0, keys, policy));
    for (let round = 0; round < ROUNDS; round++) {
      await Bun.sleep(REST_MS);
      for (let again = 0; again < (policy.endsWith("lfu") ? 20 : 1); again++)
        await feed(target.port, uses(keys));
    }
    const used = await infoField(target.port, "memory", "used_memory");
    const before = await infoField(target.port, "stats", "evicted_keys");
    await client.ok("CONFIG", "SET", "maxmemory", used);
    // New keys that are not used, for all unused ones and many of the new to go.
    await feed(target.port, sets(keys, Math.floor(keys * 2.5), policy));
    const evicted = (await infoField(target.port, "stats", "evicted_keys")) - before;
    await client.ok("CONFIG", "SET", "maxmemory", 0);
    const held = await keysHeld(target.port);
    if (evicted === 0 || held === 0)
      throw new Error(`${target.name} evicted ${evicted} keys and holds ${held}`);
    const misses = await infoField(target.port, "stats", "keyspace_misses");
    await feed(target.port, looks(keys));
    const gone = (await infoField(target.port, "stats", "keyspace_misses")) - misses;
    return { share: 1 - gone / Math.ceil(keys / HOT), evicted };
  } finally {
    client.close();
  }
}

export async function run({ isQuick }: Options): Promise<Findings> {
  const keys = isQuick ? 20_000 : 200_000;
  const found: Record<string, Kept[]> = {};
  for (const start of [redisTarget, ourTarget]) {
    const scope = new Scope();
    try {
      const target = await start(scope);
      for (const policy of POLICIES) (found[policy] ??= []).push(await keptBy(target, policy, keys));
    } finally {
      await scope.close();
    }
  }
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return {
    tables: [
      {
        title: "used keys that eviction keeps",
        note: `${keys} keys, a tenth of them used; then ${Math.floor(keys * 1.5)} new ones with memory for none of them; maxmemory-samples 5`,
        columns: ["policy", "redis-server", "slotmesh", "evicted there", "evicted here"],
        rows: POLICIES.map((policy) => {
          const [theirs, ours] = found[policy]!;
          return [policy, percent(theirs!.share), percent(ours!.share), theirs!.evicted, ours!.evicted];
        }),
      },
    ],
    figures: Object.fromEntries(
      POLICIES.flatMap((policy) =>
        found[policy]!.map(({ share }, i) => [`${policy} kept: ${["redis-server", "slotmesh"][i]}`, share]),
      ),
    ),
  };
}
