// The node as a source of keys that move to other servers. A MIGRATE holds its own client until the target has answered;
// everybody else is served meanwhile, but for writes to the keys on their way (keys-in-flight.ts). Keys the target has
// acknowledged are deleted then, all at once, as a DEL would.
import { EVENT_DEL } from "../../../assembly/abi.ts";
import type { Client } from "../../commands/context.ts";
import type { MigrateRequest, Migration } from "../../commands/migrate.ts";
import type { Keys } from "../../engine/keys.ts";
import type { Memory } from "../../engine/memory.ts";
import type { Rdb } from "../../engine/rdb.ts";
import { Scratch } from "../../engine/scratch.ts";
import { nowMs } from "../../io/clock.ts";
import { RequestWriter } from "../../resp/request-writer.ts";
import type { Changes } from "../changes.ts";
import { type ClientConnection, connectionOf } from "../client.ts";
import type { Gates } from "../gates.ts";
import type { KeyFeed } from "../key-feed.ts";
import type { Snapshots } from "../snapshots.ts";
import type { Waiting } from "../waiting.ts";
import { KeysInFlight } from "./keys-in-flight.ts";
import { TargetLinks } from "./target-links.ts";
import { type Outcome, type Shipment, Transfer } from "./transfer.ts";

export interface MigrationParts {
  readonly memory: Memory;
  readonly keys: Keys;
  readonly rdb: Rdb;
  readonly changes: Changes;
  readonly gates: Gates;
  readonly snapshots: Snapshots;
  readonly feed: KeyFeed;
  readonly waiting: Waiting;
  readonly inCluster: boolean;
  /** Runs changes that no request at hand makes, and tells whoever is to hear of them. */
  aside<T>(work: () => T): T;
  /** Keys that were in flight no longer are. */
  landed(): void;
}

interface Journey {
  readonly client: ClientConnection;
  readonly transfer: Transfer;
  readonly keys: readonly Uint8Array[];
}

export class NodeMigration implements Migration {
  readonly inFlight: KeysInFlight;
  readonly #links = new TargetLinks();
  readonly #journeys = new Set<Journey>();
  readonly #writer = new RequestWriter();
  readonly #scratch: Scratch;
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
      pack: (asked: MigrateRequest, isSelected: boolean): Shipment => {
        const pack = (): Shipment => this.#pack(database, asked, isSelected);
        return this.#isInside ? pack() : this.parts.aside(pack);
      },
    };
    const transfer = new Transfer(host, request, (outcome) => {
      this.#journeys.delete(journey);
      this.#end(journey, database, request, outcome);
    });
    const journey = { client: connection, transfer, keys: request.keys };
    this.#journeys.add(journey);
    this.#isInside = true;
    transfer.begin();
    this.#isInside = false;
  }

  /** The node is to hold what another one holds: what is here is nobody's to give away any more. */
  abort(): void {
    const journeys = [...this.#journeys];
    this.#journeys.clear();
    for (const { client, transfer, keys } of journeys) {
      transfer.abort();
      this.inFlight.remove(keys);
      this.parts.waiting.refuseForRole(client);
    }
    if (journeys.length > 0) this.parts.landed();
  }

  stop(): void {
    for (const { transfer } of this.#journeys) transfer.abort();
    this.#journeys.clear();
    this.#links.stop();
  }

  /** The requests that carry the keys; those that have expired meanwhile are left out. */
  #pack(database: number, request: MigrateRequest, isSelected: boolean): Shipment {
    const { memory, keys, rdb, inCluster } = this.parts;
    const writer = this.#writer;
    const { auth } = request;
    if (auth !== undefined) {
      writer.begin(1 + auth.length);
      writer.text("AUTH");
      for (const word of auth) writer.bytes(word);
    }
    if (!isSelected) {
      writer.begin(2);
      writer.text("SELECT");
      writer.text(String(request.database));
    }
    const sent: Uint8Array[] = [];
    memory.nowMs = nowMs();
    memory.database = database;
    try {
      for (const key of request.keys) {
        const expireAtMs = keys.expireAtMs(key);
        if (expireAtMs === undefined) continue;
        writer.begin(request.replace ? 5 : 4);
        writer.text(inCluster ? "RESTORE-ASKING" : "RESTORE");
        writer.bytes(key);
        writer.text(String(expireAtMs === 0 ? 0 : Math.max(1, expireAtMs - memory.nowMs)));
        const payload = rdb.dump(this.#scratch.bring(key));
        if (payload === undefined) throw new Error("a key that is there has no value");
        writer.bytes(memory.bytes.subarray(payload.ptr, payload.ptr + payload.length));
        if (request.replace) writer.text("REPLACE");
        sent.push(key);
      }
    } catch (error) {
      writer.take();
      throw error;
    }
    return {
      blocks: writer.take(),
      preludes: (auth === undefined ? 0 : 1) + (isSelected ? 0 : 1),
      keys: sent,
    };
  }

  #end({ client, keys }: Journey, database: number, request: MigrateRequest, outcome: Outcome): void {
    const { parts } = this;
    const { error } = outcome;
    parts.aside(() => {
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
