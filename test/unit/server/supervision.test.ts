// When a node that crashed is started again: not too often, and not while its replica is to take its place.
import { expect, test } from "bun:test";
import { parseView } from "../../../src/server/node-view.ts";
import { Restarts } from "../../../src/server/restarts.ts";
import { awaitsTakeover } from "../../../src/server/takeover.ts";

test("so many times within so long, counted anew as time goes on", () => {
  const restarts = new Restarts(3, 10_000);
  expect([0, 1, 9999, 9999].map((atMs) => restarts.take(atMs))).toEqual([true, true, true, false]);
  expect([10_000, 10_000, 10_001, 10_002].map((atMs) => restarts.take(atMs))).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

const line = (id: string, port: number, flags: string, master: string, slots: string): string =>
  `${id} 127.0.0.1:${port}@${port + 10_000} ${flags} ${master} 0 0 1 connected ${slots}`.trim();
const other = line("c", 3, "myself,master", "-", "10-16383");

test.each([
  [true, "its replica lives", line("a", 1, "master", "-", "0-9"), line("b", 2, "slave", "a", "")],
  [true, "and it is seen dead", line("a", 1, "master,fail", "-", "0-9"), line("b", 2, "slave", "a", "")],
  [false, "its replica is dead", line("a", 1, "master", "-", "0-9"), line("b", 2, "slave,fail", "a", "")],
  [false, "it has none", line("a", 1, "master", "-", "0-9"), line("b", 2, "slave", "c", "")],
  [
    false,
    "its replica has its slots",
    line("a", 1, "master,fail", "-", ""),
    line("b", 2, "master", "-", "0-9"),
  ],
  [false, "it is a replica itself", line("a", 1, "slave", "b", ""), line("b", 2, "master", "-", "0-9")],
])("%p: %s", (isAwaited, _, ...lines) => {
  expect(awaitsTakeover(parseView([...lines, other].join("\n")), 1)).toBe(isAwaited);
});
