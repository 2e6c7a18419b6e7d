// Compares all that two servers hold: which keys, of what type and encoding, with what bytes and how long to live.
import type { Client } from "../../support/client.ts";
import { plain, printable, type Value } from "../../support/resp.ts";
import type { Difference, Pair } from "./stream.ts";

/** Both servers set relative expiries by their own clocks, some time apart. */
const EXPIRY_TOLERANCE_MS = 30_000;

interface Held {
  readonly type: string;
  readonly encoding: string;
  readonly content: string;
  readonly expiryMs: number;
}

export async function compareState(pair: Pair): Promise<Difference[]> {
  const [theirs, ours] = await Promise.all([stateOf(pair.theirs), stateOf(pair.ours)]);
  const differences: Difference[] = [];
  for (const name of new Set([...theirs.keys(), ...ours.keys()])) {
    const [a, b] = [theirs.get(name), ours.get(name)];
    const why =
      a === undefined ? "held by ours alone" : b === undefined ? "held by theirs alone" : differ(a, b);
    if (why === undefined) continue;
    const key = printable(Buffer.from(name, "latin1"), 80);
    differences.push({ index: -1, name: "state", text: `key "${key}" at the end: ${why}` });
  }
  return differences;
}

async function stateOf(client: Client): Promise<Map<string, Held>> {
  const { value } = await client.reply("KEYS", "*");
  if (value.kind !== "array") throw new Error(`KEYS *: ${JSON.stringify(plain(value))}`);
  const state = new Map<string, Held>();
  for (const item of value.items) {
    if (item.kind !== "bulk") throw new Error("KEYS gave something other than keys");
    const key = item.bytes;
    const [type, encoding, expiry] = await client.pipeline([
      ["TYPE", key],
      ["OBJECT", "ENCODING", key],
      ["PEXPIRETIME", key],
    ]);
    state.set(key.toString("latin1"), {
      type: textOf(type?.value),
      encoding: textOf(encoding?.value),
      content: await contentOf(client, textOf(type?.value), key),
      expiryMs: Number(textOf(expiry?.value)),
    });
  }
  return state;
}

/** Strings as DUMP writes them; collections by their elements, those without an order sorted. */
async function contentOf(client: Client, type: string, key: Buffer): Promise<string> {
  switch (type) {
    case "list":
      return elements(await client.reply("LRANGE", key, 0, -1)).join(" ");
    case "zset":
      return elements(await client.reply("ZRANGE", key, 0, -1, "WITHSCORES")).join(" ");
    case "set":
      return elements(await client.reply("SMEMBERS", key))
        .toSorted()
        .join(" ");
    case "hash":
      return fields(elements(await client.reply("HGETALL", key)))
        .toSorted()
        .join(" ");
    default:
      return textOf((await client.reply("DUMP", key)).value);
  }
}

/** The leaves of a reply, one after the other. */
function elements({ value }: { readonly value: Value }): string[] {
  switch (value.kind) {
    case "array":
    case "set":
      return value.items.flatMap((item) => elements({ value: item }));
    case "map":
      return value.pairs.flatMap((pair) => pair.flatMap((item) => elements({ value: item })));
    default:
      return [textOf(value)];
  }
}

function fields(flat: readonly string[]): string[] {
  return flat.flatMap((name, i) => (i % 2 === 0 ? [`${name}=${flat[i + 1]}`] : []));
}

function textOf(value: Value | undefined): string {
  if (value === undefined) return "";
  return value.kind === "bulk" ? printable(value.bytes, 120) + hash(value.bytes) : String(plain(value));
}

function hash(bytes: Buffer): string {
  return bytes.length > 120 ? `#${Bun.hash(bytes)}` : "";
}

function differ(a: Held, b: Held): string | undefined {
  for (const field of ["type", "encoding", "content"] as const) {
    if (a[field] !== b[field]) return `${field}\n    theirs ${a[field]}\n    ours   ${b[field]}`;
  }
  const near = a.expiryMs > 0 && b.expiryMs > 0 && Math.abs(a.expiryMs - b.expiryMs) <= EXPIRY_TOLERANCE_MS;
  return near || a.expiryMs === b.expiryMs
    ? undefined
    : `expiry\n    theirs ${a.expiryMs}\n    ours   ${b.expiryMs}`;
}
