// Sets around their thresholds: widths and entries of an intset, bytes of an entry, doublings of the table.
import type { Random } from "../../support/random.ts";
import { sameShape } from "../harness/compare.ts";
import type { Args, Drawn, Scene, Walk } from "./script.ts";
import { around, integer, lengthOf, textOf } from "../harness/sizes.ts";

const ENTRIES = ["0", "1", "2", "3", "8", "64", "128", "512", "512", "100000"] as const;

const EDGES = [32767, 32768, -32768, -32769, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 40].map(
  String,
);
const WIDEST = ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809", "+1", "-0", "01", ""] as const; // prettier-ignore

const member = (random: Random): string =>
  random.weighted([
    [4, () => String(random.between(-700, 700))],
    [3, () => random.pick(EDGES)],
    [1, () => random.pick(WIDEST)],
    [1, () => integer(random)],
    [3, () => textOf(random, lengthOf(random, 300))],
  ]);

function membersOf(random: Random, count: number): string[] {
  const style = random.below(6);
  const base = random.pick([
    0,
    -count >> 1,
    32767 - (count >> 1),
    2 ** 31 - (count >> 1),
    -(2 ** 31) - (count >> 1),
  ]);
  const members = Array.from({ length: count }, (_, i) => {
    if (style === 0) return `m${i}`;
    return style === 1 && i === count >> 1 ? member(random) : String(base + i);
  });
  if (style === 2) members[random.below(count)] = random.pick(EDGES);
  if (style === 3) members[random.below(count)] = "text";
  if (style === 4) return members.map((one, i) => (i % 7 === 0 ? member(random) : one));
  return members;
}

function builds(random: Random, key: string, members: readonly string[]): Args[] {
  if (members.length === 0) return [];
  const shuffled = random.shuffle(members);
  return random.weighted<Args[]>([
    [4, () => [["SADD", key, ...members]]],
    [2, () => [["SADD", key, ...shuffled]]],
    [2, () => (members.length > 64 ? [["SADD", key, ...shuffled]] : shuffled.map((one) => ["SADD", key, one]))],
    [2, () => [["SADD", key, ...shuffled, "99999999999", "88888"], ["SREM", key, "99999999999", "88888"]]],
    [1, () => [["SADD", key, "one", ...members], ["SREM", key, "one"]]],
  ]); // prettier-ignore
}

const known = (random: Random, { parts }: Scene): string =>
  parts.length === 0 || random.chance(0.4) ? member(random) : random.pick(parts);

const several = (random: Random, scene: Scene): string[] =>
  Array.from({ length: random.pick([1, 1, 2, 3, 8]) }, () => known(random, scene));

/** Two or three sets, each of which may be the same or missing. */
const inputs = (random: Random, { key, other }: Scene): string[] =>
  random.pick([[key, other], [other, key], [key], [key, key], [key, "none"], ["none", key], [other, "none", key]]); // prettier-ignore

const store = (name: string) => (random: Random, scene: Scene): Args => [name, random.pick([scene.key, scene.other]), ...inputs(random, scene)]; // prettier-ignore

/** Which members stay is chance, and with them what the encoding is. */
function pop(random: Random, { key, size }: Scene): Drawn {
  const count = random.pick([[], [1], [size - 1], [size >> 1], [size], [size + 100], [6], [2]]);
  return { args: ["SPOP", key, ...count], compare: sameShape, looks: [["SCARD", key]] };
}

export const sets: Walk = {
  name: "a set",
  sizes: [1, 1, 1, ...around(2, 3, 8, 16, 32, 64, 108, 128)],
  rareSizes: [...around(256, 512), 2000],
  settings: (random) => ({ "set-max-intset-entries": random.pick(ENTRIES) }),
  scene: (random, size, key, other) => {
    const parts = membersOf(random, size);
    const second = random.chance(0.7) ? [...membersOf(random, random.pick([1, 2, 8, 64])), ...(random.chance(0.5) ? [random.pick(parts)] : [])] : [];
    return { key, other, size, parts: [...parts, ...second], build: [...builds(random, key, parts), ...builds(random, other, second)] };
  },
  commands: {
    sadd: (random, scene) => ["SADD", scene.key, ...several(random, scene)],
    srem: (random, scene) => ["SREM", scene.key, ...(random.chance(0.1) ? scene.parts : several(random, scene))],
    smove: (random, scene) => ["SMOVE", ...random.pick([[scene.key, scene.other], [scene.other, scene.key], [scene.key, scene.key]]), known(random, scene)],
    spop: pop,
    sinterstore: store("SINTERSTORE"),
    sunionstore: store("SUNIONSTORE"),
    sdiffstore: store("SDIFFSTORE"),
  },
  looks: (random, scene) => [
    ["SCARD", scene.key],
    ["SISMEMBER", scene.key, known(random, scene)],
    ["SMISMEMBER", scene.key, ...several(random, scene)],
  ],
}; // prettier-ignore
