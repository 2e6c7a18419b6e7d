// A cluster of six that grows by a master and its replica and shrinks again, driven by redis-cli alone. Every step
// leaves a table of who is what, as all nodes tell it alike, so that two kinds of clusters can be held to the same.
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Scope } from "./cleanup.ts";
import { type Answer, managed, type Named, statements } from "./cluster-cli.ts";
import { changes, fill, held, type Held } from "./cluster-data.ts";
import { createWithCli, type NodeLine, nodesOf, untilAgreed, untilOk, untilReplicating } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { freePort, freePorts } from "./ports.ts";
import { type Server, startRedis, startSubject } from "./servers.ts";
import { tempDir } from "./temp.ts";

export type Kind = "subject" | "redis";

export interface Step {
  /** Lines of CLUSTER NODES, by name: `8007 master 7 0-1332`, `8008 slave of 8007 7`. */
  readonly table: readonly string[];
  /** What redis-cli said; see `statements`. */
  readonly said: readonly string[];
  /** Keys that are not as they were when the data was written. */
  readonly changes: readonly string[];
}

/** What a deleted node tells of itself. */
export interface Alone {
  /** All it knows: role, epoch and slots. */
  readonly nodes: readonly string[];
  readonly keys: number;
}

/** The names the nodes of the story go by, whatever their ports. */
const FIRST_NAME = 8001;
const SIX = 6;
const KEYS_OF_A_FORM = 60;
const CATCH_UP_MS = 10_000;

const CONFIG = ["cluster-enabled yes", "cluster-node-timeout 5000", "repl-diskless-sync-delay 0"];

export class GrowingCluster {
  readonly #servers = new Map<string, Server>();
  readonly #ids = new Map<string, string>();
  #data: Held | undefined;
  /** Its members now, by name. */
  #members: string[] = [];

  /** @param kinds what each of the eight nodes is */
  constructor(
    private readonly scope: Scope,
    private readonly kinds: readonly Kind[],
  ) {}

  address(name: string): string {
    return this.server(name).address;
  }

  server(name: string): Server {
    const server = this.#servers.get(name);
    if (server === undefined) throw new Error(`there is no node ${name}`);
    return server;
  }

  id(name: string): string {
    const id = this.#ids.get(name);
    if (id === undefined) throw new Error(`node ${name} has not been seen in the cluster`);
    return id;
  }

  get ports(): number[] {
    return this.#members.map((name) => this.server(name).port);
  }

  /** Six nodes, of which redis-cli makes a cluster; it serves and its replicas are in step. */
  async create(): Promise<Step> {
    const names = Array.from({ length: SIX }, (_, i) => String(FIRST_NAME + i));
    const ports = await freePorts(SIX);
    await Promise.all(names.map((name, i) => this.#start(name, tempDir(this.scope), ports[i] ?? 0, CONFIG)));
    this.#members = names;
    const output = await createWithCli(
      names.map((name) => this.server(name)),
      1,
    );
    const nodes = await untilAgreed(this.ports);
    await untilOk(this.ports);
    this.#nameReplicas(nodes);
    await this.#untilCopied(nodes);
    return this.#step(output, nodes);
  }

  async write(): Promise<void> {
    await fill(this.server("8006").port, KEYS_OF_A_FORM);
    this.#data = await held(await this.#masters());
  }

  get keyCount(): number {
    return this.#data?.digests.size ?? 0;
  }

  /** A node made as the story makes it: the directory of 8001 copied, what makes it 8001 deleted, another port. */
  async startCopy(name: string): Promise<void> {
    const dir = tempDir(this.scope);
    cpSync(this.server("8001").dir, dir, { recursive: true });
    for (const own of ["nodes.conf", "dump.rdb"]) rmSync(join(dir, own), { force: true });
    const config = readFileSync(join(dir, "server.conf"), "utf8").trimEnd().split("\n");
    await this.#start(name, dir, await freePort(), config);
  }

  /** Runs redis-cli; the cluster has the given members afterwards. */
  async run(
    args: readonly (string | number)[],
    members: readonly string[],
    answers: readonly Answer[] = [],
  ): Promise<Step> {
    const output = await managed(this.scope, args, { answers });
    this.#members = [...members];
    const nodes = await untilAgreed(this.ports);
    await untilOk(this.ports); // one that has just joined takes nothing yet
    await this.#untilCopied(nodes);
    return this.#step(output, nodes);
  }

  /** A node that is in no cluster any more. */
  async alone(name: string): Promise<Alone> {
    const { port } = this.server(name);
    const nodes = (await nodesOf(port)).map(({ flags, configEpoch, slots }) =>
      [flags.join(), configEpoch, ...slots].join(" "),
    );
    return { nodes, keys: (await held([port])).digests.size };
  }

  /** What the replicas hold that is not what was written, once they have had time to catch up. */
  async copiesChanged(): Promise<string[]> {
    const replicas = (await nodesOf(this.ports[0] ?? 0)).filter(({ flags }) => flags.includes("slave"));
    let found: string[] = [];
    const areEqual = async (): Promise<boolean> => {
      found = await this.#changes(replicas.map(({ port }) => port));
      return found.length === 0;
    };
    await eventually(areEqual, CATCH_UP_MS, "replicas hold what was written").catch(() => {});
    return found;
  }

  async #start(name: string, dir: string, port: number, config: readonly string[]): Promise<void> {
    const kind = this.kinds[Number(name) - FIRST_NAME];
    const start = kind === "redis" ? startRedis : startSubject;
    this.#servers.set(name, await start(this.scope, {}, { port, dir, config }));
  }

  /** redis-cli draws lots who copies whom; the story's 8004 copies 8001, 8005 copies 8002, 8006 copies 8003. */
  #nameReplicas(nodes: readonly NodeLine[]): void {
    const servers = new Map(Array.from(this.#servers.values(), (server) => [server.port, server]));
    for (let i = 0; i < SIX / 2; i++) {
      const master = nodes.find(({ port }) => port === this.server(String(FIRST_NAME + i)).port);
      const replica = servers.get(nodes.find((node) => node.master === master?.id)?.port ?? 0);
      if (replica === undefined) throw new Error(`master ${FIRST_NAME + i} has no replica`);
      this.#servers.set(String(FIRST_NAME + SIX / 2 + i), replica);
    }
  }

  async #masters(): Promise<number[]> {
    const nodes = await nodesOf(this.ports[0] ?? 0);
    return nodes.filter(({ flags }) => flags.includes("master")).map(({ port }) => port);
  }

  async #untilCopied(nodes: readonly NodeLine[]): Promise<void> {
    await untilReplicating(nodes.filter(({ flags }) => flags.includes("slave")).map(({ port }) => port));
  }

  async #changes(ports: readonly number[]): Promise<string[]> {
    return this.#data === undefined ? [] : changes(this.#data, await held(ports));
  }

  async #step(output: string, nodes: readonly NodeLine[]): Promise<Step> {
    const names = new Map([...this.#servers].map(([name, { port }]) => [port, name]));
    for (const { port, id } of nodes) this.#ids.set(names.get(port) ?? "", id);
    const nameOf = new Map(Array.from(this.#ids, ([name, id]) => [id, name]));
    const table = nodes.map(({ port, flags, master, configEpoch, slots }) => {
      const role = master === "-" ? flags.join() : `${flags.join()} of ${nameOf.get(master)}`;
      return [names.get(port), role, configEpoch, ...slots].join(" ");
    });
    const named = Array.from(this.#servers, ([name, { port }]): Named => {
      const id = this.#ids.get(name);
      return id === undefined ? { name, port } : { name, port, id };
    });
    return {
      table: table.toSorted(),
      said: statements(output, named),
      changes: await this.#changes(await this.#masters()),
    };
  }
}
