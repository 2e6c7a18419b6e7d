// What packets may say, and what is refused although it is well formed; and how long strangers may hold a connection.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { encodeMessage } from "../../../src/cluster/codec-binary.ts";
import { FrameDecoder, STRANGERS_FRAME_LIMIT } from "../../../src/cluster/frames.ts";
import type { Body, BusMessage, GossipEntry, Header } from "../../../src/cluster/message.ts";
import { formatNodesConf, parseNodesConf } from "../../../src/cluster/nodes-conf.ts";
import { emptyBitmap } from "../../../src/cluster/slot-bitmap.ts";
import { B, OneNode, THREE_MASTERS } from "./one-node.ts";
import { feed } from "../../support/frames.ts";

// Thousands of nodes take their time on a busy machine.
setDefaultTimeout(30_000);

const STRANGER = "1".repeat(40);

const HEADER: Header = {
  sender: B,
  master: null,
  slots: emptyBitmap(),
  currentEpoch: 3,
  configEpoch: 2,
  offset: 0,
  ip: "",
  port: 7002,
  otherPort: 0,
  busPort: 17_002,
  flags: 1,
  clusterOk: true,
  paused: false,
  forceAck: false,
};

const ENTRY: GossipEntry = {
  id: STRANGER,
  pingSentAtSec: 0,
  pongReceivedAtSec: 0,
  ip: "10.0.0.9",
  port: 7009,
  otherPort: 0,
  busPort: 17_009,
  flags: 1,
};

const ping = (gossip: readonly GossipEntry[] = [], hostname?: string): Body => ({
  type: "ping",
  gossip,
  extensions: hostname === undefined ? {} : { hostname },
});

/** Tells a node of three masters something on a link of B's making; it goes through the codec. */
function hear(node: OneNode, header: Partial<Header>, body: Body): void {
  node.machine.step({ type: "accepted", link: -1, localIp: "10.0.0.1", remoteIp: "10.0.0.2" }, node.nowMs);
  const { messages } = feed(new FrameDecoder(), encodeMessage({ header: { ...HEADER, ...header }, body }));
  const [message] = messages as [BusMessage];
  node.effects.push(...node.machine.step({ type: "received", link: -1, message }, node.nowMs));
}

describe("a packet is refused whose", () => {
  test.each<[string, Partial<Header>, Body]>([
    ["current epoch is far beyond ours", { currentEpoch: Number.MAX_SAFE_INTEGER }, ping()],
    ["current epoch is 2^32 + 4 when ours is 3", { currentEpoch: 2 ** 32 + 4 }, ping()],
    ["config epoch is far beyond ours", { configEpoch: 2 ** 48 }, ping()],
    ["news of another is", {}, { type: "update", node: B, configEpoch: 2 ** 50, slots: emptyBitmap() }],
    ["address has a comma", { ip: "10.0.0.2,x" }, ping()],
    ["address has a blank", { ip: "10.0.0.2 x" }, ping()],
    ["address has an end of line", { ip: "x\nvars" }, ping()],
    ["address has a byte beyond ASCII", { ip: "10.0.0.\xff" }, ping()],
    ["address has a second port", { ip: "10.0.0.2:1@2" }, ping()],
    ["port is 0", { port: 0 }, ping()],
    ["bus port is 0", { busPort: 0 }, ping()],
    ["host name has a comma", {}, ping([], "a,b")],
    ["host name has an equals sign", {}, ping([], "shard-id=1")],
  ])("%s", (_, header, body) => {
    const node = new OneNode(THREE_MASTERS);
    const before = formatNodesConf(node.state);
    hear(node, header, body);
    expect(formatNodesConf(node.state)).toBe(before);
    expect(node.state.malformed).toBe(1);
    expect(node.take("disconnect")).toEqual([{ type: "disconnect", link: -1 }]);
    expect(node.cluster("bumpepoch")).toBe("BUMPED 4");
    expect(parseNodesConf(formatNodesConf(node.state)).currentEpoch).toBe(4);
  });
});

test("an epoch ahead of ours by less is taken over", () => {
  const node = new OneNode(THREE_MASTERS);
  hear(node, { currentEpoch: 2 ** 32 }, ping());
  expect(node.state.currentEpoch).toBe(2 ** 32);
});

test("hearsay of a node that says where it is in no way it can be kept is passed over, the rest is heard", () => {
  const node = new OneNode(THREE_MASTERS);
  const ids = ["2", "3", "4", "5", "6"].map((digit) => digit.repeat(40));
  const bad = [
    { ...ENTRY, id: ids[0]!, ip: "10.0.0.9,x" },
    { ...ENTRY, id: ids[1]!, ip: "10.0.0.9 x" },
    { ...ENTRY, id: ids[2]!, busPort: 0 },
    { ...ENTRY, id: ids[4]!, port: 0 },
    { ...ENTRY, id: ids[3]!, ip: "" },
  ];
  hear(node, {}, ping([...bad, ENTRY]));
  expect(node.state.malformed).toBe(0);
  expect(ids.filter((id) => node.state.nodes.has(id))).toEqual([]);
  expect(node.state.nodes.get(STRANGER)?.ip).toBe("10.0.0.9");
});

test("the last epoch there is stays the last", () => {
  const last = Number.MAX_SAFE_INTEGER;
  const node = new OneNode(THREE_MASTERS.replace("currentEpoch 3", `currentEpoch ${last}`));
  expect(node.cluster("bumpepoch")).toBe("STILL 1");
  hear(node, { currentEpoch: last, configEpoch: 1 }, ping()); // the same config epoch as ours
  expect(node.state.currentEpoch).toBe(last);
  expect(parseNodesConf(formatNodesConf(node.state)).currentEpoch).toBe(last);
});

test("SET-CONFIG-EPOCH takes no epoch that peers would refuse", () => {
  for (const epoch of ["4294967297", "9007199254740991", "9223372036854775807"])
    expect(new OneNode().cluster(`set-config-epoch ${epoch}`)).toBe(
      `-ERR Invalid config epoch specified: ${epoch}`,
    );
  expect(new OneNode().cluster("set-config-epoch 4294967296")).toBe("OK");
});

test("peers and strangers cannot make it know more nodes than there is room for", () => {
  const node = new OneNode(THREE_MASTERS);
  for (let from = 0; from < 6000; from += 1000) {
    const gossip = Array.from({ length: 1000 }, (_, i) => ({
      ...ENTRY,
      id: (from + i).toString(16).padStart(40, "0"),
    }));
    hear(node, {}, ping(gossip));
  }
  expect(node.state.nodes.size).toBe(4096);
  expect(node.cluster("meet 10.0.0.8 7008")).toBe("-ERR Too many nodes are known already");
});

test("a connection nobody known speaks on is closed after a while; one of a peer stays", () => {
  const node = new OneNode(THREE_MASTERS, { nodeTimeoutMs: 15_000 });
  hear(node, {}, ping()); // on -1, from B
  for (const link of [-2, -3])
    node.machine.step({ type: "accepted", link, localIp: "10.0.0.1", remoteIp: "10.0.0.5" }, node.nowMs);
  const [message] = feed(
    new FrameDecoder(),
    encodeMessage({ header: { ...HEADER, sender: STRANGER }, body: ping() }),
  ).messages as [BusMessage];
  node.wait(20_000);
  node.machine.step({ type: "heard", link: -2 }, node.nowMs); // bytes are no message
  node.machine.step({ type: "received", link: -3, message }, node.nowMs);
  const closed = (): number[] => node.take("disconnect").flatMap(({ link }) => (link < 0 ? [link] : []));
  expect(closed()).toEqual([]);
  node.wait(11_000);
  expect(closed()).toEqual([-2]);
  node.wait(20_000);
  expect(closed()).toEqual([-3]);
  expect(node.state.links.has(-1)).toBe(true);
});

describe("a frame is refused before it has come", () => {
  const begun = (type: number, length: number, count = 0): Buffer => {
    const bytes = Buffer.alloc(16);
    bytes.write("RCmb");
    bytes.writeUInt32BE(length, 4);
    bytes.writeUInt16BE(1, 8);
    bytes.writeUInt16BE(type, 12);
    bytes.writeUInt16BE(count, 14);
    return bytes;
  };
  test.each([
    ["a stranger's publication of 2 MB", begun(4, 2 << 20), STRANGERS_FRAME_LIMIT],
    ["anything of 4 GB", begun(4, 0xffffffff), undefined],
    ["a PING of 100 MB with three entries", begun(0, 100 << 20, 3), undefined],
    ["a FAIL of 3000 bytes", begun(3, 3000), undefined],
    ["an UPDATE of 5000 bytes", begun(7, 5000), undefined],
    ["a request for votes with a tail", begun(5, 2257), undefined],
    ["a type nobody knows, of 100 MB", begun(77, 100 << 20), undefined],
  ])("%s", (_, bytes, limit) => {
    const decoder = new FrameDecoder();
    decoder.frameLimit = limit ?? decoder.frameLimit;
    expect(feed(decoder, bytes).malformed).toBeString();
    expect(decoder.pendingBytes).toBe(0);
  });

  test("but a peer's publication of 100 MB is awaited", () => {
    const decoder = new FrameDecoder();
    expect(feed(decoder, begun(4, 100 << 20))).toEqual({ messages: [] });
    expect(decoder.pendingBytes).toBe(16);
  });
});
