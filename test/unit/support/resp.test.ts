import { describe, expect, test } from "bun:test";
import { encodeRequest, NotResp, plain, printable, ReplyReader } from "../../support/resp.ts";

const CASES: readonly (readonly [wire: string, value: unknown])[] = [
  ["+OK\r\n", "OK"],
  ["-ERR no\r\n", "-ERR no"],
  [":-12\r\n", -12],
  ["$3\r\na\r\n\r\n", "a\r\n"],
  ["$0\r\n\r\n", ""],
  ["$-1\r\n", null],
  ["*-1\r\n", null],
  ["_\r\n", null],
  ["#t\r\n", true],
  [",1.5\r\n", "1.5"],
  ["(123456789012345678901\r\n", "123456789012345678901"],
  ["=7\r\ntxt:abc\r\n", "abc"],
  ["!5\r\nERR x\r\n", "-ERR x"],
  ["*2\r\n:1\r\n*1\r\n+a\r\n", [1, ["a"]]],
  ["~1\r\n+a\r\n", ["a"]],
  [">1\r\n+a\r\n", ["a"]],
  ["%1\r\n+k\r\n*0\r\n", [["k", []]]],
];

describe("the reply reader", () => {
  test("reads every kind, whole and byte by byte", () => {
    for (const [wire, value] of CASES) {
      const whole = new ReplyReader();
      whole.feed(Buffer.from(wire));
      const reply = whole.next();
      expect(reply?.raw.toString()).toBe(wire);
      expect(reply && plain(reply.value)).toEqual(value as never);
      const slow = new ReplyReader();
      for (const [i, byte] of [...Buffer.from(wire)].entries()) {
        expect(slow.next()).toBeUndefined();
        slow.feed(Buffer.of(byte));
        if (i < wire.length - 1) expect(slow.rest.length).toBe(i + 1);
      }
      expect(slow.next()?.raw.toString()).toBe(wire);
    }
  });

  test("keeps replies of a pipeline apart", () => {
    const reader = new ReplyReader();
    reader.feed(Buffer.from("+a\r\n:1\r\n$1"));
    expect(reader.next()?.raw.toString()).toBe("+a\r\n");
    expect(reader.next()?.raw.toString()).toBe(":1\r\n");
    expect(reader.next()).toBeUndefined();
    reader.feed(Buffer.from("\r\nz\r\n"));
    expect(reader.next()?.raw.toString()).toBe("$1\r\nz\r\n");
  });

  test("refuses what is no RESP", () => {
    for (const wire of ["hello\r\n", "*x\r\n", "$1\r\nabc", "$\r\n"]) {
      const reader = new ReplyReader();
      reader.feed(Buffer.from(wire));
      expect(() => reader.next()).toThrow(NotResp);
    }
  });
});

test("requests are multibulks of bytes", () => {
  expect(encodeRequest(["GET", Buffer.of(0, 255), 7]).toString("latin1")).toBe(
    "*3\r\n$3\r\nGET\r\n$2\r\n\x00\xff\r\n$1\r\n7\r\n",
  );
  expect(printable(Buffer.from('a"\r\n\x01'))).toBe('a\\"\\r\\n\\x01');
});
