// Every sum is held against redis-server's own, digit by digit.
import { beforeAll, expect, test } from "bun:test";
import { addLongDoubles, parseLongDouble, printLongDouble } from "../../../src/commands/longdouble.ts";
import { fileScope } from "../../support/cleanup.ts";
import { type Client } from "../../support/client.ts";
import { type Random, seeded } from "../../support/random.ts";
import { plain } from "../../support/resp.ts";
import { startRedis } from "../../support/servers.ts";

const scope = fileScope();
let redis: Client;
beforeAll(async () => {
  redis = await (await startRedis(scope)).connect();
}, 30_000);

const NOT_A_FLOAT = "-ERR value is not a valid float";

function sum(a: string, b: string): string {
  const bytes = (text: string): string => Buffer.from(text).toString("latin1");
  const [x, y] = [parseLongDouble(bytes(a)), parseLongDouble(bytes(b))];
  if (x === undefined || y === undefined) return NOT_A_FLOAT;
  const total = addLongDoubles(x, y);
  if (total.kind !== "finite") return "-ERR increment would produce NaN or Infinity";
  return printLongDouble(total);
}

async function theirSums(pairs: readonly (readonly [string, string])[]): Promise<string[]> {
  const requests = pairs.flatMap(([a, b]) => [
    ["SET", "n", a],
    ["INCRBYFLOAT", "n", b],
  ]);
  const replies = await redis.pipeline(requests);
  return replies.filter((_, i) => i % 2 === 1).map((reply) => String(plain(reply.value)));
}

async function judge(pairs: readonly (readonly [string, string])[]): Promise<void> {
  const theirs = await theirSums(pairs);
  const wrong = pairs
    .map(([a, b], i) => ({ a, b, theirs: theirs[i], ours: sum(a, b) }))
    .filter((one) => one.ours !== one.theirs);
  expect(wrong.slice(0, 5)).toEqual([]);
}

const EDGES = [
  "0", "-0", "+0", "1", ".5", "5.", ".", "", "+", "-", "e5", "1e", "1e+", "1e5", "1E-5", "0e99999999999", "1e99999999999999999999",
  "1e-99999999999999999999", "inf", "-inf", "INFINITY", "infinit", "nan", "NaN(1)", "0x", "0x.p1", "0x1p", "0x1p3", "0X.8P-1",
  "0x1.8", "0x0p99999999", " 1", "1 ", "\t1", "1\0", "1_0", "1,5", "١", "--1", "+-1", "0x-1",
  // The edges of the range, and of what is lost between two neighbours.
  "1.18973149535723176502e4932", "1.18973149535723176506e4932", "1.2e4932", "1e5000", "3.6e-4951", "1.8e-4951", "1.9e-4951", "1e-5000",
  "0x1p-16445", "0x1p-16446", "0x1.8p-16446", "0x1.000001p-16446", "0x1p16383", "0x1p16384", "0x1.fffffffffffffffep16383",
  "0x1.ffffffffffffffffp16383", "0x1.fffffffffffffffefp16383", "18446744073709551615", "18446744073709551616", "18446744073709551617",
  "36893488147419103233", "0.000000000000000005", "0.0000000000000000050001", "-0.000000000000000001", "9".repeat(5118), "9".repeat(5119),
  "9".repeat(5120), `0.${"0".repeat(4000)}1`,
]; // prettier-ignore

test("numbers at every edge, in all pairs", async () => {
  await judge(EDGES.flatMap((a) => EDGES.map((b) => [a, b] as const)));
}, 60_000);

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.below(10)).join("");
}

function number(random: Random): string {
  const sign = random.pick(["", "-", "+"]);
  const exponent = (limit: number): string => `${random.pick(["", "-", "+"])}${random.below(limit)}`;
  return random.weighted([
    [2, () => sign + digits(random, random.between(1, 30))],
    [6, () => `${sign}${digits(random, random.between(1, 22))}.${digits(random, random.below(25))}`],
    [2, () => `${sign}.${digits(random, random.below(30))}`],
    [2, () => `${sign}${digits(random, 3)}.${digits(random, 3)}e${exponent(30)}`],
    [2, () => `${sign}${digits(random, 3)}e${random.pick(["", "-"])}${random.between(4900, 4960)}`],
    [2, () => `${sign}0x${random.below(2 ** 40).toString(16)}.${random.below(2 ** 40).toString(16)}p${exponent(80)}`],
    [2, () => sign + random.below(2 ** 30) / 2 ** random.below(30)],
    [2, () => String(2n ** BigInt(random.below(80)) + BigInt(random.below(3))) + random.pick(["", ".5", ".25", ".75"])],
    [1, () => sign + digits(random, random.between(4, 5200))],
    [1, () => random.pick(EDGES)],
  ]); // prettier-ignore
}

test("random numbers", async () => {
  await seeded(async (random) => {
    for (let round = 0; round < 20; round++) {
      await judge(Array.from({ length: 1000 }, () => [number(random), number(random)] as const));
    }
  });
}, 60_000);
