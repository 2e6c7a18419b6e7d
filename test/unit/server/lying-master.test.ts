// A node follows a master that lies, by seed: in its greeting, in its answers, in its copy, in its stream. Whatever it was
// told, the node lives, follows an honest master next and then holds what that has and nothing else.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { SLOT_COUNT } from "../../../assembly/abi.ts";
import type { Node } from "../../../src/server/node.ts";
import { fileScope } from "../../support/cleanup.ts";
import { eventually } from "../../support/eventually.ts";
import { startFakeMaster } from "../../support/fakemaster.ts";
import { bareNode, Peer } from "../../support/node.ts";
import { Random, seeded } from "../../support/random.ts";
import { encodeRequest } from "../../support/resp.ts";
import { expectServes } from "../../support/serves.ts";

const scope = fileScope();
const ID = "7".repeat(40);
const MARK = "m".repeat(40);
/** Of eight masters each. */
const ROUNDS = 5;
const latin = (text: string): Buffer => Buffer.from(text, "latin1");

/** A file with a value of every kind, small and large, without a checksum: what is changed in it is seen. */
const FILE = ((): Buffer => {
  const node = bareNode(scope);
  const peer = new Peer(node);
  const many = Array.from({ length: 300 }, (_, i) => i);
  peer.ask("SET", "text", "some text".repeat(20), "PX", 10_000_000);
  peer.ask("SET", "number", 12345);
  peer.ask("RPUSH", "list", ...many, "y".repeat(3000));
  peer.ask("SADD", "integers", 1, 2, 70_000);
  peer.ask("SADD", "set", ...many.map((i) => `member ${i}`));
  peer.ask("HSET", "hash", ...many.flatMap((i) => [`field ${i}`, i]));
  peer.ask("HSET", "small", "a", 1, "b", "two");
  peer.ask("ZADD", "sorted", ...many.flatMap((i) => [i / 3, `m${i}`]));
  peer.ask("ZADD", "few", 1, "a", 2.5, "b");
  peer.ask("SELECT", 2);
  peer.ask("SET", "elsewhere", "x");
  peer.ask("SAVE");
  const file = readFileSync(node.persistence.path);
  return Buffer.concat([file.subarray(0, -8), Buffer.alloc(8)]);
})();

const HONEST = latin(`REDIS0010\xfe\0\0\x03old\x01o\xff\0\0\0\0\0\0\0\0`);

type Step = "greeting" | "psync";
interface Lie {
  readonly step: Step;
  /** What is sent in place of an answer, or behind one. */
  readonly pieces: readonly Uint8Array[];
}

/** What is no line, no number, no answer. */
function rubbish(random: Random): Uint8Array {
  return random.pick<() => Uint8Array>([
    () => random.bytes(random.between(1, 300)),
    () => latin("-ERR no\r\n"),
    () => latin("$5\r\nhello\r\n"),
    () => latin(":1\r\n*3\r\n+a\r\n"),
    () => latin("+OK\r\n".repeat(50)),
    () => latin("\n".repeat(5000)),
    () => Buffer.alloc(70_000, "x"),
    () => latin("\r\n\r\n-\r\n+\r\n"),
    () => new Uint8Array(0),
  ])();
}

const number = (random: Random): string =>
  random.pick([
    "0",
    "-1",
    "1e9",
    "99999999999999999999999",
    "9007199254740993",
    "4503599627370496",
    "1.5",
    "",
    "x",
    "100",
  ]);

function answer(random: Random): Uint8Array {
  const id = random.pick([ID, ID.slice(1), "z".repeat(40), "", "?", `${ID}${ID}`]);
  return latin(
    random.pick([
      `+FULLRESYNC ${id} ${number(random)}\r\n`,
      `+FULLRESYNC ${id} 5 6 7\r\n`,
      `+FULLRESYNC\r\n`,
      `+CONTINUE ${id}\r\n`,
      "+CONTINUE\r\n*1\r\n$4\r\nPING\r\n",
      `-NOMASTERLINK\r\n`,
      "-ERR what\r\n",
      "\n\n\n",
    ]),
  );
}

/** The copy's head, right or wrong. */
function head(random: Random, size: number): string {
  return random.weighted<string>([
    [6, () => `$${size}\r\n`],
    [4, () => `$EOF:${MARK}\r\n`],
    [1, () => `$${number(random)}\r\n`],
    [1, () => `$${size + random.between(-20, 20)}\r\n`],
    [1, () => `$EOF:${MARK.slice(1)}\r\n`],
    [1, () => `-ERR gave up\r\n`],
    [1, () => "\n\n\n"],
  ]);
}

/** A few bytes of it are others, some are missing, or lengths are claimed that are absurd. */
function damaged(random: Random, whole: Uint8Array): Uint8Array {
  let bytes = Buffer.from(whole);
  const absurd = [
    [0x81, 0, 8, 0, 0, 0, 0, 0, 0],
    [0x80, 0xff, 0xff, 0xff, 0xff],
    [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0xc3, 0x80, 0xff, 0xff, 0xff, 0xff, 0x80, 0xff, 0xff, 0xff, 0xff],
    [250, 14, ...latin("repl-stream-db"), 3, ...latin("1e9")],
    [254, 0x81, 0, 0, 0, 0, 0, 0, 1, 0],
    [252, 0, 0, 0, 0, 0, 0, 0, 128],
  ];
  for (let i = random.between(0, 3); i > 0; i--) {
    const at = random.below(bytes.length);
    random.weighted<void>([
      [4, () => void (bytes[at] = random.below(256))],
      [
        2,
        () =>
          void (bytes = Buffer.concat([
            bytes.subarray(0, at),
            Buffer.from(random.pick(absurd)),
            bytes.subarray(at),
          ])),
      ],
      [1, () => void (bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.below(20))]))],
    ]);
  }
  return random.chance(0.3) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

function command(random: Random): Uint8Array {
  const key = random.pick(["old", "text", "list", "set", "hash", "sorted", "none", "{a}b"]);
  return random.weighted<Uint8Array>([
    [
      6,
      () =>
        encodeRequest(
          random.pick([
            ["SET", key, "v"],
            ["DEL", key],
            ["INCR", key],
            ["RPUSH", key, "x"],
            ["LPOP", key],
            ["SADD", key, "m"],
            ["HSET", key, "f", "v"],
            ["ZADD", key, 1, "m"],
            ["EXPIRE", key, -1],
            ["FLUSHALL"],
            ["RENAME", key, "k"],
            ["BLPOP", key, 0],
            ["PUBLISH", "c", "m"],
          ]),
        ),
    ],
    [
      2,
      () =>
        encodeRequest(
          random.pick([
            ["MULTI"],
            ["EXEC"],
            ["PING"],
            ["SELECT", random.pick([0, 3, 99, -1])],
            ["REPLCONF", "GETACK", "*"],
            ["REPLCONF", "ACK", number(random)],
            ["DISCARD"],
          ]),
        ),
    ],
    [
      2,
      () =>
        encodeRequest(
          random.pick([
            ["SHUTDOWN"],
            ["RESET"],
            ["QUIT"],
            ["MONITOR"],
            ["SUBSCRIBE", "c"],
            ["CLIENT", "REPLY", "ON"],
            ["REPLICAOF", "NO", "ONE"],
            ["DEBUG", "SEGFAULT"],
            ["PSYNC", "?", -1],
            ["SYNC"],
            ["WAIT", 1, 0],
            ["XADD", key, "*", "a", "b"],
            ["AUTH", "x"],
            ["HELLO", 3],
            ["CONFIG", "SET", "maxmemory", 1],
          ]),
        ),
    ],
    [
      1,
      () =>
        latin(
          random.pick([
            "*1\r\n$536870912\r\n",
            "*1\r\n$-5\r\n",
            "*99999999999\r\n",
            "*-1\r\n",
            "*3\r\n:1\r\n",
            "POST / HTTP/1.1\r\n",
            "GET\r\n",
            '"unbalanced\r\n',
            "\r\n\r\n",
            "*2\r\n$3\r\nSET\r\n",
          ]),
        ),
    ],
    [1, () => random.bytes(random.between(1, 100))],
    [1, () => encodeRequest(Array.from({ length: random.between(0, 3) }, () => "SET"))],
  ]);
}

function draw(random: Random): Lie {
  const copy = (bytes: Uint8Array): Uint8Array[] => {
    const full = latin(`+FULLRESYNC ${ID} 100\r\n`);
    const first = head(random, bytes.length);
    const mark = first.includes("EOF") && random.chance(0.8) ? [latin(MARK)] : [];
    return [full, latin(first), bytes, ...mark];
  };
  return random.weighted<Lie>([
    [2, () => ({ step: "greeting", pieces: [rubbish(random)] })],
    [2, () => ({ step: "psync", pieces: [rubbish(random)] })],
    [
      3,
      () => ({
        step: "psync",
        pieces: [answer(random), ...(random.chance(0.5) ? [damaged(random, FILE)] : [])],
      }),
    ],
    [8, () => ({ step: "psync", pieces: copy(damaged(random, FILE)) })],
    [
      8,
      () => ({
        step: "psync",
        pieces: [
          latin(`+FULLRESYNC ${ID} 100\r\n$${FILE.length}\r\n`),
          FILE,
          ...Array.from({ length: random.between(1, 30) }, () => command(random)),
        ],
      }),
    ],
  ]);
}

/** Sends all of it, cut anywhere, and leaves. */
function tell(socket: Socket, lie: Lie, random: Random): void {
  const all = Buffer.concat(lie.pieces);
  const size = random.pick([1, 7, 1000, all.length + 1]);
  let at = 0;
  const next = (): void => {
    if (socket.destroyed) return;
    // Byte by byte as far as a beginning goes; the rest in larger pieces.
    const to = at + (at > 500 ? Math.max(size, 5000) : size);
    socket.write(all.subarray(at, to));
    at = to;
    if (at < all.length) setImmediate(next);
    else setTimeout(() => socket.destroy(), 30);
  };
  next();
}

async function follow(random: Random): Promise<void> {
  const lie = draw(random);
  let liar: Socket | undefined;
  const lies = (socket: Socket): void => {
    liar = socket;
    tell(socket, lie, random);
  };
  const master = await startFakeMaster(
    scope,
    (socket) => {
      if (liar === undefined) return lies(socket);
      if (socket === liar) return; // says nothing more
      socket.write(Buffer.concat([latin(`+FULLRESYNC ${ID} 100\r\n$${HONEST.length}\r\n`), HONEST]));
      socket.write(encodeRequest(["SET", "new", "n"]));
    },
    (socket, words) => {
      if (socket === liar) return true;
      if (liar !== undefined || lie.step !== "greeting" || !random.chance(words[0] === "PING" ? 0.5 : 0.8))
        return false;
      lies(socket);
      return true;
    },
  );
  const node = bareNode(scope);
  node.ended = () => {
    throw new Error("the master ended the node");
  };
  const peer = new Peer(node);
  if (random.chance(0.5)) peer.ask("SET", "mine", "before");
  node.replication.follow("127.0.0.1", master.port);
  node.replication.start();
  const what = `the honest master is followed after ${lie.step}: ${JSON.stringify(Buffer.concat(lie.pieces).subarray(0, 300).toString("latin1"))}`;
  await eventually(() => liar !== undefined && peer.ask("GET", "new") === "$1\r\nn\r\n", 15_000, what);
  expect(keysOf(node)).toEqual(["new", "old"]);
  expect(new Set([...node.clients.all()].map(({ kind }) => kind))).toEqual(new Set(["normal", "master"]));
  expect(peer.ask("REPLICAOF", "NO", "ONE")).toBe("+OK\r\n");
  expectServes(scope, node);
  expect(node.replication.master.replicas).toEqual([]);
  expect(node.clients.monitorCount).toBe(0);
  node.stop();
}

function keysOf(node: Node): string[] {
  const found: string[] = [];
  for (let database = 0; database < 16; database++) {
    node.memory.database = database;
    for (let slot = 0; slot < SLOT_COUNT; slot++)
      node.keys.keysInSlot(slot, 100, (key) =>
        found.push(Buffer.from(node.memory.copy(key)).toString("latin1")),
      );
  }
  return found.toSorted();
}

test("a node outlives the lies of a master", async () => {
  await seeded(async (random) => {
    for (let round = 0; round < ROUNDS; round++) {
      // Each has a seed of its own: who comes when does not change what it is told.
      const each = Array.from({ length: 8 }, () => new Random(random.below(2 ** 31)));
      await Promise.all(each.map((own) => follow(own)));
    }
  });
}, 120_000);
