// What a command handler may ask of the server around it. `server/` implements this; handlers know nothing else.
import type { LinkId } from "../cluster/message.ts";
import type { Answer, ClusterRequest } from "../cluster/request.ts";
import type { ClusterState } from "../cluster/state.ts";
import type { Keys } from "../engine/keys.ts";
import type { Slice } from "../resp/reply.ts";
import type { CommandTable } from "./table.ts";

export interface Context {
  /** Unix milliseconds; stands still while a request runs. */
  readonly nowMs: number;
  /** The keyspace of the selected database. */
  readonly keys: Keys;
  /** Whoever sent the request. */
  readonly client: Client;
  readonly server: Server;
  /** n changes were made; the request itself is what replicas are told, unless `propagate` says otherwise. */
  changed(count?: number): void;
  /** What replicas are told in place of the request; may be called more than once. Implies `changed(1)`. */
  propagate(...parts: readonly (string | Slice | Uint8Array)[]): void;
}

/** A connection, as handlers see it. */
export interface Client {
  readonly id: number;
  name: string;
  database: number;
  protocol: 2 | 3;
  authenticated: boolean;
  /** READONLY was said: a replica serves this client's reads. */
  readsReplica: boolean;
  /** ASKING was said: an importing slot serves the next request. */
  asking: boolean;
}

/** The node around the handlers. Each family adds what it needs as an interface of its own. */
export interface Server {
  readonly clusterEnabled: boolean;
  /** All commands, for COMMAND. */
  readonly table: CommandTable;
  /** A replica deletes no expired key by itself: its master says when. */
  readonly keepsExpired: boolean;
  /** Access clocks count uses (an LFU maxmemory-policy) instead of telling the last one's time. */
  readonly tracksFrequency: boolean;
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
