// What one node says of its cluster, read from the text of CLUSTER NODES, and when several nodes say the same.
import { SLOT_COUNT } from "../../assembly/abi.ts";
import { rangeText, type SlotRange } from "../cluster/slot-bitmap.ts";

/** One line of CLUSTER NODES. */
export interface NodeLine {
  readonly id: string;
  readonly ip: string;
  readonly port: number;
  readonly busPort: number;
  readonly flags: ReadonlySet<string>;
  /** Of a replica. */
  readonly masterId: string | undefined;
  readonly configEpoch: number;
  readonly connected: boolean;
  /** Slots being moved are left out. */
  readonly slots: readonly SlotRange[];
}

export interface NodeView {
  readonly myself: NodeLine;
  /** All of them, the node that speaks among them. */
  readonly nodes: readonly NodeLine[];
}

/** Throws an Error naming the line that cannot be read. */
export function parseView(text: string): NodeView {
  const nodes = text.split("\n").filter(Boolean).map(parseLine);
  const myself = nodes.find((node) => node.flags.has("myself"));
  if (myself === undefined) throw new Error("CLUSTER NODES names no node as myself");
  return { myself, nodes };
}

function parseLine(line: string): NodeLine {
  const [id, address, flags, master, , , epoch, link, ...slots] = line.split(" ");
  const parts = /^(.*):(\d+)@(\d+)(?:,.*)?$/.exec(address ?? "");
  if (id === undefined || flags === undefined || link === undefined || parts === null) {
    throw new Error(`CLUSTER NODES has a line that cannot be read: ${line}`);
  }
  return {
    id,
    ip: parts[1]!,
    port: Number(parts[2]),
    busPort: Number(parts[3]),
    flags: new Set(flags.split(",")),
    masterId: master === "-" ? undefined : master,
    configEpoch: Number(epoch),
    connected: link === "connected",
    slots: slots.filter((slot) => !slot.startsWith("[")).map(parseRange),
  };
}

function parseRange(text: string): SlotRange {
  const [start, end = start] = text.split("-");
  return { start: Number(start), end: Number(end) };
}

export function countSlots(ranges: readonly SlotRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0);
}

/**
 * Slots cut into equal runs, in the way redis-cli cuts them: 3 masters get 0-5460, 5461-10922 and 10923-16383.
 * @param masters 1 to 16384
 */
export function splitSlots(masters: number): SlotRange[] {
  const share = SLOT_COUNT / masters;
  let start = 0;
  return Array.from({ length: masters }, (_, i) => {
    const end = i === masters - 1 ? SLOT_COUNT - 1 : Math.round((i + 1) * share - 1);
    const range = { start, end };
    start = end + 1;
    return range;
  });
}

/** What a node that was never part of a cluster looks like. */
export function isBlank({ myself, nodes }: NodeView): boolean {
  return nodes.length === 1 && myself.slots.length === 0 && myself.configEpoch === 0;
}

/** Flags of nodes that do not count as settled. */
const UNSETTLED = ["fail", "fail?", "handshake", "noaddr"];

/** What keeps a node's own view from being that of a whole cluster; undefined = nothing. */
export function flawIn({ myself, nodes }: NodeView, nodeCount: number): string | undefined {
  const who = `${myself.ip}:${myself.port}`;
  if (nodes.length !== nodeCount) return `${who} knows ${nodes.length} of ${nodeCount} nodes`;
  for (const node of nodes) {
    const flag = UNSETTLED.find((name) => node.flags.has(name));
    if (flag !== undefined) return `${who} sees ${node.ip}:${node.port} as ${flag}`;
    if (!node.connected) return `${who} has no link to ${node.ip}:${node.port}`;
  }
  const slots = nodes.reduce((sum, node) => sum + countSlots(node.slots), 0);
  return slots === SLOT_COUNT ? undefined : `${who} sees ${slots} of ${SLOT_COUNT} slots served`;
}

/** The part of a view all nodes must share: who is there, in which role, with which slots. */
export function signatureOf({ nodes }: NodeView): string {
  const line = ({ id, masterId, slots }: NodeLine): string =>
    [id, masterId ?? "master", ...slots.map(rangeText)].join(" ");
  return nodes.map(line).toSorted().join("\n");
}
