// Copies for replicas: made once for all who ask in time, kept once until all have taken them, and never more work in
// one turn than others can wait for, whoever asks and whoever does not read.
import { afterEach, expect, setSystemTime, test } from "bun:test";
import { rmSync } from "node:fs";
import { RdbReader } from "../../../src/replication/rdb-reader.ts";
import type { Node } from "../../../src/server/node.ts";
import { codecOf } from "../../../src/server/rdb-intake.ts";
import { COPY_WINDOW } from "../../../src/server/replica-copy.ts";
import { TURN_BYTES } from "../../../src/server/replication-master.ts";
import { fileScope } from "../../support/cleanup.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { Random } from "../../support/random.ts";
import { encodeRequest } from "../../support/resp.ts";

const scope = fileScope();
afterEach(() => setSystemTime());

const VALUE_BYTES = 100_000;
/** Bytes that do not shrink. */
const value = new Random(1).bytes(VALUE_BYTES);

/** How many pieces of values were serialised, by node. */
const pieces = new WeakMap<Node, number>();
const piecesOf = (node: Node): number => pieces.get(node) ?? 0;

function counting(directives: Readonly<Record<string, string>> = {}): Node {
  const node = bareNode(scope, { rdbcompression: "no", ...directives });
  const slot = node.rdb.slot.bind(node.rdb);
  node.rdb.slot = (database, number, write) =>
    slot(database, number, (bytes) => {
      pieces.set(node, piecesOf(node) + 1);
      write(bytes);
    });
  return node;
}

function filled(megabytes: number, directives: Readonly<Record<string, string>> = {}): Node {
  const node = counting(directives);
  const peer = new Peer(node);
  for (let i = 0; i < megabytes * 10; i++) peer.ask("SET", `key:${i}`, value);
  return node;
}

interface Asked {
  readonly reads?: boolean;
  readonly capabilities?: readonly string[];
  readonly request?: readonly (string | number)[];
}

function replica(node: Node, { reads = true, capabilities = ["eof", "psync2"], request }: Asked = {}): Peer {
  const peer = new Peer(node);
  for (const name of capabilities) peer.ask("REPLCONF", "capa", name);
  peer.reads = reads;
  peer.say(...(request ?? ["PSYNC", "?", -1]));
  return peer;
}

/** Bytes of the answers to its capabilities. */
const OKS = 10;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Turns until nothing happens any more; what all these were sent in the fullest of them. */
async function quiet(node: Node, peers: readonly Peer[]): Promise<number> {
  const sent = (): number => peers.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  let [before, madeBefore, most, calm] = [sent(), piecesOf(node), 0, 0];
  const other = new Peer(node);
  while (calm < 5) {
    await turn();
    expect(other.ask("PING")).toBe("+PONG\r\n");
    const [now, made] = [sent(), piecesOf(node)];
    most = Math.max(most, now - before);
    calm = now === before && made === madeBefore ? calm + 1 : 0;
    before = now;
    madeBefore = made;
  }
  other.close();
  return most;
}

/** The moment goes on, and the node with it. */
function later(node: Node, ms: number): void {
  setSystemTime(Date.now() + ms);
  node.replication.master.tick(true);
}

/** What a replica was sent: the line that answers, how many keys the copy holds, and what follows it. */
function read(node: Node, sent: string): { line: string; keys: number; rest: string } {
  const head = /^\n*(\+[^\r]*\r\n)?\n*\$(EOF:(.{40})|(\d+))\r\n/.exec(sent);
  if (head === null) throw new Error(`no copy: ${sent.slice(0, 100)}`);
  const [start, line = "", , mark, size] = head;
  const end = mark === undefined ? start.length + Number(size) : sent.indexOf(mark, start.length);
  let keys = 0;
  const unexpected = (): never => {
    throw new Error("a collection");
  };
  const sink = { aux: () => {}, string: () => keys++, collection: unexpected };
  const reader = new RdbReader(sink, codecOf(node.rdb));
  reader.feed(Buffer.from(sent.slice(start.length, end), "latin1"));
  reader.finish();
  return { line: line.trim(), keys, rest: sent.slice(end + (mark?.length ?? 0)) };
}

test("twenty that ask and do not read cost a window, and no turn more than its share", async () => {
  const node = filled(60);
  const asked: Asked[] = [{ request: ["SYNC"] }, {}, { capabilities: ["eof"] }];
  const peers = Array.from({ length: 20 }, (_, i) => replica(node, { ...asked[i % 3], reads: false }));
  const most = await quiet(node, peers);
  expect(most).toBeLessThanOrEqual(TURN_BYTES + 20 * 65536);
  expect(node.replication.master.copyBytes).toBeLessThan(COPY_WINDOW + (2 << 20));
  for (const { queuedBytes } of peers) expect(queuedBytes).toBeLessThanOrEqual(2 * 65536);
  // As much was serialised as the window holds, once: a quarter of the values.
  expect(piecesOf(node)).toBeLessThan(300);
  // What holds up others for a minute is closed.
  later(node, 1);
  later(node, 62_000);
  expect(peers.every(({ isClosed }) => isClosed)).toBe(true);
  expect(node.replication.master.copyBytes).toBe(0);
  expect(node.snapshots.source.databases()).toEqual([0]);
}, 60_000);

test("who reads is not held up by those who do not, and all read the same", async () => {
  const node = filled(24);
  const stuck = Array.from({ length: 5 }, () => replica(node, { reads: false }));
  const readers = Array.from({ length: 3 }, () => replica(node));
  await quiet(node, [...stuck, ...readers]);
  later(node, 0); // looks at who takes nothing
  later(node, 2000);
  const most = await quiet(node, readers);
  expect(most).toBeLessThanOrEqual(TURN_BYTES + 65536);
  expect(piecesOf(node)).toBe(240);
  const sent = readers.map((reader) => reader.taken());
  expect(read(node, sent[0] as string).keys).toBe(240);
  expect(read(node, sent[0] as string).line).toMatch(/^\+FULLRESYNC [0-9a-f]{40} \d+$/);
  expect(new Set(sent).size).toBe(1);
  expect(node.replication.master.copyBytes).toBeLessThan(26 << 20); // once, for those who lag
}, 60_000);

test("one that lags beyond the limit of replicas is closed, and the memory given back", async () => {
  const node = filled(24, { "client-output-buffer-limit": "replica 20mb 0 0" });
  const stuck = replica(node, { reads: false });
  const reader = replica(node);
  await quiet(node, [stuck, reader]);
  later(node, 0);
  later(node, 2000);
  await quiet(node, [stuck, reader]);
  expect(read(node, reader.taken()).keys).toBe(240);
  later(node, 100);
  expect([stuck.isClosed, reader.isClosed]).toEqual([true, false]);
  expect(node.replication.master.copyBytes).toBe(0);
}, 60_000);

test("who comes when the beginning is gone has the next copy, with what was written since", async () => {
  const node = filled(24);
  const first = replica(node, { reads: false });
  await quiet(node, [first]);
  first.reads = true;
  const late = replica(node); // the window is full
  new Peer(node).ask("SET", "meanwhile", "1");
  await quiet(node, [first, late]);
  expect(late.sentBytes).toBe(OKS);
  expect(piecesOf(node)).toBeLessThan(240);
  for (let i = 0; i < 100; i++) first.drain();
  await quiet(node, [first, late]);
  expect(read(node, first.taken()).keys).toBe(240);
  expect(read(node, late.taken()).keys).toBe(241);
  expect(piecesOf(node)).toBe(481);
}, 60_000);

test("who takes a copy steadily is not pushed beyond its limit for those who wait: they get one beside it", async () => {
  const node = filled(40, { "client-output-buffer-limit": "replica 20mb 0 0" });
  const steady = replica(node, { reads: false });
  await quiet(node, [steady]);
  const late = replica(node); // the window is full
  for (let i = 0; i < 70; i++) {
    for (let n = 0; n < 4; n++) steady.drain();
    later(node, 100);
    await turn();
  }
  await quiet(node, [late]);
  expect(steady.isClosed).toBe(false);
  expect(read(node, late.taken()).keys).toBe(400);
}, 60_000);

test("a copy does not begin within a transaction, which has changed what it has not logged", async () => {
  const node = filled(24);
  const first = new Peer(node);
  const id = Number(first.ask("CLIENT", "ID").slice(1));
  first.ask("REPLCONF", "capa", "eof");
  first.reads = false;
  first.say("PSYNC", "?", -1);
  await quiet(node, [first]);
  const late = replica(node); // waits for the first one's end
  const writer = new Peer(node);
  for (const words of [["MULTI"], ["INCR", "a"], ["CLIENT", "KILL", "ID", id], ["INCR", "b"]])
    writer.ask(...words);
  writer.ask("EXEC");
  const { end } = node.mutations;
  await quiet(node, [late]);
  const { line, keys } = read(node, late.taken());
  expect(Number(line.split(" ")[2])).toBe(end);
  expect(keys).toBe(242);
}, 60_000);

test("replicas of small data share a copy as long as anybody has not taken it", async () => {
  const node = filled(2);
  const stuck = replica(node, { reads: false });
  await quiet(node, [stuck]);
  const writer = new Peer(node);
  writer.ask("SET", "meanwhile", "1");
  const others = Array.from({ length: 50 }, () => replica(node, { reads: false }));
  await quiet(node, others);
  expect(piecesOf(node)).toBe(20);
  const late = replica(node);
  await quiet(node, [late]);
  expect(piecesOf(node)).toBe(20);
  const { keys, line } = read(node, late.taken());
  expect(keys).toBe(20);
  late.say("REPLCONF", "ACK", Number(line.split(" ")[2]));
  await turn();
  expect(node.replication.master.replicas.at(-1)?.phase).toBe("online");
  expect(late.taken()).toEndWith("$9\r\nmeanwhile\r\n$1\r\n1\r\n");
  expect(node.replication.master.copyBytes).toBeLessThan(4 << 20);
});

test("those that must know the size share a file", async () => {
  const node = filled(20);
  const all = Array.from({ length: 12 }, (_, i) =>
    replica(node, { reads: i % 2 === 0, capabilities: [], request: i < 6 ? ["SYNC"] : ["PSYNC", "?", -1] }),
  );
  const most = await quiet(node, all);
  expect(most).toBeLessThanOrEqual(TURN_BYTES + 12 * 65536);
  expect(piecesOf(node)).toBe(200);
  expect(node.replication.master.copyBytes).toBeLessThan(3 << 20);
  for (const [i, peer] of all.entries()) {
    if (i % 2 === 0) expect(read(node, peer.taken()).keys).toBe(200);
    else expect(peer.queuedBytes).toBeLessThanOrEqual(2 * 65536);
  }
  expect(node.replication.master.replicas.filter(({ phase }) => phase === "online").length).toBe(6);
});

test("a copy whose file the disk refuses to one replica is not kept for it", async () => {
  const node = filled(40);
  const reader = replica(node);
  rmSync(node.directory, { recursive: true });
  const refused = replica(node, { capabilities: [] });
  let most = 0;
  for (let i = 0; i < 400; i++) {
    await turn();
    most = Math.max(most, node.replication.master.copyBytes);
  }
  await quiet(node, [reader]);
  expect(refused.isClosed).toBe(true);
  expect(read(node, reader.taken()).keys).toBe(400);
  expect(most).toBeLessThan(COPY_WINDOW + (1 << 20));
}, 60_000);

test("a write meanwhile leaves the copy as of its cut, and follows it", async () => {
  const node = filled(30);
  const writer = new Peer(node);
  const one = replica(node, { reads: false });
  await quiet(node, [one]);
  for (let i = 0; i < 300; i++) writer.ask("SET", `key:${i}`, "new");
  writer.ask("SET", "fresh", "x");
  const fast = replica(node);
  one.reads = true;
  for (let i = 0; i < 2000; i++) one.drain();
  await quiet(node, [one, fast]);
  const { keys, line } = read(node, one.taken());
  expect(keys).toBe(300);
  one.say("REPLCONF", "ACK", Number(line.split(" ")[2]));
  await turn();
  expect(one.taken().match(/\$3\r\nSET\r\n/g)?.length).toBe(301);
}, 60_000);

test("a copy waits for more replicas as long as it is told to", async () => {
  const node = filled(1, { "repl-diskless-sync-delay": "5", "repl-diskless-sync-max-replicas": "3" });
  const [first, second] = [replica(node), replica(node)];
  await turn();
  later(node, 3000);
  await turn();
  // Signs of life, and nothing else.
  expect([first.taken(), second.taken()]).toEqual(["\n", "\n"]);
  expect(new Peer(node).ask("INFO", "replication")).toContain("state=wait_bgsave");
  later(node, 2500);
  await quiet(node, [first, second]);
  for (const peer of [first, second]) expect(read(node, peer.taken()).line).toStartWith("+FULLRESYNC");
  expect(piecesOf(node)).toBe(10);
  // So many that it need not wait.
  const three = Array.from({ length: 3 }, () => replica(node));
  await quiet(node, three);
  for (const peer of three) expect(read(node, peer.taken()).keys).toBe(10);
  expect(piecesOf(node)).toBe(20);
});

test("many that come back to an old offset share the backlog", async () => {
  const node = counting({ "repl-backlog-size": "64mb" });
  const first = replica(node);
  await quiet(node, [first]);
  const { line } = read(node, first.taken());
  const [, id, offset] = line.split(" ") as [string, string, string];
  const writer = new Peer(node);
  for (let i = 0; i < 200; i++) writer.ask("SET", "key", value);
  first.close();
  const request = ["PSYNC", id, Number(offset) + 1];
  const stuck = Array.from({ length: 50 }, () => replica(node, { reads: false, request }));
  const readers = Array.from({ length: 2 }, () => replica(node, { request }));
  const most = await quiet(node, [...stuck, ...readers]);
  expect(most).toBeLessThanOrEqual(TURN_BYTES + 65536);
  for (const { queuedBytes } of stuck) expect(queuedBytes).toBeLessThanOrEqual(2 * 65536);
  const sets = readers.map(
    (peer) => peer.taken().split(encodeRequest(["SET"]).toString().slice(4)).length - 1,
  );
  expect(sets).toEqual([200, 200]);
}, 60_000);

test("a copy nobody wants any more ends, and so does a wait for one", async () => {
  const node = filled(24);
  const [taking, waiting] = [replica(node, { reads: false }), replica(node, { reads: false })];
  await quiet(node, [taking]);
  const late = replica(node);
  expect(late.sentBytes).toBe(OKS);
  taking.close();
  waiting.close();
  await quiet(node, [late]);
  expect(read(node, late.taken()).keys).toBe(240);
  late.close();
  expect(node.replication.master.copyBytes).toBe(0);
  expect(node.gates.closed & 256).toBe(0); // writes pass no snapshot
}, 60_000);
