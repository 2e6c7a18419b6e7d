// A node killed in the middle of a reshard: real nodes, redis-cli at work, clients that check what they read, kill -9 at a
// moment drawn by seed. What must hold afterwards is the same for redis-server and for ours.
//
// Three masters with a replica each. redis-cli moves slots full of the load's keys from one master to another; one of
// the two is killed. Then
// 1. the load stands still, and what each living node holds is read from an RDB file of its own;
// 2. the dead node's replica takes its place;
// 3. `redis-cli --cluster fix` runs until `--cluster check` is content;
// 4. every key is as new as the newest copy a living node held, in one place alone, and can be read and written;
// 5. the dead node comes back from its directory, and nothing of that changes.
import { expect } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { Scope } from "./cleanup.ts";
import { Client } from "./client.ts";
import { type Copies, ClusterLoad } from "./cluster-load.ts";
import { createWithCli, type NodeLine, nodesOf, untilAgreed, untilOk, untilReplicating } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./ports.ts";
import { type Child, run, spawn } from "./process.ts";
import { type Random } from "./random.ts";
import { type Flags, type Server, startOurs, startRedis } from "./servers.ts";
import { tempDir } from "./temp.ts";

export type Victim = "source" | "target";

export interface Killed {
  /** How often `fix` ran before `check` was content. */
  readonly fixes: number;
  /** Keys at the target when the node was killed, of those that were to move. */
  readonly arrived: number;
  /** Acknowledged writes nobody living held. */
  readonly forgone: number;
  readonly failoverMs: number;
}

const SLOTS = 40;
const KEYS_PER_CLIENT = 512;
/** Few keys a MIGRATE, so that the move takes long enough to be hit anywhere. */
const PIPELINE = 3;
/** How long the nodes may take to hear of a change. */
const AGREE_MS = 20_000;
const FIXES_LIMIT = 12;
const LIMIT_MS = 40_000;
/** Characters of each node's log that a failure shows. */
const LOG_LENGTH = 1500;
const FLAGS: Flags = {
  "cluster-enabled": "yes",
  "cluster-node-timeout": 1500,
  "repl-diskless-sync-delay": 0,
};

export class Reshards {
  readonly #servers: Server[] = [];
  #load!: ClusterLoad;
  /** What happened, for whoever reads of a failure. */
  #notes: string[] = [];

  private constructor(
    private readonly scope: Scope,
    private readonly start: typeof startOurs,
    private readonly random: Random,
  ) {}

  /** Six nodes in agreement, with the load at work. */
  static async begin(scope: Scope, start: typeof startOurs, random: Random): Promise<Reshards> {
    const reshards = new Reshards(scope, start, random);
    await reshards.#begin();
    return reshards;
  }

  async #begin(): Promise<void> {
    const ports = await freePorts(6);
    this.#servers.push(...(await Promise.all(ports.map((port) => this.start(this.scope, FLAGS, { port })))));
    await createWithCli(this.#servers, 1);
    await this.#untilWhole();
    const slots = Array.from({ length: SLOTS }, (_, slot) => slot);
    const settings = { slots, keysPerClient: KEYS_PER_CLIENT, nodesMayDie: true };
    this.#load = new ClusterLoad({ ports, ...settings, seed: this.random.below(2 ** 31) });
    this.scope.defer(() => this.#load.close());
    await this.#load.start();
  }

  /** One reshard and one death; the cluster is whole again when it is done. */
  async kill(victim: Victim): Promise<Killed> {
    const scope = new Scope();
    this.#notes = [`the ${victim} is killed`];
    try {
      return await this.#kill(scope, victim);
    } catch (error) {
      const logs = this.#servers.map(({ port, child }) => `-- ${port}\n${child.output.slice(-LOG_LENGTH)}`);
      throw new Error([String(error), ...this.#notes, ...logs].join("\n"), { cause: error });
    } finally {
      await scope.close();
    }
  }

  /** Ends the load; throws when it saw anything that must not be. */
  async end(): Promise<void> {
    const report = await this.#load.stop();
    expect(report).toMatchObject({ errors: 0, errorTexts: {}, lost: 0, stale: 0, wrong: 0, findings: [] });
  }

  async #kill(scope: Scope, victim: Victim): Promise<Killed> {
    const nodes = await this.#untilWhole();
    await this.#checkAgreed(nodes.find(isMaster)!.port); // or redis-cli moves nothing
    const masters = nodes.filter(isMaster);
    // Whoever has most of the slots full of keys; they are its lowest, and so the first that redis-cli takes.
    const source = masters.toSorted((a, b) => fullSlots(b) - fullSlots(a))[0]!;
    const target = this.random.pick(masters.filter((node) => node !== source));
    const dying = victim === "source" ? source : target;
    const heir = nodes.find((node) => node.master === dying.id)!;

    const moving = await keysInFullSlots(source.port);
    const flags = { from: source.id, to: target.id, slots: fullSlots(source), pipeline: PIPELINE };
    const reshard = spawn(scope, [
      "redis-cli",
      "--cluster",
      "reshard",
      `127.0.0.1:${source.port}`,
      "--cluster-yes",
      ...Object.entries(flags).flatMap(([flag, value]) => [`--cluster-${flag}`, String(value)]),
    ]);
    const arrived = await this.#untilMoment(target.port, moving, reshard);
    const server = this.#servers.find(({ port }) => port === dying.port)!;
    await server.stop("SIGKILL");
    const diedAtMs = performance.now();
    await this.#load.hold();
    await reshard.exited;
    this.#notes.push(
      `${source.port} gave to ${target.port}, of which ${arrived} of ${moving} keys had come; the heir is ${heir.port}`,
      reshard.output.slice(-500),
    );

    const living = nodes.filter(({ port }) => port !== dying.port).map(({ port }) => port);
    const others = masters.filter((node) => node !== dying).map(({ port }) => port);
    const copies: Copies[] = [];
    let failoverMs = 0;
    const takesOver = async (): Promise<boolean> => {
      if (!isMaster(await lineOf(heir.port, heir.id))) return false;
      failoverMs = performance.now() - diedAtMs;
      return true;
    };
    const readCopies = async (): Promise<void> => {
      for (const port of [heir.port, ...others]) copies.push(await this.#copiesOf(scope, port));
    };
    await Promise.all([eventually(takesOver, LIMIT_MS, "the heir took over"), readCopies()]);
    const fixes = await this.#fix(heir.port);
    await untilOk(living);
    const forgone = await this.#load.settle(copies);
    this.#expectClean();
    const places = await this.#places([heir.port, ...others]);

    const back = await this.start(this.scope, FLAGS, { port: server.port, dir: server.dir });
    this.#servers[this.#servers.indexOf(server)] = back;
    await this.#untilWhole();
    expect(await this.#places([heir.port, ...others])).toEqual(places);
    await this.#load.settle();
    this.#expectClean();
    this.#load.beginAnew();
    this.#load.resume();
    await eventually(() => this.#load.report.requests > 200, LIMIT_MS, "the load goes on");
    return { fixes, arrived, forgone, failoverMs };
  }

  /** A moment within the move: so many keys have come to the target. */
  async #untilMoment(port: number, moving: number, reshard: Child): Promise<number> {
    const client = await Client.open(port);
    try {
      const before = Number(await client.ask("DBSIZE"));
      const wanted = this.random.below(moving);
      for (;;) {
        const arrived = Number(await client.ask("DBSIZE")) - before;
        if (arrived >= wanted) return arrived;
        if (!reshard.isRunning)
          throw new Error(`the reshard ended by itself:\n${reshard.output.slice(-2000)}`);
      }
    } finally {
      client.close();
    }
  }

  async #copiesOf(scope: Scope, port: number): Promise<Copies> {
    const { dir } = this.#servers.find((server) => server.port === port)!;
    const client = await Client.open(port);
    await client.ok("SAVE");
    client.close();
    const copy = tempDir(scope);
    copyFileSync(join(dir, "dump.rdb"), join(copy, "dump.rdb"));
    const reader = await startRedis(scope, {}, { dir: copy });
    try {
      return await this.#load.copiesAt(reader.port);
    } finally {
      await reader.stop("SIGKILL");
    }
  }

  /** As an operator would: again until nothing is left to be mended. */
  async #fix(port: number): Promise<number> {
    let replace: readonly string[] = [];
    for (let fixes = 0; fixes < FIXES_LIMIT; fixes++) {
      const check = await this.#checkAgreed(port);
      if (check.code === 0) return fixes;
      const command = ["redis-cli", "--cluster", "fix", `127.0.0.1:${port}`, "--cluster-yes"];
      const flags = ["--cluster-fix-with-unreachable-masters", ...replace];
      const { output } = await run([...command, ...flags], {}, LIMIT_MS);
      this.#notes.push(output);
      // A key stands at both ends and was written since it was copied: the owner's is the one that counts.
      if (output.includes("--cluster-replace")) replace = ["--cluster-replace"];
    }
    throw new Error(`not mended after ${FIXES_LIMIT} times`);
  }

  /** Looks once what the last fix changed has been heard by all: it is told with heartbeats. */
  async #checkAgreed(port: number): Promise<{ code: number | null; output: string }> {
    return eventually(
      async () => {
        const check = await run(["redis-cli", "--cluster", "check", `127.0.0.1:${port}`], {}, LIMIT_MS);
        this.#notes.push(check.output);
        return check.output.includes("Nodes don't agree") ? undefined : check;
      },
      AGREE_MS,
      "the nodes agree",
    );
  }

  /** By master, the names of the load it holds; each of them stands in one place. */
  async #places(ports: readonly number[]): Promise<ReadonlyMap<string, number>> {
    const places = new Map<string, number>();
    const twice: string[] = [];
    for (const port of ports) {
      const client = await Client.open(port);
      for (let cursor = "0", isFirst = true; isFirst || cursor !== "0"; isFirst = false) {
        const [next, names] = (await client.ask("SCAN", cursor, "COUNT", 1000)) as [string, string[]];
        for (const name of names) {
          if (places.has(name) && places.get(name) !== port) twice.push(name);
          places.set(name, port);
        }
        cursor = next;
      }
      client.close();
    }
    expect(twice).toEqual([]);
    return places;
  }

  #expectClean(): void {
    const { errors, errorTexts, lost, stale, wrong, findings } = this.#load.report;
    expect({ errors, errorTexts, lost, stale, wrong, findings }).toEqual({
      errors: 0,
      errorTexts: {},
      lost: 0,
      stale: 0,
      wrong: 0,
      findings: [],
    });
  }

  async #untilWhole(): Promise<readonly NodeLine[]> {
    const ports = this.#servers.map(({ port }) => port);
    await untilAgreed(ports);
    await untilOk(ports);
    const nodes = await untilAgreed(ports);
    await untilReplicating(nodes.filter((node) => !isMaster(node)).map(({ port }) => port));
    return nodes;
  }
}

const isMaster = (node: NodeLine): boolean => node.flags.includes("master");

/** How many of the slots full of keys a node owns. */
function fullSlots({ slots }: NodeLine): number {
  return slots.reduce((sum, text) => {
    const [from = 0, to = from] = text.split("-").map(Number);
    return sum + Math.max(0, Math.min(to + 1, SLOTS) - from);
  }, 0);
}

async function keysInFullSlots(port: number): Promise<number> {
  const client = await Client.open(port);
  let sum = 0;
  for (let slot = 0; slot < SLOTS; slot++)
    sum += Number(await client.ask("CLUSTER", "COUNTKEYSINSLOT", slot));
  client.close();
  return sum;
}

async function lineOf(port: number, id: string): Promise<NodeLine> {
  return (await nodesOf(port)).find((node) => node.id === id)!;
}
