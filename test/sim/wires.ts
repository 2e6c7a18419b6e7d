// The network between simulated nodes: connections, delays, cuts. Messages go through the binary codec, as they would
// between processes.
import { encodeMessage } from "../../src/cluster/codec-binary.ts";
import { FrameDecoder } from "../../src/cluster/frames.ts";
import type { BusMessage, LinkId } from "../../src/cluster/message.ts";
import { feed } from "../support/frames.ts";
import type { SimNode } from "./sim-node.ts";
import type { Surroundings } from "./surroundings.ts";

/** How long an attempt to connect hangs when nobody answers. */
const CONNECT_MS = 1000;

export interface Wire {
  readonly from: SimNode;
  readonly to: SimNode;
  /** Ids of this connection at each end. */
  readonly fromLink: LinkId;
  readonly toLink: LinkId;
  open: boolean;
  /** Nothing overtakes: the earliest moment for the next arrival, each way. */
  readonly clearAtMs: [number, number];
}

export class Wires {
  sentMessages = 0;
  sentBytes = 0;
  /** "a>b": what a sends does not reach b. */
  readonly #cut = new Set<string>();

  /**
   * @param heard called once a node has taken a message in
   */
  constructor(
    private readonly world: Surroundings,
    private readonly delayMs: readonly [number, number],
    private readonly heard: (node: SimNode, message: BusMessage) => void,
  ) {}

  /** Draws how long something takes one way. */
  delay(): number {
    const [least, most] = this.delayMs;
    return least + this.world.random() * (most - least);
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  heal(): void {
    this.#cut.clear();
  }

  reaches(from: SimNode, to: SimNode): boolean {
    return !this.#cut.has(`${from.name}>${to.name}`);
  }

  /** Both ways. */
  reach(a: SimNode, b: SimNode): boolean {
    return this.reaches(a, b) && this.reaches(b, a);
  }

  any(): Wire | undefined {
    const wires = this.world.nodes.flatMap((node) => [...node.wires.values()]);
    return wires[Math.floor(this.world.random() * wires.length)];
  }

  connect(node: SimNode, link: LinkId, ip: string, port: number): void {
    const { world } = this;
    const peer = world.nodes.find((other) => other.ip === ip && other.port + 10_000 === port);
    const { incarnation } = node;
    const isUp = () => node.running && node.incarnation === incarnation;
    if (peer === undefined || !this.reach(node, peer)) {
      world.later(CONNECT_MS, () => isUp() && world.feed(node, { type: "unlinked", link }));
      return;
    }
    world.later(this.delay() + this.delay(), () => {
      if (!isUp()) return;
      if (!peer.running) return world.feed(node, { type: "unlinked", link });
      const toLink = --peer.lastInbound;
      const wire: Wire = { from: node, to: peer, fromLink: link, toLink, open: true, clearAtMs: [0, 0] };
      node.wires.set(link, wire);
      peer.wires.set(toLink, wire);
      node.decoders.set(link, new FrameDecoder());
      peer.decoders.set(toLink, new FrameDecoder());
      world.feed(peer, { type: "accepted", link: toLink, localIp: peer.ip, remoteIp: node.ip });
      world.feed(node, { type: "linked", link, localIp: node.ip, remoteIp: peer.ip });
    });
  }

  send(node: SimNode, link: LinkId, message: BusMessage): void {
    const bytes = encodeMessage(message);
    this.sentMessages++;
    this.sentBytes += bytes.length;
    const wire = node.wires.get(link);
    if (wire === undefined || !wire.open) return;
    const outward = link === wire.fromLink; // a node may be linked to itself
    const peer = outward ? wire.to : wire.from;
    if (!this.reaches(node, peer)) return;
    const way = outward ? 0 : 1;
    const { nowMs } = this.world;
    const atMs = Math.max(wire.clearAtMs[way], nowMs + this.delay());
    wire.clearAtMs[way] = atMs;
    const { incarnation } = peer;
    this.world.later(atMs - nowMs, () => {
      if (!wire.open || peer.incarnation !== incarnation) return;
      this.#arrive(peer, outward ? wire.toLink : wire.fromLink, bytes);
    });
  }

  #arrive(node: SimNode, link: LinkId, bytes: Uint8Array): void {
    const { messages, malformed } = feed(node.decoders.get(link)!, bytes);
    for (const message of messages) {
      this.world.feed(node, { type: "received", link, message });
      if (node.awake) this.heard(node, message);
    }
    if (malformed !== undefined) this.world.fail(`malformed: ${malformed}`);
  }

  disconnect(node: SimNode, link: LinkId): void {
    const wire = node.wires.get(link);
    node.wires.delete(link);
    if (wire !== undefined) this.break(wire, node);
  }

  /** All connections of a node that died. */
  dropAll(node: SimNode): void {
    for (const wire of node.wires.values()) this.break(wire, node);
    node.wires.clear();
    node.decoders.clear();
  }

  /** Both ends learn of it, except the one that did it. */
  break(wire: Wire, by: SimNode | undefined): void {
    if (!wire.open) return;
    wire.open = false;
    for (const [node, link] of [
      [wire.from, wire.fromLink],
      [wire.to, wire.toLink],
    ] as const) {
      if (node === by) continue;
      const { incarnation } = node;
      this.world.later(this.delay(), () => {
        if (node.incarnation !== incarnation || !node.wires.delete(link)) return;
        this.world.feed(node, { type: "unlinked", link });
      });
    }
  }
}
