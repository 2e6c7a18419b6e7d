// The debug engine notices what is wrong with a value: each damage done on purpose is an assertion that names its place.
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import { chooseEngine, chosenEngine, type EngineBuild } from "../../../src/engine/binary.ts";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";

let before: EngineBuild;
beforeAll(() => {
  before = chosenEngine();
  chooseEngine("debug");
});
afterAll(() => chooseEngine(before));

/** A keyspace with the settings of a server and one value of each encoding. */
function filled(): Keyspace {
  const space = new Keyspace(7);
  const { memory } = space;
  memory.setU32(abi.STATE_LIST_MAX_LISTPACK_SIZE, -2 >>> 0);
  for (const state of [abi.STATE_HASH_MAX_ENTRIES, abi.STATE_ZSET_MAX_ENTRIES]) memory.setU32(state, 8);
  for (const state of [abi.STATE_HASH_MAX_VALUE, abi.STATE_ZSET_MAX_VALUE]) memory.setU32(state, 64);
  memory.setU32(abi.STATE_SET_MAX_INTSET, 512);
  space.run("set", "string", "text");
  space.run("rpush", "list", "listed", "b", "c");
  space.run("rpush", "long list", ...Array.from({ length: 900 }, (_, i) => `element ${i}`));
  space.run("sadd", "integers", "1000", "2000", "3000");
  space.run("sadd", "set", "member", "b");
  space.run("hset", "hash", "field", "b");
  space.run("hset", "big hash", "field", "x".repeat(100));
  space.run("zadd", "zset", "1", "marked", "2", "b");
  space.run("zadd", "big zset", ...Array.from({ length: 100 }, (_, i) => [String(i), `scored${i}`]).flat());
  return space;
}

/** Where bytes stand in the engine's memory, behind the request that brought them. */
function placeOf(space: Keyspace, text: string | Uint8Array): number {
  const { bytes } = space.memory;
  const sought = typeof text === "string" ? bytesOf(text) : text;
  const at = Buffer.from(bytes.buffer).lastIndexOf(sought);
  if (at < 0) throw new Error("the bytes are nowhere");
  return at;
}

test("what is right is passed", () => {
  const space = filled();
  for (const key of space.names()) space.run("exists", key);
  for (let i = 0; i < 5000; i++) space.run("exists", "list");
});

const damages: readonly (readonly [
  title: string,
  key: string,
  damage: (space: Keyspace) => void,
  says: string,
])[] = [
  [
    "an intset out of order",
    "integers",
    (space) => (space.memory.bytes[placeOf(space, Buffer.from([0xe8, 3, 0xd0, 7, 0xb8, 0xb])) + 1] = 0x7f),
    "an intset is not in order",
  ],
  [
    "a listpack whose element has another length",
    "list",
    (space) => space.memory.bytes[placeOf(space, "\x86listed\x07")]!++,
    "a listpack is damaged",
  ],
  [
    "a member that was changed behind the table's back",
    "set",
    (space) => (space.memory.bytes[placeOf(space, "\x06member") + 1] = 0x6e),
    "tag is not of its hash",
  ],
  [
    "scores out of order",
    "zset",
    (space) => (space.memory.bytes[placeOf(space, "\x86marked\x07\x01\x01") + 8] = 9),
    "not in order of scores",
  ],
];

test.each(damages)("%s is noticed", (_, key, damage, says) => {
  const space = filled();
  damage(space);
  expect(() => space.run("exists", key)).toThrow(says);
});

test("a block that is given back twice is noticed", () => {
  const { memory } = new Keyspace(1);
  memory.alloc(100); // the slab stays
  const block = memory.alloc(100);
  memory.free(block);
  expect(() => memory.free(block)).toThrow("given back before");
});

test("an address inside of a block is not given back", () => {
  const { memory } = new Keyspace(1);
  const block = memory.alloc(100);
  expect(() => memory.free(block + 4)).toThrow("no block");
});
