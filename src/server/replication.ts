// Replication of one node: master of its replicas and replica of its master, who share one log and one history.
import type { Client, ReplicaFact, Replication, Role } from "../commands/context.ts";
import { every, nowMs, type Timer } from "../io/clock.ts";
import { randomHex } from "../io/random.ts";
import { History } from "../replication/history.ts";
import type { PsyncRequest } from "../replication/psync.ts";
import type { RdbOrigin } from "../replication/rdb-writer.ts";
import { toUnicode } from "../resp/byte-text.ts";
import type { Reply } from "../resp/reply.ts";
import { connectionOf } from "./client.ts";
import type { Field } from "./info.ts";
import type { ReplicationHost } from "./replication-host.ts";
import { ReplicationMaster } from "./replication-master.ts";
import { ReplicationReplica } from "./replication-replica.ts";

const TICK_MS = 100;

export class NodeReplication implements Replication {
  readonly history = new History(randomHex(20));
  readonly master: ReplicationMaster;
  readonly replica: ReplicationReplica;
  #timer: Timer | undefined;
  /** The data is a former master's of ours, in its history, until we know whether we still follow it. */
  #isHeldOver = false;
  /** What this replica said of its offset last was that it has nothing. */
  #stoodAtZero = true;

  constructor(private readonly host: ReplicationHost) {
    this.master = new ReplicationMaster(host, this.history, () => this.replica.streamDatabase);
    this.replica = new ReplicationReplica(host, this.history, {
      replicasMustReturn: (reason) => this.master.dropReplicas(reason),
      logged: () => this.#streamed(),
      changed: () => this.host.changed(),
    });
    host.config.onChange("repl-backlog-size", (size) => {
      if (host.log.window > 0) host.log.window = size;
    });
  }

  /** The history the data is part of at this moment, for a file that is to hold both; undefined = none that is kept. */
  present(): RdbOrigin["replication"] {
    const { log } = this.host;
    if (log.window === 0 || !this.replica.hasHistory) return undefined;
    const database = this.replica.streamDatabase;
    // What follows says its database anew: whoever goes on from the file knows none.
    if (database === undefined) log.forgetDatabase();
    return { database: database ?? 0, replId: this.history.replId, offset: log.end };
  }

  /**
   * The data comes from a file: it is part of this history. A master begins one of its own from there, since it may have
   * gone on in the former one after the file was written; up to there replicas that have just as much need no copy.
   */
  resume({ replId, offset, database }: NonNullable<RdbOrigin["replication"]>, isMaster: boolean): void {
    const { log, config } = this.host;
    this.history.renew(replId);
    log.restart(offset);
    log.window = config.number("repl-backlog-size");
    this.master.keepBacklogFromNow();
    if (isMaster) return this.history.shift(randomHex(20), offset);
    this.replica.resume(database);
    this.#isHeldOver = true;
  }

  /** Lets time pass: PINGs, acknowledgements, time-outs, new attempts. */
  start(): void {
    const { config } = this.host;
    const configured = config.value("replicaof");
    if (configured !== undefined) this.follow(toUnicode(configured.host), configured.port);
    if (this.#isHeldOver && !this.isFollowing) this.history.shift(randomHex(20), this.offset);
    this.#isHeldOver = false;
    this.host.changed();
    this.#timer = every(TICK_MS, () => {
      this.replica.tick();
      this.master.tick(!this.replica.isFollowing);
      this.host.gates.refresh();
    });
  }

  stop(): void {
    this.#timer?.stop();
    this.replica.feed({ type: "stop" });
  }

  /** More of the master's stream was applied. That there is any data at all is told at once. */
  #streamed(): void {
    this.master.flush();
    if (!this.#stoodAtZero) return;
    this.#stoodAtZero = this.standing === 0;
    if (!this.#stoodAtZero) this.host.changed();
  }

  get isFollowing(): boolean {
    return this.replica.isFollowing;
  }

  get loading(): ReplicationReplica["loading"] {
    return this.replica.loading;
  }

  get isLoading(): boolean {
    return this.replica.isLoading;
  }

  /** A replica that does not hear its master. */
  get isCutOff(): boolean {
    return this.isFollowing && !this.replica.machine.isOnline;
  }

  get isReadOnly(): boolean {
    return this.isFollowing && this.host.config.flag("replica-read-only");
  }

  get isStale(): boolean {
    return this.isCutOff && !this.host.config.flag("replica-serve-stale-data");
  }

  get hasTooFewReplicas(): boolean {
    const { config } = this.host;
    const least = config.number("min-replicas-to-write");
    if (this.isFollowing || least === 0 || config.number("min-replicas-max-lag") === 0) return false;
    return this.master.goodCount < least;
  }

  /** When the link to our master was last alive; 0 = never, or nothing is left of what came then. */
  get masterSeenAtMs(): number {
    const { machine, holdsMastersData } = this.replica;
    if (!holdsMastersData) return 0;
    return machine.isOnline ? machine.heardAtMs : machine.wentDownAtMs;
  }

  /** Bytes of our history this node has: what INFO calls master_repl_offset. */
  get offset(): number {
    return this.host.log.end;
  }

  /** How much of the master's data this node would bring into an election. */
  get standing(): number {
    return this.isFollowing && !this.replica.holdsMastersData ? 0 : this.offset;
  }

  get role(): Role {
    const { machine } = this.replica;
    if (machine.master !== undefined) {
      const { host, port } = machine.master;
      return { name: "slave", host, port, state: machine.state, offset: machine.isOnline ? this.offset : -1 };
    }
    const online = this.master.replicas.filter((link) => link.phase === "online");
    const replicas = online.map((link) => ({ ip: link.ip, port: link.port, offset: link.ackOffset }));
    return { name: "master", offset: this.offset, replicas };
  }

  follow(host: string, port: number): boolean {
    const { master } = this.replica.machine;
    if (master?.host === host && master.port === port) return false;
    this.replica.follow(host, port);
    this.host.config.recordMaster({ host, port });
    this.master.dropReplicas("we follow another master now");
    this.host.waiting.disconnect();
    this.#stoodAtZero = true;
    this.host.changed();
    return true;
  }

  followNobody(): void {
    if (!this.isFollowing) return;
    this.replica.stop();
    this.host.config.recordMaster(undefined);
    this.master.dropReplicas("we are a master now");
    this.host.changed();
  }

  /** The data was emptied behind the log's back: it is part of no history any more, and neither are copies of it. */
  wasEmptied(): void {
    this.replica.forgetHistory();
    this.master.dropReplicas("our data was emptied");
  }

  isReplica(client: Client): boolean {
    return this.master.isReplica(client);
  }

  refusal(): string | undefined {
    return this.isCutOff ? "NOMASTERLINK Can't SYNC while not connected with my master" : undefined;
  }

  learn(client: Client, fact: ReplicaFact): void {
    this.master.learn(connectionOf(client), fact);
  }

  attach(client: Client, request: PsyncRequest | undefined, reply: Reply): void {
    this.master.attach(connectionOf(client), request, reply);
  }

  acknowledged(client: Client, offset: number): void {
    this.master.acknowledged(connectionOf(client), offset);
  }

  acknowledge(client: Client): void {
    if (this.replica.isMaster(client)) this.replica.acknowledge();
  }

  wait(client: Client, count: number, timeoutMs: number, reply: Reply): void {
    this.master.wait(connectionOf(client), count, timeoutMs, reply);
  }

  /** The replication section of INFO. */
  fields(): readonly Field[] {
    const { host, history } = this;
    const { log } = host;
    const isActive = log.window > 0;
    return [
      ["role", this.isFollowing ? "slave" : "master"],
      ...(this.isFollowing ? this.#replicaFields() : []),
      ...this.#masterFields(),
      ["master_failover_state", "no-failover"],
      ["master_replid", history.replId],
      ["master_replid2", history.replId2],
      ["master_repl_offset", log.end],
      ["second_repl_offset", history.secondOffset],
      ["repl_backlog_active", isActive ? 1 : 0],
      ["repl_backlog_size", host.config.number("repl-backlog-size")],
      ["repl_backlog_first_byte_offset", isActive ? log.start + 1 : 0],
      ["repl_backlog_histlen", isActive ? log.end - log.start : 0],
    ];
  }

  #replicaFields(): Field[] {
    const { machine } = this.replica;
    const { config } = this.host;
    const seconds = (sinceMs: number): number => Math.floor((nowMs() - sinceMs) / 1000);
    const fields: Field[] = [
      ["master_host", machine.master?.host ?? ""],
      ["master_port", machine.master?.port ?? 0],
      ["master_link_status", machine.isOnline ? "up" : "down"],
      ["master_last_io_seconds_ago", machine.isOnline ? seconds(machine.heardAtMs) : -1],
      ["master_sync_in_progress", machine.state === "sync" ? 1 : 0],
      ["slave_read_repl_offset", this.offset],
      ["slave_repl_offset", this.offset],
    ];
    const progress = machine.copyProgress;
    if (progress !== undefined) {
      const { received, total } = progress;
      fields.push(
        ["master_sync_total_bytes", total ?? 0],
        ["master_sync_read_bytes", received],
        ["master_sync_left_bytes", total === undefined ? 0 : total - received],
        [
          "master_sync_perc",
          total === undefined ? "0.00" : ((received / Math.max(total, 1)) * 100).toFixed(2),
        ],
        ["master_sync_last_io_seconds_ago", seconds(machine.heardAtMs)],
      );
    }
    if (!machine.isOnline) {
      const downAtMs = machine.wentDownAtMs;
      fields.push(["master_link_down_since_seconds", downAtMs === 0 ? -1 : seconds(downAtMs)]);
    }
    fields.push(
      ["slave_priority", config.number("replica-priority")],
      ["slave_read_only", config.flag("replica-read-only") ? 1 : 0],
      ["replica_announced", config.flag("replica-announced") ? 1 : 0],
    );
    return fields;
  }

  #masterFields(): Field[] {
    const { replicas, goodCount } = this.master;
    const { config } = this.host;
    const fields: Field[] = [["connected_slaves", replicas.length]];
    if (config.number("min-replicas-to-write") > 0 && config.number("min-replicas-max-lag") > 0) {
      fields.push(["min_slaves_good_slaves", goodCount]);
    }
    const now = nowMs();
    for (const [i, link] of replicas.entries()) {
      const state = {
        introduced: "wait_bgsave",
        waiting: "wait_bgsave",
        copying: "send_bulk",
        awaiting: "send_bulk",
        online: "online",
      };
      const lag = link.phase === "online" ? Math.floor((now - link.ackAtMs) / 1000) : 0;
      fields.push([
        `slave${i}`,
        `ip=${link.ip},port=${link.port},state=${state[link.phase]},offset=${link.ackOffset},lag=${lag}`,
      ]);
    }
    return fields;
  }
}
