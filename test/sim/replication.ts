// Asynchronous replication as the world does it. A replica takes a copy of its master's data set, and then each change
// some time after it was made: so a replica that takes over holds a prefix of what its master did. A link that broke
// begins with a copy again.
import type { NodeId } from "../../src/cluster/message.ts";
import type { ReplicationFacts } from "../../src/cluster/state.ts";
import type { Version } from "./keys.ts";
import type { SimNode } from "./sim-node.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Wires } from "./wires.ts";

/** A key's new version; undefined = it was deleted. */
export interface Change {
  readonly slot: number;
  readonly key: string;
  readonly version: Version | undefined;
}

export class Replication {
  constructor(
    private readonly world: Surroundings,
    private readonly wires: Wires,
  ) {}

  follow(node: SimNode, master: NodeId): void {
    this.unlink(node);
    node.following = master;
  }

  /** It is a master; its data stays. */
  promote(node: SimNode): void {
    this.unlink(node);
    node.following = undefined;
  }

  /** Its link to its master is gone, with what was on it. */
  unlink(node: SimNode): void {
    node.copy = "none";
    node.session++;
    node.changesInFlight = 0;
    node.missed = false;
  }

  /** A change made at a node that takes changes. */
  write(node: SimNode, change: Change): void {
    node.offset++;
    this.#apply(node, change);
  }

  empty(node: SimNode): void {
    node.keys.clear();
    for (const follower of this.#followers(node)) this.unlink(follower);
  }

  /** At every tick of a replica: makes the link anew, and takes over the offset. @returns what the machine is told */
  report(node: SimNode, nodeNowMs: number): ReplicationFacts {
    const master = this.#masterOf(node);
    const connected = master !== undefined && this.wires.reach(node, master);
    if (!connected || (node.missed && !node.stuck)) {
      if (node.copy !== "none") this.unlink(node);
    }
    if (connected && !node.stuck) {
      if (node.copy === "none") this.#beginCopy(node, master);
      else if (node.copy === "held" && node.changesInFlight === 0) node.offset = master.offset;
    }
    const masterLinkUp = connected && node.copy === "held";
    if (masterLinkUp) node.masterSeenAtMs = this.world.nowMs;
    const masterLastSeenAtMs = nodeNowMs - (this.world.nowMs - node.masterSeenAtMs) - node.staleMs;
    return { offset: node.offset, masterLinkUp, masterLastSeenAtMs, writesPaused: node.writesPaused };
  }

  #masterOf(node: SimNode): SimNode | undefined {
    if (node.following === undefined) return undefined;
    return this.world.nodes.find((other) => other.running && other.id === node.following);
  }

  #followers(node: SimNode): SimNode[] {
    return this.world.nodes.filter((other) => other.running && other.following === node.id);
  }

  /** The request travels to the master; what it holds at that moment travels back. */
  #beginCopy(node: SimNode, master: SimNode): void {
    const { session } = node;
    const { incarnation } = master;
    node.copy = "underway";
    this.world.later(this.wires.delay(), () => {
      if (node.session !== session || !node.running) return;
      if (!master.awake || master.incarnation !== incarnation || !this.wires.reach(node, master))
        return this.unlink(node);
      const keys = master.keys.copy();
      const { offset } = master;
      this.#ship(node, () => {
        node.keys.replaceBy(keys);
        node.offset = offset;
        node.copy = "held";
        for (const follower of this.#followers(node)) this.unlink(follower);
      });
    });
  }

  #apply(node: SimNode, change: Change): void {
    const { slot, key, version } = change;
    if (version === undefined) node.keys.remove(slot, key);
    else node.keys.put(slot, key, version);
    const { offset } = node;
    for (const follower of this.#followers(node)) {
      if (follower.stuck) follower.missed = true;
      else if (follower.copy === "none" || !this.wires.reach(node, follower)) this.unlink(follower);
      else {
        this.#ship(follower, () => {
          follower.offset = offset;
          this.#apply(follower, change);
        });
      }
    }
  }

  /** Something of the stream, in order. */
  #ship(node: SimNode, arrive: () => void): void {
    const { session } = node;
    const { nowMs } = this.world;
    const atMs = Math.max(node.streamClearAtMs, nowMs + this.wires.delay());
    node.streamClearAtMs = atMs;
    node.changesInFlight++;
    this.world.later(atMs - nowMs, () => {
      if (node.session !== session || !node.running) return;
      node.changesInFlight--;
      if (node.awake) arrive();
      else this.unlink(node);
    });
  }
}
