// Who owns which slot. One table of node ordinals for all 16384 slots, and each node's own set kept in step with it.
import { SLOT_COUNT } from "../../assembly/abi.ts";
import type { NodeId } from "./message.ts";
import type { ClusterNode } from "./node.ts";
import { addSlot, emptyBitmap, forEachSlot, hasSlot, removeSlot } from "./slot-bitmap.ts";

const UNOWNED = 0;

export class SlotTable {
  readonly #owners = new Uint16Array(SLOT_COUNT);
  readonly #byOrdinal: (ClusterNode | undefined)[] = [];
  readonly #free: number[] = [];
  #assigned = 0;
  #version = 0;
  /** Slots whose owner, as far as we know it, does not claim them any more. */
  readonly #disowned = emptyBitmap();
  /** Slots of this node's that it hands over, and to whom. */
  readonly migrating = new Map<number, NodeId>();
  /** Slots this node takes over, and from whom. */
  readonly importing = new Map<number, NodeId>();

  /** Number of slots somebody owns. */
  get assigned(): number {
    return this.#assigned;
  }

  /** Moves with every change of ownership. */
  get version(): number {
    return this.#version;
  }

  /** The ordinal for a node about to be made; `enroll` it afterwards. */
  takeOrdinal(): number {
    return this.#free.pop() ?? Math.max(1, this.#byOrdinal.length);
  }

  enroll(node: ClusterNode): void {
    this.#byOrdinal[node.ordinal] = node;
  }

  /** Takes all slots from a node and forgets it. */
  dismiss(node: ClusterNode): void {
    this.clear(node);
    this.#byOrdinal[node.ordinal] = undefined;
    this.#free.push(node.ordinal);
  }

  owner(slot: number): ClusterNode | undefined {
    const ordinal = this.#owners[slot] ?? UNOWNED;
    return ordinal === UNOWNED ? undefined : this.#byOrdinal[ordinal];
  }

  /** Gives a slot to a node, whoever had it. */
  assign(slot: number, node: ClusterNode): void {
    if (this.#owners[slot] === node.ordinal) return;
    this.unassign(slot);
    this.#owners[slot] = node.ordinal;
    addSlot(node.slots, slot);
    node.slotCount++;
    this.#assigned++;
    this.#version++;
  }

  unassign(slot: number): void {
    this.confirm(slot);
    const owner = this.owner(slot);
    if (owner === undefined) return;
    this.#owners[slot] = UNOWNED;
    removeSlot(owner.slots, slot);
    owner.slotCount--;
    this.#assigned--;
    this.#version++;
  }

  /**
   * Its owner says it does not have the slot. It stays where it is until somebody claims it, for an owner that is
   * wrong costs a redirection, and none at all stops the cluster; but any claim beats the owner's now, and we do not
   * speak for the owner.
   */
  disown(slot: number): void {
    addSlot(this.#disowned, slot);
  }

  isDisowned(slot: number): boolean {
    return hasSlot(this.#disowned, slot);
  }

  /** Its owner claims it, as it should. */
  confirm(slot: number): void {
    removeSlot(this.#disowned, slot);
  }

  /** Neither handed over nor taken over. */
  close(slot: number): void {
    this.migrating.delete(slot);
    this.importing.delete(slot);
  }

  /** Takes all slots from a node. @returns how many there were */
  clear(node: ClusterNode): number {
    const count = node.slotCount;
    if (count > 0) forEachSlot(node.slots, (slot) => this.unassign(slot));
    return count;
  }

  isOwnedBy(slot: number, node: ClusterNode): boolean {
    return hasSlot(node.slots, slot);
  }

  /** @returns puts the table back as it is now; the nodes' own sets are the caller's affair */
  remember(): () => void {
    const owners = this.#owners.slice();
    const byOrdinal = [...this.#byOrdinal];
    const free = [...this.#free];
    const assigned = this.#assigned;
    const disowned = this.#disowned.slice();
    const open = [this.migrating, this.importing].map((slots) => ({ slots, entries: [...slots] }));
    return () => {
      this.#owners.set(owners);
      this.#byOrdinal.splice(0, Infinity, ...byOrdinal);
      this.#free.splice(0, Infinity, ...free);
      this.#assigned = assigned;
      this.#disowned.set(disowned);
      for (const { slots, entries } of open) {
        slots.clear();
        for (const [slot, id] of entries) slots.set(slot, id);
      }
      this.#version++;
    };
  }
}
