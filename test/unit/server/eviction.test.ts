import { describe, expect, test } from "bun:test";
import { EVENT_EVICTED } from "../../../assembly/abi.ts";
import { patienceUs } from "../../../src/server/eviction.ts";
import type { Node } from "../../../src/server/node.ts";
import { fileScope } from "../../support/cleanup.ts";
import { eventually } from "../../support/eventually.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { bytesOf } from "../../support/keyspace.ts";
import { encodeRequest } from "../../support/resp.ts";

const scope = fileScope();
const VALUE = "v".repeat(100);
const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const KEYS = 4000;

interface Bench {
  readonly node: Node;
  readonly peer: Peer;
  /** Sets keys in one chunk each thousand; returns how many were refused. */
  fill(prefix: string, count: number, ...options: readonly string[]): number;
  held(prefix: string, count: number): number;
  /** Gives as much memory as is in use. */
  close(): void;
}

function start(policy: string, directives: Readonly<Record<string, string>> = {}): Bench {
  const node = bareNode(scope, { "maxmemory-policy": policy, ...directives });
  const peer = new Peer(node);
  return {
    node,
    peer,
    fill: (prefix, count, ...options) => {
      let refused = 0;
      for (let i = 0; i < count; i++) {
        if (peer.ask("SET", `${prefix}${i}`, VALUE, ...options) !== "+OK\r\n") refused++;
      }
      return refused;
    },
    held: (prefix, count) =>
      Array.from({ length: count }, (_, i) => node.keys.has(bytesOf(`${prefix}${i}`))).filter(Boolean).length,
    close: () => expect(peer.ask("CONFIG", "SET", "maxmemory", node.memory.usedBytes)).toBe("+OK\r\n"),
  };
}

test("without a policy writes that take memory are refused, and others are not", () => {
  const bench = start("noeviction");
  bench.fill("k", 100);
  bench.close();
  bench.peer.ask("SET", "one-more", VALUE);
  expect(bench.peer.ask("SET", "x", VALUE)).toBe(OOM);
  expect(bench.peer.ask("GET", "k1")).toContain(VALUE);
  expect(bench.peer.ask("DEL", "k1", "k2", "k3")).toBe(":3\r\n");
  expect(bench.peer.ask("SET", "k1", VALUE)).toBe("+OK\r\n");
  // What a flush has dropped is no reason to refuse, though its memory is still to be given back.
  bench.fill("k", 100);
  expect(bench.peer.ask("FLUSHALL")).toBe("+OK\r\n");
  expect(bench.fill("n", 50)).toBe(0);
});

test("room is made before anything runs, be it a read", () => {
  const bench = start("allkeys-lru");
  bench.fill("k", 10);
  expect(bench.peer.ask("DBSIZE")).toBe(":10\r\n");
  expect(bench.peer.ask("CONFIG", "SET", "maxmemory", 1)).toBe("+OK\r\n");
  expect(bench.peer.ask("GET", "k1")).toBe("$-1\r\n");
  expect(bench.peer.ask("DBSIZE")).toBe(":0\r\n");
});

describe.each([
  ["allkeys-lru", 0.95],
  ["allkeys-lfu", 0.95],
  ["volatile-lru", 0.95],
  ["volatile-lfu", 0.95],
])("%s", (policy, share) => {
  test("keeps the keys that are used", () => {
    const bench = start(policy);
    const { node, peer } = bench;
    const expiry = policy.startsWith("volatile") ? ["EX", "10000"] : [];
    bench.fill("hot", KEYS / 10, ...expiry);
    bench.fill("cold", KEYS, ...expiry);
    // A later second than that of the keys' making.
    node.memory.nowMs += 5000;
    node.eviction.tick();
    for (let again = 0; again < 30; again++) {
      for (let i = 0; i < KEYS / 10; i++) node.memory.wasm.typeOf(...at(node, `hot${i}`), 2);
    }
    bench.close();
    expect(bench.fill("new", KEYS * 0.7, ...expiry)).toBe(0);
    expect(bench.held("hot", KEYS / 10)).toBeGreaterThan((KEYS / 10) * share);
    expect(bench.held("cold", KEYS)).toBeLessThan(KEYS * 0.6);
    expect(node.changes.evictedKeys).toBeGreaterThan(KEYS * 0.5);
    expect(peer.ask("INFO", "stats")).toContain(`evicted_keys:${node.changes.evictedKeys}\r\n`);
  });
});

/** A key brought into linear memory. */
function at(node: Node, key: string): [number, number] {
  const bytes = bytesOf(key);
  node.memory.bytes.set(bytes, node.requests.ptr);
  return [node.requests.ptr, bytes.length];
}

test("volatile-ttl takes what expires soonest", () => {
  const bench = start("volatile-ttl");
  bench.fill("soon", KEYS, "EX", "1000");
  bench.fill("late", KEYS / 10, "EX", "100000");
  bench.fill("never", KEYS / 10);
  bench.close();
  expect(bench.fill("new", KEYS / 2, "EX", "100000")).toBe(0);
  expect(bench.held("late", KEYS / 10)).toBe(KEYS / 10);
  expect(bench.held("never", KEYS / 10)).toBe(KEYS / 10);
  expect(bench.held("soon", KEYS)).toBeLessThan(KEYS * 0.6);
});

test("a volatile policy refuses when nothing is left that expires", () => {
  for (const policy of ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"]) {
    const bench = start(policy);
    bench.fill("kept", 1000);
    bench.fill("gone", 20, "EX", "1000");
    bench.close();
    expect(bench.fill("new", 100)).toBeGreaterThan(50);
    expect(bench.held("gone", 20)).toBe(0);
    expect(bench.held("kept", 1000)).toBe(1000);
    expect(bench.peer.ask("SET", "x", VALUE)).toBe(OOM);
  }
});

test("the random policies take from everywhere", () => {
  for (const policy of ["allkeys-random", "volatile-random"]) {
    const bench = start(policy);
    bench.fill("{tag}", KEYS / 2, "EX", "1000");
    bench.fill("k", KEYS / 2, "EX", "1000");
    bench.close();
    expect(bench.fill("new", KEYS / 2, "EX", "1000")).toBe(0);
    for (const prefix of ["{tag}", "k"]) {
      const held = bench.held(prefix, KEYS / 2) / (KEYS / 2);
      expect([prefix, held > 0.5 && held < 0.9]).toEqual([prefix, true]);
    }
  }
});

test("keys are taken out of all databases", () => {
  const bench = start("allkeys-lru");
  bench.peer.ask("SELECT", "3");
  bench.fill("three", 1000);
  bench.node.memory.nowMs += 100_000;
  bench.node.eviction.tick();
  bench.peer.ask("SELECT", "0");
  bench.fill("zero", 1000);
  bench.close();
  bench.fill("new", 900);
  expect(bench.node.keys.size(3)).toBeLessThan(200);
});

test("replicas are told a DEL for each evicted key, before the request that made it go", () => {
  const bench = start("allkeys-random");
  const { node } = bench;
  const gone: string[] = [];
  bench.fill("k", 200);
  bench.close();
  node.changes.listener = (kind, _database, key) => {
    if (kind === EVENT_EVICTED) gone.push(Buffer.from(key).toString());
  };
  const log = node.mutations;
  const reader = log.open("test")!;
  bench.fill("n", 50);
  node.settle();
  const told = Buffer.from(log.peek(reader)).toString();
  expect(told.indexOf(gone[0]!)).toBeLessThan(told.indexOf("$2\r\nn1\r\n"));
  expect(told.match(/DEL\r\n/g)?.length).toBe(gone.length);
  expect(gone.length).toBeGreaterThan(30);
  expect(gone.length).toBe(node.changes.evictedKeys);
});

test("a lower ceiling is reached between requests, by the chores", async () => {
  const bench = start("allkeys-lru");
  bench.fill("k", KEYS);
  const ceiling = bench.node.memory.usedBytes - 200_000;
  bench.peer.ask("CONFIG", "SET", "maxmemory", ceiling);
  await eventually(() => bench.node.memory.usedBytes <= ceiling, 5000, "memory is below its ceiling");
  expect(bench.node.keys.size()).toBeGreaterThan(KEYS / 4);
});

test("OBJECT tells uses under an LFU policy and idle time under others", () => {
  const bench = start("allkeys-lfu", { "lfu-log-factor": "0" });
  bench.peer.ask("SET", "k", "x");
  expect(bench.peer.ask("OBJECT", "FREQ", "k")).toBe(":5\r\n");
  bench.peer.chunk(Buffer.concat(Array.from({ length: 10 }, () => encodeRequest(["GET", "k"]))));
  expect(bench.peer.ask("OBJECT", "FREQ", "k")).toBe(":15\r\n");
  expect(bench.peer.ask("SET", "k", VALUE)).toBe("+OK\r\n");
  expect(bench.peer.ask("OBJECT", "FREQ", "k")).toBe(":16\r\n");
  expect(bench.peer.ask("OBJECT", "IDLETIME", "k")).toContain("-ERR An LFU maxmemory policy is selected");
  expect(bench.peer.ask("OBJECT", "FREQ", "none")).toBe("$-1\r\n");
  for (let i = 0; i < 300; i++) bench.peer.ask("GET", "k");
  expect(bench.peer.ask("OBJECT", "FREQ", "k")).toBe(":255\r\n");
  // Three minutes later it has fallen by three, and slower where it is told to.
  bench.node.memory.nowMs += 180_000;
  bench.node.eviction.tick();
  const fallen = (): number => bench.node.keys.frequency(bytesOf("k"))!;
  expect(fallen()).toBe(252);
  bench.peer.ask("CONFIG", "SET", "lfu-decay-time", "3");
  bench.node.memory.nowMs += 180_000;
  bench.node.eviction.tick();
  expect(fallen()).toBe(254);
  bench.peer.ask("CONFIG", "SET", "lfu-decay-time", "0");
  expect(fallen()).toBe(255);
  bench.peer.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
  expect(bench.peer.ask("OBJECT", "FREQ", "k")).toContain("-ERR An LFU maxmemory policy is not selected");
});

test("the count of uses grows as their logarithm", () => {
  const bench = start("allkeys-lfu");
  const counts = Array.from({ length: 40 }, (_, i) => {
    bench.peer.ask("SET", `k${i}`, "x");
    for (let again = 0; again < 10; again++)
      bench.peer.chunk(Buffer.concat(Array.from({ length: 100 }, () => encodeRequest(["GET", `k${i}`]))));
    return bench.node.keys.frequency(bytesOf(`k${i}`))!;
  });
  // Redis's own table has 18 for 1000 uses at factor 10.
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  expect(mean).toBeGreaterThan(16);
  expect(mean).toBeLessThan(22);
});

test("patience grows with tenacity", () => {
  expect([0, 1, 10].map(patienceUs)).toEqual([0, 50, 500]);
  expect(patienceUs(11)).toBeCloseTo(575);
  expect(patienceUs(100)).toBe(Infinity);
});
