// RESTOREs of big values, which are read in steps: what others see meanwhile, and what is asked again at the end.
import { describe, expect, test } from "bun:test";
import { Buffer } from "node:buffer";
import type { Node } from "../../../src/server/node.ts";
import { fileScope } from "../../support/cleanup.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { encodeRequest } from "../../support/resp.ts";

const scope = fileScope();

/** One turn of the event loop: one step. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const OUT = "+OK\r\n";
const MEMBERS = 30_000;

/** The payload of a hash that takes many steps. */
function payloadOf(node: Node, peer: Peer): Buffer {
  const fields = Array.from({ length: MEMBERS }, (_, i) => [`field ${i}`, `${i * 7919} value`]).flat();
  for (let at = 0; at < fields.length; at += 4000) peer.ask("HSET", "big", ...fields.slice(at, at + 4000));
  const reply = peer.ask("DUMP", "big");
  peer.ask("DEL", "big");
  const payload = Buffer.from(reply.slice(reply.indexOf("\r\n") + 2, -2), "latin1");
  expect(payload.length).toBeGreaterThan(500_000);
  expect(node.keys.size(0)).toBe(0);
  return payload;
}

interface Bench {
  readonly node: Node;
  readonly sender: Peer;
  readonly other: Peer;
  readonly payload: Buffer;
}

function bench(directives: Readonly<Record<string, string>> = {}): Bench {
  const node = bareNode(scope, { "cluster-enabled": "no", ...directives });
  const [sender, other] = [new Peer(node), new Peer(node)];
  return { node, sender, other, payload: payloadOf(node, other) };
}

/** Sends bytes as a socket delivers them. */
function send(peer: Peer, bytes: Uint8Array): string {
  let answers = "";
  for (let at = 0; at < bytes.length; at += 65_536) answers += peer.chunk(bytes.subarray(at, at + 65_536));
  return answers;
}

/** Turns until it has been answered; the other client is served in each. @returns the answers, and how many turns */
async function answered({ sender, other }: Bench, replies: string): Promise<[string, number]> {
  let answers = replies;
  for (let turns = 0; turns < 5000; turns++) {
    if (answers !== "") return [answers, turns];
    expect(other.ask("PING")).toBe("+PONG\r\n");
    await turn();
    answers += sender.taken();
  }
  throw new Error("it is not answered");
}

describe("a RESTORE of a big value", () => {
  test("holds nobody else, and what its client sent behind it comes after it, in order", async () => {
    const all = bench();
    const { sender, other, payload } = all;
    const before = encodeRequest(["SET", "n", "1"]);
    const behind = [["INCR", "n"], ["HLEN", "big"], ["RESTORE", "big", 0, payload], ["GET", "n"]] as const; // prettier-ignore
    const restore = encodeRequest(["RESTORE", "big", 0, payload]);
    const sent = Buffer.concat([before, restore, ...behind.map((words) => encodeRequest(words))]);
    expect(send(sender, sent)).toBe(OUT);
    expect(other.ask("EXISTS", "big")).toBe(":0\r\n");
    expect(other.ask("INCR", "n")).toBe(":2\r\n");
    const [answers, turns] = await answered(all, "");
    expect(turns).toBeGreaterThan(3);
    expect(answers).toBe(
      `+OK\r\n:3\r\n:${MEMBERS}\r\n-BUSYKEY Target key name already exists.\r\n$1\r\n3\r\n`,
    );
    expect(other.ask("HGET", "big", "field 29999")).toBe("$15\r\n237562081 value\r\n");
    expect(other.ask("INFO", "commandstats")).toContain("cmdstat_restore:calls=2,");
  });

  test("takes a chunk that holds all of it, with more behind it", async () => {
    const all = bench();
    const restore = encodeRequest(["RESTORE", "big", 0, all.payload.subarray(0, 10), "REPLACE"]);
    expect(all.sender.chunk(restore)).toContain("checksum are wrong");
    const whole = Buffer.concat([encodeRequest(["RESTORE", "big", 0, all.payload]), Buffer.from("PING\r\n")]);
    const [answers] = await answered(all, all.sender.chunk(whole));
    expect(answers).toBe("+OK\r\n+PONG\r\n");
  });

  test("is refused at the end when the key has come meanwhile, and replaces it when it may", async () => {
    const all = bench();
    const { sender, other, payload } = all;
    send(sender, encodeRequest(["RESTORE", "big", 0, payload]));
    other.ask("SET", "big", "other");
    expect((await answered(all, ""))[0]).toStartWith("-BUSYKEY");
    expect(other.ask("GET", "big")).toBe("$5\r\nother\r\n");
    send(sender, encodeRequest(["RESTORE", "big", 0, payload, "REPLACE"]));
    expect(other.ask("GET", "big")).toBe("$5\r\nother\r\n");
    expect((await answered(all, ""))[0]).toBe(OUT);
    expect(other.ask("HLEN", "big")).toBe(`:${MEMBERS}\r\n`);
  });

  test("is refused before it is read when anything else is wrong with it", () => {
    const { sender, other, payload } = bench();
    other.ask("SET", "big", "other");
    expect(send(sender, encodeRequest(["RESTORE", "big", 0, payload]))).toStartWith("-BUSYKEY");
    expect(send(sender, encodeRequest(["RESTORE", "big", -1, payload, "REPLACE"]))).toStartWith(
      "-ERR Invalid TTL",
    );
    expect(send(sender, encodeRequest(["RESTORE", "big", 0, payload, "NONSENSE"]))).toStartWith(
      "-ERR syntax",
    );
  });

  test("tells damage when its turn has come, and keeps nothing of it", async () => {
    const all = bench();
    const { node, sender, other, payload } = all;
    const damaged = Buffer.from(payload);
    damaged[payload.length >> 1]! ^= 1;
    const cut = Buffer.from(payload.subarray(0, payload.length - 5000));
    payload.copy(cut, cut.length - 10, payload.length - 10);
    new DataView(cut.buffer, cut.byteOffset).setBigUint64(
      cut.length - 8,
      node.rdb.crc64(0n, cut.subarray(0, -8)),
      true,
    );
    const used = async (): Promise<number> => {
      while (node.keys.release(100_000)) continue;
      return node.memory.usedBytes;
    };
    send(sender, encodeRequest(["RESTORE", "big", 0, damaged]));
    expect((await answered(all, ""))[0]).toBe("-ERR DUMP payload version or checksum are wrong\r\n");
    const before = await used();
    send(sender, encodeRequest(["RESTORE", "big", 0, cut]));
    expect((await answered(all, ""))[0]).toBe("-ERR Bad data format\r\n");
    expect(await used()).toBe(before);
    expect(other.ask("EXISTS", "big")).toBe(":0\r\n");
  });

  test("of a client that leaves is given up, with all its memory", async () => {
    const { node, sender, other, payload } = bench();
    while (node.keys.release(100_000)) continue;
    const before = node.memory.usedBytes;
    for (let turns = 0; turns < 3; turns++) {
      const peer = new Peer(node);
      send(peer, encodeRequest(["RESTORE", "big", 0, payload]));
      for (let i = 0; i < turns; i++) await turn();
      peer.close();
      await turn();
      while (node.keys.release(100_000)) continue;
      expect(other.ask("EXISTS", "big")).toBe(":0\r\n");
      expect(node.memory.usedBytes).toBe(before);
    }
    sender.close();
  });

  test("in a transaction is one step", async () => {
    const { sender, payload } = bench();
    sender.ask("MULTI");
    expect(send(sender, encodeRequest(["RESTORE", "big", 0, payload]))).toBe("+QUEUED\r\n");
    expect(sender.ask("EXEC")).toBe("*1\r\n+OK\r\n");
  });

  test("fails the EXEC of those that watch the key, tells who tracks it, and is a write of its moment", async () => {
    const all = bench({ "notify-keyspace-events": "KA" });
    const { sender, other, payload } = all;
    const [watcher, listener] = [new Peer(all.node), new Peer(all.node)];
    listener.ask("SUBSCRIBE", "__keyspace@0__:big");
    watcher.ask("WATCH", "big");
    send(sender, encodeRequest(["RESTORE", "big", 0, payload]));
    expect(listener.taken()).toBe("");
    expect((await answered(all, ""))[0]).toBe(OUT);
    expect(listener.taken()).toContain("restore");
    watcher.ask("MULTI");
    watcher.ask("PING");
    expect(watcher.ask("EXEC")).toBe("*-1\r\n");
    expect(other.ask("EXISTS", "big")).toBe(":1\r\n");
  });

  test("waits while writes are paused, and is read anew then", async () => {
    const all = bench();
    const { node, sender, other, payload } = all;
    send(sender, encodeRequest(["RESTORE", "big", 0, payload]));
    await turn();
    other.ask("CLIENT", "PAUSE", 100_000, "WRITE");
    for (let i = 0; i < 400; i++) await turn();
    expect(sender.taken()).toBe("");
    expect(other.ask("EXISTS", "big")).toBe(":0\r\n");
    node.pauses.end("operator");
    expect((await answered(all, ""))[0]).toBe(OUT);
    expect(other.ask("HLEN", "big")).toBe(`:${MEMBERS}\r\n`);
  });

  test("is refused by a node that has become a replica meanwhile", async () => {
    const all = bench();
    send(all.sender, encodeRequest(["RESTORE", "big", 0, all.payload]));
    await turn();
    all.other.ask("REPLICAOF", "127.0.0.1", 1);
    expect((await answered(all, ""))[0]).toStartWith("-READONLY");
    all.other.ask("REPLICAOF", "NO", "ONE");
    expect(all.other.ask("EXISTS", "big")).toBe(":0\r\n");
  });

  test("counts its time to live from when it came, and is dead on arrival when that is over", async () => {
    const all = bench();
    const { sender, other, payload } = all;
    send(sender, encodeRequest(["RESTORE", "big", 1_000_000, payload]));
    const latest = Date.now() + 1_000_000;
    expect((await answered(all, ""))[0]).toBe(OUT);
    const at = Number(other.ask("PEXPIRETIME", "big").slice(1));
    expect(at).toBeLessThanOrEqual(latest);
    send(sender, encodeRequest(["RESTORE", "big", 1, payload, "REPLACE"]));
    await new Promise((resolve) => setTimeout(resolve, 3));
    expect((await answered(all, ""))[0]).toBe(OUT);
    expect(other.ask("EXISTS", "big")).toBe(":0\r\n");
  });

  test("several at once take turns", async () => {
    const all = bench();
    const peers = Array.from({ length: 4 }, () => new Peer(all.node));
    peers.forEach((peer, i) => send(peer, encodeRequest(["RESTORE", `big${i}`, 0, all.payload])));
    const done = new Set<Peer>();
    for (let turns = 0; done.size < peers.length; turns++) {
      await turn();
      for (const peer of peers) if (peer.taken() === OUT) done.add(peer);
      expect(turns).toBeLessThan(5000);
    }
    const digests = peers.map((_, i) => all.other.ask("DEBUG", "DIGEST-VALUE", `big${i}`));
    expect(new Set(digests).size).toBe(1);
  });
});
