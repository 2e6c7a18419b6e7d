// Replies read by a client of our own: every kind, however the bytes come.
import { expect, test } from "bun:test";
import { ReplyError } from "../../../src/resp/errors.ts";
import { ReplyReader, type ReplyValue } from "../../../src/resp/reply-reader.ts";

const stream =
  "+OK\r\n-ERR no\r\n:-12\r\n$5\r\na\r\nb\u0001\r\n$0\r\n\r\n$-1\r\n*-1\r\n*2\r\n:1\r\n*2\r\n$1\r\nx\r\n-E\r\n*0\r\n";
const expected: readonly ReplyValue[] = [
  "OK",
  new ReplyError("ERR no"),
  -12,
  "a\r\nb\u0001",
  "",
  null,
  null,
  [1, ["x", new ReplyError("E")]],
  [],
];

function read(chunks: readonly string[]): ReplyValue[] {
  const reader = new ReplyReader();
  const values: ReplyValue[] = [];
  for (const chunk of chunks) {
    reader.feed(new TextEncoder().encode(chunk));
    for (let value = reader.next(); value !== undefined; value = reader.next()) values.push(value);
  }
  return values;
}

test("whole, byte by byte, and in pieces", () => {
  expect(read([stream])).toEqual([...expected]);
  expect(read([...stream])).toEqual([...expected]);
  expect(read(stream.match(/.{1,7}/gs)!)).toEqual([...expected]);
});

test.each(["hello\r\n", "$x\r\n", "*1x\r\n", "+a\rb\r\n", "%1\r\n+a\r\n+b\r\n"])(
  "%j is no RESP2",
  (bytes) => {
    expect(() => read([bytes])).toThrow(/reply/);
  },
);
