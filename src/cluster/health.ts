// cluster_state: may this node serve at all?
import { hasFailed, isInHandshake, isMaster, isSuspectedOrFailed } from "./node.ts";
import { SLOT_COUNT } from "../../assembly/abi.ts";
import { quorum } from "./failure.ts";
import type { Turn } from "./turn.ts";

/** How long a restarted master holds back at most, so that the others can say who took its slots meanwhile. */
const RESTART_DELAY_MS = 2000;
const REJOIN_MIN_MS = 500;
const REJOIN_MAX_MS = 5000;

export class Health {
  #minorityAtMs = -REJOIN_MAX_MS;
  #holding: boolean;

  /** @param restarted this node came back as a master with slots: what it remembers may be out of date */
  constructor(
    private startedAtMs: number,
    restarted: boolean,
  ) {
    this.#holding = restarted;
  }

  /**
   * This process stood still for longer than the others wait (it was stopped, or its machine slept): a master may have
   * been replaced meanwhile, and holds back as after a restart. All links are made anew, for what waits in the old
   * ones is from before.
   */
  wake(turn: Turn): void {
    const { state } = turn;
    if (!isMaster(state.myself) || state.myself.slotCount === 0 || state.nodes.size === 1) return;
    this.startedAtMs = turn.nowMs;
    this.#holding = true;
    turn.notes.health = true;
    for (const node of state.peers()) {
      turn.dropLink(node);
      turn.openLink(node);
    }
  }

  /** Works cluster_state out anew. @returns true = look again at the next tick */
  update(turn: Turn): boolean {
    const { state, nowMs } = turn;
    const reachable = countMasters(turn);
    if (this.#holdsBack(turn)) {
      state.current = false;
      if (state.ok) {
        state.ok = false;
        turn.notes.routes = true;
        turn.log("notice", "Cluster state changed: fail, until the other nodes have said how things stand");
      }
      return true;
    }
    const hasQuorum = reachable >= quorum(turn);
    // Where no master owns a slot there is no majority to have left.
    if (!hasQuorum && state.size > 0) this.#minorityAtMs = nowMs;
    const ok = hasQuorum && (!state.options.requireFullCoverage || isCovered(turn));
    const rejoinMs = Math.min(REJOIN_MAX_MS, Math.max(REJOIN_MIN_MS, state.options.nodeTimeoutMs));
    const isBack = nowMs - this.#minorityAtMs >= rejoinMs;
    state.current = hasQuorum && isBack;
    if (ok === state.ok) return !ok;
    if (ok && isMaster(state.myself) && !isBack) return true;
    state.ok = ok;
    turn.notes.routes = true;
    turn.log("notice", `Cluster state changed: ${ok ? "ok" : "fail"}`);
    return !ok;
  }

  /**
   * A master that comes back must not take writes for slots it lost. It holds back
   * 1. until every node it knows has answered since, for then the new owner has spoken, or
   * 2. for RESTART_DELAY_MS, when some do not answer.
   */
  #holdsBack(turn: Turn): boolean {
    if (!this.#holding) return false;
    const { state, nowMs } = turn;
    let allSpoke = true;
    for (const node of state.peers()) {
      if (node.pongReceivedAtMs < this.startedAtMs && !hasFailed(node)) allSpoke = false;
    }
    this.#holding = isMaster(state.myself) && !allSpoke && nowMs - this.startedAtMs < RESTART_DELAY_MS;
    return this.#holding;
  }
}

/** Counts the masters with slots into `size`. @returns how many of them can be reached */
function countMasters(turn: Turn): number {
  const { state } = turn;
  let size = 0;
  let reachable = 0;
  for (const node of state.nodes.values()) {
    if (isInHandshake(node) || !isMaster(node) || node.slotCount === 0) continue;
    size++;
    if (!isSuspectedOrFailed(node)) reachable++;
  }
  state.size = size;
  return reachable;
}

/** Every slot has an owner that has not failed; suspicion alone does not count. */
function isCovered(turn: Turn): boolean {
  const { state } = turn;
  if (state.slots.assigned < SLOT_COUNT) return false;
  for (const node of state.nodes.values()) if (node.slotCount > 0 && hasFailed(node)) return false;
  return true;
}
