// Slots whose move was left half done, while masters change: nobody loses keys that an operator's tool is about to fetch,
// and no node waits for a fix to know who owns what.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { isMaster } from "../../src/cluster/node.ts";
import { parseRequest } from "../../src/cluster/request.ts";
import { World } from "./world.ts";

setDefaultTimeout(120_000);

const SLOT = 5;
const FAILOVER_MS = 3500;
const HEARD_MS = 3000;

/** CLUSTER as a client says it at a node; `$m0` stands for the id of that node. */
function tell(world: World, name: string, line: string): void {
  const [subcommand = "", ...words] = line.split(" ");
  const args = words.map((word) => (word.startsWith("$") ? world.node(word.slice(1)).id : word));
  const request = parseRequest(subcommand, args);
  if (request === undefined || "error" in request) throw new Error(`no request: ${line}`);
  expect(Object.keys(world.ask(name, request)), line).toEqual(["status"]);
}

const importsFrom = (world: World, name: string): string | undefined =>
  world.nameOf(world.node(name).machine.state.slots.importing.get(SLOT));
const isOkEverywhere = (world: World): boolean =>
  world.nodes.every(({ running, machine }) => !running || machine.state.ok);

/** m0 has keys of the slot; then m1 is made its owner, as redis-cli does it first of all. */
function takeAway(world: World): void {
  world.node("m0").keys.set(SLOT, 3);
  tell(world, "m1", `delslots ${SLOT}`);
  tell(world, "m1", `addslots ${SLOT}`);
  tell(world, "m1", "bumpepoch");
}

describe("a node that loses a slot of which it has keys", () => {
  test("is not told at once by one that is given the slot", () => {
    const world = new World({ seed: 1, masters: 3, nodeTimeoutMs: 15_000 });
    const before = world.sentMessages;
    takeAway(world);
    expect(world.sentMessages).toBe(before);
    expect(world.node("m0").machine.state.slots.owner(SLOT)?.id).toBe(world.node("m0").id);
    world.runUntil("agreed", 10_000);
    expect(world.ownerOf(SLOT)).toBe("m1");
  });

  test("keeps them in sight, for they may be the only copy", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new World({ seed, masters: 3 });
      takeAway(world);
      world.runUntil("agreed", HEARD_MS);
      world.run(5000);
      expect(world.node("m0").keys.countIn(SLOT)).toBe(3);
      expect(importsFrom(world, "m0")).toBe("m1");
    }
  });

  test("deletes them a while after it heard of it, when it was away", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new World({ seed, masters: 3 });
      world.crash("m0");
      takeAway(world);
      world.run(1000);
      world.restart("m0");
      world.runUntil("agreed", HEARD_MS);
      expect(world.node("m0").keys.countIn(SLOT)).toBe(3);
      world.run(3000);
      expect(world.node("m0").keys.countIn(SLOT)).toBe(0);
      expect(importsFrom(world, "m0")).toBeUndefined();
    }
  });

  test("keeps them when the slot is opened there meanwhile", () => {
    const world = new World({ seed: 1, masters: 3 });
    takeAway(world);
    world.runUntil("agreed", HEARD_MS);
    tell(world, "m0", `setslot ${SLOT} node $m1`);
    tell(world, "m0", `setslot ${SLOT} importing $m1`);
    world.run(10_000);
    expect(world.node("m0").keys.countIn(SLOT)).toBe(3);
    expect(world.ownerOf(SLOT)).toBe("m1");
  });

  test("keeps them when it is given the slot again meanwhile", () => {
    const world = new World({ seed: 1, masters: 3 });
    takeAway(world);
    world.runUntil("agreed", HEARD_MS);
    tell(world, "m0", `delslots ${SLOT}`);
    tell(world, "m0", `addslots ${SLOT}`);
    tell(world, "m0", "bumpepoch");
    world.run(10_000);
    expect(world.ownerOf(SLOT)).toBe("m0");
    expect(world.node("m0").keys.countIn(SLOT)).toBe(3);
  });

  test("and becomes a replica meanwhile deletes nothing by itself", () => {
    const world = new World({ seed: 1, masters: 3, replicas: 3 });
    world.node("r0").keys.set(SLOT, 3);
    takeAway(world);
    world.runUntil("agreed", HEARD_MS);
    tell(world, "r0", "failover takeover");
    world.runUntil(() => !isMaster(world.node("m0").machine.state.myself), HEARD_MS);
    world.run(5000);
    expect(world.node("m0").keys.countIn(SLOT)).toBe(3);
  });
});

describe("a node that imports a slot", () => {
  function open(seed: number): World {
    const world = new World({ seed, masters: 3, replicas: 3 });
    tell(world, "m1", `setslot ${SLOT} importing $m0`);
    tell(world, "m0", `setslot ${SLOT} migrating $m1`);
    return world;
  }

  test("goes on with the replica that took over from a dead source", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = open(seed);
      world.crash("m0");
      world.runUntil(() => isMaster(world.node("r0").machine.state.myself), FAILOVER_MS);
      world.runUntil("agreed", 1000);
      expect(world.ownerOf(SLOT)).toBe("r0");
      expect(importsFrom(world, "m1")).toBe("r0");
      expect(isOkEverywhere(world)).toBe(true);
      world.restart("m0");
      world.runUntil("agreed", HEARD_MS);
      expect(importsFrom(world, "m1")).toBe("r0");
      expect(isOkEverywhere(world)).toBe(true);
    }
  });

  test("goes on with the replica that took over by hand", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = open(seed);
      tell(world, "r0", seed % 2 === 0 ? "failover" : "failover takeover");
      world.runUntil(() => isMaster(world.node("r0").machine.state.myself), FAILOVER_MS);
      world.runUntil("agreed", HEARD_MS);
      expect(world.ownerOf(SLOT)).toBe("r0");
      expect(importsFrom(world, "m1")).toBe("r0");
      expect(isOkEverywhere(world)).toBe(true);
    }
  });

  test("does not believe a third node that claims the slot alone", () => {
    const world = open(1);
    tell(world, "m2", `delslots ${SLOT}`);
    tell(world, "m2", `addslots ${SLOT}`);
    tell(world, "m2", "bumpepoch");
    world.run(HEARD_MS);
    expect(importsFrom(world, "m1")).toBe("m0");
    expect(world.node("m1").machine.state.slots.owner(SLOT)?.id).toBe(world.node("m0").id);
  });

  test("imports no more once the slot is nobody's, by DELSLOTS", () => {
    const world = open(1);
    tell(world, "m1", `delslots ${SLOT}`);
    expect(importsFrom(world, "m1")).toBeUndefined();
  });
});
