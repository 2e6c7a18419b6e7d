import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Memory } from "../../../src/engine/memory.ts";
import { Rdb } from "../../../src/engine/rdb.ts";
import {
  type RdbCodec,
  RdbError,
  type RdbKey,
  RdbReader,
  type RdbSink,
} from "../../../src/replication/rdb-reader.ts";
import { rdbLength, RdbWriter } from "../../../src/replication/rdb-writer.ts";
import { plainCodec, plainCrc64 } from "../../support/rdbcodec.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const ascii = (value: string): number[] => [...new TextEncoder().encode(value)];
const string = (value: string): number[] => [...rdbLength(value.length), ...ascii(value)];

interface Seen {
  readonly aux: Record<string, string>;
  readonly sizes: number[][];
  readonly keys: {
    database: number;
    key: string;
    value: string;
    expireAtMs?: number;
    idle?: number;
    frequency?: number;
  }[];
}

const noCollection = (): never => {
  throw new RdbError("no collection was expected");
};

function recording(): { seen: Seen; sink: RdbSink } {
  const seen: Seen = { aux: {}, sizes: [], keys: [] };
  const sink: RdbSink = {
    aux: (name, value) => void (seen.aux[name] = value),
    collection: noCollection,
    resize: (...sizes) => void seen.sizes.push(sizes),
    string: (about: RdbKey, value) =>
      void seen.keys.push({
        database: about.database,
        key: text(about.key),
        value: text(value),
        ...(about.expireAtMs === undefined ? {} : { expireAtMs: about.expireAtMs }),
        ...(about.idleSeconds === undefined ? {} : { idle: about.idleSeconds }),
        ...(about.frequency === undefined ? {} : { frequency: about.frequency }),
      }),
  };
  return { seen, sink };
}

/** A whole file around `records`, with its checksum. */
function file(records: number[], version = 10): Uint8Array {
  const body = Uint8Array.from([...ascii(`REDIS${String(version).padStart(4, "0")}`), ...records, 255]);
  const all = new Uint8Array(body.length + 8);
  all.set(body);
  new DataView(all.buffer).setBigUint64(body.length, plainCrc64(0n, body), true);
  return all;
}

function read(bytes: Uint8Array, size = bytes.length, allowsRest = false): Seen {
  const { seen, sink } = recording();
  const reader = new RdbReader(sink, plainCodec, true, allowsRest);
  for (let at = 0; at < bytes.length; at += size) reader.feed(bytes.slice(at, at + size));
  reader.finish();
  return seen;
}

const EVERYTHING = [
  [250, ...string("redis-ver"), ...string("7.0.15")],
  [250, ...string("redis-bits"), 0xc0, 64],
  [254, 0, 251, 5, 2],
  [0, ...string("plain"), ...string("value")],
  [252, 0, 0x10, 0xa5, 0xd4, 0xe8, 0, 0, 0, 0, ...string("millis"), 0xc0, 0x80],
  [253, 0, 0xca, 0x9a, 0x3b, 0, ...string("seconds"), 0xc1, 0x39, 0x30],
  [248, 0x41, 0x00, 0, ...string("idle"), 0xc2, 0x15, 0xcd, 0x5b, 0x07],
  [249, 200, 0, ...string("frequency"), ...string("")],
  [245, 0, 244, 1, 2, 3],
  // LZF: "a" literal, then 20 bytes from one byte back.
  [254, 0x41, 0x00, 0, ...string("packed"), 0xc3, 5, 21, 0, 97, 0xe0, 11, 0],
  [0, 0x80, 0, 0, 0, 4, ...ascii("long"), 0x81, 0, 0, 0, 0, 0, 0, 0, 3, ...ascii("far")],
].flat();

describe("the RDB reader", () => {
  test("reads every opcode and string form, in pieces of every size", () => {
    const bytes = file(EVERYTHING, 12);
    const whole = read(bytes);
    expect(whole.aux).toEqual({ "redis-ver": "7.0.15", "redis-bits": "64" });
    expect(whole.sizes).toEqual([[0, 5, 2]]);
    expect(whole.keys).toEqual([
      { database: 0, key: "plain", value: "value" },
      { database: 0, key: "millis", value: "-128", expireAtMs: 1_000_000_000_000 },
      { database: 0, key: "seconds", value: "12345", expireAtMs: 1_000_000_000_000 },
      { database: 0, key: "idle", value: "123456789", idle: 256 },
      { database: 0, key: "frequency", value: "", frequency: 200 },
      { database: 256, key: "packed", value: "a".repeat(21) },
      { database: 256, key: "long", value: "far" },
    ]);
    for (let size = 1; size < bytes.length; size++) expect(read(bytes, size)).toEqual(whole);
  });

  test("takes every cut for an unfinished file", () => {
    const bytes = file(EVERYTHING, 12);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => read(bytes.slice(0, length), 7)).toThrow("ends in the middle");
    }
    expect(() => read(Uint8Array.from([...bytes, 0]))).toThrow("bytes after the end");
  });

  test("passes over what follows the end where that is nothing of ours, in pieces of every size", () => {
    const bytes = file(EVERYTHING, 12);
    const whole = read(bytes);
    const longer = Uint8Array.from([...bytes, ...ascii("f".repeat(40))]);
    for (let size = 1; size <= longer.length; size++) expect(read(longer, size, true)).toEqual(whole);
    expect(() => read(longer.subarray(0, bytes.length - 1), 7, true)).toThrow("ends in the middle");
  });

  test("finds any changed byte by the checksum, unless none was written", () => {
    const bytes = file([254, 0, 0, ...string("key"), ...string("value")]);
    for (let at = bytes.length - 8; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ 1;
      expect(() => read(damaged)).toThrow("wrong checksum");
    }
    const damaged = bytes.slice();
    damaged[bytes.length - 10] = (damaged[bytes.length - 10] as number) ^ 1;
    expect(() => read(damaged)).toThrow("wrong checksum");
    damaged.fill(0, bytes.length - 8);
    expect(read(damaged).keys).toEqual([{ database: 0, key: "key", value: "valud" }]);
  });

  test("refuses what this server cannot hold, naming it", () => {
    expect(() => read(file([15, ...string("mine"), 1]))).toThrow("cannot hold key mine: it is a stream");
    expect(() => read(file([7, ...string("m"), 0]))).toThrow("key m: it is a module's value");
    expect(() => read(file([22, ...string("h"), 0]))).toThrow("key h: it is a hash with fields that expire");
    expect(() => read(file([245, ...string("#!lua")]))).toThrow("functions");
    expect(() => read(file([246, 0]))).toThrow("functions");
    expect(() => read(file([247, 1]))).toThrow("modules");
    expect(() => read(file([99]))).toThrow("unknown value type 99");
    expect(() => read(file([], 13))).toThrow("RDB version 0013");
    expect(() => read(Uint8Array.from(ascii("RUBBISH00")))).toThrow("signature");
  });

  test("waits for no string longer than one may be, wherever it is claimed", () => {
    const far = [0x81, 0, 8, 0, 0, 0, 0, 0, 0];
    const beyond = [0x80, 0x20, 0, 0, 1];
    for (const length of [far, beyond, [0xc3, 5, ...far], [0xc3, ...far, 5], [0xc3, 5, ...beyond]]) {
      const places = [
        [0, ...string("key"), ...length],
        [0, ...length],
        [250, ...length],
        [250, ...string("name"), ...length],
        [245, ...length],
      ];
      for (const records of places) {
        const reader = new RdbReader(recording().sink, plainCodec);
        // Refused before another byte is asked for.
        expect(() => reader.feed(Uint8Array.from([...ascii("REDIS0010"), ...records]))).toThrow(RdbError);
      }
    }
    const reader = new RdbReader(recording().sink, plainCodec);
    reader.feed(Uint8Array.from([...ascii("REDIS0010"), 0, ...string("key"), 0x80, 0x20, 0, 0, 0]));
  });

  test("refuses a damaged compressed string", () => {
    expect(() => read(file([0, ...string("k"), 0xc3, 3, 21, 0xe0, 11, 0]))).toThrow("damaged");
  });
});

function written(): Uint8Array {
  const pieces: number[] = [];
  const writer = new RdbWriter(plainCrc64, (bytes) => void pieces.push(...bytes));
  const replication = { database: 0, replId: "ab".repeat(20), offset: 70_000 };
  writer.head({ createdAtMs: 1_700_000_000_999, usedMemory: 300, aofBase: false, replication });
  writer.entries(0, { keys: 100, expires: 0 }, Uint8Array.from([0, ...string("a"), ...string("1")]));
  writer.entries(0, { keys: 100, expires: 0 }, Uint8Array.from([0, ...string("b"), ...string("2")]));
  writer.entries(4, { keys: 70_000, expires: 1 }, Uint8Array.from([0, ...string("c"), ...string("3")]));
  writer.entries(5, { keys: 0, expires: 0 }, new Uint8Array(0));
  writer.end();
  return Uint8Array.from(pieces);
}

test("the RDB reader answers any damage with an RdbError", () => {
  const memory = new Memory({ seed: [1, 2, 3, 4], limitBytes: 64 * 1024 * 1024 });
  const engine = new Rdb(memory);
  const codec: RdbCodec = {
    longestString: engine.longestString,
    crc64: (crc, bytes) => engine.crc64(crc, bytes),
    decompress: (packed, length) => engine.decompress(packed, length),
  };
  const whole = file(EVERYTHING, 12);
  // Without a checksum every change reaches the reader.
  whole.fill(0, whole.length - 8);
  const damage = fc.array(fc.tuple(fc.integer({ min: 9, max: whole.length - 1 }), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(damage, fc.integer({ min: 1, max: 200 }), (changes, size) => {
      const bytes = whole.slice();
      for (const [at, value] of changes) bytes[at] = value;
      const reader = new RdbReader(recording().sink, codec);
      try {
        for (let at = 0; at < bytes.length; at += size) reader.feed(bytes.slice(at, at + size));
        reader.finish();
      } catch (error) {
        if (!(error instanceof RdbError)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});

describe("the RDB writer", () => {
  test("writes what the reader reads", () => {
    const seen = read(written(), 5);
    expect(seen.aux).toEqual({
      "redis-ver": "7.0.15",
      "redis-bits": "64",
      ctime: "1700000000",
      "used-mem": "300",
      "repl-stream-db": "0",
      "repl-id": "ab".repeat(20),
      "repl-offset": "70000",
      "aof-base": "0",
    });
    expect(seen.sizes).toEqual([[0, 100, 0], [4, 70_000, 1]]); // prettier-ignore
    expect(seen.keys.map(({ database, key, value }) => [database, key, value])).toEqual([
      [0, "a", "1"],
      [0, "b", "2"],
      [4, "c", "3"],
    ]);
  });

  test("writes lengths in as few bytes as Redis", () => {
    expect(rdbLength(63)).toEqual([63]);
    expect(rdbLength(64)).toEqual([0x40, 64]);
    expect(rdbLength(16_383)).toEqual([0x7f, 255]);
    expect(rdbLength(16_384)).toEqual([0x80, 0, 0, 0x40, 0]);
    expect(rdbLength(0xffffffff)).toEqual([0x80, 255, 255, 255, 255]);
    expect(rdbLength(2 ** 32)).toEqual([0x81, 0, 0, 0, 1, 0, 0, 0, 0]);
  });
});
