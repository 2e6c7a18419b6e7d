// How many requests a second for the commands of collections, beside redis-server?
import { Scope } from "../test/support/cleanup.ts";
import type { Argument } from "../test/support/resp.ts";
import { feed } from "./feed.ts";
import { measure, ourTarget, redisTarget, type Target } from "./load.ts";
import { compact, type Findings, median, type Options, pairedRatio, times } from "./report.ts";

const RANGE = 1_000_000;

interface Case {
  readonly name: string;
  /** What redis-benchmark is told after its settings: `-t` and names of its own tests, or a command. */
  readonly load: readonly string[];
  /** How the lines of its report begin. */
  readonly tests: readonly string[];
  /** Requests at pipeline 1; five times as many at 16. */
  readonly requests: number;
  readonly pipelines: readonly number[];
  /** What must be there before; on an empty server otherwise. */
  readonly data?: () => Iterable<readonly Argument[]>;
}

/** redis-benchmark's own tests, each after those that fill what it empties. */
function own(tests: string): Case {
  return {
    name: tests,
    load: ["-t", tests],
    tests: tests.split(","),
    requests: 200_000,
    pipelines: [1, 16],
  };
}

function read(
  name: string,
  load: readonly string[],
  requests: number,
  data: NonNullable<Case["data"]>,
): Case {
  return { name, load, tests: [load[0]!], requests, pipelines: [1, 16], data };
}

const member = (i: number): string => `member:${String(i).padStart(12, "0")}`;

function* pushes(): Generator<Argument[]> {
  for (let i = 0; i < 10_000; i++) yield ["RPUSH", "list", `element:${String(i).padStart(10, "0")}`];
}

/** Scores in another order than members, neither in that of insertion. */
function* scores(): Generator<Argument[]> {
  for (let i = 0; i < RANGE; i++) yield ["ZADD", "zset", (i * 7919) % RANGE, member((i * 104_729) % RANGE)];
}

function* fields(): Generator<Argument[]> {
  for (let i = 0; i < 50; i++) yield ["HSET", "hash", `field:${i}`, `value:${i * 1000}`];
}

/** Two sets of 10 000, half of each in common, and one of 1000. */
function* sets(): Generator<Argument[]> {
  for (let i = 0; i < 10_000; i++) yield ["SADD", "{s}a", member(i)];
  for (let i = 0; i < 10_000; i++) yield ["SADD", "{s}b", member(i + 5000)];
  for (let i = 0; i < 1000; i++) yield ["SADD", "{s}c", member(i)];
}

const CASES: readonly Case[] = [
  own("incr"),
  own("lpush,lpop"),
  own("rpush,rpop"),
  own("sadd,spop"),
  own("hset"),
  own("zadd,zpopmin"),
  // redis-benchmark's own draws keys of all slots.
  { ...own("mset"), load: ["MSET", ...Array.from({ length: 10 }, () => ["{k}:__rand_int__", "xxx"]).flat()] },
  ...[100, 300, 500, 600].map((count) =>
    read(`LRANGE_${count}`, ["LRANGE", "list", "0", String(count - 1)], 10_000, pushes),
  ),
  read("ZRANGEBYSCORE of 10", ["ZRANGEBYSCORE", "zset", "__rand_int__", "+inf", "LIMIT", "0", "10"], 100_000, scores),
  read("ZRANK", ["ZRANK", "zset", "member:__rand_int__"], 100_000, scores),
  read("ZREVRANGE of 10", ["ZREVRANGE", "zset", "500000", "500009"], 100_000, scores),
  read("HGETALL of 50", ["HGETALL", "hash"], 30_000, fields),
  read("SINTER 2 x 10 000", ["SINTER", "{s}a", "{s}b"], 200, sets),
  read("SMEMBERS of 1000", ["SMEMBERS", "{s}c"], 3_000, sets),
]; // prettier-ignore

interface Row {
  readonly name: string;
  readonly rates: ReadonlyMap<string, number[]>;
}

export async function run({ isQuick, rounds }: Options): Promise<Findings> {
  const rows = new Map<string, Row>();
  const scope = new Scope();
  try {
    const targets = [await redisTarget(scope), await ourTarget(scope)];
    for (const found of CASES) await runCase(found, targets, rounds, isQuick ? 20 : 1, rows);
  } finally {
    await scope.close();
  }
  return present([...rows.values()], rounds);
}

/** Servers take turns in every round: a slow minute of the machine hits both alike. */
async function runCase(
  found: Case,
  targets: readonly Target[],
  rounds: number,
  less: number,
  rows: Map<string, Row>,
): Promise<void> {
  for (const { port } of targets) {
    await feed(port, [["FLUSHALL"]]);
    if (found.data !== undefined) await feed(port, found.data());
  }
  for (const pipeline of found.pipelines) {
    for (let round = 0; round < rounds; round++) {
      for (const target of targets) {
        if (found.data === undefined) await feed(target.port, [["FLUSHALL"]]);
        const measured = await measure(target, argsOf(found, pipeline, less), found.tests);
        for (const [i, test] of found.tests.entries()) {
          const label = found.data === undefined ? test.toUpperCase() : found.name;
          const name = `${label} pipeline ${pipeline}`;
          const row = rows.get(name) ?? { name, rates: new Map(targets.map((other) => [other.name, []])) };
          row.rates.get(target.name)!.push(measured[i]!.rate);
          rows.set(name, row);
        }
      }
    }
  }
}

function argsOf(found: Case, pipeline: number, less: number): string[] {
  const requests = Math.ceil((found.requests * (pipeline === 1 ? 1 : 5)) / less);
  const settings = { P: pipeline, n: requests, r: RANGE, c: 50 };
  const words = Object.entries(settings).flatMap(([flag, value]) => [`-${flag}`, String(value)]);
  return ["redis-benchmark", ...words, "--csv", ...found.load];
}

function present(rows: readonly Row[], rounds: number): Findings {
  const figures: Record<string, number> = {};
  const shown = rows.map(({ name, rates }) => {
    const [theirs, ours] = [...rates.values()];
    const ratio = pairedRatio(ours!, theirs!);
    figures[`${name}: ratio`] = ratio;
    return [name, compact(median(theirs!)), compact(median(ours!)), times(ratio)];
  });
  return {
    tables: [
      {
        title: "commands of collections",
        note: `redis-benchmark, medians of ${rounds} interleaved runs and of their ratios, cluster mode on, keys drawn of ${RANGE}`,
        columns: ["requests/s", "redis-server", "slotmesh", "slotmesh/redis"],
        rows: shown,
      },
    ],
    figures,
  };
}
