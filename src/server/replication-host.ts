// What replication needs of the node it belongs to.
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import type { Rdb } from "../engine/rdb.ts";
import type { Connection } from "../io/sockets.ts";
import type { MutationLog } from "../replication/log.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client.ts";
import type { Config } from "./config/config.ts";
import type { Gates } from "./gates.ts";
import type { Snapshots } from "./snapshots.ts";
import type { Stats } from "./stats.ts";
import type { Waiting } from "./waiting.ts";

export interface ReplicationHost {
  readonly memory: Memory;
  readonly keys: Keys;
  readonly rdb: Rdb;
  readonly log: MutationLog;
  readonly changes: Changes;
  readonly config: Config;
  readonly gates: Gates;
  readonly snapshots: Snapshots;
  readonly stats: Stats;
  readonly waiting: Waiting;
  /** Where a copy may be put aside. */
  readonly directory: string;
  /** Where clients reach this node. */
  readonly port: number;
  /** How many databases there are: one in a cluster. */
  readonly databaseCount: number;
  /** Runs whole requests of a client's bytes. */
  receive(client: ClientConnection, chunk: Uint8Array): void;
  /** A client for the stream of our master, until `left`. */
  clientFor(connection: Connection): ClientConnection;
  left(client: ClientConnection): void;
  /** Writes are held: a failover may be waiting for the offset to stand still. */
  areWritesHeld(): boolean;
  /** The data is about to be replaced by another copy. */
  replacing(): void;
  /** Role, link or loading changed: others decide by them. */
  changed(): void;
  notice(text: string): void;
  warn(text: string): void;
}
