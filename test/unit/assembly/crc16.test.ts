import { expect, test } from "bun:test";
import { Memory } from "../../../src/engine/memory.ts";
import { bytesOf } from "../../support/keyspace.ts";
import { seeded } from "../../support/random.ts";

const memory = new Memory({ seed: [1, 2, 3, 4] });
const room = memory.alloc(4096);

/** The definition, bit by bit. */
function reference(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc;
}

function crc16(bytes: Uint8Array, at = room): number {
  memory.bytes.set(bytes, at);
  return memory.wasm.crc16(at, bytes.length);
}

function slot(key: string): number {
  memory.bytes.set(bytesOf(key), room);
  return memory.slotOf({ ptr: room, length: key.length });
}

test("the checksum's published check value", () => {
  expect(crc16(bytesOf("123456789"))).toBe(0x31c3);
  expect(crc16(bytesOf(""))).toBe(0);
  expect(crc16(bytesOf("A"))).toBe(0x58e5);
});

test("every length and alignment agrees with the definition", async () => {
  await seeded((random) => {
    for (let length = 0; length < 200; length++) {
      const bytes = random.bytes(length);
      expect(crc16(bytes, room + (length % 8))).toBe(reference(bytes));
    }
  });
});

test.each([
  ["foo", 12182],
  ["bar", 5061],
  ["key", 12539],
  ["123456789", 12739],
])("slot of %s is %d", (key, expected) => {
  expect(slot(key)).toBe(expected);
});

test.each([
  ["{user1000}.following", "user1000"],
  ["{user1000}.followers", "user1000"],
  ["foo{bar}{zap}", "bar"],
  ["foo{{bar}}zap", "{bar"],
  ["a long prefix before {tag} and after it", "tag"],
  ["{t}", "t"],
])("%s hashes by its tag", (key, tag) => {
  expect(slot(key)).toBe(reference(bytesOf(tag)) & 16383);
});

test.each(["foo{}{bar}", "{", "}", "{}", "foo{bar", "foo}bar{", "a}b{c", "{}{x}more than eight bytes"])(
  "%s has no tag and hashes whole",
  (key) => {
    expect(slot(key)).toBe(reference(bytesOf(key)) & 16383);
  },
);

test("tags are found wherever they stand", async () => {
  await seeded((random) => {
    const letters = "ab{}";
    for (let i = 0; i < 3000; i++) {
      let key = "";
      for (let n = random.below(30); n > 0; n--) key += letters[random.below(4)]!;
      const open = key.indexOf("{");
      const close = key.indexOf("}", open + 1);
      const tag = open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key;
      expect([key, slot(key)]).toEqual([key, reference(bytesOf(tag)) & 16383]);
    }
  });
});
