import { expect, test } from "bun:test";
import { Memory } from "../../../src/engine/memory.ts";
import { RequestArena } from "../../../src/engine/request-memory.ts";
import { Decoder, INCOMPLETE, REQUEST } from "../../../src/resp/decoder.ts";
import { Input } from "../../../src/server/input.ts";
import { encodeRequest } from "../../support/resp.ts";

const CHUNK = 500_000;

test("a request of very many arguments outlives the argv table being made small between its chunks", () => {
  const memory = new Memory({ seed: [1, 2, 3, 4] });
  const arena = new RequestArena(memory);
  const decoder = new Decoder();
  const input = new Input(arena, decoder);
  // Whoever stands behind the table would be overwritten.
  const neighbours = Array.from({ length: 40 }, () => memory.alloc(8192));
  for (const ptr of neighbours) memory.bytes.fill(7, ptr, ptr + 8192);
  const words = Array.from({ length: 200_000 }, (_, i) => `word${i}`);
  const bytes = encodeRequest(words);
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = bytes.subarray(at, at + CHUNK);
    expect(input.receive(chunk)).toBe(true);
    const isLast = at + CHUNK >= bytes.length;
    expect(decoder.next(arena, input.end)).toBe(isLast ? REQUEST : INCOMPLETE);
    if (isLast) break;
    input.keep();
    arena.trim();
  }
  const found = Array.from({ length: decoder.argc }, (_, i) => {
    const ptr = memory.u32[arena.argv + i * 2]!;
    return Buffer.from(memory.bytes.subarray(ptr, ptr + memory.u32[arena.argv + i * 2 + 1]!)).toString();
  });
  expect(found).toEqual(words);
  for (const ptr of neighbours)
    expect(memory.bytes.subarray(ptr, ptr + 8192).every((byte) => byte === 7)).toBe(true);
});
