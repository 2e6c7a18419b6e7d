// DUMP and RESTORE against redis-server: payloads equal to the byte, refusals equal to the letter.
import { beforeAll, describe, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { startRedis, startSubject } from "../support/servers.ts";

type Request = readonly (string | number | Uint8Array)[];

const scope = fileScope();
let judge: Client;
let subject: Client;

beforeAll(async () => {
  judge = await (await startRedis(scope)).connect();
  subject = await (await startSubject(scope)).connect();
}, 60_000);

async function both(request: Request): Promise<[string, string]> {
  const [expected, found] = await Promise.all([judge.reply(...request), subject.reply(...request)]);
  return [expected.raw.toString("latin1"), found.raw.toString("latin1")];
}

async function expectEqual(...request: Request): Promise<string> {
  const [expected, found] = await both(request);
  if (found !== expected)
    throw new Error(`${request.map(String).join(" ")}\n  ${found}\n  instead of\n  ${expected}`);
  return expected;
}

/** The bulk string in a reply. */
function bulk(reply: string): Buffer {
  return Buffer.from(reply.slice(reply.indexOf("\r\n") + 2, -2), "latin1");
}

function randomValue(random: (below: number) => number): Uint8Array {
  const length = [random(12), random(70), random(600), random(20_000)][random(4)] as number;
  const letters = [1, 3, 10, 256][random(4)] as number;
  const value = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    // Half of it repeats what stood up to 9000 bytes before, which LZF finds or just misses.
    const back = 1 + random(Math.min(Math.max(i, 1), 9000));
    value[i] = i > 10 && random(2) === 0 ? (value[i - back] as number) : 97 + random(letters);
  }
  return value;
}

describe("DUMP", () => {
  test("gives the same bytes for values of every form", async () => {
    const seed = 7001;
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const numbers = [0, 1, -1, 127, 128, -128, -129, 32767, 32768, -32768, -32769, 2147483647, 2147483648]; // prettier-ignore
    const texts = ["", "-0", "007", "1.5", "+1", " 1", "-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808"]; // prettier-ignore
    const values: (string | Uint8Array)[] = [...numbers.map(String), ...texts, "a".repeat(100_000)];
    for (let i = 0; i < 1500; i++) values.push(randomValue(random));
    for (const [i, value] of values.entries()) {
      await expectEqual("SET", "key", value);
      const payload = bulk(await expectEqual("DUMP", "key"));
      expect(payload.length).toBeGreaterThan(10);
      const other = await both(["RESTORE", "copy", 0, payload, "REPLACE"]);
      expect(other).toEqual(["+OK\r\n", "+OK\r\n"]);
      const [, copied] = await both(["GET", "copy"]);
      if (!bulk(copied).equals(Buffer.from(value)))
        throw new Error(`seed ${seed}: value ${i} came back as another`);
    }
  }, 60_000);

  test("also of values that grew into numbers, or out of them", async () => {
    await expectEqual("DEL", "key");
    await expectEqual("APPEND", "key", "12");
    await expectEqual("DUMP", "key");
    await expectEqual("INCR", "key");
    await expectEqual("DUMP", "key");
    await expectEqual("APPEND", "key", "x");
    await expectEqual("DUMP", "key");
    await expectEqual("SETRANGE", "key", 40, "tail");
    await expectEqual("DUMP", "key");
    await expectEqual("DUMP", "absent");
  });
});

describe("RESTORE", () => {
  test("refuses in the same words and the same order of checks", async () => {
    await expectEqual("SET", "source", "value");
    const payload = bulk(await expectEqual("DUMP", "source"));
    await expectEqual("SET", "taken", "1");
    const cut = payload.subarray(0, -1);
    const newer = Buffer.from(payload);
    newer.writeUInt16LE(11, newer.length - 10);
    const ttls = ["0", "-1", "abc", "1.5", "", "9223372036854775807", "9223372036854775808", "100000"];
    const options: string[][] = [
      [],
      ["REPLACE"],
      ["replace", "absttl"],
      ["ABSTTL"],
      ["IDLETIME"],
      ["IDLETIME", "-1"],
    ];
    options.push(["IDLETIME", "5"], ["FREQ", "5"], ["FREQ", "256"], ["FREQ", "-1"], ["FREQ", "x"], ["FREQ"]);
    options.push(
      ["IDLETIME", "1", "FREQ", "1"],
      ["FREQ", "1", "IDLETIME", "1"],
      ["REPLACE", "nonsense"],
      ["IDLETIME", "x"],
    );
    for (const key of ["taken", "free"]) {
      for (const ttl of ttls) {
        for (const given of [payload, cut, newer, Buffer.from(""), Buffer.from("0123456789")]) {
          for (const option of options) {
            await expectEqual("DEL", "free");
            await expectEqual("SET", "taken", "1");
            await expectEqual("RESTORE", key, ttl, given, ...option);
            await expectEqual("GET", key);
          }
        }
      }
    }
    await expectEqual("RESTORE", "free", "0");
  }, 60_000);

  test("keeps expiries, relative and absolute, and leaves out what is past", async () => {
    await expectEqual("SET", "source", "value");
    const payload = bulk(await expectEqual("DUMP", "source"));
    const at = Date.now() + 100_000;
    await expectEqual("RESTORE", "expiring", at, payload, "ABSTTL", "REPLACE");
    await expectEqual("PEXPIRETIME", "expiring");
    await expectEqual("RESTORE", "expiring", 1000, payload, "ABSTTL", "REPLACE");
    await expectEqual("EXISTS", "expiring");
    await expectEqual("RESTORE", "expiring", 500_000, payload);
    await expectEqual("TTL", "expiring");
    await expectEqual("RESTORE", "idle", 0, payload, "IDLETIME", 1000);
    await expectEqual("OBJECT", "IDLETIME", "idle");
    await expectEqual("RESTORE-ASKING", "asked", 0, payload);
    await expectEqual("GET", "asked");
  });
});
