// CLUSTER's changing subcommands: texts and checks as redis-server 7.0.15 gives them, and what they lead to.
import { describe, expect, test } from "bun:test";
import type { ClusterEffect } from "../../../src/cluster/events.ts";
import { describeNodes } from "../../../src/cluster/nodes-conf.ts";
import { A, AS_REPLICA, B, C, D, OneNode, THREE_MASTERS } from "./one-node.ts";

const X = "0".repeat(40);
const BAD_SLOT = "-ERR Invalid or out of range slot";
const BAD_SET_SLOT = "-ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP";

describe("a node alone refuses, in Redis's words", () => {
  const node = new OneNode("", { solo: false });
  const { id } = node.state.myself;
  test.each([
    ["meet 127.0.0.1 abc", "-ERR Invalid TCP base port specified: abc"],
    ["meet 127.0.0.1 123456", "-ERR Invalid node address specified: 127.0.0.1:123456"],
    ["meet localhost 7000", "-ERR Invalid node address specified: localhost:7000"],
    ["meet 127.0.0.1 7000 abc", "-ERR Invalid TCP bus port specified: abc"],
    ["meet 127.0.0.1 7000 99999", "-ERR Invalid node address specified: 127.0.0.1:7000"],
    ["meet 127.0.0.1 60000", "-ERR Invalid node address specified: 127.0.0.1:60000"],
    ["meet 1.2.3.256 7000", "-ERR Invalid node address specified: 1.2.3.256:7000"],
    ["addslots abc", BAD_SLOT],
    ["addslots 16384", BAD_SLOT],
    ["addslots -1", BAD_SLOT],
    ["addslots 1 1", "-ERR Slot 1 specified multiple times"],
    ["addslotsrange 5 3", "-ERR start slot number 5 is greater than end slot number 3"],
    ["addslotsrange 1 2 3", "-ERR wrong number of arguments for 'cluster|addslotsrange' command"],
    ["addslotsrange 1 5 5 7", "-ERR Slot 5 specified multiple times"],
    ["delslots 5", "-ERR Slot 5 is already unassigned"],
    ["delslotsrange 4 9", "-ERR Slot 4 is already unassigned"],
    ["setslot abc importing " + X, BAD_SLOT],
    [`setslot 6 importing ${X}`, `-ERR I don't know about node ${X}`],
    [`setslot 6 migrating ${X}`, "-ERR I'm not the owner of hash slot 6"],
    [`setslot 6 node ${X}`, `-ERR Unknown node ${X}`],
    ["setslot 5 foo", BAD_SET_SLOT],
    ["setslot 5 stable x", BAD_SET_SLOT],
    ["setslot 5 migrating", BAD_SET_SLOT],
    [`forget ${X}`, `-ERR Unknown node ${X}`],
    [`forget ${id}`, "-ERR I tried hard but I can't forget myself..."],
    [`replicate ${X}`, `-ERR Unknown node ${X}`],
    [`replicate ${id}`, "-ERR Can't replicate myself"],
    ["set-config-epoch abc", "-ERR value is not an integer or out of range"],
    ["set-config-epoch -1", "-ERR Invalid config epoch specified: -1"],
    ["failover", "-ERR You should send CLUSTER FAILOVER to a replica"],
    ["failover foo", "-ERR syntax error"],
    [
      "failover force takeover",
      "-ERR unknown subcommand or wrong number of arguments for 'failover'. Try CLUSTER HELP.",
    ],
    ["reset foo", "-ERR syntax error"],
    [
      "reset hard soft",
      "-ERR unknown subcommand or wrong number of arguments for 'reset'. Try CLUSTER HELP.",
    ],
  ])("%s", (line, answer) => {
    const before = describeNodes(node.state);
    expect(node.cluster(line)).toBe(answer);
    expect(describeNodes(node.state)).toBe(before);
  });

  test("of two faults, the one Redis meets first", () => {
    node.cluster("addslots 5");
    expect(node.cluster("addslots 6 abc 5")).toBe(BAD_SLOT);
    expect(node.cluster("addslotsrange 4 7 a 8")).toBe("-ERR Slot 5 is already busy");
    expect(node.cluster("addslotsrange 9 8 5 5")).toBe(
      "-ERR start slot number 9 is greater than end slot number 8",
    );
    expect(node.cluster("addslotsrange 5 5 9 8")).toBe("-ERR Slot 5 is already busy");
    expect(node.cluster(`setslot 5 importing ${X}`)).toBe("-ERR I'm already the owner of hash slot 5");
    expect(node.cluster(`setslot 5 migrating ${X}`)).toBe(`-ERR I don't know about node ${X}`);
    expect(node.state.myself.slotCount).toBe(1);
  });
});

test("epochs are set once, bumped when they are not the greatest", () => {
  const node = new OneNode("", { solo: false });
  expect(node.cluster("set-config-epoch 0")).toBe("OK");
  expect(node.cluster("set-config-epoch 3")).toBe("OK");
  expect(node.cluster("set-config-epoch 4")).toBe("-ERR Node config epoch is already non-zero");
  expect(node.cluster("bumpepoch")).toBe("STILL 3");
  const known = new OneNode(THREE_MASTERS);
  expect(known.cluster("set-config-epoch 9")).toBe(
    "-ERR The user can assign a config epoch only when the node does not know any other node.",
  );
  expect(known.cluster("bumpepoch")).toBe("BUMPED 4");
  expect(known.cluster("bumpepoch")).toBe("STILL 4");
});

test("what changes is saved before anything is said of it", () => {
  const node = new OneNode(THREE_MASTERS);
  node.linkAll();
  expect(node.cluster(`setslot 6000 importing ${B}`)).toBe("OK");
  node.effects = [];
  expect(node.cluster(`setslot 6000 node ${A}`)).toBe("OK");
  expect(node.effects[0]).toEqual({ type: "persist", sync: true });
  const told = node.take("send").map(({ message }) => message);
  expect(told.map(({ body }) => body.type)).toEqual(["pong", "pong", "pong"]);
  expect(told[0]?.header.slots[6000 >> 3]).toBe(1);
});

test("what redis-cli changes at one node after another is saved, and told with the next heartbeats only", () => {
  const node = new OneNode(THREE_MASTERS);
  node.linkAll();
  node.effects = [];
  for (const line of ["delslots 5", "addslots 5", "setslot 5 stable", "bumpepoch"]) {
    expect(node.cluster(line)).toMatch(/^(OK|BUMPED 4)$/);
    expect(node.effects[0], line).toMatchObject({ type: "persist", sync: true });
    expect(node.take("send"), line).toEqual([]);
    node.effects = [];
  }
});

test("a slot that is opened or given away outlives the process; an epoch or a role is on disk", () => {
  const first = (text: string, line: string): ClusterEffect | undefined => {
    const node = new OneNode(text);
    node.linkAll();
    node.effects = [];
    expect(node.cluster(line)).toBe("OK");
    return node.effects[0];
  };
  const brief: ClusterEffect = { type: "persist", sync: true, brief: true };
  expect(first(THREE_MASTERS, `setslot 1 migrating ${B}`)).toEqual(brief);
  expect(first(THREE_MASTERS, `setslot 6000 importing ${B}`)).toEqual(brief);
  expect(first(THREE_MASTERS, `setslot 1 node ${B}`)).toEqual(brief);
  const importing = THREE_MASTERS.replace("0-5460", `0-5460 [6000-<-${B}]`);
  expect(first(importing, `setslot 6000 node ${A}`)).toEqual({ type: "persist", sync: true });
  const lastSlot = THREE_MASTERS.replace("0-5460", "1").replace("5461-10922", "0 2-10922");
  expect(first(lastSlot, `setslot 1 node ${B}`)).toEqual({ type: "persist", sync: true });
});

describe("an address may be met", () => {
  test.each(["10.1.2.3", "::1", "fe80::1:2", "::ffff:10.0.0.1", "1:2:3:4:5:6:7:8"])("%s", (ip) => {
    const node = new OneNode("", { solo: false });
    expect(node.ask({ type: "meet", ip, port: 7, busPort: 8 })).toEqual({ status: "OK" });
    expect(node.cluster(`meet ${ip} 7000 7500`)).toBe("OK");
    expect(node.take("connect").map((effect) => effect.port)).toEqual([8, 7500]);
    expect(node.cluster(`meet ${ip} 7000 7500`)).toBe("OK");
    expect(node.take("connect")).toEqual([]);
  });
  test.each(["1:2:3:4:5:6:7", "1::2::3", "::12345", ":::", "1:2:3:4:5:6:7:8:9", "1.2.3", "01.2.3.4"])(
    "%s not",
    (ip) => {
      const node = new OneNode("", { solo: false });
      expect(node.cluster(`meet ${ip} 7000`)).toBe(`-ERR Invalid node address specified: ${ip}:7000`);
    },
  );
});

describe("REPLICATE", () => {
  test("asks for a node without slots and keys, and for a master to follow", () => {
    const node = new OneNode(THREE_MASTERS);
    const notEmpty = "-ERR To set a master the node must be empty and without assigned slots.";
    expect(node.cluster(`replicate ${D}`)).toBe("-ERR I can only replicate a master, not a replica.");
    expect(node.cluster(`replicate ${B}`)).toBe(notEmpty);
    expect(node.cluster("flushslots")).toBe("OK");
    node.keys.set(1, 1);
    expect(node.cluster(`replicate ${B}`)).toBe(notEmpty);
    node.keys.clear();
    node.effects = [];
    expect(node.cluster(`replicate ${B}`)).toBe("OK");
    expect(node.take("replicateFrom")).toEqual([
      { type: "replicateFrom", node: B, ip: "10.0.0.2", port: 7002 },
    ]);
    expect(node.state.masterOf(node.state.myself)?.id).toBe(B);
  });

  test("moves a replica to another master, whatever it holds", () => {
    const node = new OneNode(AS_REPLICA);
    node.keys.set(6000, 3);
    expect(node.cluster(`forget ${B}`)).toBe("-ERR Can't forget my master!");
    expect(node.cluster(`replicate ${C}`)).toBe("OK");
    expect(node.take("replicateFrom").map((effect) => effect.node)).toEqual([B, C]);
    expect(node.cluster(`forget ${B}`)).toBe("OK");
  });
});

describe("SETSLOT", () => {
  test("is refused on replicas, and for targets that are replicas", () => {
    expect(new OneNode(AS_REPLICA).cluster("setslot 1 stable")).toBe(
      "-ERR Please use SETSLOT only with masters.",
    );
    const node = new OneNode(THREE_MASTERS);
    expect(node.cluster(`setslot 1 migrating ${D}`)).toBe("-ERR Target node is not a master");
    expect(node.cluster(`setslot 1 node ${D}`)).toBe("-ERR Target node is not a master");
  });

  test("takes an imported slot over with a greater epoch than anybody's, told to all", () => {
    const node = new OneNode(THREE_MASTERS);
    node.linkAll();
    expect(node.cluster(`setslot 6000 importing ${B}`)).toBe("OK");
    expect(describeNodes(node.state)).toContain(`[6000-<-${B}]`);
    node.effects = [];
    expect(node.cluster(`setslot 6000 node ${A}`)).toBe("OK");
    expect(node.state.slots.owner(6000)?.id).toBe(A);
    expect(node.state.myself.configEpoch).toBe(4);
    const [message] = node.take("send").map((effect) => effect.message);
    expect(message?.header.configEpoch).toBe(4);
    expect(describeNodes(node.state)).not.toContain("[");
  });

  test("gives a slot away only when it is empty", () => {
    const node = new OneNode(THREE_MASTERS);
    node.keys.set(7, 1);
    expect(node.cluster(`setslot 7 migrating ${B}`)).toBe("OK");
    expect(node.cluster(`setslot 7 node ${B}`)).toBe(
      "-ERR Can't assign hashslot 7 to a different node while I still hold keys for this hash slot.",
    );
    node.keys.clear();
    expect(node.cluster(`setslot 7 node ${B}`)).toBe("OK");
    expect(node.state.slots.owner(7)?.id).toBe(B);
    expect(node.state.slots.migrating.size).toBe(0);
  });

  test("of the last slot makes this node the replica of whoever got it, unless that is forbidden", () => {
    for (const allowReplicaMigration of [true, false]) {
      const node = new OneNode(THREE_MASTERS, { allowReplicaMigration });
      expect(node.cluster("delslotsrange 1 5460")).toBe("OK");
      expect(node.cluster(`setslot 0 node ${B}`)).toBe("OK");
      expect(node.take("replicateFrom").length).toBe(allowReplicaMigration ? 1 : 0);
    }
  });
});

describe("RESET", () => {
  test("is refused to a master with keys; FLUSHSLOTS too", () => {
    const node = new OneNode(THREE_MASTERS);
    node.keys.set(1, 1);
    expect(node.cluster("reset")).toBe(
      "-ERR CLUSTER RESET can't be called with master nodes containing keys",
    );
    expect(node.cluster("flushslots")).toBe("-ERR DB must be empty to perform CLUSTER FLUSHSLOTS.");
  });

  test("SOFT forgets the others and the slots, HARD identity and epochs too", () => {
    for (const how of ["soft", "hard"]) {
      const node = new OneNode(THREE_MASTERS);
      expect(node.cluster(`reset ${how}`)).toBe("OK");
      expect(node.state.nodes.size).toBe(1);
      expect(node.state.slots.assigned).toBe(0);
      expect(node.state.myself.id === A).toBe(how === "soft");
      expect([node.state.currentEpoch, node.state.myself.configEpoch]).toEqual(
        how === "soft" ? [3, 1] : [0, 0],
      );
    }
  });

  test("empties a replica and makes it a master", () => {
    const node = new OneNode(AS_REPLICA);
    node.keys.set(6000, 1);
    node.effects = [];
    expect(node.cluster("reset")).toBe("OK");
    expect(node.take("promote").length).toBe(1);
    expect(node.take("emptyKeyspace").length).toBe(1);
    expect(describeNodes(node.state)).toContain(`${D} 10.0.0.4:7001@17001 myself,master - 0 0`);
  });
});
