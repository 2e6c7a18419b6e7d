import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeFrame, encodeMessage } from "../../../src/cluster/codec-binary.ts";
import { FrameDecoder } from "../../../src/cluster/frames.ts";
import type { Body, BusMessage, GossipEntry, Header } from "../../../src/cluster/message.ts";
import { emptyBitmap } from "../../../src/cluster/slot-bitmap.ts";
import { feed } from "../../support/frames.ts";

const id = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 40, maxLength: 40 });
const u16 = fc.nat(65_535);
const count = fc.nat(Number.MAX_SAFE_INTEGER);
const ip = fc.oneof(fc.constant(""), fc.ipV4(), fc.ipV6());
const bitmap = fc.uint8Array({ minLength: 2048, maxLength: 2048 });
const bytes = fc.uint8Array({ maxLength: 300 });
const hostname = fc.string({
  unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789-."),
  minLength: 1,
  maxLength: 255,
});

const header: fc.Arbitrary<Header> = fc.record({
  sender: id,
  master: fc.option(id, { nil: null }),
  slots: bitmap,
  currentEpoch: count,
  configEpoch: count,
  offset: count,
  ip,
  port: u16,
  otherPort: u16,
  busPort: u16,
  flags: u16,
  clusterOk: fc.boolean(),
  paused: fc.boolean(),
  forceAck: fc.boolean(),
});

const gossipEntry: fc.Arbitrary<GossipEntry> = fc.record({
  id,
  pingSentAtSec: fc.nat(2 ** 31),
  pongReceivedAtSec: fc.nat(2 ** 31),
  ip,
  port: u16,
  otherPort: u16,
  busPort: u16,
  flags: u16,
});

const body: fc.Arbitrary<Body> = fc.oneof(
  fc.record({
    type: fc.constantFrom("ping" as const, "pong" as const, "meet" as const),
    gossip: fc.array(gossipEntry, { maxLength: 8 }),
    extensions: fc.oneof(fc.constant({}), fc.record({ hostname })),
  }),
  fc.record({ type: fc.constant("fail" as const), node: id }),
  fc.record({
    type: fc.constantFrom("publish" as const, "publishShard" as const),
    channel: bytes,
    payload: bytes,
  }),
  fc.record({ type: fc.constantFrom("authRequest" as const, "authAck" as const, "mfStart" as const) }),
  fc.record({ type: fc.constant("update" as const), node: id, configEpoch: count, slots: bitmap }),
  fc.record({
    type: fc.constant("module" as const),
    moduleId: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    kind: fc.nat(255),
    payload: bytes,
  }),
  fc.record({ type: fc.constant("unknown" as const), code: fc.integer({ min: 11, max: 65_535 }) }),
);

const message: fc.Arbitrary<BusMessage> = fc.record({ header, body });

const HEADER: Header = {
  sender: "a".repeat(40),
  master: null,
  slots: emptyBitmap(),
  currentEpoch: 1,
  configEpoch: 2,
  offset: 3,
  ip: "",
  port: 7000,
  otherPort: 0,
  busPort: 17_000,
  flags: 1,
  clusterOk: true,
  paused: false,
  forceAck: false,
};

const GOSSIP: GossipEntry = {
  id: "b".repeat(40),
  pingSentAtSec: 1,
  pongReceivedAtSec: 2,
  ip: "10.0.0.1",
  port: 7001,
  otherPort: 0,
  busPort: 17_001,
  flags: 1,
};

const encode = (body_: Body): Uint8Array => encodeMessage({ header: HEADER, body: body_ });
const ping = (gossip: readonly GossipEntry[]): Uint8Array => encode({ type: "ping", gossip, extensions: {} });

test("any message comes back as it was", () => {
  fc.assert(
    fc.property(message, (original) => {
      const { messages, malformed } = feed(new FrameDecoder(), encodeMessage(original));
      expect(malformed).toBeUndefined();
      expect(messages).toEqual([original]);
    }),
    { numRuns: 300 },
  );
});

test("messages come out the same however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }),
      (originals, cuts) => {
        const stream = Buffer.concat(originals.map(encodeMessage));
        const decoder = new FrameDecoder();
        const seen: BusMessage[] = [];
        for (let at = 0, n = 0; at < stream.length; n++) {
          const size = cuts[n % cuts.length] ?? 1;
          seen.push(...feed(decoder, stream.subarray(at, at + size)).messages);
          at += size;
        }
        expect(seen).toEqual(originals);
        expect(decoder.pendingBytes).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test("a stream is understood byte by byte", () => {
  const stream = Buffer.concat([ping([GOSSIP]), encode({ type: "fail", node: "c".repeat(40) })]);
  const decoder = new FrameDecoder();
  const types: string[] = [];
  for (const byte of stream) {
    types.push(...feed(decoder, Uint8Array.of(byte)).messages.map((seen) => seen.body.type));
  }
  expect(types).toEqual(["ping", "fail"]);
});

test("random bytes never make the decoder throw, and end the link", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 6000 }), (garbage) => {
      fc.pre(Buffer.from(garbage.subarray(0, 4)).toString("latin1") !== "RCmb");
      const decoder = new FrameDecoder();
      expect(feed(decoder, garbage).malformed).toBeDefined();
      expect(feed(decoder, ping([])).messages).toEqual([]);
    }),
  );
});

test("a valid frame with bytes changed never makes the decoder throw", () => {
  const changes = fc.array(fc.tuple(fc.nat(4500), fc.nat(255)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(message, changes, (original, edits) => {
      const frame = encodeMessage(original);
      for (const [at, value] of edits) if (at < frame.length) frame[at] = value;
      const decoded = decodeFrame(frame);
      expect("malformed" in decoded || decoded.header.sender.length === 40).toBe(true);
    }),
    { numRuns: 500 },
  );
});

describe("sizes are those of Redis 7", () => {
  test.each([
    ["authRequest", encode({ type: "authRequest" }), 2256],
    ["fail", encode({ type: "fail", node: "c".repeat(40) }), 2296],
    ["update", encode({ type: "update", node: "c".repeat(40), configEpoch: 1, slots: emptyBitmap() }), 4352],
    ["ping with three entries", ping([GOSSIP, GOSSIP, GOSSIP]), 2568],
    ["publish", encode({ type: "publish", channel: new Uint8Array(3), payload: new Uint8Array(5) }), 2272],
    ["hostname of 11", encode({ type: "pong", gossip: [], extensions: { hostname: "hello.world" } }), 2280],
  ])("%s", (_, frame, length) => {
    expect(frame.length).toBe(length);
    expect(new DataView(frame.buffer).getUint32(4)).toBe(length);
  });
});

describe("what is refused", () => {
  const changed = (frame: Uint8Array, change: (view: DataView, frame: Uint8Array) => void): Uint8Array => {
    change(new DataView(frame.buffer), frame);
    return frame;
  };
  const TYPE = 12;
  const COUNT = 14;
  const LENGTH = 4;
  test.each<[string, Uint8Array]>([
    ["another signature", changed(ping([]), (view) => view.setUint32(0, 0x52436d63))],
    ["another version", changed(ping([]), (view) => view.setUint16(8, 2))],
    ["a length below the header's", changed(ping([]), (view) => view.setUint32(LENGTH, 100))],
    ["a length beyond the limit", changed(ping([]), (view) => view.setUint32(LENGTH, 0xffffffff))],
    ["more gossip announced than sent", changed(ping([GOSSIP]), (view) => view.setUint16(COUNT, 2))],
    ["less gossip announced than sent", changed(ping([GOSSIP]), (view) => view.setUint16(COUNT, 0))],
    ["a FAIL that names nobody", changed(encode({ type: "fail", node: "" }), () => undefined)],
    ["a FAIL of a PING's length", changed(ping([]), (view) => view.setUint16(TYPE, 3))],
    ["an UPDATE cut short", changed(ping([GOSSIP]), (view) => view.setUint16(TYPE, 7))],
    ["a sender that is no id", changed(ping([]), (_, frame) => frame.fill(0, 40, 80))],
    ["an epoch beyond 2^53", changed(ping([]), (_, frame) => frame.fill(255, 16, 24))],
  ])("%s", (_, frame) => {
    const { messages, malformed } = feed(new FrameDecoder(), frame);
    expect(messages).toEqual([]);
    expect(malformed).toBeString();
  });

  test("an extension whose length leads beyond the frame, or to itself", () => {
    for (const length of [0, 7, 4000]) {
      const frame = encode({ type: "ping", gossip: [], extensions: { hostname: "a" } });
      new DataView(frame.buffer).setUint32(2256, length);
      expect(feed(new FrameDecoder(), frame).malformed).toBeString();
    }
  });
});

test("messages before a fault still count, those behind it do not", () => {
  const stream = Buffer.concat([ping([]), Buffer.from("nonsense".repeat(400)), ping([])]);
  const { messages, malformed } = feed(new FrameDecoder(), stream);
  expect(messages.length).toBe(1);
  expect(malformed).toBe("bad signature");
});

test("extensions of other kinds are stepped over", () => {
  const named = encode({ type: "ping", gossip: [GOSSIP], extensions: { hostname: "host.example" } });
  const extra = new Uint8Array(48);
  const view = new DataView(extra.buffer);
  view.setUint32(0, 48);
  view.setUint16(4, 3); // shard-id
  const gossipEnd = 2256 + 104;
  const frame = Buffer.concat([named.subarray(0, gossipEnd), extra, named.subarray(gossipEnd)]);
  frame.writeUInt32BE(frame.length, 4);
  frame.writeUInt16BE(2, 2214);
  const { messages, malformed } = feed(new FrameDecoder(), frame);
  expect(malformed).toBeUndefined();
  expect(messages[0]?.body).toMatchObject({ extensions: { hostname: "host.example" } });
});
