// CLUSTER with arguments chance drew, most of them wrong: on a node that knows nobody, the same answers as redis-server's.
import { expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { printable, printRequest } from "../support/resp.ts";
import { seeded, type Random } from "../support/random.ts";
import { startRedis, startSubject, subjectIsRedis } from "../support/servers.ts";

const scope = fileScope();
const REQUESTS = 1500;
const ME = "$ME";

const NUMBERS = [
  "0", "1", "5", "100", "16383", "16384", "-1", "65535", "65536", "99999999999999999999", "9223372036854775807", "+1", "01",
  "1.0", " 1", "1 ", "0x10", "", "abc", "\0", "1e3", "7000", "55536", "55535",
] as const; // prettier-ignore
const IDS = [
  ME, "0123456789abcdef0123456789abcdef01234567", "0123456789ABCDEF0123456789abcdef01234567", "abc", "", "-", "a\0b", "a\nb", "x".repeat(60),
] as const; // prettier-ignore
const ADDRESSES = [
  "127.0.0.1", "::1", "fe80::1%lo", "localhost", "256.1.1.1", "1.2.3", "", "1.2.3.4.5", ":::", "1:2", "::ffff:1.2.3.4",
  "0.0.0.0", "1,2", "01.2.3.4", "::1.2.3", "12345::", "1::2::3", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::",
] as const; // prettier-ignore
const WORDS = [
  "stable", "importing", "migrating", "node", "STABLE", "soft", "hard", "force", "takeover", "FORCE", "foo", "",
] as const; // prettier-ignore

/** No two nodes answer these alike, or they would talk to what is at that address. */
const isTalk = (words: readonly string[]): boolean => words[0]!.toLowerCase() === "meet" && words.length >= 3;

function draw(random: Random): string[] {
  const number = (): string => random.pick(NUMBERS);
  const some = (make: () => string, most: number): string[] =>
    Array.from({ length: random.below(most + 1) }, make);
  const any = (): string =>
    random.pick([number(), random.pick(IDS), random.pick(WORDS), random.pick(ADDRESSES)]);
  const name = (text: string): string => (random.chance(0.1) ? text.toUpperCase() : text);
  return random.weighted<string[]>([
    [4, () => [name(random.pick(["addslots", "delslots"])), ...some(number, 4)]],
    [4, () => [name(random.pick(["addslotsrange", "delslotsrange"])), ...some(number, 6)]],
    [4, () => [name("setslot"), number(), random.pick(WORDS), ...some(() => random.pick(IDS), 2)]],
    [3, () => [name("meet"), random.pick(ADDRESSES), ...some(number, 3)]],
    [
      2,
      () => [
        name(random.pick(["forget", "replicate", "replicas", "slaves"])),
        ...some(() => random.pick(IDS), 2),
      ],
    ],
    [1, () => [name("count-failure-reports"), ...some(() => random.pick(IDS), 2)]],
    [2, () => [name("failover"), ...some(() => random.pick(WORDS), 2)]],
    [1, () => [name("reset"), random.pick(["foo", "", "hard soft", "soft"]), ...some(any, 1)]],
    [1, () => [name("set-config-epoch"), ...some(number, 2)]],
    [2, () => [name(random.pick(["countkeysinslot", "getkeysinslot", "keyslot"])), ...some(number, 3)]],
    [
      1,
      () => [name(random.pick(["saveconfig", "flushslots", "bumpepoch", "myid", "links"])), ...some(any, 1)],
    ],
    [1, () => some(any, 5)],
  ]);
}

/** What is known to differ on purpose. */
function isDifferent(words: readonly string[]): boolean {
  // Epochs that peers would refuse: redis-server takes them.
  return words[0]!.toLowerCase() === "set-config-epoch" && words[1] === "9223372036854775807";
}

test("what redis-server refuses is refused in its words, and what it takes is taken", async () => {
  await seeded(async (random) => {
    const flags = { "cluster-enabled": "yes" };
    const strict = subjectIsRedis() ? {} : { "cluster-solo": "no" };
    const servers = await Promise.all([
      startRedis(scope, flags),
      startSubject(scope, { ...flags, ...strict }),
    ]);
    const sides = await Promise.all(
      servers.map(async (server) => {
        const client = await server.connect();
        return { server, client, id: await client.text("CLUSTER", "MYID") };
      }),
    );
    for (let n = 0; n < REQUESTS; n++) {
      const words = draw(random);
      if (words.length === 0 || isDifferent(words)) continue;
      const replies = await Promise.all(
        sides.map(async ({ client, id, server }) => {
          const { raw } = await client.reply("CLUSTER", ...words.map((word) => word.replace(ME, id)));
          const text = printable(raw, 100_000).replaceAll(id, ME);
          return text.replaceAll(`${server.port + 10_000}`, "BUS").replaceAll(`${server.port}`, "PORT");
        }),
      );
      expect(replies[1], `step ${n}: ${printRequest(["CLUSTER", ...words])}`).toBe(replies[0]!);
      // A node that was met is a node known: from here on the two would differ by chance.
      if (isTalk(words) && replies[0]!.startsWith("+OK")) {
        for (const { client } of sides) await client.ask("CLUSTER", "RESET");
      }
    }
  });
});
