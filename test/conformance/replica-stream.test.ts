// What replicas are told, byte for byte: the same requests to redis-server and to ours, each with a replica of the test's
// making that only listens.
import { beforeAll, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { startRedis, startSubject, subjectIsRedis } from "../support/servers.ts";
import { listenToStream, type StreamListener } from "../support/stream-listener.ts";

const scope = fileScope();
/** Far in the future, so that both tell the same time. */
const AT = 4_000_000_000_000;
const SHORT_MS = 20;

const parties: StreamListener[] = [];

beforeAll(async () => {
  const flags = { "repl-diskless-sync-delay": 0, "repl-ping-replica-period": 3600 };
  const servers = await Promise.all([
    startRedis(scope, flags),
    startSubject(scope, subjectIsRedis() ? flags : { ...flags, "cluster-enabled": "no" }),
  ]);
  for (const server of servers) {
    const party = await listenToStream(scope, server);
    await party.client.ok("DEBUG", "SET-ACTIVE-EXPIRE", "0");
    parties.push(party);
  }
}, 60_000);

/** A line that is `~` lets the time of keys with a short life pass. */
const scripts = [
  "MULTI; SET a 1; GET a; EXEC",
  "MULTI; GET a; EXEC",
  "MULTI; SET a 1; SET b 2; EXEC",
  "MULTI; SET a 1; LPUSH a x; SET b 2; EXEC; SET c 3",
  "MULTI; PUBLISH c m; EXEC; MULTI; PUBLISH c m; SET a 1; EXEC",
  "MULTI; SELECT 3; SET a 1; SELECT 0; SET b 2; EXEC; MULTI; SELECT 4; SET a 1; EXEC; SELECT 0; SET a 2",
  `SET a 1 PXAT ${AT}; GETEX a PERSIST; GETEX a PXAT ${AT}; PEXPIREAT a ${AT + 1}; EXPIREAT a 4000000001; PERSIST a`,
  "RPUSH l 1 2 3 4; LMPOP 1 l LEFT COUNT 2; LMOVE l m LEFT RIGHT; RPOPLPUSH l m; BLPOP m 0; BLMOVE m n LEFT RIGHT 0",
  "ZADD z 1 a 2 b 3 c; ZPOPMIN z; ZMPOP 1 z MAX COUNT 1; BZPOPMIN z 0; ZADD z NX 1 a; ZADD z XX 1 a; ZINCRBY z 2 a",
  "SADD s 1; SMOVE s t 1; SPOP t; SADD s 1 2 3; SPOP s 3; SADD s 1; SPOP s 0; SINTERSTORE u s s; SDIFFSTORE u s s",
  "HSET h a 1; HINCRBYFLOAT h a 0.5; INCRBYFLOAT f 1.5; HSETNX h a 2; HDEL h a b; HDEL h a",
  "RPUSH l 3 1 2; SORT l STORE m; SORT none STORE m; RENAME l k; COPY k c; COPY k c REPLACE; DEL k c none; UNLINK none",
  `SET e 1 PX ${SHORT_MS}; ~; GET e; GET e`,
  `SET e 1 PX ${SHORT_MS}; ~; INCR e; INCR e`,
  `HSET e a 1; PEXPIREAT e ${AT}; PERSIST e; HSET e b 2; DEL e`,
  `SET e 1 PX ${SHORT_MS}; SET f 1 PX ${SHORT_MS}; ~; MGET e f`,
  `SET e 1 PX ${SHORT_MS}; SET f 1 PX ${SHORT_MS}; ~; DEL e f`,
  `SET e 1 PX ${SHORT_MS}; SET f 1 PX ${SHORT_MS}; ~; MULTI; INCR e; GET f; EXEC`,
  `SET e 1 PX ${SHORT_MS}; SET f 1 PX ${SHORT_MS}; ~; MULTI; GET e; EXEC; MULTI; GET f; GET f; EXEC`,
  `SET e 1 PX ${SHORT_MS}; ~; SET e 2 NX; SET e 3 XX; SET e 4 KEEPTTL; GETSET e 5; APPEND e 6`,
  `SET e 1 PX ${SHORT_MS}; SADD s x; ~; SMOVE s e x; SADD e y; SUNIONSTORE e e s`,
  `SET e 1 PX ${SHORT_MS}; RPUSH l x; ~; RENAME l e; LPOP e`,
  ...[
    "SINTERSTORE d s t",
    "SUNIONSTORE d s t",
    "SDIFFSTORE d s t",
    "ZUNIONSTORE d 1 s",
    "ZINTERSTORE d 1 s",
    "ZDIFFSTORE d 1 s",
    "ZRANGESTORE d s 0 -1",
  ].map((store) => `SET d 1 PX ${SHORT_MS}; ~; ${store}; SET d 1; ${store}; ${store}`),
];

/** Lives that are told as points of time differ from one server to the other. */
const withoutTimes = (told: string): string =>
  told.replace(/PXAT\r\n\$13\r\n1\d{12}/g, "PXAT\r\n$13\r\n(soon)");

test.each(scripts)("%s", async (script) => {
  const told: string[] = [];
  for (const { client, next } of parties) {
    for (const line of script.split("; ")) {
      const untilMs = Date.now() + SHORT_MS * 2;
      if (line === "~") await eventually(() => Date.now() > untilMs, 15_000, "short lives are over");
      else await client.reply(...line.split(" "));
    }
    told.push(withoutTimes(await next()));
    await client.reply("FLUSHALL");
    await next();
  }
  const [expected, found] = told;
  expect(found!.split("\r\n")).toEqual(expected!.split("\r\n"));
});
