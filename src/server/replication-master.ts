// The node as a master: replicas come by PSYNC, get a copy where they need one (replica-copies.ts) and then every change.
import type { ReplicaFact } from "../commands/context.ts";
import { nowMs, soon } from "../io/clock.ts";
import { DiskError } from "../io/disk.ts";
import { randomHex } from "../io/random.ts";
import type { History } from "../replication/history.ts";
import { answerPsync, type PsyncRequest } from "../replication/psync.ts";
import type { Reply } from "../resp/reply.ts";
import type { ClientConnection } from "./client.ts";
import { ReplicaCopies } from "./replica-copies.ts";
import { ReplicaLink } from "./replica-link.ts";
import type { ReplicationHost } from "./replication-host.ts";

/** Bytes that go to replicas, whoever they are, before everybody else has a turn. */
export const TURN_BYTES = 4 << 20;

const encoder = new TextEncoder();

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
  readonly #copies: ReplicaCopies;
  /** Bytes that may still be sent in this turn. */
  #allowance = TURN_BYTES;
  /** They are used up: it goes on in the next. */
  #isResting = false;

  constructor(
    private readonly host: ReplicationHost,
    private readonly history: History,
    /** The database the stream of our own master is in; undefined = we have no master. */
    private readonly streamDatabase: () => number | undefined,
  ) {
    this.#copies = new ReplicaCopies(host, history, { streamDatabase, produced: () => this.flush() });
  }

  /** Replicas that asked for the data, in the order they came. */
  get replicas(): readonly ReplicaLink[] {
    return [...this.#links.values()].filter((link) => link.phase !== "introduced");
  }

  /** Bytes of copies kept until replicas have taken them. */
  get copyBytes(): number {
    return this.#copies.memoryBytes;
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
    client.onDrained = () => this.#pump(link);
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
        return link.afterReply(() => this.#pump(link));
      }
      if (request.replId !== "?") stats.totals.partialSyncsRefused++;
      host.notice(`Full copy for replica ${link.ip}:${link.port}: ${answer.reason}`);
    }
    stats.totals.fullSyncs++;
    this.#keepBacklog();
    let isLater = false;
    this.#copies.ask(link, ({ replId, offset }) => {
      const line = `FULLRESYNC ${replId} ${offset}`;
      if (isLater) {
        if (request !== undefined) link.send(encoder.encode(`+${line}\r\n`));
        return this.#pump(link);
      }
      if (request !== undefined) reply.simple(line);
    });
    isLater = true;
    link.afterReply(() => this.#pump(link));
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
    link.ackAtMs = nowMs();
    // Nobody has more than there is: whoever says so must not make WAIT count what it does not have.
    if (offset <= this.host.log.end) link.ackOffset = Math.max(link.ackOffset, offset);
    if (link.phase === "awaiting" && !link.copyOnly) {
      link.phase = "online";
      this.host.notice(`Replica ${link.ip}:${link.port} is online`);
      this.#pump(link);
    }
    for (const [waiter, wanted] of this.#waiters) {
      const now = this.#countAt(wanted.offset);
      if (now >= wanted.count) this.host.waiting.answer(waiter, (reply) => reply.integer(now));
    }
  }

  /** What is new in the log, and in copies, goes to the replicas. */
  flush(): void {
    if (this.#isResting) return;
    for (const link of this.#links.values()) if (!this.#pump(link)) return;
  }

  /** Sends a replica what there is for it; false = no more may be sent in this turn. */
  #pump(link: ReplicaLink): boolean {
    if (this.#isResting) return false;
    const { phase } = link;
    try {
      this.#allowance -= link.pump(this.host.log, this.#allowance);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      link.client.close(`its copy failed: ${error.message}`);
    }
    if (phase === "copying") {
      if (link.phase !== "copying") this.#copies.leave(link);
      this.#copies.wake();
    }
    if (this.#allowance > 0) return true;
    this.#isResting = true;
    soon(() => {
      this.#isResting = false;
      this.#allowance = TURN_BYTES;
      this.#flushAfter(link.client.id);
    });
    return false;
  }

  /** As `flush`, beginning behind the one that was last. */
  #flushAfter(id: number): void {
    for (const link of this.#links.values()) if (link.client.id > id && !this.#pump(link)) return;
    for (const link of this.#links.values()) if (link.client.id <= id && !this.#pump(link)) return;
  }

  left(client: ClientConnection): void {
    const link = this.#links.get(client.id);
    if (link === undefined) return;
    this.#links.delete(client.id);
    if (link.phase !== "introduced") {
      this.#leftAtMs = nowMs();
      this.host.notice(`Replica ${link.ip}:${link.port} has left`);
    }
    this.#copies.leave(link);
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
    this.#copies.wake();
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
    let count = 0;
    for (const link of this.#links.values()) if (link.phase === "online" && link.ackOffset >= offset) count++;
    return count;
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

  /** Closes a replica that is silent or takes too little. */
  #check(link: ReplicaLink, now: number): void {
    const { config, log } = this.host;
    // A replica that loads its copy sends empty lines instead of acknowledgements.
    const heardAtMs = Math.max(link.ackAtMs, link.client.lastActiveAtMs);
    const mustSpeak = link.phase === "online" || (link.phase === "awaiting" && !link.copyOnly);
    if (mustSpeak && now - heardAtMs > config.number("repl-timeout") * 1000) {
      return link.client.close("the replica has been silent for repl-timeout");
    }
    const tookAtMs = link.look(now);
    if (link.phase === "copying" && now - tookAtMs > config.number("repl-timeout") * 1000) {
      return link.client.close("the replica has taken nothing of its copy for repl-timeout");
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
