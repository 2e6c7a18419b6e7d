// Strings: every command with every option, on few keys, so that encodings, expiries and edges meet each other.
import type { Random } from "../support/random.ts";
import type { Argument } from "../support/resp.ts";
import { near } from "./harness/compare.ts";
import type { Compare, Mode, Step } from "./harness/step.ts";
import { lengthOf, textOf, TEXT_LENGTHS } from "./harness/sizes.ts";
import { farSeconds, float, integer, key, keys, mangle, mixCase, value } from "./harness/values.ts";

type Draw = readonly [args: readonly Argument[], compare?: Compare];

/** Times that are refused by all commands or by some. None would fall due within the stream. */
const BAD_TIMES = [
  "0", "-1", "-5000", "abc", "", "1.5", " 100000", "9223372036854775807", "9223372036854775", "9223372036854776",
  "-9223372036854775808", "9223372036854775808", "99999999999999999999",
] as const; // prettier-ignore

/** An expiry as SET and GETEX take it. */
function expiry(random: Random): readonly Argument[] {
  const seconds = farSeconds(random);
  const word = random.pick(["EX", "PX", "EXAT", "PXAT"]);
  const far = { EX: seconds, PX: seconds * 1000, EXAT: 4_000_000_000 + seconds, PXAT: 4e12 + seconds };
  const past = { EX: "-1", PX: "0", EXAT: String(random.between(1, 1_000_000)), PXAT: "1" };
  const given = random.weighted<Argument>([
    [8, () => far[word as keyof typeof far]],
    [2, () => past[word as keyof typeof past]],
    [2, () => random.pick(BAD_TIMES)],
  ]);
  return [mixCase(random, word), given];
}

function setOptions(random: Random): Argument[] {
  const options: Argument[] = [];
  for (let count = random.pick([0, 0, 1, 1, 1, 2, 2, 3, 4]); count > 0; count--) {
    options.push(
      ...random.weighted<readonly Argument[]>([
        [3, () => [mixCase(random, "nx")]],
        [3, () => [mixCase(random, "xx")]],
        [4, () => [mixCase(random, "get")]],
        [3, () => [mixCase(random, "keepttl")]],
        [5, () => expiry(random)],
        [0.2, () => [random.pick(["EX", "PERSIST", "nosuch", "", "N", "NXX"])]],
      ]),
    );
  }
  return options;
}

function getexOptions(random: Random): readonly Argument[] {
  return random.weighted<readonly Argument[]>([
    [4, () => []],
    [6, () => expiry(random)],
    [3, () => [mixCase(random, "persist")]],
    [1, () => [...expiry(random), ...expiry(random)]],
    [1, () => [...expiry(random), "PERSIST"]],
    [1, () => ["PERSIST", ...random.pick([["PERSIST"], ["EX", "100000"], ["KEEPTTL"]])]],
    [1, () => [random.pick(["KEEPTTL", "NX", "GET", "EX", ""])]],
  ]);
}

/** A place in a string; those at which SETRANGE would make one of megabytes are left out: they are too far even for one byte. */
function offset(random: Random): string {
  return random.weighted([
    [6, () => String(random.between(-20, 120))],
    [1, () => String(random.between(1000, 3000))],
    [2, () => random.pick(["536870912", "536870913", "2147483647", "9223372036854775807", "-9223372036854775808"])],
    [1, () => random.pick(["abc", "", "1.0", " 1", "-0", "9223372036854775808"])],
  ]); // prettier-ignore
}

const shortOffset = (random: Random): string =>
  random.chance(0.1)
    ? String(random.pick(TEXT_LENGTHS))
    : random.pick(["-1", "0", "1", "5", "43", "44", "45", "200", "x"]);

const patch = (random: Random): Argument =>
  random.pick<Argument>(["ab", "x", Buffer.of(0, 255), "0123456789", textOf(random, lengthOf(random, 300))]);

function pairs(random: Random, mode: Mode): Argument[] {
  return keys(random, random.between(1, 5), mode).flatMap((name) => [name, value(random)]);
}

const lcsKey = (random: Random): string => `{lcs}${random.below(3)}`;

function lcsStep(random: Random): Draw {
  const letters = Array.from({ length: random.below(60) }, () => random.pick([..."abcd"])).join("");
  const options = random.weighted<readonly Argument[]>([
    [2, () => []],
    [2, () => ["LEN"]],
    [3, () => ["IDX"]],
    [3, () => ["IDX", "WITHMATCHLEN"]],
    [3, () => ["idx", "MinMatchLen", random.pick(["0", "1", "2", "4", "-3", "9223372036854775807", "x"])]],
    [2, () => ["IDX", "MINMATCHLEN", "3", "WITHMATCHLEN"]],
    [1, () => random.pick([["IDX", "LEN"], ["MINMATCHLEN"], ["nosuch"], ["LEN", "WITHMATCHLEN"], ["LEN", "LEN"], ["WITHMATCHLEN"]])],
  ]); // prettier-ignore
  return random.weighted<Draw>([
    [4, () => [["SET", lcsKey(random), letters]]],
    [8, () => [["LCS", lcsKey(random), random.chance(0.9) ? lcsKey(random) : "{lcs}missing", ...options]]],
  ]);
}

export function stringStep(random: Random, mode: Mode): Step {
  const [args, compare] = random.weighted<Draw>([
    [20, () => [["SET", key(random), value(random), ...setOptions(random)]]],
    [12, () => [["GET", key(random)]]],
    [8, () => [["GETEX", key(random), ...getexOptions(random)]]],
    [3, () => [["GETDEL", key(random)]]],
    [4, () => [["GETSET", key(random), value(random)]]],
    [4, () => [["SETEX", key(random), random.chance(0.7) ? farSeconds(random) : random.pick(BAD_TIMES), value(random)]]],
    [4, () => [["PSETEX", key(random), random.chance(0.7) ? farSeconds(random) * 1000 : random.pick(BAD_TIMES), value(random)]]],
    [4, () => [["SETNX", key(random), value(random)]]],
    [6, () => [["APPEND", key(random), random.chance(0.5) ? integer(random) : patch(random)]]],
    [3, () => [["STRLEN", key(random)]]],
    [6, () => [[random.pick(["GETRANGE", "SUBSTR"]), key(random), offset(random), offset(random)]]],
    [6, () => [["SETRANGE", key(random), random.chance(0.8) ? shortOffset(random) : offset(random), patch(random)]]],
    [2, () => [["SETRANGE", key(random), random.pick(["0", "1", "536870913", "-1", "x"]), ""]]],
    [5, () => [["INCR", key(random)]]],
    [5, () => [["DECR", key(random)]]],
    [5, () => [["INCRBY", key(random), integer(random)]]],
    [5, () => [["DECRBY", key(random), integer(random)]]],
    [10, () => [["INCRBYFLOAT", key(random), random.chance(0.8) ? float(random) : integer(random)]]],
    [4, () => [["MGET", ...keys(random, random.between(1, 6), mode)]]],
    [4, () => [["MSET", ...pairs(random, mode)]]],
    [3, () => [["MSETNX", ...pairs(random, mode)]]],
    [6, () => [["OBJECT", "ENCODING", key(random)]]],
    [2, () => [["TTL", key(random)], near(20)]],
    [2, () => [["PTTL", key(random)], near(20_000)]],
    [2, () => [["PEXPIRETIME", key(random)], near(20_000)]],
    [2, () => [["DEL", key(random)]]],
    [6, () => lcsStep(random)],
  ]); // prettier-ignore
  return { args: mangle(random, args), ...(compare === undefined ? {} : { compare }) };
}
