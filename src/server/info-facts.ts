// What INFO tells of a node, read from it when INFO runs.
import type { MemoryFacts } from "../commands/administration.ts";
import { nowMs, nowUs } from "../io/clock.ts";
import { executable, operatingSystem, processId, processorSeconds, runtime } from "../io/process.ts";
import { randomHex } from "../io/random.ts";
import type { Field, InfoFacts } from "./info.ts";
import type { Node } from "./node.ts";
import { VERSION } from "./version.ts";

export class NodeFacts implements InfoFacts {
  readonly rows;
  readonly config;
  readonly stats;
  readonly nowUs = nowUs;
  readonly process;
  readonly #startedAtMs = nowMs();

  constructor(
    private readonly node: Node,
    readonly memory: () => MemoryFacts,
  ) {
    this.rows = node.table.rows;
    this.config = node.config;
    this.stats = node.stats;
    this.process = {
      version: VERSION,
      runtime,
      operatingSystem: operatingSystem(),
      executable,
      id: processId,
      runId: randomHex(20),
      startedAtMs: this.#startedAtMs,
      get port(): number {
        return node.port;
      },
      cpuSeconds: processorSeconds,
    };
  }

  get pubsub(): InfoFacts["pubsub"] {
    return this.node.pubsub;
  }

  get migration(): InfoFacts["migration"] {
    return this.node.migration;
  }

  get tracking(): InfoFacts["tracking"] {
    return this.node.tracking;
  }

  get clients(): InfoFacts["clients"] {
    let blocked = 0;
    let largestInputBytes = 0;
    let largestOutputBytes = 0;
    for (const client of this.node.clients.all()) {
      if (client.isWaiting) blocked++;
      largestInputBytes = Math.max(largestInputBytes, client.inputBytes);
      largestOutputBytes = Math.max(largestOutputBytes, client.outputBytes);
    }
    const clusterLinkCount = this.node.clusterConnections;
    return {
      connected: this.node.clients.count,
      blocked,
      tracking: this.node.tracking.clientCount,
      largestInputBytes,
      largestOutputBytes,
      clusterLinkCount,
    };
  }

  get isClusterSaved(): boolean | undefined {
    return this.node.cluster?.isSaved;
  }

  get persistence(): InfoFacts["persistence"] {
    const { persistence, changes, replication } = this.node;
    const { lastSaveSeconds, lastSucceeded, lastSeconds, saves, progress, loaded } = persistence;
    return {
      changes: changes.sinceSave,
      lastSaveSeconds,
      lastSucceeded,
      lastSeconds,
      saves,
      progress,
      loaded: loaded ?? { keys: 0, expired: 0 },
      loading: replication.loading,
    };
  }

  get lookups(): InfoFacts["lookups"] {
    const { keys, changes } = this.node;
    return { ...keys.lookups, expired: changes.expiredKeys };
  }

  get eviction(): InfoFacts["eviction"] {
    const { eviction, changes } = this.node;
    const { exceededMs, currentExceededMs } = eviction;
    return { keys: changes.evictedKeys, exceededMs: exceededMs + currentExceededMs, currentExceededMs };
  }

  get defrag(): InfoFacts["defrag"] {
    return this.node.cron.defrag;
  }

  replication(): readonly Field[] {
    return this.node.replication.fields();
  }

  keyspace(): ReturnType<InfoFacts["keyspace"]> {
    const { keys, databaseCount } = this.node;
    return Array.from({ length: databaseCount }, (_, database) => ({
      database,
      keys: keys.size(database),
      expires: keys.expiring(database),
      averageTtlMs: keys.averageTtlMs(database),
    })).filter((line) => line.keys > 0);
  }
}
