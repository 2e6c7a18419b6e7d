// The node as a source of keys that move to other servers. A MIGRATE holds its own client until the target has answered;
// everybody else is served meanwhile, but for writes to the keys on their way (keys-in-flight.ts). Keys the target has
// acknowledged are deleted then, all at once, as a DEL would.
import { EVENT_DEL } from "../../../assembly/abi.ts";
import type { Client } from "../../commands/context.ts";
import type { MigrateRequest, Migration } from "../../commands/migrate.ts";
import { Scratch } from "../../engine/scratch.ts";
import { RequestWriter } from "../../resp/request-writer.ts";
import type { Changes } from "../changes.ts";
import { type ClientConnection, connectionOf } from "../client.ts";
import type { Gates } from "../gates.ts";
import type { KeyFeed } from "../key-feed.ts";
import type { Snapshots } from "../snapshots.ts";
import type { Waiting } from "../waiting.ts";
import { Deadlines } from "../../io/deadlines.ts";
import { KeysInFlight } from "./keys-in-flight.ts";
import { TargetLinks } from "./target-links.ts";
import { Packing, type PackingParts } from "./packing.ts";
import { type Outcome, Transfer } from "./transfer.ts";

/** So many are kept for the next requests. */
const SPARE_WRITERS = 4;

export interface MigrationParts extends PackingParts {
  readonly changes: Changes;
  readonly gates: Gates;
  readonly snapshots: Snapshots;
  readonly feed: KeyFeed;
  readonly waiting: Waiting;
  /** Runs changes that no request at hand makes, and tells whoever is to hear of them. */
  unasked<T>(work: () => T): T;
  /** Keys that were in flight no longer are. */
  landed(): void;
}

interface Move {
  readonly client: ClientConnection;
  readonly transfer: Transfer;
  readonly keys: readonly Uint8Array[];
}

export class NodeMigration implements Migration {
  readonly inFlight: KeysInFlight;
  readonly #links = new TargetLinks();
  readonly #deadlines = new Deadlines();
  readonly #moves = new Set<Move>();
  readonly #scratch: Scratch;
  /** Those that nobody uses. */
  readonly #writers: RequestWriter[] = [];
  /** The request of a client is being run. */
  #isInside = false;

  constructor(private readonly parts: MigrationParts) {
    this.inFlight = new KeysInFlight(parts.gates);
    this.#scratch = new Scratch(parts.memory);
  }

  get cachedLinkCount(): number {
    return this.#links.count;
  }

  begin(client: Client, request: MigrateRequest): void {
    const connection = connectionOf(client);
    const { database } = client;
    this.parts.waiting.begin(connection, 0, {});
    this.inFlight.add(request.keys);
    const host = {
      links: this.#links,
      deadlines: this.#deadlines,
      pack: (isSelected: boolean) => {
        const writer = this.#writers.pop() ?? new RequestWriter();
        return new Packing(this.parts, this.#scratch, writer, database, request, isSelected);
      },
      // Looking at a key may find that it has expired, which is told like any change.
      goOn: (packing: Packing) =>
        this.#isInside ? packing.step() : this.parts.unasked(() => packing.step()),
      unpack: (packing: Packing) => {
        packing.close();
        packing.writer.reset();
        if (this.#writers.length < SPARE_WRITERS) this.#writers.push(packing.writer);
      },
    };
    const transfer = new Transfer(host, request, (outcome) => {
      this.#moves.delete(move);
      this.#end(move, database, request, outcome);
    });
    const move = { client: connection, transfer, keys: request.keys };
    this.#moves.add(move);
    this.#isInside = true;
    transfer.begin();
    this.#isInside = false;
  }

  /** The node is to hold what another one holds: what is here is nobody's to give away any more. */
  abort(): void {
    const moves = [...this.#moves];
    this.#moves.clear();
    for (const { client, transfer, keys } of moves) {
      transfer.abort();
      this.inFlight.remove(keys);
      this.parts.waiting.refuseForRole(client);
    }
    if (moves.length > 0) this.parts.landed();
  }

  stop(): void {
    for (const { transfer } of this.#moves) transfer.abort();
    this.#moves.clear();
    this.#links.stop();
    this.#deadlines.stop();
  }

  #end({ client, keys }: Move, database: number, request: MigrateRequest, outcome: Outcome): void {
    const { parts } = this;
    const { error } = outcome;
    parts.unasked(() => {
      if (!request.copy) this.#delete(client, database, outcome.arrived);
      this.inFlight.remove(keys);
      if (error === undefined)
        parts.waiting.answer(
          client,
          (reply) => reply.ok(),
          () => this.#goOn(client),
        );
      else parts.waiting.refuse(client, error);
      parts.landed();
    });
  }

  /** The deletion is the client's own write, as WAIT has it. */
  #goOn(client: ClientConnection): void {
    client.loggedTo = this.parts.changes.log.end;
    client.resume();
  }

  #delete(client: ClientConnection, database: number, keys: readonly Uint8Array[]): void {
    const { memory, changes, feed, snapshots } = this.parts;
    memory.database = database;
    const gone = keys.filter((key) => {
      snapshots.beforeSlot(this.parts.keys.slotOf(key));
      return this.parts.keys.delete(key);
    });
    if (gone.length === 0) return;
    feed.running = client;
    for (const key of gone) changes.notify(database, EVENT_DEL, key);
    changes.propagate(database, ["DEL", ...gone]);
    changes.sinceSave += gone.length;
    feed.done();
  }
}
