// Sets: every command with every option, on few keys and few members, integers and text mixed, with limits of the
// intset so low that sets outgrow it all the time.
import type { Client } from "../support/client.ts";
import type { Random } from "../support/random.ts";
import { type Argument, plain, type Value } from "../support/resp.ts";
import { sameBytes, sameShape, unordered } from "./harness/compare.ts";
import { INTEGERS, lengthOf, textOf } from "./harness/sizes.ts";
import type { Compare, Mode, Probe, Step } from "./harness/step.ts";
import { integer, key as anyKey, mangle, mixCase, value } from "./harness/values.ts";

type Draw = readonly [args: readonly Argument[], compare?: Compare];

/** Mostly one of a few of one slot, so that sets meet each other, and other types. */
const key = (random: Random): Argument =>
  random.chance(0.85) ? `{s}${random.below(5)}` : random.chance(0.3) ? "{s}missing" : anyKey(random);

const someKeys = (random: Random, mode: Mode): Argument[] =>
  Array.from({ length: random.pick([1, 2, 2, 2, 3, 4]) }, () =>
    mode === "cluster" && random.chance(0.95) ? `{s}${random.below(6)}` : key(random),
  );

const BINARY_MEMBER = Buffer.from([0, 255, 13, 10]);

function member(random: Random): Argument {
  return random.weighted<Argument>([
    [50, () => String(random.below(12))],
    [14, () => `m${random.below(8)}`],
    [8, () => integer(random)],
    [6, () => String(random.pick([32767, 32768, -32768, -32769, 2 ** 31, 2 ** 31 - 1, 2 ** 40]))],
    [2, () => random.pick(INTEGERS)],
    [1, () => textOf(random, lengthOf(random))],
    [2, () => ""],
    [1, () => BINARY_MEMBER],
    [2, () => "m".repeat(random.pick([253, 254, 255, 256, 5000]))],
    [1, () => value(random)],
  ]);
}

const members = (random: Random): Argument[] =>
  Array.from({ length: random.pick([1, 1, 2, 3, 6, 12]) }, () => member(random));

/** About as many integers as an intset has at most. */
function manyIntegers(random: Random): Argument[] {
  const first = random.pick([0, 32_700, -(2 ** 31) - 4]);
  return Array.from({ length: random.pick([7, 8, 9, 511, 512, 513]) }, (_, i) => String(first + i));
}

const texts = (reply: Value): string[] =>
  reply.kind === "array" || reply.kind === "set"
    ? reply.items.map((item) => (item.kind === "bulk" ? item.bytes.toString("latin1") : item.kind))
    : [];

async function membersOf(client: Client, name: Argument): Promise<string[]> {
  return texts((await client.reply("SMEMBERS", name)).value).toSorted();
}

/** All a set is, in its order where it has one. */
function wholeSet(random: Random): Probe {
  const name = key(random);
  return {
    name: `SMEMBERS ${String(name).slice(0, 40)}, in order`,
    find: async (client) => {
      const encoding = plain((await client.reply("OBJECT", "ENCODING", name)).value);
      const reply = await client.reply("SMEMBERS", name);
      const shown = encoding === "hashtable" ? (await membersOf(client, name)).join(" ") : "";
      return `${JSON.stringify(encoding)} ${shown === "" ? reply.raw.toString("latin1") : shown}`;
    },
  };
}

const TAKEN = ["0", "1", "2", "3", "5", "8", "10", "11", "20", "100", "9223372036854775807"] as const;

/** What SPOP takes is chance; that it was there, comes once and is gone is not. Afterwards all is as it was before. */
function pop(random: Random): Probe {
  const name = `{s}${random.below(5)}`;
  const count = random.chance(0.25) ? [] : [random.pick(TAKEN)];
  return {
    name: `SPOP ${name} ${count.join(" ")}`,
    find: async (client) => {
      const before = await membersOf(client, name);
      const reply = await client.reply("SPOP", name, ...count);
      const { value: taken } = reply;
      const popped = taken.kind === "bulk" ? [taken.bytes.toString("latin1")] : texts(taken);
      const after = await membersOf(client, name);
      const isRight = JSON.stringify([...popped, ...after].toSorted()) === JSON.stringify(before);
      // Which members stay decides the encoding, unless they are all of one kind.
      const isMixed = new Set(before.map((text) => /^(0|-?[1-9]\d{0,18})$/.test(text))).size > 1;
      const encoding = isMixed ? "" : plain((await client.reply("OBJECT", "ENCODING", name)).value);
      if (before.length > 0) {
        await client.reply("DEL", name);
        await client.reply("SADD", name, ...before.map((text) => Buffer.from(text, "latin1")));
      }
      return `${taken.kind} ${popped.length} ${isRight} ${String(encoding)} ${taken.kind === "error" ? reply.raw.toString() : ""}`;
    },
  };
}

const DRAWN = [...TAKEN, "-1", "-2", "-7", "-40"] as const;

function draw(random: Random): Probe {
  const name = `{s}${random.below(5)}`;
  const count = random.pick(DRAWN);
  return {
    name: `SRANDMEMBER ${name} ${count}`,
    find: async (client) => {
      const all = new Set(await membersOf(client, name));
      const { value: drawn } = await client.reply("SRANDMEMBER", name, count);
      const shown = texts(drawn);
      const isRight = shown.every((text) => all.has(text));
      const isDistinct = count.startsWith("-") || new Set(shown).size === shown.length;
      return `${drawn.kind} ${shown.length} ${isRight} ${isDistinct}`;
    },
  };
}

const PATTERNS = ["*", "m*", "?", "1*", "[0-5]", "[^m]*", "", "m[3-7]", "\\m*", "[", "*\u00ff*"] as const;

/** A whole SSCAN: what it shows in the end. */
function walk(random: Random): Probe {
  const name = key(random);
  const options = random.weighted<readonly string[]>([
    [2, () => []],
    [3, () => ["COUNT", random.pick(["1", "3", "10", "1000"])]],
    [3, () => [mixCase(random, "match"), random.pick(PATTERNS)]],
    [2, () => ["MATCH", random.pick(PATTERNS), "count", "2"]],
  ]);
  return {
    name: `SSCAN ${String(name).slice(0, 40)} … ${options.join(" ")}`,
    find: async (client) => {
      const seen = new Set<string>();
      let cursor = "0";
      do {
        const reply = await client.reply("SSCAN", name, cursor, ...options);
        if (reply.value.kind !== "array") return reply.raw.toString("latin1");
        const [next, shown] = reply.value.items;
        cursor = String(plain(next!));
        for (const text of texts(shown!)) seen.add(text);
      } while (cursor !== "0");
      return [...seen].toSorted().join(" ");
    },
  };
}

const BAD_COUNTS = ["-9223372036854775808", "9223372036854775808", "abc", "", "1.5", "-0", "-3"] as const;

function intersectCard(random: Random, mode: Mode): readonly Argument[] {
  const names = someKeys(random, mode);
  const number = random.chance(0.85)
    ? String(names.length)
    : random.pick(["0", "-1", "2", "9", "x", "9223372036854775807", "9223372036854775808"]);
  const limit = random.pick(["0", "1", "2", "100", "-1", "x", "9223372036854775807"]);
  const options = random.weighted<readonly Argument[]>([
    [3, () => []],
    [3, () => [mixCase(random, "limit"), limit]],
    [1, () => ["LIMIT"]],
    [1, () => ["LIMIT", "3", "LIMIT", limit]],
    [1, () => ["nosuch", "1"]],
  ]);
  return ["SINTERCARD", number, ...names, ...options];
}

function scanOnce(random: Random): readonly Argument[] {
  const cursor = random.pick(["0", "abc", "", "-1", "+0", "1x", "18446744073709551616", "\0", "-"]);
  const options = random.weighted<readonly Argument[]>([
    [2, () => []],
    [3, () => ["COUNT", random.pick(["0", "-1", "x", "9223372036854775807", "9223372036854775808", "5"])]],
    [2, () => random.pick([["MATCH"], ["COUNT"], ["nosuch"], ["TYPE", "set"], ["MATCH", "m*", "x"]])],
  ]);
  return ["SSCAN", key(random), cursor, ...options];
}

/** How much of a table one step shows is its own affair. */
const sameOutcome: Compare = (theirs, ours) =>
  theirs.value.kind === "array" && ours.value.kind === "array" ? undefined : sameBytes(theirs, ours);

export function setStep(random: Random, mode: Mode): Step {
  const probe = random.weighted<Probe | undefined>([
    [80, () => undefined],
    [5, () => wholeSet(random)],
    [7, () => pop(random)],
    [4, () => draw(random)],
    [4, () => walk(random)],
  ]);
  if (probe !== undefined) return probe;
  const target = (): Argument => key(random);
  const [args, compare] = random.weighted<Draw>([
    [20, () => [["SADD", key(random), ...members(random)]]],
    [0.3, () => [["SADD", key(random), ...manyIntegers(random)]]],
    [12, () => [["SREM", key(random), ...members(random)]]],
    [6, () => [["SISMEMBER", key(random), member(random)]]],
    [4, () => [["SMISMEMBER", key(random), ...members(random)]]],
    [4, () => [["SCARD", key(random)]]],
    [4, () => [["SMEMBERS", key(random)], unordered]],
    [10, () => [["SMOVE", key(random), key(random), member(random)]]],
    [6, () => [["SINTER", ...someKeys(random, mode)], unordered]],
    [6, () => [["SUNION", ...someKeys(random, mode)], unordered]],
    [6, () => [["SDIFF", ...someKeys(random, mode)], unordered]],
    [6, () => [["SINTERSTORE", target(), ...someKeys(random, mode)]]],
    [6, () => [["SUNIONSTORE", target(), ...someKeys(random, mode)]]],
    [6, () => [["SDIFFSTORE", target(), ...someKeys(random, mode)]]],
    [6, () => [intersectCard(random, mode)]],
    [3, () => [["SPOP", random.pick(["{s}nothing", "{s}text"]), random.pick([...TAKEN, ...BAD_COUNTS]), ...(random.chance(0.2) ? ["x"] : [])]]],
    [3, () => [["SRANDMEMBER", key(random), random.pick([...DRAWN, ...BAD_COUNTS])], sameShape]],
    [2, () => [["SRANDMEMBER", key(random)], sameShape]],
    [4, () => [scanOnce(random), sameOutcome]],
    [6, () => [["OBJECT", "ENCODING", key(random)]]],
    [2, () => [["TYPE", key(random)]]],
    [3, () => [["DEL", key(random)]]],
    [1, () => [["SET", random.chance(0.2) ? "{s}text" : key(random), member(random)]]],
    [1, () => [["GET", key(random)]]],
    [1, () => [["EXPIRE", key(random), "100000"]]],
    [1, () => [["PERSIST", key(random)]]],
    [2, () => [["RENAME", `{s}${random.below(5)}`, `{s}${random.below(5)}`]]],
    [2, () => [["CONFIG", "SET", "set-max-intset-entries", random.pick(["0", "1", "3", "8", "8", "512"])]]],
  ]); // prettier-ignore
  // A misspelt SPOP would pop by chance.
  if (args[0] === "CONFIG" || args[0] === "SPOP") return { args };
  return { args: mangle(random, args), ...(compare === undefined ? {} : { compare }) };
}
