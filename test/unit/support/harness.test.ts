// The judge must see a difference that is there; two redis-servers that part in known ways are the proof.
import { beforeAll, describe, expect, test } from "bun:test";
import {
  exceptFields,
  near,
  sameBytes,
  sameCount,
  sameShape,
  unordered,
} from "../../conformance/harness/compare.ts";
import { compareState } from "../../conformance/harness/state.ts";
import { compareStream, type Pair, report } from "../../conformance/harness/stream.ts";
import { fileScope } from "../../support/cleanup.ts";
import { type Reply, ReplyReader } from "../../support/resp.ts";
import { startRedis } from "../../support/servers.ts";

function reply(wire: string): Reply {
  const reader = new ReplyReader();
  reader.feed(Buffer.from(wire));
  const read = reader.next();
  if (read === undefined) throw new Error(`not a reply: ${wire}`);
  return read;
}

describe("comparisons", () => {
  const [one, two, error] = [reply(":1\r\n"), reply(":2\r\n"), reply("-ERR x\r\n")];
  const [ab, ba, aa] = ["*2\r\n+a\r\n+b\r\n", "*2\r\n+b\r\n+a\r\n", "*2\r\n+a\r\n+a\r\n"].map(reply);

  test("bytes", () => {
    expect(sameBytes(one, one)).toBeUndefined();
    expect(sameBytes(one, two)).toBeDefined();
  });

  test("near", () => {
    expect(near(1)(one, two)).toBeUndefined();
    expect(near(1)(one, reply(":3\r\n"))).toBeDefined();
    expect(near(9)(one, reply(":-1\r\n"))).toBeDefined();
    expect(near(9)(one, error)).toBeDefined();
  });

  test("unordered, counted, shaped", () => {
    expect(unordered(ab!, ba!)).toBeUndefined();
    expect(unordered(ab!, aa!)).toBeDefined();
    expect(unordered(ab!, reply("~2\r\n+a\r\n+b\r\n"))).toBeDefined();
    expect(sameCount(ab!, aa!)).toBeUndefined();
    expect(sameCount(ab!, reply("*1\r\n+a\r\n"))).toBeDefined();
    expect(sameShape(ab!, ba!)).toBeUndefined();
    expect(sameShape(ab!, one)).toBeDefined();
    expect(sameShape(error, reply("-ERR y\r\n"))).toBeDefined();
  });

  test("fields left out, in maps and in lists of pairs", () => {
    const compare = exceptFields("id");
    expect(
      compare(reply("%2\r\n+id\r\n:1\r\n+x\r\n:1\r\n"), reply("%2\r\n+id\r\n:2\r\n+x\r\n:1\r\n")),
    ).toBeUndefined();
    expect(compare(reply("%1\r\n+x\r\n:1\r\n"), reply("%1\r\n+x\r\n:2\r\n"))).toBeDefined();
    expect(compare(reply("*2\r\n+id\r\n:1\r\n"), reply("*2\r\n+id\r\n:2\r\n"))).toBeUndefined();
    expect(compare(reply("*2\r\n+x\r\n:1\r\n"), reply("*2\r\n+x\r\n:2\r\n"))).toBeDefined();
  });
});

describe("streams", () => {
  const scope = fileScope();
  let pair: Pair;
  beforeAll(async () => {
    const [a, b] = await Promise.all([
      startRedis(scope),
      startRedis(scope, { "proto-max-bulk-len": 1024 * 1024 }),
    ]);
    pair = { theirs: await a.connect(), ours: await b.connect() };
  });

  test("a reply that differs is reported with the requests that led to it", async () => {
    await pair.ours.ok("SET", "odd", "1");
    const steps = [
      { args: ["SET", "even", "2"] },
      { args: ["APPEND", "odd", "3"] },
      { args: ["GET", "even"] },
    ];
    const differences = await compareStream(pair, steps, "alone");
    expect(differences.map(({ index, name }) => [index, name])).toEqual([[1, "APPEND"]]);
    expect(report(differences)).toContain('"APPEND" "odd" "3": the bytes differ');
  });

  test("a probe that differs is reported", async () => {
    const probe = {
      name: "config",
      find: async (client: Pair["ours"]) => String(await client.ask("CONFIG", "GET", "proto-max-bulk-len")),
    };
    expect((await compareStream(pair, [probe], "alone")).map(({ name }) => name)).toEqual(["config"]);
  });

  test("state that differs in a value, an encoding, an expiry or a key is reported", async () => {
    await Promise.all([pair.theirs.ok("FLUSHALL"), pair.ours.ok("FLUSHALL")]);
    expect(await compareState(pair)).toEqual([]);
    await Promise.all([pair.theirs.ok("SET", "same", "1"), pair.ours.ok("SET", "same", "1")]);
    expect(await compareState(pair)).toEqual([]);
    await Promise.all([pair.theirs.ok("SET", "value", "1"), pair.ours.ok("SET", "value", "2")]);
    await Promise.all([
      pair.theirs.ok("SET", "expiry", "1", "EX", 1000),
      pair.ours.ok("SET", "expiry", "1", "EX", 2000),
    ]);
    await pair.ours.ok("SET", "alone", "1");
    await pair.theirs.ok("SET", "encoding", "12");
    await pair.ours.ok("SET", "encoding", "1");
    await pair.ours.ask("APPEND", "encoding", "2");
    const texts = (await compareState(pair)).map(({ text }) => text.split("\n")[0]).toSorted();
    expect(texts).toEqual([
      'key "alone" at the end: held by ours alone',
      'key "encoding" at the end: encoding',
      'key "expiry" at the end: expiry',
      'key "value" at the end: content',
    ]);
  });

  test("a connection closed by one side alone is reported", async () => {
    const big = "x".repeat(2 * 1024 * 1024);
    const differences = await compareStream(pair, [{ args: ["PING"] }, { args: ["ECHO", big] }], "alone");
    expect(differences.map(({ name }) => name)).toEqual(["ECHO"]);
  });
});
