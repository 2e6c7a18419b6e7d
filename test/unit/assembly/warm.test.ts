import { expect, test } from "bun:test";
import { Keyspace } from "../../support/keyspace.ts";
import { encodeRequest } from "../../support/resp.ts";

/** Looks ahead at requests as they come in a pipeline; returns the share of their bytes that was looked at. */
function lookAhead({ memory }: Keyspace, ...requests: readonly (readonly string[])[]): number {
  const bytes = Buffer.concat(requests.map((words) => encodeRequest(words)));
  const ptr = memory.alloc(bytes.length);
  memory.bytes.set(bytes, ptr);
  const used = memory.usedBytes;
  const at = memory.wasm.lookAhead(ptr, ptr + bytes.length) >>> 0;
  expect(memory.usedBytes).toBe(used);
  memory.free(ptr);
  return (at - ptr) / bytes.length;
}

const members = (count: number): string[] => Array.from({ length: count }, (_, i) => `member ${i}`);

test("warming keys, there or not, changes nothing", () => {
  const space = new Keyspace(1);
  for (let i = 0; i < 40_000; i++) space.put(`{tag}${i}`, "v");
  const requests = Array.from({ length: 10 }, (_, i) => ["GET", i % 3 === 0 ? `key:${i}` : `{tag}${i}`]);
  for (const database of [0, 1]) {
    space.memory.database = database;
    expect(lookAhead(space, ...requests)).toBe(1);
  }
  space.memory.database = 0;
  expect(space.names()).toHaveLength(40_000);
});

test("warming members of big collections, and what only looks like one, changes nothing", () => {
  const space = new Keyspace(2);
  const all = members(20_000);
  space.run("sadd", "set", ...all);
  space.run("hset", "hash", ...all.flatMap((member) => [member, "v"]));
  space.run("zadd", "zset", ...all.flatMap((member, i) => [String(i), member]));
  space.run("sadd", "small", "a", "b");
  space.run("sadd", "integers", "1", "2");
  space.run("rpush", "list", ...all);
  space.put("string", "v");
  const keys = ["set", "hash", "zset", "small", "integers", "list", "string", "none"];
  const requests = [[], ["member 7"], ["no member"], ["9", "member 9"], ["9", "member 9", "10", ""]].flatMap(
    (words) => keys.map((key) => ["NAME", key].concat(words)),
  );
  const seen = (): unknown[] => [
    space.run("sismember", "set", "member 7"), // from here on members are warmed
    space.run("scard", "set"),
    space.run("hget", "hash", "member 7"),
    space.run("zscore", "zset", "member 9"),
    space.run("scard", "small"),
    space.run("llen", "list"),
    space.value("string"),
  ];
  const before = seen();
  for (let i = 0; i < requests.length; i += 8) expect(lookAhead(space, ...requests.slice(i, i + 8))).toBe(1);
  expect(seen()).toEqual(before);
  expect(before.slice(0, 4)).toEqual([":1\r\n", ":20000\r\n", "$1\r\nv\r\n", "$1\r\n9\r\n"]);
});

test("members of a request whose last bytes have not come are not read", () => {
  const space = new Keyspace(3);
  space.run("sadd", "set", ...members(20_000));
  const { memory } = space;
  const bytes = Buffer.from(
    "*3\r\n$4\r\nSADD\r\n$3\r\nset\r\n$8\r\nmember 1\r\n".repeat(2) +
      "*3\r\n$4\r\nSADD\r\n$3\r\nset\r\n$65000\r\nm",
  );
  // At the very end of memory: reading on would trap.
  const ptr = memory.bytes.length - bytes.length;
  const covered = memory.bytes.slice(ptr);
  memory.bytes.set(bytes, ptr);
  space.run("sismember", "set", "member 7");
  memory.bytes.set(bytes, ptr);
  expect(memory.wasm.lookAhead(ptr, ptr + bytes.length) >>> 0).toBe(memory.bytes.length);
  memory.bytes.set(covered, ptr);
});

test("nobody looks ahead where all is in the caches", () => {
  const space = new Keyspace(4);
  space.run("sadd", "set", "a");
  const broken = ["GET"]; // without a key, a look ahead would end before it
  expect(lookAhead(space, ["GET", "a"], ["GET", "b"], broken)).toBe(1);
  space.run("sadd", "set", ...members(20_000));
  space.run("sismember", "set", "a");
  expect(lookAhead(space, ["GET", "a"], ["GET", "b"], broken)).toBeLessThan(1);
});

test("requests of many members say the same of a big collection as of a small one", () => {
  const space = new Keyspace(5);
  const all = members(20_000);
  const asked = members(100).flatMap((member, i) => [member, `no ${i}`]);
  const pairs = asked.flatMap((member, i) => [member, String(i)]);
  const scores = asked.flatMap((member, i) => [String(i), member]);
  space.run("sadd", "set", ...all);
  space.run("hset", "hash", ...all.flatMap((member) => [member, member]));
  space.run("zadd", "zset", ...all.flatMap((member) => ["1", member]));
  expect(space.run("smismember", "set", ...asked)).toBe(`*200\r\n${":1\r\n:0\r\n".repeat(100)}`);
  const found = members(100).map((member) => `$${member.length}\r\n${member}\r\n$-1\r\n`);
  expect(space.run("hmget", "hash", ...asked)).toBe(`*200\r\n${found.join("")}`);
  expect(space.run("sadd", "set", ...asked)).toBe(":100\r\n");
  expect(space.run("hset", "hash", ...pairs)).toBe(":100\r\n");
  expect(space.run("zadd", "zset", ...scores)).toBe(":100\r\n");
  expect(space.run("srem", "set", ...asked, "none")).toBe(":200\r\n");
  expect(space.run("hdel", "hash", ...asked, "none")).toBe(":200\r\n");
  expect(space.run("zrem", "zset", ...asked, "none")).toBe(":200\r\n");
  for (const [count, key] of [
    ["scard", "set"],
    ["hlen", "hash"],
    ["zcard", "zset"],
  ] as const)
    expect(space.run(count, key)).toBe(":19900\r\n");
});
