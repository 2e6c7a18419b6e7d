// Requests of operators: everything that can refuse one is checked before its first change. The texts are Redis's.
import { holdsImported } from "./claims.ts";
import { takeOver, driveElection } from "./election.ts";
import { hasNextEpoch } from "./door.ts";
import { introduceOurselves } from "./packets.ts";
import { endManual, startManual } from "./manual-failover.ts";
import { hasFailed, isMaster, isReplica, type ClusterNode } from "./node.ts";
import { OK, refuse, shown, unsaved, type Answer, type ClusterRequest } from "./request.ts";
import { becomeMaster, becomeReplicaOf } from "./roles.ts";
import { endSolo, isAlone } from "./solo.ts";
import type { Turn } from "./turn.ts";

type Request<T extends ClusterRequest["type"]> = ClusterRequest & { readonly type: T };

export function answerRequest(turn: Turn, request: ClusterRequest): Answer {
  if (request.type === "publish") return publish(turn, request);
  if (request.type === "meet") return meet(turn, request);
  // An error means that nothing was changed: should the change not get on disk, it is taken back.
  const { saveFault } = turn.state;
  if (saveFault !== undefined) return unsaved(saveFault);
  if (request.type !== "setSlot" || turn.state.solo) turn.beginVenture();
  else if (request.to !== "unreadable") turn.beginSlotVenture(request.slot);
  return answerChange(turn, request);
}

function answerChange(turn: Turn, request: Exclude<ClusterRequest, { type: "publish" | "meet" }>): Answer {
  switch (request.type) {
    case "forget":
      return forget(turn, request.node);
    case "replicate":
      return replicate(turn, request.node);
    case "reset":
      return reset(turn, request.hard);
    case "addSlots":
    case "delSlots":
      return changeSlots(turn, request);
    case "flushSlots":
      return flushSlots(turn);
    case "bumpEpoch":
      return bumpEpoch(turn);
    case "saveConfig":
      turn.saveNow();
      return OK;
    case "setConfigEpoch":
      return setConfigEpoch(turn, request.epoch);
    case "setSlot":
      return setSlot(turn, request);
    case "failover":
      return failover(turn, request.how);
    default:
      return request satisfies never;
  }
}

/**
 * Others hear of it by and by, with the next heartbeats. `redis-cli --cluster fix` changes one node after another, and
 * what one of them announced at once would cost those that are not told yet the keys of the slot.
 */
function changed(turn: Turn): void {
  turn.saveNow();
  turn.noteTopology();
}

function meet(turn: Turn, { ip, port, busPort }: Request<"meet">): Answer {
  if (!introduceOurselves(turn, ip, port, busPort)) return refuse("Too many nodes are known already");
  endSolo(turn);
  return OK;
}

function forget(turn: Turn, id: string): Answer {
  const { state } = turn;
  const node = state.nodes.get(id);
  if (node === undefined) return refuse(`Unknown node ${shown(id)}`);
  if (node === state.myself) return refuse("I tried hard but I can't forget myself...");
  if (isReplica(state.myself) && state.masterOf(state.myself) === node)
    return refuse("Can't forget my master!");
  state.forget(id, turn.nowMs);
  turn.removeNode(node);
  turn.saveNow();
  return OK;
}

function replicate(turn: Turn, id: string): Answer {
  const { state, keyspace } = turn;
  const { myself } = state;
  const node = state.nodes.get(id);
  if (node === undefined) return refuse(`Unknown node ${shown(id)}`);
  if (node === myself) return refuse("Can't replicate myself");
  if (isReplica(node)) return refuse("I can only replicate a master, not a replica.");
  if (isMaster(myself) && (myself.slotCount > 0 || !keyspace.isEmpty())) {
    return refuse("To set a master the node must be empty and without assigned slots.");
  }
  endSolo(turn);
  becomeReplicaOf(turn, node);
  return OK;
}

function reset(turn: Turn, hard: boolean): Answer {
  const { state, keyspace } = turn;
  const { myself, slots } = state;
  if (isMaster(myself) && !keyspace.isEmpty()) {
    return refuse("CLUSTER RESET can't be called with master nodes containing keys");
  }
  if (isReplica(myself)) {
    becomeMaster(turn);
    turn.do({ type: "emptyKeyspace" });
  }
  endManual(turn);
  slots.migrating.clear();
  slots.importing.clear();
  for (const node of state.nodes.values()) {
    slots.clear(node);
    if (node !== myself) turn.removeNode(node);
  }
  state.election = { phase: "idle" };
  state.unsettledSinceMs = undefined;
  state.claimedForKeys.clear();
  state.lostSlots.clear();
  if (hard) {
    state.currentEpoch = 0;
    state.lastVoteEpoch = 0;
    myself.configEpoch = 0;
    state.renameNode(myself, state.randomId());
    turn.log("notice", `Node hard reset, now I'm ${myself.id}`);
    state.solo = isAlone(state);
  }
  changed(turn);
  return OK;
}

function changeSlots(turn: Turn, request: Request<"addSlots" | "delSlots">): Answer {
  const { state } = turn;
  const adding = request.type === "addSlots";
  const chosen = new Set<number>();
  for (const { start, end } of request.ranges) {
    for (let slot = start; slot <= end; slot++) {
      const isOwned = state.slots.owner(slot) !== undefined;
      if (adding && isOwned) return refuse(`Slot ${slot} is already busy`);
      if (!adding && !isOwned) return refuse(`Slot ${slot} is already unassigned`);
      if (chosen.has(slot)) return refuse(`Slot ${slot} specified multiple times`);
      chosen.add(slot);
    }
  }
  if (request.refusal !== undefined) return request.refusal;
  // redis-server takes them: a replica owns slots then, as nobody else sees it.
  if (adding && isReplica(state.myself)) return refuse("Please use ADDSLOTS only with masters.");
  for (const slot of chosen) {
    state.slots.unassign(slot);
    // Added or deleted, there is nobody left to import it from.
    state.slots.importing.delete(slot);
    if (adding) state.slots.assign(slot, state.myself);
  }
  if (adding) endSolo(turn);
  changed(turn);
  return OK;
}

function flushSlots(turn: Turn): Answer {
  if (!turn.keyspace.isEmpty()) return refuse("DB must be empty to perform CLUSTER FLUSHSLOTS.");
  turn.state.slots.clear(turn.state.myself);
  changed(turn);
  return OK;
}

/** Moves to the greatest epoch without asking anybody: safe only where no other node claims what we do. */
function bumpWithoutConsensus(turn: Turn): boolean {
  const { state } = turn;
  const { myself } = state;
  let greatest = state.currentEpoch;
  for (const node of state.nodes.values()) greatest = Math.max(greatest, node.configEpoch);
  if (myself.configEpoch !== 0 && myself.configEpoch === greatest) return false;
  if (!hasNextEpoch(greatest)) return false;
  turn.beginVenture();
  state.currentEpoch = greatest + 1;
  myself.configEpoch = state.currentEpoch;
  turn.log("warning", `New configEpoch set to ${myself.configEpoch}`);
  changed(turn);
  return true;
}

function bumpEpoch(turn: Turn): Answer {
  const bumped = bumpWithoutConsensus(turn);
  endSolo(turn);
  return { status: `${bumped ? "BUMPED" : "STILL"} ${turn.state.myself.configEpoch}` };
}

function setConfigEpoch(turn: Turn, epoch: number): Answer {
  const { state } = turn;
  if (state.nodes.size > 1) {
    return refuse("The user can assign a config epoch only when the node does not know any other node.");
  }
  if (state.myself.configEpoch !== 0) return refuse("Node config epoch is already non-zero");
  state.myself.configEpoch = epoch;
  state.currentEpoch = Math.max(state.currentEpoch, epoch);
  turn.log("warning", `configEpoch set to ${epoch} via CLUSTER SET-CONFIG-EPOCH`);
  endSolo(turn);
  changed(turn);
  return OK;
}

// --- Open slots -----------------------------------------------------------------------------------------------

function setSlot(turn: Turn, request: Request<"setSlot">): Answer {
  const { state } = turn;
  if (isReplica(state.myself)) return refuse("Please use SETSLOT only with masters.");
  if (request.to === "unreadable") return request.refusal;
  const { slot } = request;
  switch (request.to) {
    case "stable":
      state.slots.close(slot);
      break;
    case "migrating":
    case "importing": {
      const refusal = openSlot(turn, slot, request.to, request.node);
      if (refusal !== undefined) return refusal;
      break;
    }
    case "node": {
      const refusal = closeSlot(turn, slot, request.node);
      if (refusal !== undefined) return refusal;
      break;
    }
    default:
      request satisfies never;
  }
  endSolo(turn);
  // Some thousand slots may move in a row. An epoch that closing one takes, and a role, are on disk as always.
  turn.saveBriefly();
  turn.noteTopology();
  return OK;
}

function openSlot(turn: Turn, slot: number, to: "migrating" | "importing", id: string): Answer | undefined {
  const { slots, nodes, myself } = turn.state;
  const isOurs = slots.owner(slot) === myself;
  if (to === "migrating" && !isOurs) return refuse(`I'm not the owner of hash slot ${slot}`);
  if (to === "importing" && isOurs) return refuse(`I'm already the owner of hash slot ${slot}`);
  const node = nodes.get(id);
  if (node === undefined) return refuse(`I don't know about node ${shown(id)}`);
  if (isReplica(node)) return refuse("Target node is not a master");
  (to === "migrating" ? slots.migrating : slots.importing).set(slot, id);
  return undefined;
}

/** Ends a slot's move: it belongs to this node now. */
function closeSlot(turn: Turn, slot: number, id: string): Answer | undefined {
  const { state, keyspace } = turn;
  const { slots, myself } = state;
  const node = state.nodes.get(id);
  if (node === undefined) return refuse(`Unknown node ${shown(id)}`);
  if (isReplica(node)) return refuse("Target node is not a master");
  const wasOurs = slots.owner(slot) === myself;
  const keys = keyspace.countKeysInSlot(slot);
  if (wasOurs && node !== myself && keys > 0) {
    return refuse(
      `Can't assign hashslot ${slot} to a different node while I still hold keys for this hash slot.`,
    );
  }
  if (keys === 0 || node !== myself) slots.migrating.delete(slot);
  slots.assign(slot, node);
  // Keys in a slot of another's are never out of sight, as they are not after a restart.
  if (node !== myself && keys > 0 && !slots.importing.has(slot)) slots.importing.set(slot, id);
  if (node === myself && slots.importing.has(slot)) takeImported(turn, slot);
  else if (wasOurs && node !== myself) followIfSlotless(turn, node);
  return undefined;
}

/** The fresh epoch makes our claim beat the former owner's everywhere, at once. */
function takeImported(turn: Turn, slot: number): void {
  bumpWithoutConsensus(turn);
  turn.state.slots.importing.delete(slot);
  turn.notes.announce = true;
}

/** A master left without slots serves the one that got the last of them, unless it is importing others and has keys. */
function followIfSlotless(turn: Turn, node: ClusterNode): void {
  const { state } = turn;
  if (state.myself.slotCount > 0 || !state.options.allowReplicaMigration || holdsImported(turn)) return;
  turn.log(
    "notice",
    `Lost my last slot during slot migration. Reconfiguring myself as a replica of ${node.id}`,
  );
  turn.beginVenture();
  becomeReplicaOf(turn, node);
}

// --- Failover and publications --------------------------------------------------------------------------------

function failover(turn: Turn, how: "normal" | "force" | "takeover"): Answer {
  const { state } = turn;
  const { myself } = state;
  if (isMaster(myself)) return refuse("You should send CLUSTER FAILOVER to a replica");
  const master = state.masterOf(myself);
  if (master === undefined) return refuse("I'm a replica but my master is unknown to me");
  if ((hasFailed(master) || !master.linkUp) && how === "normal") {
    return refuse("Master is down or failed, please use CLUSTER FAILOVER FORCE");
  }
  if (how === "takeover") {
    turn.log("notice", "Taking over the master (user request).");
    bumpWithoutConsensus(turn);
    takeOver(turn, myself.configEpoch);
    return OK;
  }
  startManual(turn, how === "force");
  driveElection(turn);
  return OK;
}

/** To every node, or for a sharded channel to the nodes that hold its slot with us. */
function publish(turn: Turn, request: Request<"publish">): Answer {
  const { state } = turn;
  const { channel, payload } = request;
  const body = { type: request.shard ? "publishShard" : "publish", channel, payload } as const;
  const seat = state.mastersSeat(state.myself);
  for (const node of state.peers()) {
    if (node.link === undefined || !node.linkUp) continue;
    if (request.shard && state.mastersSeat(node) !== seat) continue;
    turn.send(node.link, body);
  }
  return OK;
}
