// The node's part in the cluster: the machine, its bus, nodes.conf, and what the machine decides about requests.
import { Buffer } from "node:buffer";
import { createMachine, type ClusterMachine } from "../cluster/machine.ts";
import { FLAG_MYSELF, type LinkId } from "../cluster/message.ts";
import { isMaster } from "../cluster/node.ts";
import { formatNodesConf, NodesConfError, parseNodesConf, type NodesConf } from "../cluster/nodes-conf.ts";
import type { ClusterOptions, KeyspaceView } from "../cluster/options.ts";
import { unsaved, type Answer, type ClusterRequest } from "../cluster/request.ts";
import { refusalText, route, routeWaiting } from "../cluster/route.ts";
import type { ClusterState, ReplicationFacts } from "../cluster/state.ts";
import type { ClusterFace } from "../commands/context.ts";
import { flagBit } from "../commands/flags.ts";
import type { CommandTable } from "../commands/table.ts";
import { HOW_PEEK, type Keys } from "../engine/keys.ts";
import type { Memory } from "../engine/memory.ts";
import { nowMs } from "../io/clock.ts";
import { lockFile, type FileLock } from "../io/lock.ts";
import { machineAddresses } from "../io/process.ts";
import { reasonOf } from "../io/reason.ts";
import { randomFraction } from "../io/random.ts";
import { ReplyError } from "../resp/errors.ts";
import type { ClientConnection } from "./client.ts";
import { ClusterBus, type NodeEffect } from "./cluster-bus.ts";
import type { Config } from "./config/config.ts";
import { NodesFile } from "./nodes-file.ts";
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
  carryOut(effect: NodeEffect): void;
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
  "repl-ping-replica-period",
] as const;

/** After nodes.conf could not be saved it is tried again so often, milliseconds. */
const RETRY_MS = 1000;

/** What is in the journal alone is put on disk so long after it was the last time, milliseconds: that holds everybody. */
const REPLACE_MS = 1000;

export class Cluster implements ClusterFace, SlotAuthority {
  readonly #machine: ClusterMachine;
  readonly #bus: ClusterBus;
  readonly #lock: FileLock;
  readonly #file: NodesFile;
  /** The state has moved on from what was saved. */
  #saveIsDue = false;
  #replacedAtMs = 0;
  /** Why nodes.conf could not be saved the last time. */
  #fault: string | undefined;
  #triedAtMs = 0;

  /** Throws StartError when nodes.conf is in use or cannot be understood. */
  constructor(
    private readonly host: ClusterHost,
    private readonly port: number,
    private readonly busPort: number,
  ) {
    const { nodesFile, isLasting, config, keys } = host;
    this.#lock = lockNodesFile(nodesFile);
    this.#file = new NodesFile(nodesFile, isLasting);
    const keyspace: KeyspaceView = {
      countKeysInSlot: (slot) => keys.countInSlot(slot),
      isEmpty: () => keys.size(0) === 0,
    };
    const saved = this.#readSaved();
    this.#machine = createMachine(saved, randomFraction, this.#options(), keyspace, nowMs());
    this.#bus = new ClusterBus(this.#machine, {
      save: (when) => (when === "soon" ? this.#saveSoon() : this.#save(when === "briefly")),
      carryOut: (effect) => host.carryOut(effect),
      beforeTick: () => this.#beforeTick(),
    });
    config.watch("cluster-link-sendbuf-limit", (bytes) => (this.#bus.sendLimitBytes = bytes));
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

  /** Throws StartError when a new node cannot save who it is. */
  start(): void {
    const fault = this.#bus.settle(this.#machine.start(nowMs()));
    if (fault !== undefined) throw new StartError(`cannot save ${this.host.nodesFile}: ${fault}`);
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
    const reason = this.#saveIsDue || this.#file.isBehind ? this.#save() : undefined;
    const text = `Cannot save the cluster configuration file: ${reason}`;
    if (reason !== undefined) this.host.carryOut({ type: "log", level: "warning", text });
    this.#file.close();
    this.#lock.release();
  }

  ask(request: ClusterRequest): Answer {
    // Perhaps there is room again: the client is not to wait for the next try.
    if (this.#fault !== undefined && request.type !== "publish") this.#save();
    const { answer, effects } = this.#machine.ask(request, nowMs());
    const fault = this.#bus.settle(effects);
    return fault === undefined ? answer : unsaved(fault);
  }

  /** Whether nodes.conf holds what it should, as far as is known. */
  get isSaved(): boolean {
    return this.#fault === undefined;
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
        eachKey((key) => (keys.has(key, HOW_PEEK) ? present++ : missing++));
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
      const saved = this.#parseSaved();
      return this.host.config.text("cluster-announce-ip") === "" ? withoutForeignIp(saved) : saved;
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  #parseSaved(): NodesConf {
    const { nodesFile } = this.host;
    try {
      return parseNodesConf(this.#file.read());
    } catch (error) {
      if (error instanceof NodesConfError) throw new StartError(`${nodesFile}, ${error.message}`);
      throw new StartError(`cannot read ${nodesFile}: ${reasonOf(error)}`);
    }
  }

  #beforeTick(): void {
    const reason = this.#saveWhenDue();
    if (reason !== undefined) this.#bus.feed({ type: "saveFailed", reason, ofStep: false });
    this.tellReplication();
  }

  #saveWhenDue(): string | undefined {
    if (!this.#saveIsDue && !this.#file.isBehind) return undefined;
    if (this.#fault !== undefined && nowMs() - this.#triedAtMs < RETRY_MS) return undefined;
    if (nowMs() - this.#replacedAtMs >= REPLACE_MS) return this.#save();
    return this.#saveIsDue ? this.#save(true) : undefined;
  }

  #saveSoon(): undefined {
    this.#saveIsDue = true;
  }

  /** @returns why it could not; what was saved before stands then, and it is tried again */
  #save(isBrief = false): string | undefined {
    this.#triedAtMs = nowMs();
    try {
      const text = formatNodesConf(this.#machine.state as ClusterState);
      if (isBrief) this.#file.note(text);
      else {
        this.#file.replace(text);
        this.#replacedAtMs = this.#triedAtMs;
      }
    } catch (error) {
      this.#saveIsDue = true;
      this.#fault = reasonOf(error);
      return this.#fault;
    }
    this.#saveIsDue = false;
    if (this.#fault === undefined) return undefined;
    this.#fault = undefined;
    this.#bus.feed({ type: "saved" });
    return undefined;
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
