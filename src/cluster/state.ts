// Everything a node knows of its cluster, and the few ways it changes. Decisions are made elsewhere; here the parts
// are kept consistent with each other.
import {
  FLAG_HANDSHAKE,
  FLAG_MASTER,
  FLAG_MIGRATE_TO,
  FLAG_MYSELF,
  FLAG_NOADDR,
  FLAG_NOFAILOVER,
  FLAG_REPLICA,
  type BodyType,
  type LinkId,
  type NodeId,
} from "./message.ts";
import {
  addFlags,
  createNode,
  dropFlags,
  isInHandshake,
  isMaster,
  isReplica,
  type ClusterNode,
} from "./node.ts";
import type { ClusterOptions, Random } from "./options.ts";
import { SlotTable } from "./slot-table.ts";

/** How long a node stays forgotten: gossip about it is ignored meanwhile. */
const BLACKLIST_MS = 60_000;

/** No more nodes are known at a time, however many a peer speaks of: the largest clusters have a quarter of that. */
const MOST_NODES = 4096;

/** A connection of the bus, outbound or inbound. */
export interface Link {
  readonly id: LinkId;
  readonly inbound: boolean;
  /** Whom it leads to; an inbound one belongs to nobody until a known node spoke on it. */
  node: ClusterNode | undefined;
  readonly createdAtMs: number;
  /** When a message last came in on it. */
  heardAtMs: number;
  readonly remoteIp: string;
  /** Our own address on it. */
  readonly localIp: string;
}

/** What this node replicates and who replicates it, as the replication side last said. */
export interface ReplicationFacts {
  /** Bytes of the stream produced or processed. */
  readonly offset: number;
  /** A replica's link to its master is up. */
  readonly masterLinkUp: boolean;
  /** When that link was last alive; 0 = never. */
  readonly masterLastSeenAtMs: number;
  /** Writes are held as `pauseWrites` asked, so `offset` is final. */
  readonly writesPaused: boolean;
}

/** A replica's try to take its failed master's place. */
export type Election =
  | { readonly phase: "idle" }
  /** Waiting for better-placed replicas to go first. */
  | {
      readonly phase: "delayed";
      readonly startAtMs: number;
      readonly rank: number;
      readonly manual: boolean;
      readonly endAtMs: number;
    }
  | {
      readonly phase: "voting";
      readonly epoch: number;
      readonly votes: Set<NodeId>;
      readonly endAtMs: number;
      readonly manual: boolean;
    }
  /** The last try failed; the next may begin after a pause. */
  | { readonly phase: "resting"; readonly untilMs: number };

/** A failover asked for by CLUSTER FAILOVER, as each side sees it. */
export type ManualFailover =
  | { readonly phase: "idle" }
  /** Master: writes are held, this replica takes over. */
  | { readonly phase: "yielding"; readonly replica: NodeId; readonly endAtMs: number }
  /** Replica: waits for the offset at which the master stands still. */
  | { readonly phase: "waiting"; readonly endAtMs: number }
  /** Replica: waits until its own data reaches that offset. */
  | { readonly phase: "catchingUp"; readonly offset: number; readonly endAtMs: number }
  /** Replica: may ask for votes. */
  | { readonly phase: "ready"; readonly endAtMs: number };

export type MessageCounts = Map<BodyType, number>;

export class ClusterState {
  readonly nodes = new Map<NodeId, ClusterNode>();
  readonly slots = new SlotTable();
  readonly links = new Map<LinkId, Link>();
  readonly blacklist = new Map<NodeId, number>();
  readonly sent: MessageCounts = new Map();
  readonly received: MessageCounts = new Map();
  malformed = 0;
  /** Why nodes.conf could not be saved the last time; undefined = it could. No promise is made meanwhile. */
  saveFault: string | undefined;
  currentEpoch = 0;
  lastVoteEpoch = 0;
  /** cluster_state: false = fail. */
  ok = false;
  /** This node reaches a majority of the masters and has for a while: what it holds is not out of date. */
  current = false;
  /** Masters that own at least one slot. */
  size = 0;
  /** A node alone that serves every key (see solo.ts). */
  solo = false;
  /** Slots that hold keys wait to be settled, since this moment (see solo.ts). */
  unsettledSinceMs: number | undefined;
  /** Slots we claimed because they held keys when we came into the cluster, and until when that is respected. */
  readonly claimedForKeys = new Map<number, number>();
  /** Slots others took from us that held keys, and until when those are kept (see lost-slots.ts). */
  readonly lostSlots = new Map<number, number>();
  election: Election = { phase: "idle" };
  manual: ManualFailover = { phase: "idle" };
  replication: ReplicationFacts = {
    offset: 0,
    masterLinkUp: false,
    masterLastSeenAtMs: 0,
    writesPaused: false,
  };
  myself: ClusterNode;

  constructor(
    myId: NodeId,
    public options: ClusterOptions,
    readonly random: Random,
    nowMs: number,
  ) {
    this.myself = this.addNode(myId, FLAG_MYSELF | FLAG_MASTER, nowMs);
  }

  addNode(id: NodeId, flags: number, nowMs: number): ClusterNode {
    const node = createNode(id, this.slots.takeOrdinal(), flags, nowMs);
    this.slots.enroll(node);
    this.nodes.set(id, node);
    return node;
  }

  /** Forgets a node: its slots, its reports, its links' owner. The caller closes the links. */
  removeNode(node: ClusterNode): void {
    this.slots.dismiss(node);
    this.nodes.delete(node.id);
    for (const other of this.nodes.values()) {
      other.reports.delete(node.id);
      other.untold.delete(node.id);
    }
    for (const [slot, id] of this.slots.migrating) if (id === node.id) this.slots.migrating.delete(slot);
    for (const [slot, id] of this.slots.importing) if (id === node.id) this.slots.importing.delete(slot);
  }

  renameNode(node: ClusterNode, id: NodeId): void {
    this.nodes.delete(node.id);
    node.id = id;
    this.nodes.set(id, node);
  }

  /** The master of a replica, as far as it is known. */
  masterOf(node: ClusterNode): ClusterNode | undefined {
    return node.masterId === null ? undefined : this.nodes.get(node.masterId);
  }

  /** The master whose slots a node speaks for: itself, or the one it follows. */
  mastersSeat(node: ClusterNode): ClusterNode | undefined {
    return isMaster(node) ? node : this.masterOf(node);
  }

  replicasOf(master: ClusterNode): ClusterNode[] {
    const replicas: ClusterNode[] = [];
    for (const node of this.nodes.values()) {
      if (isReplica(node) && node.masterId === master.id) replicas.push(node);
    }
    return replicas;
  }

  /** Makes a node a master. @returns false when it was one */
  turnIntoMaster(node: ClusterNode): boolean {
    if (isMaster(node)) return false;
    if (node !== this.myself && node.masterId !== null) addFlags(node, FLAG_MIGRATE_TO);
    node.masterId = null;
    dropFlags(node, FLAG_REPLICA);
    addFlags(node, FLAG_MASTER);
    return true;
  }

  /** Makes a node the replica of another, dropping slots it held. */
  turnIntoReplica(node: ClusterNode, masterId: NodeId): void {
    if (isMaster(node)) this.slots.clear(node);
    dropFlags(node, FLAG_MASTER | FLAG_MIGRATE_TO);
    addFlags(node, FLAG_REPLICA);
    node.masterId = masterId;
    const master = this.nodes.get(masterId);
    if (master !== undefined) addFlags(master, FLAG_MIGRATE_TO);
    // Slots we hand over to it go to whoever took its place, and so do clients of the keys that are there already.
    const { migrating } = this.slots;
    for (const [slot, id] of migrating) {
      if (id !== node.id || master === undefined) continue;
      if (master === this.myself) migrating.delete(slot);
      else migrating.set(slot, masterId);
    }
  }

  forget(id: NodeId, nowMs: number): void {
    this.blacklist.set(id, nowMs + BLACKLIST_MS);
  }

  isBlacklisted(id: NodeId, nowMs: number): boolean {
    const untilMs = this.blacklist.get(id);
    if (untilMs === undefined) return false;
    if (untilMs > nowMs) return true;
    this.blacklist.delete(id);
    return false;
  }

  /** Nodes with an identity of their own, this one left out. */
  *peers(): Generator<ClusterNode> {
    for (const node of this.nodes.values()) if (node !== this.myself && !isInHandshake(node)) yield node;
  }

  get peerCount(): number {
    return this.nodes.size - 1 - this.handshakeCount;
  }

  get handshakeCount(): number {
    let count = 0;
    for (const node of this.nodes.values()) if (isInHandshake(node)) count++;
    return count;
  }

  /** Whether another node may be known. */
  get hasRoom(): boolean {
    return this.nodes.size < MOST_NODES;
  }

  handshakeInProgress(ip: string, busPort: number): boolean {
    for (const node of this.nodes.values()) {
      if (isInHandshake(node) && node.ip === ip && node.busPort === busPort) return true;
    }
    return false;
  }

  /** Somebody else answers where this node was. */
  loseAddress(node: ClusterNode): void {
    addFlags(node, FLAG_NOADDR);
    node.ip = "";
    node.port = 0;
    node.otherPort = 0;
    node.busPort = 0;
  }

  endHandshake(node: ClusterNode, id: NodeId, role: number): void {
    this.renameNode(node, id);
    dropFlags(node, FLAG_HANDSHAKE);
    addFlags(node, role);
  }

  randomId(): NodeId {
    return randomId(this.random);
  }

  /** Takes the configuration over into what others see of us. */
  configure(options: ClusterOptions): void {
    const { myself } = this;
    if (options.announceIp !== "") myself.ip = options.announceIp;
    else if (this.options.announceIp !== "") myself.ip = reachedAt(this.links.values());
    this.options = options;
    myself.port = options.announcePort || options.port;
    myself.otherPort = options.announceOtherPort || options.otherPort;
    myself.busPort = options.announceBusPort || options.busPort;
    myself.hostname = options.hostname;
    if (options.noFailover) addFlags(myself, FLAG_NOFAILOVER);
    else dropFlags(myself, FLAG_NOFAILOVER);
  }
}

/** The address peers have reached us at; empty = the next PING will tell. */
function reachedAt(links: Iterable<Link>): string {
  for (const link of links) if (link.inbound && link.localIp !== "") return link.localIp;
  return "";
}

export function randomId(random: Random): NodeId {
  let id = "";
  for (let i = 0; i < 40; i++) id += Math.floor(random() * 16).toString(16);
  return id;
}
