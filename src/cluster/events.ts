// What the machine is told, and what it wants done.
import type { BusMessage, LinkId, NodeId } from "./message.ts";
import type { ClusterOptions } from "./options.ts";
import type { ReplicationFacts } from "./state.ts";

export type ClusterEvent =
  /** Every 100 ms. */
  | { readonly type: "tick" }
  /** The link a `connect` effect asked for is up. */
  | { readonly type: "linked"; readonly link: LinkId; readonly localIp: string; readonly remoteIp: string }
  /** A peer connected to our bus port; the shell draws the id, below zero, never twice. */
  | { readonly type: "accepted"; readonly link: LinkId; readonly localIp: string; readonly remoteIp: string }
  /** A link is gone, or could not be made; not sent for links the machine disconnected itself. */
  | { readonly type: "unlinked"; readonly link: LinkId }
  /** Bytes came in that complete no message yet: long publications must not look like silence. */
  | { readonly type: "heard"; readonly link: LinkId }
  | { readonly type: "received"; readonly link: LinkId; readonly message: BusMessage }
  /** The codec refused what came in on this link; answered by a `disconnect`. */
  | { readonly type: "malformed"; readonly link: LinkId; readonly reason: string }
  | { readonly type: "configured"; readonly options: ClusterOptions }
  /**
   * nodes.conf could not be saved. `ofStep`: it was the `persist` with `sync` of the last step, of whose effects none
   * was carried out; what this event leads to takes their place.
   */
  | { readonly type: "saveFailed"; readonly reason: string; readonly ofStep: boolean }
  /** nodes.conf was saved, after it could not be. */
  | { readonly type: "saved" }
  /** How replication stands; sent when it changes, at most every 100 ms for the offset alone. */
  | { readonly type: "replication"; readonly facts: ReplicationFacts }
  /** The data set was loaded from disk: slots that hold keys are settled against the slot table. */
  | { readonly type: "loaded" };

export type LogLevel = "debug" | "verbose" | "notice" | "warning";

export type ClusterEffect =
  /**
   * Write nodes.conf. With `sync` it must be saved before any later effect is carried out (see `saveFailed`): on disk, or
   * with `brief` where it outlives this process, for the disk to have it within a second or so. Without `sync` the shell
   * may put several off until its next tick.
   */
  | { readonly type: "persist"; readonly sync: boolean; readonly brief?: true }
  /** Messages to a link that is gone meanwhile are dropped. */
  | { readonly type: "send"; readonly link: LinkId; readonly message: BusMessage }
  | {
      readonly type: "connect";
      readonly link: LinkId;
      readonly node: NodeId;
      readonly ip: string;
      readonly port: number;
    }
  | { readonly type: "disconnect"; readonly link: LinkId }
  /** Follow this master, dropping whatever was followed before. */
  | { readonly type: "replicateFrom"; readonly node: NodeId; readonly ip: string; readonly port: number }
  /** Stop following; the data stays. */
  | { readonly type: "promote" }
  | { readonly type: "emptyKeyspace" }
  | { readonly type: "deleteSlotKeys"; readonly slots: readonly number[] }
  /** The keys stay, and are another node's to serve: what clients have cached of them is not kept up to date here. */
  | { readonly type: "disownSlotKeys"; readonly slots: readonly number[] }
  /** Hold writes of clients, and the replication PINGs, until this moment or a `resumeWrites`. */
  | { readonly type: "pauseWrites"; readonly untilMs: number }
  | { readonly type: "resumeWrites" }
  /** A publication from another node, for our own subscribers. */
  | {
      readonly type: "deliver";
      readonly shard: boolean;
      readonly channel: Uint8Array;
      readonly payload: Uint8Array;
    }
  | { readonly type: "log"; readonly level: LogLevel; readonly text: string }
  /** `serveHere` or an answer of `route` changed: blocked clients are to be looked at again. */
  | { readonly type: "routesChanged" };
