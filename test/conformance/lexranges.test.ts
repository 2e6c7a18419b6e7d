// Ranges of members of sorted sets whose scores are not all the same. Redis leaves open what they give, yet a small sorted
// set always gives the same, and of a big one what lies beyond its first and last member is never in range
// of those who read it (ZREMRANGEBYLEX does not ask).
import type { Random } from "../support/random.ts";
import type { Argument } from "../support/resp.ts";
import { conformance } from "./harness/conformance.ts";
import type { Step } from "./harness/step.ts";

const small = (random: Random): string => `{z}${random.below(4)}`;
/** It begins and ends with members that begin with `m`, and has one that is too long for a listpack. */
const big = "{z}big";

const member = (random: Random): string =>
  random.chance(0.2)
    ? String(random.between(-3, 12))
    : random.pick([..."abcdefghijklmnopqrst"]) + random.pick(["", "", "a", "z"]);

const bound = (random: Random): string =>
  random.weighted([
    [6, () => random.pick(["[", "("]) + member(random)],
    [1, () => "-"],
    [1, () => "+"],
  ]);

const limit = (random: Random): string[] =>
  random.chance(0.5) ? ["LIMIT", random.pick(["0", "1", "2", "5", "-1", "9223372036854775807"]), random.pick(["-1", "0", "1", "3", "100"])] : []; // prettier-ignore

function rangeOf(random: Random, name: string, low: string, high: string): readonly Argument[] {
  return random.pick([
    ["ZRANGEBYLEX", name, low, high, ...limit(random)],
    ["ZREVRANGEBYLEX", name, high, low, ...limit(random)],
    ["ZLEXCOUNT", name, low, high],
    ["ZRANGE", name, low, high, "BYLEX", ...limit(random)],
    ["ZRANGE", name, high, low, "BYLEX", "REV", ...limit(random)],
    ["ZRANGESTORE", "{z}to", name, low, high, "BYLEX", ...limit(random)],
  ]);
}

/** Ends of a range before or behind what the big sorted set begins and ends with, or in the wrong order. */
const outside = (random: Random): readonly [low: string, high: string] =>
  random.pick([
    [random.pick(["[n", "(mz", "+"]), random.pick(["[z", "+", "(q"])],
    [random.pick(["[a", "-"]), random.pick(["[l", "(m", "-"])],
    ["[p", "[o"],
    ["(p", "[p"],
  ]);

function mixedScores(random: Random): Step {
  const scored = (): string[] => [String(random.between(-5, 5)), member(random)];
  const args = random.weighted<readonly Argument[]>([
    [6, () => ["ZADD", small(random), ...scored(), ...scored()]],
    [2, () => ["ZREM", small(random), member(random), member(random)]],
    [1, () => ["ZADD", big, "-99", "m", "99", "ma", "7", "x".repeat(65), "1", `${member(random)}b`]],
    [20, () => rangeOf(random, small(random), bound(random), bound(random))],
    [4, () => rangeOf(random, big, ...outside(random))],
    [1, () => ["ZREMRANGEBYLEX", small(random), bound(random), bound(random)]],
    [1, () => ["ZRANGE", "{z}to", "0", "-1", "WITHSCORES"]],
    [1, () => ["OBJECT", "ENCODING", random.pick([big, small(random)])]],
  ]);
  return { args };
}

conformance("ranges of members of mixed scores", mixedScores, { steps: 5000, modes: ["alone"] });
