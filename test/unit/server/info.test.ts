// INFO tells what happened: each counter moves when its event does, and CONFIG RESETSTAT begins anew.
import { expect, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import { eventually } from "../../support/eventually.ts";
import { bareNode, Peer } from "../../support/node.ts";

const scope = fileScope();

function counters(peer: Peer, ...names: readonly string[]): number[] {
  const text = peer.ask("INFO", "stats");
  return names.map((name) => Number(new RegExp(`^${name}:(\\d+)\r$`, "m").exec(text)?.[1]));
}

test("look-ups, and keys found expired", () => {
  const node = bareNode(scope);
  const peer = new Peer(node);
  const names = ["keyspace_hits", "keyspace_misses", "expired_keys"];
  peer.ask("MSET", "a", 1, "b", 2);
  peer.ask("SET", "c", 3, "PXAT", 1);
  peer.ask("PEXPIREAT", "b", Date.now() + 500);
  expect(counters(peer, ...names)).toEqual([0, 0, 0]);
  peer.ask("EXISTS", "a", "a", "none");
  expect(counters(peer, ...names)).toEqual([2, 1, 0]);
  node.memory.nowMs = Date.now() + 1000;
  node.keys.expireCycle(1e6);
  node.changes.settleEvents();
  expect(counters(peer, ...names)).toEqual([2, 1, 2]);
  peer.ask("CONFIG", "RESETSTAT");
  expect(counters(peer, ...names)).toEqual([0, 0, 0]);
});

test("chunks received and batches of replies sent", () => {
  const peer = new Peer(bareNode(scope));
  const names = ["total_reads_processed", "total_writes_processed"];
  expect(counters(peer, ...names)).toEqual([1, 0]);
  peer.chunk("PING\r\nPING\r\n");
  expect(counters(peer, ...names)).toEqual([3, 2]);
});

test("bytes for replicas: their copy and every change after it", async () => {
  const node = bareNode(scope);
  const [peer, replica] = [new Peer(node), new Peer(node)];
  const sent = (): number => counters(peer, "total_net_repl_output_bytes")[0] ?? 0;
  expect(sent()).toBe(0);
  let copy = replica.ask("PSYNC", "?", -1);
  await eventually(() => (copy += replica.taken()).includes("REDIS0010"), 5000, "the copy is sent");
  await eventually(() => node.replication.master.replicas[0]?.phase === "online", 5000, "the copy is whole");
  const before = sent();
  expect(before).toBeGreaterThan(100);
  peer.ask("SET", "a", "1");
  const change = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
  expect(replica.taken()).toEndWith(change);
  expect(sent()).toBe(before + change.length);
});
