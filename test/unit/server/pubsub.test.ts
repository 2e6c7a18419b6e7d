// Many subscribers, and such as do not read: what a publication costs, and what it leaves behind.
import { describe, expect, test } from "bun:test";
import { nowMs } from "../../../src/io/clock.ts";
import { fileScope } from "../../support/cleanup.ts";
import { eventually } from "../../support/eventually.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { encodeRequest } from "../../support/resp.ts";

const scope = fileScope();

const message = (channel: string, text: string): string =>
  `*3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$${text.length}\r\n${text}\r\n`;

test("ten thousand subscribers get a batch of messages in one write each", () => {
  const node = bareNode(scope, { maxclients: "20000" });
  const publisher = new Peer(node);
  const subscribers = Array.from({ length: 10_000 }, () => new Peer(node));
  for (const [i, peer] of subscribers.entries()) {
    if (i % 2 === 1) peer.ask("HELLO", 3);
    peer.ask("SUBSCRIBE", "news");
  }
  const batch = Array.from({ length: 20 }, (_, n) => encodeRequest(["PUBLISH", "news", `message ${n}`]));
  expect(publisher.chunk(Buffer.concat(batch))).toBe(":10000\r\n".repeat(20));
  const text = Array.from({ length: 20 }, (_, n) => message("news", `message ${n}`)).join("");
  for (const [i, peer] of subscribers.entries()) {
    expect(peer.sendCount).toBe(i % 2 === 1 ? 3 : 2); // HELLO, the confirmation, and all of the messages
    expect(peer.taken()).toBe(i % 2 === 1 ? text.replaceAll("*3", ">3") : text);
  }
});

test("keys that die in one slice of the sweep are told in one write", async () => {
  const node = bareNode(scope, { "notify-keyspace-events": "Ex" });
  const [writer, listener] = [new Peer(node), new Peer(node)];
  listener.ask("SUBSCRIBE", "__keyevent@0__:expired");
  for (let n = 0; n < 100; n++) writer.ask("SET", `k${n}`, "v", "PX", 1);
  const before = listener.sendCount;
  await eventually(() => nowMs() > node.memory.nowMs + 2, 5000, "their time has come");
  const sweep = (): boolean => {
    node.cron.run(); // on a busy machine one turn's time may be over before all have gone
    return node.keys.size(0) === 0;
  };
  await eventually(sweep, 5000, "all are gone");
  expect(listener.taken().match(/\r\nk\d+\r\n/g)?.length).toBe(100);
  expect(listener.sendCount - before).toBeLessThan(20);
});

test("a subscriber that is gone leaves nothing behind", () => {
  const node = bareNode(scope);
  const peer = new Peer(node);
  peer.ask("SUBSCRIBE", "a", "b");
  peer.ask("PSUBSCRIBE", "p*");
  peer.ask("SSUBSCRIBE", "s");
  expect(node.pubsub).toMatchObject({ channelCount: 2, patternCount: 1, shardChannelCount: 1 });
  peer.close();
  expect(node.pubsub).toMatchObject({ channelCount: 0, patternCount: 0, shardChannelCount: 0 });
  expect(new Peer(node).ask("PUBLISH", "p", "x")).toBe(":0\r\n");
});

describe("a subscriber that does not read", () => {
  test("is cut by its limit, and nobody else is", () => {
    const limits = "normal 0 0 0 replica 0 0 0 pubsub 100kb 0 0";
    const node = bareNode(scope, { "client-output-buffer-limit": limits });
    const [publisher, slow, quick] = [new Peer(node), new Peer(node), new Peer(node)];
    for (const peer of [slow, quick]) peer.ask("SUBSCRIBE", "news");
    slow.reads = false;
    const text = "x".repeat(1000);
    let replies = "";
    for (let n = 0; n < 200; n++) replies += publisher.ask("PUBLISH", "news", text);
    expect(slow.isClosed).toBe(true);
    expect(slow.queuedBytes).toBeWithin(100 * 1024, 103 * 1024);
    expect(quick.taken()).toBe(message("news", text).repeat(200));
    expect(replies).toMatch(/^(:2\r\n){99,}(:1\r\n){90,}$/);
  });

  test("is cut amid a batch, and the batch runs on", () => {
    const limits = "normal 0 0 0 replica 0 0 0 pubsub 100kb 0 0";
    const node = bareNode(scope, { "client-output-buffer-limit": limits });
    const [publisher, slow, quick] = [new Peer(node), new Peer(node), new Peer(node)];
    for (const peer of [slow, quick]) peer.ask("SUBSCRIBE", "news");
    slow.reads = false;
    const batch = Array.from({ length: 300 }, () => encodeRequest(["PUBLISH", "news", "x".repeat(10_000)]));
    expect(publisher.chunk(Buffer.concat(batch))).toMatch(/^(:2\r\n)+(:1\r\n)+$/);
    expect(slow.isClosed).toBe(true);
    expect(quick.taken()).toBe(message("news", "x".repeat(10_000)).repeat(300));
  });
});

describe("slots that change hands", () => {
  test("take their channels along", () => {
    const node = bareNode(scope, { "cluster-enabled": "yes" });
    const [admin, peer] = [new Peer(node), new Peer(node)];
    peer.ask("SSUBSCRIBE", "{a}1", "{a}2");
    peer.ask("SSUBSCRIBE", "{b}1");
    peer.ask("SUBSCRIBE", "{a}1");
    const slot = (key: string): string => /\d+/.exec(admin.ask("CLUSTER", "KEYSLOT", key))![0];
    for (const key of ["a", "b"]) expect(admin.ask("CLUSTER", "ADDSLOTS", slot(key))).toBe("+OK\r\n");
    expect(peer.taken()).toBe("");
    expect(admin.ask("CLUSTER", "DELSLOTS", slot("a"))).toBe("+OK\r\n");
    expect(peer.taken()).toBe(
      [2, 1].map((left, i) => `*3\r\n$12\r\nsunsubscribe\r\n$4\r\n{a}${i + 1}\r\n:${left}\r\n`).join(""),
    );
    expect(peer.ask("SUNSUBSCRIBE")).toBe("*3\r\n$12\r\nsunsubscribe\r\n$4\r\n{b}1\r\n:0\r\n");
    expect(peer.ask("UNSUBSCRIBE")).toBe("*3\r\n$11\r\nunsubscribe\r\n$4\r\n{a}1\r\n:0\r\n");
  });
});
