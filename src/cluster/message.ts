// What travels on the cluster bus, free of any encoding. A codec turns these into bytes and back; the machine reads
// and writes nothing else. Messages are shared between receivers: nobody changes one after it is made.

/** 40 lower-case hex digits. */
export type NodeId = string;

/** A TCP connection of the bus: positive ids are ours outbound (drawn by the machine), negative inbound (the shell's). */
export type LinkId = number;

/** A bit set over all slots: slot n is bit n & 7 of byte n >> 3; 2048 bytes. */
export type SlotBitmap = Uint8Array;

// Flags of a node, as gossip carries them.
export const FLAG_MASTER = 1;
export const FLAG_REPLICA = 2;
export const FLAG_PFAIL = 4;
export const FLAG_FAIL = 8;
export const FLAG_MYSELF = 16;
/** The node is known by address only: its real id comes with its first PONG. */
export const FLAG_HANDSHAKE = 32;
/** Somebody else answers at the address we knew; a PING from the node itself mends that. */
export const FLAG_NOADDR = 64;
/** We introduced ourselves, and it has not linked to us yet: what opens a link to it is a MEET. */
export const FLAG_MEET = 128;
/** A master that has, or had, replicas: spare replicas of others may move to it. */
export const FLAG_MIGRATE_TO = 256;
export const FLAG_NOFAILOVER = 512;

/** What every message says of its sender. A replica speaks with its master's slots and configEpoch. */
export interface Header {
  readonly sender: NodeId;
  readonly master: NodeId | null;
  readonly slots: SlotBitmap;
  readonly currentEpoch: number;
  readonly configEpoch: number;
  /** Replication offset, bytes. */
  readonly offset: number;
  /** Announced address; empty = take the one the packet came from. */
  readonly ip: string;
  readonly port: number;
  /** TLS port, or the plain one when `port` is the TLS one; 0 = none. */
  readonly otherPort: number;
  readonly busPort: number;
  readonly flags: number;
  readonly clusterOk: boolean;
  /** The master stands still for a manual failover, its offset is final. */
  readonly paused: boolean;
  /** Voters are to answer although the master has not failed (manual failover). */
  readonly forceAck: boolean;
}

export interface GossipEntry {
  readonly id: NodeId;
  readonly pingSentAtSec: number;
  readonly pongReceivedAtSec: number;
  readonly ip: string;
  readonly port: number;
  readonly otherPort: number;
  readonly busPort: number;
  readonly flags: number;
}

/** What follows the gossip of a heartbeat. Absent hostname = the sender has none. */
export interface Extensions {
  readonly hostname?: string;
}

export type Body =
  | {
      readonly type: "ping" | "pong" | "meet";
      readonly gossip: readonly GossipEntry[];
      readonly extensions: Extensions;
    }
  | { readonly type: "fail"; readonly node: NodeId }
  | { readonly type: "publish" | "publishShard"; readonly channel: Uint8Array; readonly payload: Uint8Array }
  | { readonly type: "authRequest" | "authAck" | "mfStart" }
  | {
      readonly type: "update";
      readonly node: NodeId;
      readonly configEpoch: number;
      readonly slots: SlotBitmap;
    }
  | {
      readonly type: "module";
      readonly moduleId: Uint8Array;
      readonly kind: number;
      readonly payload: Uint8Array;
    }
  /** A type this version does not know: counted as life of its link, otherwise ignored. */
  | { readonly type: "unknown"; readonly code: number };

export type BodyType = Body["type"];

export interface BusMessage {
  readonly header: Header;
  readonly body: Body;
}
