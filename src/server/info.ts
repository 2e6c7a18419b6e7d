// INFO: what the node knows of itself, in sections of `field:value` lines. Names and order are Redis 7.0's, so that
// tools read it; what Redis counts and this server does not have at all (forks, modules, scripts) is truly zero.
import type { MemoryFacts } from "../commands/administration.ts";
import type { Row } from "../commands/table.ts";
import { REDIS_VERSION } from "../resp/compatibility.ts";
import type { Config } from "./config/config.ts";
import type { Stats } from "./stats.ts";

export type Field = readonly [name: string, value: string | number];

/** The data on disk. */
export interface PersistenceFacts {
  /** Since the last save. */
  readonly changes: number;
  readonly lastSaveSeconds: number;
  readonly lastSucceeded: boolean;
  /** Of the last background save; -1 = there was none. */
  readonly lastSeconds: number;
  readonly saves: number;
  /** The background save under way. */
  readonly progress:
    { readonly seconds: number; readonly keysDone: number; readonly keysTotal: number } | undefined;
  /** What the start found on disk. */
  readonly loaded: { readonly keys: number; readonly expired: number };
  /** A copy of a master's data that is being loaded. */
  readonly loading:
    | { readonly sinceMs: number; readonly loadedBytes: number; readonly totalBytes: number | undefined }
    | undefined;
}

/** What INFO asks the node. Each is read when INFO runs. */
export interface InfoFacts {
  readonly config: Config;
  readonly stats: Stats;
  readonly rows: readonly Row[];
  readonly process: {
    readonly version: string;
    readonly runtime: string;
    readonly operatingSystem: string;
    readonly executable: string;
    readonly id: number;
    readonly runId: string;
    readonly startedAtMs: number;
    readonly port: number;
    cpuSeconds(): { readonly user: number; readonly system: number };
  };
  readonly clients: {
    readonly connected: number;
    readonly blocked: number;
    readonly tracking: number;
    readonly largestInputBytes: number;
    readonly largestOutputBytes: number;
    readonly clusterLinkCount: number;
  };
  /** Whether nodes.conf could be saved the last time; undefined = cluster mode is off. */
  readonly isClusterSaved: boolean | undefined;
  /** What is kept for clients that track keys. */
  readonly pubsub: {
    readonly channelCount: number;
    readonly patternCount: number;
    readonly shardChannelCount: number;
  };
  readonly migration: { readonly cachedLinkCount: number };
  readonly tracking: { readonly keyCount: number; readonly itemCount: number; readonly prefixCount: number };
  memory(): MemoryFacts;
  readonly persistence: PersistenceFacts;
  /** Keys looked for and found or not, and found expired, since CONFIG RESETSTAT. */
  readonly lookups: { readonly hits: number; readonly misses: number; readonly expired: number };
  /** Keys evicted since then, and how long memory was above its ceiling, in all and by now. */
  readonly eviction: {
    readonly keys: number;
    readonly exceededMs: number;
    readonly currentExceededMs: number;
  };
  /** Blocks moved since then to empty pages, and the time that took. */
  readonly defrag: { readonly movedBlocks: number; readonly totalMs: number };
  /** Lines of the replication section, from whoever replicates. */
  replication(): readonly Field[];
  /** By database number, those that hold keys. */
  keyspace(): readonly { database: number; keys: number; expires: number; averageTtlMs: number }[];
  nowUs(): number;
}

/** `1.5M`, as INFO's `_human` lines write bytes. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let unit = 0;
  let size = bytes / 1024;
  while (size >= 1024 && unit < 4) {
    size /= 1024;
    unit++;
  }
  return `${size.toFixed(2)}${"KMGTP"[unit]}`;
}

const percent = (part: number, whole: number): string =>
  `${whole === 0 ? "0.00" : ((part / whole) * 100).toFixed(2)}%`;
const ratio = (part: number, whole: number): string => (whole === 0 ? 0 : part / whole).toFixed(2);

const SECTIONS: Readonly<Record<string, (facts: InfoFacts) => readonly Field[]>> = {
  Server: serverSection,
  Clients: clientsSection,
  Memory: memorySection,
  Persistence: persistenceSection,
  Stats: (facts) => [...trafficLines(facts), ...keyspaceLines(facts), ...errorLines(facts)],
  Replication: (facts) => facts.replication(),
  CPU: cpuSection,
  Modules: () => [],
  Commandstats: commandSection,
  Errorstats: ({ stats }) =>
    Array.from(stats.errors, ([code, count]) => [`errorstat_${code}`, `count=${count}`]),
  Latencystats: latencySection,
  Cluster: ({ config, isClusterSaved }) => [
    ["cluster_enabled", config.flag("cluster-enabled") ? 1 : 0],
    ...(isClusterSaved === undefined
      ? []
      : [["cluster_config_last_write_status", isClusterSaved ? "ok" : "err"] as const]),
  ],
  Keyspace: keyspaceSection,
};

/** Left out unless asked for. */
const NOT_BY_DEFAULT = new Set(["Commandstats", "Latencystats"]);

/** @param asked section names in lower case; none = the default ones */
export function renderInfo(facts: InfoFacts, asked: ReadonlySet<string>): string {
  const all = asked.has("all") || asked.has("everything");
  const byDefault = asked.size === 0 || asked.has("default");
  const wanted = Object.entries(SECTIONS).filter(
    ([name]) => all || (byDefault && !NOT_BY_DEFAULT.has(name)) || asked.has(name.toLowerCase()),
  );
  return wanted
    .map(
      ([name, fields]) =>
        `# ${name}\r\n${fields(facts)
          .map(([key, value]) => `${key}:${typeof value === "string" ? onOneLine(value) : value}\r\n`)
          .join("")}`,
    )
    .join("\r\n");
}

/** A value that holds a line break, as a name somebody chose may, must not look like a field of its own. */
function onOneLine(value: string): string {
  return value.replace(/[\r\n]/g, " ");
}

function serverSection(facts: InfoFacts): readonly Field[] {
  const { process, config } = facts;
  const nowUs = facts.nowUs();
  const uptime = Math.floor((nowUs / 1000 - process.startedAtMs) / 1000);
  return [
    ["redis_version", REDIS_VERSION],
    ["slotmesh_version", process.version],
    ["redis_git_sha1", "00000000"],
    ["redis_git_dirty", 0],
    ["redis_mode", config.flag("cluster-enabled") ? "cluster" : "standalone"],
    ["os", process.operatingSystem],
    ["arch_bits", 64],
    ["runtime", process.runtime],
    ["process_id", process.id],
    ["process_supervised", "no"],
    ["run_id", process.runId],
    ["tcp_port", process.port],
    ["server_time_usec", Math.floor(nowUs)],
    ["uptime_in_seconds", uptime],
    ["uptime_in_days", Math.floor(uptime / 86400)],
    ["hz", config.number("hz")],
    ["configured_hz", config.number("hz")],
    ["lru_clock", Math.floor(nowUs / 1e6) % 2 ** 24],
    ["executable", process.executable],
    ["config_file", config.file ?? ""],
    ["io_threads_active", 0],
  ];
}

function clientsSection({ clients, config }: InfoFacts): readonly Field[] {
  return [
    ["connected_clients", clients.connected],
    ["cluster_connections", clients.clusterLinkCount],
    ["maxclients", config.number("maxclients")],
    ["client_recent_max_input_buffer", clients.largestInputBytes],
    ["client_recent_max_output_buffer", clients.largestOutputBytes],
    ["blocked_clients", clients.blocked],
    ["tracking_clients", clients.tracking],
    ["clients_in_timeout_table", 0],
  ];
}

function memorySection({ memory: measure, config }: InfoFacts): readonly Field[] {
  const memory = measure();
  const { used, startup, resident } = memory;
  const peak = Math.max(memory.peak, used);
  const dataset = Math.max(0, used - memory.overhead);
  const limit = config.number("maxmemory");
  return [
    ["used_memory", used],
    ["used_memory_human", humanBytes(used)],
    ["used_memory_rss", resident],
    ["used_memory_rss_human", humanBytes(resident)],
    ["used_memory_peak", peak],
    ["used_memory_peak_human", humanBytes(peak)],
    ["used_memory_peak_perc", percent(used, peak)],
    ["used_memory_overhead", memory.overhead],
    ["used_memory_startup", startup],
    ["used_memory_dataset", dataset],
    ["used_memory_dataset_perc", percent(dataset, used - startup)],
    ["allocator_allocated", memory.engineUsed],
    ["allocator_active", memory.engineActive],
    ["allocator_resident", memory.engineResident],
    ["total_system_memory", memory.machine],
    ["total_system_memory_human", humanBytes(memory.machine)],
    ["used_memory_lua", 0],
    ["used_memory_lua_human", "0B"],
    ["used_memory_scripts", 0],
    ["used_memory_scripts_human", "0B"],
    ["number_of_cached_scripts", 0],
    ["number_of_functions", 0],
    ["number_of_libraries", 0],
    ["maxmemory", limit],
    ["maxmemory_human", humanBytes(limit)],
    ["maxmemory_policy", config.text("maxmemory-policy")],
    ["allocator_frag_ratio", ratio(memory.engineActive, memory.engineUsed)],
    ["allocator_frag_bytes", memory.engineActive - memory.engineUsed],
    ["rss_overhead_ratio", ratio(resident, memory.engineResident)],
    ["rss_overhead_bytes", resident - memory.engineResident],
    ["mem_fragmentation_ratio", ratio(resident, used)],
    ["mem_fragmentation_bytes", resident - used],
    ["mem_not_counted_for_evict", memory.replicaBuffers],
    ["mem_replication_backlog", memory.backlog],
    ["mem_total_replication_buffers", memory.backlog + memory.replicaBuffers],
    ["mem_clients_slaves", memory.replicaBuffers],
    ["mem_clients_normal", memory.clientBuffers],
    ["mem_cluster_links", memory.clusterLinks],
    ["mem_aof_buffer", 0],
    ["mem_allocator", "slotmesh-wasm"],
    ["active_defrag_running", Math.ceil(memory.defragPercent)],
    ["lazyfree_pending_objects", memory.waitingObjects],
    ["lazyfreed_objects", memory.releasedObjects],
    ["js_heap_used", memory.scriptHeap.liveBytes],
    ["js_heap_total", memory.scriptHeap.totalBytes],
  ];
}

function persistenceSection({ persistence, memory, nowUs }: InfoFacts): readonly Field[] {
  const { progress, loaded, loading } = persistence;
  const { keysDone, keysTotal } = progress ?? { keysDone: 0, keysTotal: 0 };
  return [
    ["loading", loading === undefined ? 0 : 1],
    ["async_loading", 0],
    ["current_cow_peak", 0],
    ["current_cow_size", 0],
    ["current_cow_size_age", 0],
    ["current_fork_perc", keysTotal === 0 ? "0.00" : ((keysDone / keysTotal) * 100).toFixed(2)],
    ["current_save_keys_processed", keysDone],
    ["current_save_keys_total", keysTotal],
    ["rdb_changes_since_last_save", persistence.changes],
    ["rdb_bgsave_in_progress", progress === undefined ? 0 : 1],
    ["rdb_last_save_time", persistence.lastSaveSeconds],
    ["rdb_last_bgsave_status", persistence.lastSucceeded ? "ok" : "err"],
    ["rdb_last_bgsave_time_sec", persistence.lastSeconds],
    ["rdb_current_bgsave_time_sec", progress?.seconds ?? -1],
    ["rdb_saves", persistence.saves],
    ["rdb_last_cow_size", 0],
    ["rdb_last_load_keys_expired", loaded.expired],
    ["rdb_last_load_keys_loaded", loaded.keys],
    ["aof_enabled", 0],
    ["aof_rewrite_in_progress", 0],
    ["aof_rewrite_scheduled", 0],
    ["aof_last_rewrite_time_sec", -1],
    ["aof_current_rewrite_time_sec", -1],
    ["aof_last_bgrewrite_status", "ok"],
    ["aof_rewrites", 0],
    ["aof_rewrites_consecutive_failures", 0],
    ["aof_last_write_status", "ok"],
    ["aof_last_cow_size", 0],
    ["module_fork_in_progress", 0],
    ["module_fork_last_cow_size", 0],
    ...(loading === undefined ? [] : loadingLines(loading, memory().used, nowUs())),
  ];
}

function loadingLines(
  { sinceMs, loadedBytes, totalBytes }: NonNullable<PersistenceFacts["loading"]>,
  usedMemory: number,
  nowUs: number,
): readonly Field[] {
  const seconds = Math.floor(nowUs / 1e6) - Math.floor(sinceMs / 1000);
  const eta =
    totalBytes === undefined || loadedBytes === 0 ? 1 : (seconds * (totalBytes - loadedBytes)) / loadedBytes;
  return [
    ["loading_start_time", Math.floor(sinceMs / 1000)],
    ["loading_total_bytes", totalBytes ?? 0],
    ["loading_rdb_used_mem", usedMemory],
    ["loading_loaded_bytes", loadedBytes],
    ["loading_loaded_perc", percent(loadedBytes, totalBytes ?? 0).replace("%", "")],
    ["loading_eta_seconds", seconds === 0 ? 1 : Math.floor(eta)],
  ];
}

function trafficLines({ stats }: InfoFacts): readonly Field[] {
  const { totals } = stats;
  const kilobytes = (rate: Parameters<Stats["rate"]>[0]): string => (stats.rate(rate) / 1024).toFixed(2);
  return [
    ["total_connections_received", totals.connections],
    ["total_commands_processed", totals.commands],
    ["instantaneous_ops_per_sec", Math.floor(stats.rate("commands"))],
    ["total_net_input_bytes", totals.inputBytes],
    ["total_net_output_bytes", totals.outputBytes],
    ["total_net_repl_input_bytes", totals.replicationInputBytes],
    ["total_net_repl_output_bytes", totals.replicationOutputBytes],
    ["instantaneous_input_kbps", kilobytes("inputBytes")],
    ["instantaneous_output_kbps", kilobytes("outputBytes")],
    ["instantaneous_input_repl_kbps", kilobytes("replicationInputBytes")],
    ["instantaneous_output_repl_kbps", kilobytes("replicationOutputBytes")],
    ["rejected_connections", totals.rejectedConnections],
    ["sync_full", totals.fullSyncs],
    ["sync_partial_ok", totals.partialSyncs],
    ["sync_partial_err", totals.partialSyncsRefused],
  ];
}

function keyspaceLines({
  stats: { totals },
  lookups,
  eviction,
  defrag,
  tracking,
  pubsub,
  migration,
}: InfoFacts): readonly Field[] {
  return [
    ["expired_keys", lookups.expired],
    ["expired_time_cap_reached_count", totals.expireCyclesCutShort],
    ["expire_cycle_cpu_milliseconds", Math.floor(totals.expireCycleMs)],
    ["evicted_keys", eviction.keys],
    ["evicted_clients", 0],
    ["total_eviction_exceeded_time", Math.floor(eviction.exceededMs)],
    ["current_eviction_exceeded_time", Math.floor(eviction.currentExceededMs)],
    ["keyspace_hits", lookups.hits],
    ["keyspace_misses", lookups.misses],
    ["pubsub_channels", pubsub.channelCount],
    ["pubsub_patterns", pubsub.patternCount],
    ["pubsubshard_channels", pubsub.shardChannelCount],
    ["latest_fork_usec", 0],
    ["total_forks", 0],
    ["migrate_cached_sockets", migration.cachedLinkCount],
    ["active_defrag_hits", defrag.movedBlocks],
    ["total_active_defrag_time", Math.floor(defrag.totalMs)],
    ["tracking_total_keys", tracking.keyCount],
    ["tracking_total_items", tracking.itemCount],
    ["tracking_total_prefixes", tracking.prefixCount],
  ];
}

function errorLines({ stats: { totals } }: InfoFacts): readonly Field[] {
  return [
    ["unexpected_error_replies", 0],
    ["total_error_replies", totals.errorReplies],
    ["total_reads_processed", totals.reads],
    ["total_writes_processed", totals.writes],
    ["io_threaded_reads_processed", 0],
    ["io_threaded_writes_processed", 0],
  ];
}

function cpuSection({ process }: InfoFacts): readonly Field[] {
  const { user, system } = process.cpuSeconds();
  return [
    ["used_cpu_sys", system.toFixed(6)],
    ["used_cpu_user", user.toFixed(6)],
    ["used_cpu_sys_children", "0.000000"],
    ["used_cpu_user_children", "0.000000"],
  ];
}

function commandSection({ stats, rows }: InfoFacts): readonly Field[] {
  const fields: Field[] = [];
  for (const { id, fullName } of rows) {
    const calls = stats.calls[id] ?? 0;
    const rejected = stats.rejected[id] ?? 0;
    const failed = stats.failed[id] ?? 0;
    if (calls === 0 && rejected === 0 && failed === 0) continue;
    const us = Math.floor(stats.us[id] ?? 0);
    const perCall = calls === 0 ? "0.00" : (us / calls).toFixed(2);
    const counts = `rejected_calls=${rejected},failed_calls=${failed}`;
    fields.push([`cmdstat_${fullName}`, `calls=${calls},usec=${us},usec_per_call=${perCall},${counts}`]);
  }
  return fields;
}

function latencySection({ stats, rows, config }: InfoFacts): readonly Field[] {
  if (!config.flag("latency-tracking")) return [];
  const shares = config.value("latency-tracking-info-percentiles");
  const fields: Field[] = [];
  for (const { id, fullName } of rows) {
    const histogram = stats.latency[id];
    if (histogram === undefined || shares.length === 0) continue;
    const points = shares.map((share) => `p${share}=${(histogram.percentile(share) / 1000).toFixed(3)}`);
    fields.push([`latency_percentiles_usec_${fullName}`, points.join(",")]);
  }
  return fields;
}

function keyspaceSection(facts: InfoFacts): readonly Field[] {
  return facts
    .keyspace()
    .map(({ database, keys, expires, averageTtlMs }) => [
      `db${database}`,
      `keys=${keys},expires=${expires},avg_ttl=${Math.floor(averageTtlMs)}`,
    ]);
}
