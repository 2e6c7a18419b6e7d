// Nodes that served alone, with keys, and come into a cluster: nothing they hold may be lost.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { World } from "./world.ts";

// Virtual time is cheap, but not free on a busy machine.
setDefaultTimeout(120_000);

/** `masters` nodes that agree on all slots, and strangers that hold keys. */
function withStrangers(masters: number, strangers: number, seed: number): World {
  const world = new World({ seed, masters: masters + strangers, joined: false });
  for (let i = 0; i < masters; i++) {
    const start = Math.round((i * 16_384) / masters);
    const end = Math.round(((i + 1) * 16_384) / masters) - 1;
    world.ask(`m${i}`, { type: "addSlots", ranges: [{ start, end }] });
    world.ask(`m${i}`, { type: "setConfigEpoch", epoch: i + 1 });
  }
  return world;
}

function meet(world: World, from: string, to: string): void {
  const { ip, port } = world.node(to);
  world.ask(from, { type: "meet", ip, port, busPort: port + 10_000 });
}

const importing = (world: World, name: string): (string | undefined)[] =>
  [...world.node(name).machine.state.slots.importing.values()].map((id) => world.nameOf(id));

test("a node alone serves every slot, until the first step into a cluster", () => {
  const world = withStrangers(0, 1, 1);
  const { machine } = world.node("m0");
  expect(machine.state.solo).toBe(true);
  expect(machine.serveHere.every((here) => here === 1)).toBe(true);
  world.ask("m0", { type: "bumpEpoch" });
  expect(machine.state.solo).toBe(false);
  expect(machine.serveHere.every((here) => here === 0)).toBe(true);
});

test("slots with keys are claimed at once while nobody else is known", () => {
  const world = withStrangers(0, 1, 2);
  const node = world.node("m0");
  node.keys.set(7, 1).set(9000, 3);
  expect(world.ask("m0", { type: "addSlots", ranges: [{ start: 7, end: 8 }] })).toEqual({ status: "OK" });
  expect([7, 8, 9, 9000].map((slot) => world.ownerOf(slot))).toEqual(["m0", "m0", undefined, "m0"]);
});

describe("with keys in slots of others", () => {
  test("a node that meets a cluster, or is met by it, keeps them in slots open as importing", () => {
    for (const [from, to] of [
      ["m3", "m1"],
      ["m1", "m3"],
    ] as const) {
      const world = withStrangers(3, 1, 3);
      world.node("m3").keys.set(0, 1).set(16_383, 2);
      meet(world, "m1", "m0");
      meet(world, "m2", "m0");
      world.run(1000);
      meet(world, from, to);
      world.run(5000);
      expect(world.node("m3").keys.size).toBe(2);
      expect(importing(world, "m3")).toEqual(["m0", "m2"]);
      expect(world.ownerOf(0)).toBe("m0");
      expect(world.ownerOf(16_383)).toBe("m2");
    }
  });

  test("an owner whose epoch is 0 keeps its slots as well", () => {
    const world = new World({ seed: 4, masters: 2, joined: false });
    world.ask("m0", { type: "addSlots", ranges: [{ start: 0, end: 16_383 }] });
    world.node("m0").keys.set(5, 1);
    world.node("m1").keys.set(5, 1);
    meet(world, "m1", "m0");
    world.run(5000);
    expect(world.ownerOf(5)).toBe("m0");
    expect(importing(world, "m1")).toEqual(["m0"]);
    expect([world.node("m0").keys.size, world.node("m1").keys.size]).toEqual([1, 1]);
  });
});

test("of several that come in with keys of one slot, one owns it and the others keep their keys", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = withStrangers(0, 3, seed);
    for (const node of world.nodes) node.keys.set(5, 1).set(1000 + node.port, 1);
    world.meetAll();
    world.run(8000);
    const owner = world.ownerOf(5);
    expect(owner).toBeDefined();
    for (const node of world.nodes) {
      expect(node.keys.size).toBe(2);
      expect(importing(world, node.name)).toEqual(node.name === owner ? [] : [owner]);
      expect(world.ownerOf(1000 + node.port)).toBe(node.name);
    }
  }
});

test("keys found at the start are settled as after a meeting", () => {
  const world = new World({ seed: 6, masters: 3 });
  const { slots } = world.node("m0").machine.state;
  world.ask("m0", { type: "delSlots", ranges: [{ start: 5, end: 5 }] });
  world.node("m0").keys.set(5, 1).set(16_383, 1);
  world.tellLoaded("m0");
  expect(slots.owner(5)).toBe(world.node("m0").machine.state.myself);
  expect(importing(world, "m0")).toEqual(["m2"]);
});

test("meeting oneself leads to nothing", () => {
  const world = new World({ seed: 7, masters: 3 });
  meet(world, "m0", "m0");
  expect(world.node("m0").machine.state.nodes.size).toBe(4);
  world.run(200);
  expect(world.node("m0").machine.state.nodes.size).toBe(3);
});
