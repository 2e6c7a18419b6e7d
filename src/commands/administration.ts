// What the connection and server families ask of the node: its clients, its configuration, what it has counted.
import type { Client } from "./context.ts";

export interface Clients {
  readonly count: number;
  /** In the order they connected. */
  all(): Iterable<Client>;
  get(id: number): Client | undefined;
}

/** Directives by name; see server/config/directives.ts. Names and values stand for bytes, see resp/byte-text.ts. */
export interface Configuration {
  /** As CONFIG GET shows it. */
  text(name: string): string;
  /** Spelling and text of every directive the patterns name. */
  get(patterns: readonly string[]): ReadonlyMap<string, string>;
  /** Sets all pairs or none. */
  set(pairs: readonly (readonly [name: string, text: string])[]): SettingRefused | undefined;
  /** Whether its value is a secret, kept out of logs. */
  isSecret(name: string): boolean;
}

export interface SettingRefused {
  readonly argument: string;
  /** Undefined = there is no such directive. */
  readonly reason: string | undefined;
}

export interface SlowEntry {
  readonly id: number;
  readonly atSeconds: number;
  readonly us: number;
  readonly args: readonly Uint8Array[];
  readonly address: string;
  readonly clientName: string;
}

export interface SlowEntries {
  readonly length: number;
  newest(count: number): readonly SlowEntry[];
  reset(): void;
}

/** Bytes, each counted in one place only. */
export interface MemoryFacts {
  /** All the server has allocated: keyspace, buffers, backlog. */
  readonly used: number;
  readonly peak: number;
  /** What it had allocated before its first key. */
  readonly startup: number;
  /** Of `used`, what is not keys and values. */
  readonly overhead: number;
  readonly resident: number;
  /** The JavaScript heap: bytes alive after its last collection, and bytes of its blocks. */
  readonly scriptHeap: { readonly liveBytes: number; readonly totalBytes: number };
  /** Linear memory of the engine: in blocks, in pages that hold blocks, backed by the system, and addressable. */
  readonly engineUsed: number;
  readonly engineActive: number;
  readonly engineResident: number;
  readonly engineReserved: number;
  readonly machine: number;
  readonly backlog: number;
  readonly replicaBuffers: number;
  readonly clientBuffers: number;
  readonly clusterLinks: number;
  /** Deleted keys and values whose memory is still to be given back, and those for which that is done. */
  readonly waitingObjects: number;
  readonly releasedObjects: number;
  /** The share of the time spent on emptying sparse pages; 0 = none is. */
  readonly defragPercent: number;
}

export interface ShutdownRequest {
  readonly save: boolean | undefined;
  /** Does not wait for replicas that lag. */
  readonly now: boolean;
  /** Goes on where an error would stop it. */
  readonly force: boolean;
}

/** The data on disk. */
export interface Persistence {
  /** Unix seconds of the last save that succeeded, or of the start. */
  readonly lastSaveSeconds: number;
  /** Whether a background save is under way. */
  readonly isSaving: boolean;
  /** Writes everything before it returns; false = it could not. */
  save(): boolean;
  /** Writes the data as it is now while requests go on; false = such a save is under way. */
  saveInBackground(): boolean;
  /** As `saveInBackground`, in a moment: what runs now shall be over. */
  scheduleSave(): void;
}

export interface Administration {
  /** Of slotmesh. */
  readonly version: string;
  readonly isReplica: boolean;
  readonly clients: Clients;
  readonly config: Configuration;
  readonly slowlog: SlowEntries;
  readonly persistence: Persistence;
  /** Unix microseconds, now. */
  microseconds(): number;
  /** The text of INFO for these sections, in lower case; none = the default ones. */
  info(sections: ReadonlySet<string>): string;
  memoryFacts(): MemoryFacts;
  /** How long a row's calls took, if it had any: counts of calls up to each limit at which they grow. */
  /** Gives memory that holds nothing back to the system; false = this system takes none. */
  purgeMemory(): boolean;
  latencyOf(
    id: number,
  ): { readonly calls: number; readonly upTo: readonly (readonly [number, number])[] } | undefined;
  /** CONFIG RESETSTAT. */
  resetStatistics(): void;
  /** CONFIG REWRITE; why it could not be done, if so. */
  rewriteConfig(): string | undefined;
  /** Holds clients' requests, all or just writes, until this moment unless `resumeClients` comes first. */
  pauseClients(what: "all" | "write", untilMs: number): void;
  resumeClients(): void;
  /** Ends a client's blocking command; false = it was in none. */
  unblock(client: Client, how: "timeout" | "error"): boolean;
  /**
   * Saves what is to be saved and begins to end the process, once replicas have everything; why the server goes on, if so
   * and if the client need not wait to be told.
   */
  shutdown(client: Client, request: ShutdownRequest): string | undefined;
  /** Whether there was a shutdown to abort. */
  abortShutdown(): boolean;
  /** Whether keys are looked for that have expired; DEBUG SET-ACTIVE-EXPIRE. */
  expiresActively: boolean;
  /** Holds the whole process; DEBUG SLEEP. */
  sleep(ms: number): void;
  /** Lets the engine fail by a FAULT_ constant, as a defect of ours would; DEBUG SEGFAULT and DEBUG PANIC. */
  fault(kind: number): never;
  warn(text: string): void;
}
