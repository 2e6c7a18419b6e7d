// Keys on their way to another server: who waits for them, who does not, and what becomes of them however it ends.
import { expect, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeTarget, WAIT_MS } from "../../support/fake-target.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { Random } from "../../support/random.ts";
import type { Node } from "../../../src/server/node.ts";

const scope = fileScope();

const OK = "+OK\r\n";
const LONG_MS = 60_000;

interface Stage {
  readonly node: Node;
  readonly target: FakeTarget;
  /** Whose MIGRATE it is. */
  readonly mover: Peer;
  readonly other: Peer;
}

async function stage(): Promise<Stage> {
  const node = bareNode(scope);
  return { node, target: await FakeTarget.start(scope), mover: new Peer(node), other: new Peer(node) };
}

/** MIGRATE is on its way with those keys, whose RESTOREs the target has got and not answered. */
async function inFlight(keys: readonly string[], timeoutMs = LONG_MS): Promise<Stage> {
  const made = await stage();
  const { target, mover, other } = made;
  for (const key of keys) other.ask("SET", key, `old ${key}`);
  expect(mover.ask("MIGRATE", "127.0.0.1", target.port, "", 0, timeoutMs, "KEYS", ...keys)).toBe("");
  await target.got(1 + keys.length);
  return made;
}

async function told(peer: Peer): Promise<string> {
  await eventually(() => peer.peek() !== "", WAIT_MS, "an answer");
  return peer.taken();
}

test("reads of a key in flight are served, and so are writes of others", async () => {
  const { target, mover, other } = await inFlight(["k"]);
  expect(other.ask("GET", "k")).toBe("$5\r\nold k\r\n");
  expect(other.ask("SET", "another", 1)).toBe(OK);
  expect(other.ask("MGET", "k", "another")).toBe("*2\r\n$5\r\nold k\r\n$1\r\n1\r\n");
  target.say("+OK\r\n+OK\r\n");
  expect(await told(mover)).toBe(OK);
  expect(other.ask("EXISTS", "k")).toBe(":0\r\n");
});

for (const [how, said, left] of [
  ["arrives", "+OK\r\n+OK\r\n", "new"],
  ["is refused", "+OK\r\n-BUSYKEY Target key name already exists.\r\n", "old knew"],
] as const) {
  test(`a write of a key in flight waits until it ${how}`, async () => {
    const { target, mover, other } = await inFlight(["k"]);
    expect(other.ask("APPEND", "k", "new")).toBe("");
    expect(other.ask("PING")).toBe(""); // behind it
    target.say(said);
    const error = "-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n";
    expect(await told(mover)).toBe(said.includes("BUSYKEY") ? error : OK);
    expect(await told(other)).toBe(`:${left.length}\r\n+PONG\r\n`);
    expect(other.ask("GET", "k")).toBe(`$${left.length}\r\n${left}\r\n`);
  });
}

const waiting: readonly (readonly [about: string, request: readonly string[], answer: string])[] = [
  ["one of several keys", ["DEL", "x", "k"], ":0\r\n"],
  ["the key written to", ["COPY", "x", "k", "REPLACE"], ":0\r\n"],
  ["all keys", ["FLUSHALL"], OK],
  ["its expiry", ["PEXPIRE", "k", "100000"], ":0\r\n"],
  ["a read that writes", ["GETEX", "k", "PERSIST"], "$-1\r\n"],
];
for (const [about, request, answer] of waiting) {
  test(`it waits for ${about}: ${request.join(" ")}`, async () => {
    const { target, other } = await inFlight(["k"]);
    expect(other.ask(...request)).toBe("");
    target.say("+OK\r\n+OK\r\n");
    expect(await told(other)).toBe(answer);
  });
}

test("EXEC waits when one of its requests would, and not before", async () => {
  const { target, other } = await inFlight(["k"]);
  for (const request of [["MULTI"], ["INCR", "n"], ["SET", "k", "new"]]) other.ask(...request);
  expect(other.ask("EXEC")).toBe("");
  target.say("+OK\r\n+OK\r\n");
  expect(await told(other)).toBe("*2\r\n:1\r\n+OK\r\n");
});

test("EXEC that writes other keys does not wait", async () => {
  const { other } = await inFlight(["k"]);
  for (const request of [["MULTI"], ["INCR", "n"], ["GET", "n"]]) other.ask(...request);
  expect(other.ask("EXEC")).toBe("*2\r\n:1\r\n$1\r\n1\r\n");
});

test("a client that waits for a list, to move it to a key in flight, waits for both", async () => {
  const { target, node, mover, other } = await stage();
  other.ask("RPUSH", "k", "old");
  mover.ask("MIGRATE", "127.0.0.1", target.port, "k", 0, LONG_MS);
  await target.got(2);
  const blocked = new Peer(node);
  expect(blocked.ask("BLMOVE", "source", "k", "LEFT", "LEFT", 0)).toBe("");
  expect(other.ask("RPUSH", "source", "new")).toBe(":1\r\n");
  expect(blocked.taken()).toBe("");
  target.say("+OK\r\n+OK\r\n");
  expect(await told(blocked)).toBe("$3\r\nnew\r\n");
  expect(other.ask("LRANGE", "k", 0, -1)).toBe("*1\r\n$3\r\nnew\r\n");
});

test("a client that waited before the key it feeds set out is served when both keys are at rest", async () => {
  const { target, node, mover, other } = await stage();
  const [feeder, popper, second] = [new Peer(node), new Peer(node), new Peer(node)];
  other.ask("RPUSH", "k", "old");
  expect(feeder.ask("BLMOVE", "source", "k", "LEFT", "LEFT", 0)).toBe("");
  expect(popper.ask("BLPOP", "source", 0)).toBe("");
  mover.ask("MIGRATE", "127.0.0.1", target.port, "k", 0, LONG_MS);
  await target.got(2);
  expect(other.ask("RPUSH", "source", "a", "b")).toBe(":2\r\n");
  second.ask("MIGRATE", "127.0.0.1", target.port, "source", 0, LONG_MS);
  await target.got(4);
  target.sockets[0]!.write("+OK\r\n+OK\r\n");
  expect(await told(mover)).toBe(OK);
  // Both elements are on their way: nobody is given one.
  expect([feeder.taken(), popper.taken()]).toEqual(["", ""]);
  expect(other.ask("LLEN", "source")).toBe(":2\r\n");
  target.say("+OK\r\n-BUSYKEY Target key name already exists.\r\n");
  await told(second);
  expect(await told(feeder)).toBe("$1\r\na\r\n");
  expect(await told(popper)).toBe("*2\r\n$6\r\nsource\r\n$1\r\nb\r\n");
});

test("a second MIGRATE of the same key waits, and finds nothing", async () => {
  const { target, mover, other } = await inFlight(["k"]);
  expect(other.ask("MIGRATE", "127.0.0.1", target.port, "k", 0, LONG_MS)).toBe("");
  target.say("+OK\r\n+OK\r\n");
  expect(await told(mover)).toBe(OK);
  expect(await told(other)).toBe("+NOKEY\r\n");
});

test("several move at once over connections of their own, which are kept and need no SELECT again", async () => {
  const { target, node, mover, other } = await inFlight(["k"]);
  other.ask("SET", "j", 1);
  const [first] = target.sockets;
  other.ask("MIGRATE", "127.0.0.1", target.port, "j", 0, LONG_MS);
  await target.got(4);
  target.say("+OK\r\n+OK\r\n");
  expect(await told(other)).toBe(OK);
  first!.write("+OK\r\n+OK\r\n");
  expect(await told(mover)).toBe(OK);
  expect(node.migration.cachedLinkCount).toBe(2);
  other.ask("SET", "i", 1);
  other.ask("MIGRATE", "127.0.0.1", target.port, "i", 0, LONG_MS);
  await target.got(5);
  expect(target.requests).toEqual(["SELECT 0", "RESTORE k", "SELECT 0", "RESTORE j", "RESTORE i"]);
});

test("a connection that broke before any key was answered is made anew, once", async () => {
  const { target, mover, other } = await inFlight(["k"]);
  target.hangUp();
  await target.got(4);
  target.hangUp();
  expect(await told(mover)).toBe("-IOERR error or timeout reading to target instance\r\n");
  expect(target.requests).toEqual(["SELECT 0", "RESTORE k", "SELECT 0", "RESTORE k"]);
  expect(other.ask("APPEND", "k", "!")).toBe(":6\r\n");
});

test("keys answered before the connection broke are gone, the others stay", async () => {
  const { target, mover, other } = await inFlight(["a", "b", "c"]);
  target.say("+OK\r\n+OK\r\n+OK\r\n-BUSY");
  await eventually(() => target.sockets[0]!.bytesWritten > 15, WAIT_MS, "it was read");
  target.sockets[0]!.end();
  expect(await told(mover)).toBe("-IOERR error or timeout reading to target instance\r\n");
  expect(target.sockets.length).toBe(1);
  expect(other.ask("EXISTS", "a", "b", "c")).toBe(":1\r\n");
  expect(other.ask("SET", "c", "new")).toBe(OK);
});

test("a target that says nothing in time has not got the key", async () => {
  const { target, mover, other } = await inFlight(["k"], 30);
  expect(other.ask("APPEND", "k", "!")).toBe("");
  expect(await told(mover)).toBe("-IOERR error or timeout reading to target instance\r\n");
  expect(await told(other)).toBe(":6\r\n");
  expect(target.sockets.length).toBe(1);
});

test("a target that says what it was not asked is none", async () => {
  const { target, mover, other } = await inFlight(["k"]);
  target.say("+OK\r\n+OK\r\n+OK\r\n");
  expect(await told(mover)).toBe("-IOERR error or timeout reading to target instance\r\n");
  expect(other.ask("EXISTS", "k")).toBe(":0\r\n"); // that much it said
});

test("nobody is there: the client is told, and the key stays", async () => {
  const { target, mover, other } = await stage();
  const { port } = target;
  other.ask("SET", "k", "old");
  for (const [badPort, what] of [
    [0, "writing to target instance"], // refused
    ["none", "writing to target instance"],
    [65_536, "connecting to the client"],
    ["-1", "connecting to the client"],
  ] as const) {
    mover.ask("MIGRATE", "127.0.0.1", badPort, "k", 0, LONG_MS);
    expect(await told(mover)).toBe(`-IOERR error or timeout ${what}\r\n`);
  }
  expect(port).toBeGreaterThan(0);
  expect(other.ask("APPEND", "k", "!")).toBe(":4\r\n");
});

test("a connection whose target answers before it has got all is not used again", async () => {
  const { node, mover, other } = await stage();
  const target = await FakeTarget.start(scope, (_, connection) => {
    if (connection === 0) target.sockets[0]!.pause(); // more than the system takes stays with us
    return undefined;
  });
  const random = new Random(1);
  const long = Array.from({ length: 3_000_000 }, () => random.below(36 ** 5).toString(36));
  other.ask("SET", "long", long.join(" "));
  other.ask("SET", "short", "value");
  mover.ask("MIGRATE", "127.0.0.1", target.port, "long", 0, LONG_MS);
  await target.got(1);
  target.say("-ERR no\r\n-ERR no\r\n");
  expect(await told(mover)).toBe("-ERR Target instance replied with error: ERR no\r\n");
  expect(node.migration.cachedLinkCount).toBe(0);
  mover.ask("MIGRATE", "127.0.0.1", target.port, "short", 0, LONG_MS);
  await target.got(3);
  expect(target.requests.slice(1)).toEqual(["SELECT 0", "RESTORE short"]);
});

test("a timeout longer than a timer of the runtime is one", async () => {
  const { target, mover, other } = await stage();
  other.ask("SET", "k", "v");
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  mover.ask("MIGRATE", "127.0.0.1", target.port, "k", 0, "9223372036854775807");
  await target.got(2);
  target.say("+OK\r\n+OK\r\n");
  expect(await told(mover)).toBe(OK);
  process.off("warning", note);
  expect(warnings).toEqual([]); // "TimeoutOverflowWarning … set to 1": who is not there within a millisecond, is not
});

test("the client may leave: what the target has is gone here all the same", async () => {
  const { target, mover, other, node } = await inFlight(["k"]);
  mover.close();
  target.say("+OK\r\n+OK\r\n");
  await eventually(() => node.migration.inFlight.isEmpty, WAIT_MS, "the key has landed");
  expect(other.ask("EXISTS", "k")).toBe(":0\r\n");
});

test("a node that is made a replica gives away nothing any more", async () => {
  const { target, mover, other, node } = await inFlight(["k"]);
  expect(other.ask("REPLICAOF", "127.0.0.1", 1)).toBe(OK);
  expect(await told(mover)).toBe(
    "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n",
  );
  await eventually(
    () => target.sockets[0]!.destroyed || target.sockets[0]!.readableEnded,
    WAIT_MS,
    "the connection is closed",
  );
  expect(node.migration.inFlight.isEmpty).toBe(true);
  expect(other.ask("EXISTS", "k")).toBe(":1\r\n");
});

test("a write that waits runs when the node has become a replica, and is refused as any", async () => {
  const { other, node } = await inFlight(["k"]);
  const writer = new Peer(node);
  expect(writer.ask("SET", "k", "new")).toBe("");
  other.ask("REPLICAOF", "127.0.0.1", 1);
  expect(await told(writer)).toBe("-READONLY You can't write against a read only replica.\r\n");
});

test("inside a transaction it is refused: nothing can wait there", async () => {
  const { target, other } = await stage();
  for (const request of [["SET", "k", "old"], ["MULTI"]]) other.ask(...request);
  other.ask("MIGRATE", "127.0.0.1", target.port, "k", 0, LONG_MS);
  expect(other.ask("EXEC")).toMatch(/^\*1\r\n-ERR MIGRATE waits for its target/);
  expect(other.ask("EXISTS", "k")).toBe(":1\r\n");
});

/** What DUMP answers. */
function dumped(peer: Peer, key: string): string {
  const [, length, rest] = /^\$(\d+)\r\n([^]*)$/.exec(peer.ask("DUMP", key)) ?? [];
  return rest!.slice(0, Number(length));
}

const big: readonly (readonly [
  what: string,
  fill: (peer: Peer) => void,
  write: readonly string[],
  left: string,
])[] = [
  ["string", (peer) => peer.ask("SET", "k", "abc ".repeat(500_000)), ["APPEND", "k", "!"], ":1\r\n"],
  ["list", (peer) => filled(peer, "RPUSH", (n) => [`element ${n}`]), ["RPUSH", "k", "!"], ":1\r\n"],
  ["set", (peer) => filled(peer, "SADD", (n) => [`member ${n}`]), ["SADD", "k", "!"], ":1\r\n"],
  ["hash", (peer) => filled(peer, "HSET", (n) => [`field ${n}`, `${n}`]), ["HSET", "k", "f", "v"], ":1\r\n"],
  [
    "sorted set",
    (peer) => filled(peer, "ZADD", (n) => [`${n}`, `m ${n}`]),
    ["ZADD", "k", "1", "m"],
    ":1\r\n",
  ],
];

function filled(peer: Peer, name: string, element: (n: number) => string[]): void {
  const elements = Array.from({ length: 1000 }, (_, n) => n);
  for (let from = 0; from < 30_000; from += 1000)
    peer.ask(name, "k", ...elements.flatMap((n) => element(from + n)));
}

for (const [what, fill, write, left] of big) {
  test(`a big ${what} is sent as DUMP has it; while it is written others are served, and its own writes wait`, async () => {
    const { target, mover, other } = await stage();
    fill(other);
    const payload = dumped(other, "k");
    mover.ask("MIGRATE", "127.0.0.1", target.port, "k", 0, LONG_MS, "REPLACE");
    expect(other.ask("SET", "another", 1)).toBe(OK);
    expect(other.ask(...write)).toBe("");
    await target.got(2);
    expect(target.words[1]).toEqual(["RESTORE", "k", "0", payload, "REPLACE"]);
    target.say("+OK\r\n+OK\r\n");
    expect(await told(mover)).toBe(OK);
    expect(await told(other)).toBe(left);
  });
}

test("a big value that expires while it is written is not sent", async () => {
  const { target, mover, other } = await stage();
  filled(other, "ZADD", (n) => [`${n}`, `m ${n}`]);
  other.ask("PEXPIRE", "k", 1);
  other.ask("SET", "j", 1);
  mover.ask("MIGRATE", "127.0.0.1", target.port, "", 0, LONG_MS, "KEYS", "k", "j");
  await eventually(() => target.requests.includes("RESTORE j"), WAIT_MS);
  const sent = target.requests.length;
  target.say("+OK\r\n".repeat(sent));
  expect(await told(mover)).toBe(OK);
  expect(other.ask("EXISTS", "k", "j")).toBe(":0\r\n");
});
