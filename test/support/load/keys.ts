// Keys of a load. Each holds a version that grows with every write, in a shape in which a half-done, doubled or mixed-up
// write shows: the version can be read from the value, and any other value is nonsense.
import type { Value } from "../resp.ts";
import { slotOf } from "./slots.ts";

export interface LoadKey {
  readonly name: string;
  readonly slot: number;
  readonly kind: KeyKind;
  /** The last version a node acknowledged; 0 = none yet. */
  acked: number;
  /** The last version sent: above `acked` while it is not known whether it was written. */
  attempted: number;
}

interface Shape {
  /** A request that comes before the first write of any key. */
  begin?(name: string): readonly string[];
  /** The request that makes `version` of the version before it. */
  write(name: string, version: number): readonly string[];
  /** Writing it once more changes nothing. */
  readonly isRepeatable: boolean;
  read(name: string): readonly string[];
  /** What the reply to `read` holds: a version, ABSENT or NONSENSE. */
  version(name: string, reply: Value): number;
  /** A request that now and then keeps the value small and its version as it is. */
  trim?(name: string, version: number): readonly string[] | undefined;
}

export const ABSENT = 0;
export const NONSENSE = -1;

const VALUE_BYTES = 200;
/** Fields of a hash beside those that hold the version. */
const FIELDS = 8;
/** So many elements of a list's end are read, and so many writes pass before it is cut to them. */
const LIST_END = 4;
const LIST_WRITES = 64;
const PARTS = ["a", "b", "c"] as const;

const stringOf = (name: string, version: number): string => `${version}:${name}:`.padEnd(VALUE_BYTES, "x");

function readString(name: string, reply: Value): number {
  if (reply.kind === "null") return ABSENT;
  if (reply.kind !== "bulk") return NONSENSE;
  const text = reply.bytes.toString("latin1");
  const version = Number(text.slice(0, text.indexOf(":")));
  return text === stringOf(name, version) ? version : NONSENSE;
}

function readNumber(reply: Value): number {
  if (reply.kind === "null") return ABSENT;
  return reply.kind === "bulk" ? Number(reply.bytes.toString("latin1")) : NONSENSE;
}

/** What several replies all say; they were written in one request, so they must say the same. */
function common(reply: Value, read: (item: Value, index: number) => number): number {
  if (reply.kind !== "array") return NONSENSE;
  const versions = reply.items.map(read);
  const [first = NONSENSE] = versions;
  return Number.isInteger(first) && versions.every((version) => version === first) ? first : NONSENSE;
}

const SHAPES = {
  string: {
    write: (name, version) => ["SET", name, stringOf(name, version)],
    isRepeatable: true,
    read: (name) => ["GET", name],
    version: readString,
  },
  hash: {
    write: (name, version) => {
      const text = String(version);
      return ["HSET", name, "version", text, `field:${version % FIELDS}`, text, "copy", text];
    },
    isRepeatable: true,
    read: (name) => ["HMGET", name, "version", "copy"],
    version: (_, reply) => common(reply, readNumber),
  },
  zset: {
    write: (name, version) => ["ZADD", name, String(version), "version", String(version), "copy"],
    isRepeatable: true,
    read: (name) => ["ZMSCORE", name, "version", "copy"],
    version: (_, reply) => common(reply, readNumber),
  },
  /** A push that is done twice, or left out, shows in the end of the list. */
  list: {
    write: (name, version) => ["RPUSH", name, String(version)],
    isRepeatable: false,
    read: (name) => ["LRANGE", name, String(-LIST_END), "-1"],
    version: (_, reply) => {
      if (reply.kind !== "array") return NONSENSE;
      const versions = reply.items.map(readNumber);
      const last = versions.at(-1) ?? ABSENT;
      const follows = versions.every((version, i) => version === last - (versions.length - 1 - i));
      return follows ? last : NONSENSE;
    },
    trim: (name, version) =>
      version % LIST_WRITES === 0 ? ["LTRIM", name, String(-LIST_END), "-1"] : undefined,
  },
  /** Three strings of one slot, written by one request and read by one. */
  group: {
    // redis-server gives the keys of a slot in the order they were made: the group is to be apart for some time.
    begin: (name) => ["SET", `${name}:a`, stringOf(`${name}:a`, 1)],
    write: (name, version) => [
      "MSET",
      ...PARTS.flatMap((part) => [`${name}:${part}`, stringOf(`${name}:${part}`, version)]),
    ],
    isRepeatable: true,
    read: (name) => ["MGET", ...PARTS.map((part) => `${name}:${part}`)],
    version: (name, reply) => common(reply, (item, i) => readString(`${name}:${PARTS[i] ?? ""}`, item)),
  },
} satisfies Record<string, Shape>;

export type KeyKind = keyof typeof SHAPES;

const KINDS: readonly KeyKind[] = ["string", "group", "hash", "string", "list", "group", "zset", "string"];

export function shapeOf(key: LoadKey): Shape {
  return SHAPES[key.kind];
}

/**
 * The keys of one client.
 * @param tags hash tags; half of the keys take theirs from these in turn, the others lie in slots of their own
 */
export function makeKeys(client: number, count: number, tags: readonly string[]): readonly LoadKey[] {
  return Array.from({ length: count }, (_, i) => {
    const kind = KINDS[i % KINDS.length] ?? "string";
    const isTagged = tags.length > 0 && (i >> 3) % 2 === 0;
    const tag = isTagged ? (tags[(client * count + i) % tags.length] ?? "") : `load:${client}:${i}`;
    const name = `{${tag}}:${client}:${i}:${kind}`;
    return { name, slot: slotOf(name), kind, acked: 0, attempted: 0 };
  });
}

/** A key of the keyspace that a node holds or does not, whatever becomes of the others of its group. */
export interface Piece {
  readonly name: string;
  readonly read: readonly string[];
  version(reply: Value): number;
}

export function piecesOf({ name, kind }: LoadKey): readonly Piece[] {
  const names = kind === "group" ? PARTS.map((part) => `${name}:${part}`) : [name];
  const shape: Shape = SHAPES[kind === "group" ? "string" : kind];
  return names.map((piece) => ({
    name: piece,
    read: shape.read(piece),
    version: (reply) => shape.version(piece, reply),
  }));
}
