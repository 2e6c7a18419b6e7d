// Payloads that are wrong in some place, of redis-server's making and of ours: whatever RESTORE here accepts, redis-server
// accepts when it is dumped again, looked through to its last byte, and sees the same value in it.
import { expect, test } from "bun:test";
import { mutated } from "../support/attack/mutations.ts";
import { RestoreAttack } from "../support/attack/restore-attack.ts";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { type Random, seeded } from "../support/random.ts";
import { payload } from "../support/rdbforms.ts";
import { startOurs, startRedis } from "../support/servers.ts";

const scope = fileScope();
const CASES = 800;
/** Version and checksum, at the end of a payload. */
const FOOTER = 10;

async function dumped(client: Client, key: string): Promise<Buffer> {
  const { value } = await client.reply("DUMP", key);
  if (value.kind !== "bulk") throw new Error(`DUMP ${key}: ${JSON.stringify(value)}`);
  return value.bytes;
}

/** Collections of every encoding redis-server has for them. */
async function judgesValues(judge: Client, random: Random): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for (const count of [1, 3, 30, 150, 600]) {
    const words = Array.from({ length: count }, (_, i) => `${i}${"x".repeat(random.below(70))}`);
    const numbers = Array.from({ length: count }, () => random.below(2 ** random.between(7, 40)));
    const requests = [
      ["RPUSH", "seed", ...words],
      ["RPUSH", "seed", ...numbers],
      ["SADD", "seed", ...words],
      ["SADD", "seed", ...numbers],
      ["HSET", "seed", ...words.flatMap((word) => [word, random.below(1e6)])],
      ["ZADD", "seed", ...words.flatMap((word) => [random.below(100) / 8, word])],
      ["SET", "seed", words.join("")],
    ];
    for (const request of requests) {
      await judge.reply("DEL", "seed");
      await judge.reply(...request);
      all.push(await dumped(judge, "seed"));
    }
  }
  return all;
}

test("what is accepted here is a value there", async () => {
  const [ours, theirs] = await Promise.all([
    startOurs(scope),
    startRedis(scope, { "sanitize-dump-payload": "yes" }),
  ]);
  const [subject, judge] = await Promise.all([ours.connect(), theirs.connect()]);
  await seeded(async (random) => {
    const attack = new RestoreAttack(random.below(2 ** 31));
    const values = await judgesValues(judge, random);
    const pick = (): Buffer => {
      const value = random.pick(values);
      return value.subarray(0, value.length - FOOTER);
    };
    let accepted = 0;
    for (let i = 0; i < CASES; i++) {
      const wrong = i % 2 === 0 ? attack.payload(i) : payload(mutated(random, pick(), pick()));
      const answer = await subject.ask("RESTORE", "k", 0, wrong, "REPLACE");
      if (answer !== "OK") {
        expect(String(answer)).toMatch(/Bad data format|holds neither streams/);
        continue;
      }
      accepted++;
      const again = await dumped(subject, "k");
      expect(await judge.ask("RESTORE", "k", 0, again, "REPLACE")).toBe("OK");
      const digest = await judge.ask("DEBUG", "DIGEST-VALUE", "k");
      expect(await subject.ask("DEBUG", "DIGEST-VALUE", "k")).toEqual(digest);
    }
    expect(accepted).toBeGreaterThan(CASES / 20);
    expect(await subject.ask("PING")).toBe("PONG");
  });
}, 60_000);
