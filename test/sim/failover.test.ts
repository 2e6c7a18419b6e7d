// Masters that die, networks that split, operators that intervene: who serves which slot in the end.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { hasFailed, isMaster } from "../../src/cluster/node.ts";
import { World } from "./world.ts";

// Virtual time is cheap, but not free on a busy machine.
setDefaultTimeout(120_000);

const TIMEOUT_MS = 2000;
/** Silence, agreement on it, the candidate's delay, the vote. */
const FAILOVER_MS = TIMEOUT_MS + 1500;

const seesFailed = (world: World, seer: string, seen: string, id = world.node(seen).id): boolean => {
  const node = world.node(seer).machine.state.nodes.get(id);
  return node !== undefined && hasFailed(node);
};
const isOk = (world: World, name: string): boolean => world.node(name).machine.state.ok;
const takesOver = (world: World, name: string): (() => boolean) => {
  return () => isMaster(world.node(name).machine.state.myself);
};

describe("a master that dies", () => {
  test("is failed by the majority, and its replica takes its slots", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new World({ seed, masters: 3, replicas: 3 });
      const dead = world.node("m0").id;
      world.crash("m0");
      expect(world.runUntil("agreed", FAILOVER_MS)).toBeGreaterThan(TIMEOUT_MS);
      expect(world.ownerOf(0)).toBe("r0");
      expect(seesFailed(world, "m1", "m0", dead)).toBe(true);
    }
  });

  test("and comes back becomes the replica of its successor", () => {
    const world = new World({ seed: 3, masters: 3, replicas: 3 });
    world.crash("m0");
    world.runUntil(takesOver(world, "r0"), FAILOVER_MS);
    world.run(500);
    world.restart("m0");
    world.runUntil(() => world.node("m0").following === world.node("r0").id, 1000);
    world.runUntil("agreed", 1000);
    expect(world.ownerOf(0)).toBe("r0");
    expect(isMaster(world.node("m0").machine.state.myself)).toBe(false);
  });

  test("and comes back never serves what it lost, not for a moment", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new World({ seed, masters: 3, replicas: 3, delayMs: [1, 50] });
      world.crash("m0");
      world.runUntil(takesOver(world, "r0"), FAILOVER_MS);
      world.run(500);
      world.restart("m0");
      const { serveHere } = world.node("m0").machine;
      let served = false;
      const isBack = (): boolean => {
        served ||= serveHere[0] === 1;
        return world.disagreement() === undefined;
      };
      world.runUntil(isBack, 3000);
      expect(served).toBe(false);
    }
  });

  test("or only stood still, never serves what it lost either", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new World({ seed, masters: 3, replicas: 3, delayMs: [1, 50] });
      world.pause("m0");
      world.runUntil(takesOver(world, "r0"), FAILOVER_MS + TIMEOUT_MS);
      world.run(seed * 1000);
      const { serveHere } = world.node("m0").machine;
      expect(serveHere[0]).toBe(1);
      world.resume("m0");
      let served = false;
      const isBack = (): boolean => {
        served ||= serveHere[0] === 1;
        return world.disagreement() === undefined;
      };
      world.run(1);
      world.runUntil(isBack, 4000);
      expect(served).toBe(false);
      expect(world.ownerOf(0)).toBe("r0");
    }
  });

  test("or stood still and was not replaced, serves again at once", () => {
    const world = new World({ seed: 2, masters: 3 });
    world.pause("m0");
    world.run(10_000);
    world.resume("m0");
    world.runUntil(() => isOk(world, "m0"), 4000);
    world.runUntil("agreed", 10_000);
    expect(world.ownerOf(0)).toBe("m0");
  });

  test("and comes back alone waits two seconds for others before it serves", () => {
    const world = new World({ seed: 4, masters: 1, replicas: 1 });
    world.crash("r0");
    world.crash("m0");
    world.restart("m0");
    world.run(1900);
    expect(isOk(world, "m0")).toBe(false);
    world.runUntil(() => isOk(world, "m0"), 300);
  });

  test("gives its slots to the replica that has most of its data", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new World({ seed, masters: 3, replicas: 6 });
      world.node("m0").offset = 5000;
      world.run(2500);
      world.crash("m0");
      world.node("r0").offset = 4000;
      world.run(150);
      world.runUntil("agreed", FAILOVER_MS);
      expect(world.ownerOf(0)).toBe("r3");
      expect(world.node("r0").following).toBe(world.node("r3").id);
    }
  });

  test("without a replica leaves the cluster failed, unless half a cluster will do", () => {
    for (const requireFullCoverage of [true, false]) {
      const world = new World({ seed: 5, masters: 3, options: { requireFullCoverage } });
      world.crash("m2");
      world.run(10_000);
      expect(isOk(world, "m0")).toBe(!requireFullCoverage);
      world.restart("m2");
      world.runUntil("agreed", 10_000);
      expect(["m0", "m1", "m2"].every((name) => isOk(world, name))).toBe(true);
    }
  });

  test("is not replaced by a replica that is barred from it", () => {
    const world = new World({ seed: 6, masters: 3, replicas: 3, options: { noFailover: true } });
    world.crash("m0");
    world.run(20_000);
    expect(isMaster(world.node("r0").machine.state.myself)).toBe(false);
  });

  test("is not replaced by a replica whose data is too old", () => {
    const old = { validityFactor: 1, replicationPingPeriodSec: 1 };
    const world = new World({ seed: 7, masters: 3, replicas: 3, options: old });
    world.node("r0").staleMs = 10_000;
    world.crash("m0");
    world.run(20_000);
    expect(isMaster(world.node("r0").machine.state.myself)).toBe(false);
  });

  test("one after another, as long as a majority is left", () => {
    const world = new World({ seed: 8, masters: 5, replicas: 5 });
    for (const i of [0, 1]) {
      world.crash(`m${i}`);
      world.runUntil("agreed", FAILOVER_MS);
    }
    expect(world.ownerOf(0)).toBe("r0");
    expect(world.ownerOf(4000)).toBe("r1");
  });
});

describe("a majority of masters that dies", () => {
  test("stops the cluster: nobody is failed, nobody elected", () => {
    const world = new World({ seed: 9, masters: 3, replicas: 3 });
    world.crash("m0");
    world.crash("m1");
    world.run(20_000);
    expect(isOk(world, "m2")).toBe(false);
    expect(isMaster(world.node("r0").machine.state.myself)).toBe(false);
    world.restart("m0");
    world.runUntil(() => isMaster(world.node("r1").machine.state.myself), 20_000);
  });
});

describe("a partition", () => {
  test("stops the smaller side, and the larger replaces its masters", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const world = new World({ seed, masters: 3, replicas: 3 });
      world.partition(["m0", "r1"]);
      world.runUntil(takesOver(world, "r0"), FAILOVER_MS + TIMEOUT_MS);
      world.runUntil(() => !isOk(world, "m0"), TIMEOUT_MS);
      expect(isOk(world, "r1")).toBe(false);
      world.run(10_000);
      expect(isOk(world, "m1")).toBe(true);
      world.heal();
      world.runUntil("agreed", 15_000);
      expect(world.ownerOf(0)).toBe("r0");
      expect(world.node("m0").following).toBe(world.node("r0").id);
    }
  });

  test("that is healed before the timeout is not noticed", () => {
    const world = new World({ seed: 10, masters: 3, replicas: 3 });
    world.partition(["m0"]);
    world.run(900);
    world.heal();
    world.run(10_000);
    expect(world.disagreement()).toBeUndefined();
    expect(world.ownerOf(0)).toBe("m0");
  });

  test("in one direction only is a failure too", () => {
    const world = new World({ seed: 12, masters: 3, replicas: 3 });
    for (const node of world.nodes) if (node.name !== "m0") world.cut("m0", node.name);
    world.runUntil(takesOver(world, "r0"), FAILOVER_MS + TIMEOUT_MS);
    world.heal();
    world.runUntil("agreed", 15_000);
    expect(world.ownerOf(0)).toBe("r0");
  });

  test("between two masters alone fails neither", () => {
    const world = new World({ seed: 13, masters: 5 });
    world.cut("m0", "m1");
    world.cut("m1", "m0");
    world.run(20_000);
    expect(world.nodes.some((node) => seesFailed(world, node.name, "m0"))).toBe(false);
    expect(world.nodes.every((node) => node.machine.state.ok)).toBe(true);
    world.heal();
    world.runUntil("agreed", 5000);
  });

  test("of a master without a replica ends with its slots where they were", () => {
    const world = new World({ seed: 14, masters: 4 });
    world.partition(["m0"]);
    world.run(10_000);
    expect(seesFailed(world, "m1", "m0")).toBe(true);
    world.heal();
    world.runUntil("agreed", 15_000);
    expect(world.ownerOf(0)).toBe("m0");
  });
});

describe("clocks", () => {
  test("that jump by an hour, forth and back, fail nobody", () => {
    const world = new World({ seed: 15, masters: 3, replicas: 3 });
    for (const byMs of [3_600_000, -7_200_000, 3_600_000, -50]) {
      world.jumpClock("m1", byMs);
      world.run(5000);
      expect(world.nodes.some((node) => node.log.some((text) => text.includes("failing")))).toBe(false);
    }
  });

  test("that are wrong do not hide a failure", () => {
    const world = new World({ seed: 16, masters: 3, replicas: 3 });
    world.jumpClock("m1", 86_400_000);
    world.jumpClock("r0", -86_400_000);
    world.run(5000);
    world.crash("m0");
    world.runUntil("agreed", FAILOVER_MS);
    expect(world.ownerOf(0)).toBe("r0");
  });
});

describe("CLUSTER FAILOVER", () => {
  test("swaps a replica with its master, whose writes are held until it is done", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const world = new World({ seed, masters: 3, replicas: 3 });
      world.node("m0").offset = 1234;
      expect(world.ask("r0", { type: "failover", how: "normal" })).toEqual({ status: "OK" });
      world.runUntil(() => world.node("m0").writesPaused, 100);
      world.runUntil(takesOver(world, "r0"), 1000);
      world.runUntil("agreed", 1000);
      expect(world.ownerOf(0)).toBe("r0");
      expect(world.node("r0").offset).toBe(1234);
      expect(world.node("m0").following).toBe(world.node("r0").id);
      expect(world.node("m0").writesPaused).toBe(false);
    }
  });

  test("is given up when the replica cannot catch up, and writes go on", () => {
    const world = new World({ seed: 17, masters: 3, replicas: 3 });
    world.node("m0").offset = 1000;
    world.node("r0").stuck = true;
    world.ask("r0", { type: "failover", how: "normal" });
    world.run(1000);
    expect(world.node("m0").writesPaused).toBe(true);
    world.run(5000);
    expect(world.node("m0").writesPaused).toBe(false);
    expect(world.ownerOf(0)).toBe("m0");
  });

  test("FORCE does without the master, TAKEOVER without anybody", () => {
    const world = new World({ seed: 18, masters: 3, replicas: 3 });
    world.crash("m0");
    world.run(500);
    expect(world.ask("r0", { type: "failover", how: "normal" })).toMatchObject({ error: expect.any(String) });
    world.ask("r0", { type: "failover", how: "force" });
    world.runUntil(takesOver(world, "r0"), 500);
    world.run(3000);
    world.crash("m1");
    world.crash("r0");
    world.run(500);
    world.ask("r1", { type: "failover", how: "takeover" });
    expect(isMaster(world.node("r1").machine.state.myself)).toBe(true);
    world.runUntil(() => world.ownerOf(8000) === "r1", 1000);
  });
});

test("a spare replica moves to a master that lost its own", () => {
  const world = new World({ seed: 19, masters: 3, replicas: 4 });
  expect(world.node("r3").following).toBe(world.node("m0").id);
  world.crash("r1");
  const orphan = world.node("m1").id;
  world.runUntil(
    () => [world.node("r0"), world.node("r3")].some((node) => node.following === orphan),
    12_000,
  );
  world.runUntil("agreed", 1000);
  world.run(20_000);
  expect([world.node("r0"), world.node("r3")].filter((node) => node.following === orphan).length).toBe(1);
});
