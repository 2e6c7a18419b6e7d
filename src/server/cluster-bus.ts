// Feeds the cluster machine from sockets and timers and carries out what it wants done, in order. What concerns the
// rest of the node (replication, the keyspace, clients) is handed on through `BusHandlers`.
import { encodeMessage } from "../cluster/codec-binary.ts";
import type { ClusterEffect, ClusterEvent } from "../cluster/events.ts";
import { FRAME_LIMIT, FrameDecoder, STRANGERS_FRAME_LIMIT } from "../cluster/frames.ts";
import type { ClusterMachine } from "../cluster/machine.ts";
import type { BusMessage, LinkId } from "../cluster/message.ts";
import { isInHandshake } from "../cluster/node.ts";
import { every, nowMs, type Timer } from "../io/clock.ts";
import { contained } from "../io/fault-domain.ts";
import { connect, openSockets, type Connection, type ConnectionUser, type Listener } from "../io/sockets.ts";
import { listenOnAll } from "./listen.ts";
import { Strangers } from "./strangers.ts";

/** Milliseconds between two ticks of the machine. */
const TICK_MS = 100;
/** Milliseconds an attempt to connect to a peer may take. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Effects that are not the bus's own business. */
export type NodeEffect = Exclude<ClusterEffect, { type: "persist" | "send" | "connect" | "disconnect" }>;

export interface BusHandlers {
  /**
   * Saves nodes.conf.
   * @param when on disk now; now, so that it outlives this process; soon
   * @returns why it could not; undefined = it did, or will try
   */
  save(when: "now" | "briefly" | "soon"): string | undefined;
  carryOut(effect: NodeEffect): void;
  /** Before each tick: facts that change by themselves. */
  beforeTick(): void;
}

/** One TCP connection of the bus. */
class BusLink implements ConnectionUser {
  readonly frames = new FrameDecoder();

  constructor(
    readonly id: LinkId,
    readonly connection: Connection,
    private readonly bus: ClusterBus,
  ) {}

  received(chunk: Uint8Array): void {
    const { frames, bus, id: link } = this;
    let count = 0;
    frames.add(chunk);
    for (;;) {
      // Whom the link leads to may be known since the last message.
      frames.frameLimit = bus.leadsToKnown(link) ? FRAME_LIMIT : STRANGERS_FRAME_LIMIT;
      const next = frames.next();
      if (next === undefined) break;
      if ("malformed" in next) return bus.feed({ type: "malformed", link, reason: next.malformed });
      bus.feed({ type: "received", link, message: next });
      count++;
    }
    if (count === 0) bus.feed({ type: "heard", link });
    bus.wasHeard(this);
  }

  closed(): void {
    this.bus.wasClosed(this);
  }
}

export class ClusterBus {
  /** cluster-link-sendbuf-limit: a link with more than this waiting is closed, bytes; 0 = any amount may wait. */
  sendLimitBytes = 0;
  /** Links closed for that. */
  linksOverLimit = 0;

  readonly #links = new Map<LinkId, BusLink>();
  /** Inbound links on which no node we know has spoken. */
  readonly #strangers = new Strangers<BusLink>();
  /** Outbound links being made; deleted when the machine gives one up meanwhile. */
  readonly #connecting = new Set<LinkId>();
  readonly #waiting: ClusterEvent[] = [];
  #feeding = false;
  #lastInbound = 0;
  #listeners: Listener[] = [];
  #timer: Timer | undefined;
  /** The frame sent last: a broadcast hands the same message to every link. */
  #encoded: { message: BusMessage; frame: Uint8Array } | undefined;

  constructor(
    readonly machine: ClusterMachine,
    private readonly handlers: BusHandlers,
  ) {}

  /** Opens the bus port on each address of `bind`. Throws StartError. */
  listen(hosts: readonly string[], port: number): void {
    this.#listeners = listenOnAll(hosts, port, (connection) => this.#accept(connection));
  }

  /** Lets time pass for the machine. */
  start(): void {
    this.feed({ type: "tick" });
    this.#timer = every(TICK_MS, () => {
      this.#closeOverfull();
      this.handlers.beforeTick();
      this.feed({ type: "tick" });
    });
  }

  stop(): void {
    this.#timer?.stop();
    for (const listener of this.#listeners) listener.stop();
    this.#listeners = [];
    this.#connecting.clear();
    for (const link of this.#links.values()) link.connection.close();
    this.#links.clear();
  }

  /** Gives the machine an event; one that arises while another is carried out waits for its turn. */
  feed(event: ClusterEvent): void {
    this.#waiting.push(event);
    this.settle([]);
  }

  /**
   * Carries out what an event fed or a request asked elsewhere led to, and then whatever that led to: all effects of
   * one step come before those of the next, or a vote could be on the wire before it is on disk.
   * @returns why these effects could not be saved, and so were not carried out; undefined = they were
   */
  settle(effects: readonly ClusterEffect[]): string | undefined {
    if (this.#feeding) return this.#carryOut(effects);
    this.#feeding = true;
    let fault: string | undefined;
    try {
      fault = this.#carryOut(effects);
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#carryOut(this.machine.step(next, nowMs()));
      }
    } finally {
      this.#feeding = false;
    }
    return fault;
  }

  /** @returns why the effects hang in the air; what the machine makes of that is carried out instead of them */
  #carryOut(effects: readonly ClusterEffect[]): string | undefined {
    for (const effect of effects) {
      switch (effect.type) {
        case "persist": {
          const when = effect.sync ? (effect.brief === true ? "briefly" : "now") : "soon";
          const reason = this.handlers.save(when);
          if (reason === undefined) break;
          this.#carryOut(this.machine.step({ type: "saveFailed", reason, ofStep: true }, nowMs()));
          return reason;
        }
        case "send":
          this.#send(effect.link, effect.message);
          break;
        case "connect":
          this.#connect(effect.link, effect.ip, effect.port);
          break;
        case "disconnect":
          this.#disconnect(effect.link);
          break;
        default:
          this.handlers.carryOut(effect);
      }
    }
    return undefined;
  }

  /** Whether a link is one of a node that is known by its id. */
  leadsToKnown(link: LinkId): boolean {
    const node = this.machine.state.links.get(link)?.node;
    return node !== undefined && !isInHandshake(node);
  }

  /** Links of both directions, open or not, to every node known: they must find room whenever they are made. */
  get connectionCount(): number {
    return this.machine.state.peerCount * 2;
  }

  /** Bytes waiting on all links for their sockets. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const link of this.#links.values()) bytes += link.connection.queuedBytes;
    return bytes;
  }

  /** Bytes waiting on a link for its socket. */
  queuedBytes(link: LinkId): number {
    return this.#links.get(link)?.connection.queuedBytes ?? 0;
  }

  /** Something came in on a link. */
  wasHeard(link: BusLink): void {
    if (!this.#strangers.has(link)) return;
    if (this.machine.state.links.get(link.id)?.node !== undefined) this.#strangers.delete(link);
    else if (this.#strangers.isGreedy(link)) link.connection.close();
  }

  wasClosed(link: BusLink): void {
    this.#strangers.delete(link);
    if (!this.#links.delete(link.id)) return;
    this.feed({ type: "unlinked", link: link.id });
  }

  #accept(connection: Connection): ConnectionUser {
    const link = new BusLink(--this.#lastInbound, connection, this);
    this.#links.set(link.id, link);
    const { localAddress: localIp, remoteAddress: remoteIp } = connection;
    this.feed({ type: "accepted", link: link.id, localIp, remoteIp });
    for (const stranger of this.#strangers.add(link)) stranger.connection.close();
    return link;
  }

  #connect(id: LinkId, ip: string, port: number): void {
    const node = this.machine.state.links.get(id)?.node;
    if (openSockets.areAllTaken && node !== undefined && isInHandshake(node))
      return this.feed({ type: "unlinked", link: id }); // whoever that is can wait
    this.#connecting.add(id);
    const refused = contained(() => {
      if (this.#connecting.delete(id)) this.feed({ type: "unlinked", link: id });
    });
    const opened = contained((connection: Connection) => this.#opened(id, connection));
    connect(ip, port, CONNECT_TIMEOUT_MS).then(opened, refused);
  }

  #opened(id: LinkId, connection: Connection): void {
    if (!this.#connecting.delete(id)) return connection.close();
    if (connection.isClosed) return this.feed({ type: "unlinked", link: id });
    const link = new BusLink(id, connection, this);
    connection.user = link;
    this.#links.set(id, link);
    const { localAddress: localIp, remoteAddress: remoteIp } = connection;
    this.feed({ type: "linked", link: id, localIp, remoteIp });
  }

  #disconnect(id: LinkId): void {
    this.#connecting.delete(id);
    const link = this.#links.get(id);
    if (link === undefined) return;
    this.#links.delete(id);
    link.connection.close();
  }

  #send(id: LinkId, message: BusMessage): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    if (this.#encoded?.message !== message) this.#encoded = { message, frame: encodeMessage(message) };
    const { frame } = this.#encoded;
    link.connection.send(frame);
    this.#closeIfOverfull(link);
  }

  /** Bytes the turn held back, or a limit that was lowered, show only now. */
  #closeOverfull(): void {
    if (this.sendLimitBytes === 0) return;
    for (const link of this.#links.values()) this.#closeIfOverfull(link);
  }

  #closeIfOverfull(link: BusLink): void {
    if (this.sendLimitBytes === 0 || link.connection.queuedBytes <= this.sendLimitBytes) return;
    this.linksOverLimit++;
    const text = `Closing a link of the cluster bus: ${link.connection.queuedBytes} bytes wait on it, more than its limit.`;
    this.handlers.carryOut({ type: "log", level: "warning", text });
    link.connection.close();
  }
}
