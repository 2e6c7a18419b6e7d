// Where a request belongs, by the slots of its keys. Most are answered by one look at `RouteTable.serveHere`; `route`
// is for the rest: it knows redirections, open slots and a cluster that is down.
import { SLOT_COUNT } from "../../assembly/abi.ts";
import { isMaster, isReplica, type ClusterNode } from "./node.ts";
import { slotRanges } from "./slot-bitmap.ts";
import type { ClusterState } from "./state.ts";

/** What routing has to know of a request. */
export interface RouteRequest {
  /** Slot of the first key. */
  readonly slot: number;
  /** Another key is in another slot. */
  readonly crossSlot: boolean;
  /** There are at least two different keys. */
  readonly multipleKeys: boolean;
  /** It writes; for EXEC, when any queued command does. */
  readonly write: boolean;
  /** The client sent ASKING just before, or the command implies it (RESTORE-ASKING). */
  readonly asking: boolean;
  /** The client sent READONLY. */
  readonly readonly: boolean;
  /** MIGRATE, which moves keys of open slots and so is never redirected while one is open. */
  readonly migrate: boolean;
  /** SSUBSCRIBE, SUNSUBSCRIBE, SPUBLISH. */
  readonly shardPubsub: boolean;
  /** How many of its keys are in the keyspace, and how many are not; asked for only in an open slot. */
  countKeys(): { readonly present: number; readonly missing: number };
}

export type Verdict =
  | { readonly type: "here" }
  | { readonly type: "moved" | "ask"; readonly slot: number; readonly host: string; readonly port: number }
  | { readonly type: "tryAgain" | "crossSlot" | "unbound" | "down" | "downForWrites" };

const HERE: Verdict = { type: "here" };

export function route(state: ClusterState, request: RouteRequest): Verdict {
  const { slot } = request;
  if (state.solo) return request.crossSlot ? { type: "crossSlot" } : HERE;
  const owner = state.slots.owner(slot);
  if (owner === undefined) return { type: "unbound" };
  if (request.crossSlot) return { type: "crossSlot" };
  const down = reasonDown(state, request);
  if (down !== undefined) return down;
  return routeOpen(state, owner, request) ?? routeSettled(state, owner, request);
}

function reasonDown(state: ClusterState, request: RouteRequest): Verdict | undefined {
  if (state.ok) return undefined;
  const { options } = state;
  if (request.shardPubsub) return options.allowPubsubShardWhenDown ? undefined : { type: "down" };
  if (!options.allowReadsWhenDown) return { type: "down" };
  return request.write ? { type: "downForWrites" } : undefined;
}

/**
 * A slot that moves.
 * 1. MIGRATE acts on what is here.
 * 2. We hand it over: serve what is still all here, send on what is all gone; keys in both places must wait.
 * 3. We take it over: only whoever was sent on by the other side, and only if all of several keys have arrived.
 * @returns undefined = as if the slot were settled
 */
function routeOpen(state: ClusterState, owner: ClusterNode, request: RouteRequest): Verdict | undefined {
  const { migrating, importing } = state.slots;
  const { slot } = request;
  const target = owner === state.myself ? migrating.get(slot) : undefined;
  const isImporting = target === undefined && importing.has(slot);
  if (target === undefined && !isImporting) return undefined;
  if (request.migrate) return HERE;
  if (target !== undefined) {
    const { present, missing } = request.shardPubsub ? { present: 0, missing: 0 } : request.countKeys();
    if (missing === 0) return undefined;
    if (present > 0) return { type: "tryAgain" };
    const node = state.nodes.get(target);
    return node === undefined ? undefined : redirect(state, "ask", slot, node);
  }
  if (!request.asking) return undefined;
  if (request.multipleKeys && request.countKeys().missing > 0) return { type: "tryAgain" };
  return HERE;
}

function routeSettled(state: ClusterState, owner: ClusterNode, request: RouteRequest): Verdict {
  const { myself } = state;
  if (owner === myself) return HERE;
  const mayRead = (request.readonly || request.shardPubsub) && !request.write;
  if (mayRead && isReplica(myself) && myself.masterId === owner.id) return HERE;
  return redirect(state, "moved", request.slot, owner);
}

/** Where whoever waits for a key of this slot belongs: here as long as it may still come to be here. */
export function routeWaiting(state: ClusterState, slot: number): Verdict {
  if (state.solo) return HERE;
  if (!state.ok) return { type: "down" };
  const owner = state.slots.owner(slot);
  if (owner === state.myself || state.slots.importing.has(slot)) return HERE;
  return owner === undefined ? { type: "unbound" } : redirect(state, "moved", slot, owner);
}

function redirect(state: ClusterState, type: "moved" | "ask", slot: number, node: ClusterNode): Verdict {
  return { type, slot, host: preferredEndpoint(state, node) ?? "", port: node.port };
}

/** What clients are told to connect to; undefined = where they reach the node they are talking to. */
export function preferredEndpoint(state: ClusterState, node: ClusterNode): string | undefined {
  const hostname = node === state.myself ? state.options.hostname : node.hostname;
  switch (state.options.preferredEndpoint) {
    case "ip":
      return node.ip;
    case "hostname":
      return hostname === "" ? "?" : hostname;
    case "unknown-endpoint":
      return undefined;
    default:
      return state.options.preferredEndpoint satisfies never;
  }
}

const REFUSALS = {
  tryAgain: "TRYAGAIN Multiple keys request during rehashing of slot",
  crossSlot: "CROSSSLOT Keys in request don't hash to the same slot",
  unbound: "CLUSTERDOWN Hash slot not served",
  down: "CLUSTERDOWN The cluster is down",
  downForWrites: "CLUSTERDOWN The cluster is down and only accepts read commands",
} as const;

/** The error a client gets; undefined = run it here. */
export function refusalText(verdict: Verdict): string | undefined {
  switch (verdict.type) {
    case "here":
      return undefined;
    case "moved":
    case "ask":
      return `${verdict.type === "ask" ? "ASK" : "MOVED"} ${verdict.slot} ${verdict.host}:${verdict.port}`;
    default:
      return REFUSALS[verdict.type];
  }
}

/** The hot path's view: for each slot, may any request be run here without asking `route`? */
export class RouteTable {
  /** 1 = serve here. Always this same array. */
  readonly serveHere = new Uint8Array(SLOT_COUNT);

  refresh(state: ClusterState): void {
    const { serveHere } = this;
    const { myself, slots } = state;
    if (state.solo) {
      serveHere.fill(1);
      return;
    }
    serveHere.fill(0);
    if (!state.ok || !isMaster(myself)) return;
    for (const { start, end } of slotRanges(myself.slots)) serveHere.fill(1, start, end + 1);
    for (const slot of slots.migrating.keys()) serveHere[slot] = 0;
  }
}
