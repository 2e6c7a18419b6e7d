import { expect, test } from "bun:test";
import { family, keyAt, keysAfter, keysCounted, keysFrom } from "../../../src/commands/family.ts";
import { flagBit } from "../../../src/commands/flags.ts";
import { findKeys, KeyPlaces, readWhen } from "../../../src/commands/getkeys.ts";
import { notFound, wrongArity } from "../../../src/commands/refusal.ts";
import type { Command } from "../../../src/commands/row.ts";
import { CommandTable, UNKNOWN } from "../../../src/commands/table.ts";
import { TextArgs } from "../../support/text-args.ts";

const plain = { flags: [], since: "1.0.0", summary: "For a test." } as const;
const row = (name: string, arity: number, more: Partial<Command> = {}): Command => ({
  ...plain,
  name,
  arity,
  ...more,
});

const table = new CommandTable([
  family("string", [
    row("get", 2, { flags: ["readonly", "fast"], keys: [keyAt(1, "RO", "access")] }),
    row("set", -3, { keys: [keyAt(1, "RW", "variable_flags")], findKeys: readWhen("GET", 3) }),
    row("mset", -3, { keys: [keysFrom(1, -1, 2, "OW", "update")] }),
    row("rename", 3, { keys: [keyAt(1, "RW", "delete"), keyAt(2, "OW", "update")] }),
    row("zunionstore", -4, { keys: [keyAt(1, "OW"), keysCounted(2, "RO")] }),
    row("xread", -4, { keys: [keysAfter("STREAMS", 1, [-1, 1, 2], "RO")] }),
    row("migrate", -6, { keys: [keysAfter("KEYS", -2, [-1, 1, 0], "RW")] }),
    row("spublish", 3, { keys: [keyAt(1, "not_key")] }),
    row("memory_x", 1),
  ]),
  family("connection", [
    row("client", -2, { subcommands: [row("kill", -3), row("get", 2), row("list", -2)] }),
    row("ping", -1),
  ]),
]);

const memory = (text: string): Uint8Array => Buffer.from(`..${text}..`, "latin1");
const find = (name: string, container = UNKNOWN): string | undefined =>
  table.rows[table.lookup(memory(name), 2, name.length, container)]?.fullName;
const id = (name: string): number => table.named(name)!.id;

test("a row is found by its name in any case", () => {
  for (const { fullName, container } of table.rows) {
    if (container !== undefined) continue;
    expect(find(fullName)).toBe(fullName);
    expect(find(fullName.toUpperCase())).toBe(fullName);
    expect(find(`${fullName}x`)).toBeUndefined();
    expect(find(fullName.slice(0, -1))).toBeUndefined();
  }
  expect(find("")).toBeUndefined();
  expect(find("kill")).toBeUndefined();
  expect(find("client|kill")).toBeUndefined();
  expect(find("x".repeat(1000))).toBeUndefined();
});

test("only letters are folded, though the hash folds more", () => {
  expect(find("memory_x")).toBe("memory_x");
  expect(find("memory\x7fx")).toBeUndefined();
  expect(find("GE\x14")).toBeUndefined();
});

test("a row is found by its full name in any case", () => {
  expect(table.named("Client|KILL")?.fullName).toBe("client|kill");
  expect(table.named("client|")).toBeUndefined();
  expect(table.named("\u212Aill")).toBeUndefined();
  expect(table.named("client|\u212Aill")).toBeUndefined();
});

test("a container's subcommands are found inside it alone", () => {
  expect(find("KILL", id("client"))).toBe("client|kill");
  expect(find("get", id("client"))).toBe("client|get");
  expect(find("ping", id("client"))).toBeUndefined();
  expect(find("kill", id("ping"))).toBeUndefined();
});

/** A request laid out as the decoder leaves it. */
function resolve(...words: string[]): string | undefined {
  const argv = new Uint32Array(2 + words.length * 2);
  let at = 5;
  const bytes = new Uint8Array(200);
  words.forEach((word, i) => {
    bytes.set(Buffer.from(word), at);
    argv.set([at, word.length], 2 + i * 2);
    at += word.length + 3;
  });
  return table.rows[table.resolve(bytes, argv, 2, words.length)]?.fullName;
}

test("a request runs its command's row or its subcommand's", () => {
  expect(resolve("GET", "kill")).toBe("get");
  expect(resolve("Client", "Kill", "x")).toBe("client|kill");
  expect(resolve("client")).toBe("client");
  expect(resolve("client", "nosuch")).toBeUndefined();
  expect(resolve("nosuch", "kill")).toBeUndefined();
});

test("numbers of the hot path", () => {
  expect(table.flags[id("get")]).toBe(flagBit.readonly | flagBit.fast);
  expect(table.acceptsCount(id("get"), 2)).toBe(true);
  expect(table.acceptsCount(id("get"), 3)).toBe(false);
  expect(table.acceptsCount(id("mset"), 2)).toBe(false);
  expect(table.acceptsCount(id("mset"), 3)).toBe(true);
  expect(table.acceptsCount(id("mset"), 300)).toBe(true);
  const range = (name: string): number[] => [
    table.firstKey[id(name)]!,
    table.lastKey[id(name)]!,
    table.keyStep[id(name)]!,
    table.hasPlainKeys[id(name)]!,
  ];
  expect(range("get")).toEqual([1, 1, 1, 1]);
  expect(range("mset")).toEqual([1, -1, 2, 1]);
  expect(range("rename")).toEqual([1, 2, 1, 1]);
  expect(range("zunionstore")).toEqual([1, 1, 1, 0]);
  expect(range("xread")).toEqual([0, 0, 0, 0]);
  expect(range("ping")).toEqual([0, 0, 0, 1]);
});

test("two rows of one name are refused", () => {
  expect(() => new CommandTable([family("string", [row("a", 1), row("a", 2)])])).toThrow(
    "two rows are named a",
  );
});

const requests: readonly (readonly [request: string, places: readonly number[] | undefined])[] = [
  ["get k", [1]],
  ["ping", []],
  ["mset a 1 b 2", [1, 3]],
  ["mset a 1 b", [1, 3]],
  ["rename a b", [1, 2]],
  ["set a b xx get", [1]],
  ["zunionstore d 2 a b weights 1 2", [1, 3, 4]],
  ["zunionstore d 3 a b", undefined],
  ["zunionstore d 0 a", undefined],
  ["zunionstore d x a", undefined],
  ["zunionstore d 99999999999999999 a", undefined],
  ["xread count 1 streams a b 1 2", [4, 5]],
  ["xread count 1 block 2", []],
  ["migrate h 1 key 0 100 keys a b", [7, 8]],
  ["migrate h 1 keys 0 100 keys a b", [7, 8]],
  ["migrate h 1 k 0 100 copy", []],
  ["spublish a b", [1]],
];

test.each(requests)("keys of: %s", (request, places) => {
  const words = new TextArgs(request.split(" "));
  const found = new KeyPlaces();
  found.add(9, ["RO"]);
  const isWellFormed = findKeys(table, id(words.text(0)), words, found);
  expect(isWellFormed).toBe(places !== undefined);
  expect(Array.from({ length: found.count }, (_, n) => found.place(n))).toEqual([...(places ?? [])]);
});

test("many keys", () => {
  const words = new TextArgs(["mset", ...Array.from({ length: 2000 }, (_, i) => `k${i}`)]);
  const found = new KeyPlaces();
  expect(findKeys(table, id("mset"), words, found)).toBe(true);
  expect(found.count).toBe(1000);
  expect(found.place(999)).toBe(1999);
  expect(found.flags(999)).toEqual(["OW", "update"]);
});

const told = (...words: string[]): string => notFound(table, new TextArgs(words)).message;

test("refusals quote the request, shortened", () => {
  expect(told("foo")).toBe("ERR unknown command 'foo', with args beginning with: ");
  expect(told("Foo", "a", "b")).toBe("ERR unknown command 'Foo', with args beginning with: 'a' 'b' ");
  expect(told("Client", "Foo", "b")).toBe("ERR unknown subcommand 'Foo'. Try CLIENT HELP.");
  expect(wrongArity(table, id("client|kill")).message).toBe(
    "ERR wrong number of arguments for 'client|kill' command",
  );
});
