// Sorted sets around their thresholds: entries and lengths of a listpack, bytes of an entry, scores as integers and as
// text, nodes of the tree, doublings of the table.
import type { Random } from "../../support/random.ts";
import type { Args, Scene, Walk } from "./script.ts";
import { around, integer, lengthOf, textOf } from "../harness/sizes.ts";

const ENTRIES = ["0", "1", "2", "3", "8", "16", "62", "128", "128", "512", "100000"] as const;
const VALUES = ["0", "1", "16", "64", "64", "255", "300", "100000"] as const;

const SCORES = ["0", "-0", "1.5", "0.1", "inf", "-inf", "1e17", "1e16", "-1e17", "4503599627370496", "9007199254740993", "1e-7", "1e300", "3.0", "99999999999999990"] as const; // prettier-ignore

/** Sorted sets whose members have one score and keep it: of others, ranges of members are not defined. */
const lexical = new WeakSet<Scene>();

const scoreIn = (random: Random, scene: Scene): string => (lexical.has(scene) ? "0" : score(random));

const score = (random: Random): string =>
  random.weighted([
    [5, () => String(random.between(-20, 20))],
    [2, () => random.pick(SCORES)],
    [1, () => integer(random)],
    [1, () => String(random.unit() * 1000)],
  ]);

const member = (random: Random): string =>
  random.weighted([
    [3, () => `m${random.below(80)}`],
    [2, () => integer(random)],
    [3, () => textOf(random, random.pick([0, 1, 15, 16, 17, 63, 64, 65, 254, 255, 256, 299, 300, 301]))],
    [1, () => textOf(random, lengthOf(random, 5000))],
  ]);

const STYLES = 5;
const ONE_SCORE = 1;

/** Scores and members: rising, equal, or in any order. */
function cellsOf(
  random: Random,
  count: number,
  style: number,
): readonly (readonly [score: string, member: string])[] {
  return Array.from({ length: count }, (_, i) => {
    if (style === 0) return [String(i), `m${i}`];
    if (style === ONE_SCORE) return ["0", `m${i}`];
    if (style === 2) return [score(random), `m${i}`];
    if (style === 3) return [score(random), textOf(random, 64)];
    return [score(random), random.chance(0.8) ? `m${i}` : member(random)];
  });
}

function builds(random: Random, key: string, cells: readonly (readonly [string, string])[]): Args[] {
  if (cells.length === 0) return [];
  const shuffled = random.shuffle(cells);
  return random.weighted<Args[]>([
    [4, () => [["ZADD", key, ...cells.flat()]]],
    [2, () => [["ZADD", key, ...shuffled.flat()]]],
    [2, () => (cells.length > 64 ? [["ZADD", key, ...cells.toReversed().flat()]] : shuffled.map((cell) => ["ZADD", key, ...cell]))],
    [2, () => [["ZADD", key, "3", "gone", ...shuffled.flat(), "-5", "gone2"], ["ZREM", key, "gone", "gone2"]]],
  ]); // prettier-ignore
}

const known = (random: Random, { parts }: Scene): string =>
  parts.length === 0 || random.chance(0.4) ? member(random) : random.pick(parts);

const several = (random: Random, scene: Scene): string[] =>
  Array.from({ length: random.pick([1, 1, 2, 3, 8]) }, () => known(random, scene));

const rank = (random: Random, { size }: Scene): number =>
  random.pick([0, 1, 2, -1, -2, size >> 1, size - 1, size, -size, 61, 62, 63]);

const bound = (random: Random): string =>
  `${random.pick(["", "", "("])}${random.chance(0.3) ? random.pick(["-inf", "+inf"]) : random.between(-25, 200)}`;

const lexBound = (random: Random, scene: Scene): string =>
  random.chance(0.4) || !lexical.has(scene)
    ? random.pick(["-", "+"])
    : random.pick(["[", "("]) + known(random, scene);

const inputs = (random: Random, { key, other }: Scene): (string | number)[] =>
  random.pick([[2, key, other], [2, other, key], [1, key], [2, key, key], [2, key, "none"], [3, "none", key, other]]); // prettier-ignore

const popCount = (random: Random, { size }: Scene): number =>
  random.pick([1, 2, Math.max(1, size - 1), size, size + 1, 61, 62, 63]);

const target = (random: Random, scene: Scene): string =>
  lexical.has(scene) || random.chance(0.6) ? scene.other : scene.key;

const combined = (name: string) => (random: Random, scene: Scene): Args => {
  const sources = inputs(random, scene);
  const weights = name === "ZDIFFSTORE" || random.chance(0.6) ? [] : ["WEIGHTS", ...sources.slice(1).map(() => random.pick(["1", "0", "-1", "2.5", "1e300"]))]; // prettier-ignore
  const aggregate = name === "ZDIFFSTORE" || random.chance(0.6) ? [] : ["AGGREGATE", random.pick(["SUM", "MIN", "MAX"])];
  return [name, target(random, scene), ...sources, ...weights, ...aggregate];
}; // prettier-ignore

const pop = (name: string) => (random: Random, scene: Scene): Args => [name, scene.key, ...(random.chance(0.4) ? [] : [popCount(random, scene)])]; // prettier-ignore

export const sortedSets: Walk = {
  name: "a sorted set",
  sizes: [1, 1, 1, ...around(2, 3, 8, 16, 31, 54, 62, 64, 108, 116, 124, 128)],
  rareSizes: [...around(170, 186, 256, 512), 1550, 3100],
  settings: (random) => ({
    "zset-max-listpack-entries": random.pick(ENTRIES),
    "zset-max-listpack-value": random.pick(VALUES),
  }),
  scene: (random, size, key, other) => {
    const style = random.below(STYLES);
    const cells = cellsOf(random, size, style);
    const second = random.chance(0.7) ? cellsOf(random, random.pick([1, 2, 8, 62, 64, 128, 129]), random.below(STYLES)) : [];
    const scene = { key, other, size, parts: cells.map(([, name]) => name), build: [...builds(random, key, cells), ...builds(random, other, second)] };
    if (style === ONE_SCORE) lexical.add(scene);
    return scene;
  },
  commands: {
    zadd: (random, scene) => ["ZADD", scene.key, ...random.pick([[], [], ["NX"], ["XX"], ["GT"], ["LT"], ["CH"]]), ...several(random, scene).flatMap((name) => [scoreIn(random, scene), name])],
    zincrby: (random, scene) => ["ZINCRBY", scene.key, scoreIn(random, scene), known(random, scene)],
    zrem: (random, scene) => ["ZREM", scene.key, ...(random.chance(0.1) ? scene.parts : several(random, scene))],
    zpopmin: pop("ZPOPMIN"),
    zpopmax: pop("ZPOPMAX"),
    zmpop: (random, scene) => ["ZMPOP", 2, "none", scene.key, random.pick(["MIN", "MAX"]), "COUNT", popCount(random, scene)],
    bzpopmin: (_, scene) => ["BZPOPMIN", "none", scene.key, 1],
    bzpopmax: (_, scene) => ["BZPOPMAX", scene.key, 1],
    bzmpop: (random, scene) => ["BZMPOP", 1, 2, "none", scene.key, random.pick(["MIN", "MAX"]), "COUNT", popCount(random, scene)],
    zremrangebyrank: (random, scene) => ["ZREMRANGEBYRANK", scene.key, rank(random, scene), rank(random, scene)],
    zremrangebyscore: (random, scene) => ["ZREMRANGEBYSCORE", scene.key, bound(random), bound(random)],
    zremrangebylex: (random, scene) => ["ZREMRANGEBYLEX", scene.key, lexBound(random, scene), lexBound(random, scene)],
    zrangestore: (random, scene) => ["ZRANGESTORE", target(random, scene), scene.key, ...random.weighted<Args>([
      [2, () => [rank(random, scene), rank(random, scene), ...random.pick([[], ["REV"]])]],
      [1, () => [bound(random), bound(random), "BYSCORE", ...random.pick([[], ["LIMIT", 1, 62]])]],
      [1, () => [lexBound(random, scene), lexBound(random, scene), "BYLEX"]],
    ])],
    zunionstore: combined("ZUNIONSTORE"),
    zinterstore: combined("ZINTERSTORE"),
    zdiffstore: combined("ZDIFFSTORE"),
  },
  looks: (random, scene) => [
    ["ZCARD", scene.key],
    ["ZRANK", scene.key, known(random, scene)],
    ["ZSCORE", scene.key, known(random, scene)],
    ["ZRANGE", scene.key, ...random.pick([[0, 2], [-3, -1], [60, 64], [0, -1]]), "WITHSCORES"],
    ["ZCOUNT", scene.key, bound(random), bound(random)],
    ["ZLEXCOUNT", scene.key, lexBound(random, scene), lexBound(random, scene)],
    random.chance(0.5)
      ? ["ZRANGEBYLEX", scene.key, lexBound(random, scene), lexBound(random, scene), "LIMIT", 0, 5]
      : ["ZREVRANGEBYLEX", scene.key, lexBound(random, scene), lexBound(random, scene), "LIMIT", 0, 5],
  ],
}; // prettier-ignore
