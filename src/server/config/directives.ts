// The one table of configuration directives: name, kind, default, when it may change and whether it does anything.
// Start-up, CONFIG GET/SET/REWRITE and the typed accessors all derive from it. Defaults are Redis 7.0.15's but for:
// `bind` (loopback, as Redis's own redis.conf has it), `cluster-enabled` (this is a cluster database), `activedefrag` (on)
// and `active-defrag-ignore-bytes` (less): memory that holds nothing is given back without anybody asking.
import { ADDRESS_LENGTH, hasAddressCharacters } from "../../cluster/door.ts";
import { MEMORY_CEILING } from "../../engine/memory.ts";
import {
  type Kind,
  INT_MAX,
  LONG_MAX,
  address,
  anyBytes,
  choice,
  choices,
  fileName,
  flag,
  integer,
  list,
  memory,
  string,
} from "./kinds.ts";
import { eventClasses, oomScores, outputLimits, percentiles, savePoints } from "./lists.ts";

export interface Directive<V = unknown> {
  readonly kind: Kind<V>;
  /** The default as it would stand in a file, split into words. */
  readonly initial: readonly string[];
  readonly alias?: string;
  /** `protected`: at run time only where `enable-protected-configs` allows it. */
  readonly change: "runtime" | "start" | "protected";
  /** Set at run time only when somebody watches it, since nothing reads it after the start. */
  readonly watched: boolean;
  /**
   * False = known from Redis, but nothing here acts on it: any value but the default is refused. `moot` = nothing acts
   * on it, and no client could tell: at the start another value is accepted with a warning.
   */
  readonly built: boolean | "moot";
}

type Options = Partial<Pick<Directive, "alias" | "change" | "watched" | "built">>;

function row<V>(kind: Kind<V>, initial: string | readonly string[], options: Options = {}): Directive<V> {
  const words = typeof initial === "string" ? [initial] : initial;
  return { kind, initial: words, change: "runtime", watched: false, built: true, ...options };
}

const START: Options = { change: "start" };
const UNBUILT: Options = { built: false };
const UNBUILT_START: Options = { built: false, change: "start" };
const MOOT: Options = { built: "moot" };
const MOOT_START: Options = { built: "moot", change: "start" };
const alias = (name: string): Options => ({ alias: name });

const yes = (options?: Options): Directive<boolean> => row(flag(), "yes", options);
const no = (options?: Options): Directive<boolean> => row(flag(), "no", options);
const count = (initial: number, min: number, max: number | bigint, options?: Options): Directive<number> =>
  row(integer(min, max), String(initial), options);
const port = (initial: number, options?: Options): Directive<number> => count(initial, 0, 65535, options);
const none = (options?: Options): Directive<string> => row(string(), "", options);

const signals = choices(["default", "save", "nosave", "now", "force"], (words) =>
  words.includes("save") && words.includes("nosave")
    ? "shutdown options SAVE and NOSAVE can't be used simultaneously"
    : undefined,
);

const hostname = string((word) => {
  if (word.length > 255) return "Hostnames must be less than 256 characters";
  return /^[A-Za-z0-9.-]*$/.test(word)
    ? undefined
    : "Hostnames may only contain alphanumeric characters, hyphens or dots";
});

/**
 * An address told to others, or a name that stands for one. It becomes a word of nodes.conf, of CLUSTER NODES or INFO,
 * where a comma, a space or a quote would be read as something else.
 * @param longest what the message that tells it has room for
 */
const announcedAddress = (longest: number) =>
  string((word) => {
    if (word.length > longest) return `Addresses must be less than ${longest + 1} characters`;
    return hasAddressCharacters(word)
      ? undefined
      : "Addresses may only contain alphanumeric characters, hyphens, underscores, dots, colons or percent signs";
  });

const baseName = (option: string, what = "filename") =>
  fileName((word) => (/[/\\]/.test(word) ? `${option} can't be a path, just a ${what}` : undefined));

const guarded = (): Directive<"no" | "yes" | "local"> => row(choice("no", "yes", "local"), "no", START);

const network = {
  bind: row(list(16), ["127.0.0.1", "-::1"], { watched: true }),
  "bind-source-addr": none(UNBUILT),
  port: port(6379, { watched: true }),
  "tcp-backlog": count(511, 0, INT_MAX, MOOT_START),
  "tcp-keepalive": count(300, 0, INT_MAX),
  timeout: count(0, 0, INT_MAX),
  unixsocket: none(UNBUILT_START),
  unixsocketperm: row(integer(0, 0o777, { octal: true }), "0", UNBUILT_START),
  "socket-mark-id": count(0, 0, 4294967295, UNBUILT_START),
  "protected-mode": yes(),
  maxclients: count(10000, 1, 4294967295),
  requirepass: row(anyBytes(), ""),
  "proto-max-bulk-len": row(memory({ min: 1048576 }), "512mb"),
  "client-query-buffer-limit": row(memory({ min: 1048576 }), "1gb"),
  "client-output-buffer-limit": row(
    outputLimits,
    "normal 0 0 0 replica 268435456 67108864 60 pubsub 33554432 8388608 60".split(" "),
  ),
  "maxmemory-clients": row(memory({ percent: true }), "0", UNBUILT),
};

const general = {
  daemonize: no(UNBUILT_START),
  supervised: row(choice("upstart", "systemd", "auto", "no"), "no", UNBUILT_START),
  pidfile: row(fileName(), "", START),
  loglevel: row(choice("debug", "verbose", "notice", "warning"), "notice"),
  logfile: row(fileName(), "", START),
  "syslog-enabled": no(UNBUILT_START),
  "syslog-ident": row(string(), "redis", UNBUILT_START),
  "syslog-facility": row(
    choice("user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
    "local0",
    UNBUILT_START,
  ),
  databases: count(16, 1, 16, START),
  dir: row(fileName(), ".", { change: "protected", watched: true }),
  "always-show-logo": no(MOOT_START),
  "set-proc-title": yes(MOOT_START),
  "proc-title-template": row(string(), "{title} {listen-addr} {server-mode}", MOOT),
  "crash-log-enabled": yes(MOOT),
  "crash-memcheck-enabled": yes(MOOT),
  "enable-protected-configs": guarded(),
  "enable-debug-command": guarded(),
  "enable-module-command": row(choice("no", "yes", "local"), "no", UNBUILT_START),
  "shutdown-timeout": count(10, 0, INT_MAX),
  "shutdown-on-sigint": row(signals, "default"),
  "shutdown-on-sigterm": row(signals, "default"),
  "ignore-warnings": none(MOOT),
  "disable-thp": yes(MOOT_START),
  "oom-score-adj": row(choice("no", "yes", "relative", "absolute"), "no", MOOT),
  "oom-score-adj-values": row(oomScores, ["0", "200", "800"], MOOT),
  "io-threads": count(1, 1, 128, MOOT_START),
  "io-threads-do-reads": no(MOOT_START),
  server_cpulist: none(MOOT_START),
  bio_cpulist: none(MOOT_START),
  aof_rewrite_cpulist: none(MOOT_START),
  bgsave_cpulist: none(MOOT_START),
  "jemalloc-bg-thread": yes(MOOT),
};

const keyspace = {
  maxmemory: row(
    memory({
      max: MEMORY_CEILING,
      tooMuch: `argument must be at most ${MEMORY_CEILING}: a node's keyspace ends at 4 GiB`,
    }),
    "0",
  ),
  "maxmemory-policy": row(
    choice(
      "volatile-lru",
      "volatile-lfu",
      "volatile-random",
      "volatile-ttl",
      "allkeys-lru",
      "allkeys-lfu",
      "allkeys-random",
      "noeviction",
    ),
    "noeviction",
  ),
  "maxmemory-samples": count(5, 1, INT_MAX),
  "maxmemory-eviction-tenacity": count(10, 0, 100),
  "lfu-log-factor": count(10, 0, INT_MAX),
  "lfu-decay-time": count(1, 0, INT_MAX),
  hz: row(integer(0, INT_MAX, { clamp: [1, 500] }), "10"),
  "dynamic-hz": yes(MOOT),
  activerehashing: yes(MOOT),
  "active-expire-effort": count(1, 1, 10),
  // What is big is given back by and by whatever these five and replica-lazy-flush say: either value is served.
  "lazyfree-lazy-eviction": no(),
  "lazyfree-lazy-expire": no(),
  "lazyfree-lazy-server-del": no(),
  "lazyfree-lazy-user-del": no(),
  "lazyfree-lazy-user-flush": no(),
  "notify-keyspace-events": row(eventClasses, ""),
  activedefrag: yes(),
  "active-defrag-cycle-min": count(1, 1, 99),
  "active-defrag-cycle-max": count(25, 1, 99),
  "active-defrag-ignore-bytes": row(memory({ min: 1 }), "8mb"),
  "active-defrag-max-scan-fields": count(1000, 1, LONG_MAX, MOOT),
  "active-defrag-threshold-lower": count(10, 0, 1000),
  "active-defrag-threshold-upper": count(100, 0, 1000),
  "hash-max-listpack-entries": count(512, 0, LONG_MAX, alias("hash-max-ziplist-entries")),
  "hash-max-listpack-value": row(memory(), "64", alias("hash-max-ziplist-value")),
  "hll-sparse-max-bytes": row(memory(), "3000", MOOT),
  "list-compress-depth": count(0, 0, INT_MAX),
  "list-max-listpack-size": count(-2, -INT_MAX - 1, INT_MAX, alias("list-max-ziplist-size")),
  "set-max-intset-entries": count(512, 0, LONG_MAX),
  "stream-node-max-bytes": row(memory(), "4096", MOOT),
  "stream-node-max-entries": count(100, 0, LONG_MAX, MOOT),
  "zset-max-listpack-entries": count(128, 0, LONG_MAX, alias("zset-max-ziplist-entries")),
  "zset-max-listpack-value": row(memory(), "64", alias("zset-max-ziplist-value")),
  "sanitize-dump-payload": row(choice("no", "yes", "clients"), "no", UNBUILT),
};

const observation = {
  "slowlog-log-slower-than": count(10000, -1, LONG_MAX),
  "slowlog-max-len": count(128, 0, LONG_MAX),
  "latency-monitor-threshold": count(0, 0, LONG_MAX, UNBUILT),
  "latency-tracking": yes(),
  "latency-tracking-info-percentiles": row(percentiles, ["50", "99", "99.9"]),
  "tracking-table-max-keys": count(1000000, 0, LONG_MAX),
  "busy-reply-threshold": count(5000, 0, LONG_MAX, { built: "moot", alias: "lua-time-limit" }),
  "acl-pubsub-default": row(choice("allchannels", "resetchannels"), "resetchannels", UNBUILT),
  "acllog-max-len": count(128, 0, LONG_MAX, MOOT),
  aclfile: none(UNBUILT_START),
};

const replication = {
  replicaof: row(address(), ["no", "one"], { change: "start", alias: "slaveof" }),
  masterauth: row(anyBytes(), ""),
  masteruser: none(),
  "replica-serve-stale-data": yes(alias("slave-serve-stale-data")),
  "replica-read-only": yes(alias("slave-read-only")),
  "replica-priority": count(100, 0, INT_MAX, alias("slave-priority")),
  "replica-announced": yes(),
  "replica-announce-ip": row(announcedAddress(255), "", alias("slave-announce-ip")),
  "replica-announce-port": port(0, alias("slave-announce-port")),
  "replica-lazy-flush": no(alias("slave-lazy-flush")),
  "replica-ignore-maxmemory": yes(alias("slave-ignore-maxmemory")),
  "replica-ignore-disk-write-errors": no(UNBUILT),
  "repl-timeout": count(60, 1, INT_MAX),
  "repl-ping-replica-period": count(10, 1, INT_MAX, alias("repl-ping-slave-period")),
  "repl-backlog-size": row(memory({ min: 1, atLeast: 16384 }), "1mb"),
  "repl-backlog-ttl": count(3600, 0, LONG_MAX),
  "repl-disable-tcp-nodelay": no(MOOT),
  "repl-diskless-sync": yes(MOOT),
  /** Redis waits 5 seconds for more replicas to share a copy; here they may still join one that has begun. */
  "repl-diskless-sync-delay": count(0, 0, INT_MAX),
  "repl-diskless-sync-max-replicas": count(0, 0, INT_MAX),
  "repl-diskless-load": row(choice("disabled", "on-empty-db", "swapdb"), "disabled", UNBUILT),
  "min-replicas-to-write": count(0, 0, INT_MAX, alias("min-slaves-to-write")),
  "min-replicas-max-lag": count(10, 0, INT_MAX, alias("min-slaves-max-lag")),
  "propagation-error-behavior": row(choice("ignore", "panic", "panic-on-replicas"), "ignore", UNBUILT),
};

const cluster = {
  "cluster-enabled": yes(START),
  /** Ours: a node that never met another and owns no slot serves every key by itself. */
  "cluster-solo": yes(),
  "cluster-config-file": row(fileName(), "nodes.conf", START),
  "cluster-node-timeout": count(15000, 0, LONG_MAX),
  "cluster-port": port(0, START),
  "cluster-announce-ip": row(announcedAddress(ADDRESS_LENGTH), ""),
  "cluster-announce-hostname": row(hostname, ""),
  "cluster-announce-port": port(0),
  "cluster-announce-bus-port": port(0),
  "cluster-announce-tls-port": port(0, UNBUILT),
  "cluster-preferred-endpoint-type": row(choice("ip", "hostname", "unknown-endpoint"), "ip"),
  "cluster-migration-barrier": count(1, 0, INT_MAX),
  "cluster-allow-replica-migration": yes(),
  "cluster-require-full-coverage": yes(),
  "cluster-replica-validity-factor": count(10, 0, INT_MAX, alias("cluster-slave-validity-factor")),
  "cluster-replica-no-failover": no(alias("cluster-slave-no-failover")),
  "cluster-allow-reads-when-down": no(),
  "cluster-allow-pubsubshard-when-down": yes(),
  "cluster-link-sendbuf-limit": row(memory({ max: 2n ** 64n - 1n }), "0"),
};

const persistence = {
  save: row(savePoints, ["3600", "1", "300", "100", "60", "10000"]),
  dbfilename: row(baseName("dbfilename"), "dump.rdb", { change: "protected" }),
  "stop-writes-on-bgsave-error": yes(),
  rdbcompression: yes(),
  rdbchecksum: yes(START),
  "rdb-del-sync-files": no(MOOT),
  /** On: the disk begins with a file while it is still being written. */
  "rdb-save-incremental-fsync": yes(),
  appendonly: no(UNBUILT),
  appendfilename: row(baseName("appendfilename"), "appendonly.aof", MOOT_START),
  appenddirname: row(baseName("appenddirname", "dirname"), "appendonlydir", MOOT_START),
  appendfsync: row(choice("everysec", "always", "no"), "everysec", MOOT),
  "no-appendfsync-on-rewrite": no(MOOT),
  "auto-aof-rewrite-percentage": count(100, 0, INT_MAX, MOOT),
  "auto-aof-rewrite-min-size": row(memory(), "64mb", MOOT),
  "aof-load-truncated": yes(MOOT),
  "aof-use-rdb-preamble": yes(MOOT),
  "aof-rewrite-incremental-fsync": yes(MOOT),
  "aof-timestamp-enabled": no(MOOT),
  "aof-disable-auto-gc": no(MOOT),
};

const tls = {
  "tls-port": port(0, UNBUILT),
  "tls-cluster": no(UNBUILT),
  "tls-replication": no(UNBUILT),
  "tls-auth-clients": row(choice("no", "yes", "optional"), "yes", MOOT),
  "tls-cert-file": none(UNBUILT),
  "tls-key-file": none(UNBUILT),
  "tls-key-file-pass": none(UNBUILT),
  "tls-client-cert-file": none(UNBUILT),
  "tls-client-key-file": none(UNBUILT),
  "tls-client-key-file-pass": none(UNBUILT),
  "tls-ca-cert-file": none(UNBUILT),
  "tls-ca-cert-dir": none(UNBUILT),
  "tls-dh-params-file": none(UNBUILT),
  "tls-ciphers": none(UNBUILT),
  "tls-ciphersuites": none(UNBUILT),
  "tls-protocols": none(UNBUILT),
  "tls-prefer-server-ciphers": no(MOOT),
  "tls-session-caching": yes(MOOT),
  "tls-session-cache-size": count(20480, 0, INT_MAX, MOOT),
  "tls-session-cache-timeout": count(300, 0, INT_MAX, MOOT),
};

export const DIRECTIVES = {
  ...network,
  ...general,
  ...keyspace,
  ...observation,
  ...replication,
  ...cluster,
  ...persistence,
  ...tls,
};

export type Name = keyof typeof DIRECTIVES;
/** What the directive of this name holds. */
export type ValueOf<N extends Name> = (typeof DIRECTIVES)[N] extends Directive<infer V> ? V : never;
/** Names whose value is a V: `NameOf<number>`, `NameOf<boolean>`. */
export type NameOf<V> = { [N in Name]: [ValueOf<N>] extends [V] ? N : never }[Name];

/** Words a configuration of Redis may hold that are no settings; each is refused for its own reason. */
export const FOREIGN: Readonly<Record<string, string>> = {
  "rename-command": "commands cannot be renamed here",
  loadmodule: "modules cannot be loaded here",
  user: "ACL users are not supported; set a password with requirepass",
};

/** Names that once were directives: Redis 7.0 passes over a line of one with one value, whatever that is. */
export const RETIRED: ReadonlySet<string> = new Set([
  "list-max-ziplist-entries",
  "list-max-ziplist-value",
  "lua-replicate-commands",
]);

const BY_SPELLING: ReadonlyMap<string, Name> = new Map(
  (Object.keys(DIRECTIVES) as Name[]).flatMap((name) => {
    const { alias: other } = DIRECTIVES[name];
    return other === undefined ? [[name, name] as const] : [[name, name] as const, [other, name] as const];
  }),
);

/** The directive written as `word`, whatever its case, by its own name or its alias. */
export const findDirective = (word: string): Name | undefined => BY_SPELLING.get(word.toLowerCase());

/** Every spelling a directive can be written in. */
export const spellings = (): IterableIterator<string> => BY_SPELLING.keys();
