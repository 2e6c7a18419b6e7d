import { expect, test } from "bun:test";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";

test("warming tells the slots and changes nothing", () => {
  const space = new Keyspace(1);
  const { memory } = space;
  const names = Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? `{tag}${i}` : `key:${i}`));
  for (let i = 0; i < 40_000; i++) space.put(`{tag}${i}`, "v");
  const table = memory.alloc(names.length * 16);
  const keys = memory.alloc(names.join("").length);
  let at = keys;
  names.forEach((name, i) => {
    memory.bytes.set(bytesOf(name), at);
    memory.setU32(table + i * 16, at);
    memory.setU32(table + i * 16 + 4, name.length);
    at += name.length;
  });
  for (const database of [0, 1]) {
    memory.database = database;
    const used = memory.usedBytes;
    memory.wasm.warm(table, names.length);
    expect(memory.usedBytes).toBe(used);
    names.forEach((_, i) => {
      const key = { ptr: memory.getU32(table + i * 16), length: memory.getU32(table + i * 16 + 4) };
      expect(memory.getU32(table + i * 16 + 8)).toBe(memory.slotOf(key));
    });
  }
  expect(space.keys.size(0)).toBe(40_000);
});
