// Packets of the cluster bus as real servers send them (bus-recording.txt), and what chance or malice makes of them.
import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import type { Random } from "./random.ts";

const TYPE_AT = 12;
const COUNT_AT = 14;
const DATA_AT = 2256;
const GOSSIP_BYTES = 104;

/** What redis-server 7.0.15 sent, packets of every type. */
export function recordedPackets(): readonly Buffer[] {
  const text = readFileSync(new URL("bus-recording.txt", import.meta.url), "utf8");
  const lines = text.split("\n").filter(Boolean);
  return lines.map((line) => inflateRawSync(Buffer.from(line.split(" ")[1]!, "base64")));
}

/** Fields of the header by place and size; those of gossip entries follow in `gossipField`. */
const FIELDS = [
  [0, 4], [4, 4], [8, 2], [10, 2], [12, 2], [14, 2], [16, 8], [24, 8], [32, 8], [2214, 2], [2246, 2], [2248, 2], [2250, 2],
  [2252, 1], [2253, 1],
] as const; // prettier-ignore
const TEXTS = [[40, 40], [2128, 40], [2168, 46]] as const; // prettier-ignore
const WORDS = [
  "10.0.0.1,x",
  "1 2",
  "a\nvars currentEpoch 9 lastVoteEpoch 9",
  "@",
  "\xff\xfe",
  "fe80::1%eth0",
  "x".repeat(46),
  "",
];

/** What a packet says, changed in one place. */
export function mutate(random: Random, packets: readonly Buffer[]): Buffer {
  const packet = Buffer.from(random.pick(packets));
  const gossipCount = packet.readUInt16BE(TYPE_AT) <= 2 ? packet.readUInt16BE(COUNT_AT) : 0;
  return random.weighted<Buffer>([
    [3, () => flipBits(random, packet)],
    [3, () => setField(random, packet, random.pick(FIELDS))],
    [2, () => setText(random, packet, random.pick(TEXTS))],
    [3, () => (gossipCount === 0 ? packet : changeGossip(random, packet, gossipCount))],
    [1, () => packet.subarray(0, random.below(packet.length))],
    [1, () => Buffer.concat([packet, random.bytes(random.below(200))])],
    [1, () => Buffer.concat([packet, random.pick(packets)])],
    [1, () => truthful(Buffer.concat([packet, random.bytes(random.below(300))]))],
    [1, () => truthful(Buffer.from(packet.subarray(0, random.between(16, packet.length))))],
    [1, () => spliced(random, packet, random.pick(packets))],
    [1, () => addExtension(random, packet)],
    [1, () => random.bytes(random.below(3000))],
    [1, () => packet],
  ]);
}

/** The same with its true length in its header. */
function truthful(packet: Buffer): Buffer {
  if (packet.length >= 8) packet.writeUInt32BE(packet.length, 4);
  return packet;
}

function flipBits(random: Random, packet: Buffer): Buffer {
  for (let n = random.between(1, 12); n > 0; n--) {
    // Most of a packet is the bitmap of slots; what stands around it is worth more tries.
    const at = random.chance(0.5)
      ? random.below(packet.length)
      : random.pick([random.below(80), 2128 + random.below(128)]);
    packet[at % packet.length]! ^= 1 << random.below(8);
  }
  return packet;
}

type Field = readonly [at: number, size: number];

function setField(random: Random, packet: Buffer, [at, size]: Field): Buffer {
  const values = [
    0n,
    1n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n + 4n,
    2n ** 48n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  ];
  const value = random.chance(0.7) ? random.pick(values) : BigInt(random.below(70_000));
  for (let i = 0; i < size; i++) packet[at + i] = Number((value >> BigInt(8 * (size - 1 - i))) & 255n);
  return packet;
}

function setText(random: Random, packet: Buffer, [at, size]: Field): Buffer {
  packet.fill(0, at, at + size);
  packet.write(
    random.pick([...WORDS, "g".repeat(40), "A".repeat(40), "0".repeat(40)]).slice(0, size),
    at,
    "latin1",
  );
  return packet;
}

function changeGossip(random: Random, packet: Buffer, count: number): Buffer {
  const entry = DATA_AT + random.below(count) * GOSSIP_BYTES;
  if (random.chance(0.4)) return setText(random, packet, [entry + 48, 46]);
  if (random.chance(0.4)) {
    // Of a node nobody knows.
    packet.write(random.bytes(20).toString("hex"), entry, "latin1");
    return random.chance(0.5) ? packet : setText(random, packet, [entry + 48, 46]);
  }
  const field = random.pick([[40, 4], [44, 4], [94, 2], [96, 2], [98, 2], [100, 2]] as const); // prettier-ignore
  return setField(random, packet, [entry + field[0], field[1]]);
}

function spliced(random: Random, packet: Buffer, other: Buffer): Buffer {
  const from = random.below(Math.min(packet.length, other.length));
  other.copy(packet, from, from, from + random.below(400));
  return packet;
}

/** One more extension, of any type and length, right or wrong. */
function addExtension(random: Random, packet: Buffer): Buffer {
  const content = Buffer.from(random.pick([...WORDS, "h".repeat(300)]), "latin1");
  const extension = Buffer.alloc(8 + ((content.length + 8) & ~7));
  extension.writeUInt32BE(random.chance(0.8) ? extension.length : random.below(500), 0);
  extension.writeUInt16BE(random.pick([0, 0, 0, 1, 2, 3, 999]), 4);
  content.copy(extension, 8);
  packet.writeUInt16BE((packet.readUInt16BE(2214) + 1) & 0xffff, 2214);
  packet[2253]! |= 4;
  return truthful(Buffer.concat([packet, extension]));
}
