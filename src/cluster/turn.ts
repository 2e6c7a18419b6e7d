// What every rule of the machine works with: the state, the moment, and the list of what is to be done about it.
// Rules note what changed; when the step ends, the machine turns the notes into effects, once each.
import type { SteadyClock } from "./clock.ts";
import type { ClusterEffect, LogLevel } from "./events.ts";
import type { Body, BusMessage, Header, LinkId } from "./message.ts";
import { hasNoAddress, isMaster, type ClusterNode } from "./node.ts";
import type { KeyspaceView } from "./options.ts";
import { takePicture, takeSlotPicture } from "./picture.ts";
import type { ClusterState } from "./state.ts";

/** What changed during a step and has to be seen to at its end. */
interface Notes {
  save: "no" | "lazy" | "brief" | "sync";
  /** cluster_state has to be worked out anew. */
  health: boolean;
  /** Slots, roles or cluster_state moved: the routing table is stale. */
  routes: boolean;
  /** Others should hear of us now: our slots, role, epoch or suspicions changed. */
  announce: boolean;
  /** There are nodes others have not been told of. */
  news: boolean;
}

/** What a step did since it made a promise, and how that is taken back. */
interface Venture {
  /** How many of the step's effects came before. */
  readonly effectsBefore: number;
  /** What it may touch, and so can be taken back: everything, or one slot. */
  readonly scope: "everything" | "slot";
  undo(): void;
}

/** Joins and changes are told at once, but no faster than this: 1000 nodes must not drown in their own news. */
export const UNASKED_PER_TICK = 256;

export type HeaderMarks = Partial<Pick<Header, "forceAck">>;

export class Turn {
  nowMs = 0;
  /** Effects of the step at hand. */
  effects: ClusterEffect[] = [];
  readonly notes: Notes = { save: "no", health: true, routes: true, announce: false, news: false };
  /** How many unasked PONGs may still go out before the next tick. */
  allowance = UNASKED_PER_TICK;
  /** The last `replicateFrom`, so that it is asked for again only when it differs. */
  followed: string | undefined;
  /** Set once the step at hand made a promise. */
  venture: Venture | undefined;
  #lastLink: LinkId = 0;
  #slotsCopy: { version: number; node: ClusterNode; bitmap: Uint8Array } | undefined;

  constructor(
    readonly state: ClusterState,
    readonly keyspace: KeyspaceView,
    readonly clock: SteadyClock,
  ) {}

  do(effect: ClusterEffect): void {
    this.effects.push(effect);
  }

  log(level: LogLevel, text: string): void {
    this.effects.push({ type: "log", level, text });
  }

  /** nodes.conf is stale. */
  saveSoon(): void {
    if (this.notes.save === "no") this.notes.save = "lazy";
  }

  /**
   * nodes.conf is to be saved before anything of this step is done, as far as it takes to outlive this process. For what
   * is no promise to others: whatever a crash of the machine leaves of it, they come to agree.
   */
  saveBriefly(): void {
    if (this.notes.save !== "sync") this.notes.save = "brief";
  }

  /** nodes.conf is to be on disk before anything of this step is done. What was learned holds even if that fails. */
  saveNow(): void {
    this.notes.save = "sync";
  }

  /**
   * What follows is a promise to others: a vote, an epoch of our own making, a role. It is made only if it is saved;
   * otherwise all the step does from here on is taken back. Call it before the first change.
   */
  promise(): void {
    this.beginVenture();
    this.saveNow();
  }

  /** Whatever is saved of what follows is saved or taken back as a whole. */
  beginVenture(): void {
    if (this.venture?.scope === "everything") return;
    this.#remember("everything", takePicture(this.state));
  }

  /** The same for a step that changes one slot; before it changes anything else, it calls `beginVenture`. */
  beginSlotVenture(slot: number): void {
    this.#remember("slot", takeSlotPicture(this.state, slot));
  }

  #remember(scope: "everything" | "slot", putBack: () => void): void {
    const { followed, venture } = this;
    const { announce } = this.notes;
    const undo = (): void => {
      putBack();
      venture?.undo();
      this.followed = followed;
      this.notes.announce = announce;
      this.noteTopology();
      this.saveSoon();
    };
    this.venture = { effectsBefore: venture?.effectsBefore ?? this.effects.length, scope, undo };
  }

  /** A node's slots, role or flags changed. */
  noteTopology(): void {
    this.notes.health = true;
    this.notes.routes = true;
  }

  send(link: LinkId, body: Body, marks: HeaderMarks = {}): void {
    this.sendMessage(link, { header: this.header(marks), body });
  }

  sendMessage(link: LinkId, message: BusMessage): void {
    if (!this.state.links.has(link)) return;
    const { type } = message.body;
    this.state.sent.set(type, (this.state.sent.get(type) ?? 0) + 1);
    this.effects.push({ type: "send", link, message });
  }

  /** To everybody we have a working link to. */
  broadcast(body: Body, marks: HeaderMarks = {}): void {
    const message: BusMessage = { header: this.header(marks), body };
    for (const node of this.state.peers()) {
      if (node.link !== undefined && node.linkUp) this.sendMessage(node.link, message);
    }
  }

  header(marks: HeaderMarks = {}): Header {
    const { state } = this;
    const { myself, options } = state;
    const seat = state.mastersSeat(myself) ?? myself;
    return {
      sender: myself.id,
      master: myself.masterId,
      slots: this.#slotsOf(seat),
      currentEpoch: state.currentEpoch,
      configEpoch: seat.configEpoch,
      offset: state.replication.offset,
      ip: options.announceIp,
      port: myself.port,
      otherPort: myself.otherPort,
      busPort: myself.busPort,
      flags: myself.flags,
      clusterOk: state.ok,
      paused: isMaster(myself) && state.manual.phase === "yielding" && state.replication.writesPaused,
      forceAck: marks.forceAck ?? false,
    };
  }

  /** A copy that later changes do not reach; shared by the messages between two changes. */
  #slotsOf(node: ClusterNode): Uint8Array {
    const { version } = this.state.slots;
    const kept = this.#slotsCopy;
    if (kept !== undefined && kept.version === version && kept.node === node) return kept.bitmap;
    const bitmap = node.slots.slice();
    this.#slotsCopy = { version, node, bitmap };
    return bitmap;
  }

  /** Asks for a connection to a node that has an address and no link. */
  openLink(node: ClusterNode): void {
    const { state, nowMs } = this;
    if (node === state.myself || node.link !== undefined || hasNoAddress(node) || node.busPort === 0) return;
    const id = ++this.#lastLink;
    const times = { createdAtMs: nowMs, heardAtMs: nowMs };
    state.links.set(id, { id, inbound: false, node, ...times, remoteIp: node.ip, localIp: "" });
    node.link = id;
    node.linkUp = false;
    node.linkCreatedAtMs = nowMs;
    // A node that cannot even be connected to must come under suspicion: its first PING counts from here.
    if (node.pingSentAtMs === 0) node.pingSentAtMs = nowMs;
    this.do({ type: "connect", link: id, node: node.id, ip: node.ip, port: node.busPort });
  }

  /** Closes our link to a node; the PING that waits on it keeps waiting. */
  dropLink(node: ClusterNode): void {
    const { link } = node;
    if (link === undefined) return;
    this.state.links.delete(link);
    node.link = undefined;
    node.linkUp = false;
    this.do({ type: "disconnect", link });
  }

  dropInbound(node: ClusterNode): void {
    const { inbound } = node;
    if (inbound === undefined) return;
    this.state.links.delete(inbound);
    node.inbound = undefined;
    this.do({ type: "disconnect", link: inbound });
  }

  removeNode(node: ClusterNode): void {
    this.dropLink(node);
    this.dropInbound(node);
    this.state.removeNode(node);
    this.saveSoon();
    this.noteTopology();
  }
}
