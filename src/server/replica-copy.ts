// One copy of the data for all replicas that ask for it in time. The snapshot behind it is serialised once, and what
// it gives is kept once: in memory for replicas that take a copy whose end is marked, as a file on disk for those that
// must be told its size first. Each replica reads it at its own pace.
//
// In memory no more is kept than a window of it. While that is full the snapshot stands still, for the slowest replica
// that still takes something; one that takes nothing is not waited for, and lags until the limit on the output of
// replicas closes it. The beginning is kept until the window is full for the first time: until then whoever comes may
// still share the copy, and is brought up to date by the log from the copy's cut on.
import { Spool } from "../io/disk.ts";
import { RdbWriter } from "../replication/rdb-writer.ts";
import { SharedBytes, type LogReader } from "../replication/shared-bytes.ts";
import { Snapshot, type SnapshotSource } from "../replication/snapshot.ts";
import type { ReplicaLink } from "./replica-link.ts";
import type { ReplicationHost } from "./replication-host.ts";

/** Bytes of a copy kept in memory, as long as every replica takes them. */
export const COPY_WINDOW = 16 << 20;
/** Bytes read from the file at a time. */
const PIECE = 65536;

const NO_BYTES = new Uint8Array(0);
const encoder = new TextEncoder();

/** One replica's share of a copy. */
export interface CopyReader {
  /** What comes next, as far as it is there; use or copy it before anything else is done to the copy. */
  peek(): Uint8Array;
  /** So much of that was taken. */
  advance(length: number): void;
  /** All of it was taken. */
  readonly isOver: boolean;
  /** Bytes kept in memory until this replica has taken them. */
  readonly lagBytes: number;
  /** Nothing can be sent before the copy is complete. */
  readonly isWaiting: boolean;
}

/** Which history the copy is part of, and what is in it. */
export interface CopyOrigin {
  readonly replId: string;
  readonly offset: number;
  /** The database the stream goes on in. */
  readonly database: number;
  readonly createdAtMs: number;
  /** 40 characters that will not occur in the copy. */
  readonly mark: string;
  readonly source: SnapshotSource;
}

export class ReplicaCopy {
  readonly snapshot: Snapshot;
  /** How many bytes it has, as far as it is produced. */
  readonly bytes = new SharedBytes();
  readonly #readers = new Map<ReplicaLink, MarkedReader | CountedReader>();
  /** Keeps the beginning for those who come later. */
  #door: LogReader | undefined = this.bytes.open("door");
  #spool: Spool | undefined;
  /** How far the file has come. */
  #spooled: LogReader | undefined;

  constructor(
    private readonly host: Pick<ReplicationHost, "rdb" | "memory" | "directory">,
    readonly origin: CopyOrigin,
  ) {
    const { rdb, memory } = host;
    const { replId, offset, database, createdAtMs } = origin;
    const writer = new RdbWriter(
      (crc, bytes) => rdb.crc64(crc, bytes),
      (bytes) => this.bytes.write(bytes),
    );
    this.snapshot = new Snapshot(origin.source, writer, {
      createdAtMs,
      usedMemory: memory.usedBytes,
      aofBase: false,
      replication: { database, replId, offset },
    });
  }

  get links(): readonly ReplicaLink[] {
    return [...this.#readers.keys()];
  }

  get isDone(): boolean {
    return this.snapshot.isDone;
  }

  /** Whether the beginning is still here. */
  get isOpen(): boolean {
    return this.#door !== undefined;
  }

  /** Gives a replica a share. To be called while the copy is open. Throws what the disk refuses. */
  share(link: ReplicaLink): CopyReader {
    const reader = link.endsByMark ? this.#marked() : this.#counted();
    this.#readers.set(link, reader);
    return reader;
  }

  /** A replica has all of it, or is gone. */
  leave(link: ReplicaLink): void {
    this.#readers.get(link)?.close();
    this.#readers.delete(link);
    if (this.#readers.size === 0) this.close();
  }

  /** Nobody wants it any more. */
  close(): void {
    if (this.#door !== undefined) this.bytes.close(this.#door);
    this.#door = undefined;
    this.#spool?.close();
    this.#spool = undefined;
  }

  /**
   * Goes on with the snapshot.
   * @param mayGoOn whether there is time
   * @param isUrgent others wait for a copy that cannot begin before this one ends: slow replicas are not waited for
   */
  produce(mayGoOn: () => boolean, isUrgent: boolean): void {
    if (this.isDone || !this.mayProduce(isUrgent)) return;
    this.snapshot.step(() => {
      this.#settle();
      return mayGoOn() && this.mayProduce(isUrgent);
    });
    this.#settle();
  }

  /** Whether there is room for more. */
  mayProduce(isUrgent: boolean): boolean {
    let leastLag = Infinity;
    let isAllCounted = true;
    for (const [link, reader] of this.#readers) {
      if (reader instanceof CountedReader) continue;
      isAllCounted = false;
      const isWaitedFor = !link.isStuck && !(isUrgent && link.isSlow);
      if (isWaitedFor && reader.lagBytes >= COPY_WINDOW) return false;
      leastLag = Math.min(leastLag, reader.lagBytes);
    }
    return isAllCounted || isUrgent || leastLag < COPY_WINDOW;
  }

  /** What was produced goes to the file, and leaves memory when it may. */
  #settle(): void {
    if (this.#door !== undefined && this.bytes.end >= COPY_WINDOW) {
      this.bytes.close(this.#door);
      this.#door = undefined;
    }
    const { bytes } = this;
    if (this.#spool === undefined || this.#spooled === undefined) return;
    for (;;) {
      const run = bytes.peek(this.#spooled);
      if (run.length === 0) return;
      this.#spool.write(run);
      bytes.advance(this.#spooled, run.length);
    }
  }

  #marked(): MarkedReader {
    const reader = this.bytes.open("copy", 0);
    if (reader === undefined) throw new Error("the copy's beginning is gone");
    return new MarkedReader(this, reader);
  }

  #counted(): CountedReader {
    if (this.#spool === undefined) {
      this.#spool = new Spool(this.host.directory); // first: what the disk refuses must not keep the copy in memory
      this.#spooled = this.bytes.open("file", 0);
      this.#settle();
    }
    return new CountedReader(this, this.#spool);
  }
}

/** `$EOF:<mark>`, the copy, the mark. */
class MarkedReader implements CopyReader {
  isOver = false;
  readonly isWaiting = false;
  /** The head, and later the mark, as far as it was not taken. */
  #frame: Uint8Array;
  #hasEnded = false;

  constructor(
    private readonly copy: ReplicaCopy,
    private readonly reader: LogReader,
  ) {
    this.#frame = encoder.encode(`$EOF:${copy.origin.mark}\r\n`);
  }

  get lagBytes(): number {
    return this.copy.bytes.end - this.reader.position;
  }

  peek(): Uint8Array {
    if (this.#frame.length > 0 || this.#hasEnded) return this.#frame;
    const { bytes, isDone, origin } = this.copy;
    const run = bytes.peek(this.reader);
    if (run.length > 0 || !isDone) return run;
    this.#hasEnded = true;
    this.#frame = encoder.encode(origin.mark);
    return this.#frame;
  }

  advance(length: number): void {
    if (this.#frame.length === 0) return this.copy.bytes.advance(this.reader, length);
    this.#frame = this.#frame.subarray(length);
    this.isOver = this.#hasEnded && this.#frame.length === 0;
  }

  close(): void {
    this.copy.bytes.close(this.reader);
  }
}

/** `$<size>`, the copy. */
class CountedReader implements CopyReader {
  readonly lagBytes = 0;
  #head: Uint8Array | undefined;
  #taken = 0;

  constructor(
    private readonly copy: ReplicaCopy,
    private readonly spool: Spool,
  ) {}

  get isWaiting(): boolean {
    return !this.copy.isDone;
  }

  get isOver(): boolean {
    return this.#head?.length === 0 && this.#taken === this.copy.bytes.end;
  }

  peek(): Uint8Array {
    if (this.isWaiting) return NO_BYTES;
    this.#head ??= encoder.encode(`$${this.copy.bytes.end}\r\n`);
    return this.#head.length > 0 ? this.#head : this.spool.readAt(this.#taken, PIECE);
  }

  advance(length: number): void {
    if (this.#head !== undefined && this.#head.length > 0) this.#head = this.#head.subarray(length);
    else this.#taken += length;
  }

  close(): void {}
}
