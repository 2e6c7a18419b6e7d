import { describe, expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import { HOW_TRACELESS, Keys } from "../../../src/engine/keys.ts";
import { Memory } from "../../../src/engine/memory.ts";
import { Rdb } from "../../../src/engine/rdb.ts";
import { OUT_OF_MEMORY, ReplyError } from "../../../src/resp/errors.ts";
import type { Slice } from "../../../src/resp/reply.ts";
import { type Random, seeded } from "../../support/random.ts";
import {
  hashForms,
  listForms,
  listpack,
  payload,
  setForms,
  string,
  text,
  zsetForms,
} from "../../support/rdbforms.ts";
import { Budgets, readAll } from "../../support/restores.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const DAMAGED = "ERR Bad data format";

class Bench {
  readonly memory: Memory;
  readonly keys: Keys;
  readonly rdb: Rdb;
  readonly key: Slice;
  readonly #budgets = new Budgets();

  constructor(limitBytes?: number) {
    this.memory = new Memory({ seed: [1, 2, 3, 4], ...(limitBytes === undefined ? {} : { limitBytes }) });
    this.keys = new Keys(this.memory, () => 0.5);
    this.rdb = new Rdb(this.memory);
    this.key = this.slice(Buffer.from("key"));
    const limits = [
      [abi.STATE_LIST_MAX_LISTPACK_SIZE, -2],
      [abi.STATE_HASH_MAX_ENTRIES, 20],
      [abi.STATE_HASH_MAX_VALUE, 64],
      [abi.STATE_SET_MAX_INTSET, 20],
      [abi.STATE_ZSET_MAX_ENTRIES, 20],
      [abi.STATE_ZSET_MAX_VALUE, 64],
    ] as const;
    for (const [at, value] of limits) this.memory.setU32(at, value);
  }

  slice(value: Uint8Array): Slice {
    const ptr = this.memory.alloc(Math.max(value.length, 1));
    this.memory.bytes.set(value, ptr);
    return { ptr, length: value.length };
  }

  restore(value: ArrayLike<number>): void {
    const slice = this.slice(payload(value, 10, (crc, bytes) => this.rdb.crc64(crc, bytes)));
    try {
      readAll(this.rdb.beginRestore(this.key, slice, 0), this.#budgets.next()).store(0);
    } finally {
      this.memory.free(slice.ptr);
    }
  }

  /** As from a stream, in pieces of at most `size` bytes. */
  load(value: readonly number[], size: number): void {
    const bytes = Uint8Array.from(value);
    const incoming = this.rdb.incoming(Buffer.from("key"), bytes[0]!, 0, true, () => {
      throw new Error("refused");
    });
    let from = 1;
    for (let to = 1; incoming.needed > 0;) {
      to = Math.min(bytes.length, Math.max(to + size, from + incoming.needed));
      from += incoming.feed(bytes.subarray(from, to));
    }
    expect(from).toBe(bytes.length);
    incoming.store(0);
  }

  /** Bytes in use when all keys are gone. */
  settle(): number {
    this.keys.flushAll();
    while (this.memory.wasm.releaseWaiting(1e6) !== 0);
    return this.memory.usedBytes;
  }

  digest(): string {
    return hex(this.rdb.digestOf(this.key));
  }

  dump(): Uint8Array {
    return this.memory.copy(this.rdb.dump(this.key, HOW_TRACELESS) as Slice);
  }
}

/** Different texts; `longest` in units of five bytes, and what a small hash may hold if not told otherwise. */
const texts = (random: Random, count: number, longest = 13): string[] => [
  ...new Set(
    Array.from({ length: count }, () =>
      random.pick([
        () => String(random.below(200)),
        () => `m${random.below(1000)}`,
        () => "long ".repeat(random.below(longest)),
      ])(),
    ),
  ),
];

/** One random collection in all forms there are for it. */
function randomForms(random: Random): number[][] {
  const count = 1 + random.below(random.pick([4, 20, 60]));
  switch (random.below(5)) {
    case 0:
      return setForms(texts(random, count));
    case 1:
      return setForms([...new Set(Array.from({ length: count }, () => String(random.below(100_000))))]);
    case 2:
      return hashForms(texts(random, count).map((field) => [field, texts(random, 1)[0]!]));
    case 3:
      return listForms(texts(random, count, 100));
    default:
      return zsetForms(
        texts(random, count).map((member) => [
          member,
          random.pick([Infinity, -Infinity, 0.5, 1e17, random.below(9), random.unit()]),
        ]),
      );
  }
}

describe("collections", () => {
  test("come out of every form with the same elements and encoding, in one piece or many", async () => {
    await seeded((random) => {
      const bench = new Bench();
      for (let i = 0; i < 400; i++) {
        const found = new Set<string>();
        for (const form of randomForms(random)) {
          bench.restore(form);
          found.add(`${bench.digest()} ${bench.keys.encoding(bench.key)}`);
          const dumped = hex(bench.dump());
          bench.restore(bench.dump().subarray(0, -10));
          expect(bench.digest()).toBe([...found][0]!.split(" ")[0]!);
          bench.load(form, 1 + random.below(30));
          if (!dumped.startsWith("02")) expect(hex(bench.dump())).toBe(dumped);
          found.add(`${bench.digest()} ${bench.keys.encoding(bench.key)}`);
        }
        expect([...found]).toHaveLength(1);
      }
    });
  });

  test("can be damaged in any way without harm, and leave nothing behind", async () => {
    await seeded((random) => {
      const bench = new Bench();
      bench.restore(setForms(["a"])[0]!);
      bench.keys.delete(bench.key);
      bench.settle();
      for (let i = 0; i < 6000; i++) {
        const value = Uint8Array.from(random.pick(randomForms(random)));
        for (let n = random.below(4); n >= 0; n--) {
          const at = random.chance(0.3)
            ? random.below(Math.min(value.length, 24))
            : random.below(value.length);
          value[at] = random.pick([0, 1, 127, 128, 253, 254, 255, random.below(256)]);
        }
        try {
          bench.restore(random.chance(0.2) ? value.subarray(0, random.below(value.length)) : value);
        } catch (error) {
          if (!(error instanceof ReplyError)) throw error;
          expect(error.message).toMatch(/Bad data format|neither streams/);
          continue;
        }
        const digest = bench.digest();
        bench.restore(bench.dump().subarray(0, -10));
        expect(bench.digest()).toBe(digest);
        bench.keys.copy(bench.key, 0, Buffer.from("copy"));
      }
      expect(bench.settle()).toBeLessThan(2_000_000);
      const used = bench.settle();
      bench.restore(setForms(["a"])[0]!);
      expect(bench.settle()).toBe(used);
    });
  }, 60_000);

  test("without elements are bad data", () => {
    const bench = new Bench();
    const empty = [[1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [14, 0], [18, 0], [16, ...string(listpack([]))], [17, ...string(listpack([]))]]; // prettier-ignore
    for (const value of empty) expect(() => bench.restore(value)).toThrow(DAMAGED);
  });

  test("with a member twice, a field without its value, or no number for a score are bad data", () => {
    const bench = new Bench();
    const bad = [
      ...setForms(["a", "b", "a"]),
      ...setForms(["1", "2", "1"]),
      ...hashForms([["a", "1"], ["a", "2"]]), // prettier-ignore
      ...zsetForms([["a", 1], ["a", 2]]), // prettier-ignore
      [16, ...string(listpack(["a", "1", "b"]))],
      [17, ...string(listpack(["a", "x"]))],
      [17, ...string(listpack(["a", "nan"]))],
      [17, ...string(listpack(["a", "2", "b", "1"]))],
      [3, 1, ...text("a"), 253],
    ];
    for (const value of bad) expect(() => bench.restore(value)).toThrow(DAMAGED);
  });
});

test("without memory a restoration or a copy changes nothing and leaves nothing behind", async () => {
  await seeded((random) => {
    const plenty = new Bench();
    const values = Array.from({ length: 6 }, (_, i) => {
      const members = Array.from({ length: 4000 }, (__, n) => `${n} ${"m".repeat(random.below(60))}`);
      const forms = [
        () => setForms(members)[0]!,
        () => hashForms(members.map((field) => [field, field]))[0]!,
        () => zsetForms(members.map((member) => [member, random.unit()]))[random.below(2)]!,
        () => listForms(members)[random.pick([0, 3])]!,
      ];
      return forms[i % 4]!();
    });
    for (const value of values) {
      plenty.restore(value);
      const digest = plenty.digest();
      for (let i = 0; i < 12; i++) {
        const bench = new Bench(2 ** 20 * 3 + 65536 * random.below(40));
        const before = bench.settle();
        let held = "";
        try {
          bench.restore(value);
          held = bench.digest();
          expect(held).toBe(digest);
          for (let copy = 0; copy < 50; copy++) bench.keys.copy(bench.key, 0, Buffer.from(`copy ${copy}`));
          throw new Error("memory is not as scarce as it should be");
        } catch (error) {
          if (error !== OUT_OF_MEMORY) throw error;
        }
        if (held !== "") expect(bench.digest()).toBe(digest);
        expect(bench.settle()).toBeLessThanOrEqual(before + 800_000);
      }
    }
  });
}, 60_000);
