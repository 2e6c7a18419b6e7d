// What the reading subcommands of CLUSTER tell, as data; how it looks on the wire is the command's affair.
import { SLOT_COUNT } from "../../assembly/abi.ts";
import { describeNode } from "./nodes-conf.ts";
import type { BodyType, LinkId, NodeId } from "./message.ts";
import { countFailureReportsOf } from "./failure.ts";
import { hasFailed, isInHandshake, isMaster, isReplica, isSuspected, type ClusterNode } from "./node.ts";
import { refuse, shown, type Refusal } from "./request.ts";
import { preferredEndpoint } from "./route.ts";
import { slotRanges, type SlotRange } from "./slot-bitmap.ts";
import type { ClusterState, MessageCounts } from "./state.ts";

type State = Readonly<ClusterState>;

/** Names of message types in CLUSTER INFO, in its order. */
const TYPE_NAMES = [
  ["ping", "ping"],
  ["pong", "pong"],
  ["meet", "meet"],
  ["fail", "fail"],
  ["publish", "publish"],
  ["authRequest", "auth-req"],
  ["authAck", "auth-ack"],
  ["update", "update"],
  ["mfStart", "mfstart"],
  ["module", "module"],
  ["publishShard", "publishshard"],
] as const satisfies readonly (readonly [BodyType, string])[];

/**
 * CLUSTER INFO, each line ended by CRLF.
 * @param linksOverLimit how many links were closed for holding too much unsent data
 */
export function describeInfo(state: State, linksOverLimit: number): string {
  const seat = state.mastersSeat(state.myself) ?? state.myself;
  const counts = countSlots(state);
  const lines = [
    `cluster_state:${state.ok || state.solo ? "ok" : "fail"}`,
    `cluster_slots_assigned:${state.slots.assigned}`,
    `cluster_slots_ok:${counts.ok}`,
    `cluster_slots_pfail:${counts.suspected}`,
    `cluster_slots_fail:${counts.failed}`,
    `cluster_known_nodes:${state.nodes.size}`,
    `cluster_size:${state.size}`,
    `cluster_current_epoch:${state.currentEpoch}`,
    `cluster_my_epoch:${seat.configEpoch}`,
    ...messageLines(state.sent, "sent"),
    ...messageLines(state.received, "received"),
    `total_cluster_links_buffer_limit_exceeded:${linksOverLimit}`,
  ];
  return `${lines.join("\r\n")}\r\n`;
}

function countSlots(state: State): { ok: number; suspected: number; failed: number } {
  const counts = { ok: 0, suspected: 0, failed: 0 };
  for (const node of state.nodes.values()) {
    const kind = hasFailed(node) ? "failed" : isSuspected(node) ? "suspected" : "ok";
    counts[kind] += node.slotCount;
  }
  return counts;
}

function messageLines(counts: MessageCounts, direction: "sent" | "received"): string[] {
  const lines: string[] = [];
  let total = 0;
  for (const [type, name] of TYPE_NAMES) {
    const count = counts.get(type) ?? 0;
    total += count;
    if (count > 0) lines.push(`cluster_stats_messages_${name}_${direction}:${count}`);
  }
  return [...lines, `cluster_stats_messages_${direction}:${total}`];
}

// --- SLOTS and SHARDS -----------------------------------------------------------------------------------------

export interface Endpoint {
  /** undefined = null: clients keep the address they used. */
  readonly host: string | undefined;
  readonly port: number;
  readonly id: NodeId;
  /** What else is known of where it is: `ip`, `hostname`. */
  readonly metadata: readonly (readonly [name: string, value: string])[];
}

/** One entry of CLUSTER SLOTS: a run of slots, and who serves it, the master first. */
export interface SlotEntry extends SlotRange {
  readonly nodes: readonly Endpoint[];
}

export function listSlots(state: State): SlotEntry[] {
  const endpoints = new Map<ClusterNode, Endpoint[]>();
  const entries: SlotEntry[] = [];
  if (state.solo) return [{ start: 0, end: SLOT_COUNT - 1, nodes: [endpointOf(state, state.myself)] }];
  let start = 0;
  for (let slot = 1; slot <= SLOT_COUNT; slot++) {
    const owner = state.slots.owner(start);
    if (slot < SLOT_COUNT && state.slots.owner(slot) === owner) continue;
    if (owner !== undefined) {
      const nodes = endpoints.get(owner) ?? serversOf(state, owner).map((node) => endpointOf(state, node));
      endpoints.set(owner, nodes);
      entries.push({ start, end: slot - 1, nodes });
    }
    start = slot;
  }
  return entries;
}

/** The master and those of its replicas that can serve. */
function serversOf(state: State, master: ClusterNode): ClusterNode[] {
  const replicas = state.replicasOf(master);
  return [master, ...replicas.filter((node) => !hasFailed(node) && offsetOf(state, node) > 0)];
}

function offsetOf(state: State, node: ClusterNode): number {
  return node === state.myself ? state.replication.offset : node.replicationOffset;
}

function endpointOf(state: State, node: ClusterNode): Endpoint {
  const { preferredEndpoint: preferred } = state.options;
  const metadata: [string, string][] = [];
  if (preferred !== "ip") metadata.push(["ip", node.ip]);
  if (preferred !== "hostname" && node.hostname !== "") metadata.push(["hostname", node.hostname]);
  return { host: preferredEndpoint(state, node), port: node.port, id: node.id, metadata };
}

export interface ShardNode {
  readonly id: NodeId;
  readonly port: number;
  /** 0 = none. */
  readonly otherPort: number;
  readonly ip: string;
  /** undefined = null. */
  readonly endpoint: string | undefined;
  /** Empty = not told. */
  readonly hostname: string;
  readonly role: "master" | "replica";
  readonly replicationOffset: number;
  readonly health: "online" | "loading" | "fail";
}

/** One entry of CLUSTER SHARDS: a master with its replicas, and the slots they serve. */
export interface Shard {
  readonly slots: readonly SlotRange[];
  readonly nodes: readonly ShardNode[];
}

export function listShards(state: State): Shard[] {
  const shards: Shard[] = [];
  for (const master of state.nodes.values()) {
    if (!isMaster(master) || isInHandshake(master)) continue;
    const slots = state.solo ? [{ start: 0, end: SLOT_COUNT - 1 }] : slotRanges(master.slots);
    const nodes = [master, ...state.replicasOf(master)].map((node) => shardNode(state, node));
    shards.push({ slots, nodes });
  }
  return shards;
}

function shardNode(state: State, node: ClusterNode): ShardNode {
  const replicationOffset = offsetOf(state, node);
  const isLoading = isReplica(node) && replicationOffset === 0;
  return {
    id: node.id,
    port: node.port,
    otherPort: node.otherPort,
    ip: node.ip,
    endpoint: preferredEndpoint(state, node),
    hostname: node.hostname,
    role: isMaster(node) ? "master" : "replica",
    replicationOffset,
    health: hasFailed(node) ? "fail" : isLoading ? "loading" : "online",
  };
}

// --- LINKS, REPLICAS, COUNT-FAILURE-REPORTS -------------------------------------------------------------------

export interface LinkEntry {
  /** By which the shell finds its buffers. */
  readonly link: LinkId;
  readonly direction: "to" | "from";
  readonly node: NodeId;
  readonly createdAtMs: number;
}

/** Links to and from known nodes. */
export function listLinks(state: State): LinkEntry[] {
  const entries: LinkEntry[] = [];
  for (const node of state.nodes.values()) {
    for (const id of [node.link, node.inbound]) {
      const link = id === undefined ? undefined : state.links.get(id);
      if (link === undefined) continue;
      const direction = link.inbound ? "from" : "to";
      entries.push({ link: link.id, direction, node: node.id, createdAtMs: link.createdAtMs });
    }
  }
  return entries;
}

/** CLUSTER REPLICAS: a line of CLUSTER NODES for each. */
export function listReplicas(state: State, id: string): string[] | Refusal {
  const node = state.nodes.get(id);
  if (node === undefined) return refuse(`Unknown node ${shown(id)}`);
  if (isReplica(node)) return refuse("The specified node is not a master");
  return state.replicasOf(node).map((replica) => describeNode(state, replica));
}

export function countReports(state: State, id: string, nowMs: number): number | Refusal {
  const node = state.nodes.get(id);
  if (node === undefined) return refuse(`Unknown node ${shown(id)}`);
  return countFailureReportsOf(node, state.options.nodeTimeoutMs, nowMs);
}
