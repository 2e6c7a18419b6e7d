// What a request is told that no row runs: byte for byte as redis-server says it.
import { beforeAll, expect, test } from "bun:test";
import { commandTable } from "../../src/commands/families.ts";
import { notFound } from "../../src/commands/refusal.ts";
import { Reply } from "../../src/resp/reply.ts";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { startRedis } from "../support/servers.ts";
import { TextArena } from "../support/text-args.ts";

const scope = fileScope();
let redis: Client;

beforeAll(async () => {
  redis = await (await startRedis(scope)).connect();
});

const long = "x".repeat(200);
const requests: readonly (readonly string[])[] = [
  ["foo"],
  [""],
  ["foo", "a", "b"],
  ["FOO", "", ""],
  ["fo\0o", "a\0b", "c"],
  ["foo\r\nbar", "a\r\nb", "\n"],
  ["f\xffo", "\x80\xfe", "\t"],
  [long, long],
  ["foo", long, "b"],
  ["foo", "x".repeat(120), "yyyyyyyyyyyyyyy", "z"],
  ["foo", "x".repeat(124), "y", "z"],
  ["foo", "x".repeat(125), "y", "z"],
  ["foo", ...Array.from({ length: 100 }, (_, i) => `${i}`)],
  ["command", "foo"],
  ["Command", "", "x"],
  ["COMMAND", long],
  ["command", "a\r\n\0b"],
  ["command|info", "get"],
];

test.each(requests.map((words) => [words]))("%j", async (words) => {
  const args = { count: words.length, bytes: (index: number) => Buffer.from(words[index] ?? "", "latin1") };
  const arena = new TextArena();
  new Reply(arena).error(notFound(commandTable, args));
  const { raw } = await redis.reply(...words.map((_, i) => args.bytes(i)));
  expect(Buffer.from(arena.bytes.subarray(0, arena.end)).toString("latin1")).toBe(raw.toString("latin1"));
});
