// Commands of all types in an engine that has hardly a block left, beside one that has all it wants: what is refused leaves
// everything as it was, what is done is done whole, and in the end nothing is left behind.
import { expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import { hashStep } from "../../conformance/hashes.stream.ts";
import { isProbe } from "../../conformance/harness/step.ts";
import { listStep } from "../../conformance/lists.stream.ts";
import { mixedStep } from "../../conformance/mixed.stream.ts";
import { setStep } from "../../conformance/sets.stream.ts";
import { sortingStep } from "../../conformance/sort.stream.ts";
import { sortedSetStep } from "../../conformance/sortedsets.stream.ts";
import { InProcess } from "../../support/inprocess.ts";
import { type Random, seeded } from "../../support/random.ts";
import { type Argument, plain } from "../../support/resp.ts";
import { Squeeze } from "../../support/squeeze.ts";

const MIB = 2 ** 20;
const STREAMS = [mixedStep, listStep, hashStep, setStep, sortedSetStep, sortingStep];
const LIMITS = new Map([
  ["list-max-listpack-size", abi.STATE_LIST_MAX_LISTPACK_SIZE],
  ["list-compress-depth", abi.STATE_LIST_COMPRESS_DEPTH],
  ["hash-max-listpack-entries", abi.STATE_HASH_MAX_ENTRIES],
  ["hash-max-listpack-value", abi.STATE_HASH_MAX_VALUE],
  ["set-max-intset-entries", abi.STATE_SET_MAX_INTSET],
  ["zset-max-listpack-entries", abi.STATE_ZSET_MAX_ENTRIES],
  ["zset-max-listpack-value", abi.STATE_ZSET_MAX_VALUE],
]);
/** What needs a server, or is answered by chance (SPOP is known by its record). */
const LEFT_OUT = new Set([
  "select", "swapdb", "move", "flushall", "flushdb", "object", "multi", "exec", "scan", "sscan", "hscan", "zscan", "keys",
  "randomkey", "srandmember", "hrandfield", "zrandmember", "lolwut", "lcs", "config",
]); // prettier-ignore
/** Of a set that is not sorted, a result has whatever order the set has; a payload tells how a value is kept. */
const UNORDERED = new Set(["sort", "sort_ro", "dump"]);

const key = (random: Random): string => `{f}${random.below(8)}`;

function list<T>(random: Random, make: () => T): T[] {
  return Array.from({ length: random.pick([1, 2, 3, 5, 10, 30, 100, 300]) }, make);
}

/** Of all sizes, so that blocks of all sizes are needed. */
function word(random: Random): string {
  return random.weighted<string>([
    [6, () => String(random.below(200))],
    [6, () => `member:${random.below(2000)}`],
    [2, () => "x".repeat(random.below(random.pick([100, 300, 2000, 10_000]))) + String(random.below(9))],
    [0.05, () => "y".repeat(random.pick([20_000, 70_000]))],
  ]);
}

/** Requests of many elements, which grow and convert what they meet. */
function largeRequest(random: Random): Argument[] {
  const from = key(random);
  const to = key(random);
  const place = (): string => String(random.between(-300, 300));
  const some = String(random.below(random.pick([3, 50, 300])));
  return random.weighted<Argument[]>([
    [3, () => ["SADD", to, ...list(random, () => String(random.below(2000)))]],
    [4, () => ["SADD", to, ...list(random, () => word(random))]],
    [5, () => ["HSET", to, ...list(random, () => [word(random), word(random)]).flat()]],
    [5, () => ["ZADD", to, ...list(random, () => [String(random.below(100)), word(random)]).flat()]],
    [5, () => [random.pick(["RPUSH", "LPUSH"]), to, ...list(random, () => word(random))]],
    [2, () => ["MSET", ...list(random, () => [`{f}k${random.below(50)}`, word(random)]).flat()]],
    [2, () => [random.pick(["SREM", "HDEL", "ZREM"]), to, ...list(random, () => word(random))]],
    [3, () => [random.pick(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]), to, from, key(random)]],
    [3, () => [random.pick(["ZINTERSTORE", "ZUNIONSTORE", "ZDIFFSTORE"]), to, "2", from, key(random)]],
    [2, () => ["ZRANGESTORE", to, from, place(), place()]],
    [2, () => [random.pick(["SPOP", "ZPOPMIN", "ZPOPMAX", "LPOP", "RPOP"]), to, some]],
    [2, () => [random.pick(["ZINCRBY", "HINCRBYFLOAT"]), to, ...random.shuffle(["7", word(random)])]],
    [3, () => ["LMOVE", from, to, random.pick(["LEFT", "RIGHT"]), random.pick(["LEFT", "RIGHT"])]],
    [2, () => ["SMOVE", from, to, word(random)]],
    [2, () => ["LINSERT", to, "BEFORE", word(random), word(random)]],
    [2, () => ["LSET", to, place(), word(random)]],
    [2, () => ["LTRIM", to, place(), place()]],
    [4, () => [random.pick(["RENAME", "RENAMENX", "COPY"]), from, to]],
    [3, () => ["COPY", from, to, "REPLACE"]],
    [3, () => ["SORT", from, "ALPHA", "STORE", to]],
    [2, () => [random.pick(["SMEMBERS", "HGETALL", "DUMP"]), to]],
    [2, () => [random.pick(["SET", "APPEND"]), to, word(random)]],
    [3, () => ["DEL", to]],
  ]);
}

class Twins {
  readonly tight: InProcess;
  readonly free: InProcess;
  readonly #squeeze: Squeeze;
  refused = 0;
  done = 0;

  constructor(readonly random: Random) {
    const protocol = random.pick([2, 3] as const);
    this.tight = new InProcess({ protocol, limitBytes: random.pick([4, 6, 8, 12]) * MIB });
    this.free = new InProcess({ protocol });
    this.#squeeze = new Squeeze(this.tight.memory, random);
    for (const at of LIMITS.values()) this.#limit(at, 64);
    for (let kind = 0; kind <= abi.EVENT_ZPOPMAX; kind++) this.tight.memory.want(kind, random.chance(0.5));
  }

  #limit(at: number, value: number): void {
    for (const { memory } of [this.tight, this.free]) memory.setU32(at, value);
  }

  step(): void {
    const { random } = this;
    if (random.chance(0.02))
      this.#limit(random.pick([...LIMITS.values()]), random.pick([0, 1, 3, 16, 128, 512]));
    const step = random.chance(0.6) ? { args: largeRequest(random) } : random.pick(STREAMS)(random, "alone");
    if (isProbe(step) || LEFT_OUT.has(nameOf(step.args)) || lengthOf(step.args) > MOST_BYTES) return;
    try {
      this.run(step.args);
    } catch (error) {
      throw new Error(`at ${step.args.map((arg) => String(arg).slice(0, 40)).join(" ")}`, { cause: error });
    }
  }

  run(args: readonly Argument[]): void {
    const { tight, free } = this;
    const before = digestOf(tight);
    if (this.random.chance(0.9)) this.#squeeze.tighten();
    else this.#squeeze.loosen();
    const { reply, records } = tight.run(...args);
    if (reply.raw.toString().startsWith("-OOM")) {
      this.refused++;
      expect(digestOf(tight)).toBe(before);
      return;
    }
    this.done++;
    if (nameOf(args) === "spop") {
      for (const record of records) free.run(...record.map((part) => Buffer.from(part, "latin1")));
    } else {
      const { reply: expected } = free.run(...args);
      if (!UNORDERED.has(nameOf(args))) expect(sorted(reply.raw)).toEqual(sorted(expected.raw));
    }
    expect(digestOf(tight)).toBe(digestOf(free));
  }

  /** Bytes in use when all keys are gone. */
  emptied(): number {
    this.#squeeze.loosen();
    for (const { memory } of [this.tight, this.free]) {
      for (let db = 0; db < abi.DATABASE_COUNT; db++) memory.wasm.flushDatabase(db);
      while (memory.wasm.releaseWaiting(1e6) !== 0);
    }
    for (const engine of [this.tight, this.free]) engine.run("SPOP", "nothing");
    return this.tight.memory.usedBytes;
  }
}

/** What a request may have so that it comes in at once. */
const MOST_BYTES = 500_000;
const lengthOf = (args: readonly Argument[]): number =>
  args.reduce<number>(
    (sum, arg) => sum + (arg instanceof Uint8Array ? arg.length : Buffer.byteLength(String(arg))),
    0,
  );
const nameOf = (args: readonly Argument[]): string => String(args[0]).toLowerCase();
const digestOf = (engine: InProcess): string => Buffer.from(engine.rdb.digest()).toString("hex");
/** Tables that could not grow show their elements in another order. */
const sorted = (bytes: Buffer): Uint8Array => bytes.toSorted();

test("with hardly a block left, a command does all or nothing, and forgets nothing", async () => {
  await seeded((random) => {
    const twins = new Twins(random);
    const used: number[] = [];
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 500; i++) twins.step();
      used.push(twins.emptied());
    }
    expect(twins.done).toBeGreaterThan(500);
    expect(twins.refused).toBeGreaterThan(200);
    // Buffers grow to what requests and replies need and stay so; what is lost would be more after every round.
    expect(used.some((bytes, round) => round > 0 && bytes <= used[round - 1]!)).toBe(true);
    expect(Math.max(...used) - used[0]!).toBeLessThan(MIB);
  });
}, 30_000);

test("requests of many sizes find that there are too few pages for so many sizes of blocks", async () => {
  await seeded((random) => {
    const twins = new Twins(random);
    for (let i = 0; i < 400; i++) {
      const words = Array.from({ length: 40 }, (_, n) => "z".repeat(random.below(8000)) + String(n));
      const [command, args] = random.pick<[string, string[]]>([
        ["MSET", words.flatMap((text, n) => [`{f}k${n}`, text])],
        ["HSET", ["{f}h", ...words.flatMap((text, n) => [`f${n}`, text])]],
        ["SADD", ["{f}s", ...words]],
        ["ZADD", ["{f}z", ...words.flatMap((text, n) => [String(n), text])]],
        ["RPUSH", ["{f}l", ...words]],
        ["DEL", ["{f}h", "{f}s", "{f}z", "{f}l"]],
      ]);
      twins.run([command, ...args]);
      if (i % 20 === 19) twins.emptied();
    }
    expect(twins.refused).toBeGreaterThan(20);
    expect(twins.done).toBeGreaterThan(20);
  });
}, 30_000);

test("LREM sees every node, of whatever length, or refuses", async () => {
  await seeded((random) => {
    const engine = new InProcess();
    const { memory } = engine;
    memory.setU32(abi.STATE_LIST_MAX_LISTPACK_SIZE, 1);
    // Each node, packed but for those at the ends, is expanded into a block of another size.
    const elements = Array.from({ length: 40 }, (_, i) => String.fromCharCode(65 + i).repeat(1000 + i * 750));
    for (const element of elements) engine.run("RPUSH", "k", element);
    const squeeze = new Squeeze(memory, random);
    memory.setF64(abi.STATE_MEMORY_LIMIT, memory.bytes.length);
    squeeze.fill();
    const remove = (count: number, index: number): unknown => {
      const all = memory.bytes.length;
      for (let pages = 0; pages < 200; pages++) {
        memory.setF64(abi.STATE_MEMORY_LIMIT, all + pages * 65_536);
        const { value } = engine.run("LREM", "k", count, elements[index]!).reply;
        if (value.kind !== "error") return [pages > 0, plain(value)];
      }
      return "refused";
    };
    expect(remove(0, 30)).toEqual([true, 1]);
    squeeze.fill();
    expect(remove(-1, 12)).toEqual([true, 1]);
    squeeze.loosen();
    const left = elements.filter((_, i) => i !== 30 && i !== 12);
    expect(plain(engine.run("LRANGE", "k", 0, -1).reply.value)).toEqual(left);
  });
});
