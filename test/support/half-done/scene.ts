// One slot of a staged cluster and the keys of it, put where a half-done move would have left them.
import type { Client } from "../client.ts";
import { nodesOf, type NodeLine, untilOk, viewOf } from "../cluster.ts";
import { eventually } from "../eventually.ts";
import type { Argument } from "../resp.ts";
import type { Stage, StageNode } from "./stage.ts";

const MEET_MS = 20_000;
const HEARD_MS = 20_000;
const EMPTY_MS = 10_000;

/** What a slot can be set to; each is one CLUSTER SETSLOT. */
type Setting = "MIGRATING" | "IMPORTING" | "NODE";

export class Scene {
  constructor(
    readonly stage: Stage,
    readonly slot: number,
    /** The hash tag of all its keys. */
    readonly tag: string,
  ) {}

  /** SETSLOT at a node, to another node. */
  async set(at: string, setting: Setting, to: string): Promise<void> {
    const { client } = this.stage.node(at);
    await client.ok("CLUSTER", "SETSLOT", this.slot, setting, this.stage.node(to).id);
  }

  /** Both states of a move, in the order redis-cli sets them. */
  async open(source: string, target: string): Promise<void> {
    await this.set(target, "IMPORTING", source);
    await this.set(source, "MIGRATING", target);
  }

  key(suffix: string): string {
    return `{${this.tag}}:${suffix}`;
  }

  /** Writes a key of every type at the owner. */
  async fill(at: string): Promise<void> {
    await this.run(at, ...this.samples());
  }

  /** Suffixes of what `fill` writes. */
  static readonly SAMPLES = ["string", "number", "list", "set", "ints", "hash", "zset", "expiring"];

  samples(): Argument[][] {
    return [
      ["SET", this.key("string"), `value of ${this.tag}`],
      ["SET", this.key("number"), 1234],
      ["RPUSH", this.key("list"), "a", "b", "a"],
      ["SADD", this.key("set"), "x", "y", "z"],
      ["SADD", this.key("ints"), 1, 2, 300],
      ["HSET", this.key("hash"), "f", "1", "g", "2"],
      ["ZADD", this.key("zset"), 1.5, "one", -2, "two"],
      ["SET", this.key("expiring"), "later", "EX", 3600],
    ];
  }

  async run(at: string, ...commands: readonly (readonly Argument[])[]): Promise<void> {
    await insist(this.stage.node(at).client, commands);
  }

  /** Writes what a node that only imports the slot would have written for a client that was sent to it. */
  async runAsking(at: string, ...commands: readonly (readonly Argument[])[]): Promise<void> {
    await insist(
      this.stage.node(at).client,
      commands.flatMap((command) => [["ASKING"], command]),
    );
  }

  /** Moves keys as MIGRATE does: written at the target, then deleted at the source. Both ends must be open. */
  async carry(from: string, to: string, suffixes: readonly string[] = Scene.SAMPLES): Promise<void> {
    await this.copy(from, to, suffixes);
    for (const suffix of suffixes) await this.runAsking(from, ["DEL", this.key(suffix)]);
  }

  /** The half of it: written at the target, and the source never learned. */
  async copy(from: string, to: string, suffixes: readonly string[] = Scene.SAMPLES): Promise<void> {
    const [source, target] = [this.stage.node(from).client, this.stage.node(to).client];
    for (const suffix of suffixes) {
      const key = this.key(suffix);
      const asked = [["ASKING"], ["PTTL", key], ["ASKING"], ["DUMP", key]];
      const [, left, , dumped] = (await source.pipeline(asked)).map(({ value }) => value);
      if (dumped?.kind !== "bulk" || left?.kind !== "integer") throw new Error(`no ${key} at ${from}`);
      const ttl = Math.max(0, Number(left.text));
      await insist(target, [["RESTORE-ASKING", key, ttl, dumped.bytes, "REPLACE"]]);
    }
  }

  /** As `copy`, to a node that does not import the slot and does not own it. */
  async plant(from: string, to: string, suffixes?: readonly string[]): Promise<void> {
    await this.set(to, "IMPORTING", from);
    await this.copy(from, to, suffixes);
    await this.stable(to);
  }

  async stable(at: string): Promise<void> {
    await this.stage.node(at).client.ok("CLUSTER", "SETSLOT", this.slot, "STABLE");
  }

  /** Until every node takes this one for the owner of the slot. */
  async untilOwner(name: string): Promise<void> {
    const { stage, slot } = this;
    const isOwner = async (): Promise<boolean> => {
      const views = await Promise.all(stage.running.map(({ port }) => nodesOf(port)));
      if (views.every((lines) => ownerIn(lines, slot)?.id === stage.node(name).id)) return true;
      throw new Error(stage.named(views.map(viewOf).join("\n--\n"))); // said if it stays so
    };
    await eventually(isOwner, HEARD_MS, `${name} owns slot ${slot} everywhere`);
  }

  /** Until a node has no key of the slot any more. */
  async untilEmpty(at: string): Promise<void> {
    const { client } = this.stage.node(at);
    const isEmpty = async (): Promise<boolean> =>
      (await client.ask("CLUSTER", "COUNTKEYSINSLOT", this.slot)) === 0;
    await eventually(isEmpty, EMPTY_MS, `${at} has no key of slot ${this.slot}`);
  }

  /**
   * CLUSTER FORGET at one node: it hears nothing more of the other, and takes the slots of that one for nobody's. It is
   * to serve nevertheless.
   */
  async forget(at: string, whom: string): Promise<void> {
    const { client } = this.stage.node(at);
    await client.ok("CONFIG", "SET", "cluster-require-full-coverage", "no");
    await client.ok("CLUSTER", "FORGET", this.stage.node(whom).id);
  }

  /** Undoes `forget`. */
  async meet(at: string, whom: string): Promise<void> {
    const { client } = this.stage.node(at);
    const { id, port } = this.stage.node(whom);
    await client.ok("CLUSTER", "MEET", "127.0.0.1", port);
    const known = async (): Promise<boolean> => {
      const lines = (await client.text("CLUSTER", "NODES")).split("\n");
      return lines.some((line) => line.startsWith(id) && line.includes(" connected"));
    };
    await eventually(known, MEET_MS, `${at} knows ${whom} again`);
    await client.ok("CONFIG", "SET", "cluster-require-full-coverage", "yes");
    await this.stage.untilHeard();
  }

  /** Saved, killed and started again: it comes back with its keys and what nodes.conf says. */
  async restart(name: string): Promise<void> {
    const node = this.stage.node(name);
    await node.client.ok("SAVE");
    await node.kill();
    await node.start();
    await untilOk(this.stage.running.map(({ port }) => port));
  }

  /** Where the keys of the slot are, and their values: `suffix` -> `name:digest …`, replicas left out. */
  async places(): Promise<Record<string, string>> {
    const found: Record<string, string[]> = {};
    for (const node of this.stage.running) {
      if (await isReplica(node)) continue;
      const keys = (await node.client.ask("CLUSTER", "GETKEYSINSLOT", this.slot, 1000)) as string[];
      if (keys.length === 0) continue;
      const digests = (await node.client.ask("DEBUG", "DIGEST-VALUE", ...keys)) as string[];
      for (const [i, key] of keys.entries()) (found[key] ??= []).push(`${node.name}:${digests[i]}`);
    }
    return Object.fromEntries(
      Object.entries(found).map(([key, places]) => [key.slice(this.tag.length + 3), places.join(" ")]),
    );
  }
}

/** The node that owns a slot, going by what one node tells. */
export function ownerIn(lines: readonly NodeLine[], slot: number): NodeLine | undefined {
  return lines.find(({ slots }) => slots.some((range) => covers(range, slot)));
}

function covers(range: string, slot: number): boolean {
  const [, start, end] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  return start !== undefined && Number(start) <= slot && slot <= Number(end ?? start);
}

async function isReplica({ client }: StageNode): Promise<boolean> {
  return ((await client.ask("ROLE")) as string[])[0] === "slave";
}

/** Sends commands in one write; an error reply is a failure. */
async function insist(client: Client, commands: readonly (readonly Argument[])[]): Promise<void> {
  const replies = await client.pipeline(commands);
  for (const [i, { value }] of replies.entries()) {
    if (value.kind === "error") throw new Error(`${commands[i]!.slice(0, 2).join(" ")}: ${value.text}`);
  }
}
