// Client-side caching: the same dialogues of several connections with redis-server and with ours, and every byte that
// arrives on any of them, pushes among replies, must be the same.
import { describe, expect, test } from "bun:test";
import { pickSeed, Random } from "../support/random.ts";
import { type Judged, judged } from "./harness/conformance.ts";
import { sameDialogue } from "./harness/dialogue.ts";
import type { Party, Words } from "./harness/party.ts";

const pair = judged("alone");
const clustered = judged("cluster");

const same = (
  protocols: Readonly<Record<string, 2 | 3>>,
  dialogue: (party: Party) => Promise<void>,
  servers: Judged = pair.servers,
): Promise<void> => sameDialogue(servers, protocols, dialogue);

const WRITES: readonly Words[] = [
  ["SET", "k", "2"],
  ["SET", "k", "2", "KEEPTTL"],
  ["SET", "nope", "2", "XX"],
  ["SET", "k", "3", "NX"],
  ["GETSET", "k", "3"],
  ["SET", "k", "4", "GET"],
  ["SET", "k", "4", "EX", "100"],
  ["APPEND", "k", "4"],
  ["APPEND", "k", ""],
  ["INCR", "k"],
  ["DECRBY", "k", "7"],
  ["INCRBYFLOAT", "k", "1.5"],
  ["EXPIRE", "k", "100"],
  ["EXPIRE", "k", "100", "NX"],
  ["PEXPIREAT", "k", "99999999999999"],
  ["PERSIST", "k"],
  ["PERSIST", "k"],
  ["GETEX", "k"],
  ["GETEX", "k", "EX", "100"],
  ["GETEX", "k", "PERSIST"],
  ["RENAME", "k", "k2"],
  ["RENAMENX", "k2", "k"],
  ["RENAME", "k", "k"],
  ["COPY", "k", "k3"],
  ["COPY", "k", "k3"],
  ["COPY", "k", "k3", "REPLACE"],
  ["SETRANGE", "k", "0", ""],
  ["SETRANGE", "k", "1", "0"],
  ["TOUCH", "k", "k2", "k3"],
  ["DEL", "nope", "k", "k", "k2", "k3"],
  ["MSET", "k", "1", "k2", "2", "k3", "3", "k", "4"],
  ["UNLINK", "k", "nope", "k2"],
  ["MSETNX", "k", "1", "k3", "2"],
  ["MSETNX", "k", "1", "q", "2"],
  ["SETEX", "k", "10", "1"],
  ["PSETEX", "k", "10000", "1"],
  ["SETNX", "k", "1"],
  ["GETDEL", "k"],
  ["GETDEL", "k"],
  ["SETNX", "k", "1"],
  ["EXPIRE", "k", "-1"],
  ["RESTORE", "k", "0", "\0\xc0\x01\n\0"],
  ["SETRANGE", "k"],
  ["MOVE", "k3", "1"],
  ["SWAPDB", "0", "2"],
  ["SWAPDB", "0", "2"],
  ["INCR", "q", "x"],
  ["SET", "k", "a"],
  ["INCR", "k"],
  ["FLUSHDB"],
  ["FLUSHALL", "ASYNC"],
];
const READ: Words = ["MGET", "k", "k2", "k3", "nope", "q"];

describe("what a write tells", () => {
  for (const [name, options] of [
    ["readers", []],
    ["readers that do not want their own", ["NOLOOP"]],
    ["listeners to everything", ["BCAST"]],
    ["listeners to some prefixes", ["BCAST", "PREFIX", "k2", "PREFIX", "no", "PREFIX", "q"]],
    ["listeners that do not want their own", ["BCAST", "NOLOOP"]],
  ] as const) {
    test(`${name}: one that writes itself, and one that does not`, () =>
      same({ writer: 3, other: 3, old: 2 }, async (party) => {
        for (const who of ["writer", "other", "old"])
          await party.say(who, ["CLIENT", "TRACKING", "ON", ...options]);
        for (const write of WRITES) {
          for (const who of ["other", "writer", "old"]) await party.say(who, READ);
          await party.say("writer", write);
        }
      }));
  }

  test("one who is told for another: before the reply to its own write, at once otherwise", () =>
    same({ reader: 3, old: 2, teller: 3, other: 2 }, async (party) => {
      for (const who of ["reader", "old"])
        await party.say(who, ["CLIENT", "TRACKING", "ON", "REDIRECT", "$teller"]);
      for (const write of WRITES) {
        // An expiry in the past deletes, and redis-server answers that after it has pushed, we before.
        if (write.join(" ") === "EXPIRE k -1") continue;
        await party.say("reader", READ);
        await party.say("teller", write);
        await party.say("old", READ);
        await party.say("other", write);
      }
    }));

  test("a pipeline of reads and writes is answered and told in order", () =>
    same({ both: 3, teller: 3, reader: 3 }, async (party) => {
      await party.say("both", ["CLIENT", "TRACKING", "ON"]);
      await party.say(
        "reader",
        ["CLIENT", "TRACKING", "ON", "REDIRECT", "$teller"],
        ...[1, 2, 3].map((n) => ["GET", `k${n}`]),
      );
      await party.say(
        "both",
        ["GET", "k1"],
        ["SET", "k1", "1"],
        ["GET", "k1"],
        ["GET", "k1"],
        ["DEL", "k1", "k2"],
        ["PING"],
      );
      await party.say("reader", ...[1, 2, 3].map((n) => ["GET", `k${n}`]));
      await party.say(
        "teller",
        ["PING"],
        ["SET", "k1", "2"],
        ["ECHO", "x"],
        ["MSET", "k2", "2", "k3", "3"],
        ["GET", "k1"],
      );
      await party.say("both", ["CLIENT", "TRACKING", "OFF"], ["CLIENT", "TRACKING", "ON", "BCAST"]);
      await party.say(
        "both",
        ["SET", "b", "1"],
        ["SET", "a", "1"],
        ["GET", "a"],
        ["SET", "b", "2"],
        ["SET", "\xff", "3"],
      );
    }));
});

const INFO: Words = ["CLIENT", "TRACKINGINFO"];
const REDIRECTED: Words = ["CLIENT", "GETREDIR"];
const tracking = (...words: readonly string[]): Words => ["CLIENT", "TRACKING", ...words];
const caching = (word: string): Words => ["CLIENT", "CACHING", word];

describe("what can be asked for", () => {
  const asked: readonly string[] = [
    "on bcast prefix a prefix ab",
    "on bcast prefix a prefix a",
    "on bcast prefix a prefix b",
    "on bcast prefix ba",
    "on bcast prefix c noloop",
    "on bcast",
    "on",
    "on optin",
    "on prefix q",
    "off prefix q optin optout bcast",
    "off",
    "on optin optout",
    "on bcast optin",
    "on optout bcast",
    "on redirect 99999",
    "on redirect -1",
    "on redirect 0",
    "on redirect x",
    "on redirect 99999999999999999999",
    "on redirect",
    "on redirect $other redirect $other",
    "on prefix",
    "maybe",
    "maybe nonsense",
    "on nonsense",
    "ON OptIn",
    "on optout",
    "on optout optin",
    "on",
    "on optin noloop",
    "on optin redirect $other",
    "off",
    "on noloop noloop bcast bcast",
    "off",
    "on optout redirect $me",
    "off redirect 99999",
    "on bcast prefix a\r\nb prefix a\r\n",
    "on bcast prefix a\0b prefix a\0",
    "",
  ];
  for (const protocol of [2, 3] as const)
    test(`options that go together and that do not, RESP${protocol}`, () =>
      same({ me: protocol, other: 3 }, async (party) => {
        for (const words of asked) {
          const request = tracking(...words.split(" ").filter((word) => word !== ""));
          await party.say("me", request, INFO, ["CLIENT", "INFO"]);
        }
      }));

  test("CLIENT CACHING is about the next command that is not CLIENT's", () =>
    same({ me: 3, other: 3 }, async (party) => {
      await party.say("me", caching("yes"), INFO, REDIRECTED, tracking("ON"), caching("yes"), caching("no"));
      await party.say("me", REDIRECTED, tracking("ON", "OPTIN"), caching("no"), caching("maybe"), INFO);
      const between: readonly Words[] = [
        ["PING"],
        ["GET", "k"],
        ["GET"],
        ["NOSUCH"],
        ["CLIENT", "GETNAME"],
        ["CLIENT", "NOSUCH"],
        ["CLIENT", "CACHING"],
        ["CLIENT", "GETNAME", "x"],
        ["CLIENT"],
        ["SET", "k", "v"],
        ["MGET", "a", "b"],
        tracking("ON", "OPTIN"),
        tracking("ON"),
      ];
      for (const request of between) {
        await party.say("me", tracking("OFF"), tracking("ON", "OPTIN"), caching("YES"), request, INFO, [
          "GET",
          "seen",
        ]);
        await party.say("other", ["MSET", "k", "1", "seen", "1", "a", "1", "b", "1"]);
        await party.say("me", tracking("OFF"), tracking("ON", "OPTOUT"), caching("NO"), request, INFO, [
          "GET",
          "seen",
        ]);
        await party.say("other", ["MSET", "k", "1", "seen", "1", "a", "1", "b", "1"]);
      }
    }));

  test("RESET and HELLO 2 end what was told; what was read before OFF may still be told after ON", () =>
    same({ me: 3, other: 2 }, async (party) => {
      await party.say("me", tracking("ON"), ["GET", "k"], ["GET", "l"], ["HELLO", "2"]);
      await party.say("other", ["SET", "k", "1"]);
      await party.say("me", ["HELLO", "3"], tracking("OFF"));
      await party.say("other", ["SET", "k", "1"]);
      await party.say("me", tracking("ON"));
      await party.say("other", ["SET", "l", "1"]);
      await party.say("me", tracking("OFF"), tracking("ON", "BCAST"));
      await party.say("other", ["SET", "l", "1"]);
      await party.say("me", ["RESET"], INFO, caching("YES"), REDIRECTED, ["HELLO", "3"]);
      await party.say("other", ["SET", "l", "1"], ["FLUSHALL"]);
      await party.say("me", INFO);
    }));
});

test("GETREDIR names who is told", async () => {
  for (const server of [pair.servers.theirs, pair.servers.ours]) {
    const [me, other] = [await server.connect(), await server.connect()];
    const id = await other.ask("CLIENT", "ID");
    const told = [await me.ask(...REDIRECTED)];
    await me.ok(...tracking("ON", "REDIRECT", String(id)));
    told.push(await me.ask(...REDIRECTED));
    await me.ok(...tracking("ON"));
    told.push(await me.ask(...REDIRECTED));
    expect(told).toEqual([-1, id, 0]);
  }
});

describe("what is remembered", () => {
  const reads: readonly Words[] = [
    ["GET", "k"],
    ["EXISTS", "k", "k"],
    ["TTL", "k"],
    ["TYPE", "k"],
    ["OBJECT", "ENCODING", "k"],
    ["MEMORY", "USAGE", "m"],
    ["DUMP", "k"],
    ["STRLEN", "k"],
    ["GETRANGE", "k", "0", "x"],
    ["LCS", "k", "l"],
    ["TOUCH", "k"],
    ["SCAN", "0"],
    ["KEYS", "*"],
    ["RANDOMKEY"],
    ["SET", "k", "x", "GET"],
    ["GETEX", "k"],
    ["GETEX", "k", "PERSIST"],
    ["COPY", "k", "z"],
    ["GET", "k", "extra"],
    ["COMMAND", "GETKEYS", "GET", "k"],
  ];
  test("keys of commands that read, whether they succeed or not", () =>
    same({ me: 3, other: 2 }, async (party) => {
      await party.say("me", ["SET", "k", "v"], tracking("ON"));
      for (const read of reads) {
        await party.say("me", read, ["ECHO", read.join(" ")]);
        await party.say("other", ["MSET", "l", "1", "k", "v", "m", "v"], ["DEL", "z", "m", "l"]);
      }
    }));

  test("INFO counts clients, keys and prefixes", () =>
    same({ me: 3, you: 3, other: 2 }, async (party) => {
      const count = (): Promise<void> => party.count("tracking_");
      await count();
      await party.say("me", tracking("ON"), ["MGET", "a", "b", "c", "a"], ["GET", "a"]);
      await count();
      await party.say("you", tracking("ON", "OPTIN"), ["MGET", "a", "b", "c"], caching("YES"), [
        "MGET",
        "a",
        "d",
      ]);
      await count();
      await party.say("other", ["SET", "a", "1"], ["DEL", "b"]);
      await count();
      await party.say("you", tracking("OFF"), tracking("ON", "BCAST", "PREFIX", "a", "PREFIX", "b"));
      await party.say("me", tracking("OFF"), tracking("ON", "BCAST", "PREFIX", "b"));
      await count();
      await party.say("you", ["RESET"]);
      await count();
      await party.say("other", ["FLUSHALL"]);
      await count();
    }));

  test("no more keys than tracking-table-max-keys", () =>
    same({ me: 3, you: 3, other: 2 }, async (party) => {
      await party.say("me", tracking("ON"));
      await party.say("you", tracking("ON", "REDIRECT", "$me"));
      await party.say("other", ["CONFIG", "SET", "tracking-table-max-keys", "1"]);
      await party.say("me", ["GET", "a"], ["GET", "a"], ["PING"]);
      await party.count("tracking_");
      await party.say("other", ["CONFIG", "SET", "tracking-table-max-keys", "0"]);
      await party.say("me", ["MGET", ...Array.from({ length: 250 }, (_, i) => `key:${i}`)], ["PING"]);
      await party.count("tracking_");
      await party.say("me", tracking("ON"), tracking("OFF"));
      // A hundred keys go at the first request that finds too many, two hundred at the next.
      await party.say("other", ["CONFIG", "SET", "tracking-table-max-keys", "20"]);
      await party.count("tracking_");
      await party.say("other", ["CONFIG", "SET", "tracking-table-max-keys", "1000000"]);
    }));
});

describe("how the end of keys and connections is told", () => {
  for (const options of [[], ["NOLOOP"], ["BCAST"], ["BCAST", "NOLOOP"]])
    test(`expiry, found and looked for: ${options.join(" ") || "readers"}`, () =>
      same({ me: 3, other: 2 }, async (party) => {
        await party.say("other", ["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        await party.say("me", tracking("ON", ...options));
        const keys = ["e1", "e2", "e3", "e4"];
        await party.say("me", ...keys.map((key) => ["SET", key, "v", "PX", "200"]), ["MGET", ...keys]);
        await party.outlasts("e4");
        await party.say("me", ["GET", "e1"], ["GET", "e1"], ["DEL", "e2"], ["SET", "e3", "v"]);
        await party.say("other", ["GET", "e4"]);
        await party.say("me", ["SET", "active", "v", "PX", "20"], ["GET", "active"]);
        await party.say("other", ["DEBUG", "SET-ACTIVE-EXPIRE", "1"]);
        await party.holds(1);
      }));

  test("FLUSHALL and FLUSHDB, to the flusher, its peers and those they redirect to", () =>
    same({ me: 3, old: 2, peer: 3, target: 3, broadcast: 3, quiet: 3 }, async (party) => {
      for (const who of ["me", "peer"]) await party.say(who, tracking("ON"), ["GET", "k"]);
      await party.say("quiet", tracking("ON", "NOLOOP"), ["GET", "k"]);
      await party.say("old", tracking("ON", "REDIRECT", "$target"), ["GET", "k"]);
      await party.say("broadcast", tracking("ON", "BCAST", "PREFIX", "z"));
      await party.say("me", ["PING"], ["FLUSHALL"], ["SET", "k", "1"], ["FLUSHDB"], ["GET", "k"]);
      await party.say("quiet", ["FLUSHDB", "SYNC"], ["FLUSHDB", "wrong"]);
      await party.say("old", ["FLUSHALL"]);
      await party.say("target", ["FLUSHALL"]);
      await party.say("me", ["SET", "k", "1"]);
    }));

  test("a connection that was to be told is gone", () =>
    same({ me: 3, old: 2, target: 3, other: 2 }, async (party) => {
      for (const who of ["me", "old"])
        await party.say(who, tracking("ON", "REDIRECT", "$target"), ["GET", "k"], INFO);
      await party.leave("target");
      await party.say("me", INFO);
      await party.say("other", ["SET", "k", "1"]);
      for (const who of ["me", "old"]) await party.say(who, INFO, ["CLIENT", "INFO"], ["GET", "k"]);
      await party.say("me", ["SET", "k", "2"], ["FLUSHALL"], tracking("ON", "REDIRECT", "$other"), INFO, [
        "GET",
        "k",
      ]);
      await party.say("other", ["SET", "k", "1"]);
      await party.say("me", tracking("OFF"), tracking("ON", "BCAST", "REDIRECT", "$old"), INFO, [
        "SET",
        "k",
        "2",
      ]);
      await party.leave("old");
      await party.say("me", ["SET", "k", "2"], ["PING"]);
      await party.say("me", INFO);
    }));

  test("a connection that tracked is killed, and what it had read is forgotten quietly", () =>
    same({ me: 3, also: 3, other: 2 }, async (party) => {
      await party.say("me", tracking("ON", "BCAST"));
      await party.say("also", tracking("ON"), ["GET", "k"]);
      await party.say("other", ["CLIENT", "KILL", "ID", "$me"], ["SET", "k", "1"]);
      await party.count("tracking_");
      await party.say("also", ["GET", "k"]);
    }));

  test("replies that are muted do not mute what is pushed", () =>
    same({ me: 3, other: 2 }, async (party) => {
      const silent: Words = ["CLIENT", "REPLY", "OFF"];
      const loud: Words = ["CLIENT", "REPLY", "ON"];
      await party.say(
        "me",
        tracking("ON"),
        ["GET", "k"],
        ["CLIENT", "REPLY", "SKIP"],
        ["SET", "k", "2"],
        ["GET", "k"],
      );
      await party.say("me", silent, ["SET", "k", "3"], ["GET", "k"], ["FLUSHALL"], loud);
      await party.say("me", tracking("ON", "REDIRECT", "$me"), ["GET", "k"], silent, ["SET", "k", "3"], loud);
    }));
});

describe("by chance", () => {
  const KEYS = ["a", "ab", "abc", "b", "{a}b", "\xff\0"];

  function request(random: Random): Words {
    const key = (): string => random.pick(KEYS);
    // BCAST with NOLOOP stands elsewhere: whom redis-server tells first, when two are told by one, is chance.
    const option = (): readonly string[] =>
      random.pick([[], ["NOLOOP"], ["OPTIN"], ["OPTOUT"], ["BCAST"], ["BCAST", "PREFIX", "a"]]);
    return random.weighted<Words>([
      [8, () => ["GET", key()]],
      [3, () => ["EXISTS", key(), key()]],
      [6, () => ["SET", key(), "1"]],
      [2, () => ["SET", key(), "1", random.pick(["NX", "XX", "GET", "KEEPTTL"])]],
      [3, () => ["DEL", key(), key(), key()]],
      [2, () => ["INCR", key()]],
      [2, () => ["EXPIRE", key(), "1000", random.pick(["NX", "GT", "LT"])]],
      [2, () => ["PERSIST", key()]],
      [2, () => ["GETEX", key(), "PX", "100000"]],
      [2, () => ["GETDEL", key()]],
      [2, () => ["COPY", "a", "{a}b"]],
      [2, () => ["RENAME", "{a}b", "a"]],
      [1, () => ["FLUSHALL"]],
      [1, () => ["HELLO", random.pick(["2", "3"])]],
      [
        3,
        () =>
          tracking("ON", ...option(), ...random.pick([[], ["REDIRECT", random.pick(["$x", "$y", "$z"])]])),
      ],
      [2, () => tracking("OFF")],
      [3, () => caching(random.pick(["YES", "NO"]))],
      [1, () => INFO],
      [1, () => ["RESET"]],
      [1, () => ["CLIENT", "REPLY", "SKIP"]],
    ]);
  }

  for (const mode of ["alone", "cluster"] as const)
    test(`three connections that read, write and switch tracking, ${mode}`, async () => {
      const seed = pickSeed();
      const random = new Random(seed);
      const script = Array.from({ length: 400 }, () => ({
        who: random.pick(["x", "y", "z"]),
        // The last one's reply may be muted by the one before it.
        requests: [...Array.from({ length: random.between(1, 4) }, () => request(random)), ["PING"]],
      }));
      const servers = mode === "alone" ? pair.servers : clustered.servers;
      const dialogue = async (party: Party): Promise<void> => {
        for (const { who, requests } of script) await party.say(who, ...requests);
      };
      try {
        await same({ x: 3, y: 3, z: 2 }, dialogue, servers);
      } catch (error) {
        throw new Error(`repeat with SLOTMESH_SEED=${seed}`, { cause: error });
      }
    });
});
