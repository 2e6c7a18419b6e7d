// CLIENT: what is known of connections, and what can be done to them.
import type { Args } from "../engine/args.ts";
import { ReplyError, SYNTAX, wrongForm } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import { integerAt, timeoutAt } from "./arguments.ts";
import type { Client, ClientKind, Context } from "./context.ts";
import { writeHelp } from "./help.ts";

const BAD_NAME = new ReplyError("ERR Client names cannot contain spaces, newlines or special characters.");
const BAD_ID = new ReplyError("ERR Invalid client ID");
const NO_SUCH_CLIENT = new ReplyError("ERR No such client");

/** Gives a client its name; an empty one takes it away. Printable ASCII only, so that CLIENT LIST stays a line. */
export function nameClient(client: Client, name: Uint8Array): void {
  if (name.some((byte) => byte < 33 || byte > 126)) throw BAD_NAME;
  client.name = String.fromCharCode(...name);
}

export function setName(ctx: Context, args: Args, reply: Reply): void {
  nameClient(ctx.client, args.bytes(2));
  reply.ok();
}

export function getName(ctx: Context, _args: Args, reply: Reply): void {
  if (ctx.client.name === "") reply.null();
  else reply.bulk(ctx.client.name);
}

export function id(ctx: Context, _args: Args, reply: Reply): void {
  reply.integer(ctx.client.id);
}

export function info(ctx: Context, _args: Args, reply: Reply): void {
  reply.verbatim("txt", describe(ctx, ctx.client));
}

/** One line of CLIENT LIST, ended by a newline. */
function describe(ctx: Context, client: Client): string {
  const row = client.lastCommand < 0 ? undefined : ctx.server.table.rows[client.lastCommand];
  const input = client.inputBytes + client.inputFreeBytes;
  const fields: readonly (readonly [string, string | number])[] = [
    ["id", client.id],
    ["addr", client.address],
    ["laddr", client.localAddress],
    ["fd", -1],
    ["name", client.name],
    ["age", Math.floor((ctx.nowMs - client.createdAtMs) / 1000)],
    ["idle", Math.max(0, Math.floor((ctx.nowMs - client.lastActiveAtMs) / 1000))],
    ["flags", flagsOf(client)],
    ["db", client.database],
    ["sub", client.subscriptions?.channel.size ?? 0],
    ["psub", client.subscriptions?.pattern.size ?? 0],
    ["ssub", client.subscriptions?.shard.size ?? 0],
    ["multi", client.queuedCount],
    ["qbuf", client.inputBytes],
    ["qbuf-free", client.inputFreeBytes],
    ["argv-mem", 0],
    ["multi-mem", client.queuedBytes],
    ["rbs", 0],
    ["rbp", 0],
    ["obl", 0],
    ["oll", client.outputBytes > 0 ? 1 : 0],
    ["omem", client.outputBytes],
    ["tot-mem", input + client.queuedBytes + client.outputBytes],
    ["events", client.outputBytes > 0 ? "rw" : "r"],
    ["cmd", row?.fullName ?? "NULL"],
    ["user", "default"],
    ["redir", client.tracking?.redirect ?? -1],
    ["resp", client.protocol],
  ];
  return `${fields.map(([name, value]) => `${name}=${value}`).join(" ")}\n`;
}

function flagsOf(client: Client): string {
  let flags = "";
  if (client.isMonitor) flags += "O";
  if (client.kind === "replica") flags += "S";
  if (client.kind === "master") flags += "M";
  if (client.kind === "pubsub") flags += "P";
  if (client.queuedCount >= 0) flags += "x";
  if (client.isWaiting) flags += "b";
  if (client.tracking !== undefined) flags += "t";
  if (client.tracking?.isBroken === true) flags += "R";
  if (client.tracking?.scope === "broadcast") flags += "B";
  if (client.isDirty) flags += "d";
  if (client.isFinishing) flags += "c";
  if (client.readsReplica) flags += "r";
  if (client.isSpared) flags += "e";
  return flags === "" ? "N" : flags;
}

const KINDS: Readonly<Record<string, ClientKind>> = {
  normal: "normal",
  slave: "replica",
  replica: "replica",
  pubsub: "pubsub",
  master: "master",
};

function kindAt(args: Args, index: number): ClientKind {
  const word = args.latin1(index);
  const kind = Object.hasOwn(KINDS, word.toLowerCase()) ? KINDS[word.toLowerCase()] : undefined;
  if (kind === undefined) throw new ReplyError(`ERR Unknown client type '${word}'`);
  return kind;
}

export function list(ctx: Context, args: Args, reply: Reply): void {
  const { clients } = ctx.server.admin;
  let chosen: Client[];
  if (args.count === 2) {
    chosen = [...clients.all()];
  } else if (args.count === 4 && args.is(2, "TYPE")) {
    const kind = kindAt(args, 3);
    chosen = [...clients.all()].filter((client) => client.kind === kind);
  } else if (args.count > 3 && args.is(2, "ID")) {
    chosen = [];
    for (let i = 3; i < args.count; i++) {
      const wanted = args.integer(i);
      if (wanted === undefined) throw BAD_ID;
      const client = clients.get(Number(wanted));
      if (client !== undefined) chosen.push(client);
    }
  } else {
    throw SYNTAX;
  }
  reply.verbatim("txt", chosen.map((client) => describe(ctx, client)).join(""));
}

/** Which clients CLIENT KILL means. */
interface KillFilter {
  id?: bigint;
  kind?: ClientKind;
  address?: string;
  localAddress?: string;
  skipMe: boolean;
}

export function kill(ctx: Context, args: Args, reply: Reply): void {
  const isOldForm = args.count === 3;
  const filter = isOldForm ? { address: args.latin1(2), skipMe: false } : readKillFilter(args);
  const all = Array.from(ctx.server.admin.clients.all());
  const meant = all.filter((client) => isMeant(filter, client, ctx.client));
  for (const client of meant) {
    if (client === ctx.client) client.finish();
    else client.close("killed by CLIENT KILL");
  }
  if (!isOldForm) return reply.integer(meant.length);
  if (meant.length === 0) throw NO_SUCH_CLIENT;
  reply.ok();
}

function readKillFilter(args: Args): KillFilter {
  const filter: KillFilter = { skipMe: true };
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 >= args.count) throw SYNTAX;
    if (args.is(i, "ID")) {
      const wanted = args.integer(i + 1);
      if (wanted === undefined || wanted < 1n) throw new ReplyError("ERR client-id should be greater than 0");
      filter.id = wanted;
    } else if (args.is(i, "TYPE")) {
      filter.kind = kindAt(args, i + 1);
    } else if (args.is(i, "ADDR")) {
      filter.address = args.latin1(i + 1);
    } else if (args.is(i, "LADDR")) {
      filter.localAddress = args.latin1(i + 1);
    } else if (args.is(i, "USER")) {
      const user = args.latin1(i + 1);
      if (user !== "default") throw new ReplyError(`ERR No such user '${user}'`);
    } else if (args.is(i, "SKIPME") && (args.is(i + 1, "YES") || args.is(i + 1, "NO"))) {
      filter.skipMe = args.is(i + 1, "YES");
    } else {
      throw SYNTAX;
    }
  }
  return filter;
}

function isMeant(filter: KillFilter, client: Client, me: Client): boolean {
  if (filter.skipMe && client === me) return false;
  if (filter.id !== undefined && filter.id !== BigInt(client.id)) return false;
  if (filter.kind !== undefined && filter.kind !== client.kind) return false;
  if (filter.address !== undefined && filter.address !== client.address) return false;
  return filter.localAddress === undefined || filter.localAddress === client.localAddress;
}

export function replyMode(ctx: Context, args: Args, reply: Reply): void {
  const { client } = ctx;
  if (args.is(2, "ON")) {
    client.replyMode = "on";
    reply.ok();
  } else if (args.is(2, "OFF")) {
    client.replyMode = "off";
  } else if (args.is(2, "SKIP")) {
    if (client.replyMode !== "off") client.replyMode = "skip";
  } else {
    throw SYNTAX;
  }
}

export function noEvict(ctx: Context, args: Args, reply: Reply): void {
  if (!args.is(2, "ON") && !args.is(2, "OFF")) throw SYNTAX;
  ctx.client.isSpared = args.is(2, "ON");
  reply.ok();
}

export function pause(ctx: Context, args: Args, reply: Reply): void {
  if (args.count > 4) throw wrongForm("CLIENT", args.latin1(1));
  if (args.count === 4 && !args.is(3, "WRITE") && !args.is(3, "ALL")) {
    throw new ReplyError("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  const timeoutMs = timeoutAt(args, 2);
  ctx.server.admin.pauseClients(args.is(3, "WRITE") ? "write" : "all", ctx.nowMs + timeoutMs);
  reply.ok();
}

export function unpause(ctx: Context, _args: Args, reply: Reply): void {
  ctx.server.admin.resumeClients();
  reply.ok();
}

export function unblock(ctx: Context, args: Args, reply: Reply): void {
  if (args.count > 4) throw wrongForm("CLIENT", args.latin1(1));
  if (args.count === 4 && !args.is(3, "TIMEOUT") && !args.is(3, "ERROR")) {
    throw new ReplyError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  const client = ctx.server.admin.clients.get(Number(integerAt(args, 2)));
  const how = args.is(3, "ERROR") ? "error" : "timeout";
  reply.integer(client !== undefined && ctx.server.admin.unblock(client, how) ? 1 : 0);
}

export function help(_ctx: Context, _args: Args, reply: Reply): void {
  const lines = [
    ["CACHING (YES|NO)", "Whether keys of the next command are tracked."],
    ["GETNAME", "Tell this connection's name."],
    ["GETREDIR", "Tell who gets this connection's invalidations: 0 itself, -1 nobody."],
    ["ID", "Tell this connection's number."],
    ["INFO", "Describe this connection."],
    ["KILL <ip:port>", "Close the connection from this address."],
    [
      "KILL <option> <value> [<option> <value> [...]]",
      "Close connections: ADDR, LADDR, ID, TYPE (NORMAL|MASTER|REPLICA|PUBSUB), USER, SKIPME (YES|NO).",
    ],
    ["LIST [TYPE <type> | ID <id> [...]]", "Describe connections, one a line."],
    ["NO-EVICT (ON|OFF)", "Spare this connection when memory for clients runs out."],
    ["PAUSE <timeout> [WRITE|ALL]", "Hold requests, all or just writes, for so many milliseconds."],
    ["REPLY (ON|OFF|SKIP)", "Whether this connection gets replies."],
    ["SETNAME <name>", "Name this connection."],
    [
      "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] [OPTOUT] [NOLOOP]",
      "Whether this connection is told of changes to what it read, or to all keys with a prefix.",
    ],
    ["TRACKINGINFO", "Describe this connection's tracking."],
    ["UNBLOCK <id> [TIMEOUT|ERROR]", "End the command a connection is blocked in."],
    ["UNPAUSE", "End a pause."],
  ] as const;
  writeHelp("CLIENT", lines, reply);
}
