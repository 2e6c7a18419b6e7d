// Nothing in the engine throws, so what a function returns is all that says whether it had memory, and where a value
// is after it moved. A dropped result once let a list write into the block of another key. So: no result is dropped.
// Where a result cannot be the bad one, `assert(…)` says so, and the debug engine checks it.
import { expect, test } from "bun:test";
import {
  KIND,
  type SourceFunction,
  type SyntaxNode,
  functionsOf,
  originOf,
  parseSources,
  placeOf,
  textOf,
  visit,
} from "../../support/assembly-sources.ts";

/** Functions whose result may be dropped, for what it is. */
const INFORMATION = new Set([
  // where the next one goes
  "writeElement",
  "writePair",
  "replaceBytes",
  "render",
  // looked up for what the look-up notes: the place where an insertion goes, an expired key that is deleted
  "find",
  "lookupWrite",
  "searchMember",
  "parseDouble",
  // a walk that is known not to be at its end
  "nextCell",
  // done as far as there is memory, and looked at again later
  "merge",
  "releaseWaiting",
  "recordExpired",
  "record",
  "Sample.add",
  "releaseElements",
  "unpack",
]);

const files = parseSources("assembly");
const functions = new Map<string, SourceFunction[]>();
for (const file of files)
  for (const found of functionsOf(file))
    functions.set(found.name, [...(functions.get(found.name) ?? []), found]);

/** The function of ours that a call means: of the file it stands in, or imported there. */
function calledBy(call: SyntaxNode): SourceFunction | undefined {
  const name = textOf(call["expression"] as SyntaxNode);
  const { source } = call.range;
  const origin = originOf(name.split(".")[0]!, source) ?? source.normalizedPath.replace(/\.ts$/, "");
  return functions.get(name)?.find(({ body }) => body.range.source.normalizedPath === `${origin}.ts`);
}

function isCall(node: unknown): node is SyntaxNode {
  return (node as SyntaxNode).kind === KIND["Call"];
}

test("no result of a function of the engine is dropped", () => {
  const dropped: string[] = [];
  for (const { statements } of files)
    for (const statement of statements)
      visit(statement, (node) => {
        if (node.kind !== KIND["Expression"] || !isCall(node["expression"])) return;
        const called = calledBy(node["expression"]);
        if (called === undefined || called.returns === "void" || INFORMATION.has(called.name)) return;
        dropped.push(`${placeOf(node)} ${textOf(node)} returns ${called.returns}`);
      });
  expect(dropped).toEqual([]);
});

test("a function that hands on a place says that it returns one", () => {
  const unsaid: string[] = [];
  for (const { name, returns, body } of [...functions.values()].flat())
    visit(body, (node) => {
      if (node.kind !== KIND["Return"] || returns !== "usize") return;
      visit(node, (inner, parent) => {
        if (parent?.kind === KIND["Call"] || !isCall(inner)) return;
        if (calledBy(inner)?.returns === "Place") unsaid.push(`${placeOf(node)} ${name}: ${textOf(node)}`);
      });
    });
  expect(unsaid).toEqual([]);
});

test("where something was is not looked at again once it may have moved", () => {
  const stale: string[] = [];
  for (const { body } of [...functions.values()].flat()) stale.push(...staleUses(body));
  expect(stale).toEqual([]);
});

/** Uses of a name behind a call that was given it to move, in the order of the text. */
function staleUses(body: SyntaxNode): string[] {
  const uses: string[] = [];
  const parents = new Map<SyntaxNode, SyntaxNode>();
  const moved = new Map<string, SyntaxNode>();
  visit(body, (node, parent) => {
    if (parent !== undefined) parents.set(node, parent);
    if (isCall(node) && calledBy(node)?.returns === "Place") {
      const index = calledBy(node)!.takes.indexOf("usize");
      const name = textOf((node["args"] as readonly SyntaxNode[])[index]!);
      if (!(isAssignment(parent) && textOf(parent["left"] as SyntaxNode) === name)) moved.set(name, node);
    }
    if (node.kind !== KIND["Identifier"]) return;
    const call = moved.get(textOf(node));
    if (call === undefined || node.range.start < call.range.end || isApart(call, node, parents)) return;
    if (isAssignment(parent) && parent["left"] === node) moved.delete(textOf(node));
    else uses.push(`${placeOf(node)} ${textOf(node)} after ${textOf(call)}`);
  });
  return uses;
}

function isAssignment(node: SyntaxNode | undefined): node is SyntaxNode {
  return node !== undefined && node.kind === KIND["Binary"] && / = /.test(textOf(node));
}

/** Whether no run of the function comes from the call to the use: they are two branches, or the call's branch returns. */
function isApart(call: SyntaxNode, use: SyntaxNode, parents: ReadonlyMap<SyntaxNode, SyntaxNode>): boolean {
  let branch = call;
  for (let above = parents.get(branch); above !== undefined; above = parents.get(branch)) {
    const isFork = above.kind === KIND["If"] || above.kind === KIND["Ternary"];
    const isWithin = use.range.start < above.range.end;
    if (isFork && above["condition"] !== branch) {
      if (isWithin ? use.range.start >= branch.range.end : endsThere(branch)) return true;
    }
    if (isWithin) return false;
    branch = above;
  }
  return false;
}

function endsThere(branch: SyntaxNode): boolean {
  const statements =
    branch.kind === KIND["Block"] ? (branch["statements"] as readonly SyntaxNode[]) : [branch];
  return statements.at(-1)?.kind === KIND["Return"];
}
