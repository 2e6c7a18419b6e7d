// How long does anybody wait when much goes at once? Millions of elements behind one key unlinked, overwritten, expired;
// millions of keys of one hash tag read, written, expired and flushed.
import { Scope } from "../test/support/cleanup.ts";
import { Client } from "../test/support/client.ts";
import type { Argument } from "../test/support/resp.ts";
import { feed } from "./feed.ts";
import { ourTarget, redisTarget, type Target } from "./load.ts";
import { waitsDuring } from "./probe.ts";
import type { Findings, Options } from "./report.ts";

const ELEMENTS = 10_000_000;
const PER_REQUEST = 100;
const VALUE = "v".repeat(16);
/** A while after what was done, in which memory is given back. */
const AFTER_MS = 3000;

const numbers = (from: number): number[] => Array.from({ length: PER_REQUEST }, (_, i) => from + i);
const GROW: Readonly<Record<string, (from: number) => readonly Argument[]>> = {
  hash: (from) => ["HSET", "{t}big", ...numbers(from).flatMap((i) => [`field:${i}`, VALUE])],
  set: (from) => ["SADD", "{t}big", ...numbers(from).map((i) => `member:${i}`)],
  zset: (from) => ["ZADD", "{t}big", ...numbers(from).flatMap((i) => [(i * 7919) % 1000, `member:${i}`])],
  list: (from) => ["RPUSH", "{t}big", ...numbers(from).map((i) => `element:${i}`)],
};

function* grown(kind: string, elements: number): Generator<readonly Argument[]> {
  for (let i = 0; i < elements; i += PER_REQUEST) yield GROW[kind]!(i);
}

function* tagged(keys: number): Generator<readonly Argument[]> {
  for (let i = 0; i < keys; i++) yield ["SET", `{t}${i}`, VALUE];
}

function* touched(keys: number): Generator<readonly Argument[]> {
  for (let i = 0; i < keys / 10; i++) {
    const key = `{t}${(i * 7919) % keys}`;
    yield i % 2 === 0 ? ["EXISTS", key] : ["PEXPIRE", key, 1 + (i % 2000)];
  }
}

async function worstOf(target: Target, client: Client, elements: number): Promise<[string, number][]> {
  const during = async (work: () => Promise<unknown>): Promise<number> =>
    (await waitsDuring(target.port, work)).worstMs;
  const ask = (...args: readonly Argument[]): (() => Promise<unknown>) => {
    return async () => {
      await client.ask(...args);
      await Bun.sleep(AFTER_MS);
    };
  };
  const found: [string, number][] = [];
  const ends: Readonly<Record<string, () => Promise<unknown>>> = {
    hash: ask("UNLINK", "{t}big"),
    set: ask("SET", "{t}big", "x"),
    zset: ask("PEXPIRE", "{t}big", 10),
    list: ask("UNLINK", "{t}big"),
  };
  const words = { hash: "unlinked", set: "overwritten", zset: "expired", list: "unlinked" };
  for (const [kind, word] of Object.entries(words)) {
    found.push([`${kind} grown`, await during(() => feed(target.port, grown(kind, elements)))]);
    found.push([`${kind} ${word}`, await during(ends[kind]!)]);
    await client.ask("DEL", "{t}big");
  }
  found.push(["keys of one tag written", await during(() => feed(target.port, tagged(elements)))]);
  found.push([
    "keys of one tag read, given expiries",
    await during(() => feed(target.port, touched(elements))),
  ]);
  found.push(["keys of one tag flushed", await during(ask("FLUSHALL", "ASYNC"))]);
  return found;
}

export async function run({ isQuick }: Options): Promise<Findings> {
  const elements = isQuick ? ELEMENTS / 50 : ELEMENTS;
  const columns: [string, number][][] = [];
  for (const start of [redisTarget, ourTarget]) {
    const scope = new Scope();
    try {
      const target = await start(scope);
      const client = await Client.open(target.port);
      try {
        columns.push(await worstOf(target, client, elements));
      } finally {
        client.close();
      }
    } finally {
      await scope.close();
    }
  }
  const [theirs, ours] = columns;
  return {
    tables: [
      {
        title: "longest wait while much is done",
        note: `${elements} elements behind one key, then as many keys of one hash tag; the longest wait of a client that sends PING over and over, milliseconds (behind batches of 1000 requests while there are any)`,
        columns: ["what", "redis-server", "slotmesh"],
        rows: ours!.map(([name, ms], i) => [name, theirs![i]![1].toFixed(1), ms.toFixed(1)]),
      },
    ],
    figures: Object.fromEntries(ours!.map(([name, ms]) => [`worst ms: ${name}`, ms])),
  };
}
