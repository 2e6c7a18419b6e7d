import { expect, test } from "bun:test";
import { Keyspace } from "../../support/keyspace.ts";

const space = new Keyspace(1);
const { args } = space;

test.each([
  ["0", 0n],
  ["7", 7n],
  ["-1", -1n],
  ["9007199254740993", 9007199254740993n],
  ["9223372036854775807", 9223372036854775807n],
  ["-9223372036854775808", -9223372036854775808n],
  ["9223372036854775808", undefined],
  ["-9223372036854775809", undefined],
  ["18446744073709551616", undefined],
  ["123456789012345678901", undefined],
  ["", undefined],
  ["-", undefined],
  ["-0", undefined],
  ["00", undefined],
  ["01", undefined],
  ["+1", undefined],
  [" 1", undefined],
  ["1 ", undefined],
  ["1.0", undefined],
  ["1e3", undefined],
  ["0x10", undefined],
])("the integer in %p", (text, value) => {
  space.request("name", text);
  expect(args.integer(1)).toBe(value);
  const isExact = value !== undefined && value >= -(2n ** 53n) + 1n && value < 2n ** 53n;
  expect(args.number(1)).toBe(isExact ? Number(value) : undefined);
});

test("words match whatever their case, and only whole", () => {
  space.request("set", "KeepTtl", "keep", "K\xc5epttl", "@[`{");
  expect(args.is(1, "KEEPTTL")).toBe(true);
  expect(args.is(2, "KEEPTTL")).toBe(false);
  expect(args.is(3, "KEEPTTL")).toBe(false);
  expect(args.is(4, "@[`{")).toBe(true);
  expect(args.is(4, "@[@[")).toBe(false);
  expect(args.is(9, "KEEPTTL")).toBe(false);
  expect(args.equals(1, "KeepTtl")).toBe(true);
  expect(args.equals(1, "keepttl")).toBe(false);
});

test("bytes and text", () => {
  space.request("a", Buffer.from([0, 255, 13, 10]), Buffer.from("é", "utf8"));
  expect(args.count).toBe(3);
  expect([...args.bytes(1)]).toEqual([0, 255, 13, 10]);
  expect(args.latin1(1)).toBe("\0\xff\r\n");
  expect(args.text(2)).toBe("é");
  expect(args.at(2).length).toBe(2);
});
