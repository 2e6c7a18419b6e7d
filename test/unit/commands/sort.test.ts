// What random streams beside redis-server leave out of SORT: numbers at the edges, long lists, what replicas are told.
import { expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import { parseWeight } from "../../../src/commands/sort-order.ts";
import { InProcess } from "../../support/inprocess.ts";
import { plain } from "../../support/resp.ts";

// As redis-server 7.0.15 sorts them, each alone.
test.each([
  ["", 0],
  ["\0", 0],
  ["3\0x", 3],
  [" 7", 7],
  ["\t\n\v\f\r7", 7],
  ["00012", 12],
  ["+5", 5],
  ["5.", 5],
  [".5", 0.5],
  ["1e-5", 1e-5],
  ["0e999", 0],
  ["0x10", 16],
  ["0x.8", 0.5],
  ["0x1.8p3", 12],
  ["inf", Infinity],
  ["-Infinity", -Infinity],
  ["2.2250738585072014e-308", 2 ** -1022],
])("%j is a weight", (text, weight) => {
  expect(parseWeight(text)).toBe(weight);
});

test.each([
  "7 ",
  "7 \0",
  "a\0b",
  ".",
  "1e",
  "1e+",
  "0x",
  "0x.",
  "nan",
  "infinit",
  "1_0",
  "1e999",
  "-1e999",
  "1e-320",
  "5e-324",
  "2.2250738585072011e-308",
  "0x1p-1075",
])("%j is no weight", (text) => {
  expect(parseWeight(text)).toBeUndefined();
});

function withList(count: number): { readonly space: InProcess; readonly elements: readonly string[] } {
  const space = new InProcess();
  space.memory.setU32(abi.STATE_LIST_MAX_LISTPACK_SIZE, -2 >>> 0);
  const elements = Array.from({ length: count }, (_, i) => String((i * 7919) % count) + ".5".repeat(i % 2));
  for (let i = 0; i < count; i += 100) space.run("RPUSH", "l", ...elements.slice(i, i + 100));
  return { space, elements };
}

test("long lists are sorted, and a part of them found where it stands", () => {
  const { space, elements } = withList(20_000);
  const ask = (...args: string[]): unknown => plain(space.run(...args).reply.value);
  expect(ask("SORT", "l")).toEqual(elements.toSorted((a, b) => Number(a) - Number(b)));
  expect(ask("SORT", "l", "BY", "nosort", "LIMIT", "12345", "7")).toEqual(elements.slice(12_345, 12_352));
  expect(ask("SORT", "l", "BY", "nosort", "DESC", "LIMIT", "12345", "7")).toEqual(
    elements.toReversed().slice(12_345, 12_352),
  );
  expect(ask("SORT", "l", "DESC", "LIMIT", "0", "100", "STORE", "sorted")).toBe(100);
  expect(ask("LRANGE", "sorted", "0", "-1")).toEqual(
    elements.toSorted((a, b) => Number(b) - Number(a)).slice(0, 100),
  );
});

test("replicas are told of what is stored, and of nothing else", () => {
  const { space } = withList(10);
  expect(space.run("SORT", "l").records).toEqual([]);
  expect(space.run("SORT", "l", "STORE", "d").records).toEqual([["SORT", "l", "STORE", "d"]]);
  expect(space.run("SORT", "none", "STORE", "d").records).toEqual([["SORT", "none", "STORE", "d"]]);
  expect(space.run("SORT", "none", "STORE", "d").records).toEqual([]);
});
