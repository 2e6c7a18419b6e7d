// What a request costs that comes in many chunks: nothing of it is looked at or copied anew for each.
import { expect, test } from "bun:test";
import { Decoder, type Decoded, INCOMPLETE, REQUEST, type RequestMemory } from "../../../src/resp/decoder.ts";
import { encodeRequest } from "../../support/resp.ts";

/** The same array, and each look at one of its elements is counted. */
function counted<T extends Uint8Array | Uint32Array>(array: T, note: (count: number) => void): T {
  return new Proxy(array, {
    get(target, name) {
      if (typeof name === "string" && /^\d/.test(name)) note(1);
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, args);
        note((result as ArrayLike<unknown>).length);
        return result;
      };
    },
    set(target, name, value) {
      note(1);
      return Reflect.set(target, name, value, target);
    },
  });
}

/** Looks at memory while a request comes in many chunks of `chunkBytes`, per byte of it. */
function looksPerByte(request: Uint8Array, chunkBytes: number, outcome: Decoded = REQUEST): number {
  const words = new Uint32Array(20_000);
  let looks = 0;
  const note = (count: number): void => void (looks += count);
  const bytes = new Uint8Array(request.length);
  const memory: RequestMemory = {
    bytes: counted(bytes, note),
    u32: counted(words, note),
    argv: 0,
    reserveArgv: (count) => count * 2 <= words.length,
  };
  const decoder = new Decoder();
  let found: Decoded | undefined;
  for (let end = 0; end < request.length;) {
    const next = Math.min(end + chunkBytes, request.length);
    bytes.set(request.subarray(end, next), end);
    end = next;
    decoder.resume(0);
    found = decoder.next(memory, end);
    decoder.suspend(memory);
  }
  expect(found).toBe(outcome);
  return looks / request.length;
}

test("a request costs what it is long, however many chunks it comes in", () => {
  const many = encodeRequest(Array.from({ length: 4000 }, () => "x"));
  const one = looksPerByte(many, many.length);
  expect(looksPerByte(many, 40)).toBeLessThan(one * 3);
  const line = Buffer.from(`ECHO ${"x".repeat(16_000)}\r\n`);
  expect(looksPerByte(line, 40)).toBeLessThan(looksPerByte(line, line.length) * 3);
  const length = Buffer.from(`*1\r\n$${" ".repeat(16_000)}`);
  expect(looksPerByte(length, 40, INCOMPLETE)).toBeLessThan(3);
});
