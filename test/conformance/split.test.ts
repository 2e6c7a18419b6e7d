// The same requests in one write, byte by byte, and cut at random places: a server must not see the difference.
import { describe, expect, test } from "bun:test";
import { Random, seeded } from "../support/random.ts";
import { type Argument, encodeRequest } from "../support/resp.ts";
import { judged } from "./harness/conformance.ts";
import { integer, key, mangle, value } from "./harness/values.ts";

/** Requests of many shapes, inline ones among them, none of which fails the connection. */
function requests(random: Random, count: number): Buffer[] {
  return Array.from({ length: count }, () =>
    random.weighted<Buffer>([
      [5, () => encodeRequest(mangle(random, ["SET", key(random), value(random)]))],
      [5, () => encodeRequest(mangle(random, ["GET", key(random)]))],
      [3, () => encodeRequest(["ECHO", random.bytes(random.below(100))])],
      [2, () => encodeRequest(["INCRBY", key(random), integer(random)])],
      [1, () => encodeRequest(["ECHO", random.bytes(random.between(10_000, 40_000))])],
      [
        1,
        () =>
          encodeRequest([
            "MGET",
            ...Array.from({ length: random.between(1, 30) }, (): Argument => `{a}${random.below(9)}`),
          ]),
      ],
      [1, () => Buffer.from(`PING ${random.below(1000)}\r\n`)],
      [1, () => Buffer.from(`ECHO "a\\x${(16 + random.below(200)).toString(16)}\\n b"\n`)],
      [1, () => Buffer.from("\r\n")],
      [1, () => Buffer.from("*0\r\n")],
    ]),
  );
}

/** Cuts, more of them than a connection would ever see. */
function cuts(random: Random, length: number): number[] {
  const count = random.pick([1, 10, 200]);
  const wide = Array.from({ length: count }, () => random.between(1, length - 1));
  const start = random.below(length);
  const dense = Array.from({ length: 60 }, (_, i) => Math.min(length - 1, start + i));
  return [...wide, ...dense];
}

for (const mode of ["alone", "cluster"] as const) {
  describe(`requests cut anywhere, ${mode}`, () => {
    const pair = judged(mode);

    test("in random pieces", async () => {
      await seeded(async (random) => {
        const [theirs, ours] = [await pair.servers.theirs.connect(), await pair.servers.ours.connect()];
        for (let round = 0; round < 25; round++) {
          const bytes = Buffer.concat([...requests(random, 40), encodeRequest(["ECHO", `round ${round}`])]);
          theirs.write(bytes);
          await ours.writeSplit(bytes, cuts(random, bytes.length));
          const end = `round ${round}`;
          for (let done = false; !done;) {
            const [wanted, got] = [await theirs.read(), await ours.read()];
            expect(got.raw.toString("latin1")).toBe(wanted.raw.toString("latin1"));
            done = wanted.value.kind === "bulk" && wanted.value.bytes.toString() === end;
          }
        }
      });
    });

    test("byte by byte, several connections taking turns", async () => {
      await seeded(async (random) => {
        const theirs = await pair.servers.theirs.connect();
        const ours = await Promise.all(Array.from({ length: 4 }, () => pair.servers.ours.connect()));
        const pieces = ours.map((_, i) =>
          encodeRequest(["ECHO", `${i} ${random.bytes(40).toString("hex")}`]),
        );
        const longest = Math.max(...pieces.map(({ length }) => length));
        for (let at = 0; at < longest; at++) {
          await Promise.all(ours.map((client, i) => client.writeSplit(pieces[i]!.subarray(at, at + 1), [])));
        }
        for (const [i, client] of ours.entries()) {
          theirs.write(pieces[i]!);
          expect((await client.read()).raw).toEqual((await theirs.read()).raw);
        }
      });
    });

    test("a hundred thousand requests in one write", async () => {
      const count = 100_000;
      const bytes = Buffer.concat(Array.from({ length: count }, (_, i) => encodeRequest(["ECHO", i])));
      const client = await pair.servers.ours.connect();
      client.write(bytes);
      for (let i = 0; i < count; i++) {
        const { value: echoed } = await client.read();
        if (echoed.kind !== "bulk" || echoed.bytes.toString() !== String(i))
          throw new Error(`reply ${i} is another's`);
      }
    });

    test("sixty-four megabytes in one value, there and back", async () => {
      const big = Buffer.alloc(64 * 1024 * 1024);
      for (let i = 0; i < big.length; i += 4096) big.writeUInt32LE(i, i);
      for (const server of [pair.servers.theirs, pair.servers.ours]) {
        const client = await server.connect();
        await client.ok("SET", "big", big);
        expect(await client.ask("STRLEN", "big")).toBe(big.length);
        const { value: back } = await client.reply("GET", "big");
        if (back.kind !== "bulk") throw new Error(`GET gave ${back.kind}`);
        expect(back.bytes.equals(big)).toBe(true);
        await client.ask("DEL", "big");
        client.close();
      }
    });
  });
}
