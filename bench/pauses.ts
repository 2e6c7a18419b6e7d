// How long do requests wait at worst, while millions of keys of all types are read, written and expire?
import { connect, type Socket } from "node:net";
import { Scope } from "../test/support/cleanup.ts";
import { Random } from "../test/support/random.ts";
import { type Argument, encodeRequest, ReplyReader } from "../test/support/resp.ts";
import { feed } from "./feed.ts";
import { ourTarget, redisTarget, type Target } from "./load.ts";
import { compact, type Findings, median, type Options, ratio } from "./report.ts";

const KEYS = 5_000_000;
const CONNECTIONS = 20;
const LOAD_MS = 60_000;
/** Elements of a collection, and their range. */
const ELEMENTS = 5;
const RANGE = 20;
/** Keys with an expiry, a share of all, live up to this long. */
const EXPIRING = 0.2;
const LIFE_MS = 120_000;

type Kind = "string" | "list" | "hash" | "set" | "zset";
/** By key number, so that a key always has the same type. */
const KINDS: readonly Kind[] = [
  "string",
  "string",
  "string",
  "string",
  "string",
  "string",
  "list",
  "hash",
  "set",
  "zset",
];

const kindOf = (i: number): Kind => KINDS[i % KINDS.length]!;
const keyOf = (i: number): string => `${kindOf(i)}:${String(i).padStart(9, "0")}`;
const numbers = (random: Random): number[] => Array.from({ length: ELEMENTS }, () => random.below(RANGE));

function write(i: number, random: Random): readonly Argument[] {
  const key = keyOf(i);
  switch (kindOf(i)) {
    case "string":
      return [
        "SET",
        key,
        `value ${i}`.padEnd(32, "v"),
        ...(random.chance(EXPIRING) ? ["PX", life(random)] : []),
      ];
    case "list":
      return ["RPUSH", key, ...numbers(random).map((n) => `element:${n}`)];
    case "hash":
      return ["HSET", key, ...numbers(random).flatMap((n) => [`field:${n}`, `value:${n}`])];
    case "set":
      return ["SADD", key, ...numbers(random).map((n) => `member:${n}`)];
    case "zset":
      return ["ZADD", key, ...numbers(random).flatMap((n) => [random.unit(), `member:${n}`])];
  }
}

const life = (random: Random): number => random.between(1000, LIFE_MS);

function read(i: number, random: Random): readonly Argument[] {
  const key = keyOf(i);
  switch (kindOf(i)) {
    case "string":
      return ["GET", key];
    case "list":
      return random.chance(0.5) ? ["LRANGE", key, 0, 9] : ["LPOP", key];
    case "hash":
      return random.chance(0.5) ? ["HGETALL", key] : ["HGET", key, `field:${random.below(RANGE)}`];
    case "set":
      return random.chance(0.5) ? ["SMEMBERS", key] : ["SPOP", key];
    case "zset":
      return random.chance(0.5) ? ["ZRANGE", key, 0, -1, "WITHSCORES"] : ["ZPOPMIN", key];
  }
}

function draw(random: Random, keys: number): readonly Argument[] {
  const i = random.below(keys);
  return random.weighted([
    [50, () => read(i, random)],
    [35, () => write(i, random)],
    [10, () => ["PEXPIRE", keyOf(i), life(random)]],
    [5, () => ["UNLINK", keyOf(i)]],
  ]);
}

function* everything(keys: number): Generator<readonly Argument[]> {
  const random = new Random(1);
  for (let i = 0; i < keys; i++) yield write(i, random);
}

/** Sends one request at a time until the time is over; tells how long each took, in milliseconds. */
function exchange(port: number, seed: number, keys: number, untilMs: number): Promise<number[]> {
  const random = new Random(seed);
  const reader = new ReplyReader();
  const waits: number[] = [];
  let sentMs = 0;
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: "127.0.0.1" });
    const send = (): void => {
      const request = encodeRequest(draw(random, keys));
      sentMs = performance.now();
      socket.write(request);
    };
    socket.setNoDelay(true);
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      const nowMs = performance.now();
      reader.feed(Buffer.from(chunk));
      if (reader.next() === undefined) return;
      waits.push(nowMs - sentMs);
      if (nowMs < untilMs) return send();
      socket.destroy();
      resolve(waits);
    });
  });
}

interface Waits {
  readonly rate: number;
  readonly p50: number;
  readonly p999: number;
  readonly worst: number;
}

async function waitsOf(target: Target, keys: number, loadMs: number): Promise<Waits> {
  await feed(target.port, everything(keys));
  const untilMs = performance.now() + loadMs;
  const all = await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, i) => exchange(target.port, i + 1, keys, untilMs)),
  );
  const sorted = Float64Array.from(all.flat()).toSorted();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { rate: sorted.length / (loadMs / 1000), p50: at(0.5), p999: at(0.999), worst: at(1) };
}

export async function run({ isQuick, rounds }: Options): Promise<Findings> {
  const keys = isQuick ? KEYS / 100 : KEYS;
  const loadMs = isQuick ? 2000 : LOAD_MS;
  const found: Waits[][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const [i, start] of [redisTarget, ourTarget].entries()) {
      const scope = new Scope();
      try {
        found[i]!.push(await waitsOf(await start(scope), keys, loadMs));
      } finally {
        await scope.close();
      }
    }
  }
  const medians = found.map((waits) => ({
    rate: median(waits.map(({ rate }) => rate)),
    p50: median(waits.map(({ p50 }) => p50)),
    p999: median(waits.map(({ p999 }) => p999)),
    worst: Math.max(...waits.map(({ worst }) => worst)),
  }));
  const [theirs, ours] = medians;
  const row = (name: string, { rate, p50, p999, worst }: Waits): string[] => [
    name,
    compact(rate),
    p50.toFixed(2),
    p999.toFixed(2),
    ratio(p999, theirs!.p999),
    worst.toFixed(1),
  ];
  return {
    tables: [
      {
        title: "waits while keys of all types are read, written and expire",
        note: `${keys} keys, ${CONNECTIONS} connections with one request each under way for ${loadMs / 1000} s; medians of ${rounds} fresh servers, the worst of all`,
        columns: ["milliseconds", "requests/s", "p50", "p99.9", "ratio", "worst"],
        rows: [row("redis-server", theirs!), row("slotmesh", ours!)],
      },
    ],
    figures: { "p99.9: ratio": ours!.p999 / theirs!.p999, "worst ms": ours!.worst },
  };
}
