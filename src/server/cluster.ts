// The node's part in the cluster: the machine, its bus, nodes.conf, and what the machine decides about requests.
import { Buffer } from "node:buffer";
import { createMachine, type ClusterMachine } from "../cluster/machine.ts";
import { FLAG_MYSELF, type LinkId } from "../cluster/message.ts";
import { isMaster } from "../cluster/node.ts";
import { formatNodesConf, NodesConfError, parseNodesConf, type NodesConf } from "../cluster/nodes-conf.ts";
import type { ClusterOptions, KeyspaceView } from "../cluster/options.ts";
import type { Answer, ClusterRequest } from "../cluster/request.ts";
import { refusalText, route, routeWaiting } from "../cluster/route.ts";
import type { ClusterState, ReplicationFacts } from "../cluster/state.ts";
import type { ClusterFace } from "../commands/context.ts";
import { flagBit } from "../commands/flags.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import { nowMs } from "../io/clock.ts";
import { exists, readText, replaceFile } from "../io/disk.ts";
import { lockFile, type FileLock } from "../io/lock.ts";
import { machineAddresses } from "../io/process.ts";
import { reasonOf } from "../io/reason.ts";
import { randomFraction } from "../io/random.ts";
import { ReplyError } from "../resp/errors.ts";
import type { ClientConnection } from "./client.ts";
import { ClusterBus, type NodeEffect } from "./cluster-bus.ts";
import type { Config } from "./config/config.ts";
import { StartError } from "./start-error.ts";
import type { SlotHolder } from "./pubsub.ts";
import type { SlotAuthority, SlotRequest } from "./router.ts";

/** What the cluster asks of the rest of the node. */
export interface ClusterHost {
  readonly config: Config;
  readonly table: CommandTable;
  readonly memory: Memory;
  readonly keys: Keys;
  /** Absolute path of nodes.conf. */
  readonly nodesFile: string;
  /** False = what is saved is gone with this process anyway. */
  readonly isLasting: boolean;
  replicationFacts(): ReplicationFacts;
  carryOut(effect: Exclude<NodeEffect, { type: "persist" }>): void;
  /** nodes.conf cannot be saved: the node must not go on. */
  fatal(reason: string): void;
}

/** Configuration directives the machine wants to hear of. */
const DIRECTIVES = [
  "cluster-solo",
  "cluster-node-timeout",
  "cluster-announce-ip",
  "cluster-announce-hostname",
  "cluster-announce-port",
  "cluster-announce-bus-port",
  "cluster-preferred-endpoint-type",
  "cluster-migration-barrier",
  "cluster-allow-replica-migration",
  "cluster-require-full-coverage",
  "cluster-replica-validity-factor",
  "cluster-replica-no-failover",
  "cluster-allow-reads-when-down",
  "cluster-allow-pubsubshard-when-down",
  "cluster-link-sendbuf-limit",
  "repl-ping-replica-period",
] as const;

export class Cluster implements ClusterFace, SlotAuthority {
  readonly #machine: ClusterMachine;
  readonly #bus: ClusterBus;
  readonly #lock: FileLock;
  #saveIsDue = false;

  /** Throws StartError when nodes.conf is in use or cannot be understood. */
  constructor(
    private readonly host: ClusterHost,
    private readonly port: number,
    private readonly busPort: number,
  ) {
    const { nodesFile, config, keys } = host;
    this.#lock = lockNodesFile(nodesFile);
    const keyspace: KeyspaceView = {
      countKeysInSlot: (slot) => keys.countInSlot(slot),
      isEmpty: () => keys.size(0) === 0,
    };
    const saved = this.#readSaved();
    this.#machine = createMachine(saved, randomFraction, this.#options(), keyspace, nowMs());
    this.#bus = new ClusterBus(this.#machine, {
      carryOut: (effect) => this.#carryOut(effect),
      beforeTick: () => this.#beforeTick(),
    });
    for (const name of DIRECTIVES) {
      config.onChange(name, () => this.#bus.feed({ type: "configured", options: this.#options() }));
    }
  }

  get state(): Readonly<ClusterState> {
    return this.#machine.state;
  }

  get serveHere(): Uint8Array {
    return this.#machine.serveHere;
  }

  get bus(): ClusterBus {
    return this.#bus;
  }

  listen(hosts: readonly string[]): void {
    this.#bus.listen(hosts, this.busPort);
  }

  start(): void {
    this.#bus.settle(this.#machine.start(nowMs()));
    this.#bus.start();
  }

  /** The data set is in memory. */
  loaded(): void {
    this.#bus.feed({ type: "loaded" });
  }

  /** Whether this node is a master, going by what it remembers. */
  get isMaster(): boolean {
    return isMaster(this.state.myself);
  }

  holderOf(slot: number): SlotHolder {
    const { state } = this;
    const owner = state.slots.owner(slot);
    if (owner === undefined) return "nobody";
    if (owner === state.myself) return "self";
    return owner === state.mastersSeat(state.myself) ? "master" : "other";
  }

  stop(): void {
    this.#bus.stop();
    if (this.#saveIsDue) this.#save();
    this.#lock.release();
  }

  ask(request: ClusterRequest): Answer {
    const { answer, effects } = this.#machine.ask(request, nowMs());
    this.#bus.settle(effects);
    return answer;
  }

  /** How replication stands has changed in a way that cannot wait for the next tick. */
  tellReplication(): void {
    this.#bus.feed({ type: "replication", facts: this.host.replicationFacts() });
  }

  queuedBytes(link: LinkId): number {
    return this.#bus.queuedBytes(link);
  }

  get linksOverLimit(): number {
    return this.#bus.linksOverLimit;
  }

  refusal(
    { slot, isCrossSlot, id, flags, eachKey }: SlotRequest,
    client: ClientConnection,
  ): ReplyError | undefined {
    const { table, keys, memory } = this.host;
    const row = table.rows[id]!;
    const verdict = route(this.#machine.state, {
      slot,
      crossSlot: isCrossSlot,
      multipleKeys: hasDifferentKeys(memory, eachKey),
      write: (flags & flagBit.write) !== 0,
      asking: client.asking || (flags & flagBit.asking) !== 0,
      readonly: client.readsReplica,
      migrate: row.command.name === "migrate",
      shardPubsub: row.group === "pubsub",
      countKeys: () => {
        let present = 0;
        let missing = 0;
        eachKey((key) => (keys.has(key) ? present++ : missing++));
        return { present, missing };
      },
    });
    const text = refusalText(verdict);
    return text === undefined ? undefined : new ReplyError(text);
  }

  /** Why a client that waits for a key of this slot waits for nothing. */
  refusalToWait(slot: number): ReplyError | undefined {
    const text = refusalText(routeWaiting(this.#machine.state, slot));
    return text === undefined ? undefined : new ReplyError(text);
  }

  /** What the last run left; where it cannot be read, the file is free for whoever tries again. */
  #readSaved(): NodesConf {
    try {
      const saved = readNodesFile(this.host.nodesFile);
      return this.host.config.text("cluster-announce-ip") === "" ? withoutForeignIp(saved) : saved;
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  #carryOut(effect: NodeEffect): void {
    if (effect.type !== "persist") this.host.carryOut(effect);
    else if (effect.sync) this.#save();
    else this.#saveIsDue = true;
  }

  #beforeTick(): void {
    if (this.#saveIsDue) this.#save();
    this.tellReplication();
  }

  #save(): void {
    this.#saveIsDue = false;
    try {
      const { nodesFile, isLasting } = this.host;
      replaceFile(nodesFile, formatNodesConf(this.#machine.state as ClusterState), isLasting);
    } catch (error) {
      this.host.fatal(`cannot save ${this.host.nodesFile}: ${reasonOf(error)}`);
    }
  }

  #options(): ClusterOptions {
    const { config } = this.host;
    return {
      port: this.port,
      otherPort: 0,
      busPort: this.busPort,
      announceIp: config.text("cluster-announce-ip"),
      announcePort: config.number("cluster-announce-port"),
      announceOtherPort: 0,
      announceBusPort: config.number("cluster-announce-bus-port"),
      hostname: config.text("cluster-announce-hostname"),
      preferredEndpoint: config.value("cluster-preferred-endpoint-type"),
      nodeTimeoutMs: config.number("cluster-node-timeout"),
      requireFullCoverage: config.flag("cluster-require-full-coverage"),
      migrationBarrier: config.number("cluster-migration-barrier"),
      allowReplicaMigration: config.flag("cluster-allow-replica-migration"),
      validityFactor: config.number("cluster-replica-validity-factor"),
      replicationPingPeriodSec: config.number("repl-ping-replica-period"),
      allowReadsWhenDown: config.flag("cluster-allow-reads-when-down"),
      allowPubsubShardWhenDown: config.flag("cluster-allow-pubsubshard-when-down"),
      noFailover: config.flag("cluster-replica-no-failover"),
      solo: config.flag("cluster-solo"),
    };
  }
}

function hasDifferentKeys(memory: Memory, eachKey: SlotRequest["eachKey"]): boolean {
  let first: Uint8Array | undefined;
  let differ = false;
  eachKey((key) => {
    if (first === undefined) first = memory.copy(key);
    else differ ||= Buffer.compare(first, memory.copy(key)) !== 0;
  });
  return differ;
}

function lockNodesFile(path: string): FileLock {
  let lock: FileLock | undefined;
  try {
    lock = lockFile(`${path}.lock`);
  } catch (error) {
    throw new StartError(`cannot open ${path}.lock: ${reasonOf(error)}`);
  }
  if (lock === undefined) {
    throw new StartError(
      `${path} is in use by another node: give each node its own --dir, or its own --cluster-config-file`,
    );
  }
  return lock;
}

/**
 * Our own address is forgotten where this machine does not have it: it was announced in place of the real one and is
 * no more, or the machine has moved. Peers tell us the one they reach us at.
 */
function withoutForeignIp(saved: NodesConf): NodesConf {
  const here = machineAddresses();
  const nodes = saved.nodes.map((node) =>
    (node.flags & FLAG_MYSELF) === 0 || here.has(node.ip) ? node : { ...node, ip: "" },
  );
  return { ...saved, nodes };
}

function readNodesFile(path: string): NodesConf {
  try {
    if (!exists(path)) return { nodes: [], currentEpoch: 0, lastVoteEpoch: 0 };
    return parseNodesConf(readText(path));
  } catch (error) {
    if (error instanceof NodesConfError) throw new StartError(`${path}, ${error.message}`);
    throw new StartError(`cannot read ${path}: ${reasonOf(error)}`);
  }
}
