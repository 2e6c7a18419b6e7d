// MULTI, EXEC, DISCARD, WATCH: the same dialogues of several connections with redis-server and with ours, and every byte
// that arrives on any of them must be the same.
import { describe, test } from "bun:test";
import { pickSeed, Random } from "../support/random.ts";
import { type Judged, judged } from "./harness/conformance.ts";
import { sameInBoth } from "./harness/dialogue.ts";
import { Party, type Words } from "./harness/party.ts";

const pair = judged("alone");
const clustered = judged("cluster");

const words = (line: string): Words => line.split(" ");
const all = (lines: string): Words[] => lines.split("; ").map(words);

const same = (dialogue: (party: Party) => Promise<void>, servers: Judged = pair.servers): Promise<void> =>
  sameInBoth(servers, (protocol) => ({ a: protocol, b: protocol, c: 2 }), dialogue);

describe("one connection", () => {
  for (const lines of [
    "MULTI; EXEC",
    "MULTI; SET k 1; INCR k; GET k; EXEC; GET k",
    "MULTI; SET k 1; DISCARD; GET k; EXEC",
    "EXEC; DISCARD; UNWATCH; MULTI; MULTI; WATCH k; DISCARD",
    "MULTI; MULTI; SET k 1; EXEC",
    "MULTI; WATCH k; SET k 1; EXEC",
    "MULTI; NOSUCH a b; SET k 1; EXEC; GET k",
    "MULTI; CONFIG NOSUCH; SET k 1; EXEC; GET k",
    "MULTI; GET; SET k 1; EXEC; GET k",
    "MULTI; SET k v; INCR k; GETRANGE k x 1; SET k 2; EXEC; GET k",
    "EXEC x; MULTI; EXEC x; EXEC; MULTI x; DISCARD x; DISCARD",
    "MULTI; SET k 1; EXEC x; EXEC; GET k",
    "MULTI; MONITOR; SYNC; EXEC",
    "MULTI; PSYNC ? -1; EXEC",
    "MULTI; SHUTDOWN NOSAVE; EXEC",
    "MULTI; DEBUG SLEEP 0; EXEC",
    "MULTI; SAVE; EXEC; MULTI; PING; EXEC",
    "MULTI; RESET; SET k 1; EXEC",
    "MULTI; PING; PING x; ECHO y; TIME; DISCARD; PING",
    "MULTI; HELLO 3; GET nope; HELLO 2; GET nope; EXEC; GET nope",
    "MULTI; SELECT 3; SET k 3; SELECT 0; GET k; EXEC; SELECT 3; GET k; SELECT 0",
    "MULTI; UNWATCH; EXEC",
    "WATCH; WATCH k; SET k 1; MULTI; SET k 2; EXEC; GET k",
    "WATCH k; MULTI; SET k 2; EXEC; GET k",
    "WATCH k k k; SET k 1; UNWATCH; MULTI; SET k 2; EXEC; GET k",
    "WATCH k; SET k 1; WATCH l; MULTI; EXEC; MULTI; EXEC",
    "WATCH k; SET k 1; MULTI; DISCARD; MULTI; PING; EXEC",
    "WATCH k; SET k 1; MULTI; NOSUCH; EXEC",
    "WATCH k; GET k; STRLEN k; EXISTS k; TOUCH k; MULTI; PING; EXEC",
    "SET k 1; WATCH k; GET k; TOUCH k; OBJECT ENCODING k; MULTI; PING; EXEC",
    "SET k 1; WATCH k; SET k 1; MULTI; PING; EXEC",
    "SET k 1; WATCH k; SET k 1 NX; MULTI; PING; EXEC",
    "SET k 1; WATCH k; SET k 1 XX; MULTI; PING; EXEC",
    "SET k 1; WATCH k; EXPIRE k 100; MULTI; PING; EXEC",
    "SET k 1; WATCH k; PERSIST k; MULTI; PING; EXEC",
    "RPUSH k 1 2; WATCH k; LTRIM k 0 -1; MULTI; PING; EXEC",
    "RPUSH k 1 2; WATCH k; LTRIM k 0 0; MULTI; PING; EXEC",
    "WATCH k; LTRIM k 0 -1; MULTI; PING; EXEC",
    "SET k 1 EX 100; WATCH k; PERSIST k; MULTI; PING; EXEC",
    "SET k 1; WATCH k; DEL k; MULTI; PING; EXEC",
    "WATCH k; DEL k; MULTI; PING; EXEC",
    "SET l 1; WATCH k; DEL k l; MULTI; PING; EXEC",
    "WATCH k; SET k 1; DEL k; MULTI; PING; EXEC",
    "SET k 1; WATCH k; RENAME k l; MULTI; PING; EXEC",
    "SET l 1; WATCH k; RENAME l k; MULTI; PING; EXEC",
    "SET l 1; WATCH k; COPY l k; MULTI; PING; EXEC",
    "SET k 1; WATCH k; COPY k l; MULTI; PING; EXEC",
    "SET k 1; WATCH k; MOVE k 1; MULTI; PING; EXEC; FLUSHALL",
    "SET k 1; SELECT 1; WATCH k; SELECT 0; MOVE k 1; MULTI; PING; EXEC; FLUSHALL",
    "SET k 1; SELECT 1; WATCH k; SELECT 0; COPY k k DB 1; MULTI; PING; EXEC; FLUSHALL",
    "SELECT 1; WATCH k; SELECT 0; SET k 1; MULTI; PING; EXEC; FLUSHALL",
    "SET k 1; WATCH k; FLUSHALL; MULTI; PING; EXEC",
    "WATCH k; FLUSHALL; MULTI; PING; EXEC",
    "SET l 1; WATCH k; FLUSHALL; MULTI; PING; EXEC",
    "SET k 1; WATCH k; FLUSHDB; MULTI; PING; EXEC",
    "SET k 1; WATCH k; SELECT 1; FLUSHDB; SELECT 0; MULTI; PING; EXEC",
    "SET k 1; WATCH k; SWAPDB 0 1; MULTI; PING; EXEC; FLUSHALL",
    "SELECT 1; SET k 1; SELECT 0; WATCH k; SWAPDB 0 1; MULTI; PING; EXEC; FLUSHALL",
    "SET l 1; WATCH k; SWAPDB 0 1; MULTI; PING; EXEC; FLUSHALL",
    "SET k 1; WATCH k; SWAPDB 2 1; MULTI; PING; EXEC; FLUSHALL",
    "SET k 1; WATCH k; MULTI; SET k 2; EXEC; MULTI; GET k; EXEC",
    "SET k 1 PX 1; DEBUG SLEEP 0.01; WATCH k; MULTI; PING; EXEC",
    "SET k 1 PX 1; DEBUG SLEEP 0.01; WATCH k; GET k; MULTI; PING; EXEC",
    "SET k 1 PX 1; DEBUG SLEEP 0.01; WATCH k; SET k 1; MULTI; PING; EXEC",
    "SET k 1 PX 1; DEBUG SLEEP 0.01; WATCH k; FLUSHALL; MULTI; PING; EXEC",
    "SET k 1 PX 20; WATCH k; DEBUG SLEEP 0.03; MULTI; PING; EXEC",
    "SET k 1 PX 20; WATCH k; DEBUG SLEEP 0.03; GET k; MULTI; PING; EXEC",
    "MSETNX k 1 l 1; WATCH k; MSETNX k 1 m 1; MULTI; PING; EXEC",
    "WATCH m; MSET k 1 l 1 m 1; MULTI; PING; EXEC",
    "SET k 1; WATCH k; RESTORE k 0 x; SETRANGE k 0 ; APPEND k ; MULTI; PING; EXEC",
    "SET k 1; WATCH k; GETEX k; MULTI; PING; EXEC; WATCH k; GETEX k EX 10; MULTI; PING; EXEC",
    "SET k 1; WATCH k; GETDEL k; MULTI; PING; EXEC",
    "MULTI; CONFIG SET maxmemory-policy noeviction; CONFIG GET maxmemory-policy; EXEC",
    "MULTI; WAIT 1 1000; WAIT 0 0; EXEC",
    "MULTI; COMMAND COUNT x; OBJECT ENCODING; OBJECT HELP x y; EXEC",
    "MULTI; AUTH a b c d; AUTH x; EXEC",
    "MULTI; SWAPDB 0 99; SELECT 99; EXPIRE k x; EXEC",
  ]) {
    test(lines, () =>
      same(async (party) => {
        // Within one packet time stands still here, but not there.
        const packets = lines.includes("SLEEP") ? all(lines).map((line) => [line]) : [all(lines)];
        for (const packet of packets) await party.ask("a", ...packet);
        await party.say("a", ["RESET"], ["GET", "k"], ["DBSIZE"]);
      }),
    );
  }

  test("requests word by word and inline, each in its own packet", () =>
    same(async (party) => {
      for (const line of all("MULTI; SET k 1; GET k; NOSUCH; EXEC; MULTI; GET k; EXEC"))
        await party.ask("a", line);
    }));

  test("CLIENT REPLY among the requests", () =>
    same(async (party) => {
      await party.say("a", ...all("MULTI; CLIENT REPLY SKIP; PING; EXEC; PING; PING"));
      await party.say("a", ...all("CLIENT REPLY OFF; MULTI; PING; SET k 1; EXEC; CLIENT REPLY ON; GET k"));
      await party.say("a", ...all("MULTI; PING; CLIENT REPLY SKIP; EXEC; PING; PING"));
      await party.say("a", ...all("CLIENT REPLY SKIP; MULTI; PING; CLIENT REPLY SKIP; EXEC; PING"));
      await party.say("a", ...all("PING; MULTI; PING; EXEC; PING"));
    }));

  const seed = pickSeed();
  test(`a transaction of many requests of all sizes, seed ${seed}`, () =>
    same(async (party) => {
      const random = new Random(seed);
      const queued: Words[] = Array.from({ length: 1000 }, (_, i) => {
        const size = random.chance(0.1) ? random.below(20_000) : random.below(40);
        return random.chance(0.5) ? ["SET", `k${i % 50}`, "x".repeat(size)] : ["GET", `k${random.below(50)}`];
      });
      await party.ask("a", ["MULTI"], ...queued, ["EXEC"]);
    }));
});

describe("several connections", () => {
  test("what others do to a watched key", () =>
    same(async (party) => {
      for (const write of all("SET k 1; SET j 1; DEL j; DEL k; APPEND k x; FLUSHALL; PING; EXPIRE k -1")) {
        await party.ask("a", ["WATCH", "k"], ["MULTI"], ["GET", "k"]);
        await party.ask("b", ["WATCH", "j", "k"]);
        await party.ask("c", write);
        await party.ask("a", ["EXEC"]);
        await party.ask("b", ["MULTI"], ["PING"], ["EXEC"]);
      }
    }));

  test("a transaction touches what others watch", () =>
    same(async (party) => {
      await party.ask("a", ...all("WATCH k; MULTI; GET k"));
      await party.ask("b", ...all("MULTI; SET j 1; EXEC"));
      await party.ask("a", ["EXEC"]);
      await party.ask("a", ...all("WATCH k; MULTI; GET k"));
      await party.ask("b", ...all("MULTI; SET j 1; SET k 1; DEL k; EXEC"));
      await party.ask("a", ["EXEC"]);
    }));

  test("nothing is done before EXEC, and nothing of one who leaves", () =>
    same(async (party) => {
      await party.ask("a", ...all("MULTI; SET k 1"));
      await party.ask("b", ...all("GET k"));
      await party.ask("b", ...all("MULTI; SET l 1"));
      await party.leave("b");
      await party.ask("a", ...all("EXEC; GET l"));
    }));

  test("CLIENT LIST and KILL", () =>
    same(async (party) => {
      await party.ask("a", ...all("MULTI; GET k; GET k"));
      await party.ask("b", ...all("WATCH k; SET k 1"));
      for (const name of ["a", "b"]) {
        await party.note(["CLIENT", "LIST", "ID", `$${name}`], /(flags=\S+).*( multi=\S+).*( cmd=\S+)/);
      }
      await party.ask("b", ...all("CLIENT NO-EVICT ON; MULTI"));
      await party.note(["CLIENT", "LIST", "ID", "$b"], /(flags=\S+).*( multi=\S+).*( cmd=\S+)/);
      await party.ask("c", ["CLIENT", "KILL", "ID", "$b"]);
      await party.ask("a", ["EXEC"]);
    }));
});

describe("refusals", () => {
  test("memory that ran out before, while queueing and at EXEC", () =>
    same(async (party) => {
      await party.ask("b", ["SET", "big", "x".repeat(100_000)]);
      await party.freed();
      await party.ask("a", ...all("MULTI; SET k 1; GET k"));
      await party.ask("b", ...all("CONFIG SET maxmemory 1"));
      await party.ask("a", ["EXEC"]);
      await party.ask("a", ...all("MULTI; SET k 1; GET k; EXEC"));
      await party.ask("a", ...all("MULTI; GET k; DISCARD"));
      await party.ask("b", ...all("CONFIG SET maxmemory 0"));
      await party.ask("a", ...all("MULTI; GET k"));
      await party.ask("b", ...all("CONFIG SET maxmemory 1"));
      await party.ask("a", ["EXEC"]);
      await party.ask("b", ...all("CONFIG SET maxmemory 0; GET k"));
    }));

  test("writes on a replica, and what was queued before it became one", () =>
    same(async (party) => {
      await party.ask("a", ...all("MULTI; SET k 1; GET k"));
      await party.ask("b", ...all("MULTI; GET k"));
      await party.ask("c", ...all("CONFIG SET replica-serve-stale-data yes; REPLICAOF 127.0.0.1 1"));
      await party.ask("a", ["EXEC"]);
      await party.ask("b", ["EXEC"]);
      await party.ask("a", ...all("MULTI; SET k 1; GET k; EXEC"));
      await party.ask("c", ...all("CONFIG SET replica-serve-stale-data no"));
      await party.ask("a", ...all("MULTI; GET k; EXEC"));
      await party.ask("c", ...all("MULTI; REPLICAOF NO ONE; CONFIG SET replica-serve-stale-data yes; EXEC"));
    }));

  test("what is said before the password", () =>
    same(async (party) => {
      await party.ask("c", ...all("CONFIG SET requirepass secret"));
      await party.join("d", 2);
      await party.ask("d", ...all("MULTI; GET k; EXEC; DISCARD; AUTH secret; MULTI; GET k; EXEC"));
      await party.ask("c", ["CONFIG", "SET", "requirepass", ""]);
    }));

  test("too few replicas", () =>
    same(async (party) => {
      await party.ask("a", ...all("MULTI; SET k 1"));
      await party.ask("c", ...all("CONFIG SET min-replicas-to-write 1"));
      await party.ask("a", ["EXEC"]);
      await party.ask("a", ...all("MULTI; SET k 1; GET k; EXEC; GET k"));
      await party.ask("c", ...all("CONFIG SET min-replicas-to-write 0"));
    }));
});

describe("what watches a transaction go by", () => {
  test("counters of commands and of errors", () =>
    same(async (party) => {
      await party.ask("a", ["CONFIG", "RESETSTAT"]);
      await party.ask(
        "a",
        ...all("MULTI; SET k v; INCR k; GET k; EXEC; MULTI; GET; EXEC; WATCH k; SET k 1; MULTI; EXEC"),
      );
      for (const name of ["exec", "multi", "set", "incr", "get", "watch"])
        await party.count(`cmdstat_${name}:`, /usec=\d+,|usec_per_call=[^,]*,/g);
      for (const name of ["ERR", "EXECABORT"]) await party.count(`errorstat_${name}:`);
    }));

  test("tracking: its own writes and others', read inside and outside", () =>
    same(async (party) => {
      await party.join("d", 3);
      await party.join("e", 3);
      await party.say("d", ...all("CLIENT TRACKING ON; GET k; GET l"));
      await party.say("e", ...all("CLIENT TRACKING ON; GET k; GET l"));
      await party.say("d", ...all("MULTI; SET k 1; SET l 1; GET k; GET m; EXEC"));
      await party.say("e", ...all("SET k 2; SET m 2"));
      await party.say(
        "d",
        ...all(
          "CLIENT TRACKING OFF; CLIENT TRACKING ON OPTIN; CLIENT CACHING YES; MULTI; GET k; GET l; EXEC",
        ),
      );
      await party.say("e", ...all("SET k 2; SET l 2"));
      await party.say("d", ...all("CLIENT CACHING YES; GET k; MULTI; GET l; EXEC"));
      await party.say("e", ...all("SET k 2; SET l 2"));
    }));

  test("MONITOR", () =>
    same(async (party) => {
      await party.join("m", 2);
      await party.say("m", ["MONITOR"]);
      await party.say(
        "a",
        ...all("MULTI; SET k 1; GET k; CONFIG GET x; EXEC; WATCH k; MULTI; NOSUCH; EXEC; MULTI; EXEC x"),
      );
      await party.say("m", ["PING"]);
      party.blot(/\+\d+\.\d+ \[(\d+) [\d.:]+\]/g, "<$1>");
    }));
});

describe("in a cluster", () => {
  test("keys of several slots", () =>
    same(async (party) => {
      await party.ask("a", ...all("MULTI; SET k 1; SET l 1; EXEC"));
      await party.ask("a", ...all("MULTI; SET k 1; MGET k l; EXEC; EXEC"));
      await party.ask(
        "a",
        ...all("WATCH k l; WATCH k; WATCH l; SET {k}1 2; MULTI; SET {k}1 1; GET {k}1; EXEC"),
      );
      await party.ask("a", ...all("MULTI; SELECT 1; CLUSTER KEYSLOT k; CLUSTER COUNTKEYSINSLOT 12706; EXEC"));
    }, clustered.servers));

  test("a slot that goes between queueing and EXEC, and one that moves", () =>
    same(async (party) => {
      const id = "0123456789012345678901234567890123456789";
      await party.ask("b", ...all("SET k 1; WATCH k"));
      await party.ask("a", ...all("MULTI; GET k; GET {k}2"));
      await party.ask("c", ...all("CONFIG SET cluster-require-full-coverage no"));
      await party.ask("c", ...all(`CLUSTER SETSLOT 7629 IMPORTING ${id}; CLUSTER SETSLOT 7629 STABLE`));
      await party.ask("c", ["CLUSTER", "DELSLOTS", "7629"]);
      await party.ask("a", ["EXEC"]);
      await party.ask("a", ...all("MULTI; GET k; EXEC; GET l"));
      await party.ask("c", ["CLUSTER", "ADDSLOTS", "7629"]);
      await party.ask("b", ...all("MULTI; PING; EXEC"));
      await party.ask(
        "c",
        ...all(
          "MULTI; CLUSTER DELSLOTS 7629; CLUSTER ADDSLOTS 7629; CLUSTER BUMPEPOCH; CLUSTER SETSLOT 7629 STABLE; EXEC",
        ),
      );
      await party.ask("c", ...all("CONFIG SET cluster-require-full-coverage yes"));
    }, clustered.servers));
});
