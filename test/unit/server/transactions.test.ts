// Transactions seen from inside: what they cost while they wait, and what the log and replicas make of them.
import { expect, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import { eventually } from "../../support/eventually.ts";
import { startFakeMaster } from "../../support/fakemaster.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { encodeRequest } from "../../support/resp.ts";

const scope = fileScope();
const ID = "5".repeat(40);
const COPY = Buffer.concat([Buffer.from("REDIS0010\xff", "latin1"), Buffer.alloc(8)]);
const all = (...requests: string[][]): Buffer => Buffer.concat(requests.map(encodeRequest));

test("what waits for EXEC takes the bytes of its requests, and gives them back", () => {
  const node = bareNode(scope);
  const peer = new Peer(node);
  peer.ask("SET", "k", "0");
  const before = node.memory.usedBytes;
  const batch = all(...Array.from({ length: 1000 }, () => ["INCR", "k"]));
  peer.ask("MULTI");
  for (let i = 0; i < 100; i++) expect(peer.chunk(batch)).toBe("+QUEUED\r\n".repeat(1000));
  const [client] = node.clients.all();
  expect(client?.queuedCount).toBe(100_000);
  expect(client?.queuedBytes).toBeWithin(batch.length * 100, batch.length * 100 * 1.05);
  expect(node.memory.usedBytes - before).toBeLessThan(batch.length * 100 * 1.1);
  expect(peer.ask("EXEC")).toStartWith("*100000\r\n:1\r\n:2\r\n");
  expect(node.memory.usedBytes - before).toBeLessThan(600_000); // what the replies took stays ready
  peer.ask("MULTI");
  peer.chunk(batch);
  peer.close();
  expect(node.memory.usedBytes - before).toBeLessThan(600_000); // what the replies took stays ready
});

test("requests that wait for EXEC count against client-query-buffer-limit", () => {
  const node = bareNode(scope, { "client-query-buffer-limit": "2mb" });
  const peer = new Peer(node);
  const set = all(["SET", "k", "x".repeat(100_000)]);
  peer.ask("MULTI");
  for (let i = 0; i < 20; i++) peer.chunk(set);
  expect(peer.isClosed).toBe(false);
  peer.chunk(set);
  expect(peer.isClosed).toBe(true);
});

test("the log has what a transaction wrote between MULTI and EXEC, and nothing of one that wrote nothing", () => {
  const node = bareNode(scope);
  node.mutations.window = 1 << 20;
  const reader = node.mutations.open("test")!;
  const logged = (): string => {
    const bytes = Buffer.from(node.mutations.peek(reader)).toString("latin1");
    node.mutations.advance(reader, bytes.length);
    return bytes;
  };
  const peer = new Peer(node);
  peer.chunk(all(["MULTI"], ["GET", "a"], ["SET", "a", "1"], ["GETDEL", "a"], ["INCR", "b"], ["EXEC"]));
  expect(logged()).toBe(
    all(["SELECT", "0"], ["MULTI"], ["SET", "a", "1"], ["DEL", "a"], ["INCR", "b"], ["EXEC"]).toString(),
  );
  peer.chunk(all(["MULTI"], ["GET", "a"], ["SET", "a", "1", "XX"], ["EXEC"], ["MULTI"], ["INCR", "b"]));
  expect(logged()).toBe("");
  peer.chunk(all(["DISCARD"], ["INCR", "b"]));
  expect(logged()).toBe(all(["INCR", "b"]).toString());
});

test("one who waits is served behind the transaction that served them", () => {
  const node = bareNode(scope);
  node.mutations.window = 1 << 20;
  const reader = node.mutations.open("test")!;
  const [waiter, peer] = [new Peer(node), new Peer(node)];
  expect(waiter.ask("BLPOP", "l", "0")).toBe("");
  peer.chunk(all(["MULTI"], ["RPUSH", "l", "1", "2"], ["SET", "a", "1"], ["EXEC"]));
  expect(waiter.taken()).toBe("*2\r\n$1\r\nl\r\n$1\r\n1\r\n");
  expect(Buffer.from(node.mutations.peek(reader)).toString()).toBe(
    all(
      ["SELECT", "0"],
      ["MULTI"],
      ["RPUSH", "l", "1", "2"],
      ["SET", "a", "1"],
      ["EXEC"],
      ["LPOP", "l"],
    ).toString(),
  );
});

test("a link that breaks within a transaction brings it again from its beginning", async () => {
  const transaction = all(["MULTI"], ["SET", "a", "1"], ["SET", "b", "1"], ["EXEC"]);
  const half = transaction.subarray(0, -20);
  const master = await startFakeMaster(scope, (socket, turn) => {
    if (turn === 0) {
      socket.write(
        Buffer.concat([
          Buffer.from(`+FULLRESYNC ${ID} 100\r\n$${COPY.length}\r\n`),
          COPY,
          all(["PING"]),
          half,
        ]),
      );
      setTimeout(() => socket.destroy(), 100);
    } else socket.write(Buffer.concat([Buffer.from("+CONTINUE\r\n"), transaction]));
  });
  const node = bareNode(scope);
  node.replication.follow("127.0.0.1", master.port);
  node.replication.start();
  await eventually(() => master.asked.length === 2, 5000, "it came back");
  expect(master.asked[1]).toBe(`PSYNC ${ID} ${101 + all(["PING"]).length}`);
  const end = 100 + all(["PING"]).length + transaction.length;
  await eventually(() => node.replication.offset === end, 5000, "all has come");
  expect(new Peer(node).ask("MGET", "a", "b")).toBe("*2\r\n$1\r\n1\r\n$1\r\n1\r\n");
});
