// What replicas are told about strings, lists and keys, record by record, as a replica of redis-server hears it.
import { connect } from "node:net";
import { beforeAll, expect, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import type { Client } from "../../support/client.ts";
import { InProcess, type Record } from "../../support/inprocess.ts";
import { type Random, seeded } from "../../support/random.ts";
import { ReplyReader } from "../../support/resp.ts";
import { startRedis } from "../../support/servers.ts";

/** Moments of expiry were reckoned by two clocks. */
const TOLERANCE_MS = 60_000;
const END = ["SET", "the end", "of a round"];

/** A replica that only listens: what the master sends behind its snapshot, as requests. */
class Listener {
  #bytes = Buffer.alloc(0);
  #snapshotLeft = -1;
  #reader = new ReplyReader();
  #records: Record[] = [];
  #wake: (() => void) | undefined;

  constructor(port: number) {
    const socket = connect(port, "127.0.0.1");
    scope.defer(() => void socket.destroy());
    socket.on("data", (chunk) => this.#received(Buffer.from(chunk)));
    socket.write("SYNC\r\n");
  }

  /** Done when the snapshot has passed: from here on every change is heard. */
  async ready(): Promise<void> {
    while (this.#snapshotLeft !== 0) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** Records up to the one that ends a round, without what only keeps the link alive. */
  async round(): Promise<Record[]> {
    for (;;) {
      const end = this.#records.findIndex((record) => record[1] === END[1]);
      if (end >= 0) return this.#records.splice(0, end + 1).slice(0, -1);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #received(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#snapshotLeft !== 0 && !this.#skipSnapshot()) return;
    this.#hear();
    this.#wake?.();
  }

  #hear(): void {
    this.#reader.feed(this.#bytes);
    this.#bytes = Buffer.alloc(0);
    for (let read = this.#reader.next(); read !== undefined; read = this.#reader.next()) {
      if (read.value.kind !== "array") throw new Error("the stream holds something other than requests");
      const record = read.value.items.map((item) =>
        item.kind === "bulk" ? item.bytes.toString("latin1") : "",
      );
      if (!["SELECT", "PING", "MULTI", "EXEC"].includes((record[0] ?? "").toUpperCase()))
        this.#records.push(record);
    }
  }

  /** Whether the snapshot, newlines and length before it, has passed. */
  #skipSnapshot(): boolean {
    if (this.#snapshotLeft < 0) {
      const head = /^\n*\$(\d+)\r\n/.exec(this.#bytes.toString("latin1", 0, 100));
      if (head === null) return false;
      this.#bytes = this.#bytes.subarray(head[0].length);
      this.#snapshotLeft = Number(head[1]);
    }
    const skipped = Math.min(this.#snapshotLeft, this.#bytes.length);
    this.#bytes = this.#bytes.subarray(skipped);
    this.#snapshotLeft -= skipped;
    return this.#snapshotLeft === 0;
  }
}

const scope = fileScope();
let redis: Client;
let listener: Listener;
beforeAll(async () => {
  const server = await startRedis(scope, { "repl-diskless-sync": "no", "repl-timeout": 3600 });
  redis = await server.connect();
  listener = new Listener(server.port);
  await listener.ready();
}, 30_000);

/** The same moment, give or take what two clocks differ. */
function isSame(theirs: string, ours: string): boolean {
  if (theirs === ours) return true;
  const isMoment = /^\d{13,}$/;
  return (
    isMoment.test(theirs) && isMoment.test(ours) && Math.abs(Number(theirs) - Number(ours)) <= TOLERANCE_MS
  );
}

function areSame(theirs: readonly Record[], ours: readonly Record[]): boolean {
  return (
    theirs.length === ours.length &&
    theirs.every((record, i) => {
      const other = ours[i] ?? [];
      return record.length === other.length && record.every((part, j) => isSame(part, other[j] ?? ""));
    })
  );
}

const REQUESTS = [
  "set a 1", "SET a 2", "set a 1 EX 100", "set a 2 px 100000", "set a 3 exat 4000000000", "set a 4 PXAT 4000000000000", "set a 5 nx",
  "set a 5 xx", "set a 5 xx get", "SeT a 6 gEt KeepTTL", "set a 7 get get xx", "set a 8 get", "set a 9 nx get", "set a 10 px 100000 get",
  "set a 11 get pxat 4000000000000", "set a 12 exat 4000000000 get xx", "set a 12 keepttl", "set a 12 xx keepttl", "set a 1 ex 0",
  "set a 1 ex 10000 ex 20000", "set a x y", "set b 1", "set b abc", "set c 3.0e3", "get a", "getex a", "getex a ex 100", "getex a px 100000",
  "getex a exat 4000000000", "getex a PXAT 4000000000000", "getex a exat 1", "getex a pxat 1", "getex a persist", "getex a ex abc",
  "getdel a", "getdel b", "getset a 1", "GETSET b abc", "setex a 100 v", "setex a 0 v", "psetex b 100000 v", "setnx a 1", "SETNX c 1",
  "append a 1", "append b xyz", "setrange a 3 abc", "setrange c 1 X", "incr a", "decr b", "incrby a 10", "decrby c -3", "incrbyfloat a 1.5",
  "incrbyfloat b 1e2", "incrbyfloat c -0.25", "incrbyfloat a nan", "mset a 1 b 2", "msetnx a 1 c 2", "msetnx d 1 e 2", "del a", "del a b c",
  "unlink b c", "del d e", "touch a b", "rename a b", "rename a a", "rename b c", "renamenx c a", "renamenx a a", "copy a b", "copy a c replace",
  "copy b a REPLACE", "copy a a", "persist a", "persist b", "expire a 100", "expire a 200 GT", "Expire b 100 nx", "expire c 100 xX", "expire a 10000 lt",
  "pexpire a 100000", "pexpire b 200000 gt", "expireat a 4000000000", "expireat b 4000000000 NX", "pexpireat a 4000000000000",
  "PEXPIREAT b 4000000000000 gt", "expire a -1", "expire b 0 nx", "pexpireat a 1", "expireat c 1 LT", "expire nokey 100", "lcs a b", "object encoding a",
  "move a 3", "scan 0", "keys *", "randomkey", "type a", "ttl a",
].map((line) => line.split(" ")); // prettier-ignore

const LIST_REQUESTS = [
  "rpush l 1 2 3", "LPUSH l a b", "rpush m x", "rpushx m y z", "lpushx none 1", "lpop l", "rpop l 2", "lpop l 0", "LPOP none 3", "rpop m 99",
  "lmpop 1 l left", "LMPOP 3 none m l right count 2", "lmpop 2 none m LEFT COUNT 99", "lmpop 1 none right", "lmpop 2 set l left", "set set 1",
  "lmove l m left right", "LMOVE l l right left", "lmove none l left left", "rpoplpush m l", "rpoplpush none m", "lset l 0 new", "lset l 99 x",
  "linsert l before 2 between", "LINSERT m after x behind", "linsert none before a b", "lrem l 0 a", "lrem l -1 2", "lrem l 1 nosuch",
  "ltrim l 0 -1", "ltrim l 1 -2", "LTRIM m 5 1", "ltrim none 0 1", "lrange l 0 -1", "lindex l 0", "lpos l 1", "llen l", "del m", "unlink l",
  "rename l m", "copy l m replace", "expire l 1000", "persist l",
].map((line) => line.split(" ")); // prettier-ignore

async function judge(requests: readonly (readonly string[])[]): Promise<void> {
  const ours = new InProcess({ nowMs: Date.now(), shortcuts: true });
  await redis.ok("FLUSHALL");
  await redis.pipeline([...requests, END]);
  const theirs = (await listener.round()).slice(1); // FLUSHALL
  // One by one, so that a difference is found where it arises.
  let at = 0;
  for (const request of requests) {
    const { records } = ours.run(...request);
    const expected = theirs.slice(at, at + records.length);
    if (!areSame(expected, records)) expect({ request, records }).toEqual({ request, records: expected });
    at += records.length;
  }
  expect(theirs.slice(at)).toEqual([]);
}

test("each request on keys that others left behind", async () => {
  await seeded(async (random: Random) => {
    for (let round = 0; round < 40; round++)
      await judge([...random.shuffle(REQUESTS), ...random.shuffle(REQUESTS)]);
  });
});

test("each request on lists that others left behind", async () => {
  await seeded(async (random: Random) => {
    for (let round = 0; round < 20; round++)
      await judge([...random.shuffle(LIST_REQUESTS), ...random.shuffle(LIST_REQUESTS)]);
  });
});

test("a replica is not told of requests that changed nothing", () => {
  const ours = new InProcess();
  ours.run("SET", "k", "v");
  for (const request of [
    ["SET", "k", "w", "NX"], ["SETNX", "k", "w"], ["GETEX", "k"], ["GETEX", "k", "PERSIST"], ["PERSIST", "k"], ["EXPIRE", "k", "100", "XX"],
    ["EXPIRE", "nokey", "100"], ["DEL", "nokey"], ["GETDEL", "nokey"], ["RENAME", "k", "k"], ["RENAMENX", "k", "k"], ["COPY", "nokey", "k"],
    ["INCRBYFLOAT", "k", "1"], ["APPEND", "k"], ["MOVE", "nokey", "1"], ["SET", "k", "v", "EX", "0"], ["SETRANGE", "nokey", "5", ""],
  ]) expect({ request, records: ours.run(...request).records }).toEqual({ request, records: [] }); // prettier-ignore
});

test("a replica that applies its master's requests deletes nothing by itself", () => {
  const ours = new InProcess({ keepsExpired: true });
  ours.run("SET", "k", "v");
  ours.run("PEXPIREAT", "k", "1");
  expect(ours.keys.size()).toBe(1);
});

test("keys that expired are deleted for replicas before what met them", () => {
  const ours = new InProcess();
  ours.run("SET", "k", "v", "PX", 5);
  ours.memory.nowMs += 10;
  expect(ours.run("SET", "k", "w", "EX", 10).records.map(([name]) => name)).toEqual(["DEL", "SET"]);
});
