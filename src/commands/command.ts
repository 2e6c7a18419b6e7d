// COMMAND and its subcommands: the table telling about itself.
import { ReplyError, SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import { lowerAscii } from "./ascii.ts";
import { categoriesOf } from "./categories.ts";
import type { Context } from "./context.ts";
import { writeDocsByName, writeInfo, writeKeyFlags } from "./docs.ts";
import { family } from "./family.ts";
import { flagBit } from "./flags.ts";
import { findKeys, KeyPlaces, WordsFrom, type Words } from "./getkeys.ts";
import { Glob } from "./glob.ts";
import { writeHelp } from "./help.ts";
import { aclCategories, type Command } from "./row.ts";
import { UNKNOWN, type CommandTable, type Row } from "./table.ts";

/** What these handlers read of their arguments. */
interface Arguments extends Words {
  text(index: number): string;
  bytes(index: number): Uint8Array;
}

const flags = ["loading", "stale"] as const;
const categories = ["connection"] as const;
const tips = ["nondeterministic_output_order"] as const;

const subcommands: readonly Command[] = [
  {
    name: "count",
    arity: 2,
    flags,
    categories,
    since: "2.8.13",
    complexity: "O(1)",
    summary: "Counts the commands of this server.",
    run: count,
  },
  {
    name: "docs",
    arity: -2,
    flags,
    categories,
    tips,
    since: "7.0.0",
    complexity: "O(N) where N is the number of commands to look up",
    summary: "Tells what commands do and how they are written.",
    syntax: "[command-name...]",
    run: docs,
  },
  {
    name: "getkeys",
    arity: -4,
    flags,
    categories,
    since: "2.8.13",
    complexity: "O(N) where N is the number of arguments to the command",
    summary: "Finds the keys in a whole request.",
    run: getKeys,
  },
  {
    name: "getkeysandflags",
    arity: -4,
    flags,
    categories,
    since: "7.0.0",
    complexity: "O(N) where N is the number of arguments to the command",
    summary: "Finds the keys in a whole request and what it does with each.",
    run: getKeysAndFlags,
  },
  {
    name: "help",
    arity: 2,
    flags,
    categories,
    since: "5.0.0",
    complexity: "O(1)",
    summary: "Lists the subcommands of COMMAND.",
    run: help,
  },
  {
    name: "info",
    arity: -2,
    flags,
    categories,
    tips,
    since: "2.8.13",
    complexity: "O(N) where N is the number of commands to look up",
    summary: "Tells arity, flags, keys and categories of commands.",
    history: [["7.0.0", "Allowed to be called with no argument to get info on all commands."]],
    syntax: "[command-name...]",
    run: info,
  },
  {
    name: "list",
    arity: -2,
    flags,
    categories,
    tips,
    since: "7.0.0",
    complexity: "O(N) where N is the total number of Redis commands",
    summary: "Lists the names of commands.",
    syntax: "[FILTERBY filterby(MODULE module-name | ACLCAT category | PATTERN pattern)]",
    run: list,
  },
];

export const commandFamily = family("server", [
  {
    name: "command",
    arity: -1,
    flags,
    categories,
    tips,
    since: "2.8.13",
    complexity: "O(N) where N is the total number of Redis commands",
    summary: "Tells about every command of this server.",
    run: all,
    subcommands,
  },
]);

function all(ctx: Context, _args: Arguments, reply: Reply): void {
  const { commands } = ctx.server.table;
  reply.array(commands.length);
  for (const row of commands) writeInfo(row, reply);
}

function count(ctx: Context, _args: Arguments, reply: Reply): void {
  reply.integer(ctx.server.table.commands.length);
}

function info(ctx: Context, args: Arguments, reply: Reply): void {
  if (args.count === 2) return all(ctx, args, reply);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const row = ctx.server.table.named(args.text(i));
    if (row === undefined) reply.null();
    else writeInfo(row, reply);
  }
}

function docs(ctx: Context, args: Arguments, reply: Reply): void {
  const table = ctx.server.table;
  if (args.count === 2) return writeDocsByName(table.commands, reply);
  const rows: Row[] = [];
  for (let i = 2; i < args.count; i++) {
    const row = table.named(args.text(i));
    if (row !== undefined) rows.push(row);
  }
  writeDocsByName(rows, reply);
}

function list(ctx: Context, args: Arguments, reply: Reply): void {
  const { rows } = ctx.server.table;
  let listed = rows;
  if (args.count > 2) {
    if (args.count !== 5 || !args.is(2, "FILTERBY")) throw SYNTAX;
    listed = rows.filter(filterOf(args));
  }
  reply.array(listed.length);
  for (const row of listed) reply.bulk(row.fullName);
}

function filterOf(args: Arguments): (row: Row) => boolean {
  if (args.is(3, "MODULE")) return () => false; // no command comes from a module: there are none
  if (args.is(3, "ACLCAT")) {
    const name = lowerAscii(args.text(4));
    const wanted = aclCategories.find((category) => category === name);
    return (row) => wanted !== undefined && categoriesOf(row).includes(wanted);
  }
  if (args.is(3, "PATTERN")) {
    const glob = new Glob(args.bytes(4), { ignoreCase: true });
    const encoder = new TextEncoder();
    return (row) => glob.matches(encoder.encode(row.fullName));
  }
  throw SYNTAX;
}

function getKeys(ctx: Context, args: Arguments, reply: Reply): void {
  const found = keysOf(ctx.server.table, args);
  reply.array(found.count);
  for (let n = 0; n < found.count; n++) reply.bulk(args.bytes(2 + found.place(n)));
}

function getKeysAndFlags(ctx: Context, args: Arguments, reply: Reply): void {
  const found = keysOf(ctx.server.table, args);
  reply.array(found.count);
  for (let n = 0; n < found.count; n++) {
    reply.array(2);
    reply.bulk(args.bytes(2 + found.place(n)));
    writeKeyFlags(found.flags(n), reply);
  }
}

/** The keys of the request that begins at argument 2; throws what GETKEYS answers when there is none to find. */
function keysOf(table: CommandTable, args: Arguments): KeyPlaces {
  const inner = new WordsFrom(args, 2);
  const id = rowOf(table, args);
  if (id === UNKNOWN) throw new ReplyError("ERR Invalid command specified");
  const { keys = [], findKeys: finder } = table.rows[id]!.command;
  if (finder === undefined && keys.every((spec) => spec.flags.includes("not_key"))) {
    throw new ReplyError("ERR The command has no key arguments");
  }
  if (!table.acceptsCount(id, inner.count)) {
    throw new ReplyError("ERR Invalid number of arguments specified for command");
  }
  const found = new KeyPlaces();
  findKeys(table, id, inner, found);
  if (found.count === 0 && (table.flags[id]! & flagBit.no_mandatory_keys) === 0) {
    throw new ReplyError("ERR Invalid arguments specified for command");
  }
  return found;
}

function rowOf(table: CommandTable, args: Arguments): number {
  const name = args.bytes(2);
  const id = table.lookup(name, 0, name.length);
  if (id === UNKNOWN || args.count === 3 || table.isContainer[id] === 0) return id;
  const subcommand = args.bytes(3);
  return table.lookup(subcommand, 0, subcommand.length, id);
}

function help(_ctx: Context, _args: Arguments, reply: Reply): void {
  writeHelp(
    "COMMAND",
    [
      ["(no subcommand)", "Tell all there is to know about each command, except its documentation."],
      ["COUNT", "Count the commands of this server."],
      [
        "DOCS [<command-name> ...]",
        "Tell what the named commands do and how they are written; of all when none is named.",
      ],
      ["GETKEYS <full-command>", "Find the keys in a whole request."],
      ["GETKEYSANDFLAGS <full-command>", "Find the keys in a whole request, with what is done to each."],
      [
        "INFO [<command-name> ...]",
        "Tell arity, flags, keys and categories of the named commands; of all when none is named.",
      ],
      [
        "LIST [FILTERBY (MODULE|ACLCAT|PATTERN) <value>]",
        "List the names of all commands, or of those that pass the filter.",
      ],
    ],
    reply,
  );
}
