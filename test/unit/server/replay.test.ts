// What a node logs makes another node the same: requests cut anywhere, inline or not, held by pauses and WAIT, clients
// that are killed, leave or do not read, keys that expire at any moment. By seed.
import { expect, test } from "bun:test";
import { STATE_KEEP_EXPIRED } from "../../../assembly/abi.ts";
import { HOW_TRACELESS } from "../../../src/engine/keys.ts";
import type { Node } from "../../../src/server/node.ts";
import { fileScope } from "../../support/cleanup.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { pickSeed, Random } from "../../support/random.ts";
import { encodeRequest } from "../../support/resp.ts";

const scope = fileScope();
const STEPS = 250;
const KEYS = 30;
const DATABASES = 3;
/** As a replica while it applies its master's stream: what has expired is as alive as any. */
const IGNORE = 2;

function command(random: Random): string[] {
  const key = (): string => `k${random.below(KEYS)}`;
  const value = (): string =>
    random.pick(["1", "17", "abc", "x".repeat(random.below(200)), "y".repeat(random.below(5000))]);
  const ms = (): string => String(1 + random.below(6));
  const database = (): string => String(random.below(DATABASES));
  const makers: readonly (() => string[])[] = [
    () => ["SET", key(), value()], () => ["SET", key(), value(), "PX", ms()], () => ["SET", key(), value(), "NX", "GET"],
    () => ["SET", key(), value(), "XX", "KEEPTTL"], () => ["SETEX", key(), "100", value()], () => ["GET", key()],
    () => ["GETEX", key(), "PX", ms()], () => ["GETEX", key(), "PERSIST"], () => ["GETDEL", key()], () => ["GETSET", key(), value()],
    () => ["SETNX", key(), value()], () => ["MSETNX", key(), value(), key(), value()], () => ["MSET", key(), value(), key(), value()],
    () => ["INCR", key()], () => ["DECRBY", key(), "5"], () => ["INCRBYFLOAT", key(), "0.5"], () => ["APPEND", key(), value()],
    () => ["SETRANGE", key(), String(random.below(100)), value()], () => ["DEL", key(), key()], () => ["RENAME", key(), key()],
    () => ["RENAMENX", key(), key()], () => ["COPY", key(), key(), "REPLACE"], () => ["COPY", key(), key(), "DB", database()],
    () => ["MOVE", key(), database()], () => ["PEXPIRE", key(), ms()], () => ["EXPIRE", key(), "100", "GT"], () => ["PERSIST", key()],
    () => ["PEXPIREAT", key(), "1"], () => ["SELECT", database()], () => ["SCAN", "0", "COUNT", "100"], () => ["KEYS", "*"],
    () => ["CLIENT", "PAUSE", String(random.below(3)), "WRITE"], () => ["CLIENT", "UNPAUSE"], () => ["CLIENT", "REPLY", "SKIP"],
    () => ["CLIENT", "KILL", "ID", String(random.below(100))], () => ["WAIT", "1", "2"], () => ["NOSUCH"], () => ["SET", key()],
    () => ["MULTI"], () => ["EXEC"], () => ["EXEC"], () => [random.chance(0.2) ? "DISCARD" : "PING"], () => ["WATCH", key()],
    () => ["ECHO", "z".repeat(random.below(90_000))], () => [random.chance(0.1) ? "QUIT" : "PING"],
    () => (random.chance(0.02) ? ["FLUSHDB"] : ["DBSIZE"]), () => (random.chance(0.1) ? ["SWAPDB", database(), database()] : ["PING"]),
  ]; // prettier-ignore
  return random.pick(makers)();
}

function batch(random: Random): Buffer {
  const requests = Array.from({ length: 1 + random.below(12) }, () => {
    const words = command(random);
    const isInline = random.chance(0.1) && words.every((word) => word.length > 0 && word.length < 5000);
    return isInline ? Buffer.from(`${words.map((word) => `"${word}"`).join(" ")}\r\n`) : encodeRequest(words);
  });
  return Buffer.concat(requests);
}

/** Every key with its value and expiry; looking changes nothing. */
function contents(node: Node): string[] {
  const { memory, keys } = node;
  const keep = memory.getU32(STATE_KEEP_EXPIRED);
  memory.setU32(STATE_KEEP_EXPIRED, IGNORE);
  const found: string[] = [];
  for (let database = 0; database < DATABASES; database++) {
    memory.database = database;
    for (let n = 0; n < KEYS; n++) {
      const key = Buffer.from(`k${n}`);
      const value = keys.string(key, HOW_TRACELESS);
      if (value === undefined) continue;
      const text = Buffer.from(memory.copy(value)).toString("latin1");
      found.push(`${database} k${n} ${keys.expireAtMs(key)} ${text}`);
    }
  }
  memory.setU32(STATE_KEEP_EXPIRED, keep);
  return found;
}

/** A node that applies what another logs; call what is returned to bring it up to date. */
function mirror(node: Node): { copy: Node; update: () => void } {
  const copy = bareNode(scope);
  const stream = new Peer(copy);
  for (const client of copy.clients.all()) {
    client.isMaster = true;
    client.replyMode = "off";
  }
  copy.memory.setU32(STATE_KEEP_EXPIRED, IGNORE);
  copy.changes.isFollowing = true;
  Object.defineProperty(copy, "keepsExpired", { get: () => true });
  node.mutations.window = 1 << 24;
  const reader = node.mutations.open("mirror");
  if (reader === undefined) throw new Error("the log cannot be read");
  const update = (): void => {
    node.changes.flush();
    for (let run = node.mutations.peek(reader); run.length > 0; run = node.mutations.peek(reader)) {
      stream.chunk(Buffer.from(run));
      node.mutations.advance(reader, run.length);
    }
    if (stream.isClosed) throw new Error("the log is no RESP");
  };
  return { copy, update };
}

const first = pickSeed();

test.each([first, first + 1, first + 2])("seed %d", async (seed) => {
  const random = new Random(seed);
  const node = bareNode(scope, { "client-output-buffer-limit": "normal 300kb 0 0" });
  const { copy, update } = mirror(node);
  const peers = Array.from({ length: 4 }, () => new Peer(node));
  for (let step = 0; step < STEPS; step++) {
    const at = random.below(peers.length);
    const peer = peers[at]!;
    const bytes = batch(random);
    if (random.chance(0.02)) peer.reads = false;
    const cut = random.chance(0.4) ? random.below(bytes.length) : 0;
    peer.chunk(bytes.subarray(0, cut));
    if (random.chance(0.02)) peer.close();
    else if (random.chance(0.2)) random.pick(peers.filter((other) => other !== peer)).chunk(batch(random));
    peer.chunk(bytes.subarray(cut));
    if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
    if (random.chance(0.05)) node.cron.run();
    if (random.chance(0.2)) {
      update();
      expect(contents(copy)).toEqual(contents(node));
    }
    for (const [i, { isClosed, isFinished }] of peers.entries()) {
      if (!isClosed && !isFinished) continue;
      peers[i]!.close();
      peers[i] = new Peer(node);
    }
  }
  update();
  expect(contents(copy)).toEqual(contents(node));
});
