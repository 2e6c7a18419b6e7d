// Slots in the middle of a move, and what crashes, failovers and operators make of them.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { isMaster } from "../../src/cluster/node.ts";
import { Random } from "../support/random.ts";
import { keyName, load, SimClient, type Done, type Job } from "./client.ts";
import { fix } from "./fix.ts";
import { attempt, change, knownMasters, moveSlot, setSlot } from "./operator.ts";
import { call } from "./script.ts";
import { finish, openSlots, settle } from "./settle.ts";
import { World } from "./world.ts";

// Virtual time is cheap, but not free on a busy machine.
setDefaultTimeout(120_000);

const SLOT = 5;
const KEYS = 6;
const SEEDS = [1, 2];

interface Begun {
  readonly world: World;
  readonly client: SimClient;
}

/** A cluster whose m0 owns SLOT with KEYS keys, all of them at its replica as well. */
function begin(seed: number, spares = 0, masters = 3): Begun {
  const world = new World({ seed, masters, replicas: masters, spares, delayMs: [1, 10] });
  world.invariants.watched.add(SLOT);
  const client = new SimClient(world, new Random(seed));
  for (let n = 0; n < KEYS; n++) write(world, client, n);
  world.run(200);
  return { world, client };
}

function request(world: World, client: SimClient, job: Job): Done {
  const done = finish(world, client.request(job), 60_000);
  if (done === undefined) throw new Error(`seed ${world.config.seed}: ${client.failures.at(-1)}`);
  return done;
}

const write = (world: World, client: SimClient, n: number): Done =>
  request(world, client, { slot: SLOT, keys: [keyName(SLOT, n)], does: "write" });

function set(world: World, name: string, to: "importing" | "migrating" | "node", other: string): void {
  expect(world.ask(name, setSlot(SLOT, to, world.node(other)))).toEqual({ status: "OK" });
}

/** SLOT is open from one to another, and half of its keys have gone. */
function halfMove(world: World, from: string, to: string): void {
  set(world, to, "importing", from);
  set(world, from, "migrating", to);
  const [source, target] = [world.node(from), world.node(to)];
  const stop = world.spawn(moveSlot(world, source, target, SLOT, [], { pipeline: 1 }));
  world.runUntil(() => target.keys.countIn(SLOT) === KEYS / 2, 5000);
  stop();
  world.run(200);
}

const stateOf = (world: World, name: string) => world.node(name).machine.state;
const importedFrom = (world: World, name: string): string | undefined =>
  world.nameOf(stateOf(world, name).slots.importing.get(SLOT));
const isMasterNow = (world: World, name: string): boolean => isMaster(stateOf(world, name).myself);

test("moving slots to and fro under load shows no client a stale or missing key", () => {
  for (const seed of SEEDS) {
    const world = new World({ seed, masters: 3, replicas: 3, delayMs: [1, 30] });
    const random = new Random(seed);
    const slots = [0, 1, 5461, 16_383];
    for (const slot of slots) world.invariants.watched.add(slot);
    const last = new Map<string, number | undefined>();
    const clients = slots.map(() => new SimClient(world, random));
    // Each client has a slot of its own, so it knows what it must read.
    const ends = clients.map((client, i) =>
      world.spawn(
        load(world, client, random, [slots[i]!], KEYS, ({ keys, does }, { versions }) => {
          for (const [n, key] of keys.entries()) {
            if (does !== "read") last.set(key, versions[n]);
            else if (last.get(key) !== versions[n]) world.fail(`${key} was read stale`);
          }
        }),
      ),
    );
    for (let n = 0; n < 12; n++) {
      const slot = random.pick(slots);
      const source = world.ledger.ownerOf(slot)!;
      const target = random.pick(knownMasters(world, world.nodes[0]!).filter((node) => node !== source));
      const masters = knownMasters(world, world.nodes[0]!);
      expect(
        finish(world, attempt(moveSlot(world, source, target, slot, masters, { pipeline: 2 })), 60_000),
      ).toBe(undefined);
      world.run(500);
    }
    for (const end of ends) end();
    expect(clients.map(({ failures }) => failures)).toEqual([[], [], [], []]);
    expect(Math.min(...clients.map(({ answered }) => answered))).toBeGreaterThan(50);
    settle(world);
  }
});

describe("when the source of a move is replaced", () => {
  test("the target learns who the heir is, serves on, and fix brings every key to one place", () => {
    for (const seed of SEEDS) {
      const { world } = begin(seed);
      halfMove(world, "m0", "m1");
      world.crash("m0");
      world.runUntil(() => isMasterNow(world, "r0"), 20_000);
      world.restart("m0");
      world.run(5000);
      expect(isMasterNow(world, "m0")).toBe(false);
      expect(importedFrom(world, "m1")).toBe("r0");
      expect(stateOf(world, "m1").ok).toBe(true);
      expect(stateOf(world, "m1").slots.owner(SLOT)?.id).toBe(world.node("r0").id);
      settle(world);
    }
  });

  test("its return after fix changes nothing", () => {
    const { world } = begin(7);
    halfMove(world, "m0", "m1");
    world.crash("m0");
    world.runUntil(() => isMasterNow(world, "r0"), 20_000);
    world.run(5000);
    // fix counts m0 as unreachable, and goes on when it is told to.
    expect(finish(world, attempt(fix(world, world.node("m2"))), 60_000)).toBe("masters are unreachable");
    expect(finish(world, attempt(fix(world, world.node("m2"), { force: true })), 60_000)).toBe(undefined);
    world.run(2000);
    const owner = world.ownerOf(SLOT)!;
    const held = world.node(owner).keys.countIn(SLOT);
    expect(held).toBe(KEYS);
    world.restart("m0");
    settle(world);
    expect(world.ownerOf(SLOT)).toBe(owner);
    expect(world.node(owner).keys.countIn(SLOT)).toBe(KEYS);
  });
});

describe("when the target of a move is replaced", () => {
  test("the source hands over to its heir, and fix carries the move through", () => {
    for (const seed of SEEDS) {
      const { world } = begin(seed);
      halfMove(world, "m0", "m1");
      world.ask("r1", { type: "failover", how: "normal" });
      world.runUntil(() => isMasterNow(world, "r1") && !isMasterNow(world, "m1"), 10_000);
      world.run(2000);
      expect(world.nameOf(stateOf(world, "m0").slots.migrating.get(SLOT))).toBe("r1");
      expect(world.node("r1").keys.countIn(SLOT)).toBe(KEYS / 2);
      settle(world);
      expect(world.ledger.ownerOf(SLOT)?.keys.countIn(SLOT)).toBe(KEYS);
    }
  });
});

describe("keys of a slot that went to another", () => {
  test("stay when the target closed the move before the last of them had left", () => {
    const { world } = begin(1);
    halfMove(world, "m0", "m1");
    set(world, "m1", "node", "m1");
    world.runUntil(() => world.ownerOf(SLOT) === "m1", 2000);
    expect(world.node("m0").keys.countIn(SLOT)).toBe(KEYS / 2);
    expect(importedFrom(world, "m0")).toBe("m1");
    settle(world);
    expect(world.ledger.ownerOf(SLOT)?.keys.countIn(SLOT)).toBe(KEYS);
  });

  test("stay when fix gives the slot to whoever has more of them", () => {
    const { world } = begin(2);
    halfMove(world, "m0", "m1");
    const ranges = [{ start: SLOT, end: SLOT }];
    world.ask("m1", { type: "delSlots", ranges });
    expect(world.ask("m1", { type: "addSlots", ranges })).toEqual({ status: "OK" });
    world.ask("m1", { type: "bumpEpoch" });
    world.runUntil(() => world.ownerOf(SLOT) === "m1", 2000);
    expect(world.node("m0").keys.countIn(SLOT)).toBe(KEYS / 2);
    settle(world);
    expect(world.ledger.ownerOf(SLOT)?.keys.countIn(SLOT)).toBe(KEYS);
  });

  test("stay when two operators move it to two targets", () => {
    for (const seed of SEEDS) {
      const { world } = begin(seed);
      const masters = knownMasters(world, world.node("m0"));
      const [source, one, two] = masters;
      world.spawn(start(world, source!, one!, masters));
      world.spawn(start(world, source!, two!, masters));
      world.run(10_000);
      settle(world);
      expect(world.ledger.ownerOf(SLOT)?.keys.countIn(SLOT)).toBe(KEYS);
    }
  });

  test("go when a master comes back that was replaced", () => {
    const { world } = begin(3);
    world.crash("m0");
    world.runUntil(() => isMasterNow(world, "r0"), 20_000);
    world.run(2000);
    const [source, target] = [world.node("r0"), world.node("m1")];
    const masters = knownMasters(world, source);
    expect(finish(world, attempt(moveSlot(world, source, target, SLOT, masters)), 60_000)).toBe(undefined);
    world.restart("m0");
    world.run(10_000);
    expect(isMasterNow(world, "m0")).toBe(false);
    expect(openSlots(world)).toEqual([]);
    expect(world.ledger.fault()).toBe(undefined);
  });

  test("are in sight again after a restart that brings them back", () => {
    const { world } = begin(4);
    const [source, target] = [world.node("m0"), world.node("m1")];
    const before = source.keys.copy();
    const masters = knownMasters(world, source);
    expect(finish(world, attempt(moveSlot(world, source, target, SLOT, masters)), 60_000)).toBe(undefined);
    world.crash("m0");
    source.keys.replaceBy(before);
    world.restart("m0");
    world.run(3000);
    expect(importedFrom(world, "m0")).toBe("m1");
    settle(world);
    expect(world.ledger.ownerOf(SLOT)?.keys.countIn(SLOT)).toBe(KEYS);
  });
});

function* start(
  world: World,
  source: ReturnType<World["node"]>,
  target: ReturnType<World["node"]>,
  masters: readonly ReturnType<World["node"]>[],
) {
  yield* attempt(moveSlot(world, source, target, SLOT, masters, { pipeline: 1 }));
}

test("a master that imports keys stays one when its last slot goes elsewhere", () => {
  const { world } = begin(5, 1);
  const other = 6;
  const [s0, m0, m1] = [world.node("s0"), world.node("m0"), world.node("m1")];
  const masters = knownMasters(world, m0);
  expect(finish(world, attempt(moveSlot(world, m0, s0, other, masters)), 60_000)).toBe(undefined);
  halfMove(world, "m0", "s0");
  expect(finish(world, attempt(moveSlot(world, s0, m1, other, masters)), 60_000)).toBe(undefined);
  world.run(3000);
  expect(isMasterNow(world, "s0")).toBe(true);
  expect(s0.keys.countIn(SLOT)).toBe(KEYS / 2);
  settle(world);
});

test("a master without slots or keys of others follows whoever got its last slot", () => {
  const { world } = begin(6, 1);
  const [s0, m0, m1] = [world.node("s0"), world.node("m0"), world.node("m1")];
  const masters = knownMasters(world, m0);
  expect(finish(world, attempt(moveSlot(world, m0, s0, SLOT, masters)), 60_000)).toBe(undefined);
  expect(finish(world, attempt(moveSlot(world, s0, m1, SLOT, masters)), 60_000)).toBe(undefined);
  world.run(3000);
  expect(s0.following).toBe(m1.id);
  settle(world);
  expect(m1.keys.countIn(SLOT)).toBe(KEYS);
});

describe("what one side alone says", () => {
  test("is mended by fix: importing alone, migrating alone, a slot without owner", () => {
    const { world } = begin(8);
    set(world, "m1", "importing", "m0");
    settle(world);
    set(world, "m0", "migrating", "m1");
    settle(world);
    for (const { name } of world.nodes.filter((node) => isMaster(node.machine.state.myself)))
      world.ask(name, { type: "delSlots", ranges: [{ start: SLOT, end: SLOT }] });
    world.run(3000);
    expect(world.ownerOf(SLOT)).toBe(undefined);
    settle(world);
    expect(world.ownerOf(SLOT)).toBe("m0");
  });

  test("survives a restart, as nodes.conf has it", () => {
    const { world } = begin(9);
    halfMove(world, "m0", "m1");
    for (const name of ["m0", "m1"]) {
      world.crash(name);
      world.restart(name);
    }
    world.runUntil("agreed", 10_000);
    expect(openSlots(world)).toEqual([`m0: [${SLOT}->-m1]`, `m1: [${SLOT}-<-m0]`]);
  });

  test("is closed where its other side is forgotten, and the keys stay in sight once the slot is another's", () => {
    const { world } = begin(10);
    halfMove(world, "m0", "m1");
    world.ask("m0", { type: "forget", node: world.node("m1").id });
    expect(stateOf(world, "m0").slots.migrating.size).toBe(0);
    settle(world);
    expect(world.ledger.ownerOf(SLOT)?.keys.countIn(SLOT)).toBe(KEYS);
  });
});

test("a replica takes no slots, though it knows of one that is free", () => {
  const { world } = begin(12);
  const ranges = [{ start: SLOT, end: SLOT }];
  expect(world.ask("r0", { type: "delSlots", ranges })).toEqual({ status: "OK" });
  expect(world.ask("r0", { type: "addSlots", ranges })).toEqual({
    error: "ERR Please use ADDSLOTS only with masters.",
  });
});

test("a step that asks for what is so already is answered, and one of a node that died is not", () => {
  const { world } = begin(11);
  const [m0, m1] = [world.node("m0"), world.node("m1")];
  expect(finish(world, attempt(change(world, m1, setSlot(SLOT, "node", m0))), 5000)).toBe(undefined);
  world.crash("m0");
  expect(finish(world, attempt(change(world, m0, setSlot(SLOT, "node", m0))), 5000)).toBe(
    "no answer from m0",
  );
  expect(
    finish(
      world,
      call(world, m0, () => 1),
      5000,
    ),
  ).toBe(undefined);
});
