// Links of the bus. Two nodes are joined by two TCP connections, each made by the side that sends its PINGs on it.
import { FLAG_MEET } from "./message.ts";
import { isInHandshake, dropFlags, type ClusterNode } from "./node.ts";
import { sendHeartbeat } from "./gossip.ts";
import type { Link } from "./state.ts";
import type { Turn } from "./turn.ts";

/** Our link is up: speak at once. */
export function greet(turn: Turn, id: number, localIp: string): void {
  const { state } = turn;
  const link = state.links.get(id);
  const node = link?.node;
  if (link === undefined || node === undefined || node.link !== id) return;
  const ready: Link = { ...link, localIp };
  state.links.set(id, ready);
  node.linkUp = true;
  const waitingSinceMs = node.pingSentAtMs;
  sendHeartbeat(turn, ready, (node.flags & FLAG_MEET) !== 0 ? "meet" : "ping", node);
  // The PING that was lost with the old link still waits: forgetting it would hide a failure.
  if (waitingSinceMs !== 0) node.pingSentAtMs = waitingSinceMs;
}

/** A link is gone. The next tick makes a new one. */
export function loseLink(turn: Turn, id: number): void {
  const { state } = turn;
  const node = state.links.get(id)?.node;
  state.links.delete(id);
  if (node === undefined) return;
  if (node.link === id) {
    node.link = undefined;
    node.linkUp = false;
    if (isInHandshake(node)) return;
    if (node.pingSentAtMs === 0) node.pingSentAtMs = turn.nowMs;
  }
  if (node.inbound === id) node.inbound = undefined;
}

/** A known node spoke on a link it made: that link is its own from now on, an older one is closed. */
export function claimInbound(turn: Turn, link: Link, sender: ClusterNode): void {
  if (!link.inbound || link.node === sender) return;
  if (link.node !== undefined && link.node.inbound === link.id) link.node.inbound = undefined;
  if (sender.inbound !== undefined && sender.inbound !== link.id) turn.dropInbound(sender);
  // It knows us: there is no need to introduce ourselves any more.
  dropFlags(sender, FLAG_MEET);
  link.node = sender;
  sender.inbound = link.id;
}
