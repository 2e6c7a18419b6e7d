// What must hold for every row of every family, whatever the command.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { Family } from "../../../src/commands/family.ts";
import { commandTable, families } from "../../../src/commands/families.ts";
import { categoriesOf } from "../../../src/commands/categories.ts";
import { type Argument, parseSyntax } from "../../../src/commands/syntax.ts";
import type { Row } from "../../../src/commands/table.ts";

test("every family made is in the table", async () => {
  const folder = new URL("../../../src/commands/", import.meta.url);
  for (const file of readdirSync(folder)) {
    const exported: Record<string, unknown> = await import(new URL(file, folder).pathname);
    for (const [name, value] of Object.entries(exported)) {
      if (isFamily(value)) expect(families, `${name} of ${file}`).toContain(value);
    }
  }
});

function isFamily(value: unknown): value is Family {
  return typeof value === "object" && value !== null && "group" in value && "rows" in value;
}

const each = test.each(commandTable.rows.map((row) => [row.fullName, row] as const));

each("%s is written in lower case and found by its bytes", (_, { id, command, container }) => {
  expect(command.name).toMatch(/^[a-z][a-z0-9_-]*$/);
  const bytes = Buffer.from(command.name.toUpperCase());
  expect(commandTable.lookup(bytes, 0, bytes.length, container?.id)).toBe(id);
});

each("%s runs, or cannot be called but by a subcommand", (_, { id, command }) => {
  if (command.run !== undefined) return;
  expect(command.subcommands?.length).toBeGreaterThan(0);
  expect(commandTable.acceptsCount(id, 1)).toBe(false);
});

each("%s has a summary, a version and sensible flags", (_, { command }) => {
  expect(command.summary).toMatch(/^[A-Z].*\.$/);
  expect(command.since).toMatch(/^\d+\.\d+\.\d+$/);
  expect(new Set(command.flags).size).toBe(command.flags.length);
  expect(command.flags.includes("write") && command.flags.includes("readonly")).toBe(false);
});

each("%s has arguments that fit its arity and its key specs", (_, row) => {
  const { command } = row;
  const parts = parseSyntax(command.syntax ?? "", command.keys?.length ?? 0);
  for (const keySpec of keySpecsIn(parts)) expect(command.keys?.[keySpec]).toBeDefined();
  if (command.arity >= 0) expect((row.container === undefined ? 1 : 2) + shortest(parts)).toBe(command.arity);
  else if (command.subcommands === undefined)
    expect((row.container === undefined ? 1 : 2) + shortest(parts)).toBeLessThanOrEqual(-command.arity);
});

each("%s is fast or slow, never both", (_, row: Row) => {
  const categories = categoriesOf(row);
  expect(categories.includes("fast")).toBe(!categories.includes("slow"));
});

function keySpecsIn(parts: readonly Argument[]): number[] {
  return parts.flatMap((part) => [
    ...(part.keySpec === undefined ? [] : [part.keySpec]),
    ...keySpecsIn(part.parts),
  ]);
}

/** How few arguments the shortest request of this syntax has behind its name. */
function shortest(parts: readonly Argument[]): number {
  return parts.reduce((sum, part) => sum + (part.optional ? 0 : lengthOf(part)), 0);
}

function lengthOf({ type, token, parts }: Argument): number {
  const word = token === undefined ? 0 : 1;
  if (type === "pure-token") return 1;
  if (type === "block") return word + shortest(parts);
  if (type === "oneof") return word + Math.min(...parts.map(lengthOf));
  return word + 1;
}
