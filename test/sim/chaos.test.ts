// Everything goes wrong at random; the world checks its invariants after every event. Then the faults stop, and within
// a bounded time all nodes must agree on every slot. A failure names its seed: run it again with SLOTMESH_SEED.
import { expect, setDefaultTimeout, test } from "bun:test";
import { pickSeed, Random } from "../support/random.ts";
import { World } from "./world.ts";

// Virtual time is cheap, but not free on a busy machine.
setDefaultTimeout(120_000);

const RUNS = 12;
const FAULTS = 40;
const SETTLE_MS = 60_000;

function misfortune(world: World, random: Random): void {
  const { name } = random.pick(world.nodes);
  const other = random.pick(world.nodes).name;
  random.weighted<() => void>([
    [3, () => () => world.breakLink()],
    [2, () => () => world.freezeLink()],
    [2, () => () => world.crash(name)],
    [3, () => () => world.restart(name)],
    [2, () => () => world.cut(name, other)],
    [1, () => () => world.pause(name)],
    [2, () => () => world.resume(name)],
    [1, () => () => world.partition(world.nodes.filter(() => random.chance(0.3)).map((node) => node.name))],
    [3, () => () => world.heal()],
    [1, () => () => world.jumpClock(name, random.between(-20_000, 20_000))],
    [2, () => () => failover(world, name, random)],
    [2, () => () => world.fillDisk(name)],
    [2, () => () => world.freeDisk(name)],
    [1, () => () => bumpEpoch(world, name)],
  ])();
}

function failover(world: World, name: string, random: Random): void {
  const { running, asleep } = world.node(name);
  if (running && asleep === undefined)
    world.ask(name, { type: "failover", how: random.chance(0.3) ? "force" : "normal" });
}

function bumpEpoch(world: World, name: string): void {
  const { running, asleep } = world.node(name);
  if (running && asleep === undefined) world.ask(name, { type: "bumpEpoch" });
}

function calm(world: World): void {
  world.heal();
  for (const node of world.nodes) {
    world.freeDisk(node.name);
    world.resume(node.name);
    world.restart(node.name);
  }
}

const first = pickSeed();

test.each(Array.from({ length: RUNS }, (_, i) => first + i))("seed %d", (seed) => {
  const random = new Random(seed);
  const masters = random.between(2, 5);
  const world = new World({ seed, masters, replicas: masters + random.below(masters + 1), delayMs: [1, 60] });
  for (let n = 0; n < FAULTS; n++) {
    misfortune(world, random);
    world.run(random.between(10, 3000));
  }
  calm(world);
  world.runUntil("agreed", SETTLE_MS);
  world.run(5000);
  expect(world.disagreement()).toBeUndefined();
  expect(world.node("m0").machine.state.slots.assigned).toBe(16_384);
});
