// Nodes whose disks take nothing: what they cannot save they do not promise, and those that can go on without them.
// The world checks at every packet that no vote and no epoch is told that is not on its sender's disk.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { isMaster } from "../../src/cluster/node.ts";
import { World } from "./world.ts";

// Virtual time is cheap, but not free on a busy machine.
setDefaultTimeout(120_000);

const SEEDS = [1, 2, 3, 4, 5, 6];
const FAILOVER_MS = 20_000;

const isOk = (world: World, name: string): boolean => world.node(name).machine.state.ok;
const canSave = (world: World, name: string): boolean =>
  world.node(name).machine.state.saveFault === undefined;

test.each(SEEDS)("seed %d: a master with a full disk serves on, and is not replaced", (seed) => {
  const world = new World({ seed, masters: 3, replicas: 3 });
  world.fillDisk("m0");
  const before = world.node("m0").disk;
  expect(world.ask("m0", { type: "bumpEpoch" })).toEqual({
    error: "ERR error saving the cluster node config: No space left on device",
  });
  world.run(20_000);
  expect(world.ownerOf(0)).toBe("m0");
  for (const { name } of world.nodes) expect(isOk(world, name)).toBe(true);
  expect(world.node("m0").disk).toBe(before);
  world.freeDisk("m0");
  world.run(200);
  expect(canSave(world, "m0")).toBe(true);
  expect(world.ask("m0", { type: "bumpEpoch" })).toEqual({ status: "BUMPED 4" });
  world.runUntil("agreed", 5000);
});

describe("when its master dies", () => {
  test.each(SEEDS)("seed %d: a replica with a full disk leaves it to another", (seed) => {
    const world = new World({ seed, masters: 3, replicas: 6 });
    world.fillDisk("r0");
    world.crash("m0");
    world.runUntil(() => isMaster(world.node("r3").machine.state.myself), FAILOVER_MS);
    expect(isMaster(world.node("r0").machine.state.myself)).toBe(false);
    world.runUntil("agreed", 10_000);
    expect(world.ownerOf(0)).toBe("r3");
  });

  test.each(SEEDS)("seed %d: the only one takes over once there is room", (seed) => {
    const world = new World({ seed, masters: 3, replicas: 3 });
    world.fillDisk("r0");
    world.crash("m0");
    world.run(FAILOVER_MS);
    expect(world.ownerOf(0)).not.toBe("r0");
    world.freeDisk("r0");
    world.runUntil(() => world.ownerOf(0) === "r0", FAILOVER_MS);
  });

  test.each(SEEDS)("seed %d: voters with full disks give no vote, and the others are enough", (seed) => {
    const world = new World({ seed, masters: 5, replicas: 5 });
    world.fillDisk("m1");
    world.crash("m0");
    world.runUntil(() => world.ownerOf(0) === "r0", FAILOVER_MS);
    expect(world.node("m1").machine.state.lastVoteEpoch).toBe(0);
    expect(world.node("m2").machine.state.lastVoteEpoch).toBeGreaterThan(0);
  });

  test.each(SEEDS)("seed %d: where all are needed nobody wins until there is room", (seed) => {
    const world = new World({ seed, masters: 3, replicas: 3 });
    world.fillDisk("m1");
    world.crash("m0");
    world.run(FAILOVER_MS);
    expect(isMaster(world.node("r0").machine.state.myself)).toBe(false);
    world.freeDisk("m1");
    world.runUntil(() => world.ownerOf(0) === "r0", FAILOVER_MS);
  });
});

test.each(SEEDS)("seed %d: what was voted before a crash is still known after it", (seed) => {
  const world = new World({ seed, masters: 3, replicas: 6 });
  world.crash("m0");
  world.run(3500);
  for (const name of ["m1", "m2"]) world.fillDisk(name);
  world.run(500);
  for (const name of ["m1", "m2"]) {
    world.crash(name);
    world.restart(name);
  }
  world.run(3000);
  for (const name of ["m1", "m2"]) world.freeDisk(name);
  world.runUntil("agreed", 30_000);
});
