// The node's administration as handlers see it: what CONFIG, CLIENT, INFO, MEMORY and SHUTDOWN ask for.
import type { Administration, MemoryFacts, ShutdownRequest } from "../commands/administration.ts";
import type { Client } from "../commands/context.ts";
import { holdMs, nowUs } from "../io/clock.ts";
import { exists, readByteText, replaceFile, DiskError } from "../io/disk.ts";
import { residentBytes, scriptHeap } from "../io/process.ts";
import { machineBytes } from "../io/usage.ts";
import { bytesOf } from "../resp/byte-text.ts";
import { ReplyError } from "../resp/errors.ts";
import { connectionOf } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { Config } from "./config/config.ts";
import { rewriteConfiguration } from "./config/rewrite.ts";
import { renderInfo } from "./info.ts";
import { NodeFacts } from "./info-facts.ts";
import type { Node } from "./node.ts";
import { Slowlog } from "./slowlog.ts";
import { VERSION } from "./version.ts";

export class Admin implements Administration {
  readonly version = VERSION;
  readonly clients: Clients;
  readonly config: Config;
  readonly slowlog = new Slowlog();
  readonly persistence: Administration["persistence"];
  readonly #facts: NodeFacts;
  readonly #startupBytes: number;

  constructor(private readonly node: Node) {
    const { config, clients, stats } = node;
    this.clients = clients;
    this.config = config;
    this.persistence = node.persistence;
    this.#startupBytes = node.memory.usedBytes;
    this.#facts = new NodeFacts(node, () => this.memoryFacts());
    config.watch("slowlog-log-slower-than", (us) => (this.slowlog.thresholdUs = us));
    config.watch("slowlog-max-len", (count) => (this.slowlog.limit = count));
    config.watch("latency-tracking", (isOn) => (stats.tracksLatency = isOn));
    config.onChange("requirepass", (password) => {
      // Without a password whoever is connected is the default user.
      if (password === "") for (const client of clients.all()) client.authenticated = true;
    });
  }

  get isReplica(): boolean {
    return this.node.replication.isFollowing;
  }

  get expiresActively(): boolean {
    return this.node.cron.activeExpire;
  }

  set expiresActively(isOn: boolean) {
    this.node.cron.activeExpire = isOn;
  }

  microseconds(): number {
    return nowUs();
  }

  info(sections: ReadonlySet<string>): string {
    return renderInfo(this.#facts, sections);
  }

  memoryFacts(): MemoryFacts {
    const { memory, keys, stats, mutations } = this.node;
    let replicaBuffers = this.node.replication.master.copyBytes;
    let clientBuffers = 0;
    for (const client of this.clients.all()) {
      const bytes = client.inputBytes + client.inputFreeBytes + client.outputBytes;
      if (client.kind === "replica") replicaBuffers += bytes;
      else clientBuffers += bytes;
    }
    const engineUsed = memory.usedBytes;
    const backlog = mutations.memoryBytes;
    const clusterLinks = this.node.cluster?.bus.waitingBytes ?? 0;
    const buffers = backlog + replicaBuffers + clientBuffers + clusterLinks;
    return {
      used: engineUsed + buffers,
      peak: stats.peakMemoryBytes,
      startup: this.#startupBytes,
      overhead: this.#startupBytes + buffers,
      resident: residentBytes(),
      scriptHeap: scriptHeap(),
      engineUsed,
      engineActive: memory.activeBytes,
      engineResident: memory.activeBytes + memory.idleBytes,
      engineReserved: memory.bytes.length,
      machine: machineBytes(),
      backlog,
      replicaBuffers,
      clientBuffers,
      clusterLinks,
      waitingObjects: keys.waitingObjects,
      releasedObjects: keys.releasedObjects,
      defragPercent: this.node.cron.defrag.percent,
    };
  }

  purgeMemory(): boolean {
    const { idleMemory } = this.node.cron;
    idleMemory.purge();
    return idleMemory.isPossible;
  }

  latencyOf(id: number): ReturnType<Administration["latencyOf"]> {
    const times = this.node.stats.latency[id];
    return times === undefined || times.count === 0
      ? undefined
      : { calls: times.count, upTo: times.cumulative() };
  }

  resetStatistics(): void {
    const { stats, memory, keys, changes, eviction } = this.node;
    stats.reset(memory.usedBytes);
    keys.forgetLookups();
    keys.forgetReleased();
    this.node.cron.defrag.forget();
    changes.expiredKeys = 0;
    changes.evictedKeys = 0;
    eviction.exceededMs = 0;
  }

  rewriteConfig(): string | undefined {
    const { file } = this.config;
    if (file === undefined) return "The server is running without a config file";
    try {
      const old = exists(file) ? readByteText(file) : "";
      replaceFile(file, bytesOf(rewriteConfiguration(old, this.config)));
      return undefined;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.warn(`CONFIG REWRITE failed: ${error.reason}`);
      return `Rewriting config file: ${error.reason}`;
    }
  }

  pauseClients(what: "all" | "write", untilMs: number): void {
    this.node.pauses.begin("operator", what, untilMs);
  }

  resumeClients(): void {
    this.node.pauses.end("operator");
  }

  unblock(client: Client, how: "timeout" | "error"): boolean {
    const found = this.clients.get(client.id);
    return found !== undefined && this.node.waiting.unblock(found, how);
  }

  shutdown(client: Client, request: ShutdownRequest): string | undefined {
    const { node } = this;
    const connection = connectionOf(client);
    node.log.write("warning", "User requested shutdown...");
    let isAnswered = false;
    let refusal: string | undefined;
    node.ending.ask(request, (answer) => {
      if (!isAnswered) return void ([isAnswered, refusal] = [true, answer]);
      if (answer !== undefined) node.waiting.refuse(connection, new ReplyError(`ERR ${answer}`));
    });
    if (!isAnswered) node.waiting.begin(connection, 0, {});
    isAnswered = true;
    return refusal;
  }

  abortShutdown(): boolean {
    return this.node.ending.abort();
  }

  sleep(ms: number): void {
    holdMs(ms);
  }

  fault(kind: number): never {
    return this.node.memory.fault(kind);
  }

  warn(text: string): void {
    this.node.warn(text);
  }
}
