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

test("expansions go with their nodes, however often the next list has longer ones", () => {
  const engine = new InProcess();
  engine.memory.setU32(abi.STATE_LIST_MAX_LISTPACK_SIZE, 1);
  const rest = (): number => {
    engine.keys.flushAll();
    while (engine.keys.release(1000));
    return engine.memory.usedBytes;
  };
  /** Ends a list's packed nodes in one way or another, after some of them were read. */
  const used = (length: number, end: () => void): number => {
    for (let i = 0; i < 14; i++) engine.run("RPUSH", "k", String(i % 10).repeat(length));
    for (let index = 4; index < 10; index++) engine.run("LINDEX", "k", index);
    end();
    return rest();
  };
  const ends: Readonly<Record<string, () => void>> = {
    deleted: () => engine.run("DEL", "k"),
    trimmed: () => engine.run("LTRIM", "k", 0, 2),
    "made plain": () => {
      for (let index = 3; index < 11; index++) engine.run("LSET", "k", index, "v");
    },
  };
  const atFirst = used(100, () => {});
  for (const [name, end] of Object.entries(ends))
    for (const length of [200, 1000, 5000, 40_000])
      expect([name, length, used(length, end)]).toEqual([name, length, atFirst]);
});
