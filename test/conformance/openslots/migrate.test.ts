// MIGRATE between two servers outside of cluster mode: redis-server to redis-server is the judge of ours to ours, and
// of both mixtures. Every option, every refusal in its order, and what both ends hold and tell afterwards.
import { beforeAll, describe, expect, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import { startRedis, startSubject } from "../../support/servers.ts";
import { Ends } from "../harness/ends.ts";
import { Talk } from "../harness/talk.ts";

const scope = fileScope();

const PAIRS = {
  "ours to ours": [startSubject, startSubject],
  "ours to redis-server": [startSubject, startRedis],
  "redis-server to ours": [startRedis, startSubject],
} as const;

const SCENES: Readonly<Record<string, string | ((talk: Talk) => Promise<void>)>> = {
  "arguments and the order in which they are looked at": `
    a: migrate | migrate 127.0.0.1 $BP k 0 | migrate 127.0.0.1 $BP k 0 1000 nosuch | migrate 127.0.0.1 $BP k x 1000
    a: migrate 127.0.0.1 $BP k 0 x | migrate 127.0.0.1 $BP k x y | migrate 127.0.0.1 $BP k x y nosuch | migrate nosuch x k 0 0
    a: migrate 127.0.0.1 $BP k 0 1000 | migrate 127.0.0.1 $BP k -1 -1 | migrate 127.0.0.1 $BP k 99999999999999999999 1
    a: migrate 127.0.0.1 $BP k 0 99999999999999999999 | migrate 127.0.0.1 $BP k 0 1000 copy copy replace replace
    a: migrate 127.0.0.1 $BP k 0 1000 auth | migrate 127.0.0.1 $BP k 0 1000 auth2 | migrate 127.0.0.1 $BP k 0 1000 auth2 x
    a: migrate 127.0.0.1 $BP k 0 1000 keys x | migrate 127.0.0.1 $BP '' 0 1000 keys | migrate 127.0.0.1 $BP '' 0 1000
    a: migrate 127.0.0.1 $BP '' 0 1000 keys x y | migrate 127.0.0.1 $BP '' x 1000 keys x | migrate 127.0.0.1 $BP '' 0 1000 nosuch keys x
    a: migrate 127.0.0.1 $BP '' 0 1000 keys copy | migrate 127.0.0.1 $BP k 0 1000 COPY KEYS k | migrate 127.0.0.1 $BP k 0 1.5
    a: set k v | migrate 127.0.0.1 $BP k 0 1000 nosuch | migrate 127.0.0.1 $BP k x 1000 | exists k | migrate 127.0.0.1 $BP k 0 0x10
    a: migrate 127.0.0.1 $BP k 0 -5 | exists k
    b: get k | dbsize
    a: set copy 1 | set replace 2 | set keys 3 | migrate 127.0.0.1 $BP '' 0 1000 KeYs copy replace keys | dbsize
    b: mget copy replace keys`,
  "one key, several keys, keys that are not here": `
    a: set k v | migrate 127.0.0.1 $BP k 0 1000 | exists k | migrate 127.0.0.1 $BP k 0 1000
    b: get k
    a: mset 1 a 2 b 3 c | migrate 127.0.0.1 $BP '' 0 1000 keys 1 9 2 8 3 | exists 1 2 3 | dbsize
    b: mget 1 2 3 8 9 | dbsize
    a: set 1 a | migrate 127.0.0.1 $BP '' 0 1000 replace keys 1 1 | dbsize
    a: set 1 a | migrate 127.0.0.1 $BP '' 0 1000 copy replace keys 1 1 1 | dbsize
    a: set '' empty | migrate 127.0.0.1 $BP '' 0 1000 | exists ''
    b: get ''`,
  "COPY, REPLACE and keys that are there already": `
    a: mset 1 a 2 b 3 c
    b: mset 2 old
    a: migrate 127.0.0.1 $BP 2 0 1000 | get 2 | migrate 127.0.0.1 $BP 2 0 1000 copy | migrate 127.0.0.1 $BP 1 0 1000 copy | mget 1 2 3
    b: mget 1 2 3
    a: migrate 127.0.0.1 $BP 2 0 1000 copy replace | mget 1 2 3
    b: mget 1 2 3 | set 2 old | del 1
    a: migrate 127.0.0.1 $BP '' 0 1000 keys 1 2 3 | mget 1 2 3
    b: mget 1 2 3
    a: set 1 again | set 3 again | migrate 127.0.0.1 $BP '' 0 1000 copy keys 2 1 3 | migrate 127.0.0.1 $BP '' 0 1000 replace keys 2 1 3 | dbsize
    b: mget 1 2 3`,
  databases: `
    a: set k zero | select 3 | set k three | migrate 127.0.0.1 $BP k 5 1000 | exists k | select 0 | get k
    b: exists k | select 5 | get k | select 0
    a: migrate 127.0.0.1 $BP k 99 1000 | get k | migrate 127.0.0.1 $BP k 0 1000 copy
    a: migrate 127.0.0.1 $BP '' 99 1000 keys k x | set k2 x | migrate 127.0.0.1 $BP '' 99 1000 keys k k2 | dbsize
    a: migrate 127.0.0.1 $BP k 1 1000 copy | migrate 127.0.0.1 $BP k 1 1000 copy | migrate 127.0.0.1 $BP k 2 1000 copy
    a: migrate 127.0.0.1 $BP k 2 1000 copy replace | migrate 127.0.0.1 $BP k 1 1000
    b: get k | select 1 | get k | select 2 | get k`,
  "expiry goes with the key": `
    a: debug set-active-expire 0 | set k v ex 1000 | set p v | set past v px 1 | debug sleep 0.01 | migrate 127.0.0.1 $BP '' 0 1000 keys k p past | dbsize
    b: ttl k | ttl p | exists past | dbsize
    a: set k v pxat 99999999999999 | migrate 127.0.0.1 $BP k 0 1000 replace
    b: object encoding k | persist k | persist k | ttl k
    a: debug set-active-expire 1`,
  "a target with a password": `
    b: config set requirepass secret | auth secret
    a: set k v | migrate 127.0.0.1 $BP k 0 1000 | migrate 127.0.0.1 $BP k 0 1000 auth wrong | migrate 127.0.0.1 $BP k 7 1000 auth wrong | exists k
    a: migrate 127.0.0.1 $BP k 0 1000 auth secret | exists k | set k2 v | migrate 127.0.0.1 $BP k2 0 1000 auth2 default secret | exists k2
    a: set k3 v | migrate 127.0.0.1 $BP k3 0 1000 auth2 nobody secret | migrate 127.0.0.1 $BP k3 0 1000 auth2 default wrong
    a: migrate 127.0.0.1 $BP k3 0 1000 auth2 default wrong auth secret | migrate 127.0.0.1 $BP k3 0 1000 auth x auth secret copy
    a: migrate 127.0.0.1 $BP k3 0 1000 copy replace
    b: config set requirepass '' | mget k k2 k3
    a: migrate 127.0.0.1 $BP k3 0 1000 replace auth secret | set k4 v | migrate 127.0.0.1 $BP k4 0 1000 auth2 default x | exists k3 k4`,
  "in a transaction nothing is here": `
    a: multi | migrate 127.0.0.1 $BP k 0 1000 | migrate 127.0.0.1 $BP k 0 | exec | multi | migrate 127.0.0.1 $BP k x y | exec`,
  "the target is there no more, and says no": `
    a: set k v | migrate 127.0.0.1 1 k 0 1000 | migrate 127.0.0.1 0 k 0 1000 | migrate 127.0.0.1 x k 0 1000
    a: migrate 999.1.1.1 $BP k 0 1000 | migrate '' $BP k 0 1000 | migrate 127.0.0.1 '' k 0 1000 | migrate 127.0.0.1 -1 k 0 1000 | exists k`,
  "what watchers, trackers, monitors and notifications are told at both ends": `
    a: mset k v l v | config set notify-keyspace-events KEA
    b: config set notify-keyspace-events KEA
    a2: psubscribe __key*
    b2: psubscribe __key*
    a3: watch k
    a4: watch m
    b3: watch k
    a: migrate 127.0.0.1 $BP '' 0 1000 keys k l m
    a2? 4
    b2? 4
    a3: multi | ping | exec
    a4: multi | ping | exec
    b3: multi | ping | exec
    a: set k v | migrate 127.0.0.1 $BP k 0 1000 copy replace
    a2? 2
    b2? 2
    a: del k | migrate 127.0.0.1 $BP k 0 1000
    a2? 2
    a: config set notify-keyspace-events ''
    b: config set notify-keyspace-events ''`,
  "what tracking clients are told": `
    a: mset k v l v
    a2- hello 3
    b2- hello 3
    a3- hello 3
    a2: client tracking on | mget k l | get m
    b2: client tracking on bcast prefix k
    a3: client tracking on | get l
    a: migrate 127.0.0.1 $BP '' 0 1000 keys k l m
    a2? 2
    b2? 1
    a3: migrate 127.0.0.1 $BP l 0 1000 | mset l 1 | get l | migrate 127.0.0.1 $BP l 0 1000 replace
    a3? 1
    b2: get l`,
  "which of its arguments are keys": `
    a: command getkeys migrate 127.0.0.1 1 k 0 1 | command getkeys migrate 127.0.0.1 1 '' 0 1 keys x y | command getkeys migrate 127.0.0.1 1 '' 0 1
    a: command getkeys migrate 127.0.0.1 1 '' 0 1 copy replace auth keys keys x | command getkeys migrate 127.0.0.1 1 k 0 1 auth keys
    a: command getkeys migrate 127.0.0.1 1 '' 0 1 auth2 keys keys keys keys | command getkeys migrate 127.0.0.1 1 k 0 1 keys x
    a: command getkeys migrate 127.0.0.1 1 '' 0 1 keys | command getkeys migrate 127.0.0.1 1 k 0 | command getkeysandflags migrate 127.0.0.1 1 '' 0 1 keys x y
    a: command info migrate restore-asking asking | command count x`,
  statistics: `
    a: config resetstat | migrate 127.0.0.1 $BP k 0 1000 | migrate 127.0.0.1 $BP k x 1000 | set k v | migrate 127.0.0.1 $BP k 0 1000 replace
    a: migrate 127.0.0.1 1 k 0 1000 | set k v | migrate 127.0.0.1 $BP k 0 1000 | migrate 127.0.0.1 $BP k | migrate 127.0.0.1 1 k 0 1000`,
};

/** All that the scene says on each connection, and counters it leaves behind. */
async function hear(ends: Ends, protocol: 2 | 3, scene: string | ((talk: Talk) => Promise<void>)) {
  await ends.empty();
  await ends.link("a").ok("CONFIG", "RESETSTAT");
  const talk = new Talk(ends, protocol);
  try {
    if (typeof scene === "string") await talk.play(scene);
    else await scene(talk);
    talk.note(await counters(ends));
  } catch (error) {
    throw new Error(`${String(error)}\nso far\n${talk.heard.slice(-30).join("\n")}`, { cause: error });
  }
  return talk.end();
}

/** What INFO counts of the source, where time and chance have no part in it. */
async function counters(ends: Ends): Promise<string> {
  const text = await ends.link("a").text("INFO", "everything");
  const counted =
    /^(?:cmdstat_migrate|errorstat_|migrate_cached_sockets|expired_keys|keyspace_(?:hits|misses))/;
  return text
    .split("\r\n")
    .filter((line) => counted.test(line))
    .map((line) => line.replace(/usec=\d+,usec_per_call=[\d.]+,/, ""))
    .toSorted()
    .join("\n");
}

for (const [pair, starts] of Object.entries(PAIRS)) {
  describe(pair, () => {
    let judge: Ends | undefined;
    let subject: Ends | undefined;
    beforeAll(async () => {
      [judge, subject] = await Promise.all([
        Ends.alone(scope, [startRedis, startRedis]),
        Ends.alone(scope, starts),
      ]);
    }, 40_000);

    for (const [name, scene] of Object.entries(SCENES)) {
      for (const protocol of [2, 3] as const) {
        test(`${name}, RESP${protocol}`, async () => {
          const theirs = await hear(judge!, protocol, scene);
          const ours = await hear(subject!, protocol, scene);
          expect(ours).toEqual([...theirs]);
        });
      }
    }
  });
}
