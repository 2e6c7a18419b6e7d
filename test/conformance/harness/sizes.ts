// Sizes at which something is kept in another form, and text and integers of such sizes.
import type { Random } from "../../support/random.ts";

/** Each threshold with what is just below and just above it. */
export function around(...thresholds: readonly number[]): number[] {
  return thresholds.flatMap((threshold) => [threshold - 1, threshold, threshold + 1]);
}

/** Lengths at which redis-server or the engine writes a length, keeps a text or takes a block in another way. */
export const TEXT_LENGTHS: readonly number[] = [
  0, ...around(1, 8, 12, 16, 20, 32, 44, 64, 128, 192, 256, 384, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536),
]; // prettier-ignore

/** Small lengths often, each threshold now and then. */
export function lengthOf(random: Random, most = 1100): number {
  return random.weighted([
    [4, () => random.between(1, 24)],
    [2, () => random.between(0, Math.min(300, most))],
    [3, () => random.pick(TEXT_LENGTHS.filter((size) => size <= most))],
  ]);
}

/** Text of so many bytes that is no number; seldom the same twice, so that places can be told apart. */
export function textOf(random: Random, size: number): string {
  const mark = `t${random.below(46656).toString(36)}.`;
  if (size <= mark.length) return "tuvwx".slice(0, size);
  const rest = size - mark.length;
  return random.chance(0.5) ? mark + "x".repeat(rest) : mark + letters(random, rest);
}

/** Nothing that LZF could shorten. */
function letters(random: Random, size: number): string {
  return random.bytes(Math.ceil((size * 3) / 4)).toString("base64").slice(0, size).replaceAll(/[+/=]/g, "-"); // prettier-ignore
}

const POWERS = [0, 3, 6, 7, 8, 12, 13, 15, 16, 23, 24, 31, 32, 48, 62, 63, 64].map(
  (bit) => 2n ** BigInt(bit),
);

/** Integers at the ends of all widths they are kept in, some beyond the last. */
export const INTEGERS: readonly string[] = [
  ...POWERS.flatMap((power) => [power - 1n, power, power + 1n, 1n - power, -power, -power - 1n]),
  9999n,
  10000n,
].map(String);

export const integer = (random: Random): string =>
  random.chance(0.4) ? random.pick(INTEGERS) : String(random.between(-200, 200));

/** Bytes that a text of so many bytes takes in a listpack. */
export function listpackBytes(size: number): number {
  const entry = size + (size < 64 ? 1 : size < 4096 ? 2 : 5);
  return entry + (entry < 128 ? 1 : entry < 16384 ? 2 : entry < 2097152 ? 3 : 4);
}

/** The longest text that takes no more than so many bytes in a listpack. */
export function textWithin(bytes: number): number {
  let size = Math.max(0, bytes - 2);
  while (size > 0 && listpackBytes(size) > bytes) size--;
  return size;
}

/** What a listpack has around its elements. */
export const LISTPACK_EMPTY = 7;

/** Keys of the lengths that an entry's two forms have between them, mostly short ones. */
export function keyName(random: Random, name: string): string {
  const size = random.weighted([
    [8, () => 1],
    [1, () => random.between(2, 64)],
    [1, () => random.pick([...around(128, 255), 257, 1024])],
  ]);
  return name.padEnd(size, name);
}
