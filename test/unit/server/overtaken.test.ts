// A data set that goes at once while it is being written out: nobody waits until all of it is written, for nobody wants
// it any more.
import { expect, test } from "bun:test";
import type { Node } from "../../../src/server/node.ts";
import { fileScope } from "../../support/cleanup.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { encodeRequest } from "../../support/resp.ts";

const scope = fileScope();

function filled(count: number): { node: Node; peer: Peer } {
  const node = bareNode(scope);
  const peer = new Peer(node);
  for (let at = 0; at < count; at += 5000) {
    peer.chunk(
      Buffer.concat(Array.from({ length: 5000 }, (_, i) => encodeRequest(["SET", `key:${at + i}`, "value"]))),
    );
  }
  return { node, peer };
}

test("FLUSHALL of many keys closes replicas amid their copy, and gives up a save without calling it failed", () => {
  const { node, peer } = filled(200_000);
  const replica = new Peer(node);
  expect(replica.chunk("REPLCONF capa eof capa psync2\r\nPSYNC ? -1\r\n")).toContain("+FULLRESYNC");
  expect(peer.ask("BGSAVE")).toBe("+Background saving started\r\n");
  expect(peer.ask("FLUSHALL")).toBe("+OK\r\n");
  expect(replica.isClosed).toBe(true);
  expect(node.persistence.isSaving).toBe(false);
  expect(peer.ask("SET", "a", "b")).toBe("+OK\r\n");
});

test("FLUSHALL of few keys lets a copy be completed first", () => {
  const { node, peer } = filled(5000);
  const replica = new Peer(node);
  replica.chunk("REPLCONF capa eof capa psync2\r\nPSYNC ? -1\r\n");
  expect(peer.ask("FLUSHALL")).toBe("+OK\r\n");
  expect(replica.isClosed).toBe(false);
});
