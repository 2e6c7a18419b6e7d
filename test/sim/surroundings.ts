// What the parts of a simulated world see of it.
import type { ClusterEvent } from "../../src/cluster/events.ts";
import type { SimNode } from "./sim-node.ts";

export interface Surroundings {
  readonly nodes: readonly SimNode[];
  /** Virtual time, from the beginning of the world. */
  readonly nowMs: number;
  /** The next number in [0, 1). */
  readonly random: () => number;
  /** Names seed and moment, so that the failure can be run again. */
  fail(what: string): never;
  later(delayMs: number, run: () => void): void;
  /** Tells a node's machine of an event and carries its effects out. */
  feed(node: SimNode, event: ClusterEvent): void;
}
