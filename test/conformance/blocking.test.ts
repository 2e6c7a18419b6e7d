// Commands that wait: the same dialogues of several connections with redis-server and with ours, and every byte that
// arrives on any of them must be the same.
import { describe, test } from "bun:test";
import { type Judged, judged } from "./harness/conformance.ts";
import { sameInBoth } from "./harness/dialogue.ts";
import { Party, type Words } from "./harness/party.ts";

const pair = judged("alone");
const clustered = judged("cluster");

const words = (line: string): Words => line.split(" ");
const all = (lines: string): Words[] => lines.split("; ").map(words);

const same = (dialogue: (party: Party) => Promise<void>, servers: Judged = pair.servers): Promise<void> =>
  sameInBoth(servers, (protocol) => ({ a: protocol, b: protocol, c: protocol, d: 2 }), dialogue);

const TIMEOUTS = [
  "0",
  "-1",
  "-0.0001",
  "-0.001",
  "-0.002",
  "0.001",
  "x",
  "",
  "1e-30",
  "inf",
  "-inf",
  "nan",
  "9223372036854775807",
  "9223372036854775",
  "9223372036854774",
  "1e300",
  "1e5000",
  "0x1",
  " 1",
  "+1",
  "1.",
  ".001",
];

describe("at once, or not at all", () => {
  test("what is there is taken", () =>
    same(async (party) => {
      for (const lines of [
        "RPUSH l 1 2 3 4 5 6 7 8; BLPOP l 0; BRPOP l 0; BLPOP n l m 0; BLMPOP 0 1 l LEFT; BLMPOP 0 2 n l RIGHT COUNT 2; LRANGE l 0 -1",
        "BLMOVE l m LEFT RIGHT 0; BLMOVE l m RIGHT LEFT 0; LRANGE m 0 -1; BRPOPLPUSH m m 0; BRPOPLPUSH m l 0; BLMPOP 0 2 l m LEFT COUNT 10; DBSIZE",
        "RPUSH l 1; BRPOPLPUSH l l 0; BLMOVE l l LEFT LEFT 0; BLPOP l 0; EXISTS l",
        "ZADD z 1 a 2.5 b 3 c inf d -inf e 1e30 f 7 g; BZPOPMIN z 0; BZPOPMAX z 0; BZPOPMIN n z 0; BZMPOP 0 1 z MIN; BZMPOP 0 2 n z MAX COUNT 2; ZRANGE z 0 -1; BZPOPMAX z 0; EXISTS z",
        "SET s 1; RPUSH l 1; ZADD z 1 1; BLPOP n s 0; BLPOP s l 0; BLPOP l s 0; RPUSH l 1; BLPOP z l 0; BZPOPMIN l z 0; BZMPOP 0 2 n s MIN; BLMPOP 0 1 z LEFT",
        "BLMOVE s l LEFT LEFT 0; BLMOVE l s LEFT LEFT 0; BRPOPLPUSH s l 0; BRPOPLPUSH l z 0; LRANGE l 0 -1",
        "BLMOVE l m UP LEFT 0; BLMOVE l m LEFT DOWN x; BLMOVE l m left right x; BLMPOP 0 0 l LEFT; BLMPOP 0 x l LEFT; BLMPOP x 0 l LEFT; BLMPOP 0 1 l UP; BLMPOP 0 1 l LEFT COUNT 0",
        "BLMPOP 0 1 l LEFT COUNT; BLMPOP 0 1 l LEFT COUNT x; BLMPOP 0 3 l LEFT; BLMPOP 0 1 l LEFT COUNT 1 COUNT 1; BLMPOP 0 1 l LEFT BY 1; BZMPOP 0 1 z LEFT; BZMPOP 0 1 z MIN COUNT -1; BZMPOP 0 9 z MIN",
        "BLPOP; BLPOP l; BZPOPMIN z; BLMOVE l m LEFT RIGHT; BRPOPLPUSH l m; BLMPOP 0 1 l; BZMPOP 0 1",
      ])
        await party.say("a", ...all(lines));
    }));

  for (const name of ["BLPOP n", "BZPOPMAX n", "BRPOPLPUSH n m", "BLMOVE n m LEFT RIGHT"])
    test(`${name}: times that are none`, () =>
      same(async (party) => {
        for (const timeout of TIMEOUTS) await party.say("a", ["MULTI"], [...words(name), timeout], ["EXEC"]);
      }));

  test("in a transaction nothing waits", () =>
    same(async (party) => {
      await party.say(
        "a",
        ...all(
          "MULTI; BLPOP n 0; BRPOPLPUSH n m 0; BLMOVE n m LEFT LEFT 1; BLMPOP 0 1 n LEFT; BZPOPMIN n 0; BZMPOP 0 1 n MIN; WAIT 3 0; EXEC",
        ),
        ...all("MULTI; RPUSH l 1 2; BLPOP l 0; BRPOPLPUSH l m 0; BLPOP m 0; BLPOP m 0; EXEC"),
      );
    }));
});

describe("a client that waits", () => {
  const waits = [
    ["BLPOP k 0", "RPUSH k 1 2 3"],
    ["BRPOP j k 0", "RPUSH k 1 2 3"],
    ["BLMPOP 0 2 j k LEFT", "RPUSH k 1 2 3"],
    ["BLMPOP 0 2 k j RIGHT COUNT 2", "RPUSH k 1 2 3"],
    ["BLMOVE k m LEFT RIGHT 0", "RPUSH k 1 2 3"],
    ["BRPOPLPUSH k m 0", "RPUSH k 1 2 3"],
    ["BRPOPLPUSH k k 0", "RPUSH k 1 2 3"],
    ["BZPOPMIN j k 0", "ZADD k 1 a 2.5 b 3 c"],
    ["BZPOPMAX k 0", "ZADD k 1 a 2.5 b 3 c"],
    ["BZMPOP 0 2 j k MIN", "ZADD k 1 a 2.5 b 3 c"],
    ["BZMPOP 0 1 k MAX COUNT 9", "ZADD k 1 a 2.5 b 3 c"],
  ] as const;
  for (const [wait, write] of waits) {
    test(`${wait}; then ${write}`, () =>
      same(async (party) => {
        await party.wait("a", words(wait), ["PING"], ["GET", "nope"]);
        await party.say("b", words(write), ["TYPE", "k"], ["TYPE", "m"], ["DBSIZE"]);
        await party.say("a", ["LRANGE", "m", "0", "-1"]);
      }));

    test(`${wait}: made in a transaction, by other commands, under another type`, () =>
      same(async (party) => {
        const isList = write.startsWith("RPUSH");
        await party.wait("a", words(wait));
        await party.say("b", ["SET", "k", "1"], ["DEL", "k"], ["HSET", "k", "f", "1"], ["DEL", "k"]);
        await party.say("b", words(isList ? "ZADD k 1 a" : "RPUSH k a"), ["DEL", "k"]);
        await party.say("b", ["MULTI"], words(write), ["DEL", "k"], ["EXEC"]);
        await party.say("b", ["MULTI"], words(write), ["SET", "k", "1"], ["EXEC"], ["DEL", "k"]);
        await party.say("b", words(write.replace(" k ", " other ")), ["RENAME", "other", "k"]);
        await party.settled();
        await party.say("b", ["FLUSHALL"]);
        await party.wait("a", words(wait));
        await party.say("b", words(write.replace(" k ", " other ")), ["COPY", "other", "k"]);
        await party.settled();
        await party.say("b", ["FLUSHALL"]);
        await party.wait("a", words(wait));
        await party.say(
          "b",
          ["SELECT", "1"],
          words(write),
          ["SWAPDB", "0", "1"],
          ["FLUSHALL"],
          ["SELECT", "0"],
        );
        await party.wait("a", words(wait));
        await party.say(
          "b",
          ["SELECT", "1"],
          words(write),
          ["MOVE", "k", "0"],
          ["FLUSHALL"],
          ["SELECT", "0"],
        );
      }));

    test(`${wait}: its time, CLIENT UNBLOCK`, () =>
      same(async (party) => {
        const short = wait.replace(/ 0$/, " 0.01").replace(/MPOP 0/, "MPOP 0.01");
        await party.wait("a", words(short), ["PING"]);
        await party.settled();
        await party.wait("a", words(wait), ["PING"]);
        await party.say("b", ["CLIENT", "UNBLOCK", "$a"], ["CLIENT", "UNBLOCK", "$a"], words(write), [
          "DEL",
          "k",
        ]);
        await party.wait("a", words(wait), ["PING"]);
        await party.say("b", ["CLIENT", "UNBLOCK", "$a", "TIMEOUT"]);
        await party.wait("a", words(wait), ["PING"]);
        await party.say("b", ["CLIENT", "UNBLOCK", "$a", "ERROR"]);
        await party.say("b", ["CLIENT", "UNBLOCK", "$a", "ERROR"], ["CLIENT", "UNBLOCK", "9999"]);
      }));
  }
});

describe("several clients", () => {
  test("are served in the order in which they began to wait", () =>
    same(async (party) => {
      for (const name of ["b", "a", "c"]) await party.wait(name, words("BLPOP k 0"));
      await party.say(
        "d",
        words("RPUSH k 1 2"),
        words("LLEN k"),
        words("RPUSH k 3 4 5"),
        words("LRANGE k 0 -1"),
      );
    }));

  test("some wait for lists and some for sorted sets", () =>
    same(async (party) => {
      await party.wait("a", words("BZPOPMIN k 0"));
      await party.wait("b", words("BLPOP k 0"));
      await party.wait("c", words("BZPOPMAX k 0"));
      await party.say("d", words("RPUSH k 1"), words("ZADD k 1 a 2 b"), words("EXISTS k"));
    }));

  test("keys are served in the order in which they came to be", () =>
    same(async (party) => {
      await party.wait("a", words("BLPOP k1 k2 k3 0"));
      await party.say(
        "d",
        ...all("MULTI; RPUSH k3 c; RPUSH k1 a; RPUSH k2 b; EXEC; EXISTS k1 k2 k3 k l m; FLUSHALL"),
      );
      await party.wait("a", words("BLPOP k1 k2 k3 0"));
      await party.wait("b", words("BLPOP k2 k3 0"));
      await party.say(
        "d",
        ...all(
          "MULTI; RPUSH k2 b; RPUSH k3 c; RPUSH k1 a; LPUSH k2 z; EXEC; EXISTS k1 k2 k3 k l m; FLUSHALL",
        ),
      );
    }));

  test("one feeds the next", () =>
    same(async (party) => {
      await party.wait("a", words("BLMOVE k l LEFT RIGHT 0"));
      await party.wait("b", words("BLMOVE l m LEFT RIGHT 0"));
      await party.wait("c", words("BLPOP m 0"));
      await party.say("d", ...all("RPUSH k 1 2; EXISTS k l m; LRANGE k 0 -1; FLUSHALL"));
      await party.wait("a", words("BRPOPLPUSH k k 0"));
      await party.wait("b", words("BLPOP k 0"));
      await party.say("d", ...all("RPUSH k 1; EXISTS k; FLUSHALL"));
      await party.wait("a", words("BLMOVE k s LEFT RIGHT 0"));
      await party.wait("b", words("BLPOP k 0"));
      await party.say("d", ...all("SET s 1; RPUSH k 1 2; LRANGE k 0 -1"));
    }));

  test("one who leaves is passed over, one who is killed too", () =>
    same(async (party) => {
      await party.wait("a", words("BLPOP k 0"));
      await party.wait("b", words("BLPOP k 0"));
      await party.wait("c", words("BLPOP k 0"));
      await party.leave("a");
      await party.say("d", ["CLIENT", "KILL", "ID", "$b"]);
      await party.say("d", words("RPUSH k 1 2"), words("LRANGE k 0 -1"));
    }));

  test("CLIENT REPLY, and requests behind one that waits", () =>
    same(async (party) => {
      await party.wait("a", words("CLIENT REPLY OFF"), words("BLPOP k 0"), words("CLIENT REPLY ON"));
      await party.wait(
        "b",
        words("CLIENT REPLY SKIP"),
        words("BLPOP k 0"),
        words("BLPOP k 0"),
        words("PING"),
      );
      await party.say("d", words("RPUSH k 1 2 3 4"));
      await party.settled();
      await party.say("d", words("LRANGE k 0 -1"));
    }));

  test("one that waits and writes to what others wait for", () =>
    same(async (party) => {
      await party.wait("a", words("BLPOP k 0"), words("RPUSH l 1"), words("BLPOP m 0"));
      await party.wait("b", words("BLPOP l 0"), words("RPUSH m 2"));
      await party.say("d", words("RPUSH k 0"));
      await party.settled();
    }));

  test("watched keys and tracked ones", () =>
    same(async (party) => {
      await party.join("e", 3);
      await party.say("e", ...all("CLIENT TRACKING ON; LRANGE k 0 -1; LRANGE l 0 -1"));
      await party.wait("a", words("BLMOVE k l LEFT LEFT 0"));
      await party.ask("b", ...all("WATCH l; MULTI; PING"));
      await party.ask("c", ...all("WATCH k; MULTI; PING"));
      await party.say("d", words("RPUSH k 1"));
      await party.ask("b", ["EXEC"]);
      await party.ask("c", ["EXEC"]);
      await party.say("e", ...all("LRANGE l 0 -1"));
      await party.wait("a", words("BLPOP k 0"));
      await party.ask("b", ...all("WATCH k; MULTI; RPUSH k 1; PING; EXEC"));
    }));

  test("notifications", () =>
    same(async (party) => {
      await party.join("e", 2);
      await party.say("d", ...all("CONFIG SET notify-keyspace-events KEA"));
      await party.subscribe("e", ["PSUBSCRIBE", "__key*"]);
      await party.wait("a", words("BLMOVE k l LEFT LEFT 0"));
      await party.wait("b", words("BZMPOP 0 1 z MIN"));
      await party.wait("c", words("BLPOP l 0"));
      await party.say(
        "d",
        ...all("MULTI; RPUSH k 1 2; ZADD z 1 a; EXEC; BLPOP k 0; RPUSH m 1; BLMPOP 0 1 m LEFT"),
      );
      await party.say("d", ["CONFIG", "SET", "notify-keyspace-events", ""]);
      await party.subscribe("e", ["PUNSUBSCRIBE"]);
    }));

  test("counters, and MONITOR", () =>
    same(async (party) => {
      await party.join("m", 2);
      await party.say("d", ["CONFIG", "RESETSTAT"]);
      await party.say("m", ["MONITOR"]);
      await party.wait("a", words("BLPOP k 0"));
      await party.wait("b", words("BLMOVE k s LEFT LEFT 0"));
      await party.count("blocked_clients:");
      await party.say("d", ...all("SET s 1; RPUSH k 1 2"));
      await party.count("blocked_clients:");
      for (const name of ["blpop", "blmove", "lpop", "lmove"])
        await party.count(`cmdstat_${name}:`, /usec=\d+,|usec_per_call=[^,]*,/g);
      await party.count("errorstat_WRONGTYPE");
      await party.say("m", ["PING"]);
      party.blot(/\+\d+\.\d+ \[(\d+) [\d.:]+\] ("CLIENT" "LIST".*|"INFO".*)?/g, "<$1>");
    }));
});

describe("the server around them", () => {
  test("a pause of writes, and of all", () =>
    same(async (party) => {
      await party.wait("a", words("BLPOP k 0.05"));
      await party.say("d", words("CLIENT PAUSE 100000 WRITE"));
      await party.settled();
      await party.say("d", words("CLIENT UNPAUSE"));
      await party.wait("a", words("BLPOP k 0"));
      await party.say("d", words("CLIENT PAUSE 100000 WRITE"));
      await party.wait("b", words("RPUSH k 1"));
      await party.say("d", words("CLIENT UNPAUSE"));
      await party.settled();
    }));

  test("it becomes a replica", () =>
    same(async (party) => {
      await party.wait("a", words("BLPOP k 0"));
      await party.wait("b", words("WAIT 5 0"));
      await party.say("d", words("REPLICAOF 127.0.0.1 1"));
      await party.closed("a");
      await party.closed("b");
      await party.say("d", words("REPLICAOF NO ONE"));
    }));

  test("a slot that goes, and a cluster that is down", () =>
    same(async (party) => {
      await party.say("d", words("CONFIG SET cluster-require-full-coverage no"));
      await party.wait("a", words("BLPOP k 0"));
      await party.wait("b", words("BZPOPMIN l 0"));
      await party.say("d", words("CLUSTER DELSLOTS 7629"));
      await party.settled(1);
      await party.say("d", words("CLUSTER ADDSLOTS 7629"), words("ZADD l 1 a"));
      await party.say("d", words("CONFIG SET cluster-require-full-coverage yes"));
      await party.wait("a", words("BLPOP k 0"));
      await party.wait("b", words("BLMOVE {k}1 k LEFT LEFT 0"));
      await party.say("d", words("CLUSTER DELSLOTS 1"));
      await party.settled();
      await party.say("d", words("CLUSTER ADDSLOTS 1"));
      await party.say(
        "a",
        words("BLPOP k l 0"),
        words("BLMOVE k l LEFT LEFT 0"),
        words("BLMPOP 0 2 k l LEFT"),
      );
    }, clustered.servers));
});
