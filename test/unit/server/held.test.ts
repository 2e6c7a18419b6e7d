// Clients whose requests wait: what they sent meanwhile runs afterwards, once, in its order and none of it changed.
import { expect, test } from "bun:test";
import { HeldChunks } from "../../../src/server/held-chunks.ts";
import { fileScope } from "../../support/cleanup.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { encodeRequest } from "../../support/resp.ts";

const scope = fileScope();

/** Lets go on whoever may. */
const released = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("requests in pieces, inline ones among them, wait for the end of a pause", async () => {
  const node = bareNode(scope);
  const [operator, peer] = [new Peer(node), new Peer(node)];
  expect(operator.ask("CLIENT", "PAUSE", 100_000)).toBe("+OK\r\n");
  const sent = Buffer.concat([
    encodeRequest(["SET", "a", "one\r\ntwo"]),
    Buffer.from('SET b "x\\x41\\\\y"\r\n'),
    encodeRequest(["APPEND", "a", "!"]),
    Buffer.from("GET a\r\nGET b\r\n"),
    encodeRequest(["INCR", "n"]),
  ]);
  for (let at = 0; at < sent.length; at += 7) expect(peer.chunk(sent.subarray(at, at + 7))).toBe("");
  expect(operator.chunk("CLIENT UNPAUSE\r\n")).toBe(""); // it waits itself: only the time ends a pause of all
  node.pauses.end("operator");
  await released();
  expect(peer.taken()).toBe("+OK\r\n+OK\r\n:9\r\n$9\r\none\r\ntwo!\r\n$4\r\nxA\\y\r\n:1\r\n");
});

test("a pause of writes holds them and what follows, and no longer than others' reads", async () => {
  const node = bareNode(scope);
  const [operator, writer, reader] = [new Peer(node), new Peer(node), new Peer(node)];
  operator.ask("SET", "n", 1);
  operator.ask("CLIENT", "PAUSE", 100_000, "WRITE");
  const batch = Buffer.concat([
    encodeRequest(["GET", "n"]),
    encodeRequest(["INCR", "n"]),
    encodeRequest(["GET", "n"]),
  ]);
  expect(writer.chunk(batch)).toBe("$1\r\n1\r\n");
  expect(reader.ask("GET", "n")).toBe("$1\r\n1\r\n");
  expect(operator.ask("CLIENT", "UNPAUSE")).toBe("+OK\r\n");
  await released();
  expect(writer.taken()).toBe(":2\r\n$1\r\n2\r\n");
});

test("a pause of years holds", async () => {
  const node = bareNode(scope);
  const [operator, writer] = [new Peer(node), new Peer(node)];
  expect(operator.ask("CLIENT", "PAUSE", 2 ** 40, "WRITE")).toBe("+OK\r\n");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(writer.ask("SET", "a", "b")).toBe("");
  operator.ask("CLIENT", "UNPAUSE");
  await released();
  expect(writer.taken()).toBe("+OK\r\n");
});

test("a held client may leave, or be killed, and its requests with it", async () => {
  const node = bareNode(scope);
  const [operator, leaver, killed] = [new Peer(node), new Peer(node), new Peer(node)];
  operator.ask("CLIENT", "PAUSE", 100_000, "WRITE");
  for (const peer of [leaver, killed]) peer.ask("SET", "a", peer.remotePort);
  leaver.close();
  expect(operator.ask("CLIENT", "KILL", "ADDR", `127.0.0.1:${killed.remotePort}`)).toBe(":1\r\n");
  expect(killed.isClosed).toBe(true);
  operator.ask("CLIENT", "UNPAUSE");
  await released();
  expect(operator.ask("GET", "a")).toBe("$-1\r\n");
});

test("a client killed within another's batch leaves that batch whole", () => {
  const node = bareNode(scope);
  const [killer, victim] = [new Peer(node), new Peer(node)];
  victim.chunk("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$10\r\nhalf");
  const batch = [
    ["SET", "a", "1"],
    ["CLIENT", "KILL", "ID", Number(victimId(node, victim))],
    ["SET", "b", "2"],
    ["MGET", "a", "b"],
  ] as const;
  expect(killer.chunk(Buffer.concat(batch.map(encodeRequest)))).toBe(
    "+OK\r\n:1\r\n+OK\r\n*2\r\n$1\r\n1\r\n$1\r\n2\r\n",
  );
  expect(victim.chunk("value!\r\n")).toBe("");
});

function victimId(node: ReturnType<typeof bareNode>, { remotePort }: Peer): number {
  for (const client of node.clients.all()) if (client.address.endsWith(`:${remotePort}`)) return client.id;
  throw new Error("no such client");
}

test("WAIT outlasts the end of a pause, and counts from when it was said", async () => {
  const node = bareNode(scope);
  const [operator, waiter] = [new Peer(node), new Peer(node)];
  expect(waiter.ask("WAIT", 1, 0)).toBe("");
  operator.ask("CLIENT", "PAUSE", 100_000, "WRITE");
  operator.ask("CLIENT", "UNPAUSE");
  await released();
  expect(waiter.ask("PING")).toBe("");
  const client = node.clients.get(victimId(node, waiter));
  if (client === undefined) throw new Error("the waiter is gone");
  expect(node.waiting.unblock(client, "timeout")).toBe(true);
  await released();
  expect(waiter.taken()).toBe(":0\r\n+PONG\r\n");
});

test("requests that wait count against client-query-buffer-limit", () => {
  const node = bareNode(scope, { "client-query-buffer-limit": "2mb" });
  const [operator, flooder] = [new Peer(node), new Peer(node)];
  operator.ask("CLIENT", "PAUSE", 100_000, "WRITE");
  const set = encodeRequest(["SET", "a", "x".repeat(400_000)]);
  for (let i = 0; i < 5; i++) flooder.chunk(set);
  expect(flooder.isClosed).toBe(false);
  flooder.chunk(set);
  expect(flooder.isClosed).toBe(true);
});

test("a monitor hears of requests after the reply to its own", () => {
  const node = bareNode(scope);
  const peer = new Peer(node);
  const [first, second, third] = peer.chunk("MONITOR\r\nPING\r\n").split("\r\n");
  expect([first, second]).toEqual(["+OK", "+PONG"]);
  expect(third).toEndWith('"PING"');
});

test("many requests that wait one after the other do not have what is behind them handed on each time", async () => {
  const node = bareNode(scope);
  const [giver, taker] = [new Peer(node), new Peer(node)];
  let handed = 0;
  const receive = node.receive.bind(node);
  node.receive = (client, chunk) => {
    handed++;
    receive(client, chunk);
  };
  const count = 200;
  for (let i = 0; i < count; i++) taker.chunk(`BLPOP k 0\r\nECHO ${i}\r\n`);
  let heard = "";
  for (let i = 0; i < count; i++) {
    giver.ask("RPUSH", "k", i);
    await released();
    heard += taker.taken();
  }
  const expected = Array.from({ length: count }, (_, i) => {
    const bulk = `$${String(i).length}\r\n${i}\r\n`;
    return `*2\r\n$1\r\nk\r\n${bulk}${bulk}`;
  });
  expect(heard).toBe(expected.join(""));
  expect(handed).toBeLessThan(count * 5);
});

test("chunks that are held and taken by turns keep no place", () => {
  const chunks = new HeldChunks();
  const chunk = new Uint8Array(1);
  chunks.add(chunk);
  for (let i = 0; i < 10_000; i++) {
    chunks.add(chunk);
    chunks.take();
  }
  expect(chunks.placeCount).toBeLessThan(200);
  expect(chunks.byteCount).toBe(1);
});
