// A machine that is told anything at all: messages that are well formed but mad, events out of order, requests at the
// wrong time. It must not throw, and must stay consistent with itself.
import { expect, test } from "bun:test";
import type { ClusterEvent } from "../../../src/cluster/events.ts";
import type { Body, GossipEntry, Header } from "../../../src/cluster/message.ts";
import { formatNodesConf, parseNodesConf } from "../../../src/cluster/nodes-conf.ts";
import type { ClusterRequest } from "../../../src/cluster/request.ts";
import { pickSeed, Random } from "../../support/random.ts";
import { A, B, C, D, OneNode, THREE_MASTERS } from "./one-node.ts";

const RUNS = 40;
const EVENTS = 400;
const IDS = [A, B, C, D, "e".repeat(40), "f".repeat(40), "0".repeat(40)];

function slots(random: Random): Uint8Array {
  const bitmap = new Uint8Array(2048);
  const from = random.below(2048);
  return bitmap.fill(random.pick([0, 1, 255, 0xaa]), from, from + random.below(2048));
}

function header(random: Random): Header {
  return {
    sender: random.pick(IDS),
    master: random.chance(0.4) ? random.pick(IDS) : null,
    slots: slots(random),
    currentEpoch: random.below(12),
    configEpoch: random.below(12),
    offset: random.below(1000),
    ip: random.pick(["", "10.0.0.2", "10.0.0.9"]),
    port: random.pick([0, 7001, 7002, 65_535]),
    otherPort: 0,
    busPort: random.pick([0, 17_001, 17_002]),
    flags: random.below(1024),
    clusterOk: random.chance(0.5),
    paused: random.chance(0.3),
    forceAck: random.chance(0.5),
  };
}

function gossip(random: Random): GossipEntry[] {
  return Array.from({ length: random.below(5) }, () => ({
    id: random.pick(IDS),
    pingSentAtSec: random.below(2 ** 31),
    pongReceivedAtSec: random.below(2 ** 31),
    ip: random.pick(["", "10.0.0.3", "::1"]),
    port: random.below(65_536),
    otherPort: 0,
    busPort: random.below(65_536),
    flags: random.below(1024),
  }));
}

function body(random: Random): Body {
  const channel = new Uint8Array(3);
  return random.weighted<Body>([
    [
      6,
      () => ({
        type: random.pick(["ping", "pong", "meet"] as const),
        gossip: gossip(random),
        extensions: {},
      }),
    ],
    [1, () => ({ type: "fail", node: random.pick(IDS) })],
    [2, () => ({ type: random.pick(["authRequest", "authAck", "mfStart"] as const) })],
    [
      2,
      () => ({ type: "update", node: random.pick(IDS), configEpoch: random.below(14), slots: slots(random) }),
    ],
    [1, () => ({ type: "publish", channel, payload: channel })],
    [1, () => ({ type: "unknown", code: 99 })],
  ]);
}

function event(random: Random, links: readonly number[]): ClusterEvent {
  const link = random.pick([...links, random.between(-5, 40)]);
  return random.weighted<ClusterEvent>([
    [10, () => ({ type: "received", link, message: { header: header(random), body: body(random) } })],
    [3, () => ({ type: "linked", link, localIp: "10.0.0.1", remoteIp: "10.0.0.2" })],
    [2, () => ({ type: "accepted", link: -1 - random.below(20), localIp: "10.0.0.1", remoteIp: "10.0.0.5" })],
    [1, () => ({ type: "unlinked", link })],
    [1, () => ({ type: "malformed", link, reason: "made up" })],
    [2, () => ({ type: "heard", link })],
    [4, () => ({ type: "tick" })],
    [1, () => ({ type: "loaded" })],
    [1, () => ({ type: "saveFailed", reason: "no room", ofStep: false })],
    [3, () => ({ type: "saved" })],
    [1, () => ({ type: "replication", facts: facts(random) })],
  ]);
}

function facts(random: Random): Extract<ClusterEvent, { type: "replication" }>["facts"] {
  return {
    offset: random.below(1000),
    masterLinkUp: random.chance(0.5),
    masterLastSeenAtMs: random.below(2 ** 40),
    writesPaused: random.chance(0.5),
  };
}

function request(random: Random): ClusterRequest {
  const start = random.below(16_384);
  const node = random.pick(IDS);
  return random.weighted<ClusterRequest>([
    [1, () => ({ type: "meet", ip: "10.0.0.8", port: 7008, busPort: 17_008 })],
    [2, () => ({ type: random.pick(["forget", "replicate"] as const), node })],
    [1, () => ({ type: "reset", hard: random.chance(0.5) })],
    [2, () => ({ type: random.pick(["addSlots", "delSlots"] as const), ranges: [{ start, end: start }] })],
    [2, () => ({ type: random.pick(["flushSlots", "bumpEpoch", "saveConfig"] as const) })],
    [1, () => ({ type: "setConfigEpoch", epoch: random.below(9) })],
    [
      3,
      () => ({
        type: "setSlot",
        slot: start,
        to: random.pick(["importing", "migrating", "node"] as const),
        node,
      }),
    ],
    [1, () => ({ type: "setSlot", slot: start, to: "stable" })],
    [3, () => ({ type: "failover", how: random.pick(["normal", "force", "takeover"] as const) })],
  ]);
}

function check(node: OneNode): void {
  const { state } = node.machine;
  let owned = 0;
  for (const [id, seen] of state.nodes) {
    expect(seen.id).toBe(id);
    owned += seen.slotCount;
    expect(seen.slots.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0)).toBe(
      seen.slotCount,
    );
    if (seen.link !== undefined) expect(state.links.get(seen.link)?.node).toBe(seen);
  }
  expect(owned).toBe(state.slots.assigned);
  for (let slot = 0; slot < 16_384; slot += 97)
    expect(state.slots.owner(slot) === undefined || state.nodes.has(state.slots.owner(slot)!.id)).toBe(true);
  expect(state.nodes.get(state.myself.id)).toBe(state.myself);
  expect(state.myself.configEpoch).toBeLessThanOrEqual(state.currentEpoch);
  expect(state.lastVoteEpoch).toBeLessThanOrEqual(state.currentEpoch);
  parseNodesConf(formatNodesConf(state));
}

const first = pickSeed();

test.each(Array.from({ length: RUNS }, (_, i) => first + i))("seed %d", (seed) => {
  const random = new Random(seed);
  const node = new OneNode(random.chance(0.7) ? THREE_MASTERS : "", { nodeTimeoutMs: 1000 });
  const links = new Set<number>();
  for (let n = 0; n < EVENTS; n++) {
    node.nowMs += random.pick([0, 1, 10, 100, 700, -5000, 50_000]);
    if (random.chance(0.05)) node.keys.set(random.below(16_384), 1);
    if (random.chance(0.1)) node.ask(request(random));
    else node.effects.push(...node.machine.step(event(random, [...links]), node.nowMs));
    const [save] = node.effects;
    if (save?.type === "persist" && save.sync && random.chance(0.3))
      node.effects = [
        ...node.machine.step({ type: "saveFailed", reason: "no room", ofStep: true }, node.nowMs),
      ];
    for (const effect of node.effects.splice(0)) {
      if (effect.type === "connect") links.add(effect.link);
      if (effect.type === "deleteSlotKeys") for (const slot of effect.slots) node.keys.delete(slot);
      if (effect.type === "emptyKeyspace") node.keys.clear();
    }
    if (n % 10 === 0) check(node);
  }
  check(node);
});
