// When a client counts as idle: what it says and what it takes are both signs of life.
import { expect, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import { bareNode, Peer } from "../../support/node.ts";

const scope = fileScope();
const LONG_MS = 60_000;

test("a client that takes its reply slowly is not idle, nor is one that is told something", () => {
  const node = bareNode(scope, { timeout: "10" });
  const [speaker, slow, told, stuck, silent] = Array.from({ length: 5 }, () => new Peer(node)) as [
    Peer, Peer, Peer, Peer, Peer,
  ]; // prettier-ignore
  told.chunk("HELLO 3\r\nCLIENT TRACKING ON\r\nGET k\r\n");
  for (const peer of [slow, stuck]) {
    peer.reads = false;
    peer.ask("ECHO", "x".repeat(1000));
  }
  node.cron.run(); // what waits is noted
  for (const client of node.clients.all()) client.lastActiveAtMs -= LONG_MS;
  slow.queuedBytes -= 100;
  speaker.ask("SET", "k", "v");
  expect(told.taken()).toContain("invalidate");
  node.cron.run();
  expect([speaker, slow, told].map(({ isClosed }) => isClosed)).toEqual([false, false, false]);
  expect([stuck, silent].map(({ isClosed }) => isClosed)).toEqual([true, true]);
});
