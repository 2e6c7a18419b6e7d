// One node of the cluster as this one sees it, itself included.
import {
  FLAG_FAIL,
  FLAG_HANDSHAKE,
  FLAG_MASTER,
  FLAG_NOADDR,
  FLAG_NOFAILOVER,
  FLAG_PFAIL,
  FLAG_REPLICA,
  type LinkId,
  type NodeId,
  type SlotBitmap,
} from "./message.ts";
import { emptyBitmap } from "./slot-bitmap.ts";

export interface ClusterNode {
  /** Random while in handshake. */
  id: NodeId;
  /** Small number that stands for the node in the slot table; never 0. */
  readonly ordinal: number;
  flags: number;
  ip: string;
  port: number;
  otherPort: number;
  busPort: number;
  hostname: string;
  /** Whom a replica says it follows; that node may be unknown to us yet. */
  masterId: NodeId | null;
  configEpoch: number;
  /** Slots it owns, kept by SlotTable alone. */
  readonly slots: SlotBitmap;
  slotCount: number;
  readonly createdAtMs: number;
  /** When the PING that waits for its PONG was sent; 0 = none waits. A lost link does not reset it. */
  pingSentAtMs: number;
  pongReceivedAtMs: number;
  /** When we last introduced ourselves again, its link to us still missing. */
  metAtMs: number;
  /** Last bytes of any kind from it. */
  dataReceivedAtMs: number;
  /** When FAIL was set. */
  failedAtMs: number;
  /** When we last voted for a replica of this master. */
  votedAtMs: number;
  replicationOffset: number;
  replicationOffsetAtMs: number;
  /** Since when a master with slots has had no working replica; 0 = it has one. */
  orphanedAtMs: number;
  /** Masters that report it as failing, and when they last did. */
  readonly reports: Map<NodeId, number>;
  /** Our link to it, being made or up. */
  link: LinkId | undefined;
  linkUp: boolean;
  linkCreatedAtMs: number;
  /** Its link to us, once it spoke on it. */
  inbound: LinkId | undefined;
  /** Nodes this one is to be told about as soon as its link is up (see gossip.ts). */
  readonly untold: Set<NodeId>;
}

export interface NodeAddress {
  readonly ip: string;
  readonly port: number;
  readonly otherPort: number;
  readonly busPort: number;
}

export function createNode(id: NodeId, ordinal: number, flags: number, nowMs: number): ClusterNode {
  return {
    id,
    ordinal,
    flags,
    ip: "",
    port: 0,
    otherPort: 0,
    busPort: 0,
    hostname: "",
    masterId: null,
    configEpoch: 0,
    slots: emptyBitmap(),
    slotCount: 0,
    createdAtMs: nowMs,
    pingSentAtMs: 0,
    pongReceivedAtMs: 0,
    metAtMs: 0,
    dataReceivedAtMs: 0,
    failedAtMs: 0,
    votedAtMs: 0,
    replicationOffset: 0,
    replicationOffsetAtMs: 0,
    orphanedAtMs: 0,
    reports: new Map(),
    link: undefined,
    linkUp: false,
    linkCreatedAtMs: 0,
    inbound: undefined,
    untold: new Set(),
  };
}

export function setAddress(node: ClusterNode, address: NodeAddress): void {
  node.ip = address.ip;
  node.port = address.port;
  node.otherPort = address.otherPort;
  node.busPort = address.busPort;
}

type Flags = Pick<ClusterNode, "flags">;

const has =
  (flag: number) =>
  (node: Flags): boolean =>
    (node.flags & flag) !== 0;

export const isMaster = has(FLAG_MASTER);
export const isReplica = has(FLAG_REPLICA);
export const isInHandshake = has(FLAG_HANDSHAKE);
export const isSuspected = has(FLAG_PFAIL);
export const hasFailed = has(FLAG_FAIL);
export const hasNoAddress = has(FLAG_NOADDR);
export const isSuspectedOrFailed = has(FLAG_PFAIL | FLAG_FAIL);
export const isBarredFromFailover = has(FLAG_NOFAILOVER);

export function addFlags(node: Flags, flags: number): void {
  node.flags |= flags;
}

export function dropFlags(node: Flags, flags: number): void {
  node.flags &= ~flags;
}
