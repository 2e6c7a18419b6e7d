// How a replica takes its failed master's place: it asks the masters that own slots for their votes under a fresh
// epoch, and wins with more than half. A master votes once per epoch, and remembers its vote on disk before it speaks
// it; so no epoch has two winners, whatever is lost, delayed or restarted.
import { hasNextEpoch } from "./door.ts";
import { broadcastPong } from "./gossip.ts";
import { quorum } from "./failure.ts";
import { endManual, mayElectManually } from "./manual-failover.ts";
import type { Header } from "./message.ts";
import { hasFailed, isBarredFromFailover, isMaster, isReplica, type ClusterNode } from "./node.ts";
import { becomeMaster } from "./roles.ts";
import { forEachSlot } from "./slot-bitmap.ts";
import type { Election } from "./state.ts";
import type { Turn } from "./turn.ts";

/** Every replica waits this long, so that FAIL reaches the voters before its request does. */
const FIXED_DELAY_MS = 500;
/** And up to this much more, so that two rarely ask at once. */
const RANDOM_DELAY_MS = 500;
/** And this for each replica that has more of the master's data. */
const RANK_DELAY_MS = 1000;
const ELECTION_MIN_MS = 2000;

function electionMs(turn: Turn): number {
  return Math.max(2 * turn.state.options.nodeTimeoutMs, ELECTION_MIN_MS);
}

// --- The candidate --------------------------------------------------------------------------------------------

/** Brings the election forward by what time has passed; called at ticks and whenever something it waits for came. */
export function driveElection(turn: Turn): void {
  const { state } = turn;
  const { myself } = state;
  const master = isReplica(myself) ? state.masterOf(myself) : undefined;
  const manual = mayElectManually(state);
  if (master === undefined || master.slotCount === 0 || reasonToStay(turn, master, manual) !== undefined) {
    state.election = { phase: "idle" };
    return;
  }
  const { election } = state;
  switch (election.phase) {
    case "idle":
      return scheduleElection(turn, master, manual);
    case "resting":
      if (turn.nowMs >= election.untilMs || manual) scheduleElection(turn, master, manual);
      return;
    case "delayed":
      return awaitTurn(turn, master, election);
    case "voting":
      if (turn.nowMs > election.endAtMs) {
        turn.log("notice", `Failover election of epoch ${election.epoch} expired.`);
        state.election = { phase: "resting", untilMs: election.endAtMs + electionMs(turn) };
      }
      return;
    default:
      election satisfies never;
  }
}

/**
 * Why this replica does not stand for election, if it does not.
 * 1. Its master is fine, and nobody asked for a failover.
 * 2. It was configured not to.
 * 3. Its data is too old: the link to the master was down for long before the master failed.
 * 4. It could not save the epoch it would ask for votes under.
 */
function reasonToStay(turn: Turn, master: ClusterNode, manual: boolean): string | undefined {
  const { options, replication, saveFault } = turn.state;
  if (saveFault !== undefined || !hasNextEpoch(turn.state.currentEpoch)) return "it can save no fresh epoch";
  if (manual) return undefined;
  if (!hasFailed(master)) return "master is not failing";
  if (options.noFailover) return "configured not to fail over";
  if (options.validityFactor === 0) return undefined;
  const sinceMs = replication.masterLinkUp ? turn.nowMs : replication.masterLastSeenAtMs;
  const ageMs = Math.max(0, turn.nowMs - sinceMs - options.nodeTimeoutMs);
  const limitMs = options.replicationPingPeriodSec * 1000 + options.nodeTimeoutMs * options.validityFactor;
  return ageMs > limitMs ? "data is too old" : undefined;
}

function scheduleElection(turn: Turn, master: ClusterNode, manual: boolean): void {
  const { state, nowMs } = turn;
  const rank = manual ? 0 : rankOf(turn, master);
  const delayMs = manual
    ? 0
    : FIXED_DELAY_MS + Math.floor(state.random() * RANDOM_DELAY_MS) + rank * RANK_DELAY_MS;
  const startAtMs = nowMs + delayMs;
  state.election = { phase: "delayed", startAtMs, rank, manual, endAtMs: startAtMs + electionMs(turn) };
  turn.log("notice", `Start of election delayed for ${delayMs} milliseconds (rank #${rank}).`);
  // Siblings learn our offset, and rank themselves by it.
  broadcastPong(turn, state.replicasOf(master));
  if (delayMs === 0) driveElection(turn);
}

/** How many of the master's other replicas have more of its data. */
function rankOf(turn: Turn, master: ClusterNode): number {
  const { state } = turn;
  let rank = 0;
  for (const replica of state.replicasOf(master)) {
    if (replica === state.myself || isBarredFromFailover(replica)) continue;
    if (replica.replicationOffset > state.replication.offset) rank++;
  }
  return rank;
}

function awaitTurn(turn: Turn, master: ClusterNode, election: Extract<Election, { phase: "delayed" }>): void {
  const { state, nowMs } = turn;
  const manual = mayElectManually(state);
  if (manual && !election.manual) return scheduleElection(turn, master, true);
  const rank = manual ? 0 : rankOf(turn, master);
  if (rank > election.rank) {
    const extraMs = (rank - election.rank) * RANK_DELAY_MS;
    state.election = {
      ...election,
      rank,
      startAtMs: election.startAtMs + extraMs,
      endAtMs: election.endAtMs + extraMs,
    };
    turn.log("notice", `Replica rank updated to #${rank}, added ${extraMs} milliseconds of delay.`);
    return;
  }
  if (nowMs < election.startAtMs) return;
  if (nowMs > election.endAtMs) {
    state.election = { phase: "idle" };
    return;
  }
  requestVotes(turn, election.manual, election.endAtMs);
}

function requestVotes(turn: Turn, manual: boolean, endAtMs: number): void {
  const { state } = turn;
  turn.promise();
  state.currentEpoch++;
  state.election = { phase: "voting", epoch: state.currentEpoch, votes: new Set(), endAtMs, manual };
  turn.log("notice", `Starting a failover election for epoch ${state.currentEpoch}.`);
  turn.broadcast({ type: "authRequest" }, { forceAck: manual });
}

/** A vote. It counts when it comes from a master with slots and was given at our epoch or later. */
export function hearAuthAck(turn: Turn, sender: ClusterNode, header: Header): void {
  const { election } = turn.state;
  if (election.phase !== "voting") return;
  if (!isMaster(sender) || sender.slotCount === 0 || header.currentEpoch < election.epoch) return;
  election.votes.add(sender.id);
  if (election.votes.size < quorum(turn) || turn.state.saveFault !== undefined) return;
  turn.promise();
  turn.log("notice", `Failover election won: I'm the new master.`);
  takeOver(turn, election.epoch);
}

/** Makes this replica a master with its master's slots, under an epoch it won or made up for itself. */
export function takeOver(turn: Turn, configEpoch: number): void {
  const { state } = turn;
  const { myself } = state;
  const old = state.masterOf(myself);
  if (old === undefined) return;
  turn.promise();
  if (configEpoch > myself.configEpoch) myself.configEpoch = configEpoch;
  const claimed = old.slots.slice();
  becomeMaster(turn);
  forEachSlot(claimed, (slot) => state.slots.assign(slot, myself));
  state.election = { phase: "idle" };
  endManual(turn);
  turn.noteTopology();
  turn.notes.announce = true;
}

// --- The voter ------------------------------------------------------------------------------------------------

export function hearAuthRequest(turn: Turn, sender: ClusterNode, header: Header): void {
  const { state } = turn;
  const { myself } = state;
  if (!isMaster(myself) || myself.slotCount === 0) return; // not a voter
  const refusal = reasonToRefuse(turn, sender, header);
  if (refusal !== undefined) {
    turn.log("warning", `Failover auth denied to ${sender.id} for epoch ${header.currentEpoch}: ${refusal}`);
    return;
  }
  if (sender.link === undefined || !sender.linkUp) return; // the vote could not be sent: keep it
  turn.promise();
  const master = state.masterOf(sender);
  if (master !== undefined) master.votedAtMs = turn.nowMs;
  state.lastVoteEpoch = state.currentEpoch;
  turn.log("notice", `Failover auth granted to ${sender.id} for epoch ${state.currentEpoch}`);
  turn.send(sender.link, { type: "authAck" });
}

/**
 * Why this master refuses its vote to a replica, if it does.
 * @returns a reason for the log, never sent; undefined = vote granted. Throws nothing.
 * Source: Redis Cluster specification, "Replica election and promotion".
 */
function reasonToRefuse(turn: Turn, sender: ClusterNode, header: Header): string | undefined {
  const { state, nowMs } = turn;
  // 1. The request is older than what we know.
  if (header.currentEpoch < state.currentEpoch) return `its epoch is older than ${state.currentEpoch}`;
  // 2. One vote per epoch.
  if (state.lastVoteEpoch >= state.currentEpoch) return `already voted for epoch ${state.currentEpoch}`;
  if (state.saveFault !== undefined) return `a vote cannot be saved (${state.saveFault})`;
  // 3. Only the replica of a failed master stands, unless an operator wants it.
  const master = state.masterOf(sender);
  if (isMaster(sender)) return "it is a master node";
  if (master === undefined) return "I don't know its master";
  if (!hasFailed(master) && !header.forceAck) return "its master is up";
  // 4. A winner needs time to spread the word before another stands for the same slots.
  if (master.votedAtMs !== 0 && nowMs - master.votedAtMs < state.options.nodeTimeoutMs * 2) {
    return "can't vote about this master so soon again";
  }
  // 5. Nobody who won a claimed slot since must be overruled.
  let refusal: string | undefined;
  forEachSlot(header.slots, (slot) => {
    const owner = state.slots.owner(slot);
    if (owner === undefined || owner.configEpoch <= header.configEpoch) return true;
    if (state.slots.isDisowned(slot)) return true;
    refusal = `slot ${slot} epoch (${owner.configEpoch}) > reqConfigEpoch (${header.configEpoch})`;
    return false;
  });
  return refusal;
}
