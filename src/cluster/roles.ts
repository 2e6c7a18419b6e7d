// This node's own role: whom it follows, and becoming a master again.
import { endManual } from "./manual-failover.ts";
import { type ClusterNode, isMaster } from "./node.ts";
import type { Turn } from "./turn.ts";

/** Makes this node the replica of a master; slots it held and slots being moved are let go. */
export function becomeReplicaOf(turn: Turn, master: ClusterNode): void {
  const { state } = turn;
  endManual(turn); // a master that yielded has done so
  state.turnIntoReplica(state.myself, master.id);
  state.slots.migrating.clear();
  state.slots.importing.clear();
  state.lostSlots.clear();
  turn.followed = undefined;
  followMaster(turn);
  turn.saveNow();
  turn.noteTopology();
  turn.notes.announce = true;
}

/** Has replication follow our master where it is now, as soon as its address is known. */
export function followMaster(turn: Turn): void {
  const { state } = turn;
  const { myself } = state;
  const master = isMaster(myself) ? undefined : state.masterOf(myself);
  if (master === undefined || master.ip === "" || master.port === 0) return;
  const target = `${master.id} ${master.ip} ${master.port}`;
  if (turn.followed === target) return;
  turn.followed = target;
  turn.do({ type: "replicateFrom", node: master.id, ip: master.ip, port: master.port });
}

/** Makes this node a master: of what slots, the caller knows. */
export function becomeMaster(turn: Turn): void {
  const { state } = turn;
  if (!state.turnIntoMaster(state.myself)) return;
  turn.followed = undefined;
  turn.do({ type: "promote" });
  turn.saveNow();
  turn.noteTopology();
  turn.notes.announce = true;
}

/** When our master became a replica itself, we follow whom it follows: replicas do not chain. */
export function followMastersMaster(turn: Turn): void {
  const { state } = turn;
  const master = isMaster(state.myself) ? undefined : state.masterOf(state.myself);
  if (master === undefined || isMaster(master)) return;
  const grandmaster = state.masterOf(master);
  if (grandmaster === undefined || grandmaster === state.myself || !isMaster(grandmaster)) return;
  turn.log("notice", `My master ${master.id} follows ${grandmaster.id} now, so I do too.`);
  becomeReplicaOf(turn, grandmaster);
}
