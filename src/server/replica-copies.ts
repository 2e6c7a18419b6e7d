// When copies for replicas begin, and who shares one. A copy begins as soon as somebody asks; who comes while its beginning
// is still kept shares it, who comes later shares the next, which begins when this one has been produced, or beside it for
// those that have waited for long. Where
// `repl-diskless-sync-delay` says so, a copy waits that long for more replicas, or until there are
// `repl-diskless-sync-max-replicas`.
import { monotonicUs, nowMs, soon } from "../io/clock.ts";
import { randomHex } from "../io/random.ts";
import type { History } from "../replication/history.ts";
import type { SnapshotSource } from "../replication/snapshot.ts";
import { isRefusal } from "./rdb-intake.ts";
import { type CopyOrigin, ReplicaCopy } from "./replica-copy.ts";
import type { ReplicaLink } from "./replica-link.ts";
import type { ReplicationHost } from "./replication-host.ts";

/** Microseconds a snapshot may take of the event loop at a time. */
const BUDGET_US = 2000;
/** Copies that replicas have not taken to the end; while there are so many, no other begins. */
const MOST_COPIES = 4;
/** Replicas that have waited so long are not kept waiting any more by those that take the copy before them. */
const URGENT_MS = 5000;

interface Waiter {
  readonly sinceMs: number;
  /** Told when it has its share. */
  readonly begun: (origin: CopyOrigin) => void;
}

export class ReplicaCopies {
  readonly #copies = new Set<ReplicaCopy>();
  readonly #waiting = new Map<ReplicaLink, Waiter>();
  #isScheduled = false;

  constructor(
    private readonly host: ReplicationHost,
    private readonly history: History,
    private readonly parts: {
      /** The database the stream of our own master is in; undefined = we have no master. */
      streamDatabase(): number | undefined;
      /** There is more to be sent. */
      produced(): void;
    },
  ) {}

  /** What is kept of copies until replicas have taken it. */
  get memoryBytes(): number {
    let total = 0;
    for (const copy of this.#copies) total += copy.bytes.memoryBytes;
    return total;
  }

  /** Gives a replica its share of a copy, at once if one can be had. @param begun told when it has it */
  ask(link: ReplicaLink, begun: (origin: CopyOrigin) => void): void {
    link.phase = "waiting";
    this.#waiting.set(link, { sinceMs: nowMs(), begun });
    if (link.withoutKeys) return this.#begin(new ReplicaCopy(this.host, this.#cut(NO_KEYS)), [link]);
    for (const copy of this.#copies) if (this.#isShared(copy, link)) return this.#begin(copy, [link]);
    this.#beginIfDue();
  }

  /** A replica has all of its copy, or is gone. */
  leave(link: ReplicaLink): void {
    this.#waiting.delete(link);
    for (const copy of this.#copies) {
      if (!copy.links.includes(link)) continue;
      copy.leave(link);
      if (copy.links.length === 0) this.#drop(copy);
    }
    this.wake();
  }

  /**
   * A replica has taken something, or time has passed: copies may begin or go on, behind the batch at hand. A copy never
   * begins within one, where a transaction may have changed keys and not logged it yet.
   */
  wake(): void {
    if (this.#isScheduled || !this.#hasWork) return;
    this.#isScheduled = true;
    soon(() => {
      this.#isScheduled = false;
      this.#beginIfDue();
      this.#produce();
    });
  }

  get #hasWork(): boolean {
    if (this.#waiting.size > 0 && this.#copies.size < MOST_COPIES) return true;
    return this.#producing().some((copy) => copy.mayProduce(this.#isUrgent));
  }

  #producing(): readonly ReplicaCopy[] {
    return [...this.#copies].filter((copy) => !copy.isDone);
  }

  /** Somebody has waited for long. */
  get #isPressing(): boolean {
    for (const { sinceMs } of this.#waiting.values()) return nowMs() - sinceMs > URGENT_MS;
    return false;
  }

  /** Somebody has waited for long, and no other copy can be begun. */
  get #isUrgent(): boolean {
    return this.#copies.size >= MOST_COPIES && this.#isPressing;
  }

  #beginIfDue(): void {
    if (this.#copies.size >= MOST_COPIES) return;
    if (this.#producing().length > 0 && !this.#isPressing) return;
    const { config } = this.host;
    const delayMs = config.number("repl-diskless-sync-delay") * 1000;
    const enough = config.number("repl-diskless-sync-max-replicas");
    for (const { sinceMs } of this.#waiting.values()) {
      const isDue = nowMs() - sinceMs >= delayMs || (enough > 0 && this.#waiting.size >= enough);
      if (!isDue) return;
      const copy = new ReplicaCopy(this.host, this.#cut(this.host.snapshots.source));
      return this.#begin(copy, [...this.#waiting.keys()]);
    }
  }

  #cut(source: SnapshotSource): CopyOrigin {
    const { log } = this.host;
    const database = this.parts.streamDatabase();
    // A reader that begins here must be told the database; in our master's stream nothing can be inserted.
    if (database === undefined) log.forgetDatabase();
    return {
      replId: this.history.replId,
      offset: log.end,
      database: database ?? 0,
      createdAtMs: nowMs(),
      mark: randomHex(20),
      source,
    };
  }

  /** Whether a copy can still be had, and the log from its cut on. */
  #isShared(copy: ReplicaCopy, link: ReplicaLink): boolean {
    const { replId, offset, source } = copy.origin;
    if (!copy.isOpen || source === NO_KEYS || replId !== this.history.replId) return false;
    return link.copyOnly || offset >= this.host.log.start;
  }

  #begin(copy: ReplicaCopy, links: readonly ReplicaLink[]): void {
    const { log, snapshots } = this.host;
    const hasKeys = copy.origin.source !== NO_KEYS;
    if (!this.#copies.has(copy)) {
      this.#copies.add(copy);
      if (hasKeys) snapshots.add(copy.snapshot, (error) => this.#failed(copy, error));
    }
    for (const link of links) {
      const waiter = this.#waiting.get(link);
      this.#waiting.delete(link);
      try {
        link.beginCopy(copy.share(link), link.copyOnly ? undefined : log.open("replica", copy.origin.offset));
        if (!hasKeys) copy.produce(() => true, true);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        link.client.close(`its copy failed: ${error.message}`);
        continue;
      }
      waiter?.begun(copy.origin);
    }
    if (copy.links.length === 0) this.#drop(copy);
    this.wake();
  }

  /** Each copy that may go on has its part of the time. */
  #produce(): void {
    const isUrgent = this.#isUrgent;
    const due = this.#producing().filter((copy) => copy.mayProduce(isUrgent));
    for (const copy of due) {
      const endUs = monotonicUs() + BUDGET_US / due.length;
      try {
        copy.produce(() => monotonicUs() < endUs, isUrgent);
      } catch (error) {
        this.#failed(copy, error);
        continue;
      }
      if (copy.isDone) this.host.snapshots.remove(copy.snapshot);
    }
    if (due.length === 0) return;
    this.parts.produced();
    this.wake();
  }

  #failed(copy: ReplicaCopy, error: unknown): void {
    if (!isRefusal(error)) throw error;
    this.#drop(copy);
    for (const link of copy.links) link.client.close(`its copy failed: ${error.message}`);
  }

  #drop(copy: ReplicaCopy): void {
    this.#copies.delete(copy);
    this.host.snapshots.remove(copy.snapshot);
    copy.close();
  }
}

const NO_KEYS: SnapshotSource = {
  databases: () => [],
  sizes: () => ({ keys: 0, expires: 0 }),
  serialise: () => {},
};
