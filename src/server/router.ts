// Where a request's keys live: its slot goes into the state block for the engine, and in cluster mode it decides whether
// the request is served here. Slots that are served without more ado are ones in an array the cluster machine keeps;
// everything else is the machine's `route` to decide.
import { STATE_ARGC, STATE_SLOT } from "../../assembly/abi.ts";
import { flagBit } from "../commands/flags.ts";
import { findKeys, KeyPlaces } from "../commands/getkeys.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Args } from "../engine/args.ts";
import type { RequestArena } from "../engine/request-memory.ts";
import type { ReplyError } from "../resp/errors.ts";
import type { Slice } from "../resp/reply.ts";
import type { ClientConnection } from "./client.ts";
import type { Transaction } from "./transaction.ts";

const ARGC = STATE_ARGC >> 2;
const SLOT = STATE_SLOT >> 2;

/** What decides about slots that are not simply served here; undefined = the node is not part of a cluster. */
export interface SlotAuthority {
  /** By slot: 1 = any client is served here. */
  readonly serveHere: Uint8Array;
  /** Decides for all else. */
  refusal(request: SlotRequest, client: ClientConnection): ReplyError | undefined;
}

/** What a request, or a whole transaction, wants of the slot of its first key. */
export interface SlotRequest {
  readonly slot: number;
  readonly isCrossSlot: boolean;
  /** Row of the command; of a transaction, EXEC's. */
  readonly id: number;
  /** Bits of flags.ts: the row's, or those of any request of a transaction. */
  readonly flags: number;
  /** Visits each of its keys. */
  eachKey(visit: (key: Slice) => void): void;
}

export class Router {
  /** By row id: 1 = its requests may name keys. */
  readonly hasKeys: Uint8Array;
  /** By row id: index of the one key it has; 0 = it may have several. */
  readonly #onlyKey: Uint8Array;
  readonly #places = new KeyPlaces();

  constructor(
    private readonly table: CommandTable,
    private readonly requests: RequestArena,
    private readonly args: Args,
    private readonly authority: SlotAuthority | undefined,
  ) {
    this.hasKeys = Uint8Array.from(table.rows, ({ command }) => (command.keys?.length ? 1 : 0));
    this.#onlyKey = Uint8Array.from(table.rows, ({ id }) => {
      const first = table.firstKey[id]!;
      return table.hasPlainKeys[id] === 1 && table.lastKey[id] === first && first > 0 ? first : 0;
    });
  }

  /** Finds the slot of the request in the argv table. @returns why it is not served here, if it is not */
  place(id: number, argc: number, client: ClientConnection): ReplyError | undefined {
    const { memory } = this.requests;
    const only = this.#onlyKey[id]!;
    if (only === 0) return this.#placeAll(id, client);
    if (only >= argc) return undefined;
    const pair = this.requests.argv + only * 2;
    const slot = memory.wasm.slotOf(memory.u32[pair]!, memory.u32[pair + 1]!);
    memory.u32[SLOT] = slot;
    const { authority } = this;
    if (authority === undefined || authority.serveHere[slot] === 1 || client.isMaster) return undefined;
    return authority.refusal(this.#request(slot, false, id), client);
  }

  /** Finds the slot of a request that is served here whatever it is. */
  locate(id: number): void {
    const { memory } = this.requests;
    const { table, args } = this;
    const only = this.#onlyKey[id]!;
    let first = only;
    if (only === 0 && findKeys(table, id, args, this.#places) && this.#places.count > 0)
      first = this.#places.place(0);
    if (first > 0 && first < args.count)
      memory.u32[SLOT] = memory.wasm.slotOf(args.ptr(first), args.length(first));
  }

  /** The slot of the first key of the request just placed; -1 = it names none. */
  slotFound(id: number): number {
    if (this.hasKeys[id] === 0 || !findKeys(this.table, id, this.args, this.#places)) return -1;
    return this.#places.count > 0 ? this.requests.memory.u32[SLOT]! : -1;
  }

  /** As `place` for all requests of a transaction. */
  placeAllOf(transaction: Transaction, id: number, client: ClientConnection): ReplyError | undefined {
    const { authority } = this;
    const { slot, isCrossSlot } = transaction;
    if (authority === undefined || client.isMaster) return undefined;
    if (authority.serveHere[slot] === 1 && !isCrossSlot) return undefined;
    const eachKey = (visit: (key: Slice) => void): void =>
      this.#eachQueued(transaction, (queued) => this.#eachKey(queued, visit));
    return authority.refusal({ slot, isCrossSlot, id, flags: transaction.flags, eachKey }, client);
  }

  /**
   * Whether a request that writes, or one of a transaction, has a key the test is true of, or names no key and so may
   * write any.
   * @param transaction what EXEC is about to run; undefined = the request at hand alone
   */
  writesOneOf(id: number, transaction: Transaction | undefined, test: (key: Slice) => boolean): boolean {
    let found = false;
    const look = (row: number): void => {
      let named = false;
      this.#eachKey(row, (key) => {
        named = true;
        found ||= test(key);
      });
      if (!named && (this.table.flags[row]! & flagBit.write) !== 0) found = true;
    };
    if (transaction === undefined) look(id);
    else this.#eachQueued(transaction, look);
    return found;
  }

  /**
   * Visits the slot of each key of the request; for what must know all that a write touches.
   * @returns whether it names any
   */
  eachSlot(id: number, visit: (slot: number) => void): boolean {
    const { args, requests } = this;
    if (this.hasKeys[id] === 0 || !findKeys(this.table, id, args, this.#places)) return false;
    for (let n = 0; n < this.#places.count; n++) {
      const at = this.#places.place(n);
      visit(requests.memory.wasm.slotOf(args.ptr(at), args.length(at)));
    }
    return this.#places.count > 0;
  }

  #placeAll(id: number, client: ClientConnection): ReplyError | undefined {
    const { args, authority, requests } = this;
    const { memory } = requests;
    const places = this.#places;
    if (!findKeys(this.table, id, args, places) || places.count === 0) return undefined;
    const first = places.place(0);
    const slot = memory.wasm.slotOf(args.ptr(first), args.length(first));
    memory.u32[SLOT] = slot;
    if (authority === undefined || client.isMaster) return undefined;
    let isCrossSlot = false;
    for (let n = 1; n < places.count && !isCrossSlot; n++) {
      const at = places.place(n);
      isCrossSlot = memory.wasm.slotOf(args.ptr(at), args.length(at)) !== slot;
    }
    if (authority.serveHere[slot] === 1 && !isCrossSlot) return undefined;
    return authority.refusal(this.#request(slot, isCrossSlot, id), client);
  }

  #request(slot: number, isCrossSlot: boolean, id: number): SlotRequest {
    const flags = this.table.flags[id]!;
    return { slot, isCrossSlot, id, flags, eachKey: (visit) => this.#eachKey(id, visit) };
  }

  /** Visits the row of each request that waits for EXEC; its words are those of the argv table then. */
  #eachQueued(transaction: Transaction, visit: (id: number) => void): void {
    const word = this.args.at(0);
    transaction.queue.each(({ argc }) => {
      const { memory, argv } = this.requests;
      memory.u32[ARGC] = argc;
      visit(this.table.resolve(memory.bytes, memory.u32, argv, argc));
    });
    this.requests.setOnly(word);
  }

  #eachKey(id: number, visit: (key: Slice) => void): void {
    const { args, table } = this;
    if (!findKeys(table, id, args, this.#places)) return;
    for (let n = 0; n < this.#places.count; n++) visit(args.at(this.#places.place(n)));
  }
}
