// What CLUSTER's reading subcommands tell, from one known state.
import { expect, test } from "bun:test";
import {
  countReports,
  describeInfo,
  listReplicas,
  listShards,
  listSlots,
} from "../../../src/cluster/replies.ts";
import { A, AS_REPLICA, B, C, D, OneNode, THREE_MASTERS } from "./one-node.ts";

const TOTAL = "total_cluster_links_buffer_limit_exceeded";

function withOffset(node: OneNode, offset: number): OneNode {
  const facts = { offset, masterLinkUp: true, masterLastSeenAtMs: node.nowMs, writesPaused: false };
  node.machine.step({ type: "replication", facts }, node.nowMs);
  return node;
}

test("INFO has Redis's lines in Redis's order, message types only when they were seen", () => {
  const node = new OneNode(THREE_MASTERS);
  node.linkAll();
  expect(describeInfo(node.state, 7).split("\r\n")).toEqual([
    "cluster_state:fail",
    "cluster_slots_assigned:16384",
    "cluster_slots_ok:16384",
    "cluster_slots_pfail:0",
    "cluster_slots_fail:0",
    "cluster_known_nodes:4",
    "cluster_size:3",
    "cluster_current_epoch:3",
    "cluster_my_epoch:1",
    "cluster_stats_messages_ping_sent:3",
    "cluster_stats_messages_sent:3",
    "cluster_stats_messages_received:0",
    `${TOTAL}:7`,
    "",
  ]);
});

test("slots of suspected and failed owners are counted apart", () => {
  const node = new OneNode(THREE_MASTERS, { nodeTimeoutMs: 1000 });
  node.wait(2000);
  const info = describeInfo(node.state, 0);
  expect(info).toContain("cluster_slots_ok:5461\r\ncluster_slots_pfail:10923\r\ncluster_slots_fail:0");
  expect(info).toContain("cluster_state:fail");
});

test("a replica's epoch is its master's", () => {
  expect(describeInfo(new OneNode(AS_REPLICA).state, 0)).toContain("cluster_my_epoch:2\r\n");
});

test("SLOTS gives runs of slots, masters first, replicas once they hold data", () => {
  const runs = (node: OneNode): unknown =>
    listSlots(node.state).map(({ start, end, nodes }) => [start, end, nodes.map(({ id }) => id)]);
  const masters = [
    [0, 5460, [A]],
    [5461, 10_922, [B]],
    [10_923, 16_383, [C]],
  ];
  expect(runs(new OneNode(THREE_MASTERS))).toEqual(masters);
  const replica = withOffset(new OneNode(AS_REPLICA), 14);
  expect(runs(replica)).toEqual([masters[0], [5461, 10_922, [B, D]], masters[2]]);
  const split = new OneNode(THREE_MASTERS);
  split.cluster("delslots 3 5461");
  expect(runs(split)).toEqual([[0, 2, [A]], [4, 5460, [A]], [5462, 10_922, [B]], masters[2]]);
});

test("that a replica holds data now, or none any more, is announced at once", () => {
  const node = new OneNode(AS_REPLICA);
  node.linkAll();
  const told = (offset: number): number[] => {
    node.effects.length = 0;
    node.nowMs += 10;
    const facts = { offset, masterLinkUp: true, masterLastSeenAtMs: node.nowMs, writesPaused: false };
    node.effects.push(...node.machine.step({ type: "replication", facts }, node.nowMs));
    return node.take("send").map(({ message }) => message.header.offset);
  };
  expect(told(0)).toEqual([]);
  expect(told(14)).toEqual([14, 14, 14]);
  expect(told(28)).toEqual([]);
  expect(told(0)).toEqual([0, 0, 0]);
});

test("endpoints are of the preferred kind, the others come as metadata", () => {
  const second = (preferredEndpoint: "ip" | "hostname" | "unknown-endpoint"): unknown =>
    listSlots(new OneNode(THREE_MASTERS, { preferredEndpoint }).state)[1]?.nodes[0];
  expect(second("ip")).toEqual({
    host: "10.0.0.2",
    port: 7002,
    id: B,
    metadata: [["hostname", "b.example"]],
  });
  expect(second("hostname")).toMatchObject({ host: "b.example", metadata: [["ip", "10.0.0.2"]] });
  expect(second("unknown-endpoint")).toMatchObject({
    host: undefined,
    metadata: [
      ["ip", "10.0.0.2"],
      ["hostname", "b.example"],
    ],
  });
});

test("SHARDS gives each master with its replicas, how far they are and how well", () => {
  const shards = listShards(withOffset(new OneNode(AS_REPLICA), 0).state);
  expect(shards.map(({ slots }) => slots)).toEqual([
    [{ start: 0, end: 5460 }],
    [{ start: 5461, end: 10_922 }],
    [{ start: 10_923, end: 16_383 }],
  ]);
  expect(shards[1]?.nodes).toMatchObject([
    { id: B, ip: "10.0.0.2", port: 7002, hostname: "b.example", role: "master", health: "online" },
    { id: D, role: "replica", replicationOffset: 0, health: "loading" },
  ]);
  const online = listShards(withOffset(new OneNode(AS_REPLICA), 99).state)[1]?.nodes[1];
  expect(online).toMatchObject({ id: D, replicationOffset: 99, health: "online" });
});

test("a node alone shows every slot as its own there, and none in INFO", () => {
  const { state } = new OneNode("");
  expect(listSlots(state)).toMatchObject([{ start: 0, end: 16_383, nodes: [{ id: state.myself.id }] }]);
  expect(listShards(state)).toMatchObject([{ slots: [{ start: 0, end: 16_383 }] }]);
  expect(describeInfo(state, 0)).toStartWith("cluster_state:ok\r\ncluster_slots_assigned:0\r\n");
  expect(listSlots(new OneNode("", { solo: false }).state)).toEqual([]);
});

test("REPLICAS and COUNT-FAILURE-REPORTS know whom they speak of", () => {
  const { state, nowMs } = new OneNode(THREE_MASTERS);
  expect(listReplicas(state, B)).toEqual([`${D} 10.0.0.4:7004@17004 slave ${B} ${nowMs} 0 2 disconnected`]);
  expect(listReplicas(state, A)).toEqual([]);
  expect(listReplicas(state, D)).toEqual({ error: "ERR The specified node is not a master" });
  expect(listReplicas(state, "x")).toEqual({ error: "ERR Unknown node x" });
  expect(countReports(state, "x", nowMs)).toEqual({ error: "ERR Unknown node x" });
  expect(countReports(state, B, nowMs)).toBe(0);
});
