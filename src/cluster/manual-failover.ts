// A failover an operator asks for. The master stands still until the replica has all its data, so that nothing is
// lost; then the replica is elected as if the master had failed, with voters told to answer all the same.
import type { Header } from "./message.ts";
import { sendHeartbeat } from "./gossip.ts";
import { isMaster, isReplica, type ClusterNode } from "./node.ts";
import type { ClusterState } from "./state.ts";
import type { Turn } from "./turn.ts";

/** How long the whole of it may take. */
const LIMIT_MS = 5000;
/** The master holds writes for longer than that: until it has heard who its successor is. */
const PAUSE_MS = LIMIT_MS * 2;

export function mayElectManually(state: ClusterState): boolean {
  return state.manual.phase === "ready";
}

/** Replica: begins, with the master's help (`force` = without). */
export function startManual(turn: Turn, force: boolean): void {
  const { state, nowMs } = turn;
  endManual(turn);
  const endAtMs = nowMs + LIMIT_MS;
  if (force) {
    state.manual = { phase: "ready", endAtMs };
    return;
  }
  state.manual = { phase: "waiting", endAtMs };
  const master = state.masterOf(state.myself);
  if (master?.link !== undefined) turn.send(master.link, { type: "mfStart" });
}

/** Master: one of our replicas asks us to stand still. */
export function hearManualStart(turn: Turn, sender: ClusterNode): void {
  const { state, nowMs } = turn;
  if (!isMaster(state.myself) || state.masterOf(sender) !== state.myself) return;
  endManual(turn);
  state.manual = { phase: "yielding", replica: sender.id, endAtMs: nowMs + LIMIT_MS };
  turn.do({ type: "pauseWrites", untilMs: turn.clock.outer(nowMs + PAUSE_MS) });
  turn.log("notice", `Manual failover requested by replica ${sender.id}.`);
}

/** Master: once the shell reports that writes are held, the successor hears our final offset, and again each tick. */
export function pingSuccessor(turn: Turn): void {
  const { state } = turn;
  if (state.manual.phase !== "yielding" || !state.replication.writesPaused) return;
  const node = state.nodes.get(state.manual.replica);
  const link = node?.link === undefined ? undefined : state.links.get(node.link);
  if (node === undefined || link === undefined || !node.linkUp) return;
  const waitingSinceMs = node.pingSentAtMs;
  sendHeartbeat(turn, link, "ping", node);
  if (waitingSinceMs !== 0) node.pingSentAtMs = waitingSinceMs;
}

/** Replica: the master stands still, and its header says at which offset. */
export function hearPaused(turn: Turn, sender: ClusterNode, header: Header): void {
  const { state } = turn;
  const { manual } = state;
  if (manual.phase !== "waiting" || !header.paused || !isReplica(state.myself)) return;
  if (state.masterOf(state.myself) !== sender) return;
  state.manual = { phase: "catchingUp", offset: header.offset, endAtMs: manual.endAtMs };
  turn.log("notice", `Received replication offset for paused master manual failover: ${header.offset}`);
  catchUp(turn);
}

/** Replica: all the master's data is here. */
export function catchUp(turn: Turn): void {
  const { state } = turn;
  const { manual } = state;
  if (manual.phase !== "catchingUp" || state.replication.offset !== manual.offset) return;
  state.manual = { phase: "ready", endAtMs: manual.endAtMs };
  turn.log("notice", "All master replication stream processed, manual failover can start.");
}

export function expireManual(turn: Turn): void {
  const { manual } = turn.state;
  if (manual.phase === "idle" || turn.nowMs <= manual.endAtMs) return;
  turn.log("warning", "Manual failover timed out.");
  endManual(turn);
}

/** However it went: writes the master held go on. */
export function endManual(turn: Turn): void {
  const { state } = turn;
  if (state.manual.phase === "yielding") turn.do({ type: "resumeWrites" });
  state.manual = { phase: "idle" };
}
