import { describe, expect, test } from "bun:test";
import { Histogram } from "../../../src/server/histogram.ts";
import { humanBytes } from "../../../src/server/info.ts";
import { Slowlog, type Copyable } from "../../../src/server/slowlog.ts";
import { Stats } from "../../../src/server/stats.ts";

describe("histogram", () => {
  test("keeps two digits of every time", () => {
    for (const ns of [1, 127, 128, 255, 256, 257, 1000, 3007, 65_535, 65_536, 208_895, 999_999_999]) {
      const histogram = new Histogram();
      histogram.record(ns);
      const shown = histogram.percentile(50);
      expect(shown).toBeGreaterThanOrEqual(ns);
      expect(shown).toBeLessThan(ns * 1.01 + 1);
    }
  });

  test("buckets are those redis-server shows", () => {
    const histogram = new Histogram();
    for (const us of [3, 208]) histogram.record(us * 1000);
    expect([histogram.percentile(50), histogram.percentile(99)]).toEqual([3007, 208_895]);
    expect(histogram.cumulative()).toEqual([
      [4, 1],
      [264, 2],
    ]);
  });

  test("percentiles follow the counts; times beyond a second are a second", () => {
    const histogram = new Histogram();
    histogram.record(100, 98);
    histogram.record(200);
    histogram.record(5e9);
    expect(histogram.percentile(0)).toBe(100);
    expect(histogram.percentile(98)).toBe(100);
    expect(histogram.percentile(99)).toBe(200);
    expect(histogram.percentile(100)).toBeGreaterThanOrEqual(1e9);
    expect(new Histogram().percentile(50)).toBe(0);
  });
});

describe("stats", () => {
  test("calls, failures and refusals are told apart, errors counted by code", () => {
    const stats = new Stats(3);
    stats.called(1, 30, 3);
    stats.called(1, 10);
    stats.refused(2, "NOAUTH Authentication required.");
    stats.failedWith(1, "WRONGTYPE Operation against a key");
    stats.errorReply("ERR unknown");
    expect([...stats.calls]).toEqual([0, 4, 0]);
    expect([...stats.us]).toEqual([0, 40, 0]);
    expect([...stats.rejected]).toEqual([0, 0, 1]);
    expect([...stats.failed]).toEqual([0, 1, 0]);
    expect([...stats.errors]).toEqual([
      ["NOAUTH", 1],
      ["WRONGTYPE", 1],
      ["ERR", 1],
    ]);
    expect([stats.totals.commands, stats.totals.errorReplies]).toEqual([4, 3]);
    expect(stats.latency[1]?.count).toBe(4);
    expect(stats.latency[2]).toBeUndefined();
  });

  test("rates are means over the last samples", () => {
    const stats = new Stats(1);
    stats.sample(1000);
    for (let i = 1; i <= 16; i++) {
      stats.totals.commands += 10;
      stats.sample(1000 + i * 100);
    }
    expect(stats.rate("commands")).toBe(100);
    for (let i = 17; i <= 24; i++) stats.sample(1000 + i * 100);
    expect(stats.rate("commands")).toBe(50);
  });

  test("codes made up without end are counted in all only", () => {
    const stats = new Stats(1);
    for (let i = 0; i < 1000; i++) stats.errorReply(`E${i} text`);
    expect(stats.errors.size).toBe(128);
    expect(stats.totals.errorReplies).toBe(1000);
  });

  test("a reset forgets all but memory in use", () => {
    const stats = new Stats(1);
    stats.called(0, 5);
    stats.errorReply("ERR x");
    stats.observeMemory(1000);
    stats.reset(500);
    expect([stats.calls[0], stats.us[0], stats.errors.size, stats.totals.commands]).toEqual([0, 0, 0, 0]);
    expect(stats.latency[0]).toBeUndefined();
    expect(stats.peakMemoryBytes).toBe(500);
  });
});

describe("slow log", () => {
  const request = (...args: string[]): Copyable => ({
    count: args.length,
    view: (index) => Buffer.from(args[index] ?? ""),
    isRedacted: (index) => args[index] === "secret",
  });
  const shown = (log: Slowlog): string[][] =>
    log.newest(100).map(({ args }) => args.map((arg) => Buffer.from(arg).toString()));

  test("newest first, no more than the limit, numbered on", () => {
    const log = new Slowlog();
    log.limit = 2;
    for (const name of ["a", "b", "c"]) log.add(request(name), 1.9, 5999, "ip:1", "me");
    expect(shown(log)).toEqual([["c"], ["b"]]);
    expect(log.newest(1)).toEqual([
      { id: 2, atSeconds: 5, us: 1, args: [Buffer.from("c")], address: "ip:1", clientName: "me" },
    ]);
    log.limit = 1;
    expect(log.length).toBe(1);
    log.reset();
    log.add(request("d"), 1, 0, "", "");
    expect(log.newest(9).map(({ id }) => id)).toEqual([3]);
    log.limit = 0;
    log.add(request("e"), 1, 0, "", "");
    expect(log.length).toBe(0);
  });

  test("what concerns it", () => {
    const log = new Slowlog();
    expect([log.concerns(9999), log.concerns(10_000)]).toEqual([false, true]);
    log.thresholdUs = 0;
    expect(log.concerns(0)).toBe(true);
    log.thresholdUs = -1;
    expect(log.concerns(1e9)).toBe(false);
  });

  test("long requests are cut, secrets not kept", () => {
    const log = new Slowlog();
    log.add(request(...Array.from({ length: 32 }, () => "x")), 1, 0, "", "");
    log.add(request(...Array.from({ length: 40 }, () => "x")), 1, 0, "", "");
    log.add(request("y".repeat(128), "z".repeat(200), "secret"), 1, 0, "", "");
    const [cut, many, all] = shown(log);
    expect(all).toHaveLength(32);
    expect(many?.slice(30)).toEqual(["x", "... (9 more arguments)"]);
    expect(many).toHaveLength(32);
    expect(cut).toEqual(["y".repeat(128), `${"z".repeat(128)}... (72 more bytes)`, "(redacted)"]);
  });
});

test("bytes for people", () => {
  expect([0, 1023, 1024, 965_704, 25_276_502_016].map(humanBytes)).toEqual([
    "0B",
    "1023B",
    "1.00K",
    "943.07K",
    "23.54G",
  ]);
});
