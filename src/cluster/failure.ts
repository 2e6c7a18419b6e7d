// Who is down. Suspicion (PFAIL) is one node's own: no word within the node timeout. Failure (FAIL) is agreed: a
// majority of the masters that own slots suspect it within a window. The agreement is weak, since the reports are
// gathered over time and by each node for itself; its purpose is only that a failed master's replica finds most
// voters of the same mind. Safety comes from the votes and epochs, not from here.
import { FLAG_FAIL, FLAG_PFAIL, type NodeId } from "./message.ts";
import {
  addFlags,
  dropFlags,
  hasFailed,
  isMaster,
  isReplica,
  isSuspected,
  isSuspectedOrFailed,
  type ClusterNode,
} from "./node.ts";
import type { Turn } from "./turn.ts";

/** Reports count for this many node timeouts; so long, too, a failed master with slots must be back to be cleared. */
const WINDOW_IN_TIMEOUTS = 2;

function windowMs(turn: Turn): number {
  return turn.state.options.nodeTimeoutMs * WINDOW_IN_TIMEOUTS;
}

/** Votes or masters needed to decide: more than half of the masters that own slots. */
export function quorum(turn: Turn): number {
  return Math.floor(turn.state.size / 2) + 1;
}

/** A master says it cannot reach this node. */
export function addFailureReport(turn: Turn, node: ClusterNode, reporter: ClusterNode): void {
  const isNew = !node.reports.has(reporter.id);
  node.reports.set(reporter.id, turn.nowMs);
  if (isNew) turn.log("verbose", `Node ${reporter.id} reported node ${node.id} as not reachable.`);
}

export function dropFailureReport(turn: Turn, node: ClusterNode, reporter: ClusterNode): void {
  if (node.reports.delete(reporter.id)) {
    turn.log("verbose", `Node ${reporter.id} reported node ${node.id} is back online.`);
  }
}

export function countFailureReports(turn: Turn, node: ClusterNode): number {
  return countFailureReportsOf(node, turn.state.options.nodeTimeoutMs, turn.nowMs);
}

/** Reports within the window; older ones are dropped. */
export function countFailureReportsOf(node: ClusterNode, nodeTimeoutMs: number, nowMs: number): number {
  const oldestMs = nowMs - nodeTimeoutMs * WINDOW_IN_TIMEOUTS;
  for (const [reporter, atMs] of node.reports) if (atMs < oldestMs) node.reports.delete(reporter);
  return node.reports.size;
}

/** No word from a node for longer than the timeout, though it was asked. */
export function suspectIfSilent(turn: Turn, node: ClusterNode): void {
  const { nowMs } = turn;
  if (node.pingSentAtMs === 0 || isSuspectedOrFailed(node)) return;
  const silentMs = Math.min(nowMs - node.pingSentAtMs, nowMs - node.dataReceivedAtMs);
  if (silentMs <= turn.state.options.nodeTimeoutMs) return;
  addFlags(node, FLAG_PFAIL);
  turn.log("debug", `*** NODE ${node.id} possibly failing`);
  turn.noteTopology();
  turn.notes.announce = true; // reports decide, so they should not wait for the next heartbeat
  failIfAgreed(turn, node);
}

/** Turns our suspicion into FAIL when enough masters share it, and tells everybody. */
export function failIfAgreed(turn: Turn, node: ClusterNode): void {
  const { state } = turn;
  if (!isSuspected(node) || hasFailed(node)) return;
  const suspecting = countFailureReports(turn, node) + (isMaster(state.myself) ? 1 : 0);
  if (suspecting < quorum(turn)) return;
  turn.log("notice", `Marking node ${node.id} as failing (quorum reached).`);
  markFailed(turn, node);
  turn.broadcast({ type: "fail", node: node.id });
}

/** Somebody saw the quorum. */
export function hearFail(turn: Turn, sender: ClusterNode, failing: NodeId): void {
  const node = turn.state.nodes.get(failing);
  if (node === undefined || node === turn.state.myself || hasFailed(node)) return;
  turn.log("notice", `FAIL message received from ${sender.id} about ${failing}`);
  markFailed(turn, node);
}

function markFailed(turn: Turn, node: ClusterNode): void {
  dropFlags(node, FLAG_PFAIL);
  addFlags(node, FLAG_FAIL);
  node.failedAtMs = turn.nowMs;
  turn.saveSoon();
  turn.noteTopology();
}

/** It answered our PING. */
export function trustAgain(turn: Turn, node: ClusterNode): void {
  if (isSuspected(node)) {
    dropFlags(node, FLAG_PFAIL);
    turn.saveSoon();
    turn.noteTopology();
  } else if (hasFailed(node) && mayClearFailure(turn, node)) {
    dropFlags(node, FLAG_FAIL);
    turn.log("notice", `Clear FAIL state for node ${node.id}: it is reachable again.`);
    turn.saveSoon();
    turn.noteTopology();
  }
}

/**
 * 1. What nobody would take over comes back at once: replicas and masters without slots.
 * 2. A master with slots waits the window out: while FAIL stands, an election for its slots may be under way.
 */
function mayClearFailure(turn: Turn, node: ClusterNode): boolean {
  if (isReplica(node) || node.slotCount === 0) return true;
  return turn.nowMs - node.failedAtMs > windowMs(turn);
}
