// CLUSTER and the three commands a cluster client says about its connection. What changes the cluster is read from
// the arguments by cluster/request.ts and decided by the machine; what only tells is in cluster-info.ts.
import { isRefusal, parseRequest } from "../cluster/request.ts";
import type { Args } from "../engine/args.ts";
import { ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import {
  clusterOf,
  countFailureReports,
  countKeysInSlot,
  help,
  info,
  keysInSlot,
  keySlot,
  links,
  myId,
  nodes,
  replicas,
  shards,
  slots,
} from "./cluster-info.ts";
import type { Context } from "./context.ts";
import { family } from "./family.ts";
import type { Command } from "./row.ts";

const reading = ["stale"] as const;
const changing = ["admin", "stale", "no_async_loading"] as const;
const inspecting = ["admin", "stale"] as const;
const varying = ["nondeterministic_output"] as const;

const perNode = "O(N) where N is the total number of Cluster nodes";
const perSlot = "O(N) where N is the total number of hash slot arguments";
const perRange =
  "O(N) where N is the total number of the slots between the start slot and end slot arguments.";
const ranges = "start-slot_end-slot(start-slot:integer end-slot:integer)...";

const telling: readonly Command[] = [
  {
    name: "count-failure-reports",
    arity: 3,
    flags: inspecting,
    tips: varying,
    since: "3.0.0",
    complexity: "O(N) where N is the number of failure reports",
    summary: "Counts the masters that report a node as failing.",
    syntax: "node-id",
    run: countFailureReports,
  },
  {
    name: "countkeysinslot",
    arity: 3,
    flags: reading,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Counts the keys this node holds of a slot.",
    syntax: "slot",
    run: countKeysInSlot,
  },
  {
    name: "getkeysinslot",
    arity: 4,
    flags: reading,
    tips: varying,
    since: "3.0.0",
    complexity: "O(log(N)) where N is the number of requested keys",
    summary: "Names keys this node holds of a slot.",
    syntax: "slot count",
    run: keysInSlot,
  },
  {
    name: "help",
    arity: 2,
    flags: ["loading", "stale"],
    since: "5.0.0",
    complexity: "O(1)",
    summary: "Lists the subcommands of CLUSTER.",
    run: help,
  },
  {
    name: "info",
    arity: 2,
    flags: reading,
    tips: varying,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Tells how the cluster is, as this node sees it.",
    run: info,
  },
  {
    name: "keyslot",
    arity: 3,
    flags: reading,
    since: "3.0.0",
    complexity: "O(N) where N is the number of bytes in the key",
    summary: "Tells the slot of a key.",
    syntax: "key:string",
    run: keySlot,
  },
  {
    name: "links",
    arity: 2,
    flags: reading,
    tips: varying,
    since: "7.0.0",
    complexity: perNode,
    summary: "Lists the connections of the cluster bus.",
    run: links,
  },
  {
    name: "myid",
    arity: 2,
    flags: reading,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Tells the id of this node.",
    run: myId,
  },
  {
    name: "nodes",
    arity: 2,
    flags: reading,
    tips: varying,
    since: "3.0.0",
    complexity: perNode,
    summary: "Lists all nodes with their state and slots, as text.",
    run: nodes,
  },
  {
    name: "replicas",
    arity: 3,
    flags: inspecting,
    tips: varying,
    since: "5.0.0",
    complexity: "O(1)",
    summary: "Lists the replicas of a master.",
    syntax: "node-id",
    run: replicas,
  },
  {
    name: "shards",
    arity: 2,
    flags: reading,
    tips: varying,
    since: "7.0.0",
    complexity: "O(N) where N is the total number of cluster nodes",
    summary: "Lists masters with their slots and replicas.",
    run: shards,
  },
  {
    name: "slaves",
    arity: 3,
    flags: inspecting,
    tips: varying,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Lists the replicas of a master.",
    deprecated: { since: "5.0.0", replacedBy: "`CLUSTER REPLICAS`" },
    syntax: "node-id",
    run: replicas,
  },
  {
    name: "slots",
    arity: 2,
    flags: reading,
    tips: varying,
    since: "3.0.0",
    complexity: perNode,
    summary: "Maps runs of slots to the nodes that serve them.",
    deprecated: { since: "7.0.0", replacedBy: "`CLUSTER SHARDS`" },
    history: [
      ["4.0.0", "Added node IDs."],
      ["7.0.0", "Added additional networking metadata field."],
    ],
    run: slots,
  },
];

const acting: readonly Command[] = [
  {
    name: "addslots",
    arity: -3,
    flags: changing,
    since: "3.0.0",
    complexity: perSlot,
    summary: "Gives this node slots nobody owns.",
    syntax: "slot...",
    run: act,
  },
  {
    name: "addslotsrange",
    arity: -4,
    flags: changing,
    since: "7.0.0",
    complexity: perRange,
    summary: "Gives this node runs of slots nobody owns.",
    syntax: ranges,
    run: act,
  },
  {
    name: "bumpepoch",
    arity: 2,
    flags: changing,
    tips: varying,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Raises the config epoch of this node above all others.",
    run: act,
  },
  {
    name: "delslots",
    arity: -3,
    flags: changing,
    since: "3.0.0",
    complexity: perSlot,
    summary: "Makes this node forget who owns slots.",
    syntax: "slot...",
    run: act,
  },
  {
    name: "delslotsrange",
    arity: -4,
    flags: changing,
    since: "7.0.0",
    complexity: perRange,
    summary: "Makes this node forget who owns runs of slots.",
    syntax: ranges,
    run: act,
  },
  {
    name: "failover",
    arity: -2,
    flags: changing,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Lets this replica take its master's place.",
    syntax: "[options(FORCE | TAKEOVER)]",
    run: act,
  },
  {
    name: "flushslots",
    arity: 2,
    flags: changing,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Takes all slots from this node.",
    run: act,
  },
  {
    name: "forget",
    arity: 3,
    flags: changing,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Removes a node from the nodes this one knows.",
    syntax: "node-id",
    run: act,
  },
  {
    name: "meet",
    arity: -4,
    flags: changing,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Introduces this node to another.",
    history: [["4.0.0", "Added the optional `cluster_bus_port` argument."]],
    syntax: "ip port [cluster_bus_port:integer ^4.0.0]",
    run: act,
  },
  {
    name: "replicate",
    arity: 3,
    flags: changing,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Makes this node a replica of a master.",
    syntax: "node-id",
    run: act,
  },
  {
    name: "reset",
    arity: -2,
    flags: ["admin", "noscript", "stale"],
    since: "3.0.0",
    complexity:
      "O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.",
    summary: "Takes this node out of its cluster.",
    syntax: "[hard_soft(HARD | SOFT)]",
    run: act,
  },
  {
    name: "saveconfig",
    arity: 2,
    flags: changing,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Writes what this node knows of its cluster to disk.",
    run: act,
  },
  {
    name: "set-config-epoch",
    arity: 3,
    flags: changing,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Sets the config epoch of a new node.",
    syntax: "config-epoch:integer",
    run: act,
  },
  {
    name: "setslot",
    arity: -4,
    flags: changing,
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Opens a slot for moving it, or gives it to a node.",
    syntax: "slot subcommand(IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE)",
    run: act,
  },
];

export const clusterFamily = family("cluster", [
  {
    name: "cluster",
    arity: -2,
    flags: [],
    since: "3.0.0",
    complexity: "Depends on subcommand.",
    summary: "Holds the commands about the cluster.",
    subcommands: [...acting, ...telling],
  },
  {
    name: "asking",
    arity: 1,
    flags: ["fast"],
    categories: ["connection"],
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Lets the next command use a slot that is being imported.",
    keepsAsking: true,
    run: asking,
  },
  {
    name: "readonly",
    arity: 1,
    flags: ["loading", "stale", "fast"],
    categories: ["connection"],
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Lets a replica serve the reads of this connection.",
    run: readOnly,
  },
  {
    name: "readwrite",
    arity: 1,
    flags: ["loading", "stale", "fast"],
    categories: ["connection"],
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Ends what READONLY began.",
    run: readWrite,
  },
]);

/** A subcommand that changes something. */
function act(ctx: Context, args: Args, reply: Reply): void {
  const cluster = clusterOf(ctx);
  const words: string[] = [];
  for (let i = 2; i < args.count; i++) words.push(args.latin1(i));
  const request = parseRequest(args.latin1(1), words);
  if (request === undefined) throw new Error(`no request is made by CLUSTER ${args.latin1(1)}`);
  const answer = isRefusal(request) ? request : cluster.ask(request);
  if ("error" in answer) throw new ReplyError(answer.error);
  reply.simple(answer.status);
}

function asking(ctx: Context, _args: Args, reply: Reply): void {
  clusterOf(ctx);
  ctx.client.asking = true;
  reply.ok();
}

function readOnly(ctx: Context, _args: Args, reply: Reply): void {
  clusterOf(ctx);
  ctx.client.readsReplica = true;
  reply.ok();
}

function readWrite(ctx: Context, _args: Args, reply: Reply): void {
  clusterOf(ctx);
  ctx.client.readsReplica = false;
  reply.ok();
}
