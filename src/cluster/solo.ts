// A node alone: one that never met another and owns no slot serves every key. The first step into a cluster ends
// this, and the slots that hold keys are settled then, so that nothing is lost:
// 1. while it knows nobody, it claims them;
// 2. once it knows others, it waits until their claims had time to arrive, then claims what is free and leaves open as
//    importing what another node owns;
// 3. should another claim to one of them win within a minute, the keys stay and the slot is left open as well: two
//    nodes may have come in with keys of the same slot.
import { SLOT_COUNT } from "../../assembly/abi.ts";
import { isMaster } from "./node.ts";
import type { ClusterState } from "./state.ts";
import type { Turn } from "./turn.ts";

/** Time others have to make their claims known, counted from the last node learned. */
const SETTLE_MS = 2000;

/** How long a claim made for the sake of keys does not cost them when it loses. */
const KEEP_MS = 60_000;

/** Would this node serve alone, going by what it remembers? */
export function isAlone(state: ClusterState): boolean {
  return (
    state.options.solo &&
    state.nodes.size === 1 &&
    isMaster(state.myself) &&
    state.slots.assigned === 0 &&
    state.currentEpoch === 0 &&
    state.myself.configEpoch === 0
  );
}

/** The node joins a cluster, or is made one by hand. Call after the change that does it. */
export function endSolo(turn: Turn): void {
  const { state } = turn;
  if (!state.solo) return;
  state.solo = false;
  turn.noteTopology();
  turn.saveSoon();
  state.unsettledSinceMs = turn.nowMs;
}

/** At the end of a step: settles slots with keys when it is time to. */
export function settleWhenDue(turn: Turn): void {
  const { state, nowMs } = turn;
  if (state.unsettledSinceMs === undefined) return;
  let latestMs = state.unsettledSinceMs;
  if (state.nodes.size > 1) {
    for (const node of state.nodes.values())
      if (node !== state.myself) latestMs = Math.max(latestMs, node.createdAtMs);
    if (nowMs - latestMs < SETTLE_MS) return;
  }
  state.unsettledSinceMs = undefined;
  settleSlotsWithKeys(turn);
}

/** Slots that hold keys but are not ours: claimed when free, otherwise open as importing from their owner. */
export function settleSlotsWithKeys(turn: Turn): void {
  const { state, keyspace } = turn;
  const { myself, slots } = state;
  if (!isMaster(myself) || state.solo || keyspace.isEmpty()) return;
  let changed = 0;
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const owner = slots.owner(slot);
    if (owner === myself || slots.importing.has(slot) || keyspace.countKeysInSlot(slot) === 0) continue;
    changed++;
    if (owner === undefined) {
      slots.assign(slot, myself);
      state.claimedForKeys.set(slot, turn.nowMs + KEEP_MS);
      turn.log("warning", `I have keys for unassigned slot ${slot}. Taking responsibility for it.`);
    } else {
      slots.importing.set(slot, owner.id);
      turn.log(
        "warning",
        `I have keys for slot ${slot}, which ${owner.id} owns. Leaving it open as importing.`,
      );
    }
  }
  if (changed === 0) return;
  turn.saveNow();
  turn.noteTopology();
  turn.notes.announce = true;
}

/** Is this slot, which another claim takes from us, one whose keys nobody else can have? */
export function keepsKeys(turn: Turn, slot: number): boolean {
  const untilMs = turn.state.claimedForKeys.get(slot);
  return untilMs !== undefined && turn.nowMs < untilMs;
}
