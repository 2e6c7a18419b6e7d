// What a node's configuration says to the cluster machine, and what the machine may ask of the keyspace.

/** Distance between a node's port and that of its bus, unless it is configured otherwise. */
export const BUS_OFFSET = 10_000;

/** Which of a node's addresses clients are sent to. */
export type PreferredEndpoint = "ip" | "hostname" | "unknown-endpoint";

/** Mirrors the cluster directives; all of it can be changed at run time by a `configured` event. */
export interface ClusterOptions {
  readonly port: number;
  /** TLS port beside `port`; 0 = none. */
  readonly otherPort: number;
  readonly busPort: number;
  /** Empty = learn our address from the first peer that reaches us. */
  readonly announceIp: string;
  /** 0 = the real one. */
  readonly announcePort: number;
  readonly announceOtherPort: number;
  readonly announceBusPort: number;
  readonly hostname: string;
  readonly preferredEndpoint: PreferredEndpoint;
  readonly nodeTimeoutMs: number;
  readonly requireFullCoverage: boolean;
  readonly migrationBarrier: number;
  readonly allowReplicaMigration: boolean;
  /** cluster-replica-validity-factor; 0 = a replica's data is never too old. */
  readonly validityFactor: number;
  /** repl-ping-replica-period, seconds. */
  readonly replicationPingPeriodSec: number;
  readonly allowReadsWhenDown: boolean;
  readonly allowPubsubShardWhenDown: boolean;
  /** cluster-replica-no-failover. */
  readonly noFailover: boolean;
  /** A node that met nobody and owns no slot serves every key. */
  readonly solo: boolean;
}

export const DEFAULT_OPTIONS: ClusterOptions = {
  port: 6379,
  otherPort: 0,
  busPort: 16379,
  announceIp: "",
  announcePort: 0,
  announceOtherPort: 0,
  announceBusPort: 0,
  hostname: "",
  preferredEndpoint: "ip",
  nodeTimeoutMs: 15_000,
  requireFullCoverage: true,
  migrationBarrier: 1,
  allowReplicaMigration: true,
  validityFactor: 10,
  replicationPingPeriodSec: 10,
  allowReadsWhenDown: false,
  allowPubsubShardWhenDown: true,
  noFailover: false,
  solo: true,
};

/** What the machine must know of the data; answers are those of this very moment. */
export interface KeyspaceView {
  countKeysInSlot(slot: number): number;
  isEmpty(): boolean;
}

/** Chance, as an argument: the next number in [0, 1). */
export type Random = () => number;
