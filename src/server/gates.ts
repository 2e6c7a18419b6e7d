// What may stand between a request and its command: authentication, memory, the role of the node, a pause. A gate is
// a bit; a row needs some of them open. While none of a row's gates is closed, which is nearly always, passing them
// is one AND of two numbers. The order of the checks is Redis's.
import { flagBit } from "../commands/flags.ts";
import type { CommandTable } from "../commands/table.ts";
import { NO_AUTH, OUT_OF_MEMORY, ReplyError } from "../resp/errors.ts";
import { isLoopback } from "./addresses.ts";
import type { ClientConnection } from "./client.ts";

/** Closed for a client that has not authenticated. */
export const NEEDS_AUTH = 1;
/** Closed while commands such as DEBUG are not allowed for everybody. */
export const NEEDS_ASSENT = 2;
/** Closed while memory has a ceiling of its own: refused when there is no room below it. */
export const NEEDS_MEMORY = 4;
/** Closed on a replica, and while too few replicas follow. */
export const NEEDS_WRITABLE = 8;
/** Closed on a replica that has lost its master and must not serve what is old. */
export const NEEDS_FRESH = 16;
/** Closed while the data set is being loaded. */
export const NEEDS_LOADED = 32;
/** Closed while clients are paused, all requests or writes. */
export const NEEDS_GO = 64;
export const NEEDS_WRITE_GO = 128;
/** Closed while a snapshot is being taken: what a write touches is serialised first. */
export const NEEDS_SNAPSHOT = 256;
/** Closed while snapshots fail and writes are to stop for that. */
export const NEEDS_DISK = 512;
/** Closed while somebody waits for changes of keys: what a request is about to do to them is looked at. */
export const NEEDS_LOOK = 1024;
/** Gates that let everything through, but want to be told before it runs. */
export const NEEDS_NOTICE = NEEDS_SNAPSHOT | NEEDS_LOOK;

/** Closed for a client of RESP2 while it is subscribed to anything: its replies could not be told from messages. */
export const NEEDS_UNSUBSCRIBED = 2048;

/** Closed as NEEDS_MEMORY is: whatever runs, room is made before it, as far as that can be. */
const NEEDS_ROOM = 4096;

/** What a master's stream may hold: changes, and what else reaches replicas. */
const REPLICATES = flagBit.write | flagBit.may_replicate;

/** Closed for our master's stream, which holds changes and what belongs to the stream itself. */
export const NEEDS_CLIENT = 8192;

/**
 * Closed while keys are on their way to another server: a request that writes one of them waits until it is known
 * whether it stays.
 */
export const NEEDS_ARRIVAL = 16384;

/** Always closed: a request that takes long is prepared in steps first. */
export const NEEDS_STEPS = 32768;

/** The request waits. */
export const HOLD = Symbol("hold");
/** The request runs when it is prepared. */
export const LATER = Symbol("later");

const READ_ONLY_REPLICA = new ReplyError("READONLY You can't write against a read only replica.");
const NO_REPLICAS = new ReplyError("NOREPLICAS Not enough good replicas to write.");
const MASTER_DOWN = new ReplyError(
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
);
const MISCONF = new ReplyError(
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may " +
    "modify the data set are disabled, because this instance is configured to report errors during writes if RDB " +
    "snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
);
export const NOT_IN_STREAM = new ReplyError("ERR Only changes are taken from a master's stream");
const LOADING = new ReplyError("LOADING Redis is loading the dataset in memory");

/** What the gates look at when one of them is closed. */
export interface GateFacts {
  /** `yes`, `no` or `local`: who may run DEBUG. */
  readonly debugAllowed: string;
  /** maxmemory in bytes; 0 = none. */
  readonly memoryCeiling: number;
  /** Makes room below that as far as the policy allows; false = there is none. */
  makeRoom(): boolean;
  readonly isReadOnlyReplica: boolean;
  readonly hasTooFewReplicas: boolean;
  readonly isStale: boolean;
  readonly isLoading: boolean;
  readonly cannotSave: boolean;
  /** Serialises what the request at hand is about to write. */
  settleSnapshot(id: number): void;
  /** Whether the request at hand would change a key that is on its way to another server; it is held then. */
  waitsForArrival(id: number, client: ClientConnection): boolean;
  /** Whether the request at hand is prepared first; its client is blocked then. */
  prepares(client: ClientConnection): boolean;
  /** Looks at what the request at hand is about to do to keys. */
  look(id: number, client: ClientConnection): void;
}

export class Gates {
  /** By row id: the gates it needs open. */
  readonly needs: Uint32Array;
  /** Gates closed for everybody. */
  closed = NEEDS_ASSENT | NEEDS_STEPS;

  constructor(
    private readonly table: CommandTable,
    private readonly facts: GateFacts,
  ) {
    this.needs = Uint32Array.from(
      table.rows,
      ({ id, command }) =>
        needsOf(table.flags[id]!) |
        (command.tellsDiskFaults === true ? NEEDS_DISK : 0) |
        (command.inSteps === true ? NEEDS_STEPS : 0) |
        (command.whileSubscribed === true ? 0 : NEEDS_UNSUBSCRIBED) |
        (command.inStream === true || (table.flags[id]! & REPLICATES) !== 0 ? 0 : NEEDS_CLIENT),
    );
  }

  set(gate: number, isClosed: boolean): void {
    this.closed = isClosed ? this.closed | gate : this.closed & ~gate;
  }

  /** Works out anew which gates are closed. To be called when one of the facts behind them changes. */
  refresh(): void {
    const { facts } = this;
    this.set(NEEDS_ASSENT, facts.debugAllowed !== "yes");
    this.set(NEEDS_MEMORY | NEEDS_ROOM, facts.memoryCeiling > 0);
    this.set(NEEDS_WRITABLE, facts.isReadOnlyReplica || facts.hasTooFewReplicas);
    this.set(NEEDS_FRESH, facts.isStale);
    this.set(NEEDS_LOADED, facts.isLoading);
    this.set(NEEDS_DISK, facts.cannotSave);
  }

  /** Checks that come before routing. */
  admit(id: number, client: ClientConnection): ReplyError | undefined {
    const needs = this.needs[id]!;
    if ((needs & NEEDS_CLIENT & client.closedGates) !== 0) return NOT_IN_STREAM;
    if ((needs & NEEDS_ASSENT) !== 0 && !this.#assents(client)) return this.#notAssented(id);
    if ((needs & NEEDS_AUTH & client.closedGates) !== 0) return NO_AUTH;
    return undefined;
  }

  /** The request at hand is about to run. @param shut gates it needs that are closed, some of NEEDS_NOTICE among them */
  notice(shut: number, id: number, client: ClientConnection): void {
    if ((shut & NEEDS_SNAPSHOT) !== 0) this.facts.settleSnapshot(id);
    if ((shut & NEEDS_LOOK) !== 0) this.facts.look(id, client);
  }

  /** Makes room in memory, and checks what comes after routing. @param shut gates the request needs that are closed */
  pass(
    shut: number,
    id: number,
    client: ClientConnection,
  ): ReplyError | typeof HOLD | typeof LATER | undefined {
    const { facts } = this;
    if (
      (shut & NEEDS_ROOM) !== 0 &&
      facts.memoryCeiling > 0 &&
      !facts.makeRoom() &&
      (shut & NEEDS_MEMORY) !== 0
    )
      return OUT_OF_MEMORY;
    if ((shut & NEEDS_DISK) !== 0 && facts.cannotSave) return MISCONF;
    if ((shut & NEEDS_WRITABLE) !== 0) {
      if (!facts.isReadOnlyReplica && facts.hasTooFewReplicas) return NO_REPLICAS;
      if (facts.isReadOnlyReplica) return READ_ONLY_REPLICA;
    }
    if ((shut & NEEDS_UNSUBSCRIBED) !== 0 && client.protocol === 2) {
      return onlyWhileSubscribed(this.table.rows[id]!.fullName);
    }
    if ((shut & NEEDS_FRESH) !== 0 && facts.isStale) return MASTER_DOWN;
    if ((shut & NEEDS_LOADED) !== 0 && facts.isLoading) return LOADING;
    if ((shut & (NEEDS_GO | NEEDS_WRITE_GO)) !== 0) return HOLD;
    if ((shut & NEEDS_ARRIVAL) !== 0 && facts.waitsForArrival(id, client)) return HOLD;
    return (shut & NEEDS_STEPS) !== 0 && facts.prepares(client) ? LATER : undefined;
  }

  #assents(client: ClientConnection): boolean {
    const { debugAllowed } = this.facts;
    if (debugAllowed === "yes") return true;
    return debugAllowed === "local" && isLoopback(client.connection.remoteAddress);
  }

  #notAssented(id: number): ReplyError {
    const name = this.table.rows[id]!.fullName.toUpperCase();
    return new ReplyError(
      `ERR ${name} command not allowed. If the enable-debug-command option is set to "local", you can run it from ` +
        "a local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
    );
  }
}

const onlyWhileSubscribed = (name: string): ReplyError =>
  new ReplyError(
    `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );

function needsOf(flags: number): number {
  const writes = (flags & flagBit.write) !== 0;
  return (
    ((flags & flagBit.no_auth) === 0 ? NEEDS_AUTH : 0) |
    ((flags & flagBit.protected) !== 0 ? NEEDS_ASSENT : 0) |
    ((flags & flagBit.denyoom) !== 0 ? NEEDS_MEMORY : 0) |
    NEEDS_ROOM |
    (writes ? NEEDS_WRITABLE | NEEDS_SNAPSHOT | NEEDS_DISK | NEEDS_ARRIVAL : 0) |
    ((flags & flagBit.stale) === 0 ? NEEDS_FRESH : 0) |
    ((flags & flagBit.loading) === 0 ? NEEDS_LOADED : 0) |
    (writes || (flags & flagBit.may_replicate) !== 0 ? NEEDS_WRITE_GO : 0) |
    NEEDS_GO |
    NEEDS_LOOK
  );
}
