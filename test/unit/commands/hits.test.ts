// Which requests count as hits and misses, and how often: INFO's keyspace_hits and keyspace_misses move as
// redis-server's do, request by request.
import { beforeAll, expect, test } from "bun:test";
import { STATE_HITS, STATE_MISSES } from "../../../assembly/abi.ts";
import { genericStep } from "../../conformance/generic.stream.ts";
import { hashStep } from "../../conformance/hashes.stream.ts";
import { isProbe } from "../../conformance/harness/step.ts";
import { stringStep } from "../../conformance/strings.stream.ts";
import { fileScope } from "../../support/cleanup.ts";
import type { Client } from "../../support/client.ts";
import { InProcess } from "../../support/inprocess.ts";
import { type Random, seeded } from "../../support/random.ts";
import { printRequest } from "../../support/resp.ts";
import { startRedis } from "../../support/servers.ts";

const scope = fileScope();
let redis: Client;
beforeAll(async () => {
  redis = await (await startRedis(scope)).connect();
}, 30_000);

type Count = readonly [hits: number, misses: number];

async function theirCount(): Promise<Count> {
  const info = await redis.text("INFO", "stats");
  const field = (name: string): number => Number(new RegExp(`keyspace_${name}:(\\d+)`).exec(info)?.[1]);
  return [field("hits"), field("misses")];
}

/** Not run in process, or free to look at as many keys as it likes. */
const LEFT_OUT = new Set(["SELECT", "FLUSHALL", "RANDOMKEY", "CONFIG"]);

test("hits and misses", async () => {
  await seeded(async (random: Random) => {
    const ours = new InProcess({ nowMs: Date.now() });
    const ourCount = (): Count => [ours.memory.getF64(STATE_HITS), ours.memory.getF64(STATE_MISSES)];
    await redis.ok("FLUSHALL");
    let [theirs, own] = [await theirCount(), ourCount()];
    for (let i = 0; i < 3000; i++) {
      const step = random.pick([stringStep, genericStep, hashStep])(random, "alone");
      if (isProbe(step) || LEFT_OUT.has(String(step.args[0]).toUpperCase())) continue;
      await redis.reply(...step.args);
      ours.run(...step.args);
      const [nextTheirs, nextOwn] = [await theirCount(), ourCount()];
      expect({ request: printRequest(step.args), counted: moved(own, nextOwn) }).toEqual({
        request: printRequest(step.args),
        counted: moved(theirs, nextTheirs),
      });
      [theirs, own] = [nextTheirs, nextOwn];
    }
  });
}, 60_000);

function moved([hits, misses]: Count, [hitsAfter, missesAfter]: Count): Count {
  return [hitsAfter - hits, missesAfter - misses];
}
