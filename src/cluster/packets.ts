// What each packet of the bus does. One function a message; the decisions are in the files these call.
import { hearAuthAck, hearAuthRequest } from "./election.ts";
import { hearFail, trustAgain } from "./failure.ts";
import { hearClaims, hearHeader, hearUpdate, updateAddress } from "./claims.ts";
import { hearExtensions, hearGossip, introduce, senderAddress, sendHeartbeat } from "./gossip.ts";
import { claimInbound } from "./links.ts";
import { hearManualStart, hearPaused } from "./manual-failover.ts";
import {
  FLAG_HANDSHAKE,
  FLAG_MASTER,
  FLAG_MEET,
  FLAG_REPLICA,
  type Body,
  type BusMessage,
  type Header,
  type LinkId,
} from "./message.ts";
import { hasNoAddress, isInHandshake, isMaster, setAddress, type ClusterNode } from "./node.ts";
import { endSolo } from "./solo.ts";
import type { Link } from "./state.ts";
import type { Turn } from "./turn.ts";

/** Handshakes under way at a time, beyond which strangers cannot begin another; each is a node and a connection. */
const HANDSHAKES = 128;

type Heartbeat = Extract<Body, { type: "ping" | "pong" | "meet" }>;

export function hearPacket(turn: Turn, linkId: LinkId, message: BusMessage): void {
  const { state } = turn;
  const link = state.links.get(linkId);
  if (link === undefined) return;
  link.heardAtMs = turn.nowMs;
  const { header, body } = message;
  state.received.set(body.type, (state.received.get(body.type) ?? 0) + 1);
  const sender = senderOf(turn, link, header);
  if (sender === state.myself) return hearOurselves(turn, link, body);
  if (sender !== undefined) {
    sender.dataReceivedAtMs = turn.nowMs;
    claimInbound(turn, link, sender);
    hearHeader(turn, sender, header);
    hearPaused(turn, sender, header);
  }
  if (link.node !== undefined) link.node.dataReceivedAtMs = turn.nowMs;
  dispatch(turn, link, sender, header, body);
}

/** Somebody had us meet our own address. */
function hearOurselves(turn: Turn, link: Link, body: Body): void {
  if (body.type === "ping" || body.type === "meet") sendHeartbeat(turn, link, "pong", undefined);
  else if (link.node !== undefined && isInHandshake(link.node)) turn.removeNode(link.node);
}

/** Whom a packet is from, if that node is known. An outbound link's node answers for it until its id says otherwise. */
function senderOf(turn: Turn, link: Link, header: Header): ClusterNode | undefined {
  const node = turn.state.nodes.get(header.sender);
  if (node === undefined || isInHandshake(node)) return undefined;
  if (!link.inbound && link.node !== undefined && !isInHandshake(link.node) && link.node !== node)
    return undefined;
  return node;
}

function dispatch(turn: Turn, link: Link, sender: ClusterNode | undefined, header: Header, body: Body): void {
  switch (body.type) {
    case "ping":
    case "pong":
    case "meet":
      return hearHeartbeat(turn, link, sender, header, body);
    case "unknown":
    case "module": // no modules here: counted, otherwise of no meaning
      return;
    default:
      if (sender !== undefined) hearFromKnown(turn, sender, header, body);
  }
}

type Other = Exclude<Body, Heartbeat | { type: "unknown" | "module" }>;

function hearFromKnown(turn: Turn, sender: ClusterNode, header: Header, body: Other): void {
  switch (body.type) {
    case "fail":
      return hearFail(turn, sender, body.node);
    case "update":
      return hearUpdate(turn, body);
    case "authRequest":
      return hearAuthRequest(turn, sender, header);
    case "authAck":
      return hearAuthAck(turn, sender, header);
    case "mfStart":
      return hearManualStart(turn, sender);
    case "publish":
    case "publishShard": {
      const { channel, payload } = body;
      return turn.do({ type: "deliver", shard: body.type === "publishShard", channel, payload });
    }
    default:
      body satisfies never;
  }
}

function hearHeartbeat(
  turn: Turn,
  link: Link,
  known: ClusterNode | undefined,
  header: Header,
  body: Heartbeat,
): void {
  if (body.type !== "pong") answer(turn, link, known, header, body.type);
  const sender = link.inbound ? known : identify(turn, link, known, header);
  if (sender === undefined) return;
  if (body.type === "ping") updateAddress(turn, sender, link, header);
  if (!link.inbound && body.type === "pong") {
    sender.pongReceivedAtMs = turn.nowMs;
    sender.pingSentAtMs = 0;
    trustAgain(turn, sender);
  }
  hearClaims(turn, sender, header);
  hearGossip(turn, sender, body.gossip);
  hearExtensions(turn, sender, body.extensions);
}

/**
 * A PING or MEET is answered whoever sent it; a MEET from a stranger begins an acquaintance. While too many are begun it
 * is not answered either: its sender will say it again, if it means it.
 */
function answer(
  turn: Turn,
  link: Link,
  sender: ClusterNode | undefined,
  header: Header,
  type: "ping" | "meet",
): void {
  const { state } = turn;
  learnOwnIp(turn, link, type);
  if (sender === undefined && type === "meet" && header.sender !== state.myself.id) {
    if (state.handshakeCount >= HANDSHAKES) return;
    endSolo(turn);
    startHandshake(turn, senderAddress(link, header), 0);
  }
  sendHeartbeat(turn, link, "pong", sender);
}

/** Peers tell us where we are, unless the configuration does: the address their packet was sent to. */
function learnOwnIp(turn: Turn, link: Link, type: "ping" | "meet"): void {
  const { myself, options } = turn.state;
  if (options.announceIp !== "" || link.localIp === "" || myself.ip === link.localIp) return;
  if (type !== "meet" && myself.ip !== "") return;
  myself.ip = link.localIp;
  turn.log("notice", `IP address for this node updated to ${myself.ip}`);
  turn.saveSoon();
  turn.noteTopology();
}

/**
 * CLUSTER MEET: we speak first. One that is under way already is not begun again.
 * @returns false when too many nodes are known
 */
export function introduceOurselves(turn: Turn, ip: string, port: number, busPort: number): boolean {
  return startHandshake(turn, { ip, port, otherPort: 0, busPort }, FLAG_MEET);
}

/**
 * Makes a node known by address only, and links to it.
 * @param marks further flags: MEET when we are the one who introduces itself
 */
function startHandshake(
  turn: Turn,
  address: { ip: string; port: number; otherPort: number; busPort: number },
  marks: number,
): boolean {
  const { state } = turn;
  if (state.handshakeInProgress(address.ip, address.busPort)) return true;
  if (!state.hasRoom) return false;
  const node = state.addNode(state.randomId(), FLAG_HANDSHAKE | marks, turn.nowMs);
  setAddress(node, address);
  turn.openLink(node);
  return true;
}

/**
 * Who answered on a link of ours.
 * 1. A handshake ends: the node gets its id, or turns out to be one we know already.
 * 2. Another id than the node's own: somebody else lives at that address now.
 */
function identify(
  turn: Turn,
  link: Link,
  known: ClusterNode | undefined,
  header: Header,
): ClusterNode | undefined {
  const { state } = turn;
  const { node } = link;
  if (node === undefined) return known;
  if (isInHandshake(node)) {
    if (known !== undefined) {
      updateAddress(turn, known, link, header);
      turn.removeNode(node);
      return undefined;
    }
    const isOfMaster = (header.flags & FLAG_REPLICA) === 0;
    state.endHandshake(node, header.sender, isOfMaster ? FLAG_MASTER : FLAG_REPLICA);
    if (!isMaster(node) && header.master !== null) node.masterId = header.master;
    turn.log("verbose", `Handshake with node ${node.id} completed.`);
    hearHeader(turn, node, header);
    introduce(turn, node);
    turn.saveSoon();
    turn.noteTopology();
    return node;
  }
  if (node.id === header.sender) return node;
  if (!hasNoAddress(node))
    turn.log("debug", `PONG contains mismatching sender ID at ${node.ip}:${node.port}`);
  turn.dropLink(node);
  state.loseAddress(node);
  turn.saveSoon();
  turn.noteTopology();
  return undefined;
}
