// Both ends of a slot's move, as a small cluster of one kind of server: masters `a` and `b` with half of the slots
// each, and their replicas `ra` and `rb` where wanted. The slots that move in tests belong to `a` at first.
import { CommandLink } from "../../../src/server/command-link.ts";
import { join } from "../../../src/server/join.ts";
import type { Scope } from "../../support/cleanup.ts";
import type { Client } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { type Flags, type Server, startRedis, startSubject } from "../../support/servers.ts";
import type { NamedNode } from "./node-text.ts";

export type NodeName = "a" | "b" | "ra" | "rb";

/** Of keys with the hash tag {b}; the slot that most tests move. */
export const SLOT = 3300;

export type Start = (scope: Scope, flags: Flags) => Promise<Server>;

const JOIN_MS = 40_000;
const AGREE_MS = 15_000;

export class Ends {
  /** Of `a` and of `b`, as they were after the reset. */
  #epochs: readonly number[] = [];

  private constructor(
    readonly servers: ReadonlyMap<NodeName, Server>,
    readonly ids: ReadonlyMap<NodeName, string>,
    private readonly links: ReadonlyMap<NodeName, Client>,
  ) {}

  /** @param starts how to start each node; of two kinds, where the cluster is a mixed one */
  static async start(
    scope: Scope,
    starts: Readonly<Partial<Record<NodeName, Start>>>,
    flags: Flags = {},
  ): Promise<Ends> {
    const names = (["a", "b", "ra", "rb"] as const).filter((name) => starts[name] !== undefined);
    const all = { "cluster-enabled": "yes", "cluster-node-timeout": 15_000, "repl-diskless-sync-delay": 0 };
    const started = await Promise.all(names.map((name) => starts[name]!(scope, { ...all, ...flags })));
    const links = await Promise.all(
      started.map(({ port }) => CommandLink.open({ host: "127.0.0.1", port }, 5000)),
    );
    try {
      const replicas = names.length > 2 ? 1 : 0;
      await join(links, { masters: 2, replicas, timeoutMs: JOIN_MS });
      const ids = await Promise.all(links.map((link) => link.text("CLUSTER", "MYID")));
      const clients = await Promise.all(started.map((server) => server.connect()));
      return new Ends(
        new Map(names.map((name, i) => [name, started[i]!])),
        new Map(names.map((name, i) => [name, ids[i]!])),
        new Map(names.map((name, i) => [name, clients[i]!])),
      );
    } finally {
      for (const link of links) link.close();
    }
  }

  /** Two servers that know nothing of each other, outside of cluster mode. */
  static async alone(scope: Scope, starts: readonly [a: Start, b: Start], flags: Flags = {}): Promise<Ends> {
    const [a, b] = await Promise.all(
      starts.map((start) => start(scope, { "cluster-enabled": "no", ...flags })),
    );
    const clients = await Promise.all([a!.connect(), b!.connect()]);
    return new Ends(
      new Map([
        ["a", a!],
        ["b", b!],
      ]),
      new Map(),
      new Map([
        ["a", clients[0]!],
        ["b", clients[1]!],
      ]),
    );
  }

  server(name: NodeName): Server {
    const server = this.servers.get(name);
    if (server === undefined) throw new Error(`there is no node ${name}`);
    return server;
  }

  id(name: NodeName): string {
    return this.ids.get(name)!;
  }

  /** A connection of the harness's own to a node. */
  link(name: NodeName): Client {
    return this.links.get(name)!;
  }

  /** Both are empty. */
  async empty(): Promise<void> {
    for (const name of ["a", "b"] as const) await this.link(name).ok("FLUSHALL");
  }

  /** Nothing is held, no slot is open, and the slots that move are the source's. */
  async reset(slots: readonly number[] = [SLOT]): Promise<void> {
    const masters = [this.link("a"), this.link("b")] as const;
    for (const slot of slots) {
      await Promise.all(masters.map((master) => master.ok("CLUSTER", "SETSLOT", slot, "STABLE")));
    }
    await Promise.all(masters.map((master) => master.ok("FLUSHALL")));
    const [a, b] = masters;
    for (const slot of slots) await this.#takeBack(slot);
    for (const slot of slots) await b.ok("CLUSTER", "SETSLOT", slot, "NODE", this.id("a"));
    await this.untilAgreed();
    await this.untilCaughtUp();
    this.#epochs = await Promise.all(
      [a, b].map(async (link) =>
        Number(/cluster_my_epoch:(\d+)/.exec(await link.text("CLUSTER", "INFO"))?.[1]),
      ),
    );
  }

  /** Opens a slot at both ends, in the order in which redis-cli does. */
  async open(slot = SLOT): Promise<void> {
    await this.link("b").ok("CLUSTER", "SETSLOT", slot, "IMPORTING", this.id("a"));
    await this.link("a").ok("CLUSTER", "SETSLOT", slot, "MIGRATING", this.id("b"));
  }

  /** Gives the slot to the target, in the order in which redis-cli does. */
  async close(slot = SLOT): Promise<void> {
    await this.link("b").ok("CLUSTER", "SETSLOT", slot, "NODE", this.id("b"));
    await this.link("a").ok("CLUSTER", "SETSLOT", slot, "NODE", this.id("b"));
  }

  /** Waits until all nodes tell the same of roles, epochs and slots, open ones left aside. */
  async untilAgreed(): Promise<void> {
    let views: readonly string[] = [];
    const agree = async (): Promise<boolean> => {
      views = await Promise.all(Array.from(this.links.values(), viewOf));
      return new Set(views).size === 1;
    };
    await eventually(agree, AGREE_MS, "all nodes tell the same").catch((reason: unknown) => {
      throw new Error(`${String(reason)}\n${views.join("\n--\n")}`, { cause: reason });
    });
  }

  /** Waits until the replicas have all that their masters have written. */
  async untilCaughtUp(): Promise<void> {
    for (const [replica, master] of [
      ["ra", "a"],
      ["rb", "b"],
    ] as const) {
      if (!this.links.has(replica)) continue;
      const offset = async (name: NodeName, field: string): Promise<number> => {
        const text = await this.link(name).text("INFO", "replication");
        return Number(new RegExp(`^${field}:(\\d+)`, "m").exec(text)?.[1]);
      };
      const wanted = await offset(master, "master_repl_offset");
      const isThere = async (): Promise<boolean> => (await offset(replica, "slave_repl_offset")) >= wanted;
      await eventually(isThere, AGREE_MS, `${replica} reaches offset ${wanted}`);
    }
  }

  /** Epochs as they stand to those the scene began with. How many were used up before is each cluster's own. */
  relativeEpochs(text: string): string {
    const [a, b] = this.#epochs;
    const name = (epoch: number): string => {
      if (epoch === b) return "b's";
      return epoch === a ? "a's" : `a's+${epoch - a!}`;
    };
    return text
      .replaceAll(/\d+(?= (?:dis)?connected)/g, (epoch) => name(Number(epoch)))
      .replaceAll(
        /((?:cluster_current|cluster_my)_epoch:|BUMPED |STILL )(\d+)/g,
        (_, before: string, epoch) => `${before}${name(Number(epoch))}`,
      );
  }

  /** The nodes by name, as what they tell is compared. */
  get named(): readonly (readonly [NodeName, NamedNode])[] {
    return Array.from(this.servers, ([name, { port }]) => [name, { id: this.ids.get(name), port }] as const);
  }

  /**
   * An import that is closed leaves `a` with the greatest epoch and is announced at once, so that its claim holds at
   * nodes that believe something else.
   */
  async #takeBack(slot: number): Promise<void> {
    await this.link("a").pipeline([
      ["MULTI"],
      ["CLUSTER", "DELSLOTS", slot],
      ["CLUSTER", "SETSLOT", slot, "IMPORTING", this.id("b")],
      ["CLUSTER", "SETSLOT", slot, "NODE", this.id("a")],
      ["EXEC"],
    ]);
  }
}

/** Node by node: what CLUSTER NODES tells, without what only one node knows. */
async function viewOf(link: Client): Promise<string> {
  const lines = (await link.text("CLUSTER", "NODES")).trimEnd().split("\n");
  return lines
    .map((line) => {
      const [id, address, flags, master, , , epoch, , ...slots] = line.split(" ");
      const shown = slots.filter((slot) => !slot.startsWith("["));
      return [id, address, flags?.replace("myself,", ""), master, epoch, ...shown].join(" ");
    })
    .toSorted()
    .join("\n");
}

/** A cluster of redis-servers, and one of the servers under judgement. */
export async function startBothEnds(
  scope: Scope,
  options: { readonly replicas?: boolean; readonly flags?: Flags } = {},
): Promise<{ readonly theirs: Ends; readonly ours: Ends }> {
  const [theirs, ours] = await Promise.all(
    [startRedis, startSubject].map((start) => {
      const masters = { a: start, b: start };
      return Ends.start(
        scope,
        options.replicas === true ? { ...masters, ra: start, rb: start } : masters,
        options.flags,
      );
    }),
  );
  return { theirs: theirs!, ours: ours! };
}
