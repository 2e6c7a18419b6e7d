// Values whose bytes are whole and whose elements are not: members that come twice or in no order, fields without values,
// scores that are no numbers.
import type { Random } from "../random.ts";
import { listpack, string, text, ziplist, zipmap } from "../rdbforms.ts";

const SCORES = [
  "0",
  "1",
  "1",
  "2",
  "-5",
  "2.5",
  "inf",
  "-inf",
  "nan",
  "-nan",
  "1e999",
  "x",
  "",
  "0x10",
  "1 ",
  "007",
];

function flat(random: Random): string[] {
  const count = random.pick([1, 2, 3, 5, 9, 20, 40]);
  const few = random.chance(0.5) ? 4 : 1000;
  const isScored = random.chance(0.6);
  const elements: string[] = [];
  for (let i = 0; i < count; i++) {
    elements.push(random.chance(0.5) ? String(random.below(few)) : `m${random.below(few)}`);
    elements.push(isScored ? random.pick(random.chance(0.8) ? SCORES.slice(0, 5) : SCORES) : "v");
  }
  if (random.chance(0.1)) elements.pop();
  return elements;
}

const pairs = (elements: readonly string[]): (readonly [string, string])[] =>
  Array.from({ length: elements.length >> 1 }, (_, i) => [elements[i * 2]!, elements[i * 2 + 1]!] as const);

function double(value: number): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return [...bytes];
}

function unsortedIntset(random: Random): number[] {
  const count = random.between(1, 8);
  const numbers = Array.from({ length: count }, () => random.below(12));
  if (random.chance(0.5)) numbers.sort((a, b) => a - b);
  return [2, 0, 0, 0, count, 0, 0, 0, ...numbers.flatMap((value) => [value, 0])];
}

/** A value, maybe right by chance. */
export function wrongMembers(random: Random): Uint8Array {
  const all = flat(random);
  const members = pairs(all).map(([member]) => member);
  const count = members.length;
  const value = random.weighted<readonly number[]>([
    [4, () => [random.pick([16, 17, 20]), ...string(listpack(all))]],
    [3, () => [random.pick([10, 12, 13]), ...string(ziplist(all))]],
    [1, () => [9, ...string(zipmap(pairs(all)))]],
    [1, () => [11, ...string(unsortedIntset(random))]],
    [1, () => [2, count, ...members.flatMap(text)]],
    [1, () => [4, count, ...pairs(all).flat().flatMap(text)]],
    [
      1,
      () => [
        5,
        count,
        ...pairs(all).flatMap(([member, score]) => text(member).concat(double(Number(score)))),
      ],
    ],
    [1, () => [3, count, ...pairs(all).flatMap(([member, score]) => text(member).concat(text(score)))]],
    [1, () => [3, 1, ...text("m"), random.pick([253, 254, 255])]],
    [1, () => [18, 2, 2, ...string(listpack(all)), 2, ...string(listpack([]))]],
  ]);
  return Uint8Array.from(value);
}
