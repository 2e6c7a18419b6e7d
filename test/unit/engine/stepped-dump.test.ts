import { describe, expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import { HOW_TRACELESS } from "../../../src/engine/keys.ts";
import { Rdb } from "../../../src/engine/rdb.ts";
import type { SteppedDump } from "../../../src/engine/stepped-dump.ts";
import type { Slice } from "../../../src/resp/reply.ts";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";
import { Random, seeded } from "../../support/random.ts";

/** Longest string that is written at once, and what a piece of a hash or list may be near to. */
const WHOLE = 65536;
const DATABASE = 3;

const hash = (bytes: Uint8Array): string => `${bytes.length} ${Bun.hash(bytes).toString(16)}`;

/** A text of a length that is likely to be near a threshold; LZF can do much, little or nothing with it. */
function textOf(random: Random, length: number): string {
  return random.pick([
    () => random.bytes(length).toString("latin1"),
    () => "compressible ".repeat(length / 13 + 1).slice(0, length),
    () =>
      Array.from({ length: length / 8 + 1 }, () => `${random.below(100)} abcd `)
        .join("")
        .slice(0, length),
    () => (random.bytes(length >> 1).toString("latin1") + "x".repeat(length)).slice(0, length),
  ])();
}

const longLength = (random: Random): number =>
  random.pick([
    () => WHOLE + random.between(-70, 2),
    () => random.between(WHOLE, 4 * WHOLE),
    () => 2 * WHOLE + random.between(-20, 20),
  ])();

class Bench extends Keyspace {
  readonly rdb = new Rdb(this.memory);

  constructor(readonly random: Random) {
    super(random.seed);
    this.memory.database = DATABASE;
    const limits = [
      [abi.STATE_LIST_MAX_LISTPACK_SIZE, random.pick([-2, -2, 3, -5])],
      [abi.STATE_HASH_MAX_ENTRIES, random.pick([20, 100_000])],
      [abi.STATE_HASH_MAX_VALUE, 64],
      [abi.STATE_SET_MAX_INTSET, random.pick([20, 100_000])],
      [abi.STATE_ZSET_MAX_ENTRIES, random.pick([20, 20_000])],
      [abi.STATE_ZSET_MAX_VALUE, 64],
    ] as const;
    for (const [at, value] of limits) this.memory.setU32(at, value);
  }

  slice(text: string): Slice {
    const bytes = bytesOf(text);
    const ptr = this.memory.alloc(Math.max(bytes.length, 1));
    this.memory.bytes.set(bytes, ptr);
    return { ptr, length: bytes.length };
  }

  begin(key: string): SteppedDump | undefined {
    const slice = this.slice(key);
    const dump = this.rdb.beginDump(slice);
    this.memory.free(slice.ptr);
    return dump;
  }

  /** What DUMP answers. */
  whole(key: string): Uint8Array {
    const slice = this.slice(key);
    const payload = this.memory.copy(this.rdb.dump(slice, HOW_TRACELESS)!);
    this.memory.free(slice.ptr);
    return payload;
  }

  /** Adds to a value of a random kind, in portions. */
  fill(key: string): void {
    const { random } = this;
    const kind = random.pick(["string", "integer", "list", "hash", "set", "integers", "zset"] as const);
    const count = random.pick([1, 12, 13, 40, 3000, 20_000]);
    const elements = Array.from(
      { length: count },
      (_, i) => `${random.pick(["", "element "])}${i} ${"y".repeat(random.below(30))}`,
    );
    for (let n = random.below(4); n > 0; n--)
      elements[random.below(count)] = textOf(random, longLength(random));
    const unique = [...new Set(elements)];
    for (let from = 0; from < unique.length; from += 5000) {
      const some = unique.slice(from, from + 5000);
      if (kind === "string")
        this.run("set", key, textOf(random, random.pick([0, 20, 21, 1000, longLength(random)])));
      else if (kind === "integer") this.run("set", key, String(random.below(2 ** 31)));
      else if (kind === "list") this.run("rpush", key, ...some);
      else if (kind === "hash") this.run("hset", key, ...some.flatMap((field) => [field, random.pick(some)]));
      else if (kind === "set") this.run("sadd", key, ...some);
      else if (kind === "integers") this.run("sadd", key, ...some.map((_, i) => String((from + i) * 70_000)));
      else this.run("zadd", key, ...some.flatMap((member) => [String(random.below(50)), member]));
    }
  }

  /** What may happen between two steps. */
  disturb(keys: readonly string[], kept: ReadonlySet<string>): void {
    const { random, memory } = this;
    const key = random.pick(keys);
    const other = `{t}other${random.below(30)}`;
    random.pick([
      () => this.run("lrange", key, String(random.below(100)), "-1"),
      () => this.run("hrandfield", key, "-20"),
      () => this.run("srandmember", key, "-20"),
      () => this.run("zrange", key, "0", "50"),
      () => this.run("get", key),
      () => {
        if (this.keys.type(bytesOf(key)) !== 0) this.whole(key);
      },
      () => this.run("rpush", other, ...Array.from({ length: 900 }, () => random.bytes(30).toString("hex"))),
      () => this.run("lpop", other, "700"),
      () => this.run("del", other),
      () => this.keys.release(50),
      () => {
        if (memory.beginDefrag()) while (memory.defrag(3000) && random.chance(0.97)) continue;
        memory.endDefrag();
        // Others take the places that were left.
        for (let i = 0; i < 3000; i++)
          this.run(
            "set",
            `{t}late${i}`,
            random.pick(["x", "\xff".repeat(8), "\xff".repeat(14), "\xff".repeat(40)]),
          );
        for (let i = 0; i < 3000; i++) this.run("del", `{t}late${i}`);
      },
      () => this.rdb.slot(DATABASE, memory.slotOf(this.#key("{t}")), () => {}),
      () => (this.rdb.compression = random.chance(0.5)),
      () => {
        // A neighbour in the slot's table comes or goes: that grows and shrinks.
        for (let i = 0; i < 60; i++) this.run("set", `{t}n${random.below(900)}`, "v");
        for (let i = 0; i < 60; i++) this.run("del", `{t}n${random.below(900)}`);
      },
      () => {
        if (!kept.has(key)) this.run("del", key);
      },
    ])();
  }

  #key(text: string): Slice {
    this.request("get", text);
    return this.args.at(1);
  }
}

describe("a payload written in steps", () => {
  test("is what DUMP answers, whatever happens between the steps", async () => {
    await seeded((random) => {
      let movedCount = 0;
      for (let round = 0; round < 4; round++) {
        const bench = new Bench(random);
        const keys = Array.from({ length: 12 }, (_, i) => `{t}${i}`);
        // Each has a neighbour that goes again: so its memory is sparse, and defragmentation moves what is left.
        for (const key of keys) {
          bench.fill(key);
          bench.fill(`${key} gone`);
        }
        for (const key of keys) bench.run("del", `${key} gone`);
        while (bench.keys.release(1000)) continue;
        const run = (key: string) => {
          bench.rdb.compression = random.chance(0.7);
          const expected = bench.whole(key);
          return { key, expected: hash(expected), dump: bench.begin(key)!, pieces: [] as Uint8Array[], budget: random.pick([1, 300, 8000, WHOLE, 200_000]) }; // prettier-ignore
        };
        const all = keys.map(run);
        const kept = new Set(keys.filter(() => random.chance(0.7)));
        const open = [...all];
        let steps = 0;
        while (open.length > 0) {
          const at = random.below(open.length);
          const { dump, pieces, budget, key } = open[at]!;
          bench.memory.database = random.below(16);
          // A small budget begins and ends steps at every place; only for a while, it takes long.
          pieces.push(dump.more(steps++ < 3000 ? budget : Math.max(budget, 20_000)));
          bench.memory.database = DATABASE;
          if (dump.state !== "open") open.splice(at, 1);
          if (dump.state === "gone") expect(kept.has(key)).toBe(false);
          if (random.chance(0.3)) bench.disturb(keys, kept);
        }
        for (const { key, dump, pieces, expected } of all) {
          dump.close();
          dump.close();
          if (dump.state === "gone") continue;
          const payload = Buffer.concat(pieces);
          expect(`${key} ${hash(payload)}`).toBe(`${key} ${expected}`);
          expect(dump.length).toBe(payload.length);
        }
        expect(all.some(({ dump }) => dump.state === "whole")).toBe(true);
        movedCount += bench.memory.takeMovedCount();
        bench.keys.flushAll();
        while (bench.keys.release(1000)) continue;
      }
      expect(movedCount).toBeGreaterThan(1000);
    });
  }, 120_000);

  test("is given up when the key has gone, and leaves nothing behind", async () => {
    await seeded((random) => {
      const bench = new Bench(random);
      const { memory } = bench;
      const put = (): void => {
        memory.nowMs = 1_000_000;
        bench.put("key", textOf(random, 3 * WHOLE), 2_000_000);
      };
      const ways: (() => void)[] = [
        () => bench.run("del", "key"),
        () => bench.keys.flushAll(),
        () => memory.wasm.flushSlot(memory.slotOf(bench.slice("key"))),
        () => (memory.nowMs = 2_000_001),
        () => memory.wasm.swapDatabases(DATABASE, 0),
        () => bench.run("set", "key", "another"),
      ];
      for (const leave of ways) {
        for (let steps = 0; steps < 8; steps++) {
          bench.keys.flushAll();
          put();
          const dump = bench.begin("key")!;
          for (let i = 0; i < steps; i++) if (dump.state === "open") dump.more(1);
          if (dump.state === "whole") break;
          leave();
          expect(dump.more(1)).toHaveLength(0);
          expect(dump.state).toBe("gone");
          dump.close();
        }
      }
      const used = (): number => {
        bench.keys.flushAll();
        while (bench.keys.release(1000)) continue;
        return memory.usedBytes;
      };
      const giveUp = (): number => {
        for (let steps = 0; steps < 40; steps++) {
          put();
          const dump = bench.begin("key")!;
          for (let i = 0; i < steps; i++) if (dump.state === "open") dump.more(1);
          dump.close();
        }
        return used();
      };
      const before = giveUp(); // with the block that what is written stands in
      expect(giveUp()).toBe(before);
    });
  });

  test("leaves no trace of having looked: no hit, no use of the key", () => {
    const bench = new Bench(new Random(1));
    bench.put("key", "value");
    const hits = bench.memory.getF64(abi.STATE_HITS);
    bench.memory.setU32(abi.STATE_ACCESS_CLOCK, 77);
    expect(bench.begin("none")).toBeUndefined();
    const dump = bench.begin("key")!;
    expect(Buffer.from(dump.more(1)).toString("latin1")).toContain("value");
    expect(dump.state).toBe("whole");
    dump.close();
    expect(bench.memory.getF64(abi.STATE_HITS)).toBe(hits);
    expect(bench.keys.accessClock(bytesOf("key"))).not.toBe(77);
  });
});
