// The table at work in a running server: names in any case, wrong numbers of arguments for every command, unknown names,
// and COMMAND about what both servers have.
import { commandTable } from "../../src/commands/families.ts";
import type { Row } from "../../src/commands/table.ts";
import type { Random } from "../support/random.ts";
import type { Argument } from "../support/resp.ts";
import { conformance } from "./harness/conformance.ts";
import type { Step } from "./harness/step.ts";
import { mixCase, value } from "./harness/values.ts";

const leaves = commandTable.rows.filter((row) => row.subcommands.length === 0);
/** Rows with a length they refuse: those of arity -1 take any. */
const refusing = leaves.filter(({ id, fullName }) => {
  const shortest = fullName.split("|").length;
  return commandTable.arity[id]! > 0 || !commandTable.acceptsCount(id, shortest);
});
const containers = commandTable.rows.filter((row) => row.subcommands.length > 0);

const wordsOf = (random: Random, row: Row): string[] => mixCase(random, row.fullName).split("|");
const values = (random: Random, count: number): Argument[] =>
  Array.from({ length: count }, () => value(random));

/** A request the row's arity refuses, so that nothing runs. */
function wrongLength(random: Random): readonly Argument[] {
  const { id, fullName } = random.pick(refusing);
  const name = mixCase(random, fullName).split("|");
  const lengths = [0, 1, 2, 3, 4, 5, 6].map((more) => name.length + more);
  const count = random.pick(lengths.filter((length) => !commandTable.acceptsCount(id, length)));
  return [...name, ...values(random, count - name.length)];
}

function about(random: Random): readonly Argument[] {
  const form = random.pick(["GETKEYS", "GETKEYSANDFLAGS"]);
  const name = wordsOf(random, random.pick(leaves));
  return ["COMMAND", mixCase(random, form), ...name, ...values(random, random.below(6))];
}

/** No zero byte behind a name: redis-server takes such for the command it ran last, and for no command otherwise. */
const tails = ["x", "|", " ", "\x01"];

function step(random: Random): Step {
  return {
    args: random.weighted<readonly Argument[]>([
      [4, () => wrongLength(random)],
      [4, () => about(random)],
      [2, () => ["COMMAND", "INFO", mixCase(random, random.pick(leaves).fullName), String(random.below(9))]],
      [1, () => [value(random), ...values(random, random.below(5))]],
      [
        1,
        () => [
          mixCase(random, random.pick(containers).fullName),
          "nosuch",
          ...values(random, random.below(3)),
        ],
      ],
      [1, () => [random.pick(leaves).fullName.replace("|", "") + random.pick(tails)]],
      [1, () => [random.pick(containers.filter(({ command }) => command.run === undefined)).fullName]],
    ]),
  };
}

conformance("the command table", step, { state: false });
