// `databases` says how many there are, to every command that names one: what another cannot select must not be filled.
import { expect, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import { bareNode, Peer } from "../../support/node.ts";

const scope = fileScope();

test("no command reaches beyond the last database", () => {
  const peer = new Peer(bareNode(scope, { databases: "4" }));
  peer.ask("SET", "a", 1);
  const beyond = "-ERR DB index is out of range\r\n";
  expect(peer.ask("SELECT", 4)).toBe(beyond);
  expect(peer.ask("MOVE", "a", 4)).toBe(beyond);
  expect(peer.ask("COPY", "a", "b", "DB", 4)).toBe(beyond);
  expect(peer.ask("SWAPDB", 0, 4)).toBe(beyond);
  expect(peer.ask("MOVE", "a", 3)).toBe(":1\r\n");
});
