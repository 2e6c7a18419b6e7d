// Slots that another node's claim took from this one while it held keys of them. The keys must go: whoever asks for them
// is sent to the new owner, and they would be old when the slot comes back. But not at once. `redis-cli --cluster fix`
// makes a node the owner of a slot first, and opens the slot at the others, to fetch their keys, after that; what the
// new owner says on the bus may come in between. So the keys stay for a moment, and for good where the slot was opened
// or given back meanwhile.
import { isMaster } from "./node.ts";
import type { Turn } from "./turn.ts";

/** What an operator's tool needs from one step of a fix to the next, and more; milliseconds. */
const KEEP_MS = 2000;

export function noteLost(turn: Turn, lost: readonly number[]): void {
  for (const slot of lost) turn.state.lostSlots.set(slot, turn.nowMs + KEEP_MS);
}

/** At every tick: deletes what is left of slots lost long enough ago. */
export function deleteLostKeys(turn: Turn): void {
  const { lostSlots, slots, myself } = turn.state;
  const due: number[] = [];
  for (const [slot, untilMs] of lostSlots) {
    if (turn.nowMs < untilMs) continue;
    lostSlots.delete(slot);
    const stays = slots.owner(slot) === myself || slots.importing.has(slot);
    if (!stays && turn.keyspace.countKeysInSlot(slot) > 0) due.push(slot);
  }
  if (due.length > 0 && isMaster(myself)) turn.do({ type: "deleteSlotKeys", slots: due });
}
