// What a command handler may ask of the server around it. `server/` implements this; handlers know nothing else.
import type { LinkId } from "../cluster/message.ts";
import type { Answer, ClusterRequest } from "../cluster/request.ts";
import type { ClusterState } from "../cluster/state.ts";
import type { EngineCommand } from "../engine/exports.ts";
import type { Word } from "../engine/inner.ts";
import type { Keys } from "../engine/keys.ts";
import type { Rdb } from "../engine/rdb.ts";
import type { PsyncRequest } from "../replication/psync.ts";
import type { LinkState } from "../replication/replica.ts";
import type { Reply, Slice } from "../resp/reply.ts";
import type { Administration } from "./administration.ts";
import type { Blocking } from "./blocking.ts";
import type { Restores } from "./dump.ts";
import type { Migration } from "./migrate.ts";
import type { CommandTable } from "./table.ts";
import type { PubSub, Subscriptions } from "./subscriptions.ts";
import type { Tracked, Tracking } from "./tracking.ts";
import type { Transactions } from "./transactions.ts";

export interface Context {
  /** Unix milliseconds; stands still while a request runs. */
  readonly nowMs: number;
  /** The keyspace of the selected database. */
  readonly keys: Keys;
  /** Values as DUMP carries them, in the same database. */
  readonly rdb: Rdb;
  /** Whoever sent the request. */
  readonly client: Client;
  readonly server: Server;
  /** n changes were made; the request itself is what replicas are told, unless `propagate` says otherwise. */
  changed(count?: number): void;
  /** What replicas are told in place of the request; may be called more than once. Implies `changed(1)`. */
  propagate(...parts: readonly (string | Slice | Uint8Array)[]): void;
  /** Replicas are told the request although it changed nothing. */
  relay(): void;
  /**
   * Runs an engine command with other words than the request's, at most as many. If it changes something its reply is
   * appended, and replicas are told these words unless the engine has others for them. Throws what it refuses.
   * @param keyAt which of the words is the first key
   * @param head bytes left out at the beginning of its reply: those of an array that becomes part of a longer one
   * @returns whether it changed anything
   */
  run(command: EngineCommand, words: readonly Word[], keyAt?: number, head?: number): boolean;
  /** A keyspace notification about a key, of the selected database unless said; `kind` is an EVENT_ constant. */
  notify(kind: number, key: Slice | Uint8Array, database?: number): void;
  /** A key was changed. The request changes no others than those this is said of, whatever its row says is written. */
  touched(database: number, key: Slice): void;
  /** The slow log and MONITOR show `(redacted)` in place of this argument. */
  redact(index: number): void;
}

/** What CLIENT KILL and CLIENT LIST call a connection. */
export type ClientKind = "normal" | "master" | "replica" | "pubsub";

/** A connection, as handlers see it. */
export interface Client {
  readonly id: number;
  name: string;
  database: number;
  protocol: 2 | 3;
  authenticated: boolean;
  /** `ip:port` of either end. */
  readonly address: string;
  readonly localAddress: string;
  readonly kind: ClientKind;
  readonly createdAtMs: number;
  readonly lastActiveAtMs: number;
  /** Id of the row run last, this request's included; -1 = none yet. */
  readonly lastCommand: number;
  /** Its requests wait, for a pause to end or for data. */
  readonly isWaiting: boolean;
  readonly isFinishing: boolean;
  /** Bytes received that have not run, room left beside them, and replies the socket has not taken. */
  readonly inputBytes: number;
  readonly inputFreeBytes: number;
  readonly outputBytes: number;
  /** CLIENT REPLY: `skip` mutes this very reply and then, as `skipping`, the next. */
  replyMode: "on" | "off" | "skip" | "skipping";
  /** Requests that wait for EXEC; -1 = there was no MULTI. Bytes of memory they take. */
  readonly queuedCount: number;
  readonly queuedBytes: number;
  /** A key it WATCHes has changed. */
  readonly isDirty: boolean;
  /** Nothing may hold it: its request is one of a transaction, or of our master's stream. */
  readonly cannotWait: boolean;
  /** CLIENT NO-EVICT. */
  isSpared: boolean;
  /** CLIENT TRACKING; undefined = off. */
  tracking: Tracked | undefined;
  /** What it is subscribed to; undefined = nothing. */
  readonly subscriptions: Subscriptions | undefined;
  /** MONITOR: it is shown every request. */
  isMonitor: boolean;
  /** READONLY was said: a replica serves this client's reads. */
  readsReplica: boolean;
  /** ASKING was said: an importing slot serves the next request. */
  asking: boolean;
  /** Closes the connection once the replies so far have gone out. */
  finish(): void;
  /** Closes the connection at once; `reason` goes to the log. */
  close(reason: string): void;
}

/** The node around the handlers. Each family adds what it needs as an interface of its own. */
export interface Server {
  readonly clusterEnabled: boolean;
  /** Databases by number from 0 on; in cluster mode all but 0 stay empty. */
  readonly databaseCount: number;
  readonly replication: Replication;
  readonly tracking: Tracking;
  readonly transactions: Transactions;
  readonly blocking: Blocking;
  readonly pubsub: PubSub;
  readonly migration: Migration;
  readonly restores: Restores;
  /** All commands, for COMMAND. */
  readonly table: CommandTable;
  /** Clients, configuration, counters, and the node's end. */
  readonly admin: Administration;
  /** A replica deletes no expired key by itself: its master says when. */
  readonly keepsExpired: boolean;
  /** Undefined when cluster mode is off. */
  readonly cluster: ClusterFace | undefined;
}

/** The cluster as the node sees it, and the way to change it. */
export interface ClusterFace {
  readonly state: Readonly<ClusterState>;
  /** Decides a request, and carries out what follows from it before this returns. */
  ask(request: ClusterRequest): Answer;
  /** Bytes waiting to be sent on a link of the bus. */
  queuedBytes(link: LinkId): number;
  /** Links closed because too much waited on them. */
  readonly linksOverLimit: number;
}

/** What ROLE tells. */
export type Role =
  | {
      readonly name: "master";
      readonly offset: number;
      readonly replicas: readonly { readonly ip: string; readonly port: number; readonly offset: number }[];
    }
  | {
      readonly name: "slave";
      readonly host: string;
      readonly port: number;
      readonly state: LinkState;
      readonly offset: number;
    };

/** What a replica says of itself before it asks for the data. */
export type ReplicaFact =
  | { readonly type: "port"; readonly port: number }
  | { readonly type: "address"; readonly address: string }
  | { readonly type: "capability"; readonly name: string }
  /** It wants a copy and nothing after it. */
  | { readonly type: "copyOnly"; readonly on: boolean }
  /** It wants a copy without keys. */
  | { readonly type: "withoutKeys"; readonly on: boolean };

/** The node as a master of replicas and as a replica itself. */
export interface Replication {
  readonly role: Role;
  /** False = it was following that master already. */
  follow(host: string, port: number): boolean;
  followNobody(): void;
  /** Whether the client is a replica of ours. */
  isReplica(client: Client): boolean;
  /** Why no replica can be served now; undefined = one can. */
  refusal(): string | undefined;
  learn(client: Client, fact: ReplicaFact): void;
  /** Makes the client a replica. @param request undefined for SYNC, which has no words before its copy */
  attach(client: Client, request: PsyncRequest | undefined, reply: Reply): void;
  acknowledged(client: Client, offset: number): void;
  /** Our master wants to know our offset; from anybody else it means nothing. */
  acknowledge(client: Client): void;
  /**
   * Tells how many replicas have all that was written so far, once they are `count` or the time is over.
   * @param timeoutMs 0 = for ever
   */
  wait(client: Client, count: number, timeoutMs: number, reply: Reply): void;
}
