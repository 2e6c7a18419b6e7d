// Things that take their time in a world: clients, operators. A script is a generator; what it yields is how many
// milliseconds of virtual time pass before it goes on. Ended from outside, it stops where it stands, as a process that
// is killed does.
import type { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

export type Script<T = void> = Generator<number, T, void>;

/** How long a client waits for an answer. */
const TIMEOUT_MS = 2000;

/**
 * A request to a node, there and back. Clients are beside the network of the nodes, whose cuts do not concern them.
 * @returns undefined = no answer came; it may have been done all the same
 */
export function* call<T>(world: World, node: SimNode, act: () => T): Script<T | undefined> {
  yield world.wires.delay();
  const { incarnation } = node;
  if (!node.awake) {
    yield TIMEOUT_MS;
    return undefined;
  }
  const answer = act();
  yield world.wires.delay();
  return node.running && node.incarnation === incarnation ? answer : undefined;
}
