// What is read from CLUSTER NODES, and when nodes count as one whole cluster.
import { expect, test } from "bun:test";
import { flawIn, isBlank, parseView, signatureOf, splitSlots } from "../../../src/server/node-view.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);
const whole = [
  `${A} 127.0.0.1:7001@17001 myself,master - 0 1 1 connected 0-99 101 [93->-${B}]`,
  `${B} 127.0.0.1:7002@17002,host.name master - 0 1 2 connected 100 102-16383`,
  `${C} ::1:7003@17003 slave ${A} 0 1 1 connected`,
  "",
].join("\n");

test("a line tells who, where, what and which slots", () => {
  const { myself, nodes } = parseView(whole);
  expect(myself).toMatchObject({ id: A, ip: "127.0.0.1", port: 7001, busPort: 17001, configEpoch: 1 });
  expect(myself.slots).toEqual([
    { start: 0, end: 99 },
    { start: 101, end: 101 },
  ]);
  expect(nodes[1]).toMatchObject({ ip: "127.0.0.1", port: 7002, masterId: undefined, connected: true });
  expect(nodes[2]).toMatchObject({ ip: "::1", port: 7003, masterId: A, slots: [] });
});

test("text that is no CLUSTER NODES names the line", () => {
  expect(() => parseView("nonsense")).toThrow("nonsense");
  expect(() => parseView(whole.replace("myself,", ""))).toThrow("myself");
});

test("a whole view has no flaw; each thing missing is named", () => {
  expect(flawIn(parseView(whole), 3)).toBeUndefined();
  expect(flawIn(parseView(whole), 4)).toBe("127.0.0.1:7001 knows 3 of 4 nodes");
  expect(flawIn(parseView(whole.replace("0-99 ", "0-98 ")), 3)).toContain("16383 of 16384");
  expect(flawIn(parseView(whole.replace(` slave ${A}`, ` slave,fail? ${A}`)), 3)).toContain("fail?");
  expect(flawIn(parseView(whole.replace("2 connected", "2 disconnected")), 3)).toContain("no link");
});

test("views are the same story whatever the order and the speaker", () => {
  const [first, second, third] = whole.split("\n");
  const other = [third, second!.replace("master", "myself,master"), first!.replace("myself,", "")].join("\n");
  expect(signatureOf(parseView(other))).toBe(signatureOf(parseView(whole)));
  const moved = whole.replace("0-99 101", "0-99").replace("100 102", "100-102");
  expect(signatureOf(parseView(moved))).not.toBe(signatureOf(parseView(whole)));
});

test("a node that was never part of a cluster is blank", () => {
  expect(isBlank(parseView(`${A} :7001@17001 myself,master - 0 0 0 connected`))).toBe(true);
  expect(isBlank(parseView(`${A} :7001@17001 myself,master - 0 0 3 connected`))).toBe(false);
  expect(isBlank(parseView(whole))).toBe(false);
});

test.each([1, 2, 3, 5, 6, 7, 12, 1000, 16384])("%d masters share out all slots without a gap", (masters) => {
  const ranges = splitSlots(masters);
  expect(ranges.length).toBe(masters);
  expect(ranges[0]?.start).toBe(0);
  expect(ranges.at(-1)?.end).toBe(16383);
  for (const [i, { start, end }] of ranges.entries()) {
    expect(end).toBeGreaterThanOrEqual(start);
    if (i > 0) expect(start).toBe(ranges[i - 1]!.end + 1);
  }
});

test("three masters get what redis-cli gives them", () => {
  expect(splitSlots(3).map(({ start, end }) => `${start}-${end}`)).toEqual([
    "0-5460",
    "5461-10922",
    "10923-16383",
  ]);
});
