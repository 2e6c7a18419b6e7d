// Lists around their thresholds: bytes of one listpack inside an entry, bytes and elements of nodes, lengths of elements.
import type { Random } from "../../support/random.ts";
import type { Args, Scene, Walk } from "./script.ts";
import {
  around,
  integer,
  lengthOf,
  LISTPACK_EMPTY,
  listpackBytes,
  textOf,
  textWithin,
} from "../harness/sizes.ts";

const MOST = 300;

/** Elements whose listpack takes `bytes`, as exactly as lengths allow. */
function elementsOf(random: Random, bytes: number): string[] {
  const room = bytes - LISTPACK_EMPTY;
  const style = random.below(5);
  const elements: string[] = [];
  let used = 0;
  for (let left = style === 0 ? 0 : MOST; left > 0; left--) {
    const element = elementOf(random, style);
    const taken = listpackBytes(element.length);
    if (used + taken > room - 2) break;
    elements.push(element);
    used += taken; // an integer takes less: the size is then just below
    if (style === 4 && elements.length >= 4) break;
  }
  if (room - used < 2) return elements;
  const filler = textOf(random, textWithin(room - used));
  elements.splice(random.pick([0, elements.length >> 1, elements.length, elements.length]), 0, filler);
  return elements;
}

function elementOf(random: Random, style: number): string {
  if (style === 1) return textOf(random, 20);
  if (style === 2) return random.chance(0.8) ? "same" : textOf(random, random.between(1, 40));
  if (style === 3) return random.chance(0.3) ? integer(random) : textOf(random, lengthOf(random, 300));
  return textOf(random, lengthOf(random, 600));
}

/** A push of all, pushes one by one from either end, or one that was longer before. */
function builds(random: Random, key: string, elements: readonly string[]): Args[] {
  if (elements.length === 0) return [];
  const middle = elements.length >> 1;
  return random.weighted<Args[]>([
    [4, () => [["RPUSH", key, ...elements]]],
    [2, () => [["LPUSH", key, ...elements.toReversed()]]],
    [elements.length > 99 ? 0 : 3, () => elements.map((element) => ["RPUSH", key, element])],
    [elements.length > 99 ? 0 : 1, () => elements.toReversed().map((element) => ["LPUSH", key, element])],
    [2, () => [["RPUSH", key, ...elements.slice(middle)], ...elements.slice(0, middle).toReversed().map((element) => ["LPUSH", key, element])]],
    [2, () => [["RPUSH", key, ...elements, textOf(random, lengthOf(random, 9000)), "last"], ["LTRIM", key, 0, -3]]],
    [1, () => [["RPUSH", key, textOf(random, lengthOf(random, 9000)), ...elements], ["LPOP", key]]],
    [1, () => [["RPUSH", key, elements[0] ?? "", ...Array.from({ length: 30 }, () => "gone"), ...elements.slice(1)], ["LREM", key, -30, "gone"]]],
  ]); // prettier-ignore
}

/** An element to add, mostly small, or of a length at some threshold. */
const operand = (random: Random, { parts }: Scene): string =>
  random.weighted([
    [3, () => textOf(random, lengthOf(random, 80))],
    [2, () => textOf(random, lengthOf(random, 1100))],
    [1, () => textOf(random, random.between(950, 1030))],
    [1, () => textOf(random, lengthOf(random, 9000))],
    [0.1, () => textOf(random, lengthOf(random, 70_000))],
    [2, () => (parts.length === 0 ? "x" : random.pick(parts))],
    [2, () => integer(random)],
    [1, () => "same"],
  ]);

const known = (random: Random, { parts }: Scene): string =>
  parts.length === 0 || random.chance(0.2) ? random.pick(["same", "none"]) : random.pick(parts);

const place = (random: Random, { parts }: Scene): number =>
  random.pick([0, -1, parts.length >> 1, parts.length - 1, parts.length, random.between(-5, 5)]);

const operands = (random: Random, scene: Scene): string[] =>
  Array.from({ length: random.pick([1, 1, 1, 2, 3, 12]) }, () => operand(random, scene));

const count = (random: Random, { parts }: Scene): number =>
  random.pick([1, 2, 3, Math.max(1, parts.length - 1), Math.max(1, parts.length), parts.length + 1]);

const side = (random: Random): string => random.pick(["LEFT", "RIGHT"]);

const two = (random: Random, { key, other }: Scene): string[] =>
  random.pick([[key, other], [other, key], [key, key], [key, other]]); // prettier-ignore

const push = (name: string) => (random: Random, scene: Scene): Args => [name, scene.key, ...operands(random, scene)]; // prettier-ignore
const pop = (name: string) => (random: Random, scene: Scene): Args => [name, scene.key, ...(random.chance(0.5) ? [] : [count(random, scene)])]; // prettier-ignore

export const lists: Walk = {
  name: "a list",
  sizes: [9, 40, 120, ...around(64, 128, 256, 512), ...Array.from({ length: 16 }, (_, i) => 1016 + i), 1100, 2048, 4085, ...around(4096), 4110, 8180, ...around(8192), 8201, 8202, 9000],
  rareSizes: around(16384, 32768, 65536),
  settings: (random) => ({
    "list-max-listpack-size": random.pick(["-2", "-2", "-2", "-1", "-3", "-5", "1", "2", "3", "8", "44", "45", "46", "128"]),
    "list-compress-depth": random.pick(["0", "0", "0", "1", "2"]),
  }),
  scene: (random, size, key, other) => {
    const parts = elementsOf(random, size);
    const second = random.chance(0.6) ? elementsOf(random, random.chance(0.5) ? random.between(1000, 1030) : random.between(9, 400)) : [];
    return { key, other, size, parts, build: [...builds(random, key, parts), ...builds(random, other, second)] };
  },
  commands: {
    rpush: push("RPUSH"),
    lpush: push("LPUSH"),
    rpushx: push("RPUSHX"),
    lpushx: push("LPUSHX"),
    lpop: pop("LPOP"),
    rpop: pop("RPOP"),
    lset: (random, scene) => ["LSET", scene.key, place(random, scene), operand(random, scene)],
    linsert: (random, scene) => ["LINSERT", scene.key, random.pick(["BEFORE", "AFTER"]), known(random, scene), operand(random, scene)],
    lrem: (random, scene) => ["LREM", scene.key, random.pick([0, 1, -1, 2, -2, 30]), known(random, scene)],
    ltrim: (random, scene) => ["LTRIM", scene.key, random.pick([0, 0, 1, 2, scene.parts.length >> 1]), random.pick([-1, -1, -2, -3, scene.parts.length >> 1])],
    lmove: (random, scene) => ["LMOVE", ...two(random, scene), side(random), side(random)],
    rpoplpush: (random, scene) => ["RPOPLPUSH", ...two(random, scene)],
    lmpop: (random, scene) => ["LMPOP", 2, ...two(random, scene), side(random), "COUNT", count(random, scene)],
    blmove: (random, scene) => ["BLMOVE", scene.key, random.pick([scene.key, scene.other]), side(random), side(random), 1],
    brpoplpush: (random, scene) => ["BRPOPLPUSH", scene.key, random.pick([scene.key, scene.other]), 1],
    blmpop: (random, scene) => ["BLMPOP", 1, 2, ...two(random, scene), side(random), "COUNT", count(random, scene)],
    blpop: (random, scene) => ["BLPOP", ...two(random, scene), 1],
    brpop: (random, scene) => ["BRPOP", ...two(random, scene), 1],
  },
  looks: (random, scene) => [
    ["LLEN", scene.key],
    ["LINDEX", scene.key, random.between(-3, 3)],
    ...(random.chance(0.2) ? [["LPOS", scene.key, known(random, scene), "RANK", random.pick([1, -1])]] : []),
  ],
}; // prettier-ignore
