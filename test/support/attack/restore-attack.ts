// Attacks on RESTORE, in this process: values that are wrong in some place, framed with a right checksum. Each case ends
// with a reply; what is accepted is used by every command of its type, and must hold what it says it holds; its
// neighbours stay as they were; and when all is deleted no memory is missing.
import * as abi from "../../../assembly/abi.ts";
import { InProcess } from "../inprocess.ts";
import { type Attack, settle, usedWhenEmpty } from "./attack.ts";
import { Random } from "../random.ts";
import { payload, string } from "../rdbforms.ts";
import { mutated } from "./mutations.ts";
import { checkValue, useValue } from "./probes.ts";
import { blobOf, Seeds, withBlob } from "./seeds.ts";
import { wrongMembers } from "./wrong-members.ts";

const MARGIN = 256;
const NEIGHBOURS = 48;
const WATCHED = 3;
/** Neighbours come and go, so that what is restored lies between others. */
const REPLACED = 0.1;
const LIMITS: readonly (readonly [number, readonly number[]])[] = [
  [abi.STATE_LIST_MAX_LISTPACK_SIZE, [-2, -1, -5, 1, 4, 128]],
  [abi.STATE_LIST_COMPRESS_DEPTH, [0, 0, 1, 2]],
  [abi.STATE_HASH_MAX_ENTRIES, [128, 0, 1, 7, 512]],
  [abi.STATE_HASH_MAX_VALUE, [64, 0, 3, 1000]],
  [abi.STATE_SET_MAX_INTSET, [512, 0, 3, 20]],
  [abi.STATE_ZSET_MAX_ENTRIES, [128, 0, 1, 7]],
  [abi.STATE_ZSET_MAX_VALUE, [64, 0, 3, 1000]],
];

/** Between the seeds of two cases, so that one case can be run by itself. */
const STRIDE = 7919;

export class RestoreAttack implements Attack {
  readonly at = new InProcess({ protocol: 2 });
  readonly #digests = new Map<string, string>();
  readonly #seeds: Seeds;

  constructor(readonly seed: number) {
    const random = new Random(seed);
    this.#seeds = new Seeds(this.at, random, () => this.#setLimits(random));
    settle(this.at);
  }

  #value(random: Random): Uint8Array {
    const value = this.#seeds.any(random);
    const other = this.#seeds.any(random);
    const blob = blobOf(value);
    return random.weighted([
      [4, () => mutated(random, value, other)],
      [blob === undefined ? 0 : 6, () => this.#wrongBlob(random, value, blob ?? value, other)],
      [1, () => Uint8Array.from([random.pick(TYPES), ...value.subarray(1)])],
      [2, () => wrongMembers(random)],
      [1, () => wrongCount(random, value)],
      [1, () => wrongLzf(random, value[0]!, blob ?? value)],
    ]);
  }

  /** The payload of case `index`. */
  payload(index: number): Uint8Array {
    return this.#framed(this.#value(new Random(this.seed + index * STRIDE)));
  }

  /** Runs case `index`; whether the payload was accepted. Throws what is not as it should be. */
  run(index: number): boolean {
    const random = new Random(this.seed + index * STRIDE + 1);
    const wrong = this.payload(index);
    if (random.chance(0.1)) this.#setLimits(random);
    const isAccepted = this.#restore("k", wrong, 0xaa);
    // What was read beyond the payload would be something else the second time.
    if (this.#restore("key 2", wrong, 0x55) !== isAccepted) throw new Error("refused and accepted");
    if (isAccepted) {
      if (this.#digest("key 2") !== this.#digest("k")) throw new Error("one payload is two values");
      checkValue(this.at, "k");
      if (random.chance(0.3)) this.#setLimits(random);
      useValue(this.at, "k", random);
    }
    this.at.run("DEL", "k", "k2", "k3", "key 2");
    this.#checkNeighbours(random);
    return isAccepted;
  }

  /** Looks at every neighbour, then deletes all: bytes in use. */
  end(): number {
    for (const [name, had] of this.#digests)
      if (had !== this.#digest(name)) throw new Error(`the value of ${name} has changed`);
    this.#digests.clear();
    return usedWhenEmpty(this.at);
  }

  #setLimits(random: Random): void {
    for (const [place, values] of LIMITS)
      this.at.memory.setU32(place, random.chance(0.5) ? values[0]! : random.pick(values));
  }

  #wrongBlob(random: Random, value: Uint8Array, blob: Uint8Array, other: Uint8Array): Uint8Array {
    const wrong = Buffer.from(mutated(random, blob, blobOf(other) ?? other));
    const type = value[0]!;
    // What says how long it is itself is right more often than not: the rest of it would not be looked at otherwise.
    const tellsBytes = type === 10 || type === 12 || type === 13 || type === 16 || type === 17 || type === 20;
    if (tellsBytes && wrong.length >= 7 && random.chance(0.8)) {
      wrong.writeUInt32LE(wrong.length, 0);
      if (random.chance(0.8)) wrong[wrong.length - 1] = 255;
      if (type >= 16 && random.chance(0.4)) wrong.writeUInt16LE(65535, 4);
    }
    if (type === 11 && wrong.length >= 8 && random.chance(0.7)) {
      const width = random.pick([2, 4, 8]);
      wrong.writeUInt32LE(width, 0);
      wrong.writeUInt32LE(Math.floor((wrong.length - 8) / width), 4);
    }
    return random.chance(0.15) && (type === 16 || type === 17 || type === 20)
      ? Uint8Array.from([18, 1, 2, ...string([...wrong])])
      : withBlob(type, wrong);
  }

  /** Whether a payload is accepted; its surroundings are bytes of this kind. */
  #restore(key: string, wrong: Uint8Array, byte: number): boolean {
    this.at.run("EXISTS", Buffer.alloc(wrong.length + MARGIN, byte));
    return this.at.run("RESTORE", key, 0, wrong, "REPLACE").reply.value.kind === "simple";
  }

  #checkNeighbours(random: Random): void {
    for (let i = 0; i < WATCHED; i++) {
      const name = `n${random.below(NEIGHBOURS)}`;
      const had = this.#digests.get(name);
      if (had !== undefined && had !== this.#digest(name))
        throw new Error(`the value of ${name} has changed`);
      if (had !== undefined && !random.chance(REPLACED)) continue;
      const restored = this.at.run("RESTORE", name, 0, this.#good(random), "REPLACE").reply.value;
      if (restored.kind !== "simple") throw new Error("a valid payload was refused");
      this.#digests.set(name, this.#digest(name));
    }
  }

  #good(random: Random): Uint8Array {
    return this.#framed(this.#seeds.own(random));
  }

  #framed(value: Uint8Array): Uint8Array {
    return payload(value, 10, (crc, bytes) => this.at.rdb.crc64(crc, bytes));
  }

  #digest(name: string): string {
    const { memory, rdb } = this.at;
    const key = Buffer.from(name);
    const ptr = memory.alloc(key.length);
    memory.bytes.set(key, ptr);
    const digest = Buffer.from(rdb.digestOf({ ptr, length: key.length })).toString("hex");
    memory.free(ptr);
    return digest;
  }
}

const TYPES = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 24, 255];

/** A count or length that lies. */
function wrongCount(random: Random, value: Uint8Array): Uint8Array {
  const lies = [
    [0],
    [63],
    [0x40, 0x00],
    [0x7f, 0xff],
    [0x80, 0, 0, 0, 1],
    [0x80, 0x7f, 0xff, 0xff, 0xff],
    [0x80, 0xff, 0xff, 0xff, 0xff],
    [0x81, 0, 0, 0, 0, 0, 0, 0, 1],
    [0x81, 0, 0, 0, 1, 0, 0, 0, 0],
    [0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0xc0, 0x01],
    [0xc4, 0x01],
  ];
  const head = (value[1] ?? 0) >> 6;
  const size = head === 0 ? 1 : head === 1 ? 2 : 5;
  return Uint8Array.from([value[0]!, ...random.pick(lies), ...value.subarray(1 + size)]);
}

const length32 = (value: number): number[] => [
  0x80, (value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255,
]; // prettier-ignore

/** The string as literals of LZF, some of which lie, as does what it says of its sizes. */
function wrongLzf(random: Random, type: number, blob: Uint8Array): Uint8Array {
  const stream: number[] = [];
  for (let at = 0; at < blob.length; at += 32) {
    const run = blob.subarray(at, at + 32);
    stream.push(run.length - 1, ...run);
  }
  const wrong = random.chance(0.8) ? mutated(random, Uint8Array.from(stream), blob) : stream;
  const lie = (value: number): number =>
    random.weighted([
      [6, () => value],
      [2, () => Math.max(0, value + random.between(-2, 2))],
      [1, () => random.pick([0, 1, 0x7fffffff, 0xf0000000, 0xffffffff])],
    ]);
  return Uint8Array.from([
    type,
    0xc3,
    ...length32(lie(wrong.length)),
    ...length32(lie(blob.length)),
    ...wrong,
  ]);
}
