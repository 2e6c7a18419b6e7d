// Lists against redis-server: see lists.stream.ts.
import type { Random } from "../support/random.ts";
import { conformance } from "./harness/conformance.ts";
import type { Mode, Step } from "./harness/step.ts";
import { listStep } from "./lists.stream.ts";

conformance("lists", listStep, { steps: 10_000 });

/** Streams that have set how much a node holds. A list of redis-server's keeps to what was set when it was made. */
const begun = new WeakSet<Random>();

function nodesStep(random: Random, mode: Mode): Step {
  if (!begun.has(random)) {
    begun.add(random);
    return {
      args: ["CONFIG", "SET", "list-max-listpack-size", random.pick(["1", "2", "3", "5", "-1", "-2"])],
    };
  }
  if (random.chance(0.1)) return { args: ["DUMP", `{l}${random.below(6)}`] };
  for (;;) {
    const step = listStep(random, mode);
    if ("args" in step && step.args[0] !== "CONFIG") return step;
  }
}

// What DUMP holds is the nodes as they are.
conformance("nodes of lists", nodesStep, { steps: 10_000 });
