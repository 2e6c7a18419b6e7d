// How a cluster comes together: agreement of all on members, roles, owners and epochs, and how soon.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { formatNodesConf } from "../../src/cluster/nodes-conf.ts";
import { World } from "./world.ts";

// Virtual time is cheap, but not free on a busy machine.
setDefaultTimeout(120_000);

const SLOTS = 16_384;

/** Strangers, each of them with its share of the slots. */
function strangers(
  masters: number,
  replicas: number,
  seed: number,
  withEpochs: boolean,
  delayMs?: [number, number],
): World {
  const world = new World({
    seed,
    masters,
    replicas,
    joined: false,
    ...(delayMs === undefined ? {} : { delayMs }),
  });
  for (const [i, node] of world.nodes.slice(0, masters).entries()) {
    const start = Math.round((i * SLOTS) / masters);
    const end = Math.round(((i + 1) * SLOTS) / masters) - 1;
    expect(world.ask(node.name, { type: "addSlots", ranges: [{ start, end }] })).toEqual({ status: "OK" });
    if (withEpochs) world.ask(node.name, { type: "setConfigEpoch", epoch: i + 1 });
  }
  return world;
}

const epochs = (world: World): number[] => world.nodes.map((node) => node.machine.state.myself.configEpoch);

describe("after the last MEET all agree", () => {
  test.each([
    [6, 300],
    [12, 500],
    [30, 1000],
  ])("%d nodes within %d ms over links of 1 ms", (count, withinMs) => {
    for (const seed of count > 12 ? [1] : [1, 2, 3, 4, 5]) {
      const world = strangers(count, 0, seed, true);
      world.run(150);
      world.meetAll();
      expect(world.runUntil("agreed", withinMs)).toBeLessThanOrEqual(withinMs);
      expect(world.nodes.every((node) => node.machine.state.ok)).toBe(true);
    }
  });

  test("six nodes with links of 1 to 20 ms, where packets of different links overtake each other", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = strangers(6, 0, seed, true, [1, 20]);
      world.run(150);
      world.meetAll();
      world.runUntil("agreed", 1500);
    }
  });

  test("however many links break meanwhile", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = strangers(6, 0, seed, true, [1, 20]);
      world.run(150);
      world.meetAll();
      for (let n = 0; n < 60; n++) {
        world.run(10);
        world.breakLink();
      }
      world.runUntil("agreed", 10_000);
    }
  });

  test("a chain of introductions, where nobody met all the others", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = strangers(6, 0, seed, true);
      world.run(150);
      for (const [i, node] of world.nodes.slice(1).entries()) {
        const { ip, port } = world.nodes[i]!;
        world.ask(node.name, { type: "meet", ip, port, busPort: port + 10_000 });
      }
      world.runUntil("agreed", 500);
    }
  });

  test("three masters, then three nodes that become their replicas", () => {
    const world = strangers(3, 3, 5, true);
    world.run(150);
    world.meetAll();
    world.runUntil("agreed", 300);
    for (let i = 0; i < 3; i++) {
      const node = world.node(`m${i}`).id;
      expect(world.ask(`r${i}`, { type: "replicate", node })).toEqual({ status: "OK" });
      expect(world.node(`r${i}`).following).toBe(node);
    }
    world.runUntil("agreed", 100);
  });
});

test("masters that all begin with the same epoch end with epochs of their own", () => {
  for (const count of [2, 6, 12]) {
    for (let seed = 1; seed <= 5; seed++) {
      const world = strangers(count, 0, seed, false, [1, 15]);
      world.run(150);
      world.meetAll();
      const settled = (): boolean =>
        world.disagreement() === undefined && new Set(epochs(world)).size === count;
      world.runUntil(settled, 5000);
    }
  }
});

test("the same seed gives the same run, to the last byte", () => {
  const run = (seed: number): string => {
    const world = strangers(6, 3, seed, false, [1, 30]);
    world.meetAll();
    world.run(3000);
    const views = world.nodes.map((node) => formatNodesConf(node.machine.state));
    return `${world.sentMessages} ${world.sentBytes} ${views.join("")}`;
  };
  expect(run(1)).toBe(run(1));
  expect(run(1)).not.toBe(run(2));
});

test("what is sent for a join is bounded by what it changes", () => {
  const world = strangers(12, 0, 3, true);
  world.run(150);
  world.meetAll();
  world.runUntil("agreed", 500);
  world.run(500);
  // Each of the 12 tells each of the other 11 of each of the 10 others at most once, and pings it a few times.
  expect(world.sentMessages).toBeLessThan(12 * 11 * (10 + 4));
  const before = world.sentMessages;
  world.run(10_000);
  // In quiet: a PING and a PONG for each pair and half of the node timeout, and one random PING a second.
  expect(world.sentMessages - before).toBeLessThan(12 * 11 * 2 * 11 + 12 * 10 * 2);
});

describe("FORGET", () => {
  test("holds for a minute against the gossip of those who still know the node", () => {
    const world = new World({ seed: 11, masters: 6 });
    const gone = world.node("m5").id;
    expect(world.ask("m0", { type: "forget", node: gone })).toEqual({ status: "OK" });
    world.run(50_000);
    expect(world.node("m0").machine.state.nodes.has(gone)).toBe(false);
    expect(world.node("m1").machine.state.nodes.has(gone)).toBe(true);
    world.runUntil(() => world.node("m0").machine.state.nodes.has(gone), 30_000);
  });

  test("by all takes a dead node out of the cluster", () => {
    const world = new World({ seed: 12, masters: 4 });
    const gone = world.node("m3").id;
    world.crash("m3");
    world.run(10_000);
    for (const name of ["m0", "m1", "m2"]) world.ask(name, { type: "forget", node: gone });
    world.run(90_000);
    for (const name of ["m0", "m1", "m2"]) {
      expect(world.node(name).machine.state.nodes.has(gone)).toBe(false);
      expect(world.node(name).machine.state.slots.owner(SLOTS - 1)).toBeUndefined();
    }
  });
});

test("a restart keeps identity, slots and peers", () => {
  const world = new World({ seed: 21, masters: 6 });
  const { id } = world.node("m2");
  const slots = Buffer.from(world.node("m2").machine.state.myself.slots);
  world.crash("m2");
  world.run(300);
  world.restart("m2");
  world.runUntil("agreed", 2000);
  expect(world.node("m2").id).toBe(id);
  expect(Buffer.from(world.node("m2").machine.state.myself.slots).equals(slots)).toBe(true);
});

test("all restart at once, and agree again", () => {
  const world = new World({ seed: 22, masters: 3, replicas: 3 });
  for (const node of world.nodes) world.crash(node.name);
  world.run(1000);
  for (const node of world.nodes) world.restart(node.name);
  world.runUntil("agreed", 3000);
  for (const i of [0, 1, 2]) expect(world.node(`r${i}`).following).toBe(world.node(`m${i}`).id);
});

test("MEET with a node of another cluster makes one cluster of both", () => {
  const world = strangers(6, 0, 31, true);
  world.run(150);
  const meet = (from: string, to: string): void => {
    const { ip, port } = world.node(to);
    world.ask(from, { type: "meet", ip, port, busPort: port + 10_000 });
  };
  for (const [from, to] of [
    ["m1", "m0"],
    ["m2", "m0"],
    ["m4", "m3"],
    ["m5", "m3"],
  ] as const)
    meet(from, to);
  world.run(1000);
  expect(world.node("m0").machine.state.nodes.size).toBe(3);
  meet("m5", "m2");
  world.runUntil("agreed", 1000);
});

test("a MEET to nobody is given up", () => {
  const world = new World({ seed: 41, masters: 3 });
  world.ask("m0", { type: "meet", ip: "10.9.9.9", port: 7000, busPort: 17_000 });
  expect(world.node("m0").machine.state.nodes.size).toBe(4);
  world.run(5000);
  expect(world.node("m0").machine.state.nodes.size).toBe(3);
});

test("a node that comes back under another address is found again", () => {
  const world = new World({ seed: 51, masters: 4 });
  world.crash("m1");
  world.run(300);
  world.move("m1", "10.7.7.7", 7777);
  world.restart("m1");
  world.runUntil("agreed", 10_000);
  const seen = world.node("m3").machine.state.nodes.get(world.node("m1").id);
  expect(seen).toMatchObject({ ip: "10.7.7.7", port: 7777, busPort: 17_777 });
});

test("another node at a known address is not taken for the old one", () => {
  const world = new World({ seed: 61, masters: 4 });
  const old = world.node("m1").id;
  world.crash("m1");
  world.node("m1").disk = "";
  world.restart("m1");
  world.run(10_000);
  const seen = world.node("m0").machine.state.nodes.get(old);
  expect(seen).toMatchObject({ ip: "", port: 0 });
  expect(world.node("m0").machine.state.nodes.has(world.node("m1").id)).toBe(false);
});
