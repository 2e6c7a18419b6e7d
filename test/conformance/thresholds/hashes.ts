// Hashes around their thresholds: entries and lengths of a listpack, bytes of an entry, integers, doublings of the table.
import type { Random } from "../../support/random.ts";
import type { Args, Scene, Walk } from "./script.ts";
import { around, integer, lengthOf, textOf } from "../harness/sizes.ts";

const ENTRIES = ["0", "1", "2", "3", "8", "16", "128", "128", "512", "100000"] as const;
const VALUES = ["0", "1", "16", "64", "64", "255", "300", "4096", "100000"] as const;

/** A field: mostly one of a few, so that commands meet them. */
const field = (random: Random, i: number): string =>
  random.weighted([
    [8, () => `f${i}`],
    [1, () => String(i)],
    [1, () => textOf(random, lengthOf(random, 300))],
  ]);

const content = (random: Random): string =>
  random.weighted([
    [4, () => integer(random)],
    [4, () => textOf(random, random.between(0, 20))],
    [3, () => textOf(random, random.pick([15, 16, 17, 63, 64, 65, 66, 254, 255, 256, 299, 300, 301]))],
    [1, () => textOf(random, lengthOf(random, 5000))],
  ]);

const numeric = (random: Random): string => (random.chance(0.7) ? integer(random) : "1.5");

function pairsOf(random: Random, count: number): readonly (readonly [string, string])[] {
  const style = random.below(4);
  const big = random.below(count + 1);
  return Array.from({ length: count }, (_, i) => {
    if (style === 0) return [`f${i}`, `v${i}`];
    if (style === 1) return [`f${i}`, i === big ? content(random) : integer(random)];
    if (style === 2) return [`f${i}`, textOf(random, random.pick([63, 64, 64]))];
    return [field(random, i), content(random)];
  });
}

/** All at once, one by one, or with more that goes again. */
function builds(random: Random, key: string, pairs: readonly (readonly [string, string])[]): Args[] {
  if (pairs.length === 0) return [];
  const all = pairs.flat();
  return random.weighted<Args[]>([
    [4, () => [["HSET", key, ...all]]],
    [2, () => (pairs.length > 64 ? [["HMSET", key, ...all]] : pairs.map((pair) => ["HSET", key, ...pair]))],
    [
      2,
      () => [
        ["HSET", key, "gone", content(random), ...all, "gone2", "x"],
        ["HDEL", key, "gone", "gone2"],
      ],
    ],
  ]);
}

const known = (random: Random, { parts }: Scene): string =>
  random.chance(0.3) || parts.length === 0
    ? random.pick(["new", "f0", textOf(random, lengthOf(random, 300))])
    : random.pick(parts);

const several = (random: Random, scene: Scene): string[] =>
  Array.from({ length: random.pick([1, 1, 2, 3]) }, () => known(random, scene));

const some = (random: Random, scene: Scene): string[] =>
  several(random, scene).flatMap((name) => [name, content(random)]);

export const hashes: Walk = {
  name: "a hash",
  sizes: [1, 1, 1, ...around(2, 3, 8, 16, 32, 64, 108, 128)],
  rareSizes: [...around(256, 512), 300],
  settings: (random) => ({
    "hash-max-listpack-entries": random.pick(ENTRIES),
    "hash-max-listpack-value": random.pick(VALUES),
  }),
  scene: (random, size, key, other) => {
    const pairs = pairsOf(random, size);
    return { key, other, size, parts: pairs.map(([name]) => name), build: builds(random, key, pairs) };
  },
  commands: {
    hset: (random, scene) => ["HSET", scene.key, ...some(random, scene)],
    hmset: (random, scene) => ["HMSET", scene.key, ...some(random, scene)],
    hsetnx: (random, scene) => ["HSETNX", scene.key, known(random, scene), content(random)],
    hdel: (random, scene) => ["HDEL", scene.key, ...(random.chance(0.1) ? scene.parts : several(random, scene)), "none"],
    hincrby: (random, scene) => ["HINCRBY", scene.key, known(random, scene), integer(random)],
    hincrbyfloat: (random, scene) => ["HINCRBYFLOAT", scene.key, known(random, scene), numeric(random)],
  },
  looks: (random, scene) => [
    ["HLEN", scene.key],
    ["HGET", scene.key, known(random, scene)],
    ["HSTRLEN", scene.key, known(random, scene)],
  ],
}; // prettier-ignore
