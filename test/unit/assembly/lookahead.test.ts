import { expect, test } from "bun:test";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";

/** Of a keyspace that is worth it: one in the caches is not looked at. */
const space = new Keyspace(1);
for (let i = 0; i < 40_000; i++) space.put(`some key ${i}`, "v");

function lookAhead(text: string): { at: number; usedBytes: number } {
  const { memory } = space;
  const bytes = bytesOf(text);
  const ptr = memory.alloc(bytes.length + 1);
  memory.bytes.set(bytes, ptr);
  const used = memory.usedBytes;
  const at = (memory.wasm.lookAhead(ptr, ptr + bytes.length) >>> 0) - ptr;
  return { at, usedBytes: memory.usedBytes - used };
}

const get = (key: string): string => `*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`;

test("sixteen requests are looked at, or as many as there are", () => {
  const request = get("key:000001");
  expect(lookAhead(request.repeat(40)).at).toBe(request.length * 16);
  expect(lookAhead(request.repeat(5)).at).toBe(request.length * 5);
  expect(lookAhead(request.repeat(40)).usedBytes).toBe(0);
});

test("one request is not worth it, and what is no plain request ends the look ahead", () => {
  const request = get("k");
  expect(lookAhead(request).at).toBe(0);
  expect(lookAhead(`GET a\r\n${request}`).at).toBe(0);
  expect(lookAhead(`${request}${request}PING\r\n${request}`).at).toBe(request.length * 2);
  expect(lookAhead(`${request}${request}*1\r\n$4\r\nPING\r\n`).at).toBe(request.length * 2);
});

test("cut and broken input never makes it read on", () => {
  const whole = get("key").repeat(3);
  for (let cut = 0; cut < whole.length; cut++) {
    expect(lookAhead(whole.slice(0, cut)).at).toBeLessThanOrEqual(cut);
  }
  for (const broken of [
    "*-1\r\n",
    "*99999999999\r\n$1\r\n",
    "*2\r\n$-5\r\n",
    "*2\r\n$3\r\nGET\r\n$999999\r\nx",
  ]) {
    expect(lookAhead(broken).at).toBe(0);
  }
});
