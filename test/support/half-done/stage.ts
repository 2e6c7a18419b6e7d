// A cluster that stands at once and is the same whatever servers it is made of: who its nodes are, their slots and their
// epochs are written into their nodes.conf before they start. So what redis-cli prints of two such clusters, and what
// their nodes tell, can be compared as soon as addresses are read as names.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUS_OFFSET } from "../../../src/cluster/options.ts";
import type { Scope } from "../cleanup.ts";
import { Client } from "../client.ts";
import { nodesOf, untilOk, untilReplicating, type NodeLine } from "../cluster.ts";
import { eventually } from "../eventually.ts";
import { freePorts } from "../ports.ts";
import { run } from "../process.ts";
import { startRedis, startSubject, type Server } from "../servers.ts";
import { tempDir } from "../temp.ts";

export type Kind = "redis" | "ours";

/** One node to be: its letter is its name. A replica's master is named, and it has no slots. */
export interface Role {
  readonly name: string;
  readonly kind: Kind;
  readonly slots?: string;
  readonly replicaOf?: string;
}

/** How long the nodes may take to hear of each other, on a busy machine. */
const HEARD_MS = 20_000;

export class StageNode {
  server!: Server;
  client!: Client;

  constructor(
    readonly role: Role,
    readonly id: string,
    readonly port: number,
    readonly dir: string,
    private readonly scope: Scope,
    private readonly timeoutMs: number,
  ) {}

  get name(): string {
    return this.role.name;
  }

  get isRunning(): boolean {
    return this.server.child.isRunning;
  }

  async start(): Promise<void> {
    const config = ["cluster-enabled yes", `cluster-node-timeout ${this.timeoutMs}`];
    const flags = { "repl-diskless-sync-delay": 0, "repl-ping-replica-period": 1 };
    const start = this.role.kind === "redis" ? startRedis : startSubject;
    this.server = await start(this.scope, flags, { port: this.port, dir: this.dir, config });
    this.client = await this.server.connect();
  }

  async kill(): Promise<void> {
    await this.server.stop("SIGKILL");
  }
}

export interface Ran {
  readonly code: number;
  readonly output: string;
}

export class Stage {
  private constructor(readonly nodes: readonly StageNode[]) {}

  /** @param roles masters with the slots they own; their epochs count up from 1 */
  static async start(scope: Scope, roles: readonly Role[], timeoutMs: number): Promise<Stage> {
    const ports = await freePorts(roles.length);
    const nodes = roles.map(
      (role, i) =>
        new StageNode(role, idOf(role, roles), ports[i]!, join(tempDir(scope), role.name), scope, timeoutMs),
    );
    for (const node of nodes) {
      mkdirSync(node.dir);
      writeFileSync(join(node.dir, "nodes.conf"), nodesConf(nodes, node));
    }
    await Promise.all(nodes.map((node) => node.start()));
    const stage = new Stage(nodes);
    await untilOk(ports);
    await untilReplicating(nodes.filter(({ role }) => role.replicaOf !== undefined).map(({ port }) => port));
    return stage;
  }

  node(name: string): StageNode {
    const node = this.nodes.find((each) => each.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  get running(): readonly StageNode[] {
    return this.nodes.filter((node) => node.isRunning);
  }

  /** Addresses, ids and ports read as the nodes' names. */
  named(text: string): string {
    let named = text;
    for (const { name, id, port } of this.nodes) {
      named = named
        .replaceAll(id, name)
        .replaceAll(`127.0.0.1:${port}`, name)
        .replaceAll(`${id.slice(0, 8)}...`, name);
    }
    return named;
  }

  /** `redis-cli --cluster <command>` asked at a node, `yes` said to whatever it asks. */
  async cli(command: string, at: string, ...options: readonly string[]): Promise<Ran> {
    const address = `127.0.0.1:${this.node(at).port}`;
    const words = ["redis-cli", "--cluster", command, address, ...options, "--cluster-yes"];
    // --cluster-yes answers some questions, and not those about slots that nobody owns.
    const { code, output } = await run(words, { stdin: "yes\n".repeat(8) }, 60_000);
    return { code, output: this.named(output) };
  }

  /** Until every node that runs has heard every other one it knows since now; after two rounds what one tells, all know. */
  async untilHeard(rounds = 2): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const sinceMs = Date.now();
      await eventually(
        async () =>
          (await Promise.all(this.running.map((node) => this.#hears(node, sinceMs)))).every(Boolean),
        HEARD_MS,
        "every node hears every other",
      );
    }
  }

  async #hears(node: StageNode, sinceMs: number): Promise<boolean> {
    const lines = (await node.client.text("CLUSTER", "NODES")).trimEnd().split("\n");
    const ports = new Set(this.running.map(({ port }) => port));
    return lines.every((line) => {
      const [, address = "", flags = "", , , pong] = line.split(" ");
      const isPeer = !flags.includes("myself") && ports.has(Number(/:(\d+)@/.exec(address)?.[1]));
      return !isPeer || Number(pong) > sinceMs;
    });
  }

  /** What a node tells of the cluster, without moments and epochs. */
  async viewOf(node: StageNode): Promise<string[]> {
    const lines = await nodesOf(node.port);
    return lines.map((line) => this.named(spell(line))).toSorted();
  }
}

function spell({ id, flags, master, slots }: NodeLine): string {
  return [id, flags.join(","), master, ...slots].join(" ");
}

/** Masters' ids begin with different digits in the order of their epochs; a replica's follows its master's. */
function idOf(role: Role, roles: readonly Role[]): string {
  const masters = roles.filter(({ replicaOf }) => replicaOf === undefined);
  const place = masters.findIndex(({ name }) => name === (role.replicaOf ?? role.name));
  const rank = roles.filter(({ replicaOf }) => replicaOf === role.replicaOf).indexOf(role);
  const head = role.replicaOf === undefined ? `${place + 1}0` : `${place + 1}${rank + 1}`;
  return head.padEnd(40, head);
}

function nodesConf(nodes: readonly StageNode[], self: StageNode): string {
  const masters = nodes.filter(({ role }) => role.replicaOf === undefined);
  const lines = nodes.map((node) => {
    const { role, id, port } = node;
    const master = masters.find(({ name }) => name === (role.replicaOf ?? role.name))!;
    const flags = `${node === self ? "myself," : ""}${master === node ? "master" : "slave"}`;
    const epoch = masters.indexOf(master) + 1;
    const place = `${id} 127.0.0.1:${port}@${port + BUS_OFFSET} ${flags}`;
    return `${place} ${master === node ? "-" : master.id} 0 0 ${epoch} connected ${role.slots ?? ""}`.trimEnd();
  });
  return `${lines.join("\n")}\nvars currentEpoch ${masters.length} lastVoteEpoch 0\n`;
}
