// What strangers can make a node keep: each MEET would make it a node and a connection.
import { expect, test } from "bun:test";
import { FLAG_MASTER, type BusMessage } from "../../../src/cluster/message.ts";
import { A, OneNode, THREE_MASTERS } from "./one-node.ts";

const LINK = -1;

function meet(number: number): BusMessage {
  const header = {
    sender: number.toString(16).padStart(40, "0"),
    master: null,
    slots: new Uint8Array(2048),
    currentEpoch: 0,
    configEpoch: 0,
    offset: 0,
    ip: "",
    port: 1000 + number,
    otherPort: 0,
    busPort: 11_000 + number,
    flags: FLAG_MASTER,
    clusterOk: false,
    paused: false,
    forceAck: false,
  };
  return { header, body: { type: "meet", gossip: [], extensions: {} } };
}

test("strangers that introduce themselves without end are met a few at a time, the others when these are done", () => {
  const node = new OneNode(THREE_MASTERS, { nodeTimeoutMs: 1000 });
  const hear = (number: number): number => {
    const event = { type: "received", link: LINK, message: meet(number) } as const;
    return node.machine.step(event, node.nowMs).filter(({ type }) => type === "send").length;
  };
  node.machine.step({ type: "accepted", link: LINK, localIp: "10.0.0.1", remoteIp: "10.9.9.9" }, node.nowMs);
  const known = node.state.nodes.size;
  let answered = 0;
  for (let number = 1; number <= 2000; number++) answered += hear(number);
  expect(answered).toBeGreaterThan(100);
  expect(node.state.nodes.size - known).toBe(answered);
  expect(answered).toBeLessThan(200);
  expect(node.state.peerCount).toBe(known - 1);
  node.wait(2000); // their handshakes come to nothing
  expect(node.state.nodes.size).toBe(known);
  expect(hear(2001)).toBe(1);
  expect(node.state.myself.id).toBe(A);
});
