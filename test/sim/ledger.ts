// What a cluster must still hold after everything that went wrong. Each key has the versions it may end with: the last
// one written where the slot's owner had it written. A master that is replaced takes with it what its replica did not
// have yet: with asynchronous replication that is lost by design, and the heir's data set is the history from then on.
import type { NodeId } from "../../src/cluster/message.ts";
import { isMaster } from "../../src/cluster/node.ts";
import type { Version } from "./keys.ts";
import type { SimNode } from "./sim-node.ts";
import type { Surroundings } from "./surroundings.ts";

/** undefined = it is not there. */
type Ending = Version | undefined;

export class Ledger {
  readonly #endings = new Map<number, Map<string, Set<Ending>>>();
  /** Masters that were replaced and do not know it yet. */
  readonly #deposed = new Set<SimNode>();
  #lastVersion = 0;

  constructor(private readonly world: Surroundings) {}

  nextVersion(): Version {
    return ++this.#lastVersion;
  }

  /** Versions a key may end with. */
  endings(slot: number, key: string): Set<Ending> {
    let keys = this.#endings.get(slot);
    if (keys === undefined) this.#endings.set(slot, (keys = new Map()));
    let endings = keys.get(key);
    if (endings === undefined) keys.set(key, (endings = new Set([undefined])));
    return endings;
  }

  /** A client's write is done. Where two nodes take writes for the same key, either may be what stays. */
  wrote(node: SimNode, slot: number, key: string, version: Ending, asking: boolean): void {
    const endings = this.endings(slot, key);
    const owner = this.ownerOf(slot);
    const { migrating } = owner?.machine.state.slots ?? {};
    const isHis = asking
      ? owner !== undefined && migrating?.get(slot) === node.id && !owner.keys.has(slot, key)
      : owner === node;
    if (isHis) endings.clear();
    endings.add(version);
    // Once the source of a move is replaced its heir knows nothing of the move: what is deleted there may stand at the
    // target still, and nobody can tell that it should not.
    if (version !== undefined) return;
    for (const holder of this.holders(slot, key))
      if (holder !== node) endings.add(holder.keys.get(slot, key));
  }

  /** A key arrived at the target of a move. One that is replaced already takes it along, as it does any write. */
  arrived(target: SimNode, slot: number, key: string): void {
    if (this.#deposed.has(target)) this.endings(slot, key).add(undefined);
  }

  /** A node follows another: it takes nothing any more. */
  follows(node: SimNode): void {
    this.#deposed.delete(node);
  }

  /** The node that says it owns a slot, under the greatest epoch. */
  ownerOf(slot: number): SimNode | undefined {
    let owner: SimNode | undefined;
    for (const node of this.world.nodes) {
      if (!node.running) continue;
      const { slots, myself } = node.machine.state;
      if (slots.owner(slot) !== myself) continue;
      if (owner === undefined || myself.configEpoch > owner.machine.state.myself.configEpoch) owner = node;
    }
    return owner;
  }

  /** A replica became a master in the place of another: what it holds is what there is. */
  tookOver(heir: SimNode, master: NodeId | undefined): void {
    const old = this.world.nodes.find((node) => node.id === master);
    if (old === undefined) return;
    if (isMaster(old.machine.state.myself)) this.#deposed.add(old);
    const { slots } = heir.machine.state;
    for (const [slot, keys] of this.#endings) {
      const isOwner = slots.owner(slot) === heir.machine.state.myself;
      for (const [key, endings] of keys) {
        const theirs = old.keys.get(slot, key);
        if (!isOwner && theirs === undefined) continue;
        const own = heir.keys.get(slot, key);
        const others = this.holders(slot, key)
          .filter((node) => node !== heir && node !== old && node.machine.state.slots.importing.has(slot))
          .map((node) => node.keys.get(slot, key));
        if (isOwner) endings.clear();
        for (const version of [own, theirs, ...others]) if (version !== undefined) endings.add(version);
        if (own === undefined && others.length === 0) endings.add(undefined);
      }
    }
  }

  /** Masters that hold a key; those that do not run, by what they were. */
  holders(slot: number, key: string): SimNode[] {
    return this.world.nodes.filter((node) => isMaster(node.machine.state.myself) && node.keys.has(slot, key));
  }

  /** Once all is mended: why the keys are not where and what they must be, if they are not. */
  fault(): string | undefined {
    for (const [slot, keys] of this.#endings) {
      const owner = this.ownerOf(slot);
      for (const [key, endings] of keys) {
        const holders = this.holders(slot, key);
        const at = holders.map(({ name }) => name).join(" and ");
        if (holders.length > 1) return `${key} of slot ${slot} is at ${at}`;
        if (holders.length === 1 && holders[0] !== owner)
          return `${key} of slot ${slot} is at ${at}, the slot at ${owner?.name}`;
        const version = owner?.keys.get(slot, key);
        if (!endings.has(version))
          return `${key} of slot ${slot} is ${version ?? "gone"} and must be ${[...endings].join(" or ")}`;
      }
    }
    return undefined;
  }
}
