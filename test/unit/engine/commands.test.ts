// Engine commands where exact replies matter; random streams against redis-server are the conformance tests' part.
import { expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import type { EngineName } from "../../../src/engine/exports.ts";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";

type Step = readonly [name: EngineName, args: readonly string[], reply: string | number];

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const NIL = "$-1\r\n";
const MAX = "9223372036854775807";

const scripts: readonly (readonly [title: string, steps: readonly Step[]])[] = [
  [
    "integers come back as they were spelled",
    [-1, 0, 9, 10, 99, 100, 12_345]
      .map(String)
      .concat(MAX, "-9223372036854775808", "01", "+1", "-0", "1 ", "", "-")
      .flatMap((text): Step[] => [
        ["set", ["k", text], "+OK\r\n"],
        ["get", ["k"], bulk(text)],
        ["strlen", ["k"], `:${text.length}\r\n`],
        ["getrange", ["k", "0", "-1"], bulk(text)],
      ]),
  ],
  [
    "counters stop at the edges",
    [
      ["incr", ["n"], ":1\r\n"],
      ["decrby", ["n", "3"], ":-2\r\n"],
      ["set", ["n", MAX], "+OK\r\n"],
      ["incr", ["n"], abi.REFUSED_OVERFLOW],
      ["incrby", ["n", `-${MAX}`], ":0\r\n"],
      ["decrby", ["n", "-9223372036854775808"], abi.REFUSED_DECREMENT_OVERFLOW],
      ["incrby", ["n", "1.0"], abi.REFUSED_NOT_INTEGER],
      ["incrby", ["n", "-9223372036854775808"], ":-9223372036854775808\r\n"],
      ["decr", ["n"], abi.REFUSED_OVERFLOW],
      ["set", ["s", "x"], "+OK\r\n"],
      ["incr", ["s"], abi.REFUSED_NOT_INTEGER],
    ],
  ],
  [
    "ranges",
    [
      ["setrange", ["s", "3", ""], ":0\r\n"],
      ["exists", ["s"], ":0\r\n"],
      ["setrange", ["s", "3", "abc"], ":6\r\n"],
      ["get", ["s"], bulk("\0\0\0abc")],
      ["setrange", ["s", "-1", "x"], abi.REFUSED_OFFSET],
      ["setrange", ["s", "536870911", "ab"], abi.REFUSED_STRING_TOO_LONG],
      ["setrange", ["s", "0", "xyz12345"], ":8\r\n"],
      ["getrange", ["s", "-3", "-2"], bulk("34")],
      ["getrange", ["s", "5", "2"], bulk("")],
      ["getrange", ["s", "-1", "-5"], bulk("")],
      ["getrange", ["s", "-100", MAX], bulk("xyz12345")],
      ["getrange", ["none", "0", "-1"], bulk("")],
      ["append", ["s", "!"], ":9\r\n"],
      ["append", ["new", "7"], ":1\r\n"],
      ["incr", ["new"], ":8\r\n"],
    ],
  ],
  [
    "many keys",
    [
      ["mset", ["a", "1", "b", "2", "a", "3"], "+OK\r\n"],
      ["mget", ["a", "b", "c"], `*3\r\n${bulk("3")}${bulk("2")}${NIL}`],
      ["mset", ["a", "1", "b"], abi.REFUSED_ARITY],
      ["msetnx", ["c", "1", "a", "9"], ":0\r\n"],
      ["msetnx", ["c", "1", "d", "9"], ":1\r\n"],
      ["exists", ["a", "a", "none"], ":2\r\n"],
      ["touch", ["a", "none"], ":1\r\n"],
      ["dbsize", [], ":4\r\n"],
      ["del", ["a", "a", "b", "none"], ":2\r\n"],
      ["dbsize", [], ":2\r\n"],
    ],
  ],
  [
    "one value for another",
    [
      ["setnx", ["k", "1"], ":1\r\n"],
      ["setnx", ["k", "2"], ":0\r\n"],
      ["set", ["fresh", "x"], "+OK\r\n"],
      ["get", ["k"], bulk("1")],
      ["del", ["k"], ":1\r\n"],
      ["get", ["k"], NIL],
      ["type", ["fresh"], "+string\r\n"],
      ["type", ["k"], "+none\r\n"],
    ],
  ],
];

test.each(scripts)("%s", (_, steps) => {
  const space = new Keyspace(1);
  for (const [name, args, reply] of steps)
    expect([name, args, space.run(name, ...args)]).toEqual([name, args, reply]);
});

test("times to live are rounded to the nearest second", () => {
  const space = new Keyspace(2);
  space.put("k", "v", 1_000_000 + 1499);
  expect(space.run("pttl", "k")).toBe(":1499\r\n");
  expect(space.run("ttl", "k")).toBe(":1\r\n");
  space.memory.nowMs = 1_000_000 - 1;
  expect(space.run("ttl", "k")).toBe(":2\r\n");
  expect(space.run("pexpiretime", "k")).toBe(":1001499\r\n");
  expect(space.run("expiretime", "k")).toBe(":1001\r\n");
  expect(space.run("ttl", "none")).toBe(":-2\r\n");
  expect(space.run("persist", "k")).toBe(":1\r\n");
  expect(space.run("persist", "k")).toBe(":0\r\n");
  expect(space.run("ttl", "k")).toBe(":-1\r\n");
});

test("what keeps the expiry and what ends it", () => {
  const space = new Keyspace(3);
  const expiry = (): number | undefined => space.keys.expireAtMs(bytesOf("k"));
  for (const [name, ...args] of [
    ["append", "x"],
    ["setrange", "1", "long enough to move the entry elsewhere"],
    ["incr"],
  ] as const) {
    space.put("k", "5", 2_000_000);
    space.run(name, "k", ...args);
    expect([name, expiry()]).toEqual([name, 2_000_000]);
  }
  for (const name of ["set", "mset"] as const) {
    space.put("k", "5", 2_000_000);
    space.run(name, "k", "6");
    expect([name, expiry()]).toEqual([name, 0]);
  }
  space.keys.setString(bytesOf("k"), bytesOf("7"), { expireAtMs: 3_000_000 });
  space.keys.setString(bytesOf("k"), bytesOf("text"), { keepTtl: true });
  expect(expiry()).toBe(3_000_000);
});

test("OBJECT ENCODING follows what was done to a string", () => {
  const space = new Keyspace(4);
  const encoding = (): string | undefined => space.keys.encoding(bytesOf("k"));
  const after = (name: EngineName, ...args: string[]): string | undefined => {
    space.run(name, "k", ...args);
    return encoding();
  };
  expect(encoding()).toBeUndefined();
  expect(after("set", "12")).toBe("int");
  expect(after("append", "3")).toBe("raw");
  expect(after("incr")).toBe("int");
  expect(after("set", "x".repeat(44))).toBe("embstr");
  expect(after("set", "x".repeat(45))).toBe("raw");
  expect(after("set", "short")).toBe("embstr");
  expect(after("setrange", "0", "")).toBe("embstr");
  expect(after("setrange", "0", "S")).toBe("raw");
  space.keys.setString(bytesOf("k"), bytesOf("12"), { plain: true });
  expect(encoding()).toBe("embstr");
});

test("values and keys too long for the short form", () => {
  const space = new Keyspace(5);
  for (const [keyLength, valueLength] of [
    [255, 65_535],
    [256, 1],
    [1, 65_536],
    [70_000, 3_000_000],
  ] as const) {
    const key = "k".repeat(keyLength);
    const value = "v".repeat(valueLength);
    space.run("set", key, value);
    expect(space.run("get", key)).toBe(bulk(value));
    expect(space.run("append", key, "!")).toBe(`:${valueLength + 1}\r\n`);
    space.keys.setExpire(bytesOf(key), 5_000_000);
    expect(space.run("get", key)).toBe(bulk(`${value}!`));
    expect(space.keys.rename(bytesOf(key), bytesOf("short"))).toBe(true);
    expect(space.keys.expireAtMs(bytesOf("short"))).toBe(5_000_000);
    expect(space.run("get", "short")).toBe(bulk(`${value}!`));
    expect(space.run("del", "short")).toBe(":1\r\n");
  }
  expect(space.keys.size()).toBe(0);
});

test("a string grown by appending moves seldom and is right to the byte", () => {
  const space = new Keyspace(6);
  let expected = "";
  for (let i = 0; i < 3000; i++) {
    const piece = String(i).repeat(1 + (i % 200));
    expected += piece;
    space.run("append", "k", piece);
  }
  expect(space.value("k") === expected).toBe(true);
});

test("null is written in the protocol spoken", () => {
  const space = new Keyspace(7);
  space.memory.setU32(abi.STATE_PROTOCOL, 3);
  expect(space.run("get", "none")).toBe("_\r\n");
  expect(space.run("mget", "none", "none")).toBe("*2\r\n_\r\n_\r\n");
});

test("rename and copy carry everything", () => {
  const space = new Keyspace(8);
  const [a, b] = [bytesOf("a"), bytesOf("b")];
  space.put("a", "12", 4_000_000);
  space.put("b", "old");
  expect(space.keys.rename(a, a)).toBe(true);
  expect(space.keys.copy(a, 3, b)).toBe(true);
  expect(space.value("b")).toBe("old");
  expect(space.keys.rename(a, b)).toBe(true);
  expect(space.keys.rename(a, b)).toBe(false);
  expect(space.keys.size()).toBe(1);
  space.memory.database = 3;
  expect([space.value("b"), space.keys.encoding(b), space.keys.expireAtMs(b)]).toEqual([
    "12",
    "int",
    4_000_000,
  ]);
  expect(space.keys.expiring()).toBe(1);
});
