// SORT and SORT_RO over lists, sets and sorted sets, with every option, and weights in strings and hashes that are there,
// missing, or of another type.
//
// Left out, because redis-server goes wrong: numbers out of range. It remembers their error, and refuses numbers in later
// requests.
import type { Random } from "../support/random.ts";
import type { Argument } from "../support/resp.ts";
import { sameCount } from "./harness/compare.ts";
import type { Compare, Mode, Step } from "./harness/step.ts";
import { float, integer, mangle, mixCase } from "./harness/values.ts";

type Draw = readonly [args: readonly Argument[], compare?: Compare];

/** `l` lists, `s` sets, `z` sorted sets, `d` lists that were stored: of one slot, for STORE. */
const key = (random: Random, kinds = "lsz"): string => `{t}${random.pick([...kinds])}${random.below(3)}`;

/** Mostly numbers: one that is none makes a whole collection unsortable by numbers. */
function element(random: Random): Argument {
  return random.weighted<Argument>([
    [20, () => String(random.between(-20, 20))],
    [6, () => (random.unit() * 100).toFixed(random.below(4))],
    [1, () => random.pick(["1e3", "-0", "0x10", "inf", "-Infinity", " 7", "1e-5", "00012", "+5"])],
    [0.3, () => random.pick(["", "abc", "Zeta", "7 ", "nan", "0x", "é"])],
  ]);
}

const WORDS = ["x", "w", "Word", "word", "", "10", "9", "ä"] as const;

/** Weights under w_N, words under a_N, hashes under h_N; some of them of the wrong type. */
function weight(random: Random): Draw {
  const n = random.between(-20, 20);
  return random.weighted<Draw>([
    [6, () => [["SET", `w_${n}`, random.chance(0.97) ? integerOrFloat(random) : "nonsense"]]],
    [4, () => [["SET", `a_${n}`, random.pick(WORDS)]]],
    [4, () => [["HSET", `h_${n}`, "f", integerOrFloat(random), "g", random.pick(WORDS)]]],
    [1, () => [["DEL", random.pick([`w_${n}`, `a_${n}`, `h_${n}`])]]],
    [0.5, () => [["RPUSH", `w_${n}`, "x"]]],
  ]);
}

const integerOrFloat = (random: Random): string =>
  random.chance(0.8) ? String(random.between(-100, 100)) : (random.unit() * 10).toFixed(3);

function limit(random: Random): readonly Argument[] {
  return random.weighted<readonly Argument[]>([
    [6, () => []],
    [4, () => [mixCase(random, "limit"), random.between(-2, 10), random.between(-2, 10)]],
    [1, () => ["LIMIT", integer(random), integer(random)]],
    [0.3, () => random.pick([["LIMIT"], ["LIMIT", "1"], ["LIMIT", "1", "2", "LIMIT", "0", "1"]])],
  ]);
}

const PATTERNS = [
  "w_*",
  "a_*",
  "h_*->f",
  "h_*->g",
  "h_*->nosuch",
  "h_*->",
  "no_*",
  "nostar",
  "#",
  "*",
  "w_*->f",
  "",
  "*->*",
];

function gets(random: Random): Argument[] {
  const count = random.pick([0, 0, 0, 1, 1, 2, 3]);
  return Array.from({ length: count }, () => [mixCase(random, "get"), random.pick(PATTERNS)]).flat();
}

/** What makes the order plain: numbers, or words among which none are alike. */
function order(random: Random): readonly Argument[] {
  const direction = random.pick([[], [], ["DESC"], ["asc"], ["DESC", "ASC", "desc"]]);
  const by = random.weighted<readonly Argument[]>([
    [5, () => []],
    [2, () => ["ALPHA"]],
    [3, () => ["BY", random.pick(["w_*", "h_*->f", "no_*", "h_*", "h_*->g"])]],
  ]);
  return random.shuffle([by, direction]).flat();
}

/** Lists and sorted sets in their own order; what a set shows first is its own affair. */
function unsorted(random: Random): Draw {
  const by = ["BY", random.pick(["nosort", "", "w"])];
  const direction = random.pick([[], ["DESC"]]);
  if (random.chance(0.7))
    return [["SORT", key(random, "lz"), ...by, ...direction, ...limit(random), ...gets(random)]];
  return [["SORT", key(random, "s"), ...by, ...direction]];
}

function sortStep(random: Random): Draw {
  const command = random.pick(["SORT", "SORT", "SORT_RO"]);
  const store = random.chance(0.3) ? [mixCase(random, "store"), key(random, "dddl")] : [];
  return random.weighted<Draw>([
    [10, () => [[command, key(random), ...order(random), ...limit(random), ...gets(random), ...store]]],
    [4, () => unsorted(random)],
    // Weights alike leave the order open: in lists it stays as it was, when all are shown.
    [2, () => [[command, key(random, "l"), "BY", "a_*", "ALPHA", ...random.pick([[], ["DESC"]])]]],
    [1, () => [["SORT", key(random), "BY", "nosort", "STORE", key(random, "d")]]],
    [1, () => [[command, random.pick(["w_1", "h_1", "nosuch", "{t}none"]), ...order(random), ...store]]],
    [
      0.5,
      () => [
        [
          command,
          key(random),
          ...random.pick([["BY"], ["GET"], ["STORE"], ["nosuch"], ["BY", "w_*", "GET"]]),
        ],
      ],
    ],
  ]);
}

/** What comes out of a set first, when nothing sorts it, is each server's own affair. */
function showsSetUnsorted(args: readonly Argument[]): boolean {
  const words = args.map(String);
  const isOf = (i: number): boolean =>
    words[i]?.toUpperCase() === "BY" && words[i + 1]?.includes("*") === false;
  return words.some((word, i) => i === 1 && word.startsWith("{t}s")) && words.some((_, i) => isOf(i));
}

export function sortingStep(random: Random, mode: Mode): Step {
  const [args, compare] = random.weighted<Draw>([
    [4, () => [["RPUSH", key(random, "l"), ...Array.from({ length: random.between(1, 5) }, () => element(random))]]],
    [4, () => [["SADD", key(random, "s"), ...Array.from({ length: random.between(1, 5) }, () => element(random))]]],
    [4, () => [["ZADD", key(random, "z"), random.between(-10, 10), element(random)]]],
    [3, () => [["DEL", key(random, "lszd")]]],
    [1, () => [["EXPIRE", key(random, "d"), "100000"]]],
    [0.3, () => [["SET", key(random, "d"), float(random)]]],
    [mode === "alone" ? 8 : 0, () => weight(random)],
    [3, () => [["LRANGE", key(random, "d"), 0, -1]]],
    [1, () => [["TYPE", key(random, "d")]]],
    [1, () => [["PERSIST", key(random, "d")]]],
    [2, () => [["OBJECT", "ENCODING", key(random, "dlsz")]]],
    [20, () => sortStep(random)],
  ]); // prettier-ignore
  // A set under another name would not be known for one.
  const sent = args[0] === "SADD" ? [...args] : mangle(random, args);
  if (showsSetUnsorted(sent)) return { args: sent, compare: sameCount };
  return { args: sent, ...(compare === undefined ? {} : { compare }) };
}
