// nodes.conf that cannot be saved: a promise is taken back as if it had never been made, what was learned holds, and
// nothing is promised until it can be saved again.
import { describe, expect, test } from "bun:test";
import type { ClusterEffect } from "../../../src/cluster/events.ts";
import type { Body, BusMessage } from "../../../src/cluster/message.ts";
import { formatNodesConf } from "../../../src/cluster/nodes-conf.ts";
import { addSlot } from "../../../src/cluster/slot-bitmap.ts";
import type { ClusterState } from "../../../src/cluster/state.ts";
import { A, AS_REPLICA, B, C, D, OneNode, THREE_MASTERS } from "./one-node.ts";

const FULL = "No space left on device";

/** All a machine knows, as text. */
function picture(state: Readonly<ClusterState>): string {
  const { replication, links, slots, election, manual, ...rest } = state;
  const nodes = [...state.nodes.values()].map((node) => {
    const { slots: bitmap, reports, untold, ...plainly } = node;
    return [plainly, Buffer.from(bitmap).toString("base64"), [...reports], [...untold]];
  });
  const owners = Array.from({ length: 16_384 }, (_, slot) => slots.owner(slot)?.id.at(0) ?? "-").join("");
  const open = [[...slots.migrating], [...slots.importing], [...state.blacklist], [...state.claimedForKeys]];
  const plain = [rest.currentEpoch, rest.lastVoteEpoch, rest.ok, rest.size, rest.solo, rest.myself.id];
  const all = { nodes, owners, open, plain, election, manual, replication, links: [...links.keys()] };
  return JSON.stringify({ ...all, assigned: slots.assigned });
}

/** What a shell does when the save a step hangs on fails. */
function fail(node: OneNode): readonly ClusterEffect[] {
  expect(node.effects.splice(0)[0]).toMatchObject({ type: "persist", sync: true });
  return node.machine.step({ type: "saveFailed", reason: FULL, ofStep: true }, node.nowMs);
}

const sent = (effects: readonly ClusterEffect[]): Body["type"][] =>
  effects.flatMap((effect) => (effect.type === "send" ? [effect.message.body.type] : []));

/** A node that has links to all, with nothing left to do. */
function settled(text: string): OneNode {
  const node = new OneNode(text, { nodeTimeoutMs: 60_000 });
  node.linkAll();
  for (const seen of node.state.nodes.values()) seen.pingSentAtMs = 0;
  node.wait(2500);
  node.effects.length = 0;
  return node;
}

const STANDINGS = {
  master: THREE_MASTERS,
  replica: AS_REPLICA,
  new: "",
  importing: THREE_MASTERS.replace("0-5460", `0-5460 [6000-<-${B}]`),
  // What it does not own, B does.
  "last slot": THREE_MASTERS.replace("0-5460", "1").replace("5461-10922", "0 2-10922"),
};

describe("a request that cannot be saved changes nothing", () => {
  test.each([
    ["master", "bumpepoch"],
    ["master", "delslots 1 2 3"],
    ["master", "flushslots"],
    ["master", `forget ${C}`],
    ["master", `setslot 1 migrating ${B}`],
    ["master", `setslot 6000 importing ${B}`],
    ["master", `setslot 6000 node ${A}`],
    ["master", `setslot 1 node ${B}`],
    ["importing", "setslot 6000 stable"],
    ["importing", `setslot 6000 node ${A}`],
    ["last slot", `setslot 1 node ${B}`],
    ["master", "reset soft"],
    ["master", "reset hard"],
    ["replica", "failover takeover"],
    ["replica", "failover force"],
    ["replica", "reset hard"],
    ["replica", `replicate ${C}`],
    ["new", "set-config-epoch 7"],
    ["new", "addslotsrange 0 16383"],
  ] as const)("%s: %s", (who, line) => {
    const node = settled(STANDINGS[who]);
    const before = picture(node.state);
    const serves = Buffer.from(node.machine.serveHere).toString("base64");
    node.cluster(line);
    expect(picture(node.state)).not.toBe(before);
    const effects = fail(node);
    expect(picture(node.state)).toBe(before);
    expect(Buffer.from(node.machine.serveHere).toString("base64")).toBe(serves);
    expect(sent(effects)).toEqual([]);
    expect(effects.map(({ type }) => type).toSorted()).toEqual(["log", "persist", "routesChanged"]);

    // While the disk is known to be full it is refused at once; afterwards it is done as ever.
    expect(node.cluster(line)).toBe(`-ERR error saving the cluster node config: ${FULL}`);
    expect(picture(node.state)).toBe(before);
    node.machine.step({ type: "saved" }, node.nowMs);
    expect(node.cluster(line)).not.toStartWith("-");
    expect(picture(node.state)).not.toBe(before);
  });
});

test("MEET and PUBLISH, which save nothing, go on", () => {
  const node = settled(THREE_MASTERS);
  node.cluster("bumpepoch");
  fail(node);
  expect(node.cluster("meet 10.0.0.9 7000")).toBe("OK");
  const nothing = new Uint8Array(0);
  expect(node.ask({ type: "publish", shard: false, channel: nothing, payload: nothing })).toEqual({
    status: "OK",
  });
  expect(sent(node.effects)).toContain("publish");
});

const header = (node: OneNode, sender: string, master: string | null): BusMessage["header"] => {
  const seen = node.state.nodes.get(sender)!;
  const seat = node.state.nodes.get(master ?? sender)!;
  return {
    sender,
    master,
    slots: seat.slots.slice(),
    currentEpoch: node.state.currentEpoch,
    configEpoch: seat.configEpoch,
    offset: 0,
    ip: "",
    port: seen.port,
    otherPort: 0,
    busPort: seen.busPort,
    flags: master === null ? 1 : 2,
    clusterOk: true,
    paused: false,
    forceAck: true,
  };
};

function hear(
  node: OneNode,
  sender: string,
  master: string | null,
  body: Body,
  changes: Partial<BusMessage["header"]> = {},
): void {
  const link = node.state.nodes.get(sender)!.link!;
  const message = { header: { ...header(node, sender, master), ...changes }, body };
  node.effects.push(...node.machine.step({ type: "received", link, message }, node.nowMs));
}

test("a vote that cannot be saved is not given, then or while nothing can be, and given once it can", () => {
  const node = settled(THREE_MASTERS);
  const ask = (): void => hear(node, D, B, { type: "authRequest" }, { currentEpoch: 4 });
  ask();
  expect(node.state.lastVoteEpoch).toBe(4);
  expect(sent(fail(node))).toEqual([]);
  expect(node.state.lastVoteEpoch).toBe(0);
  ask();
  expect(sent(node.effects.splice(0))).toEqual([]);
  expect(node.state.lastVoteEpoch).toBe(0);
  node.machine.step({ type: "saved" }, node.nowMs);
  ask();
  expect(sent(node.effects.splice(0))).toEqual(["authAck"]);
  expect(formatNodesConf(node.state)).toContain("lastVoteEpoch 4");
});

test("an election that cannot be saved is not begun", () => {
  const node = settled(AS_REPLICA);
  const facts = { offset: 1, masterLinkUp: true, masterLastSeenAtMs: node.nowMs, writesPaused: false };
  node.machine.step({ type: "replication", facts }, node.nowMs);
  hear(node, C, null, { type: "fail", node: B });
  node.effects.length = 0;
  const begun = (): boolean => node.take("persist").some(({ sync }) => sync);
  for (let n = 0; n < 30 && !begun(); n++) node.wait(100);
  const failed = node.machine.step({ type: "saveFailed", reason: FULL, ofStep: true }, node.nowMs);
  expect(sent(failed)).not.toContain("authRequest");
  expect(node.state.currentEpoch).toBe(3);
  node.effects.length = 0;
  node.wait(20_000);
  expect(sent(node.effects.splice(0))).not.toContain("authRequest");
  node.machine.step({ type: "saved" }, node.nowMs);
  node.wait(2000);
  expect(sent(node.effects)).toContain("authRequest");
});

test("of two masters with one epoch, the one that cannot save stays where it is", () => {
  const node = settled(THREE_MASTERS);
  const collide = (): void =>
    hear(node, B, null, { type: "ping", gossip: [], extensions: {} }, { configEpoch: 1 });
  collide();
  expect(sent(fail(node))).toEqual(["pong"]); // the answer was given before the promise
  expect(node.state.myself.configEpoch).toBe(1);
  node.machine.step({ type: "saved" }, node.nowMs);
  collide();
  expect(node.state.myself.configEpoch).toBe(4);
});

test("that slots are lost holds whether it is saved or not", () => {
  const node = settled(THREE_MASTERS);
  const slots = node.state.nodes.get(C)!.slots.slice();
  addSlot(slots, 5);
  hear(
    node,
    C,
    null,
    { type: "ping", gossip: [], extensions: {} },
    { configEpoch: 9, currentEpoch: 9, slots },
  );
  expect(sent(fail(node))).toContain("pong");
  expect(node.state.slots.owner(5)?.id).toBe(C);
  expect(node.machine.serveHere[5]).toBe(0);
});

test("the reason is logged once, and that it is over", () => {
  const node = settled(THREE_MASTERS);
  const failed = { type: "saveFailed", reason: FULL, ofStep: false } as const;
  const logged = (event: Parameters<typeof node.machine.step>[0]): string[] =>
    node.machine
      .step(event, node.nowMs)
      .flatMap((effect) => (effect.type === "log" ? [`${effect.level}: ${effect.text}`] : []));
  expect(logged(failed)[0]).toStartWith(`warning: Cannot save the cluster configuration file: ${FULL}`);
  expect(logged(failed)).toEqual([]);
  expect(logged({ type: "saved" })).toEqual(["notice: The cluster configuration file can be saved again."]);
  expect(logged({ type: "saved" })).toEqual([]);
});
