import { describe, expect, test } from "bun:test";
import { PayloadReader } from "../../../src/replication/payload.ts";

const MARK = "0123456789abcdefghij0123456789ABCDEFGHIJ";
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Feeds `input` in pieces of `size` bytes. */
function read(
  input: string,
  size: number,
): { body: string; ended: boolean; rest: string; problem: string | undefined } {
  const reader = new PayloadReader();
  const decoder = new TextDecoder();
  const all = bytes(input);
  let body = "";
  for (let at = 0; at < all.length; at += size) {
    const part = reader.take(all.slice(at, at + size));
    for (const piece of part.pieces) body += decoder.decode(piece);
    if (part.problem !== undefined) return { body, ended: false, rest: "", problem: part.problem };
    if (part.ended) {
      const rest = decoder.decode(part.rest) + decoder.decode(all.slice(at + size));
      return { body, ended: true, rest, problem: undefined };
    }
  }
  return { body, ended: false, rest: "", problem: undefined };
}

describe("a full copy on the wire", () => {
  const body = "REDIS0010 some bytes 0123456789abcdefghij0123456789ABCDEFGHI_ and more";

  test("of known length, in pieces of every size, the stream following at once", () => {
    const input = `\n\n$${body.length}\r\n${body}*1\r\n$4\r\nPING\r\n`;
    for (let size = 1; size <= input.length; size++) {
      expect(read(input, size)).toEqual({
        body,
        ended: true,
        rest: "*1\r\n$4\r\nPING\r\n",
        problem: undefined,
      });
    }
  });

  test("ended by a mark, in pieces of every size", () => {
    const input = `\n$EOF:${MARK}\r\n${body}${MARK}`;
    for (let size = 1; size <= input.length; size++) {
      expect(read(input, size)).toEqual({ body, ended: true, rest: "", problem: undefined });
    }
  });

  test("is not ended while the mark is incomplete", () => {
    const input = `$EOF:${MARK}\r\n${body}${MARK.slice(0, 39)}`;
    for (let size = 1; size <= input.length; size++) expect(read(input, size).ended).toBe(false);
  });

  test("of no bytes", () => {
    expect(read("$0\r\n", 4)).toEqual({ body: "", ended: true, rest: "", problem: undefined });
  });

  test("that is something else is refused", () => {
    expect(read("-ERR no\r\n", 3).problem).toContain("-ERR no");
    expect(read("hello\r\n", 100).problem).toContain("hello");
    expect(read("$-1\r\n", 100).problem).toContain("$-1");
    expect(read("x".repeat(1000), 10).problem).toBeDefined();
  });
});
