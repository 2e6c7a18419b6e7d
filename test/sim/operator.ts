// An operator's tool, as redis-cli --cluster works through a cluster: it reads how things stand once, then asks the
// nodes for one step after another, and gives up at the first error. What it does can end anywhere.
import { isMaster } from "../../src/cluster/node.ts";
import type { ClusterRequest } from "../../src/cluster/request.ts";
import { migrate } from "./migrate.ts";
import { call, type Script } from "./script.ts";
import type { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

/** What --cluster-pipeline says unless it is given. */
const PIPELINE = 10;

/** How often it is looked whether MIGRATE has answered. */
const POLL_MS = 1;

/** A step that failed ends what is being done. */
export class StepFailed extends Error {}

export interface MoveOptions {
  /** Keys alone are moved; the slot's states stay. */
  readonly cold?: boolean;
  /** --cluster-replace: what stands at the target is overwritten. */
  readonly replace?: boolean;
  /** Called by `fix`: differing values are resolved, a slot not served is given to the target. */
  readonly fixing?: boolean;
  readonly pipeline?: number;
}

/** Asks for one change. Throws StepFailed. */
export function* change(world: World, node: SimNode, request: ClusterRequest): Script {
  const answer = yield* call(world, node, () => world.ask(node.name, request));
  if (answer === undefined) throw new StepFailed(`no answer from ${node.name}`);
  if ("error" in answer) throw new StepFailed(`${node.name}: ${answer.error}`);
}

/** Something a node tells. Throws StepFailed. */
export function* look<T>(world: World, node: SimNode, read: () => T): Script<T> {
  const answer = yield* call(world, node, read);
  if (answer === undefined) throw new StepFailed(`no answer from ${node.name}`);
  return answer;
}

export function setSlot(slot: number, to: "importing" | "migrating" | "node", node: SimNode): ClusterRequest {
  return { type: "setSlot", slot, to, node: node.id };
}

/** Runs steps to their end or to the first that fails. @returns why they ended early, if they did */
export function* attempt(steps: Script): Script<string | undefined> {
  try {
    yield* steps;
    return undefined;
  } catch (error) {
    if (error instanceof StepFailed) return error.message;
    throw error;
  }
}

/**
 * Moves one slot: both ends are opened, the keys go in batches, then the owner is told to the target, to the source and
 * to the other masters.
 * @param masters those the tool knew of when it began
 */
export function* moveSlot(
  world: World,
  source: SimNode,
  target: SimNode,
  slot: number,
  masters: readonly SimNode[],
  options: MoveOptions = {},
): Script {
  if (options.cold !== true) {
    yield* change(world, target, setSlot(slot, "importing", source));
    yield* change(world, source, setSlot(slot, "migrating", target));
  }
  yield* moveKeys(world, source, target, slot, options);
  if (options.cold === true) return;
  yield* change(world, target, setSlot(slot, "node", target));
  yield* tellSource(world, source, setSlot(slot, "node", target));
  for (const node of masters) {
    if (node !== source && node !== target) yield* change(world, node, setSlot(slot, "node", target));
  }
}

/** A source that lost its last slot may be a replica by now, which is no fault. */
function* tellSource(world: World, source: SimNode, request: ClusterRequest): Script {
  const answer = yield* call(world, source, () => world.ask(source.name, request));
  if (answer === undefined) throw new StepFailed(`no answer from ${source.name}`);
  if ("error" in answer && answer.error !== "ERR Please use SETSLOT only with masters.")
    throw new StepFailed(`${source.name}: ${answer.error}`);
}

function* moveKeys(
  world: World,
  source: SimNode,
  target: SimNode,
  slot: number,
  options: MoveOptions,
): Script {
  for (;;) {
    const keys = yield* look(world, source, () => source.keys.in(slot, options.pipeline ?? PIPELINE));
    if (keys.length === 0) return;
    const { replace = false } = options;
    const answer = yield* send(world, source, target, slot, keys, replace);
    if (answer === "OK" || answer === "NOKEY") continue;
    const isBusy = answer.includes("BUSYKEY");
    const isServed = source.machine.state.slots.owner(slot) !== undefined;
    if (!isBusy && isServed) throw new StepFailed(`${source.name}: ${answer}`);
    if (!isBusy && options.fixing === true) yield* change(world, source, setSlot(slot, "node", target));
    if (isBusy && !replace) {
      const differing = keys.filter((key) => {
        const there = target.keys.get(slot, key);
        return there !== undefined && there !== source.keys.get(slot, key);
      });
      if (differing.length > 0) {
        if (options.fixing === true) world.conflicts.push({ slot, keys: differing, nodes: [source, target] });
        throw new StepFailed(`${differing.join(", ")} differ at ${source.name} and ${target.name}`);
      }
    }
    const again = yield* send(world, source, target, slot, keys, isBusy);
    if (again !== "OK" && again !== "NOKEY") throw new StepFailed(`${source.name}: ${again}`);
  }
}

function* send(
  world: World,
  source: SimNode,
  target: SimNode,
  slot: number,
  keys: readonly string[],
  replace: boolean,
): Script<string> {
  yield world.wires.delay();
  if (!source.awake) throw new StepFailed(`no answer from ${source.name}`);
  // It runs at the source, and goes on there should whoever asked for it be killed.
  const answers: string[] = [];
  const run = function* (): Script {
    answers.push(yield* migrate(world, { source, target, slot, keys, replace }));
  };
  world.spawn(run());
  for (;;) {
    const [answer] = answers;
    yield answer === undefined ? POLL_MS : world.wires.delay();
    if (answer !== undefined) return answer;
  }
}

/** Masters as a tool finds them that asks some node whom it knows. */
export function knownMasters(world: World, entry: SimNode): SimNode[] {
  const known = entry.machine.state.nodes;
  return world.nodes.filter(
    (node) => node.awake && known.has(node.id) && isMaster(node.machine.state.myself),
  );
}
