// Keys of every type around its thresholds, under the commands that care for no type: values move, are copied, stored over
// others and deleted as wholes.
import type { Random } from "../../support/random.ts";
import { hashes } from "./hashes.ts";
import { lists } from "./lists.ts";
import type { Args, Scene, Walk } from "./script.ts";
import { sets } from "./sets.ts";
import { around } from "../harness/sizes.ts";
import { sortedSets } from "./sortedsets.ts";
import { strings } from "./strings.ts";

const TYPES = [lists, hashes, sets, sortedSets, strings] as const;

const two = (random: Random, { key, other }: Scene): string[] =>
  random.pick([[key, other], [other, key], [key, key], [key, `${key}.longer`]]); // prettier-ignore

const expire = (name: string, far: number) => (random: Random, scene: Scene): Args => [name, scene.key, random.chance(0.1) ? -1 : far + random.below(1000), ...random.pick([[], [], ["NX"], ["XX"], ["GT"], ["LT"]])]; // prettier-ignore

const restore = (name: string) => (random: Random, scene: Scene): Args => [name, random.pick([scene.key, scene.other]), random.pick([0, 100_000_000]), random.pick(DUMPS), ...random.pick([[], ["REPLACE"]])]; // prettier-ignore

/** A string of one letter and a set of three integers, as DUMP gives them, and nothing that can be loaded. */
const DUMPS = [
  "0001610a00bffeef9b8f367db4",
  "0b0e02000000030000000100020003000a00a5025ce26d6e4d1b",
  "00016100",
].map((hex) => Buffer.from(hex, "hex"));

export const keys: Walk = {
  name: "a key",
  sizes: [1, 2, ...around(16, 44, 62, 64, 128, 255, 1024)],
  rareSizes: [...around(512, 8192, 65536), 2000],
  settings: (random) => Object.assign({}, ...TYPES.map((type) => type.settings(random))) as Record<string, string>,
  scene: (random, size, key, other) => {
    const type = random.pick(TYPES);
    const scene = type.scene(random, type === lists || type === strings ? size : Math.min(size, 513), key, other);
    return random.chance(0.5) ? scene : { ...scene, build: [...scene.build, ...random.pick(TYPES).scene(random, 8, other, "copy").build] };
  },
  commands: {
    copy: (random, scene) => ["COPY", ...two(random, scene), ...random.pick([[], ["REPLACE"]])],
    rename: (random, scene) => ["RENAME", ...two(random, scene)],
    renamenx: (random, scene) => ["RENAMENX", ...two(random, scene)],
    move: (random, scene) => ["MOVE", scene.key, random.pick([1, 0])],
    del: (random, scene) => ["DEL", ...two(random, scene)],
    unlink: (random, scene) => ["UNLINK", ...two(random, scene)],
    expire: expire("EXPIRE", 1_000_000),
    pexpire: expire("PEXPIRE", 1_000_000_000),
    expireat: expire("EXPIREAT", 4_000_000_000),
    pexpireat: expire("PEXPIREAT", 4_000_000_000_000),
    persist: (_, scene) => ["PERSIST", scene.key],
    restore: restore("RESTORE"),
    "restore-asking": restore("RESTORE-ASKING"),
    swapdb: () => ["SWAPDB", 0, 1],
    flushdb: () => ["FLUSHDB"],
    flushall: (random) => ["FLUSHALL", random.pick(["SYNC", "ASYNC"])],
    sort: (random, scene) => ["SORT", scene.key, "ALPHA", ...random.pick<Args>([[], ["DESC"], ["LIMIT", 0, 60]]), "STORE", random.pick([scene.key, scene.other])],
  },
  looks: (_, scene) => [["TYPE", scene.key], ["EXISTS", scene.key, scene.other], ["EXPIRETIME", "none"]],
}; // prettier-ignore
