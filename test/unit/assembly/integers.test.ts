// Integers printed by the engine: every length, both signs, and the edges of the arithmetic behind them.
import { expect, test } from "bun:test";
import { Keyspace } from "../../support/keyspace.ts";
import { Random } from "../../support/random.ts";

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

function* numbers(): Generator<bigint> {
  for (let n = -1100n; n <= 11_000n; n++) yield n;
  for (let power = 0n; power < 19n; power++) {
    for (let offset = -2n; offset <= 2n; offset++)
      for (let digit = 1n; digit < 10n; digit++) yield digit * 10n ** power + offset;
  }
  for (let bit = 0n; bit < 63n; bit++)
    for (let offset = -2n; offset <= 2n; offset++) yield 2n ** bit + offset;
  const random = new Random(42);
  for (let i = 0; i < 20_000; i++) {
    const word = (): bigint => BigInt(random.below(2 ** 32));
    yield ((word() << 32n) | word()) >> BigInt(random.below(64));
  }
}

test("integers are printed as they are, as a number and as a string", () => {
  const space = new Keyspace(1);
  for (const positive of numbers()) {
    for (const n of [positive, -positive, MAX - positive, MIN + positive]) {
      if (n < MIN || n > MAX) continue;
      const text = String(n);
      space.run("set", "n", "0");
      expect(space.run("incrby", "n", text)).toBe(`:${text}\r\n`);
      expect(space.run("get", "n")).toBe(`$${text.length}\r\n${text}\r\n`);
    }
  }
});
