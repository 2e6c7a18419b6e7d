// The commands by which masters and replicas find each other, and WAIT. What they mean is the node's business; here
// their words are read.
import { hasAddressCharacters } from "../cluster/door.ts";
import type { Args } from "../engine/args.ts";
import { NOT_INTEGER, outOfRange, ReplyError, SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import { timeoutAt } from "./arguments.ts";
import type { Context, ReplicaFact } from "./context.ts";
import { family } from "./family.ts";

const NOT_IN_CLUSTER = new ReplyError("ERR REPLICAOF not allowed in cluster mode.");
const CLIENT_IS_REPLICA = new ReplyError("ERR Command is not valid when client is a replica.");
const INVALID_PORT = new ReplyError("ERR Invalid master port");
const WAIT_ON_REPLICA = new ReplyError(
  "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured " +
    "to be writable (which is not the default) writes to replicas are just local and are not propagated.",
);
/** What Redis keeps a host's name in, its end included. */
const ADDRESS_LIMIT = 256;
const NOT_ADDRESS = new ReplyError("ERR REPLCONF ip-address provided by replica instance is no address");
const LARGEST_PORT = 65535;

function replconf(ctx: Context, args: Args, reply: Reply): void {
  if (args.count % 2 === 0) throw SYNTAX;
  const { replication } = ctx.server;
  for (let i = 1; i < args.count; i += 2) {
    if (args.is(i, "ACK")) {
      const offset = args.number(i + 1);
      if (offset !== undefined) replication.acknowledged(ctx.client, offset);
      return; // never answered
    }
    if (args.is(i, "GETACK")) return replication.acknowledge(ctx.client);
    replication.learn(ctx.client, factAt(args, i));
  }
  reply.ok();
}

function factAt(args: Args, index: number): ReplicaFact {
  const value = index + 1;
  if (args.is(index, "LISTENING-PORT")) {
    const port = numberAt(args, value);
    if (port < 0 || port > LARGEST_PORT) throw outOfRange(0, LARGEST_PORT);
    return { type: "port", port };
  }
  if (args.is(index, "IP-ADDRESS")) {
    const length = args.length(value);
    const address = args.latin1(value);
    // INFO shows it within a line of fields parted by commas.
    if (!hasAddressCharacters(address)) throw NOT_ADDRESS;
    if (length < ADDRESS_LIMIT) return { type: "address", address };
    throw new ReplyError(`ERR REPLCONF ip-address provided by replica instance is too long: ${length} bytes`);
  }
  if (args.is(index, "CAPA")) return { type: "capability", name: args.text(value).toLowerCase() };
  if (args.is(index, "RDB-ONLY")) {
    const on = numberAt(args, value);
    if (on !== 0 && on !== 1) throw outOfRange(0, 1);
    return { type: "copyOnly", on: on === 1 };
  }
  if (args.is(index, "RDB-FILTER-ONLY")) {
    const wanted = args
      .latin1(value)
      .split(" ")
      .filter((word) => word !== "");
    const unknown = wanted.find((word) => word.toLowerCase() !== "functions");
    if (unknown !== undefined) throw new ReplyError(`ERR Unsupported rdb-filter-only option: ${unknown}`);
    return { type: "withoutKeys", on: true };
  }
  throw new ReplyError(`ERR Unrecognized REPLCONF option: ${args.latin1(index)}`);
}

/** An argument that must be an integer a double holds exactly. */
function numberAt(args: Args, index: number): number {
  const value = args.number(index);
  if (value === undefined) throw NOT_INTEGER;
  return value;
}

function psync(ctx: Context, args: Args, reply: Reply): void {
  const { replication } = ctx.server;
  if (replication.isReplica(ctx.client)) return;
  refuseIfUnable(ctx);
  const offset = args.integer(2);
  if (offset === undefined) throw NOT_INTEGER;
  replication.attach(ctx.client, { replId: args.latin1(1), offset: Number(offset) }, reply);
}

function sync(ctx: Context, _args: Args, reply: Reply): void {
  const { replication } = ctx.server;
  if (replication.isReplica(ctx.client)) return;
  refuseIfUnable(ctx);
  replication.attach(ctx.client, undefined, reply);
}

function refuseIfUnable(ctx: Context): void {
  const refusal = ctx.server.replication.refusal();
  if (refusal !== undefined) throw new ReplyError(refusal);
}

function replicaof(ctx: Context, args: Args, reply: Reply): void {
  if (ctx.server.clusterEnabled) throw NOT_IN_CLUSTER;
  const { replication } = ctx.server;
  if (args.is(1, "NO") && args.is(2, "ONE")) {
    replication.followNobody();
    return reply.ok();
  }
  if (replication.isReplica(ctx.client)) throw CLIENT_IS_REPLICA;
  const port = args.number(2);
  if (port === undefined || port < 0 || port > LARGEST_PORT) throw INVALID_PORT;
  if (replication.follow(args.text(1), port)) reply.ok();
  else reply.simple("OK Already connected to specified master");
}

function role(ctx: Context, _args: Args, reply: Reply): void {
  const now = ctx.server.replication.role;
  if (now.name === "slave") {
    reply.array(5);
    reply.bulk("slave");
    reply.bulk(now.host);
    reply.integer(now.port);
    reply.bulk(now.state);
    return reply.integer(now.offset);
  }
  reply.array(3);
  reply.bulk("master");
  reply.integer(now.offset);
  reply.array(now.replicas.length);
  for (const replica of now.replicas) {
    reply.array(3);
    reply.bulk(replica.ip);
    reply.bulk(String(replica.port));
    reply.bulk(String(replica.offset));
  }
}

function wait(ctx: Context, args: Args, reply: Reply): void {
  const { replication } = ctx.server;
  if (replication.role.name === "slave") throw WAIT_ON_REPLICA;
  const count = args.integer(1); // any of 64 bits; more than there are replicas waits for the time's end
  if (count === undefined) throw NOT_INTEGER;
  replication.wait(ctx.client, Number(count), timeoutAt(args, 2), reply);
}

const followRow = {
  arity: 3,
  flags: ["admin", "noscript", "stale", "no_async_loading"],
  complexity: "O(1)",
  summary: "Makes the server follow a master, or nobody.",
  syntax: "args(host-port(host port:integer) | no-one(NO ONE))",
  run: replicaof,
} as const;

export const replicationFamily = family("server", [
  {
    name: "replconf",
    arity: -1,
    flags: ["admin", "noscript", "loading", "stale", "allow_busy"],
    since: "3.0.0",
    complexity: "O(1)",
    summary: "What replicas and their master tell each other besides the data.",
    system: true,
    inStream: true,
    run: replconf,
  },
  {
    name: "psync",
    arity: -3,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    since: "2.8.0",
    summary: "Asks a master for its changes from an offset on, or for a full copy.",
    syntax: "replicationid:string offset:integer",
    run: psync,
  },
  {
    name: "sync",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    since: "1.0.0",
    summary: "Asks a master for a full copy and its changes after it.",
    run: sync,
  },
  { ...followRow, name: "replicaof", since: "5.0.0" },
  {
    ...followRow,
    name: "slaveof",
    since: "1.0.0",
    deprecated: { since: "5.0.0", replacedBy: "`REPLICAOF`" },
  },
  {
    name: "role",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast"],
    since: "2.8.12",
    complexity: "O(1)",
    summary: "Says whether this is a master or a replica, of whom, and how far it is.",
    categories: ["admin", "dangerous"],
    run: role,
  },
]);

export const waitFamily = family("generic", [
  {
    name: "wait",
    arity: 3,
    flags: ["noscript"],
    since: "3.0.0",
    complexity: "O(1)",
    summary: "Waits until so many replicas have everything this connection has written.",
    categories: ["-keyspace", "connection"],
    tips: ["request_policy:all_shards", "response_policy:agg_min"],
    syntax: "numreplicas:integer timeout:integer",
    run: wait,
  },
]);
