// kill -9 in the middle of a reshard, at a few moments drawn by seed; test/long has more of them, and redis-server's.
import { test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { Reshards } from "../support/kill-reshard.ts";
import { seeded } from "../support/random.ts";
import { startOurs } from "../support/servers.ts";

const scope = fileScope();
const LIMIT_MS = 300_000;

test(
  "source and target are killed, their replicas take over, and nothing they held is lost",
  () =>
    seeded(async (random) => {
      const reshards = await Reshards.begin(scope, startOurs, random);
      await reshards.kill("source");
      await reshards.kill("target");
      await reshards.end();
    }),
  LIMIT_MS,
);
