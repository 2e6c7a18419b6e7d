// A node that follows a master which does not behave: what it then holds, says of itself, and keeps.
import { expect, test } from "bun:test";
import { STATE_MEMORY_LIMIT } from "../../../assembly/abi.ts";
import type { Node } from "../../../src/server/node.ts";
import { fileScope } from "../../support/cleanup.ts";
import { eventually } from "../../support/eventually.ts";
import { startFakeMaster } from "../../support/fakemaster.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { encodeRequest } from "../../support/resp.ts";

const scope = fileScope();
const ID = "5".repeat(40);
const copy = (entries: string): Buffer =>
  Buffer.concat([Buffer.from(`REDIS0010\xfe\0${entries}\xff`, "latin1"), Buffer.alloc(8)]);
const GOOD = copy("\0\x03old\x01o");
/** A value of 2 MiB. */
const LARGE = copy(`\0\x03old\x80\0\x20\0\0${"o".repeat(2 << 20)}`);
const headed = (rdb: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`+FULLRESYNC ${ID} 100\r\n$${rdb.length}\r\n`), rdb]);

const isOnline = (node: Node): boolean => node.replication.replica.machine.isOnline;

test.each([
  ["small", GOOD],
  ["large", LARGE],
])("nothing of a %s copy that broke off counts in an election", async (_size, whole) => {
  const turns: (() => void)[] = [];
  const master = await startFakeMaster(scope, (socket, turn) => {
    if (turn === 0) socket.write(headed(whole).subarray(0, -10)); // stays open: the copy goes on for ever
    turns.push(() => socket.destroy());
  });
  const node = bareNode(scope);
  const stillToCome = (): number =>
    whole.length - (node.replication.replica.machine.copyProgress?.received ?? 0);
  node.replication.follow("127.0.0.1", master.port);
  await eventually(() => stillToCome() === 10, 5000, "the copy has come but for its end");
  // A small one is put in place in one go: until then nobody finds the node loading.
  expect(node.replication.isLoading).toBe(whole === LARGE);
  expect(node.replication.masterSeenAtMs).toBe(0);
  expect(node.replication.standing).toBe(0);
  turns[0]?.();
  await eventually(() => !node.replication.isLoading, 5000, "the copy is given up");
  expect(node.replication.masterSeenAtMs).toBe(0);
  expect(node.replication.standing).toBe(0);
});

test("a master that asks its replica for data leaves nothing behind", async () => {
  const master = await startFakeMaster(scope, (socket, turn) => {
    if (turn === 0) {
      const requests = [["PSYNC", "?", "-1"], ["SYNC"], ["MONITOR"], ["REPLCONF", "listening-port", "1"]];
      socket.write(Buffer.concat([headed(GOOD), ...requests.map(encodeRequest)]));
      setTimeout(() => socket.destroy(), 100);
    } else socket.write(headed(GOOD));
  });
  const node = bareNode(scope);
  node.replication.follow("127.0.0.1", master.port);
  node.replication.start();
  await eventually(() => master.asked.length === 2 && isOnline(node), 5000, "it came back");
  expect(node.replication.master.replicas).toEqual([]);
  expect(node.clients.monitorCount).toBe(0);
});

test("what memory has no room for breaks the link: data that differ must not be taken for the master's", async () => {
  const full: { socket(bytes: Uint8Array): void } = { socket: () => {} };
  const master = await startFakeMaster(scope, (socket) => {
    socket.write(headed(GOOD));
    full.socket = (bytes) => socket.write(bytes);
  });
  const node = bareNode(scope);
  node.replication.follow("127.0.0.1", master.port);
  await eventually(() => isOnline(node), 5000, "the copy is in place");
  expect(new Peer(node).ask("GET", "old")).toBe("$1\r\no\r\n");
  const seen = node.replication.masterSeenAtMs;
  expect(seen).toBeGreaterThan(0);
  node.memory.setF64(STATE_MEMORY_LIMIT, node.memory.bytes.length);
  full.socket(encodeRequest(["SET", "new", Buffer.alloc(40_000_000)]));
  await eventually(() => !isOnline(node), 5000, "the link is broken");
  expect(node.replication.standing).toBe(0);
});

/** A copy that says something of itself before it holds a key. */
const about = (name: string, value: string): Buffer => {
  const text = (part: string): string => String.fromCharCode(part.length) + part;
  const head = `REDIS0010\xfa${text(name)}${text(value)}\xfe\0\0\x03old\x01o\xff`;
  return Buffer.concat([Buffer.from(head, "latin1"), Buffer.alloc(8)]);
};

test.each(["1e9", "-1", "16", "x", "1.5"])(
  "a stream said to be in database %s is no stream",
  async (database) => {
    const turns: number[] = [];
    const master = await startFakeMaster(scope, (socket, turn) => {
      turns.push(turn);
      socket.write(headed(turn === 0 ? about("repl-stream-db", database) : about("repl-stream-db", "3")));
      socket.write(encodeRequest(["SET", "new", "n"]));
    });
    const node = bareNode(scope);
    node.replication.follow("127.0.0.1", master.port);
    node.replication.start();
    const peer = new Peer(node);
    peer.ask("SELECT", 3);
    await eventually(
      () => peer.ask("GET", "new") === "$1\r\nn\r\n",
      5000,
      "the stream goes on in database 3",
    );
    expect(turns).toEqual([0, 1]);
  },
);

test.each([
  ["a database that is not there", ["SELECT", "99"]],
  ["the end of the process", ["SHUTDOWN", "NOW"]],
  ["another master", ["REPLICAOF", "NO", "ONE"]],
  ["a new connection", ["RESET"]],
  ["replies", ["CLIENT", "REPLY", "ON"]],
  ["a read", ["GET", "old"]],
  ["what is no command", ["NONE"]],
])("a master's stream that asks for %s is left, and its data taken anew", async (_what, request) => {
  let kept: string | undefined;
  const master = await startFakeMaster(scope, (socket, turn) => {
    socket.write(headed(GOOD));
    if (turn === 0) {
      socket.write(Buffer.concat([request, ["SET", "wrong", "w"]].map(encodeRequest)));
      socket.on("close", () => (kept = new Peer(node).ask("GET", "wrong")));
    } else socket.write(encodeRequest(["SET", "new", "n"]));
  });
  const node = bareNode(scope);
  node.ended = () => {
    throw new Error("the master ended the node");
  };
  node.replication.follow("127.0.0.1", master.port);
  node.replication.start();
  const peer = new Peer(node);
  await eventually(() => peer.ask("GET", "new") === "$1\r\nn\r\n", 5000, "the second stream is followed");
  expect(master.asked.slice(1)).toEqual(["PSYNC ? -1"]);
  expect(kept).toBe("$-1\r\n"); // nothing behind the fault was run
});

test("a transaction in fifty thousand pieces counts once its end is here", async () => {
  const master = await startFakeMaster(scope, (socket) => void socket.write(headed(GOOD)));
  const node = bareNode(scope);
  node.replication.follow("127.0.0.1", master.port);
  await eventually(() => isOnline(node), 5000, "the copy is in place");
  const { replica } = node.replication;
  const before = node.replication.offset;
  replica.feed({ type: "received", bytes: encodeRequest(["MULTI"]) });
  const set = encodeRequest(["SET", "a", "b"]);
  for (let i = 0; i < 50_000; i++) replica.feed({ type: "received", bytes: set });
  expect(node.replication.offset).toBe(before);
  replica.feed({ type: "received", bytes: encodeRequest(["EXEC"]) });
  expect(node.replication.offset).toBe(before + 50_000 * set.length + 15 + 14);
});
