// Sorted sets: every command with every option, on few keys and few members, with limits of the small encoding so low that
// sorted sets outgrow it all the time.
import type { Random } from "../support/random.ts";
import { plain, type Argument, type Reply } from "../support/resp.ts";
import { sameBytes, sameShape } from "./harness/compare.ts";
import { lengthOf, textOf } from "./harness/sizes.ts";
import type { Compare, Step } from "./harness/step.ts";
import { integer, key as anyKey, mangle, mixCase } from "./harness/values.ts";

type Draw = readonly [args: readonly Argument[], compare?: Compare];

/** Keys that share a slot, so that commands of several keys do not fail for that. */
const ownKey = (random: Random): string => `{z}${random.below(6)}`;
const key = (random: Random): Argument => (random.chance(0.9) ? ownKey(random) : anyKey(random));
/** Keys of members with one score; of mixed ones, ranges of members are not defined. */
const lexKey = (random: Random): string => `{z}lex${random.below(3)}`;

function member(random: Random): string | Buffer {
  return random.weighted<string | Buffer>([
    [50, () => `m${random.below(14)}`],
    [15, () => String(random.between(-3, 300))],
    [5, () => integer(random)],
    [4, () => `member:${random.below(1000)}`],
    [
      3,
      () =>
        random.pick(["", "a", "ab", "abc", "b", "ba", "a\0", "a\0b", "abcdefgh", "abcdefghi", "abcdefgi"]),
    ],
    [3, () => Buffer.from([random.pick([0, 127, 128, 255]), random.below(256)])],
    [1, () => "m".repeat(random.pick([63, 64, 65, 254, 255, 256, 5000]))],
    [1, () => textOf(random, lengthOf(random))],
  ]);
}

const asBytes = (text: string | Buffer): Buffer => (typeof text === "string" ? Buffer.from(text) : text);

const SCORE_EDGES = [
  "0", "-0", "+5", "1e17", "-1e17", "99999999999999984", "4503599627370496", "9007199254740993", "4611686018427387904",
  "4611686018427387905", "-4611686018427387904", "9223372036854775807", "18446744073709551616", "1e300", "1e-300",
  "4.9406564584124654e-324", "1.7976931348623157e308", "inf", "-inf", "+Infinity", "0x1p-3", "0.1", "0.30000000000000004",
  "3.14159265358979323846264338327950288", "1e400", "1e-400", "nan", "", " 1", "1 ", "abc", ".", "5.", "1e",
] as const; // prettier-ignore

function score(random: Random): string {
  return random.weighted([
    [8, () => String(random.between(-5, 5))],
    [2, () => String(random.between(-1e6, 1e6))],
    [3, () => (random.unit() * 10 ** random.between(-8, 20)).toString()],
    [1, () => random.pick(SCORE_EDGES)],
  ]);
}

const scored = (random: Random): Argument[] =>
  Array.from({ length: random.pick([1, 1, 1, 2, 3, 5]) }, () => [score(random), member(random)]).flat();

/** About as many members as a small sorted set has at most, or a leaf of the tree of a big one. */
const many = (random: Random): Argument[] =>
  Array.from({ length: random.pick([7, 8, 9, 61, 62, 63, 127, 128, 129]) }, (_, i) => [
    score(random),
    `m${i}`,
  ]).flat();

const members = (random: Random): Argument[] =>
  Array.from({ length: random.between(1, 4) }, () => member(random));

const addOptions = (random: Random): Argument[] =>
  random.weighted<Argument[]>([
    [6, () => []],
    [3, () => [mixCase(random, random.pick(["nx", "xx", "gt", "lt", "ch", "incr"]))]],
    [2, () => Array.from({ length: random.between(2, 4) }, () => random.pick(["NX", "XX", "GT", "LT", "CH", "INCR"]))],
  ]); // prettier-ignore

function add(random: Random): Draw {
  const options = addOptions(random);
  const isIncrement = options.some((option) => String(option).toLowerCase() === "incr");
  return [["ZADD", key(random), ...options, ...(isIncrement && random.chance(0.9) ? [score(random), member(random)] : scored(random))]]; // prettier-ignore
}

const bound = (random: Random): string =>
  random.weighted([
    [6, () => `${random.pick(["", "", "("])}${score(random)}`],
    [3, () => random.pick(["-inf", "+inf", "(-inf", "(inf"])],
    [1, () => random.pick(["(", "((1", "1\0x", "[1", "-", "+", " 2", "( 2"])],
  ]);

const lexBound = (random: Random): Argument =>
  random.weighted<Argument>([
    [4, () => Buffer.concat([Buffer.from(random.pick(["[", "("])), asBytes(member(random))])],
    [2, () => "-"],
    [2, () => "+"],
    [0.3, () => random.pick(["", "a", "[", "(", "-a", "+a", "-\0", "+\0b"])],
  ]);

const rank = (random: Random): string =>
  random.weighted([
    [8, () => String(random.between(-12, 12))],
    [2, () => random.pick(["0", "-1"])],
    [0.5, () => integer(random)],
  ]);

const LIMITS = [
  "0",
  "1",
  "2",
  "5",
  "100",
  "-1",
  "-2",
  "9223372036854775807",
  "x",
  "9223372036854775808",
] as const;
const limit = (random: Random): Argument[] =>
  random.chance(0.4) ? [mixCase(random, "limit"), random.pick(LIMITS), random.pick(LIMITS)] : [];
const withScores = (random: Random): Argument[] =>
  random.chance(0.5) ? [mixCase(random, "withscores")] : [];

/** The ends of a range as `kind` has them. */
function ends(random: Random, kind: string): Argument[] {
  const end = kind === "byscore" ? bound : kind === "bylex" ? lexBound : rank;
  return [end(random), end(random)];
}

function anyRange(random: Random, isShown: boolean): Argument[] {
  const kind = random.pick(["rank", "byscore", "bylex"]);
  const name = kind === "bylex" ? lexKey(random) : key(random);
  const options = [
    ...(kind === "rank" ? [] : [mixCase(random, kind)]),
    ...(random.chance(0.4) ? [mixCase(random, "rev")] : []),
    ...(random.chance(0.05) ? [random.pick(["REV", "BYSCORE", "BYLEX", "WITHSCORES", "LIMIT"])] : []),
  ];
  const limits = kind !== "rank" || random.chance(0.05) ? limit(random) : [];
  const scores = isShown && (kind !== "bylex" || random.chance(0.1)) ? withScores(random) : [];
  return [name, ...ends(random, kind), ...random.shuffle([options, limits, scores]).flat()];
}

const COUNTS = [
  "0", "1", "2", "3", "5", "12", "100", "-1", "-2", "-7", "-40", "9223372036854775807", "4611686018427387903",
  "4611686018427387904", "-9223372036854775808", "9223372036854775808", "abc", "", "1.5", "-0",
] as const; // prettier-ignore

function drawMembers(random: Random): Draw {
  const rest = random.weighted<readonly Argument[]>([
    [3, () => []],
    [4, () => [random.pick(COUNTS)]],
    [5, () => [random.pick(COUNTS), mixCase(random, "withscores")]],
    [1, () => [random.pick(COUNTS), random.pick(["WITHVALUES", ""])]],
    [1, () => [random.pick(COUNTS), "WITHSCORES", "x"]],
  ]);
  return [["ZRANDMEMBER", key(random), ...rest], sameShape];
}

function popSeveral(random: Random): Draw {
  const keys = Array.from({ length: random.between(1, 3) }, () => ownKey(random));
  const numkeys = random.chance(0.95)
    ? String(keys.length)
    : random.pick(["0", "-1", "x", "4", "9223372036854775807"]);
  const count = random.chance(0.5) ? ["COUNT", random.pick(COUNTS)] : [];
  return [["ZMPOP", numkeys, ...keys, mixCase(random, random.pick(["min", "max"])), ...count]];
}

/** One of the sorted sets, or a plain set. */
const input = (random: Random): string => (random.chance(0.8) ? ownKey(random) : `{z}set${random.below(3)}`);

function combine(random: Random): Draw {
  const operation = random.pick(["ZUNION", "ZINTER", "ZDIFF"]);
  const inputs = Array.from({ length: random.pick([1, 2, 2, 2, 3, 4]) }, () => input(random));
  const isStored = random.chance(0.5);
  const numkeys = random.chance(0.95)
    ? String(inputs.length)
    : random.pick(["0", "-1", "x", "5", "9223372036854775807"]);
  const options = [
    ...(operation !== "ZDIFF" && random.chance(0.4) ? [[mixCase(random, "weights"), ...inputs.map(() => score(random))]] : []),
    ...(operation !== "ZDIFF" && random.chance(0.4) ? [[mixCase(random, "aggregate"), mixCase(random, random.pick(["sum", "min", "max", "max", "avg"]))]] : []),
    ...(!isStored && random.chance(0.5) ? [[mixCase(random, "withscores")]] : []),
    ...(random.chance(0.04) ? [[random.pick(["WEIGHTS", "AGGREGATE", "WITHSCORES", "LIMIT"])]] : []),
  ]; // prettier-ignore
  const rest = [numkeys, ...inputs, ...random.shuffle(options).flat()];
  return [isStored ? [`${operation}STORE`, ownKey(random), ...rest] : [operation, ...rest]];
}

function intersectionSize(random: Random): Draw {
  const inputs = Array.from({ length: random.between(1, 3) }, () => input(random));
  const options = random.chance(0.4) ? [mixCase(random, "limit"), random.pick(COUNTS)] : [];
  return [["ZINTERCARD", String(inputs.length), ...inputs, ...options]];
}

/** All that a whole ZSCAN shows, or its first reply where that is the end or an error. */
const scanned: Compare = (theirs, ours) => {
  const [a, b] = [shownBy(theirs), shownBy(ours)];
  if (a === undefined || b === undefined) return sameBytes(theirs, ours);
  return a === b ? undefined : "it shows something else";
};

/** The cursor, then pairs in order; undefined = this is no reply of a scan. */
function shownBy({ value }: Reply): string | undefined {
  if (value.kind !== "array" || value.items.length !== 2) return undefined;
  const [cursor, elements] = value.items.map((item) => plain(item));
  if (!Array.isArray(elements)) return undefined;
  const pairs = elements.flatMap((name, i) => (i % 2 === 0 ? [JSON.stringify([name, elements[i + 1]])] : []));
  return `${JSON.stringify(cursor)} ${pairs.toSorted().join(" ")}`;
}

function scan(random: Random): Draw {
  const options = [
    ...(random.chance(0.9) ? [mixCase(random, "count"), "1000000"] : []),
    ...(random.chance(0.4)
      ? [mixCase(random, "match"), random.pick(["*", "m*", "[a-m]?", "*1*", "", "nothing"])]
      : []),
    ...(random.chance(0.05)
      ? [random.pick(["COUNT", "MATCH", "NOVALUES"]), ...random.pick([["0"], ["x"], []])]
      : []),
  ];
  const cursor = random.chance(0.95) ? "0" : random.pick(["x", "18446744073709551616", "", " 0", "0x"]);
  // Tables differ in how much they show at once, unless that is everything.
  return options.length === 0 || !String(options[0]).toLowerCase().startsWith("c")
    ? [["ZSCAN", key(random), "x"], scanned]
    : [["ZSCAN", key(random), cursor, ...options], scanned];
}

const nearly = (random: Random, few: readonly string[], step: () => Draw): Draw => {
  const [args, compare] = step();
  return random.chance(0.05) ? [[...args, random.pick(few)]] : compare === undefined ? [args] : [args, compare];
}; // prettier-ignore

export function sortedSetStep(random: Random): Step {
  const [args, compare] = random.weighted<Draw>([
    [20, () => add(random)],
    [0.5, () => [["ZADD", key(random), ...many(random)]]],
    [6, () => [["ZINCRBY", key(random), score(random), member(random)]]],
    [10, () => [["ZREM", key(random), ...members(random)]]],
    [6, () => [["ZSCORE", key(random), member(random)]]],
    [3, () => [["ZMSCORE", key(random), ...members(random)]]],
    [3, () => [["ZCARD", key(random)]]],
    [5, () => [[random.pick(["ZRANK", "ZREVRANK"]), key(random), member(random)]]],
    [5, () => [["ZCOUNT", key(random), bound(random), bound(random)]]],
    [5, () => [["ZLEXCOUNT", lexKey(random), lexBound(random), lexBound(random)]]],
    [14, () => [["ZRANGE", ...anyRange(random, true)]]],
    [5, () => [["ZREVRANGE", key(random), rank(random), rank(random), ...withScores(random)]]],
    [6, () => [[random.pick(["ZRANGEBYSCORE", "ZREVRANGEBYSCORE"]), key(random), bound(random), bound(random), ...withScores(random), ...limit(random)]]],
    [6, () => [[random.pick(["ZRANGEBYLEX", "ZREVRANGEBYLEX"]), lexKey(random), lexBound(random), lexBound(random), ...limit(random)]]],
    [6, () => [["ZRANGESTORE", ownKey(random), ...anyRange(random, false)]]],
    [2, () => [["ZREMRANGEBYRANK", key(random), rank(random), rank(random)]]],
    [2, () => [["ZREMRANGEBYSCORE", key(random), bound(random), bound(random)]]],
    [2, () => [["ZREMRANGEBYLEX", lexKey(random), lexBound(random), lexBound(random)]]],
    [6, () => nearly(random, ["x", "1"], () => [[random.pick(["ZPOPMIN", "ZPOPMAX"]), key(random), ...(random.chance(0.5) ? [random.pick(COUNTS)] : [])]])],
    [3, () => popSeveral(random)],
    [5, () => drawMembers(random)],
    [12, () => combine(random)],
    [4, () => intersectionSize(random)],
    [5, () => scan(random)],
    [3, () => [["SADD", `{z}set${random.below(3)}`, ...members(random)]]],
    [0.5, () => [["DEL", `{z}set${random.below(3)}`]]],
    [6, () => [["OBJECT", "ENCODING", key(random)]]],
    [2, () => [["TYPE", key(random)]]],
    [2, () => [["DEL", key(random)]]],
    [1, () => [["SET", key(random), score(random)]]],
    [0.5, () => [["SET", lexKey(random), score(random)]]],
    [1, () => [["EXPIRE", key(random), "100000"]]],
    [1, () => [["PERSIST", key(random)]]],
    [1.5, () => [["CONFIG", "SET", random.pick(["zset-max-listpack-entries", "zset-max-ziplist-entries"]), random.pick(["0", "1", "3", "8", "8", "16", "128"])]]],
    [1, () => [["CONFIG", "SET", random.pick(["zset-max-listpack-value", "zset-max-ziplist-value"]), random.pick(["0", "3", "16", "64", "64", "300"])]]],
    [8, () => [["ZADD", lexKey(random), ...members(random).flatMap((name) => ["0", name])]]],
  ]); // prettier-ignore
  // Members of one score stay so, and scans begin where they can be compared.
  const isKept = args[0] === "CONFIG" || (args[0] === "ZADD" && String(args[1]).startsWith("{z}lex"));
  if (isKept || compare === scanned) return { args, ...(compare === undefined ? {} : { compare }) };
  const mangled = mangle(random, args);
  return { args: isDefined(mangled) ? mangled : args, ...(compare === undefined ? {} : { compare }) };
}

/** Whether a request, if it is for a range of members, is for one of a key whose members have one score. */
function isDefined(args: readonly Argument[]): boolean {
  const words = args.map((arg) => String(arg).toLowerCase());
  if (!words[0]?.includes("lex") && !words.includes("bylex")) return true;
  return words[words[0] === "zrangestore" ? 2 : 1]?.startsWith("{z}lex") ?? true;
}
