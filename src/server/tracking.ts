// Tells clients that cache what they read which of it has changed (CLIENT TRACKING). While no connected client has
// asked for it nothing here runs: the dispatcher looks at `isOn`. Which keys changed is the key feed's to find out.
//
// A request's changes are gathered while it runs and told when its reply stands. Who changed a key that it had cached is
// told after the reply; a connection that is told on behalf of another, and changed the key itself, before it.
import { Buffer } from "node:buffer";
import type { Client } from "../commands/context.ts";
import { clientRow } from "../commands/client.ts";
import { flagBit } from "../commands/flags.ts";
import { findKeys, KeyPlaces } from "../commands/getkeys.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Tracked, Tracking, TrackingRequest } from "../commands/tracking.ts";
import type { Args } from "../engine/args.ts";
import { Broadcasts } from "./broadcasts.ts";
import type { ClientConnection } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { KeyFeed, KeyListener } from "./key-feed.ts";
import type { Place, Pushes } from "./pushes.ts";
import { TrackingTable } from "./tracking-table.ts";

/** Keys forgotten at one request while the table is too large; each further request in a row does that much more. */
const EFFORT = 100;

/** In place of a key: all keys. */
const ALL = Symbol("all");

const HEAD = ">2\r\n$10\r\ninvalidate\r\n";
/** What a client of RESP2 is told that is subscribed to anything, as if to a channel of this name. */
const MESSAGE_HEAD = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n";
const nullFor = (protocol: 2 | 3): string => (protocol === 3 ? "_\r\n" : "$-1\r\n");
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const listOf = (keys: readonly string[]): string => `*${keys.length}\r\n${keys.map(bulk).join("")}`;
const broken = (id: number): string => `>2\r\n$21\r\ntracking-redir-broken\r\n:${id}\r\n`;

interface Change {
  readonly key: string | typeof ALL;
  /** Id of the client that made it; 0 = none, the key expired. */
  readonly by: number;
}

export interface TrackingParts {
  readonly table: CommandTable;
  readonly args: Args;
  readonly pushes: Pushes;
  readonly clients: Clients;
  readonly feed: KeyFeed;
}

export class KeyTracking implements Tracking, KeyListener {
  /** Whether requests are looked at. */
  isOn = false;
  /** Clients that have tracking on. */
  clientCount = 0;
  /** tracking-table-max-keys; 0 = no limit. */
  maxKeys = 0;
  /** Connected clients that have had tracking on: the table may hold their ids. */
  readonly #members = new Set<number>();
  readonly #table = new TrackingTable();
  readonly #broadcasts = new Broadcasts();
  readonly #places = new KeyPlaces();
  /** By row id: 1 = CLIENT CACHING outlives it. */
  readonly #keepsCaching: Uint8Array;
  #changes: Change[] = [];
  /** Requests in a row that found the table too large. */
  #overfull = 0;
  /** While changes are told: whose they are, what it is told itself, and where it is told what others are to know. */
  #current: ClientConnection | undefined;
  #own: string[] = [];
  #place: Place = "here";

  constructor(private readonly parts: TrackingParts) {
    this.#keepsCaching = Uint8Array.from(parts.table.rows, ({ container }) =>
      container?.command === clientRow ? 1 : 0,
    );
    parts.feed.add(this);
  }

  get keyCount(): number {
    return this.#table.keyCount;
  }

  get itemCount(): number {
    return this.#table.itemCount;
  }

  get prefixCount(): number {
    return this.#broadcasts.prefixCount;
  }

  start(client: Client, request: TrackingRequest): void {
    const before = client.tracking;
    if (before === undefined) this.clientCount++;
    const added = request.scope === "broadcast" && request.prefixes.length === 0 ? [""] : request.prefixes;
    for (const prefix of added) this.#broadcasts.add(prefix, client.id);
    const prefixes = [...new Set([...(before?.prefixes ?? []), ...added])].toSorted();
    client.tracking = { ...request, prefixes, hasCaching: before?.hasCaching ?? false, isBroken: false };
    this.#members.add(client.id);
    this.#switch();
  }

  stop(client: Client): void {
    if (client.tracking === undefined) return;
    for (const prefix of client.tracking.prefixes) this.#broadcasts.remove(prefix, client.id);
    client.tracking = undefined;
    this.clientCount--;
  }

  left(client: Client): void {
    this.stop(client);
    if (this.#members.delete(client.id)) this.#switch();
  }

  emptied(): void {
    if (this.isOn) this.#changes.push({ key: ALL, by: 0 });
  }

  changed(_database: number, key: string, by: number): void {
    if (this.#table.has(key) || this.#broadcasts.concern(key)) this.#changes.push({ key, by });
  }

  /** A request has run, and its reply stands or, if it is one of a transaction, its part of one. */
  ran(client: ClientConnection, id: number): void {
    if (this.#changes.length > 0) this.#tellRequest(client, id);
    this.#remember(client, id);
    if (client.transaction === undefined && client.tracking !== undefined && this.#keepsCaching[id] === 0)
      client.tracking.hasCaching = false;
  }

  /** A request did not run. @param id undefined = there is no such command */
  refused({ tracking, transaction }: ClientConnection, id: number | undefined): void {
    if (tracking === undefined || transaction !== undefined) return;
    if (id === undefined || this.#keepsCaching[id] === 0) tracking.hasCaching = false;
  }

  /** Tells what changed outside of requests; what a running request does waits for its reply. */
  settle(): void {
    if (!this.isOn || this.parts.feed.running !== undefined) return;
    this.#tellChanges();
    this.broadcast();
  }

  /** Tells changed keys to those who are told by prefix. To be called between batches of requests. */
  broadcast(): void {
    this.#broadcasts.take((id, keys, by) => {
      const client = this.parts.clients.get(id);
      if (client?.tracking === undefined) return;
      const told = client.tracking.noLoop ? keys.filter((key) => by.get(key) !== id) : keys;
      if (told.length > 0) this.#tell(client, client.tracking, listOf(told));
    });
  }

  /** Whether anybody could be told of any key. */
  get awaitsKeys(): boolean {
    return this.#table.keyCount > 0 || this.#broadcasts.prefixCount > 0;
  }

  #switch(): void {
    this.isOn = this.#members.size > 0;
    this.parts.feed.refresh();
    if (this.isOn) return;
    this.#table.clear();
    this.#changes = [];
  }

  #remember({ id: client, tracking }: ClientConnection, row: number): void {
    const { table, args } = this.parts;
    if (tracking === undefined || (table.flags[row]! & flagBit.readonly) === 0) return;
    const { scope, hasCaching } = tracking;
    if (scope === "broadcast" || (scope === "optin" && !hasCaching) || (scope === "optout" && hasCaching))
      return;
    if ((table.flags[row]! & flagBit.pubsub) !== 0 || !findKeys(table, row, args, this.#places)) return;
    for (let n = 0; n < this.#places.count; n++)
      this.#table.remember(args.latin1(this.#places.place(n)), client);
  }

  #tellRequest(client: ClientConnection, id: number): void {
    this.#current = client;
    this.#place = this.#answersFirst(id) ? "after" : "before";
    this.#tellChanges();
    this.#current = undefined;
    this.#place = "after";
    const own = this.#own;
    this.#own = [];
    for (const body of own) if (client.tracking !== undefined) this.#tell(client, client.tracking, body);
    this.#place = "here";
  }

  /** Whether the request at hand answers before it changes what it reads; SET reads only for its GET. */
  #answersFirst(id: number): boolean {
    const { table, args } = this.parts;
    if (table.rows[id]!.command.answersFirst !== true) return false;
    return findKeys(table, id, args, this.#places) && !this.#places.flags(0).includes("OW");
  }

  #tellChanges(): void {
    const changes = this.#changes;
    this.#changes = [];
    for (const { key, by } of changes) {
      if (key === ALL) {
        this.#tellAll();
        continue;
      }
      this.#broadcasts.changed(key, by);
      this.#invalidate(key);
    }
  }

  #invalidate(key: string): void {
    for (const id of this.#table.take(key)) {
      const client = this.parts.clients.get(id);
      if (client?.tracking === undefined || client.tracking.scope === "broadcast") continue;
      if (client !== this.#current) this.#tell(client, client.tracking, listOf([key]));
      else if (!client.tracking.noLoop) this.#own.push(listOf([key]));
    }
  }

  /** No key is what it was. */
  #tellAll(): void {
    for (const client of this.parts.clients.all()) {
      if (client.tracking === undefined) continue;
      const body = nullFor(client.protocol);
      if (client === this.#current) this.#own.push(body);
      else this.#tell(client, client.tracking, body);
    }
    this.#table.clear();
  }

  /** What has no room in the table is told as if it had changed. To be called before a request runs. */
  limit(): void {
    if (this.maxKeys === 0 || this.clientCount === 0 || this.#table.keyCount <= this.maxKeys) {
      this.#overfull = 0;
      return;
    }
    this.#overfull++;
    for (let effort = EFFORT * this.#overfull; effort > 0 && this.#table.keyCount > this.maxKeys; effort--) {
      const key = this.#table.oldest;
      if (key !== undefined) this.#invalidate(key);
    }
  }

  /** @param body what is invalid, as RESP */
  #tell(owner: ClientConnection, tracked: Tracked, body: string): void {
    const { redirect } = tracked;
    const target = redirect === 0 ? owner : this.parts.clients.get(redirect);
    if (target === undefined) {
      tracked.isBroken = true;
      if (owner.protocol === 3) this.#push(owner, broken(redirect));
    } else if (target.protocol === 3) {
      this.#push(target, HEAD + body);
    } else if (redirect !== 0 && target.subscriptions !== undefined) {
      this.#push(target, MESSAGE_HEAD + body);
    }
  }

  #push(target: ClientConnection, text: string): void {
    this.parts.pushes.send(target, Buffer.from(text, "latin1"), this.#place);
  }
}
