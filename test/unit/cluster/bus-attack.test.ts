// Thousands of packets that chance or malice made of real ones, on links of strangers and of peers. Whatever comes in, the
// machine throws nothing, holds what is bounded, keeps its promises, and its nodes.conf says what it knows.
import { expect, test } from "bun:test";
import { FrameDecoder, STRANGERS_FRAME_LIMIT } from "../../../src/cluster/frames.ts";
import { formatNodesConf, parseNodesConf, type SavedNode } from "../../../src/cluster/nodes-conf.ts";
import { slotRanges } from "../../../src/cluster/slot-bitmap.ts";
import { mutate, recordedPackets } from "../../support/mutate-bus.ts";
import { pickSeed, Random } from "../../support/random.ts";
import { OneNode } from "./one-node.ts";
import { feed } from "../../support/frames.ts";

const RUNS = 20;
const PACKETS = 300;
const packets = recordedPackets();
const SENDER_AT = 40;
const HANDSHAKE = 32;

/** A node that knows the senders of the recording. */
function acquainted(): OneNode {
  const ids = [...new Set(packets.map((packet) => packet.toString("latin1", SENDER_AT, SENDER_AT + 40)))];
  const line = (id: string, i: number): string =>
    `${id} 10.0.0.${i + 2}:${7002 + i}@${17_002 + i} master - 0 0 ${i + 2} connected ${i * 3000}-${i * 3000 + 2999}\n`;
  const self = `${"f".repeat(40)} 10.0.0.1:7001@17001 myself,master - 0 0 1 connected 16000-16383\n`;
  const vars = `vars currentEpoch ${ids.length + 1} lastVoteEpoch 0\n`;
  return new OneNode(self + ids.map(line).join("") + vars, { nodeTimeoutMs: 2000 });
}

/** nodes.conf, read again, says what the state does. */
function expectSaved(node: OneNode): void {
  const { state } = node;
  const saved = parseNodesConf(formatNodesConf(state));
  expect([saved.currentEpoch, saved.lastVoteEpoch]).toEqual([state.currentEpoch, state.lastVoteEpoch]);
  const told = ({ id, ip, port, busPort, hostname, flags, masterId, slots }: SavedNode): unknown[] => [
    id, ip, port, busPort, hostname, flags, masterId, slots,
  ]; // prettier-ignore
  const known = [...state.nodes.values()].filter((seen) => (seen.flags & HANDSHAKE) === 0);
  const expected = known.map((seen) => {
    const flags = seen.flags & ~(128 | 256); // MEET and MIGRATE_TO are not kept
    const masterId = (seen.flags & 2) === 0 ? null : seen.masterId;
    const own = seen === state.myself ? state.options.hostname : seen.hostname;
    return told({
      ...seen,
      hostname: own,
      flags,
      masterId,
      slots: slotRanges(seen.slots),
    } as unknown as SavedNode);
  });
  expect(saved.nodes.map(told)).toEqual(expected);
  for (const seen of saved.nodes) expect([1, 2]).toContain(seen.flags & 3);
}

const first = pickSeed();

test.each(Array.from({ length: RUNS }, (_, i) => first + i))("seed %d", (seed) => {
  const random = new Random(seed);
  const node = acquainted();
  node.linkAll();
  const before = { currentEpoch: node.state.currentEpoch };
  let inbound = 0;
  const decoders = new Map<number, FrameDecoder>();
  for (let n = 0; n < PACKETS; n++) {
    const outbound = [...node.state.links.values()].filter((link) => !link.inbound);
    const link = random.chance(0.5) && outbound.length > 0 ? random.pick(outbound).id : --inbound;
    if (link < 0)
      node.machine.step({ type: "accepted", link, localIp: "10.0.0.1", remoteIp: "10.0.0.77" }, node.nowMs);
    const decoder = decoders.get(link) ?? new FrameDecoder();
    decoder.frameLimit = STRANGERS_FRAME_LIMIT;
    decoders.set(link, decoder);
    const bytes = mutate(random, packets);
    for (let at = 0; at < bytes.length;) {
      const size = random.pick([bytes.length, bytes.length, 1 + random.below(500)]);
      const { messages, malformed } = feed(decoder, bytes.subarray(at, at + size));
      at += size;
      for (const message of messages)
        node.effects.push(...node.machine.step({ type: "received", link, message }, node.nowMs));
      if (malformed === undefined) continue;
      node.effects.push(...node.machine.step({ type: "malformed", link, reason: malformed }, node.nowMs));
      decoders.delete(link);
      break;
    }
    expect(decoder.pendingBytes).toBeLessThan(STRANGERS_FRAME_LIMIT);
    if (random.chance(0.1)) node.wait(100);
    for (const effect of node.effects) if (effect.type === "disconnect") decoders.delete(effect.link);
    node.linkAll();
    if (n % 20 === 0) expectSaved(node);
  }
  expectSaved(node);
  expect(node.state.currentEpoch - before.currentEpoch).toBeLessThan(PACKETS * 2 ** 32);
  expect(node.cluster("bumpepoch")).toMatch(/^(BUMPED|STILL) \d+$/);
  expectSaved(node);
});
