// As test/e2e/kill-reshard.test.ts, at 20 moments for each end; SLOTMESH_KILLS sets how many. redis-server is put to the
// same test, so that what this one asks is what Redis does.
import { describe, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { type Killed, Reshards, type Victim } from "../support/kill-reshard.ts";
import { seeded } from "../support/random.ts";
import { startOurs, startRedis } from "../support/servers.ts";

const KILLS = Number(process.env["SLOTMESH_KILLS"] ?? 20);
const HOUR_MS = 3_600_000;

describe.each([
  ["ours", startOurs],
  ["redis-server", startRedis],
] as const)("%s", (name, start) => {
  const scope = fileScope();

  test.each(["source", "target"] as const satisfies readonly Victim[])(
    "the %s is killed",
    (victim) =>
      seeded(async (random) => {
        const reshards = await Reshards.begin(scope, start, random);
        const kills: Killed[] = [];
        while (kills.length < KILLS) kills.push(await reshards.kill(victim));
        await reshards.end();
        const sum = (read: (killed: Killed) => number): number =>
          kills.reduce((total, killed) => total + read(killed), 0);
        console.log(
          `${name}, ${victim} killed ${KILLS} times (seed ${random.seed}): ${sum(({ fixes }) => fixes)} fixes, ` +
            `${sum(({ forgone }) => forgone)} acknowledged writes nobody living held, ` +
            `failover after ${Math.max(...kills.map(({ failoverMs }) => Math.round(failoverMs)))} ms at most`,
        );
        expect(kills.length).toBe(KILLS);
      }),
    HOUR_MS,
  );
});
