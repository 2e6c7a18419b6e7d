// Who a client is and how it speaks: AUTH, HELLO, SELECT, RESET and the small talk of PING, ECHO and QUIT.
import type { Args } from "../engine/args.ts";
import { bytesOf } from "../resp/byte-text.ts";
import {
  DATABASE_OUT_OF_RANGE,
  ReplyError,
  SELECT_IN_CLUSTER,
  SYNTAX,
  wrongArgumentCount,
} from "../resp/errors.ts";
import { REDIS_VERSION } from "../resp/compatibility.ts";
import type { Reply } from "../resp/reply.ts";
import { intAt } from "./arguments.ts";
import { nameClient } from "./client-handlers.ts";
import type { Context } from "./context.ts";

const WRONG_PASSWORD = new ReplyError("WRONGPASS invalid username-password pair or user is disabled.");
const NO_PASSWORD = new ReplyError(
  "ERR AUTH <password> called without any password configured for the default user. " +
    "Are you sure your configuration is correct?",
);
const HELLO_NO_AUTH = new ReplyError(
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> " +
    "option can be used to authenticate the client and select the RESP protocol version at the same time",
);

export function ping({ client }: Context, args: Args, reply: Reply): void {
  if (args.count > 2) throw wrongArgumentCount("ping");
  if (client.subscriptions !== undefined && client.protocol === 2) {
    // In the shape of a message, which is all such a client reads.
    reply.array(2);
    reply.bulk("pong");
    return reply.bulk(args.count === 2 ? args.at(1) : "");
  }
  if (args.count === 2) reply.bulk(args.at(1));
  else reply.simple("PONG");
}

export function echo(_ctx: Context, args: Args, reply: Reply): void {
  reply.bulk(args.at(1));
}

export function quit(ctx: Context, _args: Args, reply: Reply): void {
  reply.ok();
  ctx.client.finish();
}

export function auth(ctx: Context, args: Args, reply: Reply): void {
  for (let i = 1; i < args.count; i++) ctx.redact(i);
  if (args.count > 3) throw SYNTAX;
  if (args.count === 2 && ctx.server.admin.config.text("requirepass") === "") throw NO_PASSWORD;
  authenticate(ctx, args.count === 3 ? args.text(1) : "default", args.bytes(args.count - 1));
  reply.ok();
}

/** There is one user, `default`; without a password configured any will do. */
function authenticate(ctx: Context, user: string, password: Uint8Array): void {
  const wanted = ctx.server.admin.config.text("requirepass");
  const isRight = wanted === "" || isSame(bytesOf(wanted), password);
  if (user !== "default" || !isRight) throw WRONG_PASSWORD;
  ctx.client.authenticated = true;
}

/** In a time that tells nothing of where two passwords differ. */
function isSame(wanted: Uint8Array, given: Uint8Array): boolean {
  let difference = wanted.length ^ given.length;
  for (let i = 0; i < given.length; i++) difference |= given[i]! ^ wanted[i % wanted.length]!;
  return difference === 0;
}

export function hello(ctx: Context, args: Args, reply: Reply): void {
  const { client } = ctx;
  const version = args.count > 1 ? args.integer(1) : BigInt(client.protocol);
  if (version === undefined) throw new ReplyError("ERR Protocol version is not an integer or out of range");
  if (version !== 2n && version !== 3n) throw new ReplyError("NOPROTO unsupported protocol version");
  for (let i = 2; i < args.count; i++) {
    const more = args.count - 1 - i;
    if (more >= 2 && args.is(i, "AUTH")) {
      ctx.redact(i + 1);
      ctx.redact(i + 2);
      authenticate(ctx, args.text(i + 1), args.bytes(i + 2));
      i += 2;
    } else if (more >= 1 && args.is(i, "SETNAME")) {
      nameClient(client, args.bytes(i + 1));
      i += 1;
    } else {
      throw new ReplyError(`ERR Syntax error in HELLO option '${args.latin1(i)}'`);
    }
  }
  if (!client.authenticated) throw HELLO_NO_AUTH;
  client.protocol = version === 3n ? 3 : 2;
  reply.protocol = client.protocol;
  writeHello(ctx, reply);
}

function writeHello({ client, server }: Context, reply: Reply): void {
  reply.map(7);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(REDIS_VERSION);
  reply.bulk("proto");
  reply.integer(client.protocol);
  reply.bulk("id");
  reply.integer(client.id);
  reply.bulk("mode");
  reply.bulk(server.clusterEnabled ? "cluster" : "standalone");
  reply.bulk("role");
  reply.bulk(server.admin.isReplica ? "replica" : "master");
  reply.bulk("modules");
  reply.array(0);
}

/** The connection becomes as new: whatever it had switched on is off. */
export function reset(ctx: Context, _args: Args, reply: Reply): void {
  const { client } = ctx;
  client.name = "";
  client.database = 0;
  client.readsReplica = false;
  client.asking = false;
  if (client.replyMode !== "skipping") client.replyMode = "on"; // what was muted already stays so
  client.isSpared = false;
  client.isMonitor = false;
  ctx.server.tracking.stop(client);
  ctx.server.transactions.discard(client);
  ctx.server.pubsub.left(client);
  client.authenticated = ctx.server.admin.config.text("requirepass") === "";
  client.protocol = 2;
  reply.protocol = 2;
  reply.simple("RESET");
}

export function select(ctx: Context, args: Args, reply: Reply): void {
  const index = intAt(args, 1);
  if (ctx.server.clusterEnabled && index !== 0) throw SELECT_IN_CLUSTER;
  if (index < 0 || index >= ctx.server.databaseCount) throw DATABASE_OUT_OF_RANGE;
  ctx.client.database = index;
  reply.ok();
}
