// What the log says when a fault of our own ends a node: a trap in the engine, or an exception nobody expected. Whoever
// mends it needs to know what ran, in which build, and where. The bytes of arguments and keys are data and secrets of
// others: only their sizes are told.
import { STATE_ARGV } from "../../assembly/abi.ts";
import { type CommandTable, UNKNOWN } from "../commands/table.ts";
import { Args } from "../engine/args.ts";
import { chosenEngine, engineHash } from "../engine/binary.ts";
import { shapeText } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import { operatingSystem, runtime } from "../io/process.ts";
import { framesOf } from "../io/stack.ts";
import type { ClientConnection } from "./client.ts";
import { VERSION } from "./version.ts";

/** Status of a process that a fault of its own has ended: EX_SOFTWARE of sysexits.h. */
export const CRASH_EXIT_CODE = 70;

/** Arguments whose sizes are told one by one. */
const MOST_SIZES = 32;
/** Lines of a stack that are shown, and causes within causes. */
const MOST_LINES = 40;
const MOST_CAUSES = 4;

export interface CrashedNode {
  readonly memory: Memory;
  readonly table: CommandTable;
  readonly clients: { all(): Iterable<ClientConnection> };
}

/** Lines for the log. Reads what is there and changes nothing; a keyspace that is damaged does not keep it. */
export function crashReport(node: CrashedNode, cause: unknown): readonly string[] {
  const stack = stackLines(cause); // first: see stack.ts
  return [
    "=== SLOTMESH CRASH REPORT: send all of it, up to its end ===",
    `Fault: ${describe(cause)}`,
    ...told("Request", () => requestLines(node)),
    `Build: slotmesh ${VERSION}, ${chosenEngine()} engine ${engineHash()}, ${runtime}, ${operatingSystem()}`,
    ...told("Memory", () => [`Memory: ${node.memory.bytes.length} bytes reserved by the engine`]),
    ...stack,
    "=== END OF THE CRASH REPORT: nothing runs or is saved any more ===",
  ];
}

/** Whether the engine itself failed, by a trap. */
function isTrap(cause: unknown): boolean {
  return causesOf(cause).some((each) => each instanceof WebAssembly.RuntimeError);
}

function describe(cause: unknown): string {
  const kind = isTrap(cause) ? "engine trap" : "exception";
  return `${kind}, ${causesOf(cause).map(String).join("; because of ")}`;
}

function causesOf(cause: unknown): readonly unknown[] {
  const causes: unknown[] = [cause];
  for (let last = cause; last instanceof Error && last.cause !== undefined && causes.length < MOST_CAUSES;) {
    last = last.cause;
    causes.push(last);
  }
  return causes;
}

function stackLines(cause: unknown): string[] {
  const lines: string[] = [];
  for (const each of causesOf(cause)) {
    lines.push("Stack:");
    const frames = each instanceof Error ? framesOf(each) : [];
    for (const frame of frames.slice(0, MOST_LINES)) lines.push(`  at ${frame}`);
  }
  return lines;
}

/** What the lines cannot be made of is no reason not to tell the rest. */
function told(what: string, lines: () => readonly string[]): readonly string[] {
  try {
    return lines();
  } catch (error) {
    return [`${what}: cannot be told, ${String(error)}`];
  }
}

/** The request that ran: its words lie in the argv table still. */
function requestLines({ memory, table, clients }: CrashedNode): readonly string[] {
  const client = [...clients.all()].find(({ isRunning }) => isRunning);
  if (client === undefined) return ["Request: none, the node was at work of its own"];
  const args = new Args(memory);
  const { count } = args;
  const { bytes, u32 } = memory;
  const id = count === 0 ? UNKNOWN : table.resolve(bytes, u32, memory.getU32(STATE_ARGV) >>> 2, count);
  const row = table.rows[id];
  const name = row === undefined ? "no command" : row.fullName;
  const sizes = Array.from({ length: Math.min(count, MOST_SIZES) }, (_, i) => args.length(i));
  const more = count > MOST_SIZES ? ` and ${count - MOST_SIZES} more` : "";
  const within = client.isExecuting ? ", within EXEC" : "";
  const who = client.isMaster ? "our master" : `client ${client.id}`;
  const head = `Request: ${name}${within}, of ${who}, RESP${client.protocol}, database ${memory.database}`;
  return [
    head,
    `Arguments: ${count}, of ${sizes.join(" ")}${more} bytes`,
    ...told("Key", () => keyLine(memory, args, row === undefined ? 0 : table.firstKey[id]!)),
  ];
}

/** What the first key holds. */
function keyLine(memory: Memory, args: Args, index: number): readonly string[] {
  if (index <= 0 || index >= args.count) return [];
  const key = args.at(index);
  const slot = memory.slotOf(key);
  const shape = memory.wasm.inspect(slot, key.ptr, key.length);
  return [`Key: argument ${index}, slot ${slot}, ${shapeText(shape)}`];
}
