// Lists: every command with every option, on few keys, with nodes so small that lists are split and joined all the time.
import type { Random } from "../support/random.ts";
import type { Argument } from "../support/resp.ts";
import { LISTPACK_EMPTY, lengthOf, listpackBytes, textOf, textWithin } from "./harness/sizes.ts";
import type { Mode, Step } from "./harness/step.ts";
import { integer, key as anyKey, keys, mangle, mixCase, value } from "./harness/values.ts";

/** Mostly one of a few, so that lists grow, shrink, and meet other types. */
const key = (random: Random): Argument =>
  random.weighted<Argument>([
    [80, () => `{l}${random.below(6)}`],
    [8, () => full(random)],
    [12, () => anyKey(random)],
  ]);

/** Deleted again and again, and then filled at once. */
const full = (random: Random): string => `{l}full${random.below(2)}`;

/** Elements, most of them met again and again. */
function element(random: Random): Argument {
  return random.weighted<Argument>([
    [60, () => `e${random.below(15)}`],
    [25, () => String(random.between(-20, 20))],
    [5, () => integer(random)],
    [5, () => value(random)],
    [2, () => ""],
    [4, () => textOf(random, lengthOf(random))],
  ]);
}

/** As many elements as bring a list to about the bytes at which it is kept in another way, and one that brings it there. */
function fill(random: Random): Argument[] {
  const bytes = random.weighted([
    [4, () => 1024],
    [1, () => random.pick([4096, 8192])],
  ]);
  const size = random.pick([20, 20, 60, 200, bytes]);
  const count = Math.floor((bytes - LISTPACK_EMPTY) / listpackBytes(size));
  const left = bytes - LISTPACK_EMPTY - count * listpackBytes(size) + random.between(-3, 6);
  const filling = Array.from({ length: count }, () =>
    random.chance(0.5) ? "e".repeat(size) : textOf(random, size),
  );
  return [...filling, textOf(random, textWithin(Math.max(0, left)))];
}

const elements = (random: Random): Argument[] =>
  Array.from({ length: random.pick([1, 1, 1, 2, 3, 10]) }, () => element(random));

const place = (random: Random): Argument =>
  random.weighted<Argument>([
    [12, () => String(random.between(-12, 12))],
    [3, () => String(random.between(-60, 60))],
    [1, () => integer(random)],
  ]);

/** How many elements to pop, or to find. */
const count = (random: Random): Argument =>
  random.weighted<Argument>([
    [8, () => String(random.between(0, 5))],
    [1, () => String(random.between(-5, 200))],
    [1, () => integer(random)],
  ]);

const side = (random: Random): Argument =>
  random.chance(0.96) ? mixCase(random, random.pick(["left", "right"])) : random.pick(["", "LEF", "up"]);

function findPlace(random: Random): Argument[] {
  const args: Argument[] = ["LPOS", key(random), element(random)];
  for (let options = random.below(4); options > 0; options--) {
    args.push(
      ...random.weighted<Argument[]>([
        [4, () => [mixCase(random, "rank"), String(random.between(-4, 4))]],
        [4, () => [mixCase(random, "count"), count(random)]],
        [4, () => [mixCase(random, "maxlen"), String(random.between(-1, 30))]],
        [0.5, () => [random.pick(["RANK", "COUNT", "MAXLEN"]), integer(random)]],
        [0.3, () => [random.pick(["RANK", "FIRST", ""])]],
      ]),
    );
  }
  return args;
}

function popSeveral(random: Random, mode: Mode): Argument[] {
  const names = random.chance(0.8) ? sameSlot(random) : keys(random, random.between(1, 3), mode);
  const said = random.chance(0.95)
    ? String(names.length)
    : random.pick(["0", "-1", "1", "2", "9", "x", "9223372036854775807"]);
  const rest = random.weighted<Argument[]>([
    [5, () => []],
    [5, () => [mixCase(random, "count"), count(random)]],
    [0.5, () => ["COUNT", "1", "COUNT", "2"]],
    [0.5, () => ["COUNT"]],
    [0.3, () => ["NOSUCH", "1"]],
  ]);
  return ["LMPOP", said, ...names, side(random), ...rest];
}

const sameSlot = (random: Random): Argument[] =>
  Array.from({ length: random.between(1, 3) }, () => `{l}${random.below(7)}`);

/** Two keys, mostly of one slot, often the same. */
const two = (random: Random): Argument[] =>
  random.chance(0.9) ? [`{l}${random.below(6)}`, `{l}${random.below(6)}`] : [key(random), key(random)];

export function listStep(random: Random, mode: Mode): Step {
  const args = random.weighted<Argument[]>([
    [12, () => ["RPUSH", key(random), ...elements(random)]],
    [12, () => ["LPUSH", key(random), ...elements(random)]],
    [3, () => ["DEL", full(random)]],
    [4, () => [random.pick(["LPUSH", "RPUSH"]), random.chance(0.8) ? full(random) : key(random), ...fill(random)]],
    [4, () => ["LREM", full(random), random.pick(["0", "1", "-1"]), "e".repeat(random.pick([20, 60, 200]))]],
    [3, () => [random.pick(["LPUSHX", "RPUSHX"]), key(random), ...elements(random)]],
    [8, () => [random.pick(["LPOP", "RPOP"]), key(random)]],
    [5, () => [random.pick(["LPOP", "RPOP"]), key(random), count(random)]],
    [5, () => ["LLEN", key(random)]],
    [8, () => ["LINDEX", key(random), place(random)]],
    [10, () => ["LRANGE", key(random), place(random), place(random)]],
    [3, () => ["LRANGE", key(random), "0", "-1"]],
    [8, () => ["LSET", key(random), place(random), element(random)]],
    [12, () => ["LINSERT", key(random), random.chance(0.95) ? mixCase(random, random.pick(["before", "after"])) : "BEFOR", element(random), element(random)]],
    [6, () => ["LREM", key(random), place(random), element(random)]],
    [3, () => ["LTRIM", key(random), random.below(4), random.between(-4, -1)].map(String)],
    [1, () => ["LTRIM", key(random), place(random), place(random)]],
    [10, () => findPlace(random)],
    [8, () => ["LMOVE", ...two(random), side(random), side(random)]],
    [4, () => ["RPOPLPUSH", ...two(random)]],
    [6, () => popSeveral(random, mode)],
    [4, () => ["OBJECT", "ENCODING", key(random)]],
    [2, () => ["TYPE", key(random)]],
    [0.7, () => ["DEL", key(random)]],
    [0.5, () => ["UNLINK", key(random)]],
    [0.7, () => ["SET", key(random), element(random)]],
    [0.7, () => ["GET", key(random)]],
    [0.5, () => ["EXPIRE", key(random), "100000"]],
    [0.5, () => ["PERSIST", key(random)]],
    [0.7, () => ["CONFIG", "SET", random.pick(["list-max-listpack-size", "list-max-ziplist-size"]), random.pick(["1", "2", "3", "3", "8", "8", "0", "-1", "-2", "-5"])]],
    [0.3, () => ["CONFIG", "SET", "list-compress-depth", random.pick(["0", "1", "2"])]],
  ]); // prettier-ignore
  if (args[0] === "CONFIG") return { args };
  return { args: mangle(random, args) };
}
