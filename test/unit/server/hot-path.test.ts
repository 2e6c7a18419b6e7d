// The path every request takes, where connections and memory end in its middle: what was run is logged as it was run,
// and what cannot be answered is refused.
import { describe, expect, test } from "bun:test";
import { STATE_MEMORY_LIMIT } from "../../../assembly/abi.ts";
import type { Node } from "../../../src/server/node.ts";
import { fileScope } from "../../support/cleanup.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { encodeRequest } from "../../support/resp.ts";

const scope = fileScope();
const PAGE = 65536;

/** Gives what the node logs from now on. */
function logOf(node: Node): () => string {
  node.mutations.window = 1 << 24;
  const reader = node.mutations.open("test");
  if (reader === undefined) throw new Error("the log cannot be read");
  return () => {
    let text = "";
    for (let run = node.mutations.peek(reader); run.length > 0; run = node.mutations.peek(reader)) {
      text += Buffer.from(run).toString("latin1");
      node.mutations.advance(reader, run.length);
    }
    return text;
  };
}

/** Lets the node's memory grow by so many pages more, and then fills it. */
function fill(node: Node, peer: Peer, pages: number): void {
  node.memory.setF64(STATE_MEMORY_LIMIT, node.memory.bytes.length + pages * PAGE);
  for (const size of [30_000, 1000, 1]) {
    let reply = "+OK\r\n";
    for (let i = 0; reply === "+OK\r\n"; i++)
      reply = peer.ask("SET", `filler:${size}:${i}`, "x".repeat(size));
    expect(reply).toStartWith("-OOM");
  }
}

describe("a connection that ends amid its own requests", () => {
  const set = encodeRequest(["SET", "key", "value"]);

  test("over its output limit: what ran before is logged whole", () => {
    const node = bareNode(scope, { "client-output-buffer-limit": "normal 1mb 0 0" });
    const peer = new Peer(node);
    peer.ask("SET", "big", "x".repeat(300_000));
    const logged = logOf(node);
    peer.reads = false;
    const gets = Array.from({ length: 10 }, () => encodeRequest(["GET", "big"]));
    const batch = Buffer.concat([set, set, ...gets]);
    peer.chunk(batch.subarray(0, 10)); // an incomplete request gives the client a block of its own
    peer.chunk(batch.subarray(10));
    expect(peer.isClosed).toBe(true);
    expect(logged()).toBe(`${encodeRequest(["SELECT", 0])}${set}${set}`);
  });

  test("by speaking HTTP: what ran before is logged whole", () => {
    const node = bareNode(scope);
    const peer = new Peer(node);
    const logged = logOf(node);
    const batch = Buffer.concat([set, set, Buffer.from("POST / HTTP/1.1\r\n"), set]);
    peer.chunk(batch.subarray(0, 10));
    peer.chunk(batch.subarray(10));
    expect(peer.isClosed).toBe(true);
    expect(logged()).toBe(`${encodeRequest(["SELECT", 0])}${set}${set}`);
  });
});

describe("at the ceiling of memory", () => {
  test.each([
    ["PING", ["PING"], "+PONG\r\n"],
    ["a handler's reply", ["ECHO", "y".repeat(90)], `$90\r\n${"y".repeat(90)}\r\n`],
    ["a missing key", ["GET", "none"], "$-1\r\n"],
    ["a value", ["GET", "small"], `$1000\r\n${"x".repeat(1000)}\r\n`],
    ["a wrong arity", ["GET"], "-ERR wrong number of arguments for 'get' command\r\n"],
    ["an unknown command", ["NOSUCH"], "-ERR unknown command 'NOSUCH', with args beginning with: \r\n"],
  ])("pipelines are answered in full: %s", (_, request, reply) => {
    const node = bareNode(scope);
    const peer = new Peer(node);
    peer.ask("SET", "small", "x".repeat(1000));
    fill(node, peer, 4);
    const count = 5000;
    const batch = Buffer.concat(Array.from({ length: count }, () => encodeRequest(request)));
    let received = "";
    for (let at = 0; at < batch.length; at += 400_000)
      received += peer.chunk(batch.subarray(at, at + 400_000));
    expect(received).toBe(reply.repeat(count));
  });

  test("a reply beyond what is left is refused, and the next served", () => {
    const node = bareNode(scope);
    const peer = new Peer(node);
    peer.ask("SET", "big", "x".repeat(1_000_000));
    fill(node, peer, 4);
    expect(peer.ask("GET", "big")).toStartWith("-OOM");
    expect(peer.ask("CONFIG", "GET", "z".repeat(100))).toBe("*0\r\n");
    expect(peer.ask("DEL", "big")).toBe(":1\r\n");
    expect(peer.ask("SET", "key", "value")).toBe("+OK\r\n");
  });
});
