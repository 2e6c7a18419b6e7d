// What holds of a node whatever was done to it: it serves, and what it saves can be loaded.
import { copyFileSync } from "node:fs";
import { expect } from "bun:test";
import type { Node } from "../../src/server/node.ts";
import type { Scope } from "./cleanup.ts";
import { bareNode, Peer } from "./node.ts";

/** A master answers reads and writes, and another node loads what it saves: as many keys, of the same digest. */
export function expectServes(scope: Scope, node: Node): void {
  const peer = new Peer(node);
  expect(peer.chunk("PING\r\nSET served yes\r\nGET served\r\nDEL served\r\n")).toBe(
    "+PONG\r\n+OK\r\n$3\r\nyes\r\n:1\r\n",
  );
  expect(peer.ask("SAVE")).toBe("+OK\r\n");
  const other = bareNode(scope);
  copyFileSync(node.persistence.path, other.persistence.path);
  other.persistence.load(true, () => {});
  const state = (of: Node): string => Buffer.from(of.rdb.digest()).toString("hex");
  expect(state(other)).toBe(state(node));
  peer.close();
  other.stop();
}
