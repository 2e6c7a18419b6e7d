// Arguments worth trying: few keys, so that commands meet each other's leavings, and values at the edges.
import type { Argument } from "../../support/resp.ts";
import type { Random } from "../../support/random.ts";
import { around, INTEGERS, lengthOf, textOf } from "./sizes.ts";
import type { Mode } from "./step.ts";

const BINARY_KEY = Buffer.from([0, 255, 13, 10, 0x7b, 0x7d]);
const LONG_KEY = `long:${"k".repeat(5000)}`;
/** Hash tags and their absence: an empty tag is none, an unclosed one is none, the first closing brace counts. */
const TAGS = ["{a}", "{b}", "{user:1000}", "{}", "{", "}{", "{{c}}", "{c}{d}"] as const;

/** One of some dozens of keys, most of them met often. */
export function key(random: Random): Argument {
  return random.weighted<Argument>([
    [60, () => `key:${random.below(12)}`],
    [25, () => `${random.pick(TAGS)}${random.below(4)}`],
    [3, () => ""],
    [3, () => BINARY_KEY],
    [1, () => LONG_KEY],
    [1, () => `long:${random.below(2)}`.padEnd(random.pick(around(255)), "k")],
    [3, () => String(random.below(5))],
    [3, () => `missing:${random.below(1000)}`],
    [2, () => "ключ"],
  ]);
}

/** Keys that share a slot where that is needed, except now and then. */
export function keys(random: Random, count: number, mode: Mode): Argument[] {
  const tag = random.pick(["{a}", "{b}"]);
  const scattered = mode === "alone" ? random.chance(0.5) : random.chance(0.05);
  return Array.from({ length: count }, () => (scattered ? key(random) : `${tag}${random.below(4)}`));
}

/** Integers at the limits of 8, 32 and 64 bits, and text that only looks like one. */
const INTEGER_EDGES = [
  "0", "-0", "+0", "+1", "-1", "00", "01", " 1", "1 ", "", "-", "+", "1.0", "1e3", "0x10", "abc", "1_000",
  "127", "128", "255", "256", "32767", "65535", "65536",
  "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296",
  "9007199254740992", "9007199254740993",
  "9223372036854775806", "9223372036854775807", "9223372036854775808",
  "-9223372036854775807", "-9223372036854775808", "-9223372036854775809",
  "18446744073709551615", "18446744073709551616", "99999999999999999999999999",
] as const; // prettier-ignore

export function integer(random: Random): string {
  return random.weighted([
    [6, () => String(random.between(-10, 10))],
    [3, () => String(random.between(-1_000_000, 1_000_000))],
    [4, () => random.pick(INTEGER_EDGES)],
    [2, () => random.pick(INTEGERS)],
  ]);
}

const FLOAT_EDGES = [
  "0", "-0", "0.1", "-0.1", ".5", "5.", "1e3", "1E3", "1e-5", "3.0e3", "1.5", "+1.5", " 1.5", "1.5 ", "", "abc", "nan",
  "inf", "-inf", "+inf", "infinity", "1e400", "-1e400", "1e-400", "1e17", "1e18", "123456789012345678",
  "0.30000000000000004", "3.14159265358979323846264338327950288", "1e4932", "1e5000", "0x1p3", "1e",
] as const; // prettier-ignore

export function float(random: Random): string {
  return random.weighted([
    [3, () => String(random.between(-100, 100))],
    [4, () => (random.unit() * 10 ** random.between(-3, 12)).toFixed(random.between(0, 17))],
    [3, () => random.pick(FLOAT_EDGES)],
  ]);
}

/** A value to store: short text, numbers in every spelling, binary, empty, some kilobytes. */
export function value(random: Random): Argument {
  return random.weighted<Argument>([
    [5, () => `value:${random.below(1000)}`],
    [5, () => integer(random)],
    [2, () => float(random)],
    [3, () => random.bytes(random.between(1, 70))],
    [1, () => ""],
    [1, () => "x".repeat(random.pick([43, 44, 45, 63, 64, 65, 127, 128, 255, 256, 1023, 1024]))],
    [2, () => textOf(random, lengthOf(random))],
    [0.2, () => textOf(random, lengthOf(random, 70_000))],
    [0.5, () => random.bytes(random.between(2000, 9000))],
    [0.3, () => "ab".repeat(random.between(10_000, 40_000))],
  ]);
}

/** Arguments that fit nowhere. None is a small positive number: as an expiry it would fall due within the stream. */
const MISFITS: readonly Argument[] = [
  "", "0", "-1", "-0", "1e3", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "nosuchoption",
  "NX", "xx", "GET", "KEEPTTL", "*", Buffer.of(0), Buffer.of(255, 13, 10),
]; // prettier-ignore

/** The request as drawn, or misspelt: mixed case, an argument too many, too few, twice or out of place. */
export function mangle(random: Random, args: readonly Argument[]): Argument[] {
  const mangled = [...args];
  if (random.chance(0.2)) mangled[0] = mixCase(random, String(mangled[0]));
  const at = random.between(1, Math.max(1, mangled.length - 1));
  random.weighted<void>([
    [88, () => {}],
    [3, () => void mangled.splice(at, 1)],
    [2, () => void mangled.push(random.pick(MISFITS))],
    [2, () => void mangled.splice(at, 1, random.pick(MISFITS))],
    [1, () => void mangled.splice(at, 0, random.pick(MISFITS))],
    [1, () => void mangled.push(...mangled.slice(1))],
    [1, () => void mangled.splice(1)],
  ]);
  return mangled;
}

export function mixCase(random: Random, text: string): string {
  return Array.from(text, (letter) =>
    random.chance(0.5) ? letter.toUpperCase() : letter.toLowerCase(),
  ).join("");
}

/** A moment far enough away that nothing expires while a stream runs, in seconds from now. */
export function farSeconds(random: Random): number {
  return random.between(10_000, 1_000_000);
}
