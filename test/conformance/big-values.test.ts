// RESTORE of big values of every type, which we read in steps: the replies, what is there afterwards and what replicas
// are told are those of redis-server.
import { beforeAll, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { seeded, type Random } from "../support/random.ts";
import type { Argument } from "../support/resp.ts";
import { startRedis, startSubject, subjectIsRedis } from "../support/servers.ts";
import { listenToStream, type StreamListener } from "../support/stream-listener.ts";

const scope = fileScope();
/** Far in the future, so that both tell the same time. */
const AT = 4_000_000_000_000;
const KEY = "big";
/** What is read in steps is longer. */
const BIG = 262_144;

let judge: StreamListener;
let subject: StreamListener;

beforeAll(async () => {
  const flags = { "repl-diskless-sync-delay": 0, "repl-ping-replica-period": 3600 };
  const ours = subjectIsRedis() ? flags : { ...flags, "cluster-enabled": "no" };
  judge = await listenToStream(scope, await startRedis(scope, flags));
  subject = await listenToStream(scope, await startSubject(scope, ours));
}, 60_000);

async function expectEqual(...request: Argument[]): Promise<string> {
  const [expected, found] = await Promise.all([
    judge.client.reply(...request),
    subject.client.reply(...request),
  ]);
  if (!found.raw.equals(expected.raw))
    throw new Error(
      `${request.map((part) => String(part).slice(0, 40)).join(" ")}: ${String(found.raw.subarray(0, 200))} instead of ${String(expected.raw.subarray(0, 200))}`,
    );
  return expected.raw.toString("latin1");
}

const VALUES: Readonly<Record<string, (random: Random) => readonly (readonly Argument[])[]>> = {
  string: (random) => [["SET", KEY, random.bytes(400_000)]],
  "compressible string": (random) => [
    ["SET", KEY, Buffer.from(Array.from({ length: 300_000 }, () => `${random.below(90)} word `).join(""))],
  ],
  list: (random) => portions("RPUSH", texts(random, 30_000)),
  "list of long elements": (random) => [
    ["RPUSH", KEY, ...Array.from({ length: 20 }, () => random.bytes(random.between(10, 90_000)))],
  ],
  hash: (random) => portions("HSET", texts(random, 24_000)),
  set: (random) => portions("SADD", texts(random, 20_000)),
  "sorted set": (random) =>
    portions(
      "ZADD",
      texts(random, 14_000).flatMap((member) => [random.below(500) / 4, member]),
    ),
};

/** Texts that differ. */
function texts(random: Random, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${i} ${random.bytes(12).toString("hex")}`);
}

/** A command with many words, as several requests. */
function portions(command: string, words: readonly (string | number)[]): Argument[][] {
  return Array.from({ length: Math.ceil(words.length / 2000) }, (_, i) =>
    [command, KEY].concat(words.slice(i * 2000, (i + 1) * 2000).map(String)),
  );
}

const digest = (): Promise<string> => expectEqual("DEBUG", "DIGEST-VALUE", KEY, "copy");

for (const [name, make] of Object.entries(VALUES))
  test(`a ${name}`, async () => {
    await seeded(async (random) => {
      for (const request of make(random)) await expectEqual(...request);
      const { raw } = await judge.client.reply("DUMP", KEY);
      const payload = raw.subarray(raw.indexOf("\r\n") + 2, -2);
      expect(payload.length).toBeGreaterThan(BIG);
      await Promise.all([judge.next(), subject.next()]);
      await expectEqual("RESTORE", "copy", 0, payload);
      expect(await expectEqual("RESTORE", "copy", 0, payload)).toStartWith("-BUSYKEY");
      await digest();
      await expectEqual("RESTORE", "copy", 0, payload, "REPLACE");
      await expectEqual("PTTL", "copy");
      await expectEqual("RESTORE", "copy", AT, payload, "ABSTTL", "REPLACE", "IDLETIME", 77);
      await expectEqual("PEXPIRETIME", "copy");
      await digest();
      // What is over already: the key goes.
      await expectEqual("RESTORE", "copy", 1000, payload, "ABSTTL", "REPLACE");
      await expectEqual("EXISTS", "copy");
      await expectEqual("RESTORE", "copy", -5, payload);
      await expectEqual("RESTORE", "copy", 0, payload, "FREQ", 300);
      // Damage: the checksum's, and one that only shows in the value.
      const bad = Buffer.from(payload);
      bad[random.below(bad.length)]! ^= 1 << random.below(8);
      await expectEqual("RESTORE", "copy", 0, bad);
      await expectEqual("MULTI");
      await expectEqual("RESTORE", "copy", 0, payload);
      await expectEqual("RESTORE", "copy", 0, payload);
      await expectEqual("EXEC");
      const [expected, found] = [await judge.next(), await subject.next()];
      if (found !== expected) throw new Error("replicas are told something else");
      // And one with a time to live, of which only its size is the same everywhere.
      const relative = await expectEqual("RESTORE", "copy", 3_600_000, payload, "REPLACE");
      expect(relative).toBe("+OK\r\n");
      const moments = await Promise.all([judge, subject].map(({ client }) => client.ask("PTTL", "copy")));
      for (const ms of moments) expect(Number(ms)).toBeWithin(3_500_000, 3_600_001);
      const records = await Promise.all([judge.next(), subject.next()]);
      const plain = records.map((told) => told.replaceAll(/\$13\r\n\d{13}\r\n/g, "AT "));
      expect(plain[1] === plain[0]).toBe(true);
      // Ours gives back what it took, and the judge takes it.
      const dumped = await subject.client.reply("DUMP", "copy");
      const own = dumped.raw.subarray(dumped.raw.indexOf("\r\n") + 2, -2);
      await expectEqual("RESTORE", "copy", 0, own, "REPLACE");
      await digest();
      await expectEqual("DEL", KEY, "copy");
      await Promise.all([judge.next(), subject.next()]);
    });
  }, 60_000);
