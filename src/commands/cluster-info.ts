// The subcommands of CLUSTER that only tell: what cluster/replies.ts says as data, put on the wire.
import { SLOT_COUNT } from "../../assembly/abi.ts";
import { describeNodes } from "../cluster/nodes-conf.ts";
import {
  countReports,
  describeInfo,
  listLinks,
  listReplicas,
  listShards,
  listSlots,
  type Endpoint,
  type ShardNode,
} from "../cluster/replies.ts";
import type { Args } from "../engine/args.ts";
import { CLUSTER_DISABLED, ReplyError } from "../resp/errors.ts";
import type { Reply, Slice } from "../resp/reply.ts";
import { integerAt } from "./arguments.ts";
import type { ClusterFace, Context } from "./context.ts";
import { writeHelp, type HelpLine } from "./help.ts";

const BAD_SLOT = new ReplyError("ERR Invalid slot");
const BAD_SLOT_OR_COUNT = new ReplyError("ERR Invalid slot or number of keys");

/** The cluster of this node; throws CLUSTER_DISABLED where there is none. */
export function clusterOf(ctx: Context): ClusterFace {
  const { cluster } = ctx.server;
  if (cluster === undefined) throw CLUSTER_DISABLED;
  return cluster;
}

export function info(ctx: Context, _args: Args, reply: Reply): void {
  const { state, linksOverLimit } = clusterOf(ctx);
  reply.verbatim("txt", describeInfo(state, linksOverLimit));
}

export function nodes(ctx: Context, _args: Args, reply: Reply): void {
  reply.verbatim("txt", describeNodes(clusterOf(ctx).state));
}

export function myId(ctx: Context, _args: Args, reply: Reply): void {
  reply.bulk(clusterOf(ctx).state.myself.id);
}

export function replicas(ctx: Context, args: Args, reply: Reply): void {
  const found = listReplicas(clusterOf(ctx).state, args.latin1(2));
  if ("error" in found) throw new ReplyError(found.error);
  reply.array(found.length);
  for (const line of found) reply.bulk(line);
}

export function countFailureReports(ctx: Context, args: Args, reply: Reply): void {
  const found = countReports(clusterOf(ctx).state, args.latin1(2), ctx.nowMs);
  if (typeof found !== "number") throw new ReplyError(found.error);
  reply.integer(found);
}

// --- Slots and keys -------------------------------------------------------------------------------------------

export function keySlot(ctx: Context, args: Args, reply: Reply): void {
  clusterOf(ctx);
  reply.integer(ctx.keys.slotOf(args.at(2)));
}

export function countKeysInSlot(ctx: Context, args: Args, reply: Reply): void {
  clusterOf(ctx);
  const slot = integerAt(args, 2);
  if (slot < 0n || slot >= SLOT_COUNT) throw BAD_SLOT;
  reply.integer(ctx.keys.countInSlot(Number(slot)));
}

export function keysInSlot(ctx: Context, args: Args, reply: Reply): void {
  clusterOf(ctx);
  const slot = integerAt(args, 2);
  const count = integerAt(args, 3);
  if (slot < 0n || slot >= SLOT_COUNT || count < 0n) throw BAD_SLOT_OR_COUNT;
  const found: Slice[] = [];
  ctx.keys.keysInSlot(Number(slot), Number(count), (key) => found.push(key));
  reply.array(found.length);
  for (const key of found) reply.bulk(key);
}

// --- SLOTS, SHARDS and LINKS ----------------------------------------------------------------------------------

export function slots(ctx: Context, _args: Args, reply: Reply): void {
  const { state } = clusterOf(ctx);
  const entries = listSlots(state);
  const ownHost = state.solo ? reachedHost(ctx) : "";
  reply.array(entries.length);
  for (const entry of entries) {
    reply.array(2 + entry.nodes.length);
    reply.integer(entry.start);
    reply.integer(entry.end);
    for (const node of entry.nodes)
      writeEndpoint(node.host === "" ? { ...node, host: ownHost } : node, reply);
  }
}

/** A node alone has never been told its address; the one this client reached it at serves this client. */
function reachedHost({ client }: Context): string {
  const { localAddress } = client;
  return localAddress.slice(0, localAddress.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

function writeEndpoint({ host, port, id, metadata }: Endpoint, reply: Reply): void {
  reply.array(4);
  if (host === undefined) reply.null();
  else reply.bulk(host);
  reply.integer(port);
  reply.bulk(id);
  reply.map(metadata.length);
  for (const [name, value] of metadata) {
    reply.bulk(name);
    reply.bulk(value);
  }
}

export function shards(ctx: Context, _args: Args, reply: Reply): void {
  const { state } = clusterOf(ctx);
  const found = listShards(state);
  const ownHost = state.solo ? reachedHost(ctx) : "";
  reply.array(found.length);
  for (const shard of found) {
    reply.map(2);
    reply.bulk("slots");
    reply.array(shard.slots.length * 2);
    for (const { start, end } of shard.slots) {
      reply.integer(start);
      reply.integer(end);
    }
    reply.bulk("nodes");
    reply.array(shard.nodes.length);
    for (const node of shard.nodes) {
      const { ip, endpoint } = node;
      const known = { ip: ip === "" ? ownHost : ip, endpoint: endpoint === "" ? ownHost : endpoint };
      writeShardNode({ ...node, ...known }, reply);
    }
  }
}

function writeShardNode(node: ShardNode, reply: Reply): void {
  const ports = [
    ["port", node.port],
    ["tls-port", node.otherPort],
  ] as const;
  const told = ports.filter(([, port]) => port !== 0);
  const hasHostname = node.hostname !== "";
  reply.map(6 + told.length + (hasHostname ? 1 : 0));
  field("id", node.id, reply);
  for (const [name, port] of told) {
    reply.bulk(name);
    reply.integer(port);
  }
  field("ip", node.ip, reply);
  field("endpoint", node.endpoint ?? "", reply); // unlike SLOTS, which tells an unknown one by null
  if (hasHostname) field("hostname", node.hostname, reply);
  field("role", node.role, reply);
  reply.bulk("replication-offset");
  reply.integer(node.replicationOffset);
  field("health", node.health, reply);
}

export function links(ctx: Context, _args: Args, reply: Reply): void {
  const cluster = clusterOf(ctx);
  const found = listLinks(cluster.state);
  reply.array(found.length);
  for (const { link, direction, node, createdAtMs } of found) {
    const queued = cluster.queuedBytes(link);
    reply.map(6);
    field("direction", direction, reply);
    field("node", node, reply);
    reply.bulk("create-time");
    reply.integer(createdAtMs);
    field("events", queued > 0 ? "rw" : "r", reply);
    // A queue holds exactly the bytes that wait.
    reply.bulk("send-buffer-allocated");
    reply.integer(queued);
    reply.bulk("send-buffer-used");
    reply.integer(queued);
  }
}

function field(name: string, value: string, reply: Reply): void {
  reply.bulk(name);
  reply.bulk(value);
}

// --- HELP -----------------------------------------------------------------------------------------------------

const helpLines: readonly HelpLine[] = [
  ["ADDSLOTS <slot> [<slot> ...]", "Give this node slots nobody owns."],
  ["ADDSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]", "The same for runs of slots."],
  ["BUMPEPOCH", "Raise this node's config epoch above all others."],
  ["COUNT-FAILURE-REPORTS <node-id>", "Count the masters that report a node as failing."],
  ["COUNTKEYSINSLOT <slot>", "Count the keys held of a slot."],
  ["DELSLOTS <slot> [<slot> ...]", "Forget who owns slots."],
  ["DELSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]", "The same for runs of slots."],
  ["FAILOVER [FORCE|TAKEOVER]", "Let this replica take its master's place."],
  ["FORGET <node-id>", "Remove a node from those this one knows."],
  ["GETKEYSINSLOT <slot> <count>", "Name keys held of a slot."],
  ["FLUSHSLOTS", "Take all slots from this node."],
  ["INFO", "Tell how the cluster is."],
  ["KEYSLOT <key>", "Tell the slot of a key."],
  ["LINKS", "List the connections of the cluster bus."],
  ["MEET <ip> <port> [<bus-port>]", "Introduce this node to another."],
  ["MYID", "Tell this node's id."],
  ["NODES", "List all nodes as text: id, address, flags, master, pings, epoch, link, slots."],
  ["REPLICAS <node-id>", "List the replicas of a master."],
  ["REPLICATE <node-id>", "Make this node a replica of a master."],
  ["RESET [HARD|SOFT]", "Take this node out of its cluster; softly unless told otherwise."],
  ["SAVECONFIG", "Write what is known of the cluster to disk."],
  ["SET-CONFIG-EPOCH <epoch>", "Set the config epoch of a new node."],
  [
    "SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)",
    "Open a slot for moving it, close it, or give it to a node.",
  ],
  ["SHARDS", "List masters with their slots and replicas."],
  ["SLOTS", "Map runs of slots to the nodes that serve them."],
];

export function help(ctx: Context, _args: Args, reply: Reply): void {
  clusterOf(ctx);
  writeHelp("CLUSTER", helpLines, reply);
}
