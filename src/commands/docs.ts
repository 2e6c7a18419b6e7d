// COMMAND INFO and COMMAND DOCS of one row, written as replies.
import type { Reply } from "../resp/reply.ts";
import { categoriesOf } from "./categories.ts";
import { printedFlags } from "./flags.ts";
import { isMovable, rangeOf } from "./keyspec.ts";
import { keyFlags, type KeyFlag, type KeySpec } from "./row.ts";
import { parseSyntax, type Argument } from "./syntax.ts";
import type { Row } from "./table.ts";

/** The ten fields of COMMAND INFO. */
export function writeInfo(row: Row, reply: Reply): void {
  const { command, fullName, subcommands } = row;
  const keys = command.keys ?? [];
  const { first, last, step } = rangeOf(keys);
  reply.array(10);
  reply.bulk(fullName);
  reply.integer(command.arity);
  writeStatuses(printedFlagsOf(row), reply);
  reply.integer(first);
  reply.integer(last);
  reply.integer(step);
  writeStatuses(
    categoriesOf(row).map((category) => `@${category}`),
    reply,
  );
  const tips = command.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.bulk(tip);
  reply.set(keys.length);
  for (const spec of keys) writeKeySpec(spec, reply);
  if (subcommands.length === 0) return reply.set(0);
  reply.array(subcommands.length); // Redis calls only an empty list of subcommands a set
  for (const sub of subcommands) writeInfo(sub, reply);
}

function printedFlagsOf({ command }: Row): readonly string[] {
  const flags: string[] = printedFlags.filter((flag) => command.flags.includes(flag));
  if (isMovable(command.keys ?? [])) flags.push("movablekeys");
  return flags;
}

/** A set of simple strings: how flags of all kinds are printed. */
function writeStatuses(texts: readonly string[], reply: Reply): void {
  reply.set(texts.length);
  for (const text of texts) reply.simple(text);
}

export function writeKeyFlags(flags: readonly KeyFlag[], reply: Reply): void {
  writeStatuses(
    keyFlags.filter((flag) => flags.includes(flag)),
    reply,
  );
}

function writeKeySpec({ notes, flags, begin, find }: KeySpec, reply: Reply): void {
  reply.map(notes === undefined ? 3 : 4);
  if (notes !== undefined) writeText("notes", notes, reply);
  reply.bulk("flags");
  writeKeyFlags(flags, reply);
  reply.bulk("begin_search");
  if (begin === "unknown") writeSearch("unknown", {}, reply);
  else if ("index" in begin) writeSearch("index", { index: begin.index }, reply);
  else writeSearch("keyword", { keyword: begin.keyword, startfrom: begin.startFrom }, reply);
  reply.bulk("find_keys");
  if (find === "unknown") writeSearch("unknown", {}, reply);
  else if ("range" in find) {
    const [lastkey, keystep, limit] = find.range;
    writeSearch("range", { lastkey, keystep, limit }, reply);
  } else {
    const [keynumidx, firstkey, keystep] = find.keynum;
    writeSearch("keynum", { keynumidx, firstkey, keystep }, reply);
  }
}

function writeSearch(type: string, spec: Readonly<Record<string, string | number>>, reply: Reply): void {
  const fields = Object.entries(spec);
  reply.map(2);
  writeText("type", type, reply);
  reply.bulk("spec");
  reply.map(fields.length);
  for (const [name, value] of fields) {
    if (typeof value === "string") writeText(name, value, reply);
    else writeInteger(name, value, reply);
  }
}

/** The map of COMMAND DOCS, its subcommands' within. */
function writeDocs(row: Row, reply: Reply): void {
  const { command, group, subcommands } = row;
  const { complexity, history, deprecated, system, syntax } = command;
  const isMarked = deprecated !== undefined || system === true;
  const fields = [complexity, isMarked || undefined, history, syntax, subcommands.length > 0 || undefined];
  const replacement = deprecated === undefined ? 0 : 2;
  reply.map(3 + fields.filter((field) => field !== undefined).length + replacement);
  writeText("summary", command.summary, reply);
  writeText("since", command.since, reply);
  writeText("group", group, reply);
  if (complexity !== undefined) writeText("complexity", complexity, reply);
  if (isMarked) {
    reply.bulk("doc_flags");
    writeStatuses(
      [...(deprecated === undefined ? [] : ["deprecated"]), ...(system ? ["syscmd"] : [])],
      reply,
    );
  }
  if (deprecated !== undefined) {
    writeText("deprecated_since", deprecated.since, reply);
    writeText("replaced_by", deprecated.replacedBy, reply);
  }
  if (history !== undefined) writeHistory(history, reply);
  if (syntax !== undefined) {
    reply.bulk("arguments");
    writeArguments(parseSyntax(syntax, command.keys?.length ?? 0), reply);
  }
  if (subcommands.length > 0) {
    reply.bulk("subcommands");
    writeDocsByName(subcommands, reply);
  }
}

/** A map from full name to docs. */
export function writeDocsByName(rows: readonly Row[], reply: Reply): void {
  reply.map(rows.length);
  for (const row of rows) {
    reply.bulk(row.fullName);
    writeDocs(row, reply);
  }
}

function writeHistory(history: readonly (readonly [since: string, change: string])[], reply: Reply): void {
  reply.bulk("history");
  reply.set(history.length);
  for (const [since, change] of history) {
    reply.array(2);
    reply.bulk(since);
    reply.bulk(change);
  }
}

function writeArguments(parts: readonly Argument[], reply: Reply): void {
  reply.array(parts.length);
  for (const argument of parts) writeArgument(argument, reply);
}

function writeArgument(argument: Argument, reply: Reply): void {
  const { name, type, keySpec, token, since, deprecatedSince, parts } = argument;
  const flags: string[] = [];
  if (argument.optional) flags.push("optional");
  if (argument.multiple) flags.push("multiple");
  if (argument.multipleToken) flags.push("multiple_token");
  const said = [keySpec, token, since, deprecatedSince, flags[0], parts[0]];
  reply.map(2 + said.filter((field) => field !== undefined).length);
  writeText("name", name, reply);
  writeText("type", type, reply);
  if (keySpec !== undefined) writeInteger("key_spec_index", keySpec, reply);
  if (token !== undefined) writeText("token", token, reply);
  if (since !== undefined) writeText("since", since, reply);
  if (deprecatedSince !== undefined) writeText("deprecated_since", deprecatedSince, reply);
  if (flags.length > 0) {
    reply.bulk("flags");
    writeStatuses(flags, reply);
  }
  if (parts.length > 0) {
    reply.bulk("arguments");
    writeArguments(parts, reply);
  }
}

function writeText(name: string, text: string, reply: Reply): void {
  reply.bulk(name);
  reply.bulk(text);
}

function writeInteger(name: string, value: number, reply: Reply): void {
  reply.bulk(name);
  reply.integer(value);
}
