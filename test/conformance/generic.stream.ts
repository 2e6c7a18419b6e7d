// Keys whatever they hold: looking for them, moving them, letting them expire.
import { eventually } from "../support/eventually.ts";
import type { Client } from "../support/client.ts";
import type { Random } from "../support/random.ts";
import { type Argument, plain } from "../support/resp.ts";
import { near, sameBytes, sameShape, unordered } from "./harness/compare.ts";
import type { Compare, Mode, Probe, Step } from "./harness/step.ts";
import { farSeconds, integer, key, keys, mangle, mixCase, value } from "./harness/values.ts";

type Draw = readonly [args: readonly Argument[], compare?: Compare];

const PATTERNS: readonly Argument[] = [
  "*", "**", "?*", "", "key:*", "key:?", "key:1[01]", "key:[^1]", "key:[3-1]", "key:\\1", "{a}*", "{user:1000}?", "*{*", "*}*", "[{]*",
  "{}*", "*\\*", "[", "[^", "[a-", "\\", "к*", "missing*", "KEY:*", Buffer.from([0x2a, 13, 10, 0x2a]), "?", "[0-9]", "long*",
]; // prettier-ignore

const DATABASES = ["0", "1", "2", "15", "16", "-1", "abc", "", "2147483648", "9223372036854775808"] as const;

/** Times for EXPIRE and its sisters: far ahead, long past, or beyond what they take. */
function moment(random: Random, command: string): Argument {
  const isSeconds = command === "EXPIRE" || command === "EXPIREAT";
  const far = (command.endsWith("AT") ? 4_000_000_000 : 0) + farSeconds(random);
  return random.weighted<Argument>([
    [8, () => (isSeconds ? far : far * 1000)],
    [2, () => random.pick(["0", "-1", "-100000"])],
    [1, () => random.pick(["9223372036854775807", "9223372036854775", "9223372036854776", "-9223372036854775808"])],
    [1, () => random.pick(["abc", "", "1.5", "9223372036854775808", "-9223372036854776", "-9223372036854775"])],
  ]); // prettier-ignore
}

function expireStep(random: Random): Draw {
  const command = random.pick(["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"]);
  const options = random.weighted<readonly string[]>([
    [4, () => []],
    [6, () => [mixCase(random, random.pick(["nx", "xx", "gt", "lt"]))]],
    [2, () => [random.pick(["NX", "XX", "GT", "LT"]), random.pick(["NX", "XX", "GT", "LT"])]],
    [1, () => [random.pick(["nosuch", "", "EX", "a\0b", "ÿ", "x\r\ny"])]],
  ]);
  return [[command, key(random), moment(random, command), ...options]];
}

function scanOptions(random: Random): Argument[] {
  const options: Argument[] = [];
  for (let count = random.below(4); count > 0; count--) {
    options.push(
      ...random.weighted<readonly Argument[]>([
        [4, () => ["MATCH", random.pick(PATTERNS)]],
        [3, () => ["count", random.pick(["1", "3", "10", "1000", "9223372036854775807"])]],
        [3, () => ["Type", random.pick(["string", "STRING", "list", "nosuch", ""])]],
      ]),
    );
  }
  return options;
}

/** A whole iteration: which keys it finds, each once (nothing changes meanwhile). */
function wholeScan(random: Random): Probe {
  const options = scanOptions(random);
  return {
    name: `SCAN ${options.map(String).join(" ")}`,
    find: async (client) => {
      const found: string[] = [];
      let cursor = "0";
      do {
        const { value: reply } = await client.reply("SCAN", cursor, ...options);
        if (reply.kind !== "array") return String(plain(reply));
        const [next, page] = reply.items;
        if (next?.kind !== "bulk" || page?.kind !== "array") return "not a page";
        cursor = next.bytes.toString();
        for (const item of page.items) found.push(item.kind === "bulk" ? item.bytes.toString("latin1") : "?");
      } while (cursor !== "0");
      return JSON.stringify([...new Set(found)].toSorted());
    },
  };
}

/** Where an iteration stands is each server's own affair. */
const pageOrError: Compare = (theirs, ours) =>
  theirs.value.kind === "array" && theirs.value.items.length === 2 && ours.value.kind === "array"
    ? undefined
    : sameBytes(theirs, ours);

/** Arguments that SCAN refuses, and cursors it takes all the same. */
function refusedScan(random: Random): Draw {
  return [
    [
      "SCAN",
      ...random.pick<readonly Argument[]>([
        ["abc"], [" 0"], ["0x"], ["1.5"], ["18446744073709551616"], ["99999999999999999999999"], ["-"], ["+"], ["0", "COUNT"],
        ["0", "COUNT", "0"], ["0", "COUNT", "-1"], ["0", "COUNT", "abc"], ["0", "COUNT", "9223372036854775808"], ["0", "MATCH"],
        ["0", "TYPE"], ["0", "nosuch", "1"], ["0", "MATCH", "*", "x"], ["", "COUNT", "0"], ["+0", "COUNT", "x"], ["-1", "nosuch"],
        ["18446744073709551615", "COUNT", "0"], ["abc", "nosuch"], ["-1"], [""], ["+5"], ["18446744073709551615"], ["-0", "COUNT", "1"],
      ]),
    ],
    pageOrError,
  ]; // prettier-ignore
}

/** A key that really expires, seen through every command that must no longer see it. */
function expiring(random: Random, mode: Mode): Probe {
  const name = `{a}expiring:${random.below(1000)}`;
  const born: readonly Argument[] = random.pick([
    ["SET", name, "v", "PX", 1],
    ["PSETEX", name, 1, "v"],
    ["SET", name, "v", "EXAT", 1],
    ["SET", name, "v", "PXAT", 1],
  ]);
  const looks: readonly (readonly Argument[])[] = [
    ["TTL", name], ["PTTL", name], ["TYPE", name], ["EXISTS", name, name], ["STRLEN", name], ["MGET", name], ["TOUCH", name],
    ["OBJECT", "ENCODING", name], ["GETEX", name, "PERSIST"], ["PERSIST", name], ["EXPIRE", name, 100000], ["DEL", name],
    ["RENAME", name, `${name}2`], ["COPY", name, `${name}2`], ["GETDEL", name], ["KEYS", name], ["SCAN", 0, "MATCH", name, "COUNT", 10_000],
    ["SETNX", name, "w"], ["APPEND", name, "w"], ["INCR", name], ["GETSET", name, "w"], ["SET", name, "w", "XX"], ["SET", name, "w", "KEEPTTL"],
    ...(mode === "alone" ? [["MOVE", name, 1]] : []),
  ]; // prettier-ignore
  const look = random.pick(looks);
  return {
    name: `${born.join(" ")}, then ${look.join(" ")}`,
    find: async (client) => {
      await client.ok(...born);
      // Watched from afar: what is to meet the expired key first is the command under test.
      const watched = await gone(client, name);
      const after = await client.reply(...look);
      const ttl = await client.reply("TTL", name);
      await client.reply("DEL", name, `${name}2`);
      return `${watched} ${after.raw.toString("latin1")} ${ttl.raw.toString("latin1")}`;
    },
  };
}

/** Waits on the server's own clock until a key of the same life has ended. */
async function gone(client: Client, name: string): Promise<string> {
  const twin = `${name}:twin`;
  await client.ok("SET", twin, "v", "PX", 1);
  await eventually(async () => (await client.ask("EXISTS", twin)) === 0, 10_000, `${twin} expires`);
  return "gone";
}

function moveStep(random: Random, mode: Mode): Draw {
  const [from = "", to = ""] = keys(random, 2, mode);
  const database = (): Argument => random.pick(DATABASES);
  const same = random.chance(0.1);
  return random.weighted<Draw>([
    [6, () => [["RENAME", from, same ? from : to]]],
    [6, () => [["RENAMENX", from, same ? from : to]]],
    [6, () => [["COPY", from, same ? from : to]]],
    [4, () => [["COPY", from, same ? from : to, mixCase(random, "replace")]]],
    [4, () => [["COPY", from, random.chance(0.3) ? from : to, "DB", database()]]],
    [3, () => [["COPY", from, random.chance(0.3) ? from : to, "replace", "db", database(), "REPLACE"]]],
    [1, () => [["COPY", from, to, ...random.pick([["DB"], ["nosuch"], ["DB", "1", "2"], ["DB", "0", "DB", "1"]])]]],
    [4, () => [["MOVE", from, database()]]],
    [2, () => [["SWAPDB", database(), database()]]],
    [2, () => [["SELECT", random.pick(["0", "0", "1", "2"])]]],
  ]); // prettier-ignore
}

function lookStep(random: Random, mode: Mode): Draw {
  return random.weighted<Draw>([
    [4, () => [["EXISTS", ...keys(random, random.between(1, 5), mode)]]],
    [3, () => [["TOUCH", ...keys(random, random.between(1, 5), mode)]]],
    [4, () => [["TYPE", key(random)]]],
    [4, () => [["TTL", key(random)], near(20)]],
    [4, () => [["PTTL", key(random)], near(20_000)]],
    [3, () => [["EXPIRETIME", key(random)], near(20)]],
    [3, () => [["PEXPIRETIME", key(random)], near(20_000)]],
    [6, () => [["KEYS", random.pick(PATTERNS)], unordered]],
    [2, () => [["RANDOMKEY"], sameShape]],
    [3, () => [["OBJECT", "ENCODING", key(random)]]],
    [3, () => [["OBJECT", mixCase(random, "refcount"), key(random)]]],
    [2, () => [["OBJECT", "IDLETIME", key(random)], near(120)]],
    [2, () => [["OBJECT", "FREQ", key(random)]]],
    [2, () => [["OBJECT", ...random.pick([["HELP"], [], ["nosuch", "x"], ["ENCODING"], ["HELP", "x"], ["FREQ", "a", "b"], [""]])]]],
  ]); // prettier-ignore
}

export function genericStep(random: Random, mode: Mode): Step {
  const step = random.weighted<Draw | Probe>([
    [30, () => [["SET", key(random), value(random)]]],
    [6, () => [["SET", key(random), value(random), "EX", farSeconds(random)]]],
    [4, () => [["INCRBY", key(random), integer(random)]]],
    [25, () => expireStep(random)],
    [5, () => [["PERSIST", key(random)]]],
    [4, () => [["DEL", ...keys(random, random.between(1, 3), mode)]]],
    [4, () => [["UNLINK", ...keys(random, random.between(1, 3), mode)]]],
    [25, () => moveStep(random, mode)],
    [25, () => lookStep(random, mode)],
    [3, () => wholeScan(random)],
    [3, () => refusedScan(random)],
    [3, () => expiring(random, mode)],
    [0.1, () => [["FLUSHALL"]]],
  ]);
  if ("name" in step) return step;
  const [args, compare] = step;
  return { args: mangle(random, args), ...(compare === undefined ? {} : { compare }) };
}
