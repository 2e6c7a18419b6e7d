// Strings around their thresholds: integers, 44 bytes, the two forms of an entry, size classes of blocks, room to grow.
import type { Random } from "../../support/random.ts";
import type { Args, Scene, Walk } from "./script.ts";
import { around, INTEGERS, integer, lengthOf, textOf } from "../harness/sizes.ts";

const MEGABYTE = 1048576;

const content = (random: Random, size: number): string => {
  if (size > 0 && size <= 20 && random.chance(0.6)) return random.pick(INTEGERS);
  return textOf(random, size);
};

/** Set so, put together by APPEND or SETRANGE, or one that was longer or an integer before. */
function builds(random: Random, key: string, value: string): Args[] {
  return random.weighted<Args[]>([
    [4, () => [["SET", key, value]]],
    [1, () => [["SET", key, value, "EX", "1000000"]]],
    [2, () => [["APPEND", key, value.slice(0, value.length >> 1)], ["APPEND", key, value.slice(value.length >> 1)]]],
    [2, () => [["SETRANGE", key, 0, value]]],
    [1, () => [["SET", key, textOf(random, lengthOf(random, 9000))], ["SET", key, value]]],
    [1, () => [["SET", key, integer(random)], ["SET", key, value, "KEEPTTL"]]],
    [1, () => [["RPUSH", key, value], ["SET", key, value]]],
  ]); // prettier-ignore
}

/** A value whose length is about that of what is there, or at a threshold of its own. */
const near = (random: Random, { size }: Scene): string =>
  random.weighted([
    [3, () => textOf(random, Math.max(0, size + random.between(-5, 5)))],
    [2, () => integer(random)],
    [2, () => textOf(random, lengthOf(random, 9000))],
    [0.1, () => textOf(random, lengthOf(random, 70_000))],
  ]);

/** What is added to an end: little, or as much as brings it to a threshold. */
const added = (random: Random, { size }: Scene): string =>
  random.weighted([
    [4, () => textOf(random, random.between(0, 5))],
    [2, () => textOf(random, lengthOf(random, 300))],
    [1, () => textOf(random, size)],
    [1, () => integer(random)],
  ]);

const offset = (random: Random, { size }: Scene): number =>
  random.pick([0, 1, size >> 1, Math.max(0, size - 1), size, size + 1, size * 2, 43, 44, 45]);

const expiry = (random: Random): Args => random.pick<Args>([["EX", 1_000_000], ["PX", 1_000_000_000], ["EXAT", 4_000_000_000]]); // prettier-ignore

const pairs = (random: Random, scene: Scene): Args =>
  [scene.key, near(random, scene), scene.other, near(random, scene), scene.key, near(random, scene)].slice(0, random.pick([2, 4, 6])); // prettier-ignore

export const strings: Walk = {
  name: "a string",
  sizes: [...Array.from({ length: 72 }, (_, i) => i), ...around(128, 160, 192, 240, 247, 256, 384, 512, 768, 1000, 1016, 1024, 2048, 4096, 8192)],
  rareSizes: [...around(16384, 32752, 32768), 65500, 65516, ...around(65524, 65535, 65536), MEGABYTE - 1, MEGABYTE + 1],
  settings: () => ({}),
  scene: (random, size, key, other) => {
    const value = content(random, size);
    const second = random.chance(0.3) ? [["SET", other, near(random, { key, other, size: Math.min(size, 5000), build: [], parts: [] })]] : [];
    return { key, other, size, parts: [value], build: [...builds(random, key, value), ...second] };
  },
  commands: {
    set: (random, scene) => ["SET", scene.key, near(random, scene), ...random.pick<Args>([[], [], ["XX"], ["KEEPTTL"], ["GET"], expiry(random)])],
    setnx: (random, scene) => ["SETNX", random.pick([scene.key, scene.other]), near(random, scene)],
    setex: (random, scene) => ["SETEX", scene.key, 1_000_000, near(random, scene)],
    psetex: (random, scene) => ["PSETEX", scene.key, 1_000_000_000, near(random, scene)],
    getset: (random, scene) => ["GETSET", scene.key, near(random, scene)],
    getdel: (_, scene) => ["GETDEL", scene.key],
    getex: (random, scene) => ["GETEX", scene.key, ...random.pick<Args>([[], ["PERSIST"], expiry(random)])],
    mset: (random, scene) => ["MSET", ...pairs(random, scene)],
    msetnx: (random, scene) => ["MSETNX", ...pairs(random, scene).slice(-2), "copy", near(random, scene)],
    append: (random, scene) => ["APPEND", scene.key, added(random, scene)],
    setrange: (random, scene) => ["SETRANGE", scene.key, offset(random, scene), added(random, scene)],
    incr: (_, scene) => ["INCR", scene.key],
    decr: (_, scene) => ["DECR", scene.key],
    incrby: (random, scene) => ["INCRBY", scene.key, integer(random)],
    decrby: (random, scene) => ["DECRBY", scene.key, integer(random)],
    incrbyfloat: (random, scene) => ["INCRBYFLOAT", scene.key, random.chance(0.5) ? integer(random) : random.pick(["0.5", "1e17", "-1.25", "1e-10"])],
  },
  looks: (random, scene) => [
    ["STRLEN", scene.key],
    ["GETRANGE", scene.key, random.pick([0, -3, scene.size >> 1]), random.pick([-1, 3, scene.size])],
    ...(scene.size < 5000 ? [["GET", scene.key]] : []),
  ],
}; // prettier-ignore
