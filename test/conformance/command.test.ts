// COMMAND: the rows against redis-server's own, and whole requests against its GETKEYS.
import { beforeAll, expect, test } from "bun:test";
import type { Server } from "../../src/commands/context.ts";
import { commandTable } from "../../src/commands/families.ts";
import { notFound, wrongArity } from "../../src/commands/refusal.ts";
import type { Handler } from "../../src/commands/row.ts";
import { CommandTable, UNKNOWN } from "../../src/commands/table.ts";
import { ReplyError } from "../../src/resp/errors.ts";
import { Reply } from "../../src/resp/reply.ts";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { redisFamilies } from "../support/redis-rows.ts";
import { plain, type Plain, ReplyReader, type Value } from "../support/resp.ts";
import { startRedis } from "../support/servers.ts";
import { TextArena, TextArgs } from "../support/text-args.ts";

const scope = fileScope();
let redis: Record<2 | 3, Client>;

beforeAll(async () => {
  const server = await startRedis(scope);
  redis = { 2: await server.connect(), 3: await server.connect({ protocol: 3 }) };
});

/** What COMMAND of ours answers, from the handler of its row alone. */
function ask(table: CommandTable, protocol: 2 | 3, ...words: string[]): Value {
  const args = new TextArgs(words);
  const arena = new TextArena();
  const reply = new Reply(arena);
  reply.protocol = protocol;
  try {
    run(table, args, reply);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    reply.error(error);
  }
  const reader = new ReplyReader();
  reader.feed(arena.bytes.subarray(0, arena.end));
  const read = reader.next();
  expect(reader.rest.length).toBe(0);
  return read!.value;
}

function run(table: CommandTable, args: TextArgs, reply: Reply): void {
  let id = commandTable.lookup(args.bytes(0), 0, args.bytes(0).length);
  if (args.count > 1) id = commandTable.lookup(args.bytes(1), 0, args.bytes(1).length, id);
  if (id === UNKNOWN) throw notFound(commandTable, args);
  if (!commandTable.acceptsCount(id, args.count)) throw wrongArity(commandTable, id);
  const handler = commandTable.rows[id]!.command.run as unknown as (
    ...given: [{ server: Pick<Server, "clusterEnabled" | "table"> }, TextArgs, Reply]
  ) => ReturnType<Handler>;
  handler({ server: { clusterEnabled: false, table } }, args, reply);
}

/**
 * A reply without summaries, and with subcommands in one order: redis-server's is that of a hash table. RESP2 does not
 * say what is a set or a map, so there containers are left to RESP3.
 */
function comparable(value: Value): Plain {
  if (value.kind === "map") {
    const pairs = value.pairs.map(([key, item]): readonly Plain[] => {
      const name = plain(key);
      if (name === "summary") return [name];
      const inner = comparable(item);
      return [name, name === "subcommands" ? sorted(inner) : inner];
    });
    return ["map", ...pairs];
  }
  if (value.kind !== "array" && value.kind !== "set") return [value.kind, plain(value)];
  const { kind, items } = value;
  const parts = items.map((item, i) => (isText(items[i - 1], "summary") ? "a summary" : comparable(item)));
  return [kind, ...(items.length > 0 && items.every(isSubcommand) ? sorted(parts) : parts)];
}

function isSubcommand(value: Value): boolean {
  const name = value.kind === "array" ? value.items[0] : undefined;
  return name?.kind === "bulk" && name.bytes.includes("|");
}

function isText(value: Value | undefined, text: string): boolean {
  return value?.kind === "bulk" && value.bytes.toString() === text;
}

function sorted(items: Plain): readonly Plain[] {
  if (!Array.isArray(items)) throw new Error("not a list");
  return items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function expectSame(table: CommandTable, protocol: 2 | 3, ...words: string[]): Promise<void> {
  const { value } = await redis[protocol].reply(...words);
  expect(comparable(ask(table, protocol, ...words))).toEqual(comparable(value));
}

test("every row of ours is described as redis-server describes it, subcommands not built left out", async () => {
  for (const row of commandTable.rows) {
    for (const protocol of row.subcommands.length > 0 ? ([3] as const) : ([2, 3] as const)) {
      for (const form of ["INFO", "DOCS"]) {
        const { value } = await redis[protocol].reply("COMMAND", form, row.fullName);
        const theirs = withoutSubcommands(value, commandTable);
        const ours = ask(commandTable, protocol, "COMMAND", form, row.fullName);
        expect(comparable(ours), `${form} ${row.fullName}`).toEqual(comparable(theirs));
      }
    }
  }
});

test("rows can say all that redis-server's commands are", async () => {
  const table = new CommandTable(await redisFamilies(redis[3]));
  expect(table.commands.length).toBe(Number(await redis[3].ask("COMMAND", "COUNT")));
  for (const protocol of [2, 3] as const) {
    for (const { fullName, subcommands } of table.rows) {
      if (protocol === 2 && subcommands.length > 0) continue;
      await expectSame(table, protocol, "COMMAND", "INFO", fullName);
      await expectSame(table, protocol, "COMMAND", "DOCS", fullName);
    }
  }
});

const lists = [
  ["COMMAND", "COUNT"],
  ["COMMAND", "COUNT", "x"],
  ["COMMAND", "LIST"],
  ["COMMAND", "LIST", "FILTERBY"],
  ["COMMAND", "LIST", "FILTERBY", "nosuch", "x"],
  ["COMMAND", "LIST", "FILTERBY", "ACLCAT", "read", "x"],
  ["COMMAND", "LIST", "filterby", "aclcat", "READ"],
  ["COMMAND", "LIST", "FILTERBY", "ACLCAT", "dangerous"],
  ["COMMAND", "LIST", "FILTERBY", "ACLCAT", "@read"],
  ["COMMAND", "LIST", "FILTERBY", "MODULE", "x"],
  ["COMMAND", "LIST", "FILTERBY", "PATTERN", "*"],
  ["COMMAND", "LIST", "FILTERBY", "PATTERN", "GE?*"],
  ["COMMAND", "LIST", "FILTERBY", "PATTERN", "config|*"],
  ["COMMAND", "LIST", "FILTERBY", "PATTERN", "[x-z]*"],
  ["COMMAND", "LIST", "x"],
  ["COMMAND", "INFO", "nosuch", "GET", "Config|Get", "config|nosuch", "get|"],
  ["COMMAND", "DOCS", "nosuch", "GET", "Config|Get", "get"],
  ["COMMAND", "nosuch"],
  ["COMMAND", "HELP", "x"],
] as const;

test("COMMAND's other subcommands answer as redis-server's over the same table", async () => {
  const table = new CommandTable(await redisFamilies(redis[3]));
  for (const protocol of [2, 3] as const) {
    for (const words of lists) {
      const { value } = await redis[protocol].reply(...words);
      const ours = ask(table, protocol, ...words);
      expect(inOneOrder(ours, words), words.join(" ")).toEqual(inOneOrder(value, words));
    }
    const help = ask(table, protocol, "COMMAND", "HELP");
    const { value } = await redis[protocol].reply("COMMAND", "HELP");
    expect(help.kind).toBe(value.kind);
    expect(comparable(help)).toContainEqual(["simple", "GETKEYS <full-command>"]);
  }
});

/** LIST walks a hash table there. */
function inOneOrder(value: Value, words: readonly string[]): Plain {
  const tree = comparable(value);
  if (words[1] !== "LIST" || value.kind !== "array") return tree;
  return sorted(tree);
}

const requests = [
  "get", "get a", "GET a b", "ping", "config", "config get x", "config nosuch x", "nosuch a", "client kill x", "set a",
  "set a b", "set a b get", "set a b ex 1 GeT", "mset a b c d", "mset a b c", "del a b c", "rename a b", "copy a b db 1",
  "lcs a b", "lcs a", "eval x 0", "eval x 2 a b c", "eval x 2 a", "eval x -1 a", "zunionstore d 2 a b weights 1 2",
  "zunionstore d 3 a b", "zinter 2 a b", "zinter 0 a", "zinter x a", "lmpop 1 a left", "blmpop 0 2 a b left",
  "xread count 1 streams a b 1 2", "xread streams a 1", "xread count 1 block 2", "xreadgroup group g c streams a b > >",
  "bitop and d a b", "object encoding a", "object help", "memory usage a samples 5", "spublish a b", "publish a b",
  "pfcount a b", "georadius a 1 2 3 m store b", "georadius a 1 2 3 m storedist b", "georadius a 1 2 3 m",
  "xgroup create a g 0", "restore a 0 x", "touch a b c", "smove a b c", "blpop a b 0", "lmove a b left right",
  "msetnx a 1 b 2", "sintercard 2 a b limit 1", "zrangestore a b 0 1", "fcall f 1 a x", "dbsize", "watch a b",
  "debug object a", "command getkeys get a", "ssubscribe a b", "sort_ro", "getex a persist", "exists a a a",
].map((line) => line.split(" ")); // prettier-ignore

async function expectSameKeys(table: CommandTable, request: readonly string[]): Promise<void> {
  for (const protocol of [2, 3] as const) {
    for (const form of ["GETKEYS", "GETKEYSANDFLAGS"]) {
      const words = ["COMMAND", form, ...request];
      const { value } = await redis[protocol].reply(...words);
      expect(comparable(ask(table, protocol, ...words)), words.join(" ")).toEqual(comparable(value));
    }
  }
}

test("key specs find the keys of whole requests as redis-server does", async () => {
  const table = new CommandTable(await redisFamilies(redis[3]));
  for (const request of requests) {
    const keys = table.named(request[0] ?? "")?.command.keys ?? [];
    if (keys.some(({ flags }) => flags.includes("variable_flags"))) continue; // needs a finder of the row's own
    await expectSameKeys(table, request);
  }
});

test("each row of ours finds the keys redis-server finds", async () => {
  for (const request of requests) {
    if (commandTable.named(request[0] ?? "") !== undefined) await expectSameKeys(commandTable, request);
  }
  for (const { fullName, command, subcommands } of commandTable.rows) {
    if (subcommands.length > 0) continue;
    const shortest = Math.max(Math.abs(command.arity), 2);
    for (let count = shortest - 1; count < shortest + 4; count++) {
      const name = fullName.split("|");
      const rest = Array.from({ length: count - name.length }, (_, i) => (i % 3 === 1 ? "2" : `k${i}`));
      await expectSameKeys(commandTable, [...name, ...rest]);
    }
  }
});

/** A description of redis-server's with only those subcommands the table has. */
function withoutSubcommands(value: Value, table: CommandTable): Value {
  const isOurs = (name: Value | undefined): boolean =>
    name?.kind !== "bulk" || !name.bytes.includes("|") || table.named(name.bytes.toString()) !== undefined;
  if (value.kind === "map") {
    const pairs = value.pairs.filter(([key]) => isOurs(key));
    return { kind: "map", pairs: pairs.map(([key, item]) => [key, withoutSubcommands(item, table)]) };
  }
  if (value.kind !== "array" && value.kind !== "set") return value;
  const items = value.items.filter((item) => !("items" in item) || isOurs(item.items[0]));
  return { kind: value.kind, items: items.map((item) => withoutSubcommands(item, table)) };
}
