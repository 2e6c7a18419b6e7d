// A node of the simulated cluster: the machine, what a shell would hold around it, and what survives a crash.
import type { ClusterEvent } from "../../src/cluster/events.ts";
import type { FrameDecoder } from "../../src/cluster/frames.ts";
import type { ClusterMachine } from "../../src/cluster/machine.ts";
import type { LinkId, NodeId } from "../../src/cluster/message.ts";
import type { NodesConf } from "../../src/cluster/nodes-conf.ts";
import { SimKeys } from "./keys.ts";
import type { Wire } from "./wires.ts";

export class SimNode {
  machine!: ClusterMachine;
  running = false;
  /** What is on its disk. */
  disk = "";
  /** The same, read. */
  parsed: { readonly text: string; readonly conf: NodesConf } | undefined;
  /** Its disk lags behind. */
  unsaved = false;
  /** Nothing can be written to its disk; what is on it stays. */
  diskFull = false;
  clockShiftMs = 0;
  /** Its data set, which a crash leaves as it is: every change is on disk at once. */
  readonly keys = new SimKeys();
  readonly wires = new Map<LinkId, Wire>();
  readonly decoders = new Map<LinkId, FrameDecoder>();
  lastInbound = 0;
  incarnation = 0;
  /** What waits for a node that stands still. */
  asleep: ClusterEvent[] | undefined;
  /** Bytes of the replication stream, produced or processed; here each change is one. */
  offset = 0;
  following: NodeId | undefined;
  /** Whether its data set is its master's. */
  copy: "none" | "underway" | "held" = "none";
  /** Moves whenever its link to its master is made anew: what an older one carried is lost. */
  session = 0;
  /** Changes on their way to it. */
  changesInFlight = 0;
  /** No change overtakes another: the earliest moment for the next to arrive. */
  streamClearAtMs = 0;
  masterSeenAtMs = 0;
  writesPaused = false;
  /** For how long its link to its master had been down before it was last looked at. */
  staleMs = 0;
  /** It gets nothing more from its master. */
  stuck = false;
  /** Something was written at its master while it was stuck. */
  missed = false;
  /** Keys a MIGRATE is sending away: writes to them wait. */
  readonly sending = new Set<string>();
  readonly log: string[] = [];

  constructor(
    readonly name: string,
    public ip: string,
    public port: number,
  ) {}

  get id(): NodeId {
    return this.machine.state.myself.id;
  }

  /** It runs, and does not stand still. */
  get awake(): boolean {
    return this.running && this.asleep === undefined;
  }
}
