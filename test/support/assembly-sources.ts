// The engine's sources as AssemblyScript's own parser reads them, for tests that hold all of them to a rule.
import { dirname, join } from "node:path";
import { readFileSync, readdirSync } from "node:fs";
import { ROOT } from "./servers.ts";

/** A node of the syntax tree; what else it has depends on its kind. */
export interface SyntaxNode {
  readonly kind: number;
  readonly range: { readonly start: number; readonly end: number; readonly source: SourceFile };
  readonly [field: string]: unknown;
}

export interface SourceFile {
  readonly text: string;
  readonly normalizedPath: string;
  readonly statements: readonly SyntaxNode[];
}

interface Compiler {
  readonly NodeKind: Readonly<Record<string, number>>;
  newOptions(): unknown;
  newProgram(options: unknown): { readonly sources: readonly SourceFile[] };
  parse(program: unknown, text: string, path: string, isEntry: boolean): void;
}

/** A function or a static method, by the name it is called by: `resize`, `Entry.key`. */
export interface SourceFunction {
  readonly name: string;
  readonly returns: string;
  /** The types of its parameters. */
  readonly takes: readonly string[];
  readonly body: SyntaxNode;
}

// The package's own declarations describe the compiler's sources, which no other project can check.
const compiler = (await import("assemblyscript" as string)) as Compiler;

export const KIND = compiler.NodeKind;

/** Every source file below a folder of the project. */
export function parseSources(folder: string): readonly SourceFile[] {
  const program = compiler.newProgram(compiler.newOptions());
  const files = readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => name.endsWith(".ts")))
    compiler.parse(program, readFileSync(`${ROOT}${folder}/${file}`, "utf8"), `${folder}/${file}`, true);
  return program.sources.filter(({ normalizedPath }) => normalizedPath.startsWith(`${folder}/`));
}

export function functionsOf({ statements }: SourceFile): SourceFunction[] {
  return statements.flatMap((statement) => {
    if (statement.kind === KIND["FunctionDeclaration"]) return functionAt(statement, "");
    if (statement.kind !== KIND["ClassDeclaration"]) return [];
    const prefix = `${textOf(statement["name"] as SyntaxNode)}.`;
    const members = statement["members"] as readonly SyntaxNode[];
    return members.flatMap((member) =>
      member.kind === KIND["MethodDeclaration"] ? functionAt(member, prefix) : [],
    );
  });
}

function functionAt(node: SyntaxNode, prefix: string): SourceFunction[] {
  const body = node["body"];
  if (!isNode(body)) return []; // declared only
  const signature = node["signature"] as SyntaxNode;
  const returns = textOf(signature["returnType"] as SyntaxNode);
  const parameters = signature["parameters"] as readonly SyntaxNode[];
  const takes = parameters.map((parameter) => textOf(parameter["type"] as SyntaxNode));
  return [{ name: prefix + textOf(node["name"] as SyntaxNode), returns, takes, body }];
}

/** Visits a node and all below it, in the order of the text; `parent` is the node around. */
export function visit(
  node: SyntaxNode,
  see: (node: SyntaxNode, parent: SyntaxNode | undefined) => void,
  parent?: SyntaxNode,
): void {
  see(node, parent);
  const children = Object.entries(node)
    .filter(([field]) => field !== "range")
    .flatMap(([, value]) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter(isNode);
  for (const child of children.toSorted((a, b) => a.range.start - b.range.start)) visit(child, see, node);
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "kind" in value && "range" in value;
}

/** The file a name that is used in another comes from, `assembly/heap`; undefined = none of ours. */
export function originOf(name: string, { text, normalizedPath }: SourceFile): string | undefined {
  const imports = text.matchAll(/import \{([^}]*)\} from "([^"]+)"/g);
  for (const [, names = "", from = ""] of imports)
    if (names.split(",").some((word) => word.trim() === name)) return join(dirname(normalizedPath), from);
  return undefined;
}

export function textOf({ range }: SyntaxNode): string {
  return range.source.text.slice(range.start, range.end);
}

/** `assembly/heap.ts:12` */
export function placeOf({ range }: SyntaxNode): string {
  const line = range.source.text.slice(0, range.start).split("\n").length;
  return `${range.source.normalizedPath}:${line}`;
}
