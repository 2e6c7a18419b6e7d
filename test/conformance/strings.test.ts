// Strings against redis-server: see strings.stream.ts.
import { describe, expect, test } from "bun:test";
import { conformance, judged } from "./harness/conformance.ts";
import { stringStep } from "./strings.stream.ts";

conformance("strings", stringStep, { steps: 10_000 });

describe("LCS of strings whose table would not fit", () => {
  const pair = judged("alone");
  test.each([11_584, 11_585])("%d bytes", async (length) => {
    const [theirs, ours] = await Promise.all(
      [pair.servers.theirs, pair.servers.ours].map(async (server) => {
        const client = await server.connect();
        await client.ok("MSET", "a", "x".repeat(length), "b", "y".repeat(length));
        return (await client.reply("LCS", "a", "b", "LEN")).raw.toString();
      }),
    );
    expect(ours).toBe(theirs!);
  });
});
