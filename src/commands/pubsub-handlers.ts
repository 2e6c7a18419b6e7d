// Publishing and subscribing. Confirmations are pushes that take the place of a reply: CLIENT REPLY does not mute them.
import { Buffer } from "node:buffer";
import type { Args } from "../engine/args.ts";
import { ReplyError, wrongForm } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { Glob } from "./glob.ts";
import { writeHelp } from "./help.ts";
import type { Handler } from "./row.ts";
import type { SubscriptionKind } from "./subscriptions.ts";

const NOT_IN_EXEC = new ReplyError("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");

const bytesOf = (name: string): Uint8Array => Buffer.from(name, "latin1");

/** Part of the reply, so that it has its place in that of EXEC, unless replies are muted. */
function confirm({ client, server }: Context, reply: Reply, confirmation: Uint8Array): void {
  if (client.replyMode === "on") reply.raw(confirmation);
  else server.pubsub.push(client, confirmation);
}

const subscribeTo =
  (kind: SubscriptionKind): Handler =>
  (ctx, args, reply) => {
    for (let i = 1; i < args.count; i++)
      confirm(ctx, reply, ctx.server.pubsub.subscribe(ctx.client, kind, args.latin1(i)));
  };

const unsubscribeFrom =
  (kind: SubscriptionKind): Handler =>
  (ctx, args, reply) => {
    const { client } = ctx;
    const { pubsub } = ctx.server;
    const all =
      args.count > 1
        ? Array.from({ length: args.count - 1 }, (_, i) => args.latin1(i + 1))
        : [...(client.subscriptions?.[kind] ?? [])];
    for (const name of all.length === 0 ? [undefined] : all)
      confirm(ctx, reply, pubsub.unsubscribe(client, kind, name));
  };

const subscribeToShards = subscribeTo("shard");

export const subscribe = subscribeTo("channel");
export const psubscribe = subscribeTo("pattern");

/** Unlike its older kin it is no part of a transaction. */
export const ssubscribe: Handler = (ctx, args, reply) => {
  if (ctx.client.cannotWait) throw NOT_IN_EXEC;
  subscribeToShards(ctx, args, reply);
};
export const unsubscribe = unsubscribeFrom("channel");
export const punsubscribe = unsubscribeFrom("pattern");
export const sunsubscribe = unsubscribeFrom("shard");

/** In a cluster the other nodes hear of it over the bus, replicas among them; elsewhere replicas get the request. */
const publishTo =
  (kind: "channel" | "shard"): Handler =>
  (ctx, args, reply) => {
    const { cluster, pubsub } = ctx.server;
    const count = pubsub.publish(kind, args.view(1), args.view(2));
    if (cluster === undefined) ctx.relay();
    else if (cluster.state.nodes.size > 1) {
      const [channel, payload] = [args.bytes(1), args.bytes(2)];
      cluster.ask({ type: "publish", shard: kind === "shard", channel, payload });
    }
    reply.integer(count);
  };

export const publish = publishTo("channel");
export const spublish = publishTo("shard");

const namesOf =
  (kind: "channel" | "shard"): Handler =>
  ({ server: { pubsub } }, args, reply) => {
    if (args.count > 3) throw wrongForm("PUBSUB", args.latin1(1));
    const glob = args.count === 3 ? new Glob(args.bytes(2)) : undefined;
    const names = Array.from(pubsub.names(kind), bytesOf).filter((name) => glob?.matches(name) ?? true);
    reply.array(names.length);
    for (const name of names) reply.bulk(name);
  };

const subscriberCounts =
  (kind: "channel" | "shard"): Handler =>
  ({ server: { pubsub } }, args, reply) => {
    reply.array((args.count - 2) * 2); // pairs, yet no map in RESP3 either
    for (let i = 2; i < args.count; i++) {
      reply.bulk(args.at(i));
      reply.integer(pubsub.subscriberCount(kind, args.latin1(i)));
    }
  };

export const channels = namesOf("channel");
export const shardChannels = namesOf("shard");
export const numsub = subscriberCounts("channel");
export const shardNumsub = subscriberCounts("shard");

export function numpat({ server: { pubsub } }: Context, _args: Args, reply: Reply): void {
  reply.integer(pubsub.patternCount);
}

export function help(_ctx: Context, _args: Args, reply: Reply): void {
  const lines = [
    ["CHANNELS [<pattern>]", "Channels that have subscribers."],
    ["NUMPAT", "How many patterns have subscribers."],
    ["NUMSUB [<channel> [...]]", "How many subscribers channels have, those by pattern not counted."],
    ["SHARDCHANNELS [<pattern>]", "Sharded channels that have subscribers."],
    ["SHARDNUMSUB [<shardchannel> [...]]", "How many subscribers sharded channels have."],
  ] as const;
  writeHelp("PUBSUB", lines, reply);
}
