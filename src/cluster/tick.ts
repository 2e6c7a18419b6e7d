// What happens ten times a second whether or not anything was heard: links made anew, PINGs, suspicion, elections.
import { driveElection } from "./election.ts";
import { suspectIfSilent } from "./failure.ts";
import { sendHeartbeat, tellNews } from "./gossip.ts";
import { deleteLostKeys } from "./lost-slots.ts";
import { expireManual, pingSuccessor } from "./manual-failover.ts";
import { FLAG_MEET, FLAG_MIGRATE_TO } from "./message.ts";
import {
  hasFailed,
  hasNoAddress,
  isInHandshake,
  isMaster,
  isReplica,
  isSuspectedOrFailed,
  type ClusterNode,
} from "./node.ts";
import { becomeReplicaOf, followMaster, followMastersMaster } from "./roles.ts";
import type { Turn } from "./turn.ts";

const HANDSHAKE_MIN_MS = 1000;
const SILENCE_MIN_MS = 10_000;
/** A random PING goes out at every tenth tick, to the longest unheard of this many nodes. */
const TICKS_PER_PING = 10;
const PING_CANDIDATES = 5;
/** How long a master must be without a replica before one moves to it. */
const ORPHAN_DELAY_MS = 5000;

export function tick(turn: Turn, tickNumber: number): void {
  tendLinks(turn);
  closeSilent(turn);
  if (tickNumber % TICKS_PER_PING === 0) pingRandom(turn);
  for (const node of turn.state.peers()) if (!hasNoAddress(node)) tendNode(turn, node);
  tellNews(turn);
  pingSuccessor(turn);
  expireManual(turn);
  if (isReplica(turn.state.myself)) {
    followMastersMaster(turn);
    followMaster(turn);
    driveElection(turn);
  }
  moveToOrphan(turn);
  deleteLostKeys(turn);
}

/** Ends handshakes that came to nothing, and makes missing links. */
function tendLinks(turn: Turn): void {
  const { state, nowMs } = turn;
  for (const node of state.nodes.values()) {
    if (isInHandshake(node)) {
      if (nowMs - node.createdAtMs > handshakeMs(turn)) {
        turn.removeNode(node);
        continue;
      }
      // No answer for half the time a handshake has: perhaps only the link is dead.
      if (nowMs - node.linkCreatedAtMs > handshakeMs(turn) / 2) turn.dropLink(node);
    }
    turn.openLink(node);
  }
}

/** Connections nobody we know has spoken on, and nobody at all for long: no node leaves a link of its own idle. */
function closeSilent(turn: Turn): void {
  const { state, nowMs } = turn;
  const longestMs = Math.max(SILENCE_MIN_MS, 2 * state.options.nodeTimeoutMs);
  for (const link of state.links.values()) {
    if (!link.inbound || link.node !== undefined || nowMs - link.heardAtMs <= longestMs) continue;
    state.links.delete(link.id);
    turn.do({ type: "disconnect", link: link.id });
  }
}

function pingRandom(turn: Turn): void {
  const { state } = turn;
  const nodes = [...state.nodes.values()];
  let chosen: ClusterNode | undefined;
  for (let i = 0; i < PING_CANDIDATES; i++) {
    const node = nodes[Math.floor(state.random() * nodes.length)];
    if (node === undefined || node === state.myself || isInHandshake(node)) continue;
    if (!node.linkUp || node.pingSentAtMs !== 0) continue;
    if (chosen === undefined || node.pongReceivedAtMs < chosen.pongReceivedAtMs) chosen = node;
  }
  if (chosen !== undefined) ping(turn, chosen);
}

function ping(turn: Turn, node: ClusterNode): void {
  const link = node.link === undefined ? undefined : turn.state.links.get(node.link);
  if (link !== undefined) sendHeartbeat(turn, link, "ping", node);
}

/**
 * 1. A PING that waits for half the timeout, with nothing heard since: perhaps only the link is broken, so a new one
 *    is made, and the PING keeps waiting.
 * 2. A node whose last PONG is older than half the timeout is pinged, so each is within every timeout.
 * 3. One that stays silent comes under suspicion.
 */
function tendNode(turn: Turn, node: ClusterNode): void {
  const { nowMs } = turn;
  const { nodeTimeoutMs } = turn.state.options;
  const halfMs = nodeTimeoutMs / 2;
  if (
    node.link !== undefined &&
    nowMs - node.linkCreatedAtMs > nodeTimeoutMs &&
    node.pingSentAtMs !== 0 &&
    nowMs - node.pingSentAtMs > halfMs &&
    nowMs - node.dataReceivedAtMs > halfMs
  ) {
    turn.dropLink(node);
    turn.openLink(node);
  }
  introduceAgain(turn, node);
  if (node.linkUp && node.pingSentAtMs === 0 && nowMs - node.pongReceivedAtMs > halfMs) ping(turn, node);
  suspectIfSilent(turn, node);
}

/** A node that answers us but does not link back has lost our MEET, or its handshake with us came to nothing. */
function introduceAgain(turn: Turn, node: ClusterNode): void {
  const { state, nowMs } = turn;
  const link = node.link === undefined ? undefined : state.links.get(node.link);
  if ((node.flags & FLAG_MEET) === 0 || link === undefined || !node.linkUp) return;
  if (nowMs - Math.max(node.linkCreatedAtMs, node.metAtMs) <= handshakeMs(turn)) return;
  node.metAtMs = nowMs;
  sendHeartbeat(turn, link, "meet", node);
}

function handshakeMs(turn: Turn): number {
  return Math.max(turn.state.options.nodeTimeoutMs, HANDSHAKE_MIN_MS);
}

// --- Spare replicas -------------------------------------------------------------------------------------------

/** Working replicas of every master. */
function countWorkingReplicas(turn: Turn): Map<ClusterNode, number> {
  const counts = new Map<ClusterNode, number>();
  for (const node of turn.state.peers()) {
    const master = isReplica(node) && !isSuspectedOrFailed(node) ? turn.state.masterOf(node) : undefined;
    if (master !== undefined) counts.set(master, (counts.get(master) ?? 0) + 1);
  }
  const { myself } = turn.state;
  const mine = isReplica(myself) ? turn.state.masterOf(myself) : undefined;
  if (mine !== undefined) counts.set(mine, (counts.get(mine) ?? 0) + 1);
  return counts;
}

/**
 * Moves this replica to a master that lost all of its own, when
 * 1. the cluster is well and the configuration allows it,
 * 2. our master has the most working replicas, and keeps more than the migration barrier asks for,
 * 3. we have the smallest id among the working replicas of such masters, so that one moves and not all.
 */
function moveToOrphan(turn: Turn): void {
  const { state, nowMs } = turn;
  const { myself, options } = state;
  const counts = countWorkingReplicas(turn);
  const orphan = noteOrphans(turn, counts);
  if (!isReplica(myself) || orphan === undefined || !state.ok || !options.allowReplicaMigration) return;
  const most = Math.max(...counts.values());
  const master = state.masterOf(myself);
  const own = master === undefined ? 0 : (counts.get(master) ?? 0);
  if (own < 2 || own < most || own <= options.migrationBarrier) return;
  if (nowMs - orphan.orphanedAtMs < ORPHAN_DELAY_MS) return;
  for (const node of state.peers()) {
    if (!isReplica(node) || isSuspectedOrFailed(node) || node.id > myself.id) continue;
    const other = state.masterOf(node);
    if (other !== undefined && counts.get(other) === most) return;
  }
  turn.log("notice", `Migrating to orphaned master ${orphan.id}`);
  becomeReplicaOf(turn, orphan);
}

/** Keeps `orphanedAtMs` of all masters. @returns the first working one with slots that had replicas and has none */
function noteOrphans(turn: Turn, counts: Map<ClusterNode, number>): ClusterNode | undefined {
  let orphan: ClusterNode | undefined;
  for (const node of turn.state.peers()) {
    const isOrphan =
      isMaster(node) &&
      node.slotCount > 0 &&
      !hasFailed(node) &&
      (node.flags & FLAG_MIGRATE_TO) !== 0 &&
      (counts.get(node) ?? 0) === 0;
    if (!isOrphan) node.orphanedAtMs = 0;
    else if (node.orphanedAtMs === 0) node.orphanedAtMs = turn.nowMs;
    if (isOrphan) orphan ??= node;
  }
  return orphan;
}
