// Keyspace notifications: the same requests to redis-server and to ours, heard by somebody who subscribed to all of them
// and by the very client that makes the changes. Every command that writes has its requests here.
import { beforeAll, describe, expect, test } from "bun:test";
import { commandTable } from "../../src/commands/families.ts";
import { judged } from "./harness/conformance.ts";
import { sameDialogue } from "./harness/dialogue.ts";
import type { Words } from "./harness/party.ts";

const pair = judged("alone");
const clustered = judged("cluster");

beforeAll(async () => {
  for (const { servers } of [pair, clustered])
    for (const server of [servers.theirs, servers.ours]) {
      const client = await server.connect();
      await client.ok("CONFIG", "SET", "notify-keyspace-events", "KEAmn");
      await client.ok("DEBUG", "SET-ACTIVE-EXPIRE", "0");
      client.close();
    }
});

/** Requests of a line each, `;` between; words without spaces. Those of commands that are yet to come are left out. */
const requests = (text: string): readonly Words[] =>
  text
    .split(/[\n;]/)
    .map((line) => line.trim().split(" "))
    .filter(([name]) => commandTable.named(name!) !== undefined);

/** A string, as DUMP gives it. */
const DUMPED = "\0\x01a\n\0\xff\xb0\x9a\xb1\xb8\xb0\xad\xe8\xdf";

const SCRIPTS: Readonly<Record<string, string>> = {
  strings: `SET k v;SET k v;SET k v XX;SET k v NX;SET n v XX;SET k v EX 100;SET k v KEEPTTL;SET k v GET;SET k2 v GET;SET k x NX GET
    SETNX k v;SETNX k3 v;SETEX k 100 v;PSETEX k 100000 v;GETSET k w;GETSET k4 w;GETDEL k4;GETDEL k4;GETEX k
    GETEX k EX 50;GETEX k PERSIST;GETEX k PERSIST;GETEX k EXAT 1;GETEX k EX 50;MSET a 1 b 2 a 3;MSETNX a 1 c 2;MSETNX d 1 e 2
    APPEND a x;APPEND a-new x;APPEND a-new ;SETRANGE a 3 y;SETRANGE r 3 y;SETRANGE a 0 ;INCR i;INCRBY i 5;DECR i;DECRBY i 2
    INCRBYFLOAT i 1.5;INCRBYFLOAT f 1.5;INCR a;INCRBYFLOAT a 1;SETBIT bits 3 1;SETBIT bits 3 1`,
  "keys in general": `SET k v;EXPIRE k 100;EXPIRE k 100 NX;PEXPIRE k 90000;PERSIST k;PERSIST k;EXPIREAT k 99999999999;PEXPIREAT k 99999999999999
    EXPIRE k -1;EXPIRE k 1;SET k v;PEXPIREAT k 1;SET k v;SET l v;RENAME k k2;RENAME k2 l;RENAME l l;RENAMENX l k;SET l v;RENAMENX l k
    COPY k c;COPY k c;COPY k c REPLACE;COPY none c;DEL k none k c;UNLINK k l;SET k v;DEL k;FLUSHDB;SET k v;FLUSHALL;DEL k
    RENAME none x;PERSIST none;EXPIRE none 1`,
  "what moves between databases": `SET k v;MOVE k 1;SET k v;MOVE k 1;COPY k k2 DB 1;COPY k k2 DB 1;COPY k k2 DB 1 REPLACE;SWAPDB 0 1;SELECT 1
    SET k w;DEL k k2;SELECT 0;FLUSHALL`,
  "keys that are not there": `GET n;STRLEN n;GETRANGE n 0 1;SUBSTR n 0 1;MGET n n2;EXISTS n n;TYPE n;TTL n;PTTL n;EXPIRETIME n;PEXPIRETIME n
    DUMP n;TOUCH n n2;LCS n n2;OBJECT ENCODING n;OBJECT IDLETIME n;OBJECT REFCOUNT n;MEMORY USAGE n;GETEX n;GETDEL n
    LLEN n;LINDEX n 0;LRANGE n 0 -1;LPOS n x;HGET n f;HMGET n f;HGETALL n;HKEYS n;HVALS n;HLEN n;HEXISTS n f;HSTRLEN n f
    HRANDFIELD n;HRANDFIELD n 2;HSCAN n 0;SISMEMBER n m;SMISMEMBER n m;SMEMBERS n;SCARD n;SRANDMEMBER n;SRANDMEMBER n 2;SSCAN n 0
    SINTER n n2;SUNION n n2;SDIFF n n2;SINTERCARD 2 n n2;ZSCORE n m;ZMSCORE n m;ZCARD n;ZCOUNT n 0 1;ZLEXCOUNT n - +;ZRANK n m
    ZREVRANK n m;ZRANGE n 0 -1;ZRANGEBYSCORE n 0 1;ZREVRANGE n 0 1;ZREVRANGEBYSCORE n 1 0;ZRANGEBYLEX n - +;ZREVRANGEBYLEX n + -
    ZRANDMEMBER n;ZRANDMEMBER n 2;ZSCAN n 0;ZUNION 2 n n2;ZINTER 2 n n2;ZDIFF 2 n n2;ZINTERCARD 2 n n2;SORT n;SORT_RO n
    GETBIT n 1;BITCOUNT n`,
  "writes that find nothing": `LPOP n;RPOP n;LPOP n 2;LMOVE n n2 LEFT LEFT;RPOPLPUSH n n2;LREM n 0 x;LTRIM n 0 1;LSET n 0 x;LINSERT n BEFORE x y;LPUSHX n x
    RPUSHX n x;LMPOP 2 n n2 LEFT;HDEL n f;SREM n m;SPOP n;SPOP n 2;SMOVE n n2 m;SINTERSTORE d n n2;SUNIONSTORE d n;SDIFFSTORE d n
    ZREM n m;ZPOPMIN n;ZPOPMAX n 2;ZMPOP 2 n n2 MIN;ZREMRANGEBYRANK n 0 1;ZREMRANGEBYSCORE n 0 1;ZREMRANGEBYLEX n - +
    ZRANGESTORE d n 0 -1;ZUNIONSTORE d 1 n;ZINTERSTORE d 1 n;ZDIFFSTORE d 1 n;SORT n STORE d;ZADD n XX 1 m;UNLINK n`,
  lists: `LPUSH l a b;RPUSH l c;LPUSHX l d;RPUSHX l e;LSET l 0 z;LINSERT l BEFORE z y;LINSERT l AFTER none y;LREM l 0 y;LREM l 0 none;LTRIM l 0 1
    LPOP l;RPOP l;RPUSH l a b c;LPOP l 2;LPOP l 5;RPUSH l a b c;LTRIM l 5 9;RPUSH l a b c;RPOP l 3;RPUSH l a b c;LMOVE l m LEFT RIGHT
    LMOVE l l LEFT RIGHT;RPOPLPUSH l m;LMOVE l m RIGHT LEFT;LMPOP 2 l m LEFT;LMPOP 2 l m RIGHT COUNT 9;RPUSH l a a;LREM l 0 a
    RPUSH l 3 1 2;SORT l STORE s;SORT l STORE l;SORT none STORE l;RPUSH l a;SET l v;LPUSH l x;DEL l;RPUSH l a;RENAME l m;COPY m l
    LPOP l 0;BLPOP l m 1;RPUSH l a;BRPOP l 1;RPUSH l a b;BLMOVE l m LEFT LEFT 1;BRPOPLPUSH l m 1;BLMPOP 1 2 l m LEFT`,
  hashes: `HSET h a 1;HSET h a 1 b 2;HSETNX h a 1;HSETNX h c 1;HMSET h d 1;HINCRBY h a 5;HINCRBY h new 5;HINCRBYFLOAT h a 1.5;HDEL h a
    HDEL h none;HDEL h b c d new;HSET h a 1;DEL h;HINCRBY h2 a 1;HINCRBYFLOAT h3 a 1;HINCRBY h2 a x;HSET h2 a x;HINCRBY h2 a 1`,
  sets: `SADD s a b;SADD s a;SADD s c;SREM s a;SREM s none;SREM s b c;SADD s a;SPOP s;SADD s a;SPOP s 0;SPOP s 9;SADD s a;SADD t b
    SMOVE s t a;SMOVE s t a;SADD s b;SMOVE s t b;SMOVE t t a;SMOVE t t b;SADD s a c;SINTERSTORE d s t;SINTERSTORE d s none
    SUNIONSTORE d s t;SUNIONSTORE d s t;SDIFFSTORE d s t;SDIFFSTORE d t t;SINTERSTORE d s none;SADD n 1 2 3;SADD n x;SET n v;SUNIONSTORE n s`,
  "sorted sets": `ZADD z 1 a 2 b;ZADD z 1 a;ZADD z CH 5 a;ZADD z XX 9 none;ZADD z NX 9 a;ZADD z INCR 1 a;ZADD z XX INCR 1 none;ZADD z2 INCR 1 a
    ZINCRBY z 2 a;ZINCRBY z 2 new;ZINCRBY z3 2 new;ZREM z a;ZREM z none;ZREM z b new;ZADD z 1 a 2 b 3 c 4 d;ZPOPMIN z;ZPOPMAX z;ZPOPMAX z 0
    ZADD z 1 a 2 b 3 c 4 d;ZREMRANGEBYRANK z 0 0;ZREMRANGEBYSCORE z 2 2;ZREMRANGEBYLEX z - (c;ZREMRANGEBYSCORE z 90 99;ZREMRANGEBYRANK z 0 -1
    ZADD z 1 a 2 b;ZADD y 1 b;ZRANGESTORE d z 0 -1;ZRANGESTORE d z 5 9;ZUNIONSTORE d 2 z y;ZINTERSTORE d 2 z y;ZDIFFSTORE d 2 z y
    ZDIFFSTORE d 1 none;ZINTERSTORE d 2 z none;ZMPOP 1 z MIN;ZMPOP 1 z MAX COUNT 9;ZADD z 1 a;BZPOPMIN z 1;ZADD z 1 a;BZPOPMAX z 1
    ZADD z 1 a;BZMPOP 1 1 z MIN;ZADD z nan a;GEOADD g 13 38 p;GEOSEARCHSTORE d g FROMMEMBER p BYRADIUS 1 km`,
};

/** Of these redis-server tells its own client on both sides of their reply, or in its middle; we on one. */
const BOTH_SIDES: ReadonlySet<string> = new Set(
  `mget zpopmin zpopmax zmpop bzpopmin bzpopmax bzmpop lmove rpoplpush blmove brpoplpush spop sinterstore sunionstore
  sdiffstore zinterstore zunionstore zdiffstore zrangestore`.split(/\s+/),
);

describe("of every change", () => {
  for (const [name, script] of Object.entries(SCRIPTS)) {
    test(`${name}: heard by others`, () =>
      sameDialogue(pair.servers, { listener: 2, writer: 2 }, async (party) => {
        await party.say("listener", ["PSUBSCRIBE", "__key*__:*"]);
        await party.say("writer", ...requests(script));
      }));
    test(`${name}: heard by who makes them, around the reply`, () =>
      sameDialogue(pair.servers, { writer: 3 }, async (party) => {
        await party.say("writer", ["PSUBSCRIBE", "__key*__:*"]);
        await party.say(
          "writer",
          ...requests(script).filter(([word]) => !BOTH_SIDES.has(word!.toLowerCase())),
        );
      }));
  }

  test("RESTORE", () =>
    sameDialogue(pair.servers, { listener: 2, writer: 3 }, async (party) => {
      for (const who of ["listener", "writer"]) await party.say(who, ["PSUBSCRIBE", "__key*__:*"]);
      for (const more of [["0"], ["0"], ["0", "REPLACE"], ["1000000", "REPLACE"], ["1", "REPLACE", "ABSTTL"]])
        await party.say("writer", ["RESTORE", "r", more[0]!, DUMPED, ...more.slice(1)]);
    }));

  test("keys that expire when they are met", () =>
    sameDialogue(pair.servers, { listener: 2, writer: 3 }, async (party) => {
      for (const who of ["listener", "writer"]) await party.say(who, ["PSUBSCRIBE", "__key*__:*"]);
      const looks = [
        "GET k",
        "EXISTS a k",
        "SET k v",
        "DEL k",
        "EXPIRE k 9",
        "RENAME k l",
        "INCR k",
        "RENAME a k",
      ];
      for (const look of looks) {
        await party.say("writer", ["SET", "a", "1"], ["SET", "k", "v", "PX", "400"]);
        await party.outlasts("k");
        await party.say("writer", look.split(" "), ["FLUSHALL"]);
      }
    }));

  test("in a cluster", () =>
    sameDialogue(clustered.servers, { listener: 2, writer: 2 }, async (party) => {
      await party.say("listener", ["PSUBSCRIBE", "__key*__:*"]);
      await party.say(
        "writer",
        ...requests("SET {a}1 v;RENAME {a}1 {a}2;COPY {a}2 {a}3;DEL {a}2 {a}3;GET {a}2"),
      );
    }));

  test("in a transaction, in the order of its changes", () =>
    sameDialogue(pair.servers, { listener: 2, writer: 2 }, async (party) => {
      await party.say("listener", ["PSUBSCRIBE", "__key*__:*"]);
      await party.say(
        "writer",
        ...requests("MULTI;SET k v;INCR i;GETDEL k;LPUSH l a;LPOP l;GET n;DEL i;EXEC"),
      );
    }));
});

test("every command that writes is among them", () => {
  const scripted = new Set(
    Object.values(SCRIPTS)
      .flatMap(requests)
      .map(([name]) => name!.toLowerCase()),
  );
  const elsewhere = new Set(["restore", "restore-asking", "migrate", "pfdebug"]);
  const missing = commandTable.commands
    .filter(({ command }) => command.flags.includes("write"))
    .map(({ fullName }) => fullName)
    .filter((name) => !scripted.has(name) && !elsewhere.has(name));
  expect(missing).toEqual([]);
});

describe("notify-keyspace-events", () => {
  const choose = (chosen: string): Words => ["CONFIG", "SET", "notify-keyspace-events", chosen];
  const classes = [
    "",
    "K",
    "E",
    "A",
    "KA",
    "EA",
    "KEA",
    "KE$",
    "Kg",
    "Ex",
    "K$g",
    "KEm",
    "KEn",
    "KEd",
    "KEt",
    "KElshz",
    "AKEmn",
    "KEg$lshzxetd",
  ];
  for (const value of [...classes, "Q", "KEQ", "K E"])
    test(`'${value}'`, () =>
      sameDialogue(pair.servers, { listener: 2, writer: 2 }, async (party) => {
        await party.say("listener", ["PSUBSCRIBE", "__key*__:*"]);
        // Beside A, redis-server forgets n when it takes a refused value back.
        await party.say("writer", choose("KEA"), choose(value), ["CONFIG", "GET", "notify-keyspace-events"]);
        await party.say(
          "writer",
          ...requests("SET k v EX 100;GET none;LPUSH l a;SADD s a;HSET h a 1;ZADD z 1 a;DEL k l s h z"),
        );
      }));

  test("turns on that keys expired", () =>
    sameDialogue(pair.servers, { listener: 2, writer: 2 }, async (party) => {
      await party.say("listener", ["PSUBSCRIBE", "__key*__:*"]);
      for (const value of ["Ex", "KEA", "KEg"]) {
        await party.say("writer", choose(value), ["SET", "k", "v", "PX", "400"]);
        await party.outlasts("k");
        await party.say("writer", ["GET", "k"]);
      }
      await party.say("writer", choose("KEAmn"));
    }));
});
