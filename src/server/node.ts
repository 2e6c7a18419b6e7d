// One node: the engine, its clients and its place in the cluster, put together. What each part does is told where it
// is written; here they only meet.
import { EVENT_READY, EXPIRED_DELETED, EXPIRED_HIDDEN, STATE_KEEP_EXPIRED } from "../../assembly/abi.ts";
import { BUS_OFFSET } from "../cluster/options.ts";
import { commandTable } from "../commands/families.ts";
import type { Server } from "../commands/context.ts";
import { ReplyArena } from "../engine/arena.ts";
import { InnerRequests } from "../engine/inner.ts";
import { Args } from "../engine/args.ts";
import { Keys } from "../engine/keys.ts";
import { Memory } from "../engine/memory.ts";
import { Rdb } from "../engine/rdb.ts";
import { RequestArena } from "../engine/request-memory.ts";
import { nowMs } from "../io/clock.ts";
import { absolute, directoryFault } from "../io/disk.ts";
import { FaultDomain } from "../io/fault-domain.ts";
import { printError } from "../io/process.ts";
import { randomFraction, randomWords } from "../io/random.ts";
import type { Listener } from "../io/sockets.ts";
import { MutationLog } from "../replication/log.ts";
import { Reply } from "../resp/reply.ts";
import { Admin } from "./admin.ts";
import { BlockedKeys } from "./blocked-keys.ts";
import { Changes } from "./changes.ts";
import type { ClientConnection, ClientHost } from "./client.ts";
import { limitClients } from "./client-limit.ts";
import { Clients } from "./clients.ts";
import { Cluster } from "./cluster.ts";
import type { NodeEffect } from "./cluster-bus.ts";
import type { Config } from "./config/config.ts";
import { crashReport } from "./crash-report.ts";
import { Cron } from "./cron.ts";
import { Dispatcher } from "./dispatch.ts";
import { watchEncodingLimits } from "./encoding-limits.ts";
import { Ending } from "./ending.ts";
import { Eviction } from "./eviction.ts";
import { GateKeeping } from "./gate-keeping.ts";
import { Gates } from "./gates.ts";
import { listenOnAll } from "./listen.ts";
import { Log } from "./log.ts";
import { Pauses } from "./pauses.ts";
import { NodePersistence } from "./persistence.ts";
import { NodeReplication } from "./replication.ts";
import { NodeMigration } from "./migration/migration.ts";
import { Notifications } from "./notifications.ts";
import { Observer } from "./observer.ts";
import { NodePubSub } from "./pubsub.ts";
import { Pushes } from "./pushes.ts";
import { RequestContext } from "./request-context.ts";
import { Router } from "./router.ts";
import { Snapshots } from "./snapshots.ts";
import { KeyFeed } from "./key-feed.ts";
import { KeyTracking } from "./tracking.ts";
import { NodeTransactions } from "./transactions.ts";
import { StartError } from "./start-error.ts";
import { Stats } from "./stats.ts";
import { SteppedRestores } from "./stepped-restores.ts";
import { Waiting } from "./waiting.ts";

/** Directives that decide which gates are closed. */
const GATE_DIRECTIVES = [
  "maxmemory",
  "min-replicas-max-lag",
  "min-replicas-to-write",
  "replica-read-only",
  "replica-serve-stale-data",
  "save",
  "stop-writes-on-bgsave-error",
] as const;

/** More than a slot can hold. */
const ALL_KEYS = 0xffffffff;

export class Node implements ClientHost, Server {
  readonly table = commandTable;
  readonly memory = new Memory({ seed: randomWords() });
  readonly requests = new RequestArena(this.memory);
  readonly replies = new ReplyArena(this.memory);
  readonly pushes = new Pushes(this.replies);
  readonly reply = new Reply(this.replies);
  readonly args = new Args(this.memory);
  readonly keys = new Keys(this.memory, randomFraction);
  readonly rdb = new Rdb(this.memory);
  readonly mutations = new MutationLog();
  readonly changes = new Changes(this.memory, this.args, this.mutations);
  readonly stats = new Stats(this.table.rows.length);
  readonly log: Log;
  readonly clients: Clients;
  readonly cron: Cron;
  readonly eviction: Eviction;
  readonly gates: Gates;
  readonly pauses: Pauses;
  readonly feed: KeyFeed;
  readonly tracking: KeyTracking;
  readonly transactions: NodeTransactions;
  readonly pubsub: NodePubSub;
  readonly notifications: Notifications;
  readonly waiting: Waiting;
  readonly blocking: BlockedKeys;
  readonly snapshots: Snapshots;
  readonly persistence: NodePersistence;
  readonly replication: NodeReplication;
  readonly migration: NodeMigration;
  readonly restores: SteppedRestores;
  /** Undefined when cluster mode is off. */
  readonly cluster: Cluster | undefined;
  /** Where relative paths begin. */
  readonly directory: string;

  readonly #router: Router;
  readonly #context: RequestContext;
  readonly admin: Admin;
  readonly ending = new Ending(this);
  /** Whatever the node does by itself or is asked for over its sockets runs in it. */
  readonly domain = new FaultDomain((cause) => this.#crash(cause));
  /** A fault of our own has ended the node, which is closed: whoever runs it need not stop it. */
  crashed: (cause: unknown) => void = () => {};
  /** SHUTDOWN was said; whoever runs the node may have more to do than stopping it. */
  ended: () => void = () => this.stop();
  readonly #dispatcher: Dispatcher;
  #listeners: Listener[] = [];

  /** Throws StartError when the directory or nodes.conf cannot be used. */
  constructor(
    readonly config: Config,
    /** False when the directory is removed once this process ends: nothing in it needs to survive a crash. */
    private readonly isLasting = true,
  ) {
    this.directory = absolute(config.path("dir"));
    const fault = directoryFault(this.directory);
    if (fault !== undefined) throw new StartError(`cannot use dir ${this.directory}: ${fault}`);
    config.recordPath("dir", this.directory); // as CONFIG GET and a rewritten file are to name it
    if (this.port === 0) throw new StartError("port 0: configured not to listen anywhere");
    const logfile = config.path("logfile");
    this.log = new Log(logfile === "" ? undefined : absolute(logfile, this.directory), nowMs);
    const logFault = this.log.fault();
    if (logFault !== undefined) throw new StartError(`cannot open the log file ${logfile}: ${logFault}`);
    config.watch("loglevel", (level) => (this.log.level = level));
    this.memory.nowMs = nowMs();
    limitClients(config, this.log);
    this.clients = new Clients(this, config, this.stats);
    this.eviction = new Eviction({
      ...this.#parts(),
      isAllowed: () => this.#mayEvict,
      wake: () => this.cron.wake(),
    });
    this.cron = new Cron({
      ...this.#parts(),
      eviction: this.eviction,
      expires: () => !this.keepsExpired && !this.pauses.holdsWrites,
      save: () => this.persistence.tick(),
      beforeSlice: () => this.pushes.gather(),
      afterRound: () => this.#tellAll(),
    });
    this.gates = new Gates(this.table, new GateKeeping(this));
    this.feed = new KeyFeed(this);
    this.tracking = this.#track();
    this.transactions = this.#transact();
    this.pubsub = new NodePubSub(this.pushes, {
      slotOf: (name) => this.keys.slotOf(name),
      holderOf: (slot) => this.cluster?.holderOf(slot) ?? "nobody",
    });
    this.notifications = new Notifications(this.memory, this.pubsub, this.pushes, config);
    this.changes.listener = (kind, database, key, answeredBytes) => {
      if (kind === EVENT_READY) this.blocking.appeared(database, key);
      else this.notifications.tell(kind, database, key, answeredBytes);
    };
    const { replies, reply, pushes, stats } = this;
    this.waiting = new Waiting({ replies, reply, pushes, stats });
    this.pauses = new Pauses(
      this.gates,
      (holdsWrites) => this.#holdExpiry(holdsWrites),
      () => {
        for (const client of this.clients.all()) client.release();
      },
    );
    this.snapshots = new Snapshots({
      keys: this.keys,
      rdb: this.rdb,
      gates: this.gates,
      eachSlot: (id, visit) => this.#router.eachSlot(id, visit),
    });
    this.migration = this.#migrate();
    this.restores = new SteppedRestores({
      memory: this.memory,
      args: this.args,
      keys: this.keys,
      rdb: this.rdb,
      changes: this.changes,
      run: (client) => this.#dispatcher.run(client),
    });
    this.blocking = this.#block();
    this.persistence = this.#persist();
    this.replication = this.#replicate();
    watchEncodingLimits(config, this.memory);
    config.watch("rdbcompression", (on) => (this.rdb.compression = on));
    config.watch("proto-max-bulk-len", (bytes) => (this.rdb.longestString = bytes));
    for (const name of GATE_DIRECTIVES) config.watch(name, () => this.gates.refresh());
    this.cluster = config.flag("cluster-enabled") ? this.domain.within(() => this.#joinCluster()) : undefined;
    this.admin = new Admin(this);
    const { table, requests, args, changes, gates } = this;
    this.#router = new Router(table, requests, args, this.cluster);
    const inner = new InnerRequests(requests);
    const context = new RequestContext(this.memory, changes, this.keys, this, inner, replies, this.rdb);
    this.#context = context;
    this.#dispatcher = new Dispatcher({
      requests,
      replies,
      args,
      reply,
      table,
      context,
      observer: new Observer(this.admin.slowlog, this.clients, table, args, context, this.pushes),
      changes,
      gates,
      router: this.#router,
      feed: this.feed,
      tracking: this.tracking,
      pushes: this.pushes,
      transactions: this.transactions,
      blocking: this.blocking,
      notifications: this.notifications,
      stats,
      logged: () => this.settle(),
    });
  }

  get port(): number {
    return this.config.number("port");
  }

  get busPort(): number {
    return this.config.number("cluster-port") || this.port + BUS_OFFSET;
  }

  /** Opens the ports and begins to serve. Throws StartError when a port cannot be had. */
  start(): void {
    this.domain.within(() => this.#start());
  }

  #start(): void {
    const hosts = this.config.value("bind");
    try {
      this.#listeners = listenOnAll(hosts, this.port, (connection) => this.clients.accept(connection));
      this.cluster?.listen(hosts);
      this.#load();
      this.cluster?.start();
    } catch (error) {
      if (error instanceof StartError) this.stop();
      else this.domain.fail(error);
      throw error;
    }
    this.replication.start();
    this.cluster?.loaded();
    this.cron.run();
    this.cron.start();
  }

  /** Before anything is served: what the last run left on disk. */
  #load(): void {
    const isMaster = this.cluster?.isMaster ?? this.config.value("replicaof") === undefined;
    try {
      this.persistence.load(isMaster, (history) => this.replication.resume(history, isMaster));
    } catch (error) {
      // Whoever starts the node prints this; a log that is elsewhere shall hold it too.
      if (error instanceof StartError && this.config.text("logfile") !== "") this.warn(error.message);
      throw error;
    }
  }

  /** Closes everything at once. What is to be saved has been saved before: see ending.ts. */
  stop(): void {
    this.cron.stop();
    this.ending.stop();
    this.pauses.stop();
    for (const listener of this.#listeners) listener.stop();
    this.#listeners = [];
    this.migration.stop();
    this.replication.stop();
    this.clients.closeAll();
    this.cluster?.stop();
  }

  /** Nothing of the node can be trusted any more: it says why and is gone, as if the process were. */
  #crash(cause: unknown): void {
    try {
      for (const line of crashReport(this, cause)) this.log.write("warning", line);
    } catch (error) {
      printError(`slotmesh: the crash report failed: ${String(error)}\n`);
    }
    try {
      this.domain.abort();
    } finally {
      this.crashed(cause);
    }
  }

  receive(client: ClientConnection, chunk: Uint8Array): void {
    this.#dispatcher.receive(client, chunk);
  }

  left(client: ClientConnection): void {
    this.clients.remove(client);
    this.replication.master.left(client);
    this.tracking.left(client);
    this.transactions.left(client);
    this.pubsub.left(client);
    this.waiting.left(client);
    this.restores.left(client);
  }

  sent(client: ClientConnection, byteCount: number): void {
    this.stats.totals.writes++;
    this.stats.totals.outputBytes += byteCount;
    client.lastActiveAtMs = this.memory.nowMs;
    if (client.outputBytes > 0) this.clients.outputLimits.check(client, this.memory.nowMs);
  }

  isReplica(client: ClientConnection): boolean {
    return this.replication.isReplica(client);
  }

  monitorsChanged(by: number): void {
    this.clients.monitorCount += by;
  }

  warn(text: string): void {
    this.log.write("warning", text);
  }

  get clusterEnabled(): boolean {
    return this.cluster !== undefined;
  }

  get clusterConnections(): number {
    return this.cluster?.bus.connectionCount ?? 0;
  }

  get databaseCount(): number {
    return this.config.number("databases");
  }

  get keepsExpired(): boolean {
    return this.replication.isFollowing;
  }

  /** A replica leaves it to its master; while writes are held nothing may reach the log. */
  get #mayEvict(): boolean {
    if (this.replication.isLoading || this.pauses.holdsWrites) return false;
    return !this.replication.isFollowing || !this.config.flag("replica-ignore-maxmemory");
  }

  #joinCluster(): Cluster {
    return new Cluster(
      {
        ...this.#parts(),
        table: this.table,
        nodesFile: absolute(this.config.path("cluster-config-file"), this.directory),
        isLasting: this.isLasting,
        replicationFacts: () => ({
          offset: this.replication.standing,
          masterLinkUp: this.replication.isFollowing && !this.replication.isCutOff,
          masterLastSeenAtMs: this.replication.masterSeenAtMs,
          // Keys in flight may still be deleted here.
          writesPaused: this.pauses.holdsWrites && this.migration.inFlight.isEmpty,
        }),
        carryOut: (effect) => this.#carryOut(effect),
      },
      this.port,
      this.busPort,
    );
  }

  #carryOut(effect: NodeEffect): void {
    switch (effect.type) {
      case "log":
        return this.log.write(effect.level, effect.text);
      case "emptyKeyspace":
        this.persistence.abandon();
        this.transactions.emptying();
        this.keys.flushAll();
        this.tracking.emptied();
        this.tracking.settle();
        return this.replication.wasEmptied();
      case "deleteSlotKeys":
        for (const slot of effect.slots) this.#deleteSlot(slot);
        return;
      case "disownSlotKeys":
        if (!this.feed.isOn) return;
        for (const slot of effect.slots)
          this.keys.keysInSlot(slot, ALL_KEYS, (key) => this.feed.gone(0, this.memory.copy(key)));
        return this.tracking.settle();
      case "replicateFrom":
        this.replication.follow(effect.ip, effect.port);
        return;
      case "promote":
        return this.replication.followNobody();
      case "pauseWrites":
        this.pauses.begin("failover", "write", effect.untilMs);
        // Nothing written after this moment can be acknowledged any more: the offset is final.
        return this.cluster?.tellReplication();
      case "resumeWrites":
        return this.pauses.end("failover");
      case "deliver":
        this.pubsub.publish(effect.shard ? "shard" : "channel", effect.channel, effect.payload);
        return;
      case "routesChanged":
        this.blocking.recheck();
        return this.pubsub.routesChanged();
      default:
        effect satisfies never;
    }
  }

  /** Drops the keys of a slot another node has; replicas and whoever waits for changes are told key by key. */
  #deleteSlot(slot: number): void {
    this.memory.database = 0;
    this.snapshots.beforeSlot(slot);
    if (!this.changes.tellsKeys) {
      this.changes.sinceSave += this.keys.flushSlot(slot);
      return;
    }
    const gone: Uint8Array[] = [];
    this.keys.keysInSlot(slot, ALL_KEYS, (key) => gone.push(this.memory.copy(key)));
    this.keys.flushSlot(slot);
    for (const key of gone) this.changes.propagate(0, ["DEL", key]);
    this.changes.sinceSave += gone.length;
    this.settle();
    this.tracking.settle();
  }

  #replicate(): NodeReplication {
    const { port, mutations, gates, snapshots, waiting } = this;
    return new NodeReplication({
      ...this.#parts(),
      ...this.#intake(),
      log: mutations,
      directory: this.directory,
      gates,
      snapshots,
      waiting,
      port,
      receive: (client, bytes) => this.receive(client, bytes),
      clientFor: (connection) => this.clients.adoptMaster(connection),
      left: (client) => this.left(client),
      areWritesHeld: () => this.pauses.holdsWrites,
      replacing: () => {
        this.persistence.abandon();
        this.transactions.replacing();
        this.tracking.emptied();
        this.tracking.settle();
      },
      changed: () => {
        gates.refresh();
        if (this.replication.isFollowing && this.log.role === "M") this.migration.abort();
        this.log.role = this.replication.isFollowing ? "S" : "M";
        this.cluster?.tellReplication();
      },
      notice: (text) => this.log.write("notice", text),
      warn: (text) => this.log.write("warning", text),
    });
  }

  /** While writes are held nothing may reach the log, the death of keys included: they are hidden until then. */
  #holdExpiry(holdsWrites: boolean): void {
    if (this.replication.isFollowing) return;
    this.memory.setU32(STATE_KEEP_EXPIRED, holdsWrites ? EXPIRED_HIDDEN : EXPIRED_DELETED);
  }

  /** Something may have been logged outside a request or at the end of a batch. */
  settle(): void {
    this.changes.flush();
    this.replication.master.flush();
  }

  /** Runs changes that no request at hand makes, and tells whoever is to hear of them. */
  #unasked<T>(work: () => T): T {
    this.memory.nowMs = nowMs();
    this.pushes.gather();
    try {
      return work();
    } finally {
      if (this.blocking.hasReady) this.blocking.serve();
      this.#tellAll();
    }
  }

  /** What was changed outside a request is told to replicas, to those who cache keys, and to subscribers. */
  #tellAll(): void {
    this.settle();
    this.tracking.settle();
    this.pushes.release();
  }

  /** Whether the request at hand, or the transaction that EXEC is to run, would change a key that is in flight. */
  waitsForArrival(id: number, client: ClientConnection): boolean {
    const { transaction } = client;
    if (transaction !== undefined && !this.transactions.executes(id)) return false;
    const { inFlight } = this.migration;
    const waits = this.#router.writesOneOf(id, transaction, (key) => inFlight.hasAt(this.memory.bytes, key));
    if (waits) inFlight.hold(client);
    return waits;
  }

  #migrate(): NodeMigration {
    const { memory, keys, rdb, changes, gates, snapshots, feed, waiting } = this;
    return new NodeMigration({
      memory,
      keys,
      rdb,
      changes,
      gates,
      snapshots,
      feed,
      waiting,
      inCluster: this.config.flag("cluster-enabled"),
      unasked: (work) => this.#unasked(work),
      landed: () => {
        this.blocking.landed();
        if (this.pauses.holdsWrites) this.cluster?.tellReplication();
      },
    });
  }

  #track(): KeyTracking {
    const { table, args, pushes, clients, feed } = this;
    const tracking = new KeyTracking({ table, args, pushes, clients, feed });
    this.config.watch("tracking-table-max-keys", (count) => (tracking.maxKeys = count));
    return tracking;
  }

  #block(): BlockedKeys {
    const { memory, keys, changes, snapshots, waiting } = this;
    return new BlockedKeys({
      memory,
      keys,
      changes,
      snapshots,
      waiting,
      context: () => this.#context,
      isInFlight: (key) => this.migration.inFlight.has(key),
      refusal: (slot) => this.cluster?.refusalToWait(slot),
    });
  }

  #transact(): NodeTransactions {
    const { table, requests, args, keys, gates, feed, mutations: log } = this;
    return new NodeTransactions({
      table,
      requests,
      args,
      keys,
      gates,
      feed,
      log,
      router: () => this.#router,
    });
  }

  #persist(): NodePersistence {
    return new NodePersistence({
      ...this.#parts(),
      ...this.#intake(),
      snapshots: this.snapshots,
      directory: this.directory,
      isLasting: this.isLasting,
      history: () => this.replication.present(),
      isLoading: () => this.replication.isLoading,
      changed: () => this.gates.refresh(),
      notice: (text) => this.log.write("notice", text),
      warn: (text) => this.log.write("warning", text),
    });
  }

  #intake(): { rdb: Rdb; databaseCount: number } {
    const databaseCount = this.config.flag("cluster-enabled") ? 1 : this.databaseCount;
    return { rdb: this.rdb, databaseCount };
  }

  #parts(): Pick<Node, "config" | "memory" | "keys" | "changes" | "clients" | "stats"> {
    const { config, memory, keys, changes, clients, stats } = this;
    return { config, memory, keys, changes, clients, stats };
  }
}
