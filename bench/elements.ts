// How much memory does an element of a collection cost the process, all counted?
import { Scope } from "../test/support/cleanup.ts";
import type { Argument } from "../test/support/resp.ts";
import { feed } from "./feed.ts";
import { ourTarget, redisTarget, steadyBytes, type Target } from "./load.ts";
import { type Findings, median, type Options, ratio } from "./report.ts";

type Requests = (count: number) => Iterable<readonly Argument[]>;

interface Shape {
  readonly name: string;
  readonly elements: number;
  readonly requests: Requests;
}

const padded = (i: number, width: number): string => String(i).padStart(width, "0");

/** One request an element, drawn from a function of its number. */
function each(make: (i: number) => readonly Argument[]): Requests {
  return function* (count) {
    for (let i = 0; i < count; i++) yield make(i);
  };
}

/** Text without a pattern: sixteen hexadecimal digits. */
const scattered = (i: number): string => Bun.hash(String(i)).toString(16).padStart(16, "0");

const smallHash = (i: number): Argument[] => [
  "HSET",
  `hash:${padded(i, 8)}`,
  ...Array.from({ length: 10 }, (_, field) => [
    `field:${field}`,
    `value:${(i * 31 + field) % 100_000}`,
  ]).flat(),
];

const SHAPES: readonly Shape[] = [
  { name: "hash of 1 M", elements: 1e6, requests: each((i) => ["HSET", "h", `field:${padded(i, 10)}`, `value:${padded(i, 10)}`]) },
  { name: "set of 1 M", elements: 1e6, requests: each((i) => ["SADD", "s", `member:${padded(i, 9)}`]) },
  { name: "sorted set of 1 M", elements: 1e6, requests: each((i) => ["ZADD", "z", (i * 7919) % 1e6, `member:${padded(i, 9)}`]) },
  { name: "list of 1 M", elements: 1e6, requests: each((i) => ["RPUSH", "l", `element:${padded(i, 8)}`]) },
  { name: "list of 1 M, without a pattern", elements: 1e6, requests: each((i) => ["RPUSH", "l", scattered(i)]) },
  { name: "100 000 hashes of 10 fields", elements: 1e5, requests: each(smallHash) },
]; // prettier-ignore

/** Elements added and dropped again before the first reading, so that what serving itself takes is not counted. */
const WARM_ELEMENTS = 1000;
const WARM_ROUNDS = 50;

async function costOf(target: Target, { requests }: Shape, elements: number): Promise<number> {
  for (let i = 0; i < WARM_ROUNDS; i++) {
    await feed(target.port, requests(WARM_ELEMENTS));
    await feed(target.port, [["FLUSHALL"]]);
  }
  const before = await steadyBytes(target.pid);
  await feed(target.port, requests(elements));
  return ((await steadyBytes(target.pid)) - before) / elements;
}

export async function run({ isQuick, rounds }: Options): Promise<Findings> {
  const figures: Record<string, number> = {};
  const rows: string[][] = [];
  for (const shape of SHAPES) {
    const elements = isQuick ? shape.elements / 10 : shape.elements;
    const costs: readonly number[][] = [[], []];
    for (let round = 0; round < rounds; round++) {
      for (const [i, start] of [redisTarget, ourTarget].entries()) {
        const scope = new Scope();
        try {
          costs[i]!.push(await costOf(await start(scope), shape, elements));
        } finally {
          await scope.close();
        }
      }
    }
    const [theirs, ours] = costs.map(median);
    figures[`${shape.name}: ratio`] = ours! / theirs!;
    rows.push([shape.name, theirs!.toFixed(1), ours!.toFixed(1), ratio(ours!, theirs!)]);
  }
  return {
    tables: [
      {
        title: "process memory per element",
        note: `growth of resident memory / elements (or hashes), medians of ${rounds} fresh servers each, cluster mode on`,
        columns: ["bytes", "redis-server", "slotmesh", "slotmesh/redis"],
        rows,
      },
    ],
    figures,
  };
}
