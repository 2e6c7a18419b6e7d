// Replicas that lie, by seed: in what they say of themselves, in what they ask for and acknowledge, in what they read.
// Whatever they do, the master serves others between any two of their requests, keeps nothing for those that are gone,
// and an honest replica has all of it next.
import { afterEach, expect, setSystemTime, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import type { Node } from "../../../src/server/node.ts";
import { RdbReader } from "../../../src/replication/rdb-reader.ts";
import { codecOf } from "../../../src/server/rdb-intake.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { type Random, seeded } from "../../support/random.ts";
import type { Argument } from "../../support/resp.ts";
import { expectServes } from "../../support/serves.ts";

const scope = fileScope();
afterEach(() => setSystemTime());

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const OFFSETS = [
  "0",
  "1",
  "-1",
  "-5",
  "57",
  "100000",
  "9007199254740991",
  "9007199254740993",
  "99999999999999999999",
  "x",
  "",
];

function request(random: Random, node: Node): readonly Argument[] {
  const { replId } = node.replication.history;
  const { end } = node.mutations;
  const offset = (): string =>
    random.pick([...OFFSETS, String(end), String(end + 1), String(end + 2), String(random.below(end + 1))]);
  return random.weighted<readonly Argument[]>([
    [4, () => ["REPLCONF", "ACK", offset()]],
    [3, () => ["REPLCONF", "capa", random.pick(["eof", "psync2", "x"])]],
    [1, () => ["REPLCONF", "listening-port", offset()]],
    [1, () => ["REPLCONF", "ip-address", random.pick(["a\nb", "1.2.3.4", "", "x".repeat(300)])]],
    [1, () => ["REPLCONF", "rdb-only", random.pick([0, 1, 2])]],
    [1, () => ["REPLCONF", "rdb-filter-only", random.pick(["", "functions", "x"])]],
    [1, () => ["REPLCONF", "GETACK", "*"]],
    [1, () => ["REPLCONF", random.pick(["", "x"]), ...(random.chance(0.5) ? ["y"] : [])]],
    [
      6,
      () => ["PSYNC", random.pick(["?", replId, replId.toUpperCase(), "0".repeat(40), "", "\r\n"]), offset()],
    ],
    [3, () => ["SYNC"]],
    [
      3,
      () =>
        random.pick([
          ["SET", "key:1", "theirs"],
          ["GET", "key:1"],
          ["PING"],
          ["MULTI"],
          ["EXEC"],
          ["WAIT", 1, 1],
          ["SUBSCRIBE", "c"],
          ["MONITOR"],
          ["CLIENT", "REPLY", "OFF"],
          ["INFO"],
          ["ROLE"],
          ["FLUSHALL"],
          ["REPLICAOF", "NO", "ONE"],
          ["CLIENT", "KILL", "TYPE", "replica"],
          ["RESET"],
          ["QUIT"],
        ] as const),
    ],
  ]);
}

function act(random: Random, node: Node, peers: Peer[], writer: Peer): void {
  if (peers.length === 0 || random.chance(0.1)) {
    const peer = new Peer(node);
    peer.reads = random.chance(0.6);
    peers.push(peer);
  }
  const peer = random.pick(peers);
  random.weighted<void>([
    [12, () => peer.say(...request(random, node))],
    [1, () => void peer.chunk(random.bytes(random.between(1, 60)))],
    [1, () => void peer.chunk("\n".repeat(random.between(1, 1000)))],
    [2, () => peer.drain()],
    [1, () => void (peer.reads = !peer.reads)],
    [2, () => peer.close()],
    [5, () => void writer.ask("SET", `key:${random.below(500)}`, "v".repeat(random.below(3000)))],
    [
      1,
      () => {
        setSystemTime(Date.now() + random.below(3000));
        node.replication.master.tick(true);
      },
    ],
  ]);
}

/** An honest replica's copy and stream. */
async function follow(node: Node): Promise<void> {
  const replica = new Peer(node);
  for (const name of ["eof", "psync2"]) replica.ask("REPLCONF", "capa", name);
  replica.say("PSYNC", "?", -1);
  let sent = "";
  let mark: string | undefined;
  // Turns, not time: as many as the whole of it may take.
  for (let i = 0; i < 5000 && (mark === undefined || !sent.endsWith(mark)); i++) {
    await turn();
    sent += replica.taken();
    mark ??= /\$EOF:(.{40})\r\n/.exec(sent)?.[1];
  }
  const offset = /^\+FULLRESYNC [0-9a-f]{40} (\d+)\r\n\$/.exec(sent)?.[1];
  const from = sent.indexOf("REDIS");
  let keys = 0;
  const ignore = { needed: 0, feed: () => 0, abandon: () => {} };
  const sink = { aux: () => {}, string: () => keys++, collection: () => ignore };
  const reader = new RdbReader(sink, codecOf(node.rdb));
  reader.feed(Buffer.from(sent.slice(from, -40), "latin1"));
  reader.finish();
  expect(keys).toBe(node.keys.total());
  replica.say("REPLCONF", "ACK", Number(offset));
  const writer = new Peer(node);
  writer.ask("SET", "last", "word");
  await turn();
  expect(replica.taken()).toEndWith("$3\r\nSET\r\n$4\r\nlast\r\n$4\r\nword\r\n");
  replica.close();
  writer.close();
}

test("a master outlives the lies of replicas", async () => {
  await seeded(async (random) => {
    for (let round = 0; round < 5; round++) {
      const delays = { "repl-diskless-sync-delay": "1", "repl-diskless-sync-max-replicas": "4" };
      const node = bareNode(scope, {
        "client-output-buffer-limit": "replica 4mb 1mb 5",
        ...(random.chance(0.3) ? delays : {}),
      });
      const writer = new Peer(node);
      for (let i = 0; i < 500; i++) writer.ask("SET", `key:${i}`, "v".repeat(random.below(3000)));
      const peers: Peer[] = [];
      for (let i = 0; i < 400; i++) {
        act(random, node, peers, writer);
        expect(writer.ask("PING")).toBe("+PONG\r\n");
        if (random.chance(0.3)) await turn();
      }
      expect(node.replication.master.copyBytes).toBeLessThan(40 << 20);
      for (const { ackOffset } of node.replication.master.replicas)
        expect(ackOffset).toBeLessThanOrEqual(node.mutations.end);
      for (const peer of peers) peer.close();
      await turn();
      expect(node.replication.master.replicas).toEqual([]);
      expect(node.replication.master.copyBytes).toBe(0);
      expect([...node.clients.all()].length).toBe(1);
      setSystemTime();
      node.config.set([["repl-diskless-sync-delay", "0"]]);
      await follow(node);
      // Nobody reads the log but the window kept for those who come back.
      expect(node.mutations.end - node.mutations.start).toBeLessThanOrEqual(1 << 20);
      expectServes(scope, node);
      node.stop();
    }
  });
}, 120_000);
