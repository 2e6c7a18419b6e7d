// Several clients that wait, push, pop and change types at random, in and out of transactions: who is told what must be
// the same with redis-server and with ours, and so must be what is left. By seed.
import { expect, test } from "bun:test";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { type Random, seeded } from "../support/random.ts";
import type { Server } from "../support/servers.ts";
import { judged } from "./harness/conformance.ts";
import type { Words } from "./harness/party.ts";

const pair = judged("alone");
const STEPS = Number(process.env["SLOTMESH_STEPS"] ?? 1000);
const CLIENTS = 6;
const KEYS = ["a", "b", "c", "d"];

function waitOf(random: Random): Words {
  const key = (): string => random.pick(KEYS);
  const keys = (): string[] => Array.from({ length: random.between(1, 3) }, key);
  const end = (): string => random.pick(["LEFT", "RIGHT"]);
  const count = (): string[] => (random.chance(0.5) ? [] : ["COUNT", String(random.between(1, 3))]);
  const some = keys();
  return random.pick<() => string[]>([
    () => ["BLPOP", ...keys(), "0"],
    () => ["BRPOP", ...keys(), "0"],
    () => ["BLMPOP", "0", String(some.length), ...some, end(), ...count()],
    () => ["BLMOVE", key(), key(), end(), end(), "0"],
    () => ["BRPOPLPUSH", key(), key(), "0"],
    () => [random.pick(["BZPOPMIN", "BZPOPMAX"]), ...keys(), "0"],
    () => ["BZMPOP", "0", String(some.length), ...some, random.pick(["MIN", "MAX"]), ...count()],
  ])();
}

function changeOf(random: Random): Words {
  const key = (): string => random.pick(KEYS);
  const values = (): string[] =>
    Array.from({ length: random.between(1, 3) }, () => String(random.below(100)));
  return random.weighted<Words>([
    [6, () => [random.pick(["LPUSH", "RPUSH"]), key(), ...values()]],
    [6, () => ["ZADD", key(), ...values().flatMap((value) => [value, `m${value}`])]],
    [1, () => ["SET", key(), "x"]],
    [3, () => ["DEL", key(), key()]],
    [1, () => ["RENAME", key(), key()]],
    [1, () => ["COPY", key(), key(), "REPLACE"]],
    [1, () => ["LMOVE", key(), key(), "LEFT", "RIGHT"]],
    [1, () => ["LPUSHX", key(), "x"]],
    [1, () => ["ZRANGESTORE", key(), key(), "0", "1"]],
    [1, () => ["MOVE", key(), "1"]],
    [0.2, () => ["FLUSHALL"]],
  ]);
}

/** One of the two servers, and those who talk to it. */
class Side {
  readonly #told: string[][] = Array.from({ length: CLIENTS }, () => []);
  readonly #asked: number[] = Array.from({ length: CLIENTS }, () => 0);
  #waiting = new Set<number>();

  private constructor(
    private readonly clients: readonly Client[],
    private readonly ids: readonly number[],
    private readonly writer: Client,
  ) {}

  static async of(server: Server, protocol: 2 | 3): Promise<Side> {
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => server.connect({ protocol })));
    const ids = await Promise.all(clients.map(async (client) => Number(await client.ask("CLIENT", "ID"))));
    const writer = await server.connect({ protocol });
    await writer.ok("FLUSHALL");
    return new Side(clients, ids, writer);
  }

  /** Does as a step says. @returns what was said to everybody meanwhile, and who waits */
  async take({ who, wait, changes, unblocks }: Step): Promise<unknown> {
    const said: string[] = [];
    if (wait !== undefined && !this.#waiting.has(who)) {
      this.#asked[who]!++;
      void this.#note(who, wait).catch(() => {}); // who waits to the end is never answered
    }
    if (unblocks) said.push(String(await this.writer.ask("CLIENT", "UNBLOCK", this.ids[who]!)));
    for (const { raw } of await this.writer.pipeline(changes)) said.push(raw.toString("latin1"));
    await eventually(() => this.#isSettled(), 5000, "everybody is answered or waits");
    const told = this.#told.map((replies) => replies.splice(0));
    this.#asked.fill(0);
    for (const waiter of this.#waiting) this.#asked[waiter] = 1;
    return { said, told, waiting: [...this.#waiting].toSorted((a, b) => a - b) };
  }

  close(): void {
    for (const client of [...this.clients, this.writer]) client.close();
  }

  async #note(who: number, request: Words): Promise<void> {
    this.#told[who]!.push((await this.clients[who]!.reply(...request)).raw.toString("latin1"));
  }

  /** Whoever does not wait has been answered, and nobody else since the server was asked who waits. */
  async #isSettled(): Promise<boolean> {
    const list = await this.writer.text("CLIENT", "LIST", "ID", ...this.ids.map(String));
    const waiting = list.split("\n").filter((line) => / flags=\S*b/.test(line));
    this.#waiting = new Set(waiting.map((line) => this.ids.indexOf(Number(/\bid=(\d+)/.exec(line)?.[1]))));
    return this.#asked.every(
      (count, who) => this.#told[who]!.length === count - (this.#waiting.has(who) ? 1 : 0),
    );
  }
}

interface Step {
  readonly who: number;
  readonly wait: Words | undefined;
  /** What is written, a transaction if there are several. */
  readonly changes: readonly Words[];
  readonly unblocks: boolean;
}

function stepOf(random: Random): Step {
  const who = random.below(CLIENTS);
  const nothing = { who, wait: undefined, changes: [], unblocks: false };
  if (random.chance(0.4)) return { ...nothing, wait: waitOf(random) };
  if (random.chance(0.05)) return { ...nothing, unblocks: true };
  if (random.chance(0.8)) return { ...nothing, changes: [changeOf(random)] };
  const inside = Array.from({ length: random.between(1, 4) }, () => changeOf(random));
  return { ...nothing, changes: [["MULTI"], ...inside, ["EXEC"]] };
}

for (const protocol of [2, 3] as const)
  test(`RESP${protocol}`, async () => {
    await seeded(async (random) => {
      const theirs = await Side.of(pair.servers.theirs, protocol);
      const ours = await Side.of(pair.servers.ours, protocol);
      for (let i = 0; i < STEPS; i++) {
        const step = stepOf(random);
        const [expected, found] = await Promise.all([theirs.take(step), ours.take(step)]);
        expect({ i, step, ...(found as object) }).toEqual({ i, step, ...(expected as object) });
      }
      theirs.close();
      ours.close();
    });
  }, 60_000);
