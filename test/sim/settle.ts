// The end of every attack on open slots: the faults stop, the cluster is mended, and nothing may be missing.
import { isMaster } from "../../src/cluster/node.ts";
import { fix } from "./fix.ts";
import { attempt } from "./operator.ts";
import type { Script } from "./script.ts";
import type { World } from "./world.ts";

const SETTLE_MS = 90_000;
/** A person decides one conflict after each. */
const ROUNDS = 24;

/** Ends all faults; nodes that forgot all others are introduced again. */
export function calm(world: World): void {
  world.heal();
  for (const node of world.nodes) {
    world.freeDisk(node.name);
    world.resume(node.name);
    world.restart(node.name);
  }
  const [first] = world.nodes.toSorted((a, b) => b.machine.state.nodes.size - a.machine.state.nodes.size);
  for (const node of world.nodes) {
    if (node === first || first!.machine.state.nodes.has(node.id)) continue;
    world.ask(node.name, { type: "meet", ip: first!.ip, port: first!.port, busPort: first!.port + 10_000 });
  }
  for (const node of world.nodes) {
    if (node.machine.state.nodes.size > 1 || node === first) continue;
    world.ask(node.name, { type: "meet", ip: first!.ip, port: first!.port, busPort: first!.port + 10_000 });
  }
}

/** Runs a script to its end. @returns what it returns */
export function finish<T>(world: World, script: Script<T>, withinMs: number): T {
  let result: { readonly value: T } | undefined;
  const wrap = function* (): Script {
    result = { value: yield* script };
  };
  world.spawn(wrap());
  world.runUntil(() => result !== undefined, withinMs);
  return result!.value;
}

export function openSlots(world: World): string[] {
  return world.nodes.flatMap(({ name, machine }) => {
    const { migrating, importing } = machine.state.slots;
    return [
      ...[...migrating].map(([slot, id]) => `${name}: [${slot}->-${world.nameOf(id)}]`),
      ...[...importing].map(([slot, id]) => `${name}: [${slot}-<-${world.nameOf(id)}]`),
    ];
  });
}

/** A person decides which of two values of a key is the right one, and deletes the other. */
function decideConflicts(world: World): void {
  for (const { slot, keys, nodes } of world.conflicts.splice(0)) {
    for (const key of keys) {
      const endings = world.ledger.endings(slot, key);
      const versions = nodes.map((node) => node.keys.get(slot, key)).filter((one) => one !== undefined);
      const right = Math.max(...versions.filter((one) => endings.has(one)));
      for (const node of nodes) {
        const version = node.keys.get(slot, key);
        if (!isMaster(node.machine.state.myself) || version === undefined || version === right) continue;
        world.replication.write(node, { slot, key, version: undefined });
      }
    }
  }
}

/** Mends the cluster and holds it to all that must be true then. */
export function settle(world: World): void {
  calm(world);
  // Whoever is forgotten stays so for a minute.
  world.run(61_000);
  const collision = world.invariants.collision();
  if (collision !== undefined) world.fail(collision);
  let trouble: string | undefined = "not looked at yet";
  for (let round = 0; round < ROUNDS && trouble !== undefined; round++) {
    const searchOwners = round % 2 === 1;
    const error = finish(world, attempt(fix(world, world.nodes[0]!, { searchOwners })), SETTLE_MS);
    decideConflicts(world);
    world.run(5000);
    trouble = error ?? world.disagreement() ?? openSlots(world)[0] ?? world.ledger.fault();
  }
  if (trouble !== undefined) world.fail(trouble);
  world.run(5000);
  const after = world.disagreement() ?? openSlots(world)[0] ?? world.ledger.fault();
  if (after !== undefined) world.fail(`later: ${after}`);
}
