// Clients of a cluster: they remember who owns which slot, follow MOVED and ASK, wait at TRYAGAIN and CLUSTERDOWN.
import { route, type Verdict } from "../../src/cluster/route.ts";
import { isMaster } from "../../src/cluster/node.ts";
import type { Random } from "../support/random.ts";
import type { Version } from "./keys.ts";
import { plainRequest } from "./requests.ts";
import { call, type Script } from "./script.ts";
import type { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

const MAX_REDIRECTIONS = 16;
const RETRY_MS = 20;
/** How often a held write looks whether it may go on. */
const HELD_MS = 5;

export interface Job {
  readonly slot: number;
  /** Several keys are written or read as one request. */
  readonly keys: readonly string[];
  readonly does: "read" | "write" | "delete";
}

export interface Done {
  readonly node: SimNode;
  /** What was read, or is there since. */
  readonly versions: readonly (Version | undefined)[];
}

export class SimClient {
  readonly #owners = new Map<number, SimNode>();
  /** How many requests were answered otherwise than by a redirection. */
  answered = 0;
  /** Requests given up, and why. */
  readonly failures: string[] = [];

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {}

  /** @returns undefined = it failed, or nobody knows */
  *request(job: Job): Script<Done | undefined> {
    let node = this.#owners.get(job.slot) ?? this.random.pick(this.world.nodes);
    let asking = false;
    let last = "";
    for (let n = 0; n < MAX_REDIRECTIONS; n++) {
      const answer: Done | Verdict | undefined = yield* this.#ask(node, job, asking);
      if (answer === undefined) {
        this.#owners.delete(job.slot);
        this.failures.push(`no answer from ${node.name}`);
        return undefined;
      }
      if ("versions" in answer) {
        this.answered++;
        if (!asking) this.#owners.set(job.slot, node);
        return answer;
      }
      last = `${answer.type} by ${node.name}`;
      if (answer.type === "moved" || answer.type === "ask") {
        const { port, host } = answer;
        const next = this.world.nodes.find((other) => other.port === port && other.ip === host);
        if (next === undefined) this.world.fail(`${node.name} sends clients to ${host}:${port}`);
        asking = answer.type === "ask";
        node = next;
        if (!asking) this.#owners.set(job.slot, node);
      } else {
        asking = false;
        node = this.#owners.get(job.slot) ?? this.random.pick(this.world.nodes);
        yield RETRY_MS;
      }
    }
    this.#owners.delete(job.slot);
    this.failures.push(last);
    return undefined;
  }

  /** One try: a write waits while the node holds writes, or sends the key away, and is routed anew afterwards. */
  *#ask(node: SimNode, job: Job, asking: boolean): Script<Done | Verdict | undefined> {
    for (;;) {
      const answer = yield* call(this.world, node, () => this.#arrive(node, job, asking));
      if (answer !== "held") return answer;
      yield HELD_MS;
    }
  }

  #arrive(node: SimNode, job: Job, asking: boolean): Done | Verdict | "held" {
    const { slot, keys, does } = job;
    const { state } = node.machine;
    const verdict = route(state, plainRequest(node, slot, { keys, asking }));
    if (verdict.type !== "here") return verdict;
    if (does === "read") return { node, versions: keys.map((key) => node.keys.get(slot, key)) };
    if (node.writesPaused || keys.some((key) => node.sending.has(key))) return "held";
    if (!isMaster(state.myself)) this.world.fail(`${node.name} is a replica and takes a write`);
    const versions = keys.map((key) => {
      const version = does === "write" ? this.world.ledger.nextVersion() : undefined;
      this.world.ledger.wrote(node, slot, key, version, asking);
      this.world.replication.write(node, { slot, key, version });
      return version;
    });
    return { node, versions };
  }
}

/** A load that goes on: requests for some keys of some slots, one after another. */
export function* load(
  world: World,
  client: SimClient,
  random: Random,
  slots: readonly number[],
  keysPerSlot: number,
  seen?: (job: Job, done: Done) => void,
): Script {
  for (;;) {
    const slot = random.pick(slots);
    const first = random.below(keysPerSlot);
    const keys = [keyName(slot, first)];
    if (random.chance(0.1)) keys.push(keyName(slot, (first + 1) % keysPerSlot));
    const does = random.weighted<Job["does"]>([
      [5, () => "write"],
      [5, () => "read"],
      [1, () => "delete"],
    ]);
    const job: Job = { slot, keys, does };
    const done = yield* client.request(job);
    if (done !== undefined) seen?.(job, done);
    yield random.between(0, 30);
  }
}

export function keyName(slot: number, n: number): string {
  return `{${slot}}${n}`;
}
