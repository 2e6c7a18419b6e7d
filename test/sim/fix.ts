// Mending a cluster, as `redis-cli --cluster fix` does: open slots first, one after another, then slots nobody covers,
// then, where it is asked to look for them, slots that several nodes own or hold keys of.
import { hasFailed, hasNoAddress, isMaster } from "../../src/cluster/node.ts";
import type { NodeId } from "../../src/cluster/message.ts";
import { hasSlot } from "../../src/cluster/slot-bitmap.ts";
import { attempt, change, knownMasters, look, moveSlot, setSlot, StepFailed } from "./operator.ts";
import { call, type Script } from "./script.ts";
import type { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

const SLOT_COUNT = 16_384;

export interface FixOptions {
  /** --cluster-fix-with-unreachable-masters. */
  readonly force?: boolean;
  /** --cluster-search-multiple-owners. */
  readonly searchOwners?: boolean;
}

/** A master as the tool read it when it began; it goes by that, but for keys, which it counts anew each time. */
interface Seen {
  readonly node: SimNode;
  readonly slots: Uint8Array;
  readonly migrating: ReadonlyMap<number, NodeId>;
  readonly importing: ReadonlyMap<number, NodeId>;
  /** Slots it came to own or lost by what the tool did. */
  readonly changed: Map<number, boolean>;
}

/** Throws StepFailed when something cannot be mended. */
export function* fix(world: World, entry: SimNode, options: FixOptions = {}): Script {
  const seen: Seen[] = [];
  for (const node of knownMasters(world, entry)) {
    const { slots, myself } = node.machine.state;
    const copy = () => ({
      node,
      slots: myself.slots.slice(),
      migrating: new Map(slots.migrating),
      importing: new Map(slots.importing),
      changed: new Map<number, boolean>(),
    });
    seen.push(yield* look(world, node, copy));
  }
  const open = new Set(
    seen.flatMap(({ migrating, importing }) => [...migrating.keys(), ...importing.keys()]),
  );
  const mayMend = options.force === true || unreachableMasters(world, entry) === 0;
  if (!mayMend && open.size > 0) throw new StepFailed("masters are unreachable");
  const fault = yield* attempt(fixOpenSlots(world, seen, open));
  // What is not covered is looked at even so; MIGRATE may have failed for no other reason.
  yield* coverAll(world, seen, mayMend);
  if (fault !== undefined) throw new StepFailed(fault);
  if (options.searchOwners === true) yield* fixManyOwners(world, seen);
}

function* fixOpenSlots(world: World, seen: readonly Seen[], slots: Iterable<number>): Script {
  for (const slot of slots) yield* fixOpenSlot(world, seen, slot);
}

function* coverAll(world: World, seen: readonly Seen[], mayMend: boolean): Script {
  const others: number[] = [];
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    if (seen.some((one) => owns(one, slot))) continue;
    if (!mayMend) throw new StepFailed("masters are unreachable");
    if (world.invariants.watched.has(slot)) yield* cover(world, seen, slot);
    else others.push(slot);
  }
  // Slots nobody watches hold no keys. To take them one by one, as the tool does, would take many virtual minutes.
  if (others.length === 0) return;
  const { node } = seen[Math.floor(world.random() * seen.length)]!;
  const ranges = others.map((slot) => ({ start: slot, end: slot }));
  yield* call(world, node, () => {
    for (const range of ranges) world.ask(node.name, { type: "delSlots", ranges: [range] });
    world.ask(node.name, { type: "addSlots", ranges });
    world.ask(node.name, { type: "bumpEpoch" });
  });
}

/** Masters the tool hears of and cannot ask. */
export function unreachableMasters(world: World, entry: SimNode): number {
  const { nodes, myself } = entry.machine.state;
  return [...nodes.values()].filter((node) => {
    const answers = world.nodes.some((other) => other.awake && other.id === node.id);
    const isReached = node === myself || (node.linkUp && !hasFailed(node) && !hasNoAddress(node));
    return isMaster(node) && !(answers && isReached);
  }).length;
}

function owns(one: Seen, slot: number): boolean {
  return one.changed.get(slot) ?? hasSlot(one.slots, slot);
}

function* count(world: World, { node }: Seen, slot: number): Script<number> {
  return yield* look(world, node, () => node.keys.countIn(slot));
}

/** The first of those with the most keys. */
function* withMostKeys(world: World, among: readonly Seen[], slot: number): Script<Seen> {
  let best: { one: Seen; keys: number } | undefined;
  for (const one of among) {
    const keys = yield* count(world, one, slot);
    if (best === undefined || keys > best.keys) best = { one, keys };
  }
  if (best === undefined) throw new StepFailed(`nobody can own slot ${slot}`);
  return best.one;
}

/** DELSLOTS, ADDSLOTS, [SETSLOT STABLE,] BUMPEPOCH as one transaction; that the slot was free before is no fault. */
function* setOwner(world: World, one: Seen, slot: number, clear: boolean): Script {
  const { name } = one.node;
  const ranges = [{ start: slot, end: slot }];
  const added = yield* call(world, one.node, () => {
    world.ask(name, { type: "delSlots", ranges });
    const answer = world.ask(name, { type: "addSlots", ranges });
    if (clear) world.ask(name, { type: "setSlot", slot, to: "stable" });
    world.ask(name, { type: "bumpEpoch" });
    return answer;
  });
  if (added === undefined || "error" in added) throw new StepFailed(`${name} does not take slot ${slot}`);
  one.changed.set(slot, true);
}

/** DELSLOTS; fails only where the slot stays assigned. */
function* dropSlot(world: World, one: Seen, slot: number): Script {
  const ranges = [{ start: slot, end: slot }];
  const answer = yield* call(world, one.node, () => world.ask(one.node.name, { type: "delSlots", ranges }));
  if (answer === undefined) throw new StepFailed(`no answer from ${one.node.name}`);
  if ("error" in answer && one.node.machine.state.slots.owner(slot) !== undefined)
    throw new StepFailed(`${one.node.name}: ${answer.error}`);
}

function* fixOpenSlot(world: World, seen: readonly Seen[], slot: number): Script {
  const claimants: Seen[] = [];
  for (const one of seen) if (owns(one, slot) || (yield* count(world, one, slot)) > 0) claimants.push(one);
  let owner = claimants.length === 1 ? claimants[0] : undefined;
  let migrating: Seen[] = [];
  let importing: Seen[] = [];
  for (const one of seen) {
    if (one.migrating.has(slot)) migrating.push(one);
    else if (one.importing.has(slot)) importing.push(one);
    else if (one !== owner && (yield* count(world, one, slot)) > 0) importing.push(one);
  }
  if (owner === undefined) {
    const chosen = yield* withMostKeys(world, seen, slot);
    owner = chosen;
    yield* change(world, chosen.node, { type: "setSlot", slot, to: "stable" });
    yield* setOwner(world, chosen, slot, false);
    migrating = migrating.filter((one) => one !== chosen);
    importing = importing.filter((one) => one !== chosen);
  }
  if (claimants.length > 1) {
    for (const one of claimants) {
      if (one === owner) continue;
      yield* dropSlot(world, one, slot);
      one.changed.set(slot, false);
      yield* change(world, one.node, setSlot(slot, "node", owner.node));
      yield* change(world, one.node, setSlot(slot, "importing", owner.node));
      importing = [...importing.filter((other) => other !== one), one];
      migrating = migrating.filter((other) => other !== one);
    }
  }
  const [from] = migrating;
  const [to] = importing;
  if (migrating.length === 1 && importing.length === 1) return yield* move(world, seen, from!, to!, slot);
  if (migrating.length === 0 && importing.length > 0)
    return yield* collect(world, seen, importing, owner, slot);
  if (migrating.length === 1 && importing.length > 1)
    return yield* moveToOneOf(world, seen, from!, importing, slot);
  if (migrating.length === 1 && (from === owner || (yield* count(world, from!, slot)) === 0))
    return yield* change(world, from!.node, { type: "setSlot", slot, to: "stable" });
  throw new StepFailed(`slot ${slot} is open in a way that cannot be mended`);
}

/** 1. One migrating, one importing: the move is carried through. */
function* move(world: World, seen: readonly Seen[], from: Seen, to: Seen, slot: number): Script {
  yield* moveSlot(world, from.node, to.node, slot, nodesOf(seen), { fixing: true });
  from.changed.set(slot, false);
  to.changed.set(slot, true);
}

/** 2. Importing alone: all keys go to the owner, and all others are told who that is. */
function* collect(
  world: World,
  seen: readonly Seen[],
  importing: readonly Seen[],
  owner: Seen,
  slot: number,
): Script {
  for (const one of importing) {
    if (one === owner) continue;
    yield* moveSlot(world, one.node, owner.node, slot, [], { cold: true, fixing: true });
    yield* change(world, one.node, { type: "setSlot", slot, to: "stable" });
  }
  for (const one of seen)
    if (one !== owner) yield* change(world, one.node, setSlot(slot, "node", owner.node));
}

/** 3. Several importing without keys: the one the owner sends to gets the slot, or nobody does. */
function* moveToOneOf(
  world: World,
  seen: readonly Seen[],
  from: Seen,
  importing: readonly Seen[],
  slot: number,
): Script {
  for (const one of importing)
    if ((yield* count(world, one, slot)) > 0)
      throw new StepFailed(`slot ${slot} is open in a way that cannot be mended`);
  const to = importing.find(({ node }) => node.id === from.migrating.get(slot));
  if (to !== undefined) yield* moveSlot(world, from.node, to.node, slot, nodesOf(seen), { fixing: true });
  else yield* change(world, from.node, { type: "setSlot", slot, to: "stable" });
  for (const one of importing)
    if (one !== to) yield* change(world, one.node, { type: "setSlot", slot, to: "stable" });
}

function nodesOf(seen: readonly Seen[]): SimNode[] {
  return seen.map(({ node }) => node);
}

/** A slot without owner goes to whoever has its keys, else to anybody; where several have some, they are moved. */
function* cover(world: World, seen: readonly Seen[], slot: number): Script {
  const holders: Seen[] = [];
  for (const one of seen) if ((yield* count(world, one, slot)) > 0) holders.push(one);
  if (holders.length < 2) {
    const [taker = seen[Math.floor(world.random() * seen.length)]!] = holders;
    return yield* setOwner(world, taker, slot, false);
  }
  const owner = yield* withMostKeys(world, holders, slot);
  yield* setOwner(world, owner, slot, true);
  for (const one of holders) {
    if (one === owner) continue;
    yield* change(world, one.node, setSlot(slot, "node", owner.node));
    yield* change(world, one.node, setSlot(slot, "importing", owner.node));
    yield* moveSlot(world, one.node, owner.node, slot, [], { cold: true, fixing: true });
    yield* change(world, one.node, { type: "setSlot", slot, to: "stable" });
  }
}

/** Only watched slots are looked at: all others hold no keys. */
function* fixManyOwners(world: World, seen: readonly Seen[]): Script {
  for (const slot of world.invariants.watched) {
    const claimants: Seen[] = [];
    for (const one of seen) if (owns(one, slot) || (yield* count(world, one, slot)) > 0) claimants.push(one);
    if (claimants.length < 2) continue;
    const owner = yield* withMostKeys(world, claimants, slot);
    yield* setOwner(world, owner, slot, false);
    for (const one of seen) {
      if (one === owner) continue;
      const keys = yield* count(world, one, slot);
      yield* call(world, one.node, () =>
        world.ask(one.node.name, { type: "delSlots", ranges: [{ start: slot, end: slot }] }),
      );
      yield* change(world, one.node, setSlot(slot, "node", owner.node));
      if (keys > 0) yield* moveSlot(world, one.node, owner.node, slot, [], { cold: true, fixing: true });
    }
  }
}
