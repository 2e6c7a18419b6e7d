// FUNCTION on servers without functions: what redis-cli asks of nodes before it adds one to a cluster.
import { beforeAll, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import type { Argument } from "../support/resp.ts";
import { startRedis, startSubject } from "../support/servers.ts";

const LIBRARY = "#!lua name=lib\nredis.register_function('f', function(keys, args) return 1 end)";

const scope = fileScope();
let judge: Client;
let subject: Client;

beforeAll(async () => {
  judge = await (await startRedis(scope)).connect();
  subject = await (await startSubject(scope)).connect();
}, 60_000);

/** Both give the same bytes, which are given. */
async function same(...request: Argument[]): Promise<Buffer> {
  const [expected, found] = await Promise.all([judge.reply(...request), subject.reply(...request)]);
  expect([request.join(" "), found.raw.toString("latin1")]).toEqual([
    request.join(" "),
    expected.raw.toString("latin1"),
  ]);
  return expected.raw;
}

const bulk = (raw: Buffer): Buffer => raw.subarray(raw.indexOf("\r\n") + 2, -2);

test("there are none, and what says so is taken over", async () => {
  const nothing = bulk(await same("FUNCTION", "DUMP"));
  expect(nothing.length).toBe(10);
  for (const policy of [[], ["FLUSH"], ["append"], ["Replace"]])
    await same("FUNCTION", "RESTORE", nothing, ...policy);
  await same("FUNCTION", "LIST");
  await same("FUNCTION", "LIST", "withcode", "libraryname", "x*");
  await same("function", "list", "LIBRARYNAME", "WITHCODE");
});

test("what is asked in a wrong way is refused alike", async () => {
  const nothing = bulk(await same("FUNCTION", "DUMP"));
  const damaged = Buffer.from(nothing);
  damaged[5] = 255 - (damaged[5] ?? 0);
  for (const payload of ["", "x", "twelve bytes", damaged]) await same("FUNCTION", "RESTORE", payload);
  await same("FUNCTION", "RESTORE", "x", "FOO");
  await same("FUNCTION", "RESTORE", nothing, "FLUSH", "APPEND");
  for (const words of [
    ["x"],
    ["LIBRARYNAME"],
    ["WITHCODE", "WITHCODE"],
    ["LIBRARYNAME", "a", "LIBRARYNAME", "b"],
  ])
    await same("FUNCTION", "LIST", ...words);
  await same("FUNCTION");
  await same("FUNCTION", "DUMP", "x");
  await same("FUNCTION", "RESTORE");
  await same("SET", "key", "value");
  await same("FUNCTION", "RESTORE", bulk(await same("DUMP", "key")));
});

test("a library is refused, not lost", async () => {
  await judge.reply("FUNCTION", "LOAD", LIBRARY);
  const dumped = bulk((await judge.reply("FUNCTION", "DUMP")).raw);
  expect(await subject.ask("FUNCTION", "RESTORE", dumped)).toBe(
    "-ERR slotmesh runs no functions; the payload holds some",
  );
  await judge.reply("FUNCTION", "FLUSH");
});
