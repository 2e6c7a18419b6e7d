// The pubsub family: messages to whoever is subscribed to a channel, to a pattern channels fit, or to a sharded channel.
import { family, keyAt, keysFrom } from "./family.ts";
import * as pubsub from "./pubsub-handlers.ts";
import type { Command } from "./row.ts";

/** SUBSCRIBE and its kin. */
const subscribing = {
  flags: ["pubsub", "noscript", "loading", "stale"],
  whileSubscribed: true,
} as const satisfies Partial<Command>;

const publishing = {
  arity: 3,
  flags: ["pubsub", "loading", "stale", "fast", "may_replicate"],
} as const satisfies Partial<Command>;

const asking = { flags: ["pubsub", "loading", "stale"] } as const satisfies Partial<Command>;

const pubsubRow: Command = {
  name: "pubsub",
  arity: -2,
  flags: [],
  since: "2.8.0",
  complexity: "Depends on subcommand.",
  summary: "What is subscribed to.",
  subcommands: [
    {
      ...asking,
      name: "channels",
      arity: -2,
      since: "2.8.0",
      complexity:
        "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)",
      syntax: "[pattern]",
      summary: "Names channels that have subscribers.",
      run: pubsub.channels,
    },
    {
      name: "help",
      arity: 2,
      flags: ["loading", "stale"],
      since: "6.2.0",
      complexity: "O(1)",
      categories: ["-pubsub"],
      summary: "Describes the forms of PUBSUB.",
      run: pubsub.help,
    },
    {
      ...asking,
      name: "numpat",
      arity: 2,
      since: "2.8.0",
      complexity: "O(1)",
      summary: "Counts patterns that have subscribers.",
      run: pubsub.numpat,
    },
    {
      ...asking,
      name: "numsub",
      arity: -2,
      since: "2.8.0",
      complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
      syntax: "[channel...]",
      summary: "Counts the subscribers of channels.",
      run: pubsub.numsub,
    },
    {
      ...asking,
      name: "shardchannels",
      arity: -2,
      since: "7.0.0",
      complexity:
        "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels).",
      syntax: "[pattern]",
      summary: "Names sharded channels that have subscribers.",
      run: pubsub.shardChannels,
    },
    {
      ...asking,
      name: "shardnumsub",
      arity: -2,
      since: "7.0.0",
      complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
      syntax: "[shardchannel...]",
      summary: "Counts the subscribers of sharded channels.",
      run: pubsub.shardNumsub,
    },
  ],
};

export const pubsubFamily = family("pubsub", [
  {
    ...subscribing,
    name: "psubscribe",
    arity: -2,
    since: "2.0.0",
    complexity: "O(N) where N is the number of patterns the client is already subscribed to.",
    syntax: "pattern(pattern)...",
    summary: "Subscribes to all channels that fit patterns.",
    run: pubsub.psubscribe,
  },
  {
    ...publishing,
    name: "publish",
    since: "2.0.0",
    complexity:
      "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).",
    syntax: "channel message",
    summary: "Sends a message to the subscribers of a channel.",
    run: pubsub.publish,
  },
  pubsubRow,
  {
    ...subscribing,
    name: "punsubscribe",
    arity: -1,
    since: "2.0.0",
    complexity:
      "O(N+M) where N is the number of patterns the client is already subscribed and M is the number of total patterns subscribed in the system (by any client).",
    syntax: "[pattern...]",
    summary: "Ends subscriptions to patterns, all of them when none is named.",
    run: pubsub.punsubscribe,
  },
  {
    ...publishing,
    name: "spublish",
    keys: [keyAt(1, "not_key")],
    since: "7.0.0",
    complexity: "O(N) where N is the number of clients subscribed to the receiving shard channel.",
    syntax: "shardchannel message",
    summary: "Sends a message to the subscribers of a sharded channel.",
    run: pubsub.spublish,
  },
  {
    ...subscribing,
    name: "ssubscribe",
    arity: -2,
    keys: [keysFrom(1, -1, 1, "not_key")],
    since: "7.0.0",
    complexity: "O(N) where N is the number of shard channels to subscribe to.",
    syntax: "shardchannel...",
    summary: "Subscribes to sharded channels.",
    run: pubsub.ssubscribe,
  },
  {
    ...subscribing,
    name: "subscribe",
    arity: -2,
    since: "2.0.0",
    complexity: "O(N) where N is the number of channels to subscribe to.",
    syntax: "channel...",
    summary: "Subscribes to channels.",
    run: pubsub.subscribe,
  },
  {
    ...subscribing,
    name: "sunsubscribe",
    arity: -1,
    keys: [keysFrom(1, -1, 1, "not_key")],
    since: "7.0.0",
    complexity: "O(N) where N is the number of clients already subscribed to a shard channel.",
    syntax: "[shardchannel...]",
    summary: "Ends subscriptions to sharded channels, all of them when none is named.",
    run: pubsub.sunsubscribe,
  },
  {
    ...subscribing,
    name: "unsubscribe",
    arity: -1,
    since: "2.0.0",
    complexity: "O(N) where N is the number of clients already subscribed to a channel.",
    syntax: "[channel...]",
    summary: "Ends subscriptions to channels, all of them when none is named.",
    run: pubsub.unsubscribe,
  },
]);
