import { describe, expect, test } from "bun:test";
import { Keys } from "../../../src/engine/keys.ts";
import { Memory } from "../../../src/engine/memory.ts";
import { Rdb } from "../../../src/engine/rdb.ts";
import { RdbReader } from "../../../src/replication/rdb-reader.ts";
import { RdbWriter } from "../../../src/replication/rdb-writer.ts";
import { Snapshot, type SnapshotSource } from "../../../src/replication/snapshot.ts";

const bytes = (value: string): Uint8Array => Buffer.from(value);
const text = (value: Uint8Array): string => Buffer.from(value).toString();

/** A keyspace and a snapshot of it whose bytes are kept. */
class Bench {
  readonly memory = new Memory({ seed: [1, 2, 3, 4] });
  readonly keys = new Keys(this.memory, () => 0.5);
  readonly rdb = new Rdb(this.memory);
  readonly pieces: Uint8Array[] = [];
  snapshot: Snapshot | undefined;

  set(database: number, key: string, value: string, expireAtMs?: number): void {
    this.about(database, key);
    this.keys.setString(bytes(key), bytes(value), expireAtMs === undefined ? {} : { expireAtMs });
  }

  delete(database: number, key: string): void {
    this.about(database, key);
    this.keys.delete(bytes(key));
  }

  begin(): Snapshot {
    const source: SnapshotSource = {
      databases: () => [0, 1, 2, 3].filter((database) => this.keys.size(database) > 0),
      sizes: (database) => ({ keys: this.keys.size(database), expires: this.keys.expiring(database) }),
      serialise: (database, slot, write) => this.rdb.slot(database, slot, write),
    };
    const checksum = (crc: bigint, piece: Uint8Array): bigint => this.rdb.crc64(crc, piece);
    const writer = new RdbWriter(checksum, (piece) => void this.pieces.push(piece.slice()));
    this.snapshot = new Snapshot(source, writer, { createdAtMs: 0, usedMemory: 0, aofBase: false });
    return this.snapshot;
  }

  /** What a reader finds: `database/key` to value and expiry; a key met twice is an error. */
  read(): Map<string, string> {
    const found = new Map<string, string>();
    const reader = new RdbReader(
      {
        aux: () => {},
        resize: () => {},
        collection: () => {
          throw new Error("no collection was expected");
        },
        string: ({ database, key, expireAtMs }, value) => {
          const name = `${database}/${text(key)}`;
          if (found.has(name)) throw new Error(`${name} twice`);
          found.set(name, `${text(value)}@${expireAtMs}`);
        },
      },
      {
        longestString: this.rdb.longestString,
        crc64: (crc, piece) => this.rdb.crc64(crc, piece),
        decompress: (packed, length) => this.rdb.decompress(packed, length),
      },
    );
    for (const piece of this.pieces) reader.feed(piece);
    reader.finish();
    return found;
  }

  private about(database: number, key: string): void {
    this.memory.database = database;
    const ptr = this.memory.alloc(key.length);
    this.memory.bytes.set(bytes(key), ptr);
    this.snapshot?.beforeWrite(this.memory.slotOf({ ptr, length: key.length }));
    this.memory.free(ptr);
  }
}

describe("a snapshot", () => {
  test("of nothing is a head and an end", () => {
    const bench = new Bench();
    bench.begin().complete();
    expect(bench.read().size).toBe(0);
  });

  test("holds every database, short and long values, numbers and expiries", () => {
    const bench = new Bench();
    bench.set(0, "a", "1");
    bench.set(0, "b", "x".repeat(100_000), 1_900_000_000_123);
    bench.set(3, "1234567", "-77", 1);
    bench.begin().complete();
    expect([...bench.read()].toSorted()).toEqual([
      ["0/a", "1@undefined"],
      ["0/b", `${"x".repeat(100_000)}@1900000000123`],
      ["3/1234567", "-77@1"],
    ]);
  });

  test("is the state at the cut whatever is written while it goes on", () => {
    const seed = 4711;
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 5; round++) {
      const bench = new Bench();
      const model = new Map<string, string>();
      const change = (count: number): void => {
        for (let i = 0; i < count; i++) {
          const database = random(3);
          const key = `key:${random(3000)}`;
          if (random(4) === 0) {
            bench.delete(database, key);
            model.delete(`${database}/${key}`);
          } else {
            const expireAtMs = random(3) === 0 ? 2_000_000_000_000 + i : undefined;
            const value = random(2) === 0 ? String(i) : `value ${i} `.repeat(random(10) + 1);
            bench.set(database, key, value, expireAtMs);
            model.set(`${database}/${key}`, `${value}@${expireAtMs}`);
          }
        }
      };
      change(8000);
      const atCut = new Map(model);
      const snapshot = bench.begin();
      while (!snapshot.isDone) {
        let slots = 50;
        snapshot.step(() => --slots > 0);
        change(30);
        if (random(40) === 0) {
          snapshot.complete();
          bench.keys.flush(1);
          for (const key of model.keys()) if (key.startsWith("1/")) model.delete(key);
        }
      }
      const found = bench.read();
      expect(found.size).toBe(atCut.size);
      for (const [key, value] of atCut) {
        if (found.get(key) !== value)
          throw new Error(`seed ${seed}: ${key} is ${found.get(key)}, not ${value}`);
      }
    }
  });
});
