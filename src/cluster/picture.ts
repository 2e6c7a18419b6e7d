// A picture of the state, taken before a step makes a promise to others. When the promise cannot be saved, the picture
// is put back: what is not on disk has not happened.
import type { ClusterNode } from "./node.ts";
import type { ClusterState } from "./state.ts";

/** Remembers the state as it is. @returns puts it back; for the end of the same step, while its effects still wait */
export function takePicture(state: ClusterState): () => void {
  const { currentEpoch, lastVoteEpoch, ok, current, size, solo, unsettledSinceMs, election, manual } = state;
  const plain = { currentEpoch, lastVoteEpoch, ok, current, size, solo, unsettledSinceMs, election, manual };
  const { links, blacklist, sent, claimedForKeys, lostSlots } = state;
  const restoreMaps = [
    rememberMap(links),
    rememberMap(blacklist),
    rememberMap(sent),
    rememberMap(claimedForKeys),
    rememberMap(lostSlots),
  ];
  const nodes = [...state.nodes.values()].map(rememberNode);
  const restoreSlots = state.slots.remember();
  return () => {
    Object.assign(state, plain);
    for (const restore of restoreMaps) restore();
    state.nodes.clear();
    for (const restore of nodes) {
      const node = restore();
      state.nodes.set(node.id, node);
    }
    restoreSlots();
  };
}

/**
 * Remembers what a change of one slot's owner or open state can touch, as far as no epoch and no role changes with it:
 * slots change by the thousand, and a picture of everything costs more than the change.
 */
export function takeSlotPicture(state: ClusterState, slot: number): () => void {
  const { slots, ok, size } = state;
  const owner = slots.owner(slot);
  const isDisowned = slots.isDisowned(slot);
  const target = slots.migrating.get(slot);
  const source = slots.importing.get(slot);
  const restoreSent = rememberMap(state.sent);
  return () => {
    Object.assign(state, { ok, size });
    if (owner === undefined) slots.unassign(slot);
    else slots.assign(slot, owner);
    if (isDisowned) slots.disown(slot);
    putBack(slots.migrating, slot, target);
    putBack(slots.importing, slot, source);
    restoreSent();
  };
}

function putBack<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function rememberMap<K, V>(map: Map<K, V>): () => void {
  const entries = [...map];
  return () => {
    map.clear();
    for (const [key, value] of entries) map.set(key, value);
  };
}

function rememberNode(node: ClusterNode): () => ClusterNode {
  const copy = { ...node, reports: new Map(node.reports), untold: new Set(node.untold) };
  const slots = node.slotCount === 0 ? undefined : node.slots.slice();
  return () => {
    Object.assign(node, copy);
    if (slots === undefined) node.slots.fill(0);
    else node.slots.set(slots);
    return node;
  };
}
