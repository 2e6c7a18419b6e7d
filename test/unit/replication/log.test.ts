import { describe, expect, test } from "bun:test";
import { MutationLog } from "../../../src/replication/log.ts";
import type { LogReader } from "../../../src/replication/shared-bytes.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** What stands at an offset of the random log. */
const byteAt = (offset: number): number => (offset * 7 + (offset >> 8)) & 255;
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

function drain(log: MutationLog, reader: LogReader): string {
  let all = "";
  for (;;) {
    const run = log.peek(reader);
    if (run.length === 0) return all;
    all += text(run);
    log.advance(reader, run.length);
  }
}

describe("the mutation log", () => {
  test("names the database before the first record and when it changes", () => {
    const log = new MutationLog();
    const reader = log.open("replica") as LogReader;
    log.append(0, bytes("<a>"));
    log.append(0, bytes("<b>"));
    log.append(3, bytes("<c>"));
    log.forgetDatabase();
    log.append(3, bytes("<d>"));
    expect(drain(log, reader)).toBe(
      "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n<a><b>*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n<c>*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n<d>",
    );
  });

  test("encodes parts, binary ones too", () => {
    const log = new MutationLog();
    const reader = log.open("replica") as LogReader;
    log.appendBare(["REPLCONF", "GETACK", "*"]);
    log.appendBare(["SET", "é", Uint8Array.of(0, 13, 10, 65)]);
    const end = "*3\r\n$3\r\nSET\r\n$2\r\né\r\n$4\r\n\0\r\nA\r\n";
    expect(drain(log, reader)).toBe(`*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n${end}`);
  });

  test("keeps what the slowest reader needs, however small the window", () => {
    const log = new MutationLog(1000);
    const slow = log.open("slow") as LogReader;
    const fast = log.open("fast") as LogReader;
    let expected = "";
    for (let i = 0; i < 20_000; i++) {
      log.appendStream(bytes(`record ${i};`));
      expected += `record ${i};`;
      if (i % 1000 === 0) drain(log, fast);
    }
    expect(log.start).toBe(1000);
    expect(log.end).toBe(1000 + expected.length);
    expect(drain(log, slow)).toBe(expected);
    drain(log, fast);
    expect(log.start).toBe(log.end);
    // All blocks but the spare ones went back.
    expect(log.memoryBytes).toBeLessThanOrEqual(17 * 65536);
  });

  test("keeps exactly its window for newcomers", () => {
    const log = new MutationLog();
    log.window = 100_000;
    const record = "x".repeat(70_001);
    for (let i = 0; i < 5; i++) log.appendStream(bytes(record));
    expect(log.end - log.start).toBe(100_000);
    expect(log.open("late", log.start - 1)).toBeUndefined();
    expect(log.open("early", log.end + 1)).toBeUndefined();
    const late = log.open("late", log.start) as LogReader;
    expect(drain(log, late).length).toBe(100_000);
    log.window = 10;
    expect(log.end - log.start).toBe(10);
  });

  test("does not give back to newcomers what a closed reader held", () => {
    const log = new MutationLog();
    const reader = log.open("replica") as LogReader;
    log.appendStream(bytes("abc"));
    expect(log.wanted).toBe(true);
    log.close(reader);
    expect(log.start).toBe(log.end);
    expect(log.wanted).toBe(false);
  });

  test("goes on from another offset after a restart", () => {
    const log = new MutationLog();
    log.window = 1000;
    log.append(0, bytes("old"));
    log.restart(5_000_000_000);
    expect([log.start, log.end]).toEqual([5_000_000_000, 5_000_000_000]);
    const reader = log.open("replica") as LogReader;
    log.append(0, bytes("new"));
    expect(drain(log, reader)).toBe("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\nnew");
  });

  test("random appends, readers and windows lose and repeat no byte", () => {
    const seed = 20_261_122;
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const log = new MutationLog();
    const readers: LogReader[] = [];
    for (let step = 0; step < 4000; step++) {
      const choice = random(10);
      if (choice < 5) {
        const from = log.end;
        log.appendStream(
          Uint8Array.from({ length: random(step % 50 === 0 ? 200_000 : 3000) }, (_, i) => byteAt(from + i)),
        );
      } else if (choice === 5) {
        log.window = random(300_000);
      } else if (choice === 6 && readers.length < 5) {
        const at = log.start + random(log.end - log.start + 1);
        const reader = log.open(`reader ${step}`, at);
        expect(reader).toBeDefined();
        readers.push(reader as LogReader);
      } else if (choice === 7 && readers.length > 0) {
        log.close(readers.splice(random(readers.length), 1)[0] as LogReader);
      } else {
        for (const reader of readers) {
          const run = log.peek(reader);
          const taken = random(run.length + 1);
          for (let i = 0; i < taken; i += 97) {
            if (run[i] !== byteAt(reader.position + i))
              throw new Error(`seed ${seed}, step ${step}: wrong byte`);
          }
          log.advance(reader, taken);
        }
      }
      for (const reader of readers) expect(reader.position).toBeGreaterThanOrEqual(log.start);
    }
  });
});
