// Slots, epochs and roles as others claim them. The rule that settles everything: of two claims to a slot, the one
// with the greater configEpoch holds; and no two masters keep the same configEpoch.
import { FLAG_NOADDR, FLAG_NOFAILOVER, type BusMessage, type Header, type SlotBitmap } from "./message.ts";
import { hasNextEpoch } from "./door.ts";
import { noteLost } from "./lost-slots.ts";
import { addFlags, dropFlags, isMaster, isReplica, setAddress, type ClusterNode } from "./node.ts";
import { senderAddress } from "./gossip.ts";
import { becomeReplicaOf, followMaster, followMastersMaster } from "./roles.ts";
import { keepsKeys } from "./solo.ts";
import { bitmapsEqual, forEachSlot, hasSlot, isSubset } from "./slot-bitmap.ts";
import type { Link } from "./state.ts";
import type { Turn } from "./turn.ts";

/** Any packet of a known node: its epochs and its offset. */
export function hearHeader(turn: Turn, sender: ClusterNode, header: Header): void {
  const { state } = turn;
  if (header.currentEpoch > state.currentEpoch) {
    state.currentEpoch = header.currentEpoch;
    turn.saveSoon();
  }
  // A replica speaks with its master's epoch; only a master's is its own.
  if (header.configEpoch > sender.configEpoch) {
    sender.configEpoch = header.configEpoch;
    turn.saveSoon();
  }
  sender.replicationOffset = header.offset;
  sender.replicationOffsetAtMs = turn.nowMs;
}

/** What a heartbeat says of its sender: flags, role, slots. */
export function hearClaims(turn: Turn, sender: ClusterNode, header: Header): void {
  const { state } = turn;
  dropFlags(sender, FLAG_NOFAILOVER);
  addFlags(sender, header.flags & FLAG_NOFAILOVER);
  const isHeir = state.masterOf(sender) === state.myself;
  hearRole(turn, sender, header);
  followMastersMaster(turn);
  const seat = state.mastersSeat(sender);
  if (seat !== undefined && !bitmapsEqual(seat.slots, header.slots)) {
    if (isMaster(sender)) takeClaim(turn, sender, header.configEpoch, header.slots, isHeir);
    correct(turn, sender, header);
  }
  if (isMaster(sender)) settleCollision(turn, sender, header.configEpoch);
}

function hearRole(turn: Turn, sender: ClusterNode, header: Header): void {
  const { state } = turn;
  if (header.master === null) {
    if (!state.turnIntoMaster(sender)) return;
  } else {
    if (isReplica(sender) && sender.masterId === header.master) return;
    state.turnIntoReplica(sender, header.master);
  }
  turn.saveSoon();
  turn.noteTopology();
}

/**
 * Takes over a master's claim to slots where it beats what we know.
 * @param claimed all slots it says it owns
 * @param isHeir it was our replica so far
 */
function takeClaim(
  turn: Turn,
  claimant: ClusterNode,
  configEpoch: number,
  claimed: SlotBitmap,
  isHeir: boolean,
): void {
  const { state, keyspace } = turn;
  const { myself, slots } = state;
  if (claimant === myself) return;
  const mySeat = state.mastersSeat(myself);
  const withKeys: number[] = [];
  let claimedCount = 0;
  let lostCount = 0;
  let changed = false;
  forEachSlot(claimed, (slot) => {
    claimedCount++;
    if (slots.isOwnedBy(slot, claimant)) return slots.confirm(slot);
    const isImported = slots.importing.has(slot);
    if (isImported && !replacesSource(turn, slot, claimed)) return;
    const owner = slots.owner(slot);
    if (owner !== undefined && owner.configEpoch >= configEpoch && !slots.isDisowned(slot)) return;
    slots.migrating.delete(slot);
    if (owner === myself && keyspace.countKeysInSlot(slot) > 0) withKeys.push(slot);
    if (owner !== undefined && owner === mySeat) lostCount++;
    slots.assign(slot, claimant);
    if (isImported || holdsStray(turn, slot, owner)) slots.importing.set(slot, claimant.id);
    changed = true;
  });
  // What it has and does not claim. A packet overtaken by a newer one says nothing of the present.
  if (configEpoch >= claimant.configEpoch && claimant.slotCount > claimedCount) {
    forEachSlot(claimant.slots, (slot) => {
      if (!hasSlot(claimed, slot)) slots.disown(slot);
    });
  }
  if (changed) {
    // Others' slots can be learned again after a crash; that ours are lost must not be forgotten.
    if (lostCount > 0) turn.saveBriefly();
    else turn.saveSoon();
    turn.noteTopology();
  }
  const losesLast = lostCount > 0 && mySeat !== undefined && mySeat.slotCount === 0;
  const isReplaced = losesLast && (isHeir || claimedCount === lostCount);
  const isUpToDate = state.current && !isReplaced;
  const kept = withKeys.filter((slot) => isUpToDate || keepsKeys(turn, slot));
  const mustStay = kept.length > 0 || (isUpToDate && holdsImported(turn));
  if (losesLast && !mustStay && (state.options.allowReplicaMigration || claimedCount === lostCount)) {
    turn.log("notice", "Configuration change detected. Reconfiguring myself as a replica of " + claimant.id);
    return becomeReplicaOf(turn, claimant);
  }
  if (isMaster(myself)) settleLost(turn, claimant, withKeys, new Set(kept));
}

/**
 * A slot being imported is settled by SETSLOT NODE alone, and only its source may be replaced meanwhile: by a replica that
 * took it over, which claims all the source had, or by any claimant once the source let go of it. redis-server 7.0
 * takes no claim at all, and so finds the slot without a living owner, and the cluster down, until it is fixed.
 */
function replacesSource({ state }: Turn, slot: number, claimed: SlotBitmap): boolean {
  const owner = state.slots.owner(slot);
  if (owner === undefined) return true;
  return owner.id === state.slots.importing.get(slot) && isSubset(owner.slots, claimed);
}

/** Keys are here of a slot that was nobody's: they stay in sight, as they do at a restart. */
function holdsStray({ state, keyspace }: Turn, slot: number, owner: ClusterNode | undefined): boolean {
  return owner === undefined && isMaster(state.myself) && !state.solo && keyspace.countKeysInSlot(slot) > 0;
}

/** Whether keys are here that a replica, which holds its master's alone, would lose. */
export function holdsImported({ state, keyspace }: Turn): boolean {
  for (const slot of state.slots.importing.keys()) if (keyspace.countKeysInSlot(slot) > 0) return true;
  return false;
}

/**
 * Slots that went to another and hold keys here. A node that is up to date may have the only copy: a move was closed
 * before its last key had left, or two moves met. Its keys stay, in slots that are open as importing, where redis-server
 * deletes them. One that was away is the one whose keys are out of date: they are deleted, after a moment.
 */
function settleLost(
  turn: Turn,
  claimant: ClusterNode,
  withKeys: readonly number[],
  kept: ReadonlySet<number>,
): void {
  for (const slot of kept) turn.state.slots.importing.set(slot, claimant.id);
  if (withKeys.length > 0) turn.do({ type: "disownSlotKeys", slots: withKeys });
  noteLost(
    turn,
    withKeys.filter((slot) => !kept.has(slot)),
  );
}

/** A sender that claims a slot with an epoch that lost is told of one owner that won. */
function correct(turn: Turn, sender: ClusterNode, header: Header): void {
  const { state } = turn;
  if (sender.link === undefined || !sender.linkUp) return;
  const { link } = sender;
  forEachSlot(header.slots, (slot) => {
    const owner = state.slots.owner(slot);
    if (owner === undefined || owner === sender || owner.configEpoch <= header.configEpoch) return true;
    if (state.slots.isDisowned(slot)) return true;
    sendUpdate(turn, link, owner);
    return false;
  });
}

function sendUpdate(turn: Turn, link: number, owner: ClusterNode): void {
  turn.log("verbose", `Sending UPDATE about ${owner.id}: its slots are claimed with an older epoch`);
  const { id, configEpoch } = owner;
  turn.send(link, { type: "update", node: id, configEpoch, slots: owner.slots.slice() });
}

/** Somebody tells us of an owner we are not up to date with. */
export function hearUpdate(turn: Turn, body: Extract<BusMessage["body"], { type: "update" }>): void {
  const { state } = turn;
  const node = state.nodes.get(body.node);
  if (node === undefined || node === state.myself || node.configEpoch >= body.configEpoch) return;
  const isHeir = state.masterOf(node) === state.myself;
  if (state.turnIntoMaster(node)) turn.noteTopology();
  node.configEpoch = body.configEpoch;
  turn.saveSoon();
  takeClaim(turn, node, body.configEpoch, body.slots, isHeir);
}

/**
 * Two masters with one configEpoch: the one with the smaller id moves to a fresh epoch. No vote is needed, for
 * neither claims what the other has; and both orders of the same meeting come to the same end.
 */
function settleCollision(turn: Turn, sender: ClusterNode, senderEpoch: number): void {
  const { state } = turn;
  const { myself } = state;
  if (!isMaster(myself) || senderEpoch !== myself.configEpoch || sender.id <= myself.id) return;
  // Settled at a later heartbeat, then.
  if (state.saveFault !== undefined || !hasNextEpoch(state.currentEpoch)) return;
  turn.promise();
  state.currentEpoch++;
  myself.configEpoch = state.currentEpoch;
  turn.notes.announce = true;
  turn.log(
    "verbose",
    `configEpoch collision with node ${sender.id}. Updating my configEpoch to ${state.currentEpoch}`,
  );
}

/** A PING that comes from elsewhere than where we reach the node: it moved. */
export function updateAddress(turn: Turn, sender: ClusterNode, link: Link, header: Header): boolean {
  if (link.id === sender.link) return false;
  const address = senderAddress(link, header);
  if (sender.ip === address.ip && sender.port === address.port && sender.busPort === address.busPort)
    return false;
  if (address.ip === "") return false;
  turn.dropLink(sender);
  setAddress(sender, address);
  dropFlags(sender, FLAG_NOADDR);
  turn.log("notice", `Address updated for node ${sender.id}, now ${address.ip}:${address.port}`);
  turn.saveSoon();
  turn.noteTopology();
  turn.openLink(sender);
  if (turn.state.masterOf(turn.state.myself) === sender) followMaster(turn);
  return true;
}
