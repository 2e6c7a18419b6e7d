// The node as a replica: carries out what the machine of replication/replica.ts wants, and applies the master's stream
// through the path every request takes. What was applied joins our own log byte for byte, so that replicas of ours
// count the same offsets.
import { EXPIRED_ALIVE, EXPIRED_DELETED, EXPIRED_HIDDEN, STATE_KEEP_EXPIRED } from "../../assembly/abi.ts";
import { nowMs } from "../io/clock.ts";
import { contained } from "../io/fault-domain.ts";
import { randomHex } from "../io/random.ts";
import { reasonOf } from "../io/reason.ts";
import { connect, type Connection } from "../io/sockets.ts";
import type { History } from "../replication/history.ts";
import { ReplicaMachine } from "../replication/replica.ts";
import type { ReplicaEffect, ReplicaEvent } from "../replication/replica-events.ts";
import { bytesOf } from "../resp/byte-text.ts";
import { DATABASE_OUT_OF_RANGE, OUT_OF_MEMORY, SELECT_IN_CLUSTER } from "../resp/errors.ts";
import type { ClientConnection } from "./client.ts";
import { NEEDS_CLIENT, NOT_IN_STREAM } from "./gates.ts";
import type { InfoFacts } from "./info.ts";
import { ReplicaLoader } from "./replica-loader.ts";
import type { ReplicationHost } from "./replication-host.ts";

/** What a stream may hold that leaves our keys alone whether we know it or not. */
const HARMLESS = new Set(["PUBLISH", "SPUBLISH", "SCRIPT"]);

const NO_DATABASE = "its stream is in a database this server does not have";
/** Errors of the stream's commands after which nothing that follows can be right. */
const FAULTS: ReadonlyMap<string, string> = new Map([
  [OUT_OF_MEMORY.message, "memory is full here"],
  [DATABASE_OUT_OF_RANGE.message, NO_DATABASE],
  [SELECT_IN_CLUSTER.message, NO_DATABASE],
  [NOT_IN_STREAM.message, "its stream holds what is no change"],
]);

/** What the rest of replication does when this side changes. */
export interface ReplicaListener {
  /** Replicas of ours must ask anew: the data or its history is another now. */
  replicasMustReturn(reason: string): void;
  /** The log has more. */
  logged(): void;
  /** Loading, link or role changed. */
  changed(): void;
}

export class ReplicationReplica {
  readonly machine: ReplicaMachine;
  isLoading = false;
  #loadingSinceMs = 0;
  /** False once the data is in no history: after a copy that failed half-way. */
  #hasHistory = true;
  #connection: Connection | undefined;
  #attempt = 0;
  #client: ClientConnection | undefined;
  /** Database the stream is in. */
  #database = 0;
  /** Bytes of the stream whose command has not come whole, and how many they are. */
  #unapplied: Uint8Array[] = [];
  #unappliedBytes = 0;
  #loader: ReplicaLoader | undefined;
  readonly #waiting: ReplicaEvent[] = [];
  #isFeeding = false;
  #mustAcknowledge = false;
  /** A command of the stream that we cannot run at all. */
  #fault: string | undefined;

  constructor(
    private readonly host: ReplicationHost,
    private readonly history: History,
    private readonly listener: ReplicaListener,
  ) {
    const hasHistory = (): boolean => this.#hasHistory;
    const filled = (value: string): Uint8Array | undefined => (value === "" ? undefined : bytesOf(value));
    this.machine = new ReplicaMachine({
      get replId() {
        return hasHistory() ? history.replId : undefined;
      },
      get offset() {
        return host.log.end;
      },
      get port() {
        return host.config.number("replica-announce-port") || host.port;
      },
      get announceIp() {
        return filled(host.config.text("replica-announce-ip"));
      },
      get user() {
        return filled(host.config.text("masteruser"));
      },
      get password() {
        return filled(host.config.text("masterauth"));
      },
      get timeoutMs() {
        return host.config.number("repl-timeout") * 1000;
      },
    });
  }

  get isFollowing(): boolean {
    return this.machine.master !== undefined;
  }

  /** A copy on its way into memory. */
  get loading(): InfoFacts["persistence"]["loading"] {
    if (!this.isLoading || this.#loader === undefined) return undefined;
    const { loadedBytes, totalBytes } = this.#loader.progress;
    return {
      sinceMs: this.#loadingSinceMs,
      loadedBytes,
      totalBytes: totalBytes ?? this.machine.copyProgress?.total,
    };
  }

  /** False while its data are no master's: a copy is coming in, or was broken off. */
  get holdsMastersData(): boolean {
    return this.#hasHistory;
  }

  /** The database of the master's stream; undefined = there is no master. */
  get streamDatabase(): number | undefined {
    return this.isFollowing ? this.#database : undefined;
  }

  /** Whether the data is part of the history; false after a copy that failed half-way. */
  get hasHistory(): boolean {
    return this.#hasHistory;
  }

  /** The data is as our former master's stream left it, in this database. */
  resume(database: number): void {
    this.#database = database;
  }

  isMaster(client: { readonly id: number }): boolean {
    return this.#client !== undefined && client === this.#client;
  }

  follow(host: string, port: number): void {
    const { log, config, changes, memory } = this.host;
    changes.apart(); // in a transaction, what it wrote before this ends here
    changes.isFollowing = true;
    log.window = config.number("repl-backlog-size");
    memory.setU32(STATE_KEEP_EXPIRED, EXPIRED_HIDDEN);
    this.feed({ type: "follow", host, port });
  }

  /** The data is our own from here on. */
  stop(): void {
    const { log, changes, memory } = this.host;
    if (!this.isFollowing) return;
    this.feed({ type: "stop" });
    changes.isFollowing = false;
    memory.setU32(STATE_KEEP_EXPIRED, EXPIRED_DELETED);
    if (this.#hasHistory) this.history.shift(randomHex(20), log.end);
    else this.history.renew(randomHex(20));
    this.#hasHistory = true;
    log.forgetDatabase();
  }

  /** The data is no longer what its history says. */
  forgetHistory(): void {
    if (this.isFollowing) this.#hasHistory = false;
    else this.history.renew(randomHex(20));
  }

  tick(): void {
    if (this.isFollowing) this.feed({ type: "tick" });
  }

  /** REPLCONF GETACK came down the stream: answered once what came with it is counted. */
  acknowledge(): void {
    this.#mustAcknowledge = true;
  }

  /** Gives the machine an event; one that arises while another is carried out waits for its turn. */
  feed(event: ReplicaEvent): void {
    this.#waiting.push(event);
    if (this.#isFeeding) return;
    this.#isFeeding = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        for (const effect of this.machine.step(next, nowMs())) this.#carryOut(effect);
        if (next.type !== "tick") this.listener.changed();
      }
    } finally {
      this.#isFeeding = false;
    }
  }

  #carryOut(effect: ReplicaEffect): void {
    switch (effect.type) {
      case "connect":
        return this.#connect(effect.host, effect.port);
      case "send":
        return this.#connection?.send(effect.bytes);
      case "disconnect":
        return this.#disconnect();
      case "copyBegins":
        return this.#copyBegins(effect.replId, effect.offset);
      case "copy":
        return this.#loader?.take(effect.bytes);
      case "copyEnds":
        return this.#loader?.end();
      case "continues":
        return this.#continues(effect.replId);
      case "stream":
        return this.#apply(effect.bytes);
      case "log":
        return effect.level === "warning" ? this.host.warn(effect.text) : this.host.notice(effect.text);
      default:
        effect satisfies never;
    }
  }

  #connect(host: string, port: number): void {
    const attempt = ++this.#attempt;
    const refused = contained((error: unknown) => {
      if (attempt === this.#attempt) this.feed({ type: "closed", reason: reasonOf(error) });
    });
    const opened = contained((connection: Connection) => this.#opened(attempt, connection));
    connect(host, port, this.host.config.number("repl-timeout") * 1000).then(opened, refused);
  }

  #opened(attempt: number, connection: Connection): void {
    const isCurrent = (): boolean => attempt === this.#attempt;
    if (!isCurrent()) return connection.close();
    connection.user = {
      received: (bytes) => {
        this.host.stats.totals.replicationInputBytes += bytes.length;
        if (isCurrent()) this.feed({ type: "received", bytes });
      },
      closed: () => {
        if (isCurrent()) this.feed({ type: "closed", reason: "the connection was closed" });
      },
    };
    this.#connection = connection;
    if (connection.isClosed) this.feed({ type: "closed", reason: "the connection was closed" });
    else this.feed({ type: "connected" });
  }

  #disconnect(): void {
    this.#attempt++;
    this.#loader?.abandon();
    this.#loader = undefined;
    this.#unapplied = [];
    this.#unappliedBytes = 0;
    if (this.#client !== undefined) {
      this.#client.input.release();
      this.host.left(this.#client);
    }
    this.#client = undefined;
    this.#connection?.close();
    this.#connection = undefined;
  }

  #copyBegins(replId: string | undefined, offset: number): void {
    const { log } = this.host;
    const listener = {
      replacing: (): void => {
        this.isLoading = true;
        this.#loadingSinceMs = nowMs();
        this.host.replacing();
        this.#hasHistory = false;
        this.listener.replicasMustReturn("our own master gave us another copy");
        this.listener.changed();
      },
      loaded: (database: number): void => {
        this.#loader = undefined;
        this.isLoading = false;
        this.#database = database;
        // The copy is in memory only: to the save points it is as many changes.
        this.host.changes.sinceSave += this.host.keys.total();
        this.#hasHistory = replId !== undefined;
        this.history.renew(replId ?? randomHex(20));
        log.restart(offset);
        this.feed({ type: "loaded" });
      },
      failed: (reason: string, hadReplaced: boolean): void => {
        this.#loader = undefined;
        this.isLoading = false;
        if (hadReplaced) this.#hasHistory = false;
        this.feed({ type: "loadFailed", reason });
      },
    };
    const holdsData = this.host.keys.total() > 0;
    if (!holdsData) this.#hasHistory = false; // there is nothing a history could speak of
    this.#loader = new ReplicaLoader(this.host, listener, holdsData);
  }

  #continues(replId: string | undefined): void {
    if (replId === undefined || replId === this.history.replId) return;
    this.history.shift(replId, this.host.log.end);
    this.listener.replicasMustReturn("the history goes on under another id");
  }

  /** Runs the stream's commands and counts those that came whole. */
  #apply(bytes: Uint8Array): void {
    const { host } = this;
    const client = this.#masterClient();
    if (client === undefined) return;
    this.#unapplied.push(bytes);
    this.#unappliedBytes += bytes.length;
    // Our master's commands see what the master saw when it ran them.
    host.memory.setU32(STATE_KEEP_EXPIRED, EXPIRED_ALIVE);
    host.receive(client, bytes);
    host.memory.setU32(STATE_KEEP_EXPIRED, this.isFollowing ? EXPIRED_HIDDEN : EXPIRED_DELETED);
    const fault = this.#fault ?? (client.isFinishing ? "its stream cannot be read on" : undefined);
    this.#fault = undefined;
    if (fault !== undefined) {
      // What cannot be read or run leaves our data another than the master's: only a full copy puts that right.
      this.#hasHistory = false;
      this.feed({ type: "closed", reason: fault });
      return;
    }
    this.#database = client.database;
    // A transaction counts once all of it is here: a link that breaks within it must bring it from its beginning.
    this.#count(client.input.keptBytes + (client.transaction?.streamBytes ?? 0));
    this.listener.logged();
    if (!this.#mustAcknowledge) return;
    this.#mustAcknowledge = false;
    this.feed({ type: "acknowledge" });
  }

  /** All of the unapplied bytes but the last `kept` have been applied. */
  #count(kept: number): void {
    let index = 0;
    while (this.#unappliedBytes > kept) {
      const piece = this.#unapplied[index];
      if (piece === undefined) break;
      const part = piece.subarray(0, this.#unappliedBytes - kept);
      this.host.log.appendStream(part);
      this.#unappliedBytes -= part.length;
      if (part.length === piece.length) index++;
      else this.#unapplied[index] = piece.subarray(part.length);
    }
    if (index > 0) this.#unapplied.splice(0, index);
  }

  #masterClient(): ClientConnection | undefined {
    if (this.#client === undefined && this.#connection !== undefined) {
      const client = this.host.clientFor(this.#connection);
      client.closedGates |= NEEDS_CLIENT;
      client.replyMode = "off";
      client.database = this.#database;
      const stop = (fault: string | undefined): void => {
        if (fault === undefined) return;
        this.#fault ??= fault;
        client.finish(); // nothing behind it runs
      };
      client.onUnknown = (name) => {
        if (!HARMLESS.has(name.toUpperCase())) stop(`its stream holds ${name}, unknown here`);
        return true;
      };
      client.onError = (text) => {
        this.host.warn(`A command of our master failed here, so our data differ: ${text}`);
        stop(FAULTS.get(text));
      };
      this.#client = client;
    }
    return this.#client;
  }
}
