import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { HOW_TRACELESS, Keys } from "../../../src/engine/keys.ts";
import { Memory } from "../../../src/engine/memory.ts";
import { Rdb } from "../../../src/engine/rdb.ts";
import { ReplyError } from "../../../src/resp/errors.ts";
import type { Slice } from "../../../src/resp/reply.ts";
import { type Random, seeded } from "../../support/random.ts";
import { plainCrc64, plainDecompress } from "../../support/rdbcodec.ts";
import { payload } from "../../support/rdbforms.ts";
import { Budgets, readAll } from "../../support/restores.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (value: string): Uint8Array => Buffer.from(value, "latin1");

class Bench {
  readonly memory = new Memory({ seed: [1, 2, 3, 4] });
  readonly keys = new Keys(this.memory, () => 0.5);
  readonly rdb = new Rdb(this.memory);
  readonly #budgets = new Budgets();

  /** Bytes in linear memory, as a request's arguments are. */
  slice(value: Uint8Array): Slice {
    const ptr = this.memory.alloc(Math.max(value.length, 1));
    this.memory.bytes.set(value, ptr);
    return { ptr, length: value.length };
  }

  free(slice: Slice): void {
    this.memory.free(slice.ptr);
  }

  dump(value: Uint8Array): Uint8Array {
    const key = this.slice(bytes("key"));
    this.keys.setString(key, value);
    const dumped = this.memory.copy(this.rdb.dump(key, HOW_TRACELESS) as Slice);
    this.free(key);
    return dumped;
  }

  restore(dumped: Uint8Array, budgetBytes = this.#budgets.next()): Uint8Array {
    const slice = this.slice(dumped);
    const key = this.slice(bytes("restored"));
    try {
      readAll(this.rdb.beginRestore(key, slice, 0), budgetBytes).store(0);
      return this.memory.copy(this.keys.string(key) as Slice);
    } finally {
      this.free(slice);
      this.free(key);
    }
  }
}

describe("CRC-64 in the engine", () => {
  test("gives the published check value", () => {
    expect(new Bench().rdb.crc64(0n, bytes("123456789"))).toBe(0xe9c6d914c4b8d9can);
  });

  test("equals the plain one over any bytes, in pieces, on either side of the boundary", () => {
    const { rdb, memory } = new Bench();
    const room = memory.alloc(4096);
    const check = (data: Uint8Array, cut: number, shift: number): void => {
      const expected = plainCrc64(0n, data);
      const at = Math.min(cut, data.length);
      expect(rdb.crc64(rdb.crc64(0n, data.subarray(0, at)), data.subarray(at))).toBe(expected);
      memory.bytes.set(data, room + shift);
      expect(rdb.crc64(0n, memory.bytes.subarray(room + shift, room + shift + data.length))).toBe(expected);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), fc.nat(9), check));
  });
});

describe("DUMP payloads", () => {
  test("of the forms Redis has, byte for byte", () => {
    const bench = new Bench();
    const body = (value: string): string => hex(bench.dump(bytes(value)).subarray(0, -10));
    expect(body("")).toBe("0000");
    expect(body("12")).toBe("00c00c");
    expect(body("-128")).toBe("00c080");
    expect(body("128")).toBe("00c18000");
    expect(body("-32769")).toBe("00c2ff7fffff");
    expect(body("2147483647")).toBe("00c2ffffff7f");
    expect(body("2147483648")).toBe(`000a${hex(bytes("2147483648"))}`);
    expect(body("-9223372036854775808")).toBe(`0014${hex(bytes("-9223372036854775808"))}`);
    expect(body("+1")).toBe("00022b31");
    expect(body("a".repeat(20))).toBe(`0014${"61".repeat(20)}`);
    expect(body("a".repeat(21))).toBe("00c30615016161e00a00");
    expect(body("ab".repeat(32)).startsWith("00c3")).toBe(true);
    bench.rdb.compression = false;
    expect(body("a".repeat(64))).toBe(`004040${"61".repeat(64)}`);
  });

  test("give back what they were made of", () => {
    const bench = new Bench();
    const words = fc
      .array(fc.constantFrom("ab", "hello ", "\0\0\0\0", "xyz", "q"), { maxLength: 400 })
      .map((parts) => bytes(parts.join("")));
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      words,
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((n) => bytes(String(n))),
    );
    fc.assert(
      fc.property(value, (original) => {
        const dumped = bench.dump(original);
        expect(hex(bench.restore(dumped))).toBe(hex(original));
      }),
      { numRuns: 1000 },
    );
  });

  test("of long compressible values expand with the plain LZF too", () => {
    const bench = new Bench();
    const value = Buffer.alloc(300_000, "the quick brown fox jumps over the lazy dog. ");
    for (let i = 0; i < value.length; i += 1000) value[i] = (i * 7) & 255;
    const dumped = bench.dump(value);
    expect([dumped[0], dumped[1], (dumped[2] as number) >> 6, dumped[4]]).toEqual([0, 0xc3, 1, 0x80]);
    const packed = (((dumped[2] as number) & 63) << 8) | (dumped[3] as number);
    expect(new DataView(dumped.buffer, dumped.byteOffset).getUint32(5)).toBe(value.length);
    expect(hex(plainDecompress(dumped.subarray(9, 9 + packed), value.length) as Uint8Array)).toBe(hex(value));
    expect(hex(bench.restore(dumped))).toBe(hex(value));
  });

  test("are refused when cut, changed, or of a newer version", () => {
    const bench = new Bench();
    const good = bench.dump(bytes("some value"));
    const rejected = "ERR DUMP payload version or checksum are wrong";
    for (let length = 0; length < good.length; length++) {
      expect(() => bench.restore(good.slice(0, length))).toThrow(rejected);
    }
    for (let at = 0; at < good.length; at++) {
      const changed = good.slice();
      changed[at] = (changed[at] as number) ^ 0x40;
      expect(() => bench.restore(changed)).toThrow(rejected);
    }
    expect(() => bench.restore(payload([0, 1, 97], 11))).toThrow(rejected);
    expect(hex(bench.restore(payload([0, 1, 97], 1)))).toBe("61");
  });

  test("with a right footer around nonsense are bad data", () => {
    const bench = new Bench();
    const nonsense = [[], [0], [8, 1], [99, 1, 97], [0, 5, 97], [0, 0x80, 1], [0, 0x82], [0, 0xc4, 0], [0, 0xc2, 1, 2], [0, 0xc3, 4, 9]]; // prettier-ignore
    for (const value of nonsense) expect(() => bench.restore(payload(value))).toThrow("ERR Bad data format");
    expect(() => bench.restore(payload([0, 0x81, 0, 0, 0, 1, 0, 0, 0, 0, 97]))).toThrow(
      "ERR Bad data format",
    );
    for (const type of [6, 7, 15, 19]) {
      expect(() => bench.restore(payload([type, 1, 1, 97]))).toThrow("neither streams nor modules' values");
    }
  });

  test("that come in pieces claim no element longer than a string may be", () => {
    const bench = new Bench();
    const [limit, beyond] = [
      [0x80, 0x20, 0, 0, 0],
      [0x80, 0x20, 0, 0, 1],
    ];
    const far = [0x81, 0, 0, 0, 1, 0, 0, 0, 0];
    const begin = (type: number, value: readonly number[]): number => {
      const incoming = bench.rdb.incoming(Uint8Array.of(107), type, 0, true, (code) => {
        throw new Error(`refused ${code}`);
      });
      incoming.feed(Uint8Array.from(value));
      const { needed } = incoming;
      incoming.abandon();
      return needed;
    };
    // Lists, sets, hashes and sorted sets of elements, and those that are one string.
    for (const [type, head] of [
      [1, [1]],
      [2, [1]],
      [4, [1]],
      [5, [1]],
      [4, [1, 1, 97]],
      [18, [1, 2]],
      [16, []],
      [11, []],
      [17, []],
    ] as const) {
      expect(begin(type, [...head, ...limit])).toBeGreaterThan(1 << 29);
      for (const length of [beyond, far, [0xc3, ...beyond, 5], [0xc3, 0x80, 0, 0x80, 0, 0, ...beyond]])
        expect(() => begin(type, [...head, ...length])).toThrow("refused");
    }
    bench.rdb.longestString = (1 << 29) + 1;
    expect(begin(1, [1, ...beyond])).toBeGreaterThan(1 << 29);
  });

  test("with damaged LZF never do harm", () => {
    const bench = new Bench();
    bench.restore(payload([0, 1, 97])); // what the first key takes
    const used = bench.memory.usedBytes;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.nat(3000), (packed, length) => {
        const value = [0, 0xc3, packed.length, 0x40 | (length >> 8), length & 255, ...packed];
        const expected = plainDecompress(packed, length);
        let found: Uint8Array | undefined;
        try {
          found = bench.restore(payload(value));
        } catch (error) {
          expect(String(error)).toContain("Bad data format");
        }
        // The plain one reads zeros past the end; what it refuses, the engine must refuse.
        if (expected === undefined) expect(found).toBeUndefined();
        else if (found !== undefined) expect(hex(found)).toBe(hex(expected));
      }),
      { numRuns: 3000 },
    );
    expect(() => bench.restore(payload([0, 0xc3, 2, 0x80, 0xff, 0xff, 0xff, 0xff, 0, 97]))).toThrow(
      "Bad data format",
    );
    expect(bench.memory.usedBytes - used).toBeLessThan(200_000);
  });
});

describe("long strings", () => {
  /** One that LZF can do something with, and one it cannot. */
  const texts = (random: Random, length: number): Buffer[] => [
    Buffer.from(
      Array.from({ length: length / 8 + 2 }, () => `${random.below(50)} words `)
        .join("")
        .slice(0, length),
    ),
    random.bytes(length),
  ];

  test("come back as they were, whatever a step does of them", async () => {
    await seeded((random) => {
      const bench = new Bench();
      for (const length of [65_535, 65_536, 65_537, 65_540, 200_000]) {
        for (const text of texts(random, length))
          for (const compression of [true, false]) {
            bench.rdb.compression = compression;
            const dumped = bench.dump(text);
            for (const budget of [700, 16_384, 100_000, 2 ** 31])
              expect(Buffer.from(bench.restore(dumped, budget)).equals(text)).toBe(true);
          }
      }
    });
  });

  test("damaged anywhere are bad data, or another string of that length", async () => {
    await seeded((random) => {
      const bench = new Bench();
      const crc = (start: bigint, part: Uint8Array): bigint => bench.rdb.crc64(start, part);
      for (const text of texts(random, 80_000)) {
        const value = bench.dump(text).subarray(0, -10);
        for (let i = 0; i < 300; i++) {
          const bad = Buffer.from(value);
          const at = random.below(random.pick([12, bad.length]));
          bad[at] = random.below(256);
          const cut = random.chance(0.3) ? bad.subarray(0, random.below(bad.length)) : bad;
          if (cut[0] !== 0) continue;
          const dumped = payload(cut, 10, crc);
          const outcomes = [2 ** 31, 5000].map((budget) => {
            try {
              return hex(bench.restore(dumped, budget));
            } catch (error) {
              if (!(error instanceof ReplyError)) throw error;
              return error.message;
            }
          });
          expect(outcomes[1]).toBe(outcomes[0]!);
        }
      }
    });
  });
});
