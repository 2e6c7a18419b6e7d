// Payloads read to their end, in steps of any size.
import type { Incoming } from "../../src/engine/incoming.ts";
import type { SteppedRestore } from "../../src/engine/stepped-restore.ts";

/** The value a payload holds; throws what RESTORE answers. @param budgetBytes what a step is to look at */
export function readAll(restore: SteppedRestore, budgetBytes = 2 ** 31): Incoming {
  while (!restore.isDone) restore.more(budgetBytes);
  return restore.take();
}

/** Budgets of all sizes, over and over. */
export class Budgets {
  #turn = 0;

  next(): number {
    return [1, 2 ** 31, 3, 40, 500][this.#turn++ % 5]!;
  }
}
