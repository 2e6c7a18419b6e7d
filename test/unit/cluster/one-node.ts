// One machine without a network: what it answers, what it wants done. For tests of single decisions.
import type { ClusterEffect } from "../../../src/cluster/events.ts";
import { createMachine, type ClusterMachine } from "../../../src/cluster/machine.ts";
import { parseNodesConf } from "../../../src/cluster/nodes-conf.ts";
import { DEFAULT_OPTIONS, type ClusterOptions } from "../../../src/cluster/options.ts";
import { parseRequest, type Answer, type ClusterRequest } from "../../../src/cluster/request.ts";
import type { ClusterState } from "../../../src/cluster/state.ts";
import { Random } from "../../support/random.ts";

export const START_MS = 1_700_000_000_000;
export const A = "a".repeat(40);
export const B = "b".repeat(40);
export const C = "c".repeat(40);
export const D = "d".repeat(40);

/** A is us, master of 0-5460; B and C are masters of the rest, D is a replica of B. Linked with nobody. */
export const THREE_MASTERS = [
  `${A} 10.0.0.1:7001@17001 myself,master - 0 0 1 connected 0-5460`,
  `${B} 10.0.0.2:7002@17002,b.example master - 0 0 2 connected 5461-10922`,
  `${C} 10.0.0.3:7003@17003 master - 0 0 3 connected 10923-16383`,
  `${D} 10.0.0.4:7004@17004 slave ${B} 0 0 2 connected`,
  "vars currentEpoch 3 lastVoteEpoch 0",
  "",
].join("\n");

/** D is us, the replica of B. */
export const AS_REPLICA = THREE_MASTERS.replace("myself,master", "master").replace(" slave", " myself,slave");

export class OneNode {
  readonly machine: ClusterMachine;
  /** Number of keys by slot. */
  readonly keys = new Map<number, number>();
  nowMs = START_MS;
  effects: ClusterEffect[] = [];

  constructor(text = "", options: Partial<ClusterOptions> = {}) {
    const random = new Random(1);
    const keyspace = {
      countKeysInSlot: (slot: number) => this.keys.get(slot) ?? 0,
      isEmpty: () => this.keys.size === 0,
    };
    const all = { ...DEFAULT_OPTIONS, port: 7001, busPort: 17_001, ...options };
    this.machine = createMachine(parseNodesConf(text), () => random.unit(), all, keyspace, START_MS);
    this.effects.push(...this.machine.start(START_MS));
  }

  /** As if the last look at the cluster had found it so. */
  declare(ok: boolean): void {
    (this.machine.state as ClusterState).ok = ok;
  }

  get state(): ClusterMachine["state"] {
    return this.machine.state;
  }

  /** CLUSTER as a client would say it. @returns the status, or the error with a minus before it */
  cluster(line: string): string {
    const [subcommand = "", ...args] = line.split(" ");
    const request = parseRequest(subcommand.toLowerCase(), args);
    if (request === undefined) throw new Error(`CLUSTER ${subcommand} changes nothing`);
    return spell("error" in request ? request : this.ask(request));
  }

  ask(request: ClusterRequest): Answer {
    const { answer, effects } = this.machine.ask(request, this.nowMs);
    this.effects.push(...effects);
    return answer;
  }

  /** Lets time pass, tick by tick. */
  wait(forMs: number): void {
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs;) {
      this.nowMs += 100;
      this.effects.push(...this.machine.step({ type: "tick" }, this.nowMs));
    }
  }

  /** Links with everybody known, as if all had answered. */
  linkAll(): void {
    for (const effect of this.effects.splice(0)) {
      if (effect.type !== "connect") continue;
      const event = { type: "linked", link: effect.link, localIp: "10.0.0.1", remoteIp: effect.ip } as const;
      this.effects.push(...this.machine.step(event, this.nowMs));
    }
  }

  take<T extends ClusterEffect["type"]>(type: T): (ClusterEffect & { type: T })[] {
    const taken = this.effects.filter(
      (effect): effect is ClusterEffect & { type: T } => effect.type === type,
    );
    this.effects = this.effects.filter((effect) => effect.type !== type);
    return taken;
  }
}

function spell(answer: Answer): string {
  return "status" in answer ? answer.status : `-${answer.error}`;
}
