// Valid values in every form RDB has for them, to be made wrong: what our DUMP gives, and what older and newer versions
// of Redis write. Where all of a value is one string, that string can be had by itself.
import type { InProcess } from "../inprocess.ts";
import type { Random } from "../random.ts";
import { hashForms, listForms, setForms, string, zsetForms } from "../rdbforms.ts";

/** Values of both kinds, made once: what is wrong with them is what matters. */
export class Seeds {
  readonly #foreign: Uint8Array[] = [];
  readonly #own: Uint8Array[] = [];

  /** @param vary called before each value of ours: other limits make other encodings */
  constructor(at: InProcess, random: Random, vary: () => void) {
    for (let i = 0; i < POOL; i++) {
      vary();
      this.#own.push(ownValue(random, at));
      this.#foreign.push(foreignValue(random));
    }
  }

  own(random: Random): Uint8Array {
    return random.pick(this.#own);
  }

  any(random: Random): Uint8Array {
    return random.pick(random.chance(0.5) ? this.#own : this.#foreign);
  }
}

const POOL = 200;
/** Types whose value is one string. */
const BLOBS = new Set([0, 9, 10, 11, 12, 13, 16, 17, 20]);
/** Bytes of type, version and checksum around the value of a payload. */
const FOOTER = 10;
const LONG = 4200;

function word(random: Random, index: number): string {
  return random.weighted<string>([
    [4, () => String(random.below(200) + index * 200)],
    [2, () => `m${index}:${"x".repeat(random.below(12))}`],
    [1, () => `w${index}${"y".repeat(random.between(50, 200))}`],
  ]);
}

const words = (random: Random, count: number): string[] =>
  Array.from({ length: count }, (_, i) => word(random, i));

const SCORES = [
  0,
  1,
  -1,
  2.5,
  1e300,
  -1e300,
  Infinity,
  -Infinity,
  1024,
  4095,
  -4096,
  32767,
  65536,
  2 ** 40,
  1 / 3,
];

/** A value as Redis writes or wrote it. */
function foreignValue(random: Random): Uint8Array {
  const count = random.pick([1, 2, 3, 5, 8, 20, 40]);
  const members = words(random, count);
  const pairs = members.map((member) => [member, word(random, random.below(50))] as const);
  const scored = members.map((member) => [member, random.pick(SCORES)] as const);
  const forms = random.weighted([
    [3, () => listForms(members)],
    [2, () => setForms(members)],
    [1, () => setForms(Array.from({ length: count }, (_, i) => String(i * 7)))],
    [3, () => hashForms(pairs)],
    [3, () => zsetForms(scored)],
  ]);
  return Uint8Array.from(random.pick(forms));
}

/** Texts that take each form an element of a listpack has. */
const ELEMENTS = [
  "0", "127", "128", "-1", "-4096", "4095", "32767", "-32768", "8388607", "-8388608", "2147483647", "-2147483648",
  "9223372036854775807", "-9223372036854775808", "", "a", "01", "x".repeat(63), "x".repeat(64), "z".repeat(500),
]; // prettier-ignore

/** A value of ours, as DUMP gives it. */
function ownValue(random: Random, at: InProcess): Uint8Array {
  const run = (...args: readonly (string | number)[]): void => void at.run(...args);
  const count = random.pick([1, 2, 4, 9, 30, 80]);
  const elements = Array.from({ length: count }, (_, i) =>
    random.chance(0.5) ? random.pick(ELEMENTS) : word(random, i),
  );
  if (random.chance(0.05)) elements.push("L".repeat(LONG));
  const distinct = [...new Set(elements)];
  run("DEL", "seed");
  random.weighted([
    [1, () => run("SET", "seed", random.pick(elements))],
    [4, () => run("RPUSH", "seed", ...elements)],
    [3, () => run("SADD", "seed", ...elements)],
    [2, () => run("SADD", "seed", ...distinct.map((_, i) => i * random.pick([1, 70_000, 2 ** 33])))],
    [4, () => run("HSET", "seed", ...elements.flatMap((each, i) => [`${i}${each}`, word(random, i)]))],
    [4, () => run("ZADD", "seed", ...distinct.flatMap((each) => [random.pick(SCORES), each]))],
  ]);
  const { value } = at.run("DUMP", "seed").reply;
  run("DEL", "seed");
  if (value.kind !== "bulk") throw new Error("no payload");
  return value.bytes.subarray(0, value.bytes.length - FOOTER);
}

/** The string that is all of the value, if it is one that is not compressed. */
export function blobOf(value: Uint8Array): Uint8Array | undefined {
  const head = value[1] ?? 0xff;
  if (!BLOBS.has(value[0]!)) return undefined;
  if (head < 0x40) return value.subarray(2);
  if (head < 0x80) return value.subarray(3);
  return head === 0x80 ? value.subarray(6) : undefined;
}

/** A value of the same type with another string. */
export function withBlob(type: number, blob: Uint8Array): Uint8Array {
  return Uint8Array.from([type, ...string([...blob])]);
}
