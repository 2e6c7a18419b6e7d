// Packed nodes of lists are read through a few expansions that many readers share.
import { expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import { InProcess } from "../../support/inprocess.ts";
import { plain } from "../../support/resp.ts";

/** Nodes of one element each, all but the ends packed. */
function longList(elements: readonly string[]): InProcess {
  const engine = new InProcess();
  engine.memory.setU32(abi.STATE_LIST_MAX_LISTPACK_SIZE, 1);
  engine.run("RPUSH", "k", ...elements);
  return engine;
}

test("an element stays what it is while the next node is read, whatever was read before", () => {
  const elements = Array.from({ length: 14 }, (_, i) => String.fromCharCode(97 + i).repeat(500));
  const engine = longList(elements);
  for (let first = 1; first < 13; first++) {
    // The expansion of `first` is the oldest when the walk comes to it, and the next node has none.
    const others = [3, 5, 7].map((step) => 1 + ((first + step) % 12));
    for (const index of [first, ...others]) engine.run("LINDEX", "k", index);
    expect(plain(engine.run("SORT", "k", "BY", "nosort").reply.value)).toEqual(elements);
  }
});
