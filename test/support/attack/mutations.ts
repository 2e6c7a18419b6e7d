// Bytes made wrong by chance: what a disk, a broken tool or somebody with bad intent could make of them. The checksum is
// put right afterwards by whoever frames them, or nothing of this would ever be looked at.
import type { Random } from "../random.ts";

/** Bytes that mean something at an edge of one of the formats. */
const EDGES = [
  0x00, 0x01, 0x02, 0x04, 0x08, 0x0a, 0x0c, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xd0, 0xdf,
  0xe0, 0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xfd, 0xfe, 0xff,
]; // prettier-ignore

const EDGES_16 = [0, 1, 2, 127, 128, 254, 255, 256, 4095, 4096, 16383, 16384, 32767, 32768, 65534, 65535];
const EDGES_32 = [
  0, 1, 7, 8, 10, 11, 65535, 65536, 0x7fffffff, 0x80000000, 0xf0000000, 0xf0000001, 0xfffffff0, 0xfffffff8, 0xffffffff,
]; // prettier-ignore

type Mutation = (random: Random, bytes: Buffer, other: Uint8Array) => Uint8Array;

const flipBit: Mutation = (random, bytes) => {
  const at = random.below(bytes.length);
  bytes[at] = bytes[at]! ^ (1 << random.below(8));
  return bytes;
};

const setByte: Mutation = (random, bytes) => {
  bytes[random.below(bytes.length)] = random.chance(0.7) ? random.pick(EDGES) : random.below(256);
  return bytes;
};

/** A length, a count or a back length that is off by little. */
const step: Mutation = (random, bytes) => {
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at]! + random.pick([-2, -1, 1, 2])) & 255;
  return bytes;
};

const setWord: Mutation = (random, bytes) => {
  if (random.chance(0.5) && bytes.length >= 2) {
    bytes.writeUInt16LE(random.pick(EDGES_16), random.below(bytes.length - 1));
  } else if (bytes.length >= 4) {
    const at = random.below(bytes.length - 3);
    const value = random.pick(EDGES_32);
    if (random.chance(0.7)) bytes.writeUInt32LE(value, at);
    else bytes.writeUInt32BE(value, at);
  }
  return bytes;
};

const truncate: Mutation = (random, bytes) => bytes.subarray(0, random.below(bytes.length));

function range(random: Random, bytes: Uint8Array): { from: number; to: number } {
  const from = random.below(bytes.length);
  const longest = random.chance(0.8) ? 16 : bytes.length;
  return { from, to: Math.min(bytes.length, from + 1 + random.below(longest)) };
}

const duplicate: Mutation = (random, bytes) => {
  const { from, to } = range(random, bytes);
  return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
};

const cut: Mutation = (random, bytes) => {
  const { from, to } = range(random, bytes);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
};

const exchange: Mutation = (random, bytes) => {
  const one = random.below(bytes.length);
  const two = random.below(bytes.length);
  const length = Math.min(random.between(1, 12), Math.abs(one - two), bytes.length - Math.max(one, two));
  const kept = Buffer.from(bytes.subarray(one, one + length));
  bytes.copyWithin(one, two, two + length);
  bytes.set(kept, two);
  return bytes;
};

const splice: Mutation = (random, bytes, other) =>
  Buffer.concat([
    bytes.subarray(0, random.below(bytes.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);

const insert: Mutation = (random, bytes) => {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([
    bytes.subarray(0, at),
    random.bytes(random.between(1, random.chance(0.9) ? 9 : 300)),
    bytes.subarray(at),
  ]);
};

const MUTATIONS: readonly (readonly [number, Mutation])[] = [
  [20, flipBit],
  [20, setByte],
  [20, step],
  [15, setWord],
  [4, truncate],
  [8, duplicate],
  [6, cut],
  [6, exchange],
  [6, splice],
  [5, insert],
];

/** A copy that is wrong in one to four places. */
export function mutated(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  let wrong: Uint8Array = Buffer.from(bytes);
  const count = random.pick([1, 1, 1, 2, 2, 3, 4]);
  for (let i = 0; i < count && wrong.length > 0; i++) {
    const mutation = random.weighted(MUTATIONS.map(([weight, each]) => [weight, () => each] as const));
    wrong = mutation(random, Buffer.from(wrong), other);
  }
  return wrong;
}
