// Hashes: every command with every option, on few keys and few fields, with limits of the small encoding so low that
// hashes outgrow it all the time.
import type { Client } from "../support/client.ts";
import type { Random } from "../support/random.ts";
import { type Argument, plain } from "../support/resp.ts";
import { sameBytes, sameShape, unordered, unorderedPairs } from "./harness/compare.ts";
import { lengthOf, textOf } from "./harness/sizes.ts";
import type { Compare, Probe, Step } from "./harness/step.ts";
import { float, integer, key as anyKey, mangle, mixCase, value } from "./harness/values.ts";

type Draw = readonly [args: readonly Argument[], compare?: Compare];

/** Mostly one of a few, so that hashes grow, shrink, and meet other types. */
const key = (random: Random): Argument => (random.chance(0.8) ? `h:${random.below(6)}` : anyKey(random));

const BINARY_FIELD = Buffer.from([0, 255, 13, 10]);

function field(random: Random): Argument {
  return random.weighted<Argument>([
    [60, () => `f${random.below(12)}`],
    [15, () => String(random.between(-3, 300))],
    [5, () => integer(random)],
    [4, () => `field:${random.below(1000)}`],
    [2, () => ""],
    [2, () => BINARY_FIELD],
    [1, () => "f".repeat(random.pick([63, 64, 65, 254, 255, 256, 5000]))],
    [1, () => textOf(random, lengthOf(random))],
  ]);
}

const fields = (random: Random): Argument[] =>
  Array.from({ length: random.between(1, 5) }, () => field(random));

/** Values, a good part of them small enough for any limit. */
const content = (random: Random): Argument =>
  random.weighted<Argument>([
    [5, () => integer(random)],
    [3, () => `v${random.below(100)}`],
    [2, () => float(random)],
    [2, () => value(random)],
  ]);

const pairs = (random: Random): Argument[] =>
  Array.from({ length: random.between(1, 6) }, () => [field(random), content(random)]).flat();

/** About as many fields as a small hash has at most. */
const manyPairs = (random: Random): Argument[] =>
  Array.from({ length: random.pick([7, 8, 9, 15, 16, 17, 127, 128, 129]) }, (_, i) => [
    `f${i}`,
    content(random),
  ]).flat();

/** A hash as a whole, in its order where it has one. */
function wholeHash(random: Random): Probe {
  const name = key(random);
  return {
    name: `HGETALL ${String(name).slice(0, 40)}, in order`,
    find: async (client) => {
      const encoding = plain((await client.reply("OBJECT", "ENCODING", name)).value);
      const parts: string[] = [];
      for (const command of ["HGETALL", "HKEYS", "HVALS"]) {
        const reply = await client.reply(command, name);
        parts.push(encoding === "hashtable" ? reply.value.kind : reply.raw.toString("latin1"));
      }
      return `${JSON.stringify(encoding)} ${parts.join(" ")}`;
    },
  };
}

const PATTERNS: readonly Argument[] = [
  "*",
  "f*",
  "f?",
  "f1*",
  "[0-9]*",
  "nosuch*",
  "",
  "field:[13579]*",
  "f[^2]",
];

function scanOptions(random: Random): Argument[] {
  const options: Argument[] = [];
  for (let count = random.below(3); count > 0; count--) {
    options.push(
      ...random.weighted<readonly Argument[]>([
        [4, () => [mixCase(random, "match"), random.pick(PATTERNS)]],
        [3, () => [mixCase(random, "count"), random.pick(["1", "3", "10", "1000", "9223372036854775807"])]],
      ]),
    );
  }
  return options;
}

/** A whole iteration: which fields it finds with which values (nothing changes meanwhile). */
function wholeScan(random: Random): Probe {
  const name = key(random);
  const options = scanOptions(random);
  return {
    name: `HSCAN ${String(name).slice(0, 40)} ${options.map(String).join(" ")}`,
    find: (client) => allPages(client, name, options),
  };
}

async function allPages(client: Client, name: Argument, options: readonly Argument[]): Promise<string> {
  const found = new Map<string, string>();
  let cursor = "0";
  do {
    const { value: reply } = await client.reply("HSCAN", name, cursor, ...options);
    if (reply.kind !== "array") return String(plain(reply));
    const [next, page] = reply.items;
    if (next?.kind !== "bulk" || page?.kind !== "array") return "not a page";
    cursor = next.bytes.toString();
    const texts = page.items.map((item) => (item.kind === "bulk" ? item.bytes.toString("latin1") : "?"));
    for (let i = 0; i < texts.length; i += 2) found.set(texts[i] ?? "", texts[i + 1] ?? "nothing");
  } while (cursor !== "0");
  return JSON.stringify([...found].toSorted());
}

/** Where an iteration stands is each server's own affair. */
const pageOrError: Compare = (theirs, ours) =>
  theirs.value.kind === "array" && theirs.value.items.length === 2 && ours.value.kind === "array"
    ? undefined
    : sameBytes(theirs, ours);

function oddScan(random: Random): Draw {
  const rest = random.pick<readonly Argument[]>([
    ["abc"], [" 0"], ["-1"], ["18446744073709551615"], ["18446744073709551616"], [""], ["0", "COUNT"], ["0", "COUNT", "0"], ["0", "COUNT", "-1"],
    ["0", "COUNT", "abc"], ["0", "MATCH"], ["0", "TYPE", "hash"], ["0", "nosuch", "1"], ["0", "MATCH", "*", "x"], ["abc", "nosuch"], ["0x1"],
    ["0", "COUNT", "9223372036854775808"], ["+5"], ["-0", "COUNT", "1"],
  ]); // prettier-ignore
  return [["HSCAN", key(random), ...rest], pageOrError];
}

/** Counts a server can be asked for: greatly negative ones are a reply of that length. */
const COUNTS = [
  "0", "1", "2", "3", "5", "12", "100", "-1", "-2", "-7", "-40", "9223372036854775807", "4611686018427387903",
  "4611686018427387904", "-9223372036854775808", "9223372036854775808", "abc", "", "1.5", "-0",
] as const; // prettier-ignore

function drawFields(random: Random): Draw {
  const rest = random.weighted<readonly Argument[]>([
    [3, () => []],
    [4, () => [random.pick(COUNTS)]],
    [5, () => [random.pick(COUNTS), mixCase(random, "withvalues")]],
    [1, () => [random.pick(COUNTS), random.pick(["WITHVALUE", "WITHSCORES", ""])]],
    [1, () => [random.pick(COUNTS), "WITHVALUES", "x"]],
  ]);
  return [["HRANDFIELD", key(random), ...rest], sameShape];
}

export function hashStep(random: Random): Step {
  if (random.chance(0.04)) return wholeHash(random);
  if (random.chance(0.02)) return wholeScan(random);
  const [args, compare] = random.weighted<Draw>([
    [14, () => [["HSET", key(random), ...pairs(random)]]],
    [0.5, () => [["HSET", key(random), ...manyPairs(random)]]],
    [4, () => [["HMSET", key(random), ...pairs(random)]]],
    [5, () => [["HSETNX", key(random), field(random), content(random)]]],
    [10, () => [["HGET", key(random), field(random)]]],
    [5, () => [["HMGET", key(random), ...fields(random)]]],
    [5, () => [["HGETALL", key(random)], unorderedPairs]],
    [3, () => [["HKEYS", key(random)], unordered]],
    [3, () => [["HVALS", key(random)], unordered]],
    [4, () => [["HLEN", key(random)]]],
    [4, () => [["HEXISTS", key(random), field(random)]]],
    [4, () => [["HSTRLEN", key(random), field(random)]]],
    [12, () => [["HDEL", key(random), ...fields(random)]]],
    [10, () => [["HINCRBY", key(random), field(random), integer(random)]]],
    [8, () => [["HINCRBYFLOAT", key(random), field(random), random.chance(0.8) ? float(random) : integer(random)]]],
    [6, () => drawFields(random)],
    [3, () => oddScan(random)],
    [6, () => [["OBJECT", "ENCODING", key(random)]]],
    [2, () => [["TYPE", key(random)]]],
    [3, () => [["DEL", key(random)]]],
    [1, () => [["SET", key(random), content(random)]]],
    [1, () => [["GET", key(random)]]],
    [1, () => [["PERSIST", key(random)]]],
    [1, () => [["EXPIRE", key(random), "100000"]]],
    [1.5, () => [["CONFIG", "SET", random.pick(["hash-max-listpack-entries", "hash-max-ziplist-entries"]), random.pick(["0", "1", "3", "8", "8", "16", "128"])]]],
    [1, () => [["CONFIG", "SET", random.pick(["hash-max-listpack-value", "hash-max-ziplist-value"]), random.pick(["0", "3", "16", "64", "64", "300"])]]],
  ]); // prettier-ignore
  if (args[0] === "CONFIG") return { args };
  return { args: mangle(random, args), ...(compare === undefined ? {} : { compare }) };
}
