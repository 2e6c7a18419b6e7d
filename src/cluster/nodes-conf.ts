// The text of CLUSTER NODES, which is also the format of nodes.conf: one line a node, then a line of variables.
//
//   id ip:port@busPort[,hostname[,shard-id=…]] flags master|- pingSentMs pongReceivedMs epoch connected|disconnected
//   [0-5460 7000 …] [93->-id] [77-<-id]          (open slots on our own line alone)
//   vars currentEpoch 6 lastVoteEpoch 0
//
// Newer Redis writes more after the host name; that is read over.
import {
  FLAG_FAIL,
  FLAG_HANDSHAKE,
  FLAG_MASTER,
  FLAG_MYSELF,
  FLAG_NOADDR,
  FLAG_NOFAILOVER,
  FLAG_PFAIL,
  FLAG_REPLICA,
  type NodeId,
} from "./message.ts";
import { isInHandshake, isReplica, type ClusterNode } from "./node.ts";
import { BUS_OFFSET } from "./options.ts";
import { rangeText, slotRanges, type SlotRange } from "./slot-bitmap.ts";
import { SLOT_COUNT } from "../../assembly/abi.ts";
import type { ClusterState } from "./state.ts";

/** In the order they are printed. `slave` is the protocol's word. */
const FLAG_NAMES = [
  [FLAG_MYSELF, "myself"],
  [FLAG_MASTER, "master"],
  [FLAG_REPLICA, "slave"],
  [FLAG_PFAIL, "fail?"],
  [FLAG_FAIL, "fail"],
  [FLAG_HANDSHAKE, "handshake"],
  [FLAG_NOADDR, "noaddr"],
  [FLAG_NOFAILOVER, "nofailover"],
] as const;
const NO_FLAGS = "noflags";

// --- Writing --------------------------------------------------------------------------------------------------

/** One line of CLUSTER NODES, without its end. */
export function describeNode(state: ClusterState, node: ClusterNode): string {
  const hostname = node === state.myself ? state.options.hostname : node.hostname;
  const names = FLAG_NAMES.filter(([flag]) => (node.flags & flag) !== 0).map(([, name]) => name);
  const master = isReplica(node) ? state.masterOf(node) : undefined;
  const parts = [
    node.id,
    `${node.ip}:${node.port}@${node.busPort}${hostname === "" ? "" : `,${hostname}`}`,
    names.length === 0 ? NO_FLAGS : names.join(","),
    isReplica(node) && node.masterId !== null ? node.masterId : "-",
    node === state.myself ? 0 : node.pingSentAtMs,
    node.pongReceivedAtMs,
    (master ?? node).configEpoch,
    node === state.myself || node.linkUp ? "connected" : "disconnected",
    ...slotRanges(node.slots).map(rangeText),
  ];
  if (node === state.myself) parts.push(...openSlots(state));
  return parts.join(" ");
}

function openSlots(state: ClusterState): string[] {
  const { migrating, importing } = state.slots;
  const slots = [...new Set([...migrating.keys(), ...importing.keys()])].toSorted((a, b) => a - b);
  return slots.map((slot) => {
    const to = migrating.get(slot);
    return to === undefined ? `[${slot}-<-${importing.get(slot)}]` : `[${slot}->-${to}]`;
  });
}

/** CLUSTER NODES, whole. */
export function describeNodes(state: ClusterState): string {
  let text = "";
  for (const node of state.nodes.values()) text += `${describeNode(state, node)}\n`;
  return text;
}

/** What nodes.conf is to hold. */
export function formatNodesConf(state: ClusterState): string {
  let text = "";
  for (const node of state.nodes.values()) if (!isInHandshake(node)) text += `${describeNode(state, node)}\n`;
  return `${text}vars currentEpoch ${state.currentEpoch} lastVoteEpoch ${state.lastVoteEpoch}\n`;
}

// --- Reading --------------------------------------------------------------------------------------------------

export interface SavedNode {
  readonly id: NodeId;
  readonly ip: string;
  readonly port: number;
  readonly busPort: number;
  readonly hostname: string;
  readonly flags: number;
  readonly masterId: NodeId | null;
  readonly pingSentAtMs: number;
  readonly pongReceivedAtMs: number;
  readonly configEpoch: number;
  readonly slots: readonly SlotRange[];
  readonly migrating: ReadonlyMap<number, NodeId>;
  readonly importing: ReadonlyMap<number, NodeId>;
}

/** What a node remembers over a restart. */
export interface NodesConf {
  readonly nodes: readonly SavedNode[];
  readonly currentEpoch: number;
  readonly lastVoteEpoch: number;
}

/** nodes.conf cannot be understood: the node must not start, or it would forget votes and slots. */
export class NodesConfError extends Error {
  constructor(
    readonly line: number,
    reason: string,
  ) {
    super(`line ${line}: ${reason}`);
    this.name = "NodesConfError";
  }
}

/** Reads nodes.conf. An empty text gives no nodes. Throws NodesConfError. */
export function parseNodesConf(text: string): NodesConf {
  const nodes: SavedNode[] = [];
  let currentEpoch: number | undefined;
  let lastVoteEpoch: number | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "") continue;
    const fields = line.split(/ +/);
    if (fields[0] === "vars") {
      for (let i = 1; i + 1 < fields.length; i += 2) {
        const value = readNumber(index + 1, fields[i + 1], `variable ${fields[i]}`);
        if (fields[i] === "currentEpoch") currentEpoch = value;
        else if (fields[i] === "lastVoteEpoch") lastVoteEpoch = value;
      }
      continue;
    }
    nodes.push(parseNode(index + 1, fields));
  }
  if (nodes.length === 0)
    return { nodes, currentEpoch: currentEpoch ?? 0, lastVoteEpoch: lastVoteEpoch ?? 0 };
  checkWhole(nodes, text);
  if (currentEpoch === undefined || lastVoteEpoch === undefined || !text.endsWith("\n")) throw cutOff(text);
  return { nodes, currentEpoch, lastVoteEpoch };
}

/** The variables and their line's end are last: a file without them was cut off, and votes or slots with it. */
function cutOff(text: string): NodesConfError {
  const last = text.trimEnd().split("\n").length;
  return new NodesConfError(last, "the file ends before the end of `vars currentEpoch … lastVoteEpoch …`");
}

function checkWhole(nodes: readonly SavedNode[], text: string): void {
  const last = text.split("\n").length;
  const selves = nodes.filter((node) => (node.flags & FLAG_MYSELF) !== 0).length;
  if (selves !== 1) throw new NodesConfError(last, `${selves} nodes are flagged myself; exactly one must be`);
  if (new Set(nodes.map((node) => node.id)).size !== nodes.length) {
    throw new NodesConfError(last, "a node is listed twice");
  }
}

function parseNode(line: number, fields: readonly string[]): SavedNode {
  const [id, place, flags, master, pingSent, pongReceived, epoch] = fields;
  if (fields.length < 8) throw new NodesConfError(line, `${fields.length} fields, at least 8 expected`);
  const migrating = new Map<number, NodeId>();
  const importing = new Map<number, NodeId>();
  const slots: SlotRange[] = [];
  for (const field of fields.slice(8)) {
    const open = /^\[(\d+)-([<>])-([0-9a-f]{40})\]$/.exec(field);
    if (open === null) slots.push(readRange(line, field));
    else {
      const [, number, direction, other] = open;
      const slot = readSlot(line, number);
      (direction === ">" ? migrating : importing).set(slot, readId(line, other));
    }
  }
  return {
    id: readId(line, id),
    ...readPlace(line, place),
    flags: readFlags(line, flags),
    masterId: master === "-" ? null : readId(line, master),
    pingSentAtMs: readNumber(line, pingSent, "ping time"),
    pongReceivedAtMs: readNumber(line, pongReceived, "pong time"),
    configEpoch: readNumber(line, epoch, "epoch"),
    slots,
    migrating,
    importing,
  };
}

function readId(line: number, text: string | undefined): NodeId {
  if (text === undefined || !/^[0-9a-f]{40}$/.test(text))
    throw new NodesConfError(line, `"${text}" is no node id`);
  return text;
}

function readNumber(line: number, text: string | undefined, what: string): number {
  const value = /^\d+$/.test(text ?? "") ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new NodesConfError(line, `${what} "${text}" is no number`);
  return value;
}

/** `ip:port[@busPort][,hostname[,name=value …]]`; the ip may be empty or hold colons. */
function readPlace(
  line: number,
  text: string | undefined,
): Pick<SavedNode, "ip" | "port" | "busPort" | "hostname"> {
  const [address = "", hostname = ""] = (text ?? "").split(",");
  const found = /^(.*):(\d+)(?:@(\d+))?$/.exec(address);
  if (found === null) throw new NodesConfError(line, `"${text}" is no address`);
  const port = readNumber(line, found[2], "port");
  const busPort =
    found[3] === undefined ? (port === 0 ? 0 : port + BUS_OFFSET) : readNumber(line, found[3], "bus port");
  if (port > 65_535 || busPort > 65_535) throw new NodesConfError(line, `"${text}" is no address`);
  return { ip: found[1] ?? "", port, busPort, hostname: hostname.includes("=") ? "" : hostname };
}

function readFlags(line: number, text: string | undefined): number {
  let flags = 0;
  for (const name of (text ?? "").split(",")) {
    if (name === NO_FLAGS) continue;
    const found = FLAG_NAMES.find(([, known]) => known === name);
    if (found === undefined) throw new NodesConfError(line, `unknown flag "${name}"`);
    flags |= found[0];
  }
  return flags;
}

function readSlot(line: number, text: string | undefined): number {
  const slot = readNumber(line, text, "slot");
  if (slot >= SLOT_COUNT) throw new NodesConfError(line, `slot ${slot} is beyond ${SLOT_COUNT - 1}`);
  return slot;
}

function readRange(line: number, text: string): SlotRange {
  const [first, last = first, ...rest] = text.split("-");
  const range = { start: readSlot(line, first), end: readSlot(line, last) };
  if (rest.length > 0 || range.end < range.start)
    throw new NodesConfError(line, `"${text}" is no range of slots`);
  return range;
}
