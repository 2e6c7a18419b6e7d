// Four masters of a kind, all slots with the first three, and redis-cli that moves a share of them to the fourth: what
// every bench of moving slots begins with.
import { readFileSync } from "node:fs";
import type { Scope } from "../test/support/cleanup.ts";
import { type NodeLine, untilAgreed, untilOk } from "../test/support/cluster.ts";
import { tagsFor } from "../test/support/load/slots.ts";
import { freePorts } from "../test/support/ports.ts";
import { redisCli, type Server, startOurs, startRedis } from "../test/support/servers.ts";
import { feed } from "./feed.ts";

export type Start = typeof startOurs;
export const KINDS: readonly (readonly [name: string, start: Start])[] = [
  ["redis-server", startRedis],
  ["slotmesh", startOurs],
];

const MOVE_LIMIT_MS = 1_800_000;
/** Clock ticks of /proc a second. */
const TICKS = 100;

export class Masters {
  private constructor(
    readonly servers: readonly Server[],
    readonly nodes: readonly NodeLine[],
  ) {}

  /** They save nothing but nodes.conf. */
  static async start(scope: Scope, start: Start): Promise<Masters> {
    const ports = await freePorts(4);
    const servers = await Promise.all(
      ports.map((port) => start(scope, { "cluster-enabled": "yes" }, { port })),
    );
    const [first, , , fourth] = servers;
    const addresses = servers.slice(0, 3).map(({ address }) => address);
    await redisCli(["--cluster", "create", ...addresses, "--cluster-yes"]);
    await untilAgreed(ports.slice(0, 3));
    await redisCli(["--cluster", "add-node", fourth!.address, first!.address]);
    const nodes = await untilAgreed(ports);
    await untilOk(ports);
    return new Masters(
      servers,
      ports.map((port) => nodes.find((node) => node.port === port)!),
    );
  }

  get source(): Server {
    return this.servers[0]!;
  }

  get target(): Server {
    return this.servers[3]!;
  }

  get ports(): readonly number[] {
    return this.servers.map(({ port }) => port);
  }

  /** Keys with values of so many bytes, the same number in each of the slots. */
  async fill(slots: readonly number[], keysPerSlot: number, valueBytes: number): Promise<void> {
    const tags = tagsFor(slots);
    const owned = this.nodes.map((node) => ownedBy(node));
    for (const [i, { port }] of this.servers.entries()) {
      const here = tags.filter((_, at) => owned[i]!(slots[at]!));
      await feed(port, sets(here, keysPerSlot, valueBytes));
    }
  }

  /** The first slots of the first so many masters, in the shares redis-cli takes from them. */
  slotsToMove(count: number, sources = 3): readonly number[] {
    const owned = this.nodes.slice(0, sources).map(({ slots }) => slots.map(rangeOf));
    const total = owned.flat().reduce((sum, [from, to]) => sum + to - from + 1, 0);
    // More than each gives, by one at most: redis-cli rounds the first share up and the others down.
    return owned.flatMap((ranges) => {
      const size = ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
      const share = Math.ceil((count / total) * size);
      return ranges
        .flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i))
        .slice(0, share);
    });
  }

  /** `redis-cli --cluster reshard` from the first so many masters to the fourth. */
  async move(slots: number, pipeline: number, sources = 3): Promise<void> {
    const from = this.nodes.slice(0, sources).map(({ id }) => id);
    const flags = { from: from.join(","), to: this.nodes[3]!.id, slots, pipeline };
    await redisCli(
      [
        "--cluster",
        "reshard",
        this.source.address,
        ...Object.entries(flags).flatMap(([flag, value]) => [`--cluster-${flag}`, value]),
        "--cluster-yes",
      ],
      { timeoutMs: MOVE_LIMIT_MS },
    );
  }
}

/** Milliseconds of processor time a process has had, of its own and of the system for it. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}

function rangeOf(text: string): readonly [from: number, to: number] {
  const [from, to = from] = text.split("-").map(Number);
  return [from!, to!];
}

function ownedBy({ slots }: NodeLine): (slot: number) => boolean {
  const ranges = slots.map(rangeOf);
  return (slot) => ranges.some(([from, to]) => slot >= from && slot <= to);
}

function* sets(tags: readonly string[], perSlot: number, valueBytes: number): Generator<string[]> {
  for (let i = 0; i < perSlot; i++)
    for (const tag of tags) yield ["SET", `{${tag}}:${i}`, `value ${i} of ${tag} `.padEnd(valueBytes, "v")];
}
