// Where a request's keys live: its slot goes into the state block for the engine, and in cluster mode it decides whether
// the request is served here. Slots that are served without more ado are ones in an array the cluster machine keeps;
// everything else is the machine's `route` to decide.
import { STATE_SLOT } from "../../assembly/abi.ts";
import { findKeys, KeyPlaces } from "../commands/getkeys.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Args } from "../engine/args.ts";
import type { RequestArena } from "../engine/request-memory.ts";
import type { ReplyError } from "../resp/errors.ts";
import type { ClientConnection } from "./client.ts";

const SLOT = STATE_SLOT >> 2;

/** What decides about slots that are not simply served here; undefined = the node is not part of a cluster. */
export interface SlotAuthority {
  /** By slot: 1 = any client is served here. */
  readonly serveHere: Uint8Array;
  /** Decides for all else. @param places the request's keys, as argument indexes */
  refusal(
    slot: number,
    isCrossSlot: boolean,
    id: number,
    places: KeyPlaces,
    client: ClientConnection,
  ): ReplyError | undefined;
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
    findKeys(this.table, id, this.args, this.#places);
    return authority.refusal(slot, false, id, this.#places, client);
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
    return authority.refusal(slot, isCrossSlot, id, places, client);
  }
}
