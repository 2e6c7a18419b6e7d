// The node as a master: replicas come by PSYNC, get a copy where they need one and then every change. A copy is a
// snapshot written straight to the socket, a few slots between two events, no faster than the socket takes it.
import type { ReplicaFact } from "../commands/context.ts";
import { monotonicUs, nowMs, soon } from "../io/clock.ts";
import { randomHex } from "../io/random.ts";
import type { History } from "../replication/history.ts";
import { answerPsync, type PsyncRequest } from "../replication/psync.ts";
import { RdbWriter } from "../replication/rdb-writer.ts";
import { Snapshot, type SnapshotSource } from "../replication/snapshot.ts";
import { ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { ClientConnection } from "./client.ts";
import { ReplicaLink } from "./replica-link.ts";
import type { ReplicationHost } from "./replication-host.ts";

/** Microseconds a snapshot may take of the event loop at a time. */
const COPY_BUDGET_US = 2000;

/** A client that WAITs: until so many replicas have acknowledged so much. */
interface Waiter {
  readonly offset: number;
  readonly count: number;
}

export class ReplicationMaster {
  /** By client id; also clients that only introduced themselves. */
  readonly #links = new Map<number, ReplicaLink>();
  readonly #waiters = new Map<ClientConnection, Waiter>();
  #pingedAtMs = 0;
  #leftAtMs = 0;
  #isAsking = false;

  constructor(
    private readonly host: ReplicationHost,
    private readonly history: History,
    /** The database the stream of our own master is in; undefined = we have no master. */
    private readonly streamDatabase: () => number | undefined,
  ) {}

  /** Replicas that asked for the data, in the order they came. */
  get replicas(): readonly ReplicaLink[] {
    return [...this.#links.values()].filter((link) => link.phase !== "introduced");
  }

  isReplica(client: { readonly id: number }): boolean {
    const phase = this.#links.get(client.id)?.phase ?? "introduced";
    return phase !== "introduced";
  }

  /** Replicas that acknowledged lately enough for min-replicas-to-write. */
  get goodCount(): number {
    const longestMs = this.host.config.number("min-replicas-max-lag") * 1000;
    const now = nowMs();
    return this.replicas.filter((link) => link.phase === "online" && now - link.ackAtMs <= longestMs + 999)
      .length;
  }

  learn(client: ClientConnection, fact: ReplicaFact): void {
    const link = this.#linkOf(client);
    switch (fact.type) {
      case "port":
        link.port = fact.port;
        break;
      case "address":
        link.address = fact.address;
        break;
      case "capability":
        if (fact.name === "eof") link.endsByMark = true;
        if (fact.name === "psync2") link.takesNewIds = true;
        break;
      case "copyOnly":
        link.copyOnly = fact.on;
        break;
      case "withoutKeys":
        link.withoutKeys = fact.on;
        break;
      default:
        fact satisfies never;
    }
  }

  attach(client: ClientConnection, request: PsyncRequest | undefined, reply: Reply): void {
    const { host, history } = this;
    const { log, stats } = host;
    const link = this.#linkOf(client);
    client.onDrained = () => this.#goOn(link);
    link.ackAtMs = nowMs();
    if (request !== undefined) {
      const kept = log.window > 0 ? { start: log.start, end: log.end } : undefined;
      const answer = answerPsync(request, history, kept);
      if (answer.type === "partial") {
        stats.totals.partialSyncs++;
        reply.simple(link.takesNewIds ? `CONTINUE ${history.replId}` : "CONTINUE");
        link.reader = log.open("replica", answer.position);
        link.phase = "online";
        host.notice(`Replica ${link.ip}:${link.port} goes on from offset ${request.offset}`);
        return link.afterReply(() => link.stream(log));
      }
      if (request.replId !== "?") stats.totals.partialSyncsRefused++;
      host.notice(`Full copy for replica ${link.ip}:${link.port}: ${answer.reason}`);
    }
    stats.totals.fullSyncs++;
    this.#keepBacklog();
    if (request !== undefined) reply.simple(`FULLRESYNC ${history.replId} ${log.end}`);
    link.afterReply(() => this.#goOn(link));
    this.#cut(link);
    if (!link.copyOnly) this.#beginStream();
  }

  /**
   * A replica at offset 0 counts as one that is still loading, and is in no CLUSTER SLOTS. Where nothing was written yet, a
   * PING that does not wait for its time takes it beyond.
   */
  #beginStream(): void {
    const { log } = this.host;
    if (log.end > 0 || this.streamDatabase() !== undefined || this.host.areWritesHeld()) return;
    this.#pingedAtMs = nowMs();
    log.appendBare(["PING"]);
  }

  acknowledged(client: ClientConnection, offset: number): void {
    const link = this.#links.get(client.id);
    if (link === undefined || link.phase === "introduced") return;
    // Nobody has more than there is: whoever says so must not make WAIT count what it does not have.
    if (offset <= this.host.log.end) link.ackOffset = Math.max(link.ackOffset, offset);
    link.ackAtMs = nowMs();
    if (link.phase === "awaiting" && !link.copyOnly) {
      link.phase = "online";
      this.host.notice(`Replica ${link.ip}:${link.port} is online`);
      link.stream(this.host.log);
    }
    for (const [waiter, wanted] of this.#waiters) {
      const now = this.#countAt(wanted.offset);
      if (now >= wanted.count) this.host.waiting.answer(waiter, (reply) => reply.integer(now));
    }
  }

  /** What is new in the log goes to the replicas. */
  flush(): void {
    if (this.#links.size === 0) return;
    for (const link of this.#links.values()) link.stream(this.host.log);
  }

  left(client: ClientConnection): void {
    const link = this.#links.get(client.id);
    if (link === undefined) return;
    this.#links.delete(client.id);
    if (link.phase !== "introduced") {
      this.#leftAtMs = nowMs();
      this.host.notice(`Replica ${link.ip}:${link.port} has left`);
    }
    this.host.snapshots.remove(link.snapshot);
    link.wasClosed(this.host.log);
  }

  /** How many replicas that follow the stream have not acknowledged it up to here. */
  laggards(offset: number): number {
    return this.replicas.filter((link) => link.phase === "online" && link.ackOffset < offset).length;
  }

  /** Every replica must ask anew. */
  dropReplicas(reason: string): void {
    for (const link of this.replicas) link.client.close(reason);
  }

  tick(isMaster: boolean): void {
    const { host } = this;
    const { log, config } = host;
    const now = nowMs();
    for (const link of this.replicas) this.#check(link, now);
    if (!isMaster) return;
    const isFollowed = this.replicas.length > 0;
    const pingEveryMs = config.number("repl-ping-replica-period") * 1000;
    if (isFollowed && !host.areWritesHeld() && now - this.#pingedAtMs >= pingEveryMs) {
      this.#pingedAtMs = now;
      log.appendBare(["PING"]);
      this.flush();
    }
    const keptForMs = config.number("repl-backlog-ttl") * 1000;
    if (!isFollowed && log.window > 0 && keptForMs > 0 && now - this.#leftAtMs > keptForMs) {
      // What is written from here on is in no log: whoever comes back must not think it has everything.
      log.window = 0;
      this.history.renew(randomHex(20));
      host.notice("The replication backlog was given back: no replica came for its time to live");
    }
  }

  wait(client: ClientConnection, count: number, timeoutMs: number, reply: Reply): void {
    const { log, waiting } = this.host;
    const offset = client.loggedBefore(log.end);
    const now = this.#countAt(offset);
    if (now >= count || client.cannotWait) return reply.integer(now);
    this.#waiters.set(client, { offset, count });
    waiting.begin(client, timeoutMs, {
      timedOut: (late) => late.integer(this.#countAt(offset)),
      ended: () => this.#waiters.delete(client),
    });
    this.#askSoon();
  }

  /**
   * Replicas are asked how far they are, once for all who began to wait in this turn, and behind the batch at hand: what
   * its client has seen of the log ends before the question, as the replicas' answers do.
   */
  #askSoon(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    soon(() => {
      this.#isAsking = false;
      const { log } = this.host;
      const isMaster = this.streamDatabase() === undefined;
      if (!isMaster || !log.wanted || this.host.areWritesHeld()) return;
      log.appendBare(["REPLCONF", "GETACK", "*"]);
      this.flush();
    });
  }

  #countAt(offset: number): number {
    return this.replicas.filter((link) => link.phase === "online" && link.ackOffset >= offset).length;
  }

  #linkOf(client: ClientConnection): ReplicaLink {
    let link = this.#links.get(client.id);
    if (link === undefined) {
      link = new ReplicaLink(client, this.host.stats.totals);
      this.#links.set(client.id, link);
    }
    return link;
  }

  /** The backlog is kept although no replica came yet: one may come back. */
  keepBacklogFromNow(): void {
    this.#leftAtMs = nowMs();
  }

  /** From now on changes are kept. Those made before are not part of any history others know. */
  #keepBacklog(): void {
    const { log, config } = this.host;
    if (log.window > 0) return;
    this.history.renew(randomHex(20));
    log.window = config.number("repl-backlog-size");
    this.#pingedAtMs = nowMs();
  }

  /** Begins a copy as of now. */
  #cut(link: ReplicaLink): void {
    const { host, history } = this;
    const { log } = host;
    const database = this.streamDatabase();
    // A reader that begins here must be told the database; in our master's stream nothing can be inserted.
    if (database === undefined) log.forgetDatabase();
    if (!link.copyOnly) link.reader = log.open("replica");
    link.beginCopy(randomHex(20));
    const writer = new RdbWriter(
      (crc, bytes) => host.rdb.crc64(crc, bytes),
      (bytes) => link.copy(bytes),
    );
    link.snapshot = new Snapshot(link.withoutKeys ? NOTHING : host.snapshots.source, writer, {
      createdAtMs: nowMs(),
      usedMemory: host.memory.usedBytes,
      aofBase: false,
      replication: { database: database ?? 0, replId: history.replId, offset: log.end },
    });
    host.snapshots.add(link.snapshot, (error) => this.#copyFailed(link, error));
  }

  /** The copy or the stream, whichever the link is at. */
  #goOn(link: ReplicaLink): void {
    const { snapshot } = link;
    if (snapshot === undefined) return link.stream(this.host.log);
    if (!link.hasRoom) return; // goes on when drained
    const endUs = monotonicUs() + COPY_BUDGET_US;
    try {
      snapshot.step(() => monotonicUs() < endUs && link.hasRoom);
    } catch (error) {
      return this.#copyFailed(link, error);
    }
    link.flushCopy();
    if (!snapshot.isDone) {
      if (link.hasRoom) soon(() => this.#goOn(link));
      return;
    }
    this.host.snapshots.remove(snapshot);
    link.endCopy();
    link.stream(this.host.log);
  }

  #copyFailed(link: ReplicaLink, error: unknown): void {
    if (!(error instanceof ReplyError)) throw error;
    link.client.close(`its copy failed: ${error.message}`);
  }

  /** Closes a replica that is silent or takes too little. */
  #check(link: ReplicaLink, now: number): void {
    const { config, log } = this.host;
    // A replica that loads its copy sends empty lines instead of acknowledgements.
    const heardAtMs = Math.max(link.ackAtMs, link.client.lastActiveAtMs);
    const mustSpeak = link.phase === "online" || (link.phase === "awaiting" && !link.copyOnly);
    if (mustSpeak && now - heardAtMs > config.number("repl-timeout") * 1000) {
      return link.client.close("the replica has been silent for repl-timeout");
    }
    const limit = config.value("client-output-buffer-limit").replica;
    const waiting = link.lagBytes(log);
    if (limit.hardBytes > 0 && waiting > limit.hardBytes)
      return link.client.close("output buffer limit of replicas");
    if (limit.softBytes === 0 || waiting <= limit.softBytes) {
      link.overSoftSinceMs = 0;
    } else if (link.overSoftSinceMs === 0) {
      link.overSoftSinceMs = now;
    } else if (now - link.overSoftSinceMs > limit.softSeconds * 1000) {
      link.client.close("output buffer limit of replicas");
    }
  }
}

const NOTHING: SnapshotSource = {
  databases: () => [],
  sizes: () => ({ keys: 0, expires: 0 }),
  serialise: () => {},
};
