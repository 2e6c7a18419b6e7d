// Who is subscribed to what on this node, and how messages reach them. A message takes one form for each version of the
// protocol and each pattern it is sent for; the form is written once and handed to all clients it is for.
//
// Sharded channels belong to hash slots. When a slot leaves this node, its subscriptions end: clients are told, and
// subscribe again where the slot is served now. A replica that takes over from its master keeps them.
import { Buffer } from "node:buffer";
import type { Client } from "../commands/context.ts";
import { Glob } from "../commands/glob.ts";
import type { PubSub, SubscriptionKind } from "../commands/subscriptions.ts";
import { byteText, bytesOf } from "../resp/byte-text.ts";
import { connectionOf, type ClientConnection } from "./client.ts";
import type { Place, Pushes } from "./pushes.ts";

export type OwnSubscriptions = Readonly<Record<SubscriptionKind, Set<string>>>;

type Subscribers = Set<ClientConnection>;

/** What the confirmations are called. */
const VERBS = {
  channel: ["subscribe", "unsubscribe"],
  pattern: ["psubscribe", "punsubscribe"],
  shard: ["ssubscribe", "sunsubscribe"],
} as const satisfies Record<SubscriptionKind, readonly [string, string]>;

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const typeByte = (protocol: 2 | 3): string => (protocol === 3 ? ">" : "*");
/** How messages begin, behind their type byte. */
const HEADS = { channel: `3\r\n${bulk("message")}`, shard: `3\r\n${bulk("smessage")}` } as const;
const NO_PATTERNS: readonly Pattern[] = [];

interface Pattern {
  readonly glob: Glob;
  /** How a message begins that is sent for it, behind its type byte. */
  readonly head: string;
  readonly subscribers: Subscribers;
}

/** Who owns a slot, as one node sees it; nobody does where there is no cluster. */
export type SlotHolder = "nobody" | "self" | "master" | "other";

/** Of a sharded channel: its slot, and who owned that when it was looked at last. */
interface Home {
  readonly slot: number;
  holder: SlotHolder;
}

/** What is asked about slots. */
export interface SlotHolders {
  slotOf(name: Uint8Array): number;
  holderOf(slot: number): SlotHolder;
}

function isLost(before: SlotHolder, now: SlotHolder): boolean {
  switch (now) {
    case "self":
      return false;
    case "master":
      return before === "self";
    case "other":
      return true;
    case "nobody":
      return before !== "nobody";
    default:
      return now satisfies never;
  }
}

export class NodePubSub implements PubSub {
  readonly #subscribers: Readonly<Record<"channel" | "shard", Map<string, Subscribers>>> = {
    channel: new Map(),
    shard: new Map(),
  };
  readonly #patterns = new Map<string, Pattern>();
  readonly #homes = new Map<string, Home>();
  /** Channel and payload of the message at hand in the block of `pushes`; -1 = not written yet. */
  #bodyFrom = -1;
  #bodyTo = -1;

  constructor(
    private readonly pushes: Pushes,
    private readonly slots: SlotHolders,
  ) {}

  get channelCount(): number {
    return this.#subscribers.channel.size;
  }

  get patternCount(): number {
    return this.#patterns.size;
  }

  get shardChannelCount(): number {
    return this.#subscribers.shard.size;
  }

  names(kind: SubscriptionKind): Iterable<string> {
    return kind === "pattern" ? this.#patterns.keys() : this.#subscribers[kind].keys();
  }

  subscriberCount(kind: SubscriptionKind, name: string): number {
    return this.#subscribersOf(kind, name)?.size ?? 0;
  }

  subscribe(client: Client, kind: SubscriptionKind, name: string): Uint8Array {
    const connection = connectionOf(client);
    const all = (connection.subscriptions ??= { channel: new Set(), pattern: new Set(), shard: new Set() });
    if (!all[kind].has(name)) {
      all[kind].add(name);
      (this.#subscribersOf(kind, name) ?? this.#begin(kind, name)).add(connection);
    }
    return confirmation(connection, kind, VERBS[kind][0], name);
  }

  unsubscribe(client: Client, kind: SubscriptionKind, name: string | undefined): Uint8Array {
    const connection = connectionOf(client);
    if (name !== undefined) this.#remove(connection, kind, name);
    return confirmation(connection, kind, VERBS[kind][1], name);
  }

  push(client: Client, bytes: Uint8Array): void {
    this.pushes.send(connectionOf(client), bytes);
  }

  left(client: Client): void {
    const connection = connectionOf(client);
    for (const kind of ["channel", "pattern", "shard"] as const)
      for (const name of connection.subscriptions?.[kind] ?? []) this.#remove(connection, kind, name);
  }

  /** @param place where the message stands for the client whose request runs, should it be subscribed itself */
  publish(
    kind: "channel" | "shard",
    channel: Uint8Array,
    payload: Uint8Array,
    place: Place = "here",
  ): number {
    const named = this.#subscribers[kind];
    if (named.size === 0 && this.#patterns.size === 0) return 0;
    // Both look at the bytes of the channel, which may lie in linear memory and move once anything is sent.
    const name = byteText(channel);
    const subscribers = named.get(name);
    const patterns = kind === "channel" ? this.#matching(channel) : NO_PATTERNS;
    if (subscribers === undefined && patterns.length === 0) return 0;
    this.pushes.relieve();
    this.#bodyFrom = -1;
    let count = 0;
    if (subscribers !== undefined) count = this.#deliver(subscribers, HEADS[kind], name, payload, place);
    for (const pattern of patterns)
      count += this.#deliver(pattern.subscribers, pattern.head, name, payload, place);
    return count;
  }

  /** Slots may have changed hands. */
  routesChanged(): void {
    for (const [name, home] of this.#homes) {
      const before = home.holder;
      home.holder = this.slots.holderOf(home.slot);
      if (!isLost(before, home.holder)) continue;
      for (const client of this.#subscribers.shard.get(name) ?? [])
        this.push(client, this.unsubscribe(client, "shard", name));
    }
  }

  #subscribersOf(kind: SubscriptionKind, name: string): Subscribers | undefined {
    return kind === "pattern" ? this.#patterns.get(name)?.subscribers : this.#subscribers[kind].get(name);
  }

  /** Its first subscriber comes. */
  #begin(kind: SubscriptionKind, name: string): Subscribers {
    const subscribers: Subscribers = new Set();
    if (kind === "pattern") {
      const glob = new Glob(bytesOf(name));
      this.#patterns.set(name, { glob, head: `4\r\n${bulk("pmessage")}${bulk(name)}`, subscribers });
      return subscribers;
    }
    this.#subscribers[kind].set(name, subscribers);
    if (kind === "shard") {
      const slot = this.slots.slotOf(bytesOf(name));
      this.#homes.set(name, { slot, holder: this.slots.holderOf(slot) });
    }
    return subscribers;
  }

  #remove(client: ClientConnection, kind: SubscriptionKind, name: string): void {
    const all = client.subscriptions;
    if (all === undefined || !all[kind].delete(name)) return;
    if (all.channel.size + all.pattern.size + all.shard.size === 0) client.subscriptions = undefined;
    const subscribers = this.#subscribersOf(kind, name);
    if (subscribers?.delete(client) !== true || subscribers.size > 0) return;
    if (kind === "pattern") this.#patterns.delete(name);
    else this.#subscribers[kind].delete(name);
    if (kind === "shard") this.#homes.delete(name);
  }

  #matching(channel: Uint8Array): readonly Pattern[] {
    if (this.#patterns.size === 0) return NO_PATTERNS;
    let found: Pattern[] | undefined;
    for (const pattern of this.#patterns.values())
      if (pattern.glob.matches(channel)) (found ??= []).push(pattern);
    return found ?? NO_PATTERNS;
  }

  /** Hands a message to all of them, in the form of the protocol each speaks. */
  #deliver(subscribers: Subscribers, head: string, name: string, payload: Uint8Array, place: Place): number {
    const { pushes } = this;
    let protocol: 2 | 3 | undefined;
    let from = 0;
    let to = 0;
    /** The same for the other protocol, once somebody needs it. */
    let otherFrom = -1;
    let otherTo = -1;
    for (const client of subscribers) {
      if (protocol === undefined) {
        protocol = client.protocol;
        from = this.#write(typeByte(protocol) + head, name, payload);
        to = pushes.length;
      }
      if (client.protocol === protocol) {
        pushes.hand(client, place, from, to);
        continue;
      }
      if (otherFrom < 0) {
        otherFrom = pushes.writeText(typeByte(client.protocol));
        pushes.repeat(from + 1, to);
        otherTo = pushes.length;
      }
      pushes.hand(client, place, otherFrom, otherTo);
    }
    return subscribers.size;
  }

  /** One form of the message at hand. @returns where it begins */
  #write(head: string, name: string, payload: Uint8Array): number {
    const { pushes } = this;
    if (this.#bodyFrom >= 0) {
      const from = pushes.writeText(head);
      pushes.repeat(this.#bodyFrom, this.#bodyTo);
      return from;
    }
    const from = pushes.writeText(`${head}${bulk(name)}$${payload.length}\r\n`);
    this.#bodyFrom = from + head.length;
    pushes.write(payload);
    pushes.writeText("\r\n");
    this.#bodyTo = pushes.length;
    return from;
  }
}

/** Sharded channels are counted by themselves. */
function confirmation(
  { subscriptions: all, protocol }: ClientConnection,
  kind: SubscriptionKind,
  verb: string,
  name: string | undefined,
): Uint8Array {
  const count =
    kind === "shard" ? (all?.shard.size ?? 0) : (all?.channel.size ?? 0) + (all?.pattern.size ?? 0);
  const shown = name === undefined ? (protocol === 3 ? "_\r\n" : "$-1\r\n") : bulk(name);
  return Buffer.from(`${typeByte(protocol)}3\r\n${bulk(verb)}${shown}:${count}\r\n`, "latin1");
}
