// Publish and subscribe, as handlers see it. Names of channels and patterns are text of one character per byte.
import type { Client } from "./context.ts";

/** `shard`: a channel that belongs to a hash slot, and so to the nodes that hold it. */
export type SubscriptionKind = "channel" | "pattern" | "shard";

/** What one connection is subscribed to. */
export type Subscriptions = Readonly<Record<SubscriptionKind, ReadonlySet<string>>>;

export interface PubSub {
  /** Subscribes a client, unless it is already. @returns the confirmation, as RESP */
  subscribe(client: Client, kind: SubscriptionKind, name: string): Uint8Array;
  /** Ends a subscription, if there is one. @returns the confirmation; it names nothing when `name` is undefined */
  unsubscribe(client: Client, kind: SubscriptionKind, name: string | undefined): Uint8Array;
  /** Sends a client what CLIENT REPLY does not mute. */
  push(client: Client, bytes: Uint8Array): void;
  /** Ends all subscriptions of a client, which is told nothing. */
  left(client: Client): void;
  /**
   * Sends a message to whoever is subscribed here.
   * @returns how many messages that were: a client gets one for its channel and one for each pattern that fits
   */
  publish(kind: "channel" | "shard", channel: Uint8Array, payload: Uint8Array): number;
  /** Names that have subscribers. */
  names(kind: SubscriptionKind): Iterable<string>;
  subscriberCount(kind: SubscriptionKind, name: string): number;
  readonly patternCount: number;
}
