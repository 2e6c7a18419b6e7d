// Heartbeats: what a PING, PONG or MEET tells of other nodes, and what is learned from one.
//
// Besides Redis's gossip (a few random nodes per packet, everybody under suspicion always) there is *news*: a node
// somebody has just come to know. Whoever met it in person tells all at once; whoever heard of it passes it on to a
// few at the next tick, so that chains of introductions close too. Each peer is told of each node at most once by
// each other, so what is sent is bounded by what changed.
import {
  FLAG_FAIL,
  FLAG_MASTER,
  FLAG_MEET,
  FLAG_NOADDR,
  FLAG_PFAIL,
  FLAG_REPLICA,
  type Extensions,
  type GossipEntry,
  type Header,
} from "./message.ts";
import { isAddress } from "./door.ts";
import { addFailureReport, countFailureReports, dropFailureReport, failIfAgreed } from "./failure.ts";
import {
  dropFlags,
  hasNoAddress,
  isInHandshake,
  isMaster,
  isSuspected,
  isSuspectedOrFailed,
  setAddress,
  type ClusterNode,
} from "./node.ts";
import type { Link } from "./state.ts";
import type { Turn } from "./turn.ts";

/** How many peers one who merely heard of a node tells. */
const RUMOUR_FANOUT = 8;
/** Gossip entries a newcomer gets in one packet. */
const WELCOME_ENTRIES = 64;
/** For how long a node counts as a newcomer. */
const NEWCOMER_MS = 2000;
/** A gossiped time may be this far ahead of our clock. */
const CLOCK_SLACK_MS = 500;

// --- Speaking -------------------------------------------------------------------------------------------------

/**
 * Sends a heartbeat.
 * @param to the node the link leads to, when it is known; it is told its news
 */
export function sendHeartbeat(
  turn: Turn,
  link: Link,
  type: "ping" | "pong" | "meet",
  to: ClusterNode | undefined,
): void {
  const told = to === undefined || isInHandshake(to) ? undefined : to;
  const isNewcomer = told === undefined || turn.nowMs - told.createdAtMs < NEWCOMER_MS;
  const gossip = selectGossip(turn, told, isNewcomer ? WELCOME_ENTRIES : 0);
  const { hostname } = turn.state.options;
  const extensions: Extensions = hostname === "" ? {} : { hostname };
  if (type === "ping" && !link.inbound && link.node !== undefined) link.node.pingSentAtMs = turn.nowMs;
  turn.send(link.id, { type, gossip, extensions });
}

function selectGossip(turn: Turn, to: ClusterNode | undefined, atLeast: number): GossipEntry[] {
  const { state } = turn;
  const chosen = new Set<ClusterNode>();
  if (to !== undefined) {
    for (const id of to.untold) {
      const node = state.nodes.get(id);
      if (node !== undefined && node !== to && isWorthTelling(node)) chosen.add(node);
    }
    to.untold.clear();
  }
  const all = [...state.nodes.values()];
  const spare = all.length - 2;
  const wanted = chosen.size + Math.min(spare, Math.max(3, Math.floor(all.length / 10), atLeast));
  const start = Math.floor(state.random() * all.length);
  // A newcomer gets a whole round; otherwise random picks, so that nobody is favoured for standing beside another.
  for (let i = 0; i < (atLeast > 0 ? all.length : wanted * 3) && chosen.size < wanted; i++) {
    const index = atLeast > 0 ? (start + i) % all.length : Math.floor(state.random() * all.length);
    const node = all[index];
    if (node === undefined || node === to || node === state.myself || !isWorthTelling(node)) continue;
    if (isSuspected(node) || (!node.linkUp && node.slotCount === 0 && atLeast === 0)) continue;
    chosen.add(node);
  }
  for (const node of all) if (isSuspected(node) && isWorthTelling(node)) chosen.add(node);
  return [...chosen].map(toEntry);
}

function isWorthTelling(node: ClusterNode): boolean {
  return !isInHandshake(node) && !hasNoAddress(node) && node.port !== 0 && node.ip !== "";
}

function toEntry(node: ClusterNode): GossipEntry {
  return {
    id: node.id,
    pingSentAtSec: Math.floor(node.pingSentAtMs / 1000),
    pongReceivedAtSec: Math.floor(node.pongReceivedAtMs / 1000),
    ip: node.ip,
    port: node.port,
    otherPort: node.otherPort,
    busPort: node.busPort,
    flags: node.flags & ~FLAG_MEET,
  };
}

/** Tells nodes how we stand, everybody by default: an unasked PONG on each link. */
export function broadcastPong(turn: Turn, among?: Iterable<ClusterNode>): void {
  for (const node of among ?? turn.state.peers()) {
    const link = node.link === undefined ? undefined : turn.state.links.get(node.link);
    if (link === undefined || !node.linkUp || node === turn.state.myself) continue;
    sendHeartbeat(turn, link, "pong", node);
    turn.allowance--;
  }
}

// --- News -----------------------------------------------------------------------------------------------------

/** We spoke with this node ourselves: everybody hears of it, and it of everybody. */
export function introduce(turn: Turn, newcomer: ClusterNode): void {
  for (const node of turn.state.peers()) {
    if (node === newcomer) continue;
    node.untold.add(newcomer.id);
    newcomer.untold.add(node.id);
  }
  turn.notes.news = true;
}

function passOn(turn: Turn, newcomer: ClusterNode, teller: ClusterNode | undefined): void {
  const others = [...turn.state.peers()].filter((node) => node !== newcomer && node !== teller);
  for (let n = 0; n < RUMOUR_FANOUT && others.length > 0; n++) {
    const [node] = others.splice(Math.floor(turn.state.random() * others.length), 1);
    node?.untold.add(newcomer.id);
  }
}

/** Sends a PONG to linked peers that have news to hear; those beyond the allowance wait for the next tick. */
export function tellNews(turn: Turn): void {
  const eager: ClusterNode[] = [];
  for (const node of turn.state.peers()) {
    if (node.untold.size > 0 && node.linkUp && eager.length < turn.allowance) eager.push(node);
  }
  broadcastPong(turn, eager);
}

// --- Listening ------------------------------------------------------------------------------------------------

/** Takes in what a known node says of others. */
export function hearGossip(turn: Turn, sender: ClusterNode, gossip: readonly GossipEntry[]): void {
  for (const entry of gossip) {
    sender.untold.delete(entry.id);
    const node = turn.state.nodes.get(entry.id);
    if (node === undefined) learnOf(turn, sender, entry);
    else if (node !== turn.state.myself) hearOfKnown(turn, sender, node, entry);
  }
}

function hearOfKnown(turn: Turn, sender: ClusterNode, node: ClusterNode, entry: GossipEntry): void {
  const { nowMs } = turn;
  const saysFailing = (entry.flags & (FLAG_PFAIL | FLAG_FAIL)) !== 0;
  if (isMaster(sender)) {
    if (saysFailing) {
      addFailureReport(turn, node, sender);
      failIfAgreed(turn, node);
    } else dropFailureReport(turn, node, sender);
  }
  // 1. Its last PONG to somebody else spares us a PING, if nobody doubts it and no PING of ours waits.
  if (!saysFailing && node.pingSentAtMs === 0 && countFailureReports(turn, node) === 0) {
    const pongAtMs = entry.pongReceivedAtSec * 1000;
    if (pongAtMs <= nowMs + CLOCK_SLACK_MS && pongAtMs > node.pongReceivedAtMs)
      node.pongReceivedAtMs = pongAtMs;
  }
  // 2. An address is taken from gossip only while we cannot reach the node and the sender can.
  const moved = node.ip !== entry.ip || node.port !== entry.port || node.busPort !== entry.busPort;
  if (
    isSuspectedOrFailed(node) &&
    !saysFailing &&
    (entry.flags & FLAG_NOADDR) === 0 &&
    moved &&
    isReachable(entry)
  ) {
    turn.dropLink(node);
    setAddress(node, entry);
    dropFlags(node, FLAG_NOADDR);
    turn.saveSoon();
    turn.noteTopology();
    turn.openLink(node);
  }
}

/** Whether an entry says where its node is. It may be hearsay of a peer that believes anything. */
function isReachable({ ip, port, busPort }: GossipEntry): boolean {
  return ip !== "" && isAddress(ip) && port !== 0 && busPort !== 0;
}

/** A node we did not know: trusted by its id, because the one who tells is known. */
function learnOf(turn: Turn, sender: ClusterNode, entry: GossipEntry): void {
  const { state, nowMs } = turn;
  if ((entry.flags & FLAG_NOADDR) !== 0 || !isReachable(entry) || !state.hasRoom) return;
  if (state.isBlacklisted(entry.id, nowMs)) return;
  const role = (entry.flags & FLAG_REPLICA) !== 0 ? FLAG_REPLICA : FLAG_MASTER;
  const node = state.addNode(entry.id, role, nowMs);
  setAddress(node, entry);
  passOn(turn, node, sender);
  turn.saveSoon();
  turn.noteTopology();
  turn.openLink(node);
}

/** The name clients may be given instead of the address; absent = it has none any more. */
export function hearExtensions(turn: Turn, sender: ClusterNode, extensions: Extensions): void {
  const hostname = extensions.hostname ?? "";
  if (sender.hostname === hostname) return;
  sender.hostname = hostname;
  turn.saveSoon();
  turn.noteTopology();
}

/** Where a sender is: what it announces, or else where its packet came from. */
export function senderAddress(
  link: Link,
  header: Header,
): {
  ip: string;
  port: number;
  otherPort: number;
  busPort: number;
} {
  return {
    ip: header.ip === "" ? link.remoteIp : header.ip,
    port: header.port,
    otherPort: header.otherPort,
    busPort: header.busPort,
  };
}
