// redis-server's own command table as rows of ours: its COMMAND and COMMAND DOCS read back, its argument trees put
// into the notation of syntax.ts. Shows that rows can say all there is to say; print-rows.ts prints them.
import { type Flag, printedFlags } from "../../src/commands/flags.ts";
import { type Family, family } from "../../src/commands/family.ts";
import {
  aclCategories,
  type AclCategory,
  type Command,
  type Group,
  type KeyFlag,
  type KeySpec,
} from "../../src/commands/row.ts";
import { categoriesOf } from "../../src/commands/categories.ts";
import { typeOfName } from "../../src/commands/syntax.ts";
import type { Client } from "./client.ts";
import { plain, type Value } from "./resp.ts";

/** Its families, one per group; in rows of ours nothing runs. */
export async function redisFamilies(client: Client): Promise<readonly Family[]> {
  const { value: infos } = await client.reply("COMMAND");
  const { value: docs } = await client.reply("COMMAND", "DOCS");
  const docsOf = fieldsOf(docs);
  const groups = new Map<Group, Command[]>();
  for (const info of itemsOf(infos)) {
    const name = textOf(itemsOf(info)[0]);
    const documented = fieldsOf(docsOf.get(name));
    const group = textOf(documented.get("group")) as Group;
    const rows = groups.get(group) ?? [];
    groups.set(group, rows);
    rows.push(rowOf(info, documented));
  }
  return [...groups].map(([group, rows]) => family(group, rows));
}

function rowOf(info: Value, docs: ReadonlyMap<string, Value>): Command {
  const [fullName, arity, flags, , , , categories, tips, specs, subcommands] = itemsOf(info);
  const keys = itemsOf(specs).map(keySpecOf);
  const subdocs = docs.get("subcommands");
  const subs = itemsOf(subcommands).map((sub) =>
    rowOf(sub, fieldsOf(fieldsOf(subdocs).get(textOf(itemsOf(sub)[0])))),
  );
  const text = (field: string): string | undefined => (docs.has(field) ? textOf(docs.get(field)) : undefined);
  const complexity = text("complexity");
  const deprecated = text("deprecated_since");
  const row: Command = {
    name: textOf(fullName).replace(/^.*\|/, ""),
    arity: Number(plain(arity!)),
    flags: textsOf(flags).filter((flag): flag is Flag => (printedFlags as readonly string[]).includes(flag)),
    since: text("since") ?? "",
    summary: text("summary") ?? "",
    ...(keys.length > 0 && { keys }),
    ...(complexity !== undefined && { complexity }),
    ...(docs.has("arguments") && { syntax: notationOf(itemsOf(docs.get("arguments")), keys.length) }),
    ...(itemsOf(tips).length > 0 && { tips: textsOf(tips) }),
    ...(docs.has("history") && {
      history: itemsOf(docs.get("history")).map(
        (entry) => [textOf(itemsOf(entry)[0]), textOf(itemsOf(entry)[1])] as const,
      ),
    }),
    ...(deprecated !== undefined && {
      deprecated: { since: deprecated, replacedBy: text("replaced_by") ?? "" },
    }),
    ...(docs.has("doc_flags") &&
      textsOf(docs.get("doc_flags")).includes("syscmd") && { system: true as const }),
    ...(subs.length > 0 && { subcommands: subs }),
  };
  return { ...row, ...ownCategories(row, textOf(docs.get("group")) as Group, textsOf(categories)) };
}

/** The categories to be named in the row: those that its group and flags do not imply. */
function ownCategories(
  command: Command,
  group: Group,
  printed: readonly string[],
): Pick<Command, "categories"> {
  const implied = categoriesOf({
    id: 0,
    command,
    group,
    fullName: "",
    container: undefined,
    subcommands: [],
  });
  const categories = aclCategories.flatMap((category): (AclCategory | `-${AclCategory}`)[] => {
    const isPrinted = printed.includes(`@${category}`);
    if (isPrinted === implied.includes(category)) return [];
    return [isPrinted ? category : `-${category}`];
  });
  return categories.length > 0 ? { categories } : {};
}

function keySpecOf(value: Value): KeySpec {
  const fields = fieldsOf(value);
  const begin = fieldsOf(fields.get("begin_search"));
  const find = fieldsOf(fields.get("find_keys"));
  const from = fieldsOf(begin.get("spec"));
  const to = fieldsOf(find.get("spec"));
  const beginType = textOf(begin.get("type"));
  const findType = textOf(find.get("type"));
  return {
    flags: textsOf(fields.get("flags")) as KeyFlag[],
    begin:
      beginType === "index"
        ? { index: number(from, "index") }
        : beginType === "keyword"
          ? { keyword: textOf(from.get("keyword")), startFrom: number(from, "startfrom") }
          : "unknown",
    find:
      findType === "range"
        ? { range: [number(to, "lastkey"), number(to, "keystep"), number(to, "limit")] }
        : findType === "keynum"
          ? { keynum: [number(to, "keynumidx"), number(to, "firstkey"), number(to, "keystep")] }
          : "unknown",
    ...(fields.has("notes") && { notes: textOf(fields.get("notes")) }),
  };
}

function number(fields: ReadonlyMap<string, Value>, field: string): number {
  return Number(plain(fields.get(field)!));
}

interface Argument {
  readonly name: string;
  readonly type: string;
  readonly keySpec: number | undefined;
  readonly token: string | undefined;
  readonly marks: string;
  readonly flags: readonly string[];
  readonly parts: readonly Argument[];
}

function argumentOf(value: Value): Argument {
  const fields = fieldsOf(value);
  const text = (field: string): string | undefined =>
    fields.has(field) ? textOf(fields.get(field)) : undefined;
  const since = text("since");
  const deprecated = text("deprecated_since");
  return {
    name: text("name") ?? "",
    type: text("type") ?? "",
    keySpec: fields.has("key_spec_index") ? Number(plain(fields.get("key_spec_index")!)) : undefined,
    token: text("token"),
    marks: (since === undefined ? "" : ` ^${since}`) + (deprecated === undefined ? "" : ` !${deprecated}`),
    flags: fields.has("flags") ? textsOf(fields.get("flags")) : [],
    parts: fields.has("arguments") ? itemsOf(fields.get("arguments")).map(argumentOf) : [],
  };
}

function tokenOf(token: string): string {
  return /^[A-Z][A-Z0-9_-]*$/.test(token) ? token : `"${token}"`;
}

/** An argument tree of COMMAND DOCS in the notation of syntax.ts. */
export function notationOf(values: readonly Value[], keySpecs: number): string {
  let nextKeySpec = 0;
  const sequence = (list: readonly Argument[]): string =>
    list.map((argument, i) => write(argument, list[i + 1])).join(" ");
  const keyMark = ({ type, keySpec }: Argument): string => {
    if (keySpec === undefined) return "";
    const isExpected = type === "key" && Math.min(nextKeySpec, keySpecs - 1) === keySpec;
    nextKeySpec = keySpec + 1;
    return isExpected ? "" : `@${keySpec}`;
  };
  const body = (argument: Argument, next: Argument | undefined): string => {
    const { name, type, token, flags, parts } = argument;
    const repeatsWord = flags.includes("multiple_token");
    const dots = flags.includes("multiple") && !repeatsWord ? "..." : "";
    if (type === "pure-token") {
      const word = tokenOf(token ?? "");
      // Without a name of its own the word would take what follows as its value.
      const wouldBind = next !== undefined && next.token === undefined && !next.flags.includes("optional");
      return (name === token?.toLowerCase() && !wouldBind ? word : `${name}=${word}`) + dots;
    }
    const word = token === undefined ? "" : `${tokenOf(token)}${repeatsWord ? "..." : ""} `;
    if (type === "block") return `${word}${name}(${sequence(parts)})${dots}`;
    if (type === "oneof") return `${word}${name}(${parts.map((part) => write(part)).join(" | ")})${dots}`;
    const said = type === (typeOfName[name] ?? "string") ? "" : `:${type}`;
    return `${word}${name}${said}${keyMark(argument)}${dots}`;
  };
  const write = (argument: Argument, next?: Argument): string => {
    const written = body(argument, next) + argument.marks;
    return argument.flags.includes("optional") ? `[${written}]` : written;
  };
  return sequence(values.map(argumentOf));
}

function itemsOf(value: Value | undefined): readonly Value[] {
  if (value?.kind !== "array" && value?.kind !== "set")
    throw new Error("redis-server: an array was expected");
  return value.items;
}

function fieldsOf(value: Value | undefined): ReadonlyMap<string, Value> {
  if (value?.kind !== "map") throw new Error("redis-server: a map was expected");
  return new Map(value.pairs.map(([key, item]) => [textOf(key), item]));
}

function textOf(value: Value | undefined): string {
  const text = value === undefined ? undefined : plain(value);
  if (typeof text !== "string") throw new Error("redis-server: text was expected");
  return text;
}

function textsOf(value: Value | undefined): readonly string[] {
  return itemsOf(value).map(textOf);
}
