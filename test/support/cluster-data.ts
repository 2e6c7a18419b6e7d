// Keys of every type and form, with and without expiry, alone and with hash tags, spread over a whole cluster; and what
// a cluster holds, each key in one place.
import { Client } from "./client.ts";
import type { Argument, Plain } from "./resp.ts";
import { RoutedClient } from "./routed-client.ts";

/** What the keys of a ClusterLoad begin with: they change while the data is looked at. */
const LOAD_PREFIX = "{load:";

export interface Held {
  /** Every key, with what DEBUG DIGEST-VALUE says of its value. */
  readonly digests: ReadonlyMap<string, string>;
  /** Those that expire, with the unix milliseconds when. */
  readonly expiries: ReadonlyMap<string, number>;
}

/** Far enough for a test, and of different lengths. */
const EXPIRY_MS = 3_600_000;
/** What the way from node to node may add to a key's time to live: MIGRATE sends what is left, not when it ends. */
const TRAVEL_MS = 10_000;
const BATCH = 500;

const words = (count: number, make: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** One form of one type each; sizes on both sides of where values change their encoding. */
const FORMS: readonly (readonly [name: string, command: (key: string) => readonly Argument[]])[] = [
  ["integer", (key) => ["SET", key, "1234567890"]],
  ["short", (key) => ["SET", key, `value of ${key}`]],
  ["long", (key) => ["SET", key, `${key} `.repeat(2000)]],
  ["binary", (key) => ["SET", key, Uint8Array.from({ length: 256 }, (_, i) => i)]],
  ["list", (key) => ["RPUSH", key, ...words(5, (i) => `${key} ${i}`)]],
  ["longlist", (key) => ["RPUSH", key, ...words(600, (i) => `${key} element ${i}`)]],
  ["intset", (key) => ["SADD", key, ...words(50, (i) => String(i * 7))]],
  ["set", (key) => ["SADD", key, ...words(200, (i) => `${key} ${i}`)]],
  ["hash", (key) => ["HSET", key, ...words(10, (i) => `field${i}`)]],
  ["largehash", (key) => ["HSET", key, ...words(600, (i) => `${key} ${i}`)]],
  ["zset", (key) => ["ZADD", key, ...words(10, (i) => (i % 2 === 0 ? `${i * 1.5}` : `member${i}`))]],
  ["largezset", (key) => ["ZADD", key, ...words(400, (i) => (i % 2 === 0 ? `${i / 3}` : `member${i}`))]],
];

/** Writes the data through any one node: `count` keys of each form, a third of them with expiry. */
export async function fill(port: number, count: number): Promise<void> {
  await Promise.all(FORMS.map(([name, command]) => fillForm(port, count, name, command)));
}

async function fillForm(
  port: number,
  count: number,
  name: string,
  command: (key: string) => readonly Argument[],
): Promise<void> {
  const client = new RoutedClient(port);
  try {
    for (let i = 0; i < count; i++) {
      // Keys of a user are in one slot, and all forms of them lie side by side.
      const key = i % 2 === 0 ? `{user:${i}}:${name}` : `${name}:${i}`;
      await insist(client.ask(...command(key)), key);
      if (i % 3 === 0) await insist(client.ask("PEXPIRE", key, EXPIRY_MS + i * 1000), key);
    }
  } finally {
    await client.close();
  }
}

async function insist(asked: Promise<Plain>, key: string): Promise<void> {
  const reply = await asked;
  if (typeof reply === "string" && reply.startsWith("-")) throw new Error(`${key}: ${reply}`);
}

/**
 * All that masters hold, or replicas, but the load's keys.
 * @throws when a key is on two of them, or on one that would not serve it
 */
export async function held(ports: readonly number[], password?: string): Promise<Held> {
  const digests = new Map<string, string>();
  const expiries = new Map<string, number>();
  for (const port of ports) {
    const client = await Client.open(port, password === undefined ? {} : { password });
    try {
      await client.ok("READONLY");
      const keys = await keysOf(client);
      for (let from = 0; from < keys.length; from += BATCH) {
        const batch = keys.slice(from, from + BATCH);
        const values = (await client.ask("DEBUG", "DIGEST-VALUE", ...batch)) as string[];
        const ends = await client.pipeline(batch.map((key) => ["PEXPIRETIME", key]));
        for (const [i, key] of batch.entries()) {
          if (digests.has(key)) throw new Error(`${key} is in two places, one of them port ${port}`);
          const end = ends[i]?.value;
          if (end?.kind !== "integer")
            throw new Error(`port ${port} holds ${key}, PEXPIRETIME: ${JSON.stringify(end)}`);
          digests.set(key, values[i] ?? "");
          if (Number(end.text) >= 0) expiries.set(key, Number(end.text));
        }
      }
    } finally {
      client.close();
    }
  }
  return { digests, expiries };
}

async function keysOf(client: Client): Promise<string[]> {
  const found = new Set<string>();
  let cursor = "0";
  do {
    const [next, keys] = (await client.ask("SCAN", cursor, "COUNT", 1000)) as [string, string[]];
    for (const key of keys) if (!key.startsWith(LOAD_PREFIX)) found.add(key);
    cursor = next;
  } while (cursor !== "0");
  return [...found];
}

/** What is no longer as it was, key by key; nothing = all is there. */
export function changes(before: Held, now: Held): string[] {
  const found: string[] = [];
  for (const [key, digest] of before.digests) {
    const value = now.digests.get(key);
    if (value === undefined) found.push(`${key} is gone`);
    else if (value !== digest) found.push(`${key} has another value`);
    const [then, end] = [before.expiries.get(key), now.expiries.get(key)];
    if ((then === undefined) !== (end === undefined)) found.push(`${key} expired at ${then}, now at ${end}`);
    else if (then !== undefined && end !== undefined && (end < then - 1 || end > then + TRAVEL_MS))
      found.push(`${key} expires ${end - then} ms later`);
  }
  for (const key of now.digests.keys()) if (!before.digests.has(key)) found.push(`${key} is new`);
  return found;
}
