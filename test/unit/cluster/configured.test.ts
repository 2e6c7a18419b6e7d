// Configuration that changes at run time: what others see of this node follows it, and goes back with it.
import { expect, test } from "bun:test";
import { describeNode, formatNodesConf } from "../../../src/cluster/nodes-conf.ts";
import { DEFAULT_OPTIONS, type ClusterOptions } from "../../../src/cluster/options.ts";
import { listShards, listSlots } from "../../../src/cluster/replies.ts";
import { A, OneNode, THREE_MASTERS } from "./one-node.ts";

const ANNOUNCED = {
  announceIp: "203.0.113.9",
  announcePort: 9001,
  announceBusPort: 9101,
  hostname: "nine.example",
} as const;

function configure(node: OneNode, options: Partial<ClusterOptions>): void {
  const all = { ...DEFAULT_OPTIONS, port: 7001, busPort: 17_001, ...options };
  node.effects.push(...node.machine.step({ type: "configured", options: all }, node.nowMs));
}

const place = (node: OneNode): string => describeNode(node.state, node.state.myself).split(" ")[1] ?? "";

/** Host and port of this node in SLOTS and SHARDS. */
function told(node: OneNode): string[] {
  const slots = listSlots(node.state).flatMap(({ nodes }) => nodes.filter(({ id }) => id === A));
  const shards = listShards(node.state).flatMap(({ nodes }) => nodes.filter(({ id }) => id === A));
  return [
    ...slots.map(({ host, port }) => `${host}:${port}`),
    ...shards.map(({ ip, port }) => `${ip}:${port}`),
  ];
}

test("what is announced and taken back leaves nothing behind, in nodes.conf either", () => {
  const node = new OneNode(THREE_MASTERS);
  node.linkAll();
  const step = (event: Parameters<OneNode["machine"]["step"]>[0]) => node.machine.step(event, node.nowMs);
  step({ type: "accepted", link: -1, localIp: "10.0.0.1", remoteIp: "10.0.0.2" });
  configure(node, ANNOUNCED);
  expect(place(node)).toBe("203.0.113.9:9001@9101,nine.example");
  expect(told(node)).toEqual(["203.0.113.9:9001", "203.0.113.9:9001"]);
  node.wait(200);
  node.effects = [];

  configure(node, {});
  expect(place(node)).toBe("10.0.0.1:7001@17001");
  expect(told(node)).toEqual(["10.0.0.1:7001", "10.0.0.1:7001"]);
  expect(formatNodesConf(node.state)).toContain(`${A} 10.0.0.1:7001@17001 myself,master `);
  expect(formatNodesConf(node.state)).not.toMatch(/203\.0\.113|nine/);
  node.wait(200);
  expect(node.take("persist")).not.toEqual([]);
});

test("where nobody has reached it yet, it does not know its address again", () => {
  const node = new OneNode(THREE_MASTERS, ANNOUNCED);
  expect(place(node)).toBe("203.0.113.9:9001@9101,nine.example");
  configure(node, {});
  expect(place(node)).toBe(":7001@17001");
});

test("an address it learned stays when another directive changes", () => {
  const node = new OneNode(THREE_MASTERS);
  configure(node, { hostname: "one.example" });
  expect(place(node)).toBe("10.0.0.1:7001@17001,one.example");
});
