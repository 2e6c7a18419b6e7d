// Channels, patterns and sharded channels: the same dialogues of several connections with redis-server and with ours,
// and every byte that arrives on any of them, messages among replies, must be the same. Where redis-server goes by the
// order of a hashtable (several patterns of one client that fit, all channels ended at once), nothing is asked.
import { describe, test } from "bun:test";
import { judged } from "./harness/conformance.ts";
import { sameDialogue } from "./harness/dialogue.ts";
import type { Words } from "./harness/party.ts";

const alone = judged("alone");
const clustered = judged("cluster");

const words = (text: string): Words => text.split(" ").map((word) => word.replaceAll("_", " "));
const all = (text: string): readonly Words[] => text.split("\n").map((line) => words(line.trim()));

describe("confirmations and messages", () => {
  for (const protocol of [2, 3] as const)
    for (const [name, subject] of [
      ["alone", alone],
      ["in a cluster", clustered],
    ] as const)
      test(`of subscribers of RESP${protocol}, ${name}`, () =>
        sameDialogue(subject.servers, { a: protocol, b: 2, c: 3, teller: protocol }, async (party) => {
          await party.say("a", ...all("SUBSCRIBE x y x\nPSUBSCRIBE x* q?\nSSUBSCRIBE {s}1 {s}2\nPING"));
          await party.say("b", ...all("SUBSCRIBE x\nPING\nPING hello"));
          await party.say("c", ...all("PSUBSCRIBE [xyz] xx?\nPING hello\nSUBSCRIBE x\nGET k"));
          for (const channel of ["x", "y", "z", "xx", "", "{s}1", "\xff\r\n"])
            await party.say("teller", ["PUBLISH", channel, "1"], ["PUBLISH", channel, ""]);
          await party.say("teller", ...all("SPUBLISH {s}1 m\nSPUBLISH {s}3 m\nSPUBLISH x m\nPUBLISH x"));
          await party.say(
            "teller",
            ...all("PUBSUB NUMSUB x y nope x\nPUBSUB NUMSUB\nPUBSUB NUMPAT\nPUBSUB NUMPAT 1\nPUBSUB"),
            ...all("PUBSUB SHARDNUMSUB {s}1 x\nPUBSUB SHARDNUMSUB\nPUBSUB CHANNELS x\nPUBSUB CHANNELS [z]"),
            ...all("PUBSUB SHARDCHANNELS *1\nPUBSUB CHANNELS a b\nPUBSUB NOPE\nPUBSUB SHARDCHANNELS a b"),
          );
          await party.say(
            "a",
            ...all("UNSUBSCRIBE y nope y\nPUNSUBSCRIBE nope q?\nSUNSUBSCRIBE {s}1 {s}nope"),
          );
          await party.say(
            "teller",
            ["PUBLISH", "x", "2"],
            ["SPUBLISH", "{s}2", "2"],
            ["SPUBLISH", "{s}1", "2"],
          );
          await party.say("a", ...all("UNSUBSCRIBE\nPUNSUBSCRIBE\nGET k\nSUNSUBSCRIBE\nGET k\nUNSUBSCRIBE"));
          await party.say("a", ...all("PUNSUBSCRIBE\nSUNSUBSCRIBE\nPING\nSUBSCRIBE\nSSUBSCRIBE\nPSUBSCRIBE"));
          await party.say("teller", ["PUBLISH", "x", "3"]);
          await party.leave("b");
          await party.say("teller", ["PUBLISH", "x", "4"], ...all("PUBSUB CHANNELS\nPUBSUB NUMPAT"));
          await party.count("pubsub");
        }));

  test("long ones, and many in one write", () =>
    sameDialogue(alone.servers, { a: 2, b: 3, c: 3, teller: 3 }, async (party) => {
      await party.say("a", ["SUBSCRIBE", "x"]);
      await party.say("b", ["PSUBSCRIBE", "*"]);
      await party.say("c", ["SUBSCRIBE", "y"]);
      const message = (n: number): Words => ["PUBLISH", n % 3 === 0 ? "y" : "x", "m".repeat(n)];
      await party.say("teller", ...Array.from({ length: 100 }, (_, n) => message(n)));
      await party.say("teller", message(100_000), message(100_001));
    }));
});

describe("a connection that is subscribed", () => {
  const tried = all(`GET k
    SET
    NOSUCH
    CLIENT LIST
    CLIENT
    CLIENT NOSUCH
    HELLO 3
    HELLO
    PUBLISH x y
    SPUBLISH x y
    ECHO x
    ECHO
    MULTI
    PING a b
    PUBSUB NUMPAT
    COMMAND COUNT
    AUTH x
    SELECT 0
    DEBUG SLEEP 0
    READONLY
    SUBSCRIBE y
    PSUBSCRIBE y
    SSUBSCRIBE y
    UNSUBSCRIBE y
    PUNSUBSCRIBE y
    SUNSUBSCRIBE y
    PING`);
  for (const kind of ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"])
    test(`may not do everything in RESP2, may in RESP3: ${kind}`, () =>
      sameDialogue(alone.servers, { old: 2, back: 3, other: 2 }, async (party) => {
        await party.say("old", [kind, "x"], ...tried);
        await party.say("back", [kind, "x"], ["GET", "k"], ["HELLO", "2", "SETNAME", "n"], ...tried);
        await party.say("other", ["PUBLISH", "x", "1"], ["SPUBLISH", "x", "1"]);
        await party.say("old", ["RESET"], ["GET", "k"], ["PING"]);
        await party.say("back", ["RESET"], ["GET", "k"], ["PING"]);
        await party.say("other", ["PUBLISH", "x", "1"], ["SPUBLISH", "x", "1"]);
      }));

  test("that publishes to itself reads the message before the reply", () =>
    sameDialogue(alone.servers, { self: 3, other: 3 }, async (party) => {
      await party.say("other", ["SUBSCRIBE", "x"]);
      await party.say(
        "self",
        ...all("SUBSCRIBE x\nPSUBSCRIBE ?\nSSUBSCRIBE x\nPING\nPUBLISH x 1\nSPUBLISH x 2\nPING\nPUBLISH x 3"),
      );
    }));

  test("hears messages whatever CLIENT REPLY says", () =>
    sameDialogue(alone.servers, { self: 3, old: 2, other: 2 }, async (party) => {
      await party.say(
        "self",
        ...all("SUBSCRIBE x\nCLIENT REPLY OFF\nPUBLISH x 1\nSUBSCRIBE y\nPING\nCLIENT REPLY ON\nPUBLISH x 2"),
        ...all("CLIENT REPLY SKIP\nPUBLISH x 3\nPING\nCLIENT REPLY SKIP\nUNSUBSCRIBE y\nPING"),
      );
      await party.say("old", ...all("CLIENT REPLY SKIP\nSUBSCRIBE x\nPING"));
      await party.say("other", ["PUBLISH", "x", "4"]);
      await party.say("old", ...all("RESET\nCLIENT REPLY OFF\nSUBSCRIBE x y\nPING\nUNSUBSCRIBE x y\nRESET"));
    }));

  test("within a transaction: confirmations are among its replies", () =>
    sameDialogue(alone.servers, { a: 2, b: 3, other: 2 }, async (party) => {
      await party.say("other", ["SUBSCRIBE", "x"]);
      await party.say("b", ["SUBSCRIBE", "z"]);
      for (const who of ["a", "b"]) {
        await party.say(who, ...all("MULTI\nSUBSCRIBE x\nPSUBSCRIBE y*\nPING\nEXEC\nPING"));
        await party.say(who, ...all("UNSUBSCRIBE x\nPUNSUBSCRIBE y*"));
        await party.say(who, ...all("MULTI\nPUBLISH x 1\nGET k\nUNSUBSCRIBE x\nPUBLISH x 2\nEXEC"));
      }
    }));
});

test("CLIENT LIST, CLIENT KILL and INFO tell subscribers apart", async () => {
  await sameDialogue(alone.servers, { a: 2, b: 3, other: 2 }, async (party) => {
    await party.say("a", ...all("SUBSCRIBE x y\nSSUBSCRIBE s"));
    await party.say("b", ["PSUBSCRIBE", "x*"], ["CLIENT", "INFO"]);
    await party.count("pubsub");
    await party.say("other", ["CLIENT", "KILL", "TYPE", "pubsub"], ["CLIENT", "LIST", "TYPE", "pubsub"]);
    await party.say("other", ["PUBLISH", "x", "1"], ["PUBSUB", "NUMPAT"]);
    await party.count("pubsub");
  });
});

test("patterns are of bytes", () =>
  sameDialogue(alone.servers, { a: 2, teller: 2 }, async (party) => {
    const patterns = ["h?llo", "h[^e]llo", "h[a-c]llo", "\\*", "*\xff", "[\x80-\xff]*", ""];
    for (const pattern of patterns) {
      await party.say("a", ["PSUBSCRIBE", pattern]);
      for (const channel of ["hello", "hallo", "hllo", "*", "a\xff", "\x90x", "", "\\*"])
        await party.say("teller", ["PUBLISH", channel, "m"]);
      await party.say("a", ["PUNSUBSCRIBE", pattern]);
    }
  }));

describe("invalid keys for a connection of RESP2", () => {
  test("are messages of a channel of their own, if it is subscribed to anything", () =>
    sameDialogue(alone.servers, { reader: 2, reader3: 3, old: 2, other: 2 }, async (party) => {
      for (const who of ["reader", "reader3"])
        await party.say(who, ["CLIENT", "TRACKING", "ON", "REDIRECT", "$old"], ["MGET", "k", "l", "m"]);
      await party.say("other", ["SET", "k", "1"]);
      await party.say("old", ["SUBSCRIBE", "__redis__:invalidate"]);
      await party.say(
        "other",
        ["SET", "l", "1"],
        ["SET", "l", "2"],
        ["PUBLISH", "__redis__:invalidate", "x"],
      );
      await party.say("reader", ["GET", "l"], ["SET", "l", "3"]);
      await party.say("old", ["SUBSCRIBE", "else"], ["UNSUBSCRIBE", "__redis__:invalidate"]);
      await party.say("other", ["SET", "m", "1"], ["FLUSHALL"]);
      await party.say("old", ["UNSUBSCRIBE", "else"]);
      await party.say("reader", ["GET", "l"]);
      await party.say("other", ["SET", "l", "1"]);
    }));

  test("are told to it by prefix too", () =>
    sameDialogue(alone.servers, { reader: 2, old: 2, other: 2 }, async (party) => {
      await party.say("old", ["SUBSCRIBE", "__redis__:invalidate"]);
      await party.say("reader", ["CLIENT", "TRACKING", "ON", "BCAST", "REDIRECT", "$old"]);
      await party.say("other", ["SET", "l", "1"], ["MSET", "b", "1", "a", "1"]);
    }));
});
