// Makes one cluster of nodes that run already, through their command ports: the way redis-cli does it, in the order
// that lets nodes agree soonest. Used by the cluster under a supervisor and by the one inside a caller's process.
//
// Epochs come first, all different, so that no two nodes have to settle a collision; then slots; then one node meets
// all others, from which gossip makes everybody known to everybody; then replicas choose their masters. Each step
// looks at what there is, so that a cluster found whole is left alone and one found half made is finished.
import { SLOT_COUNT } from "../../assembly/abi.ts";
import { nowMs, pause } from "../io/clock.ts";
import { ReplyError } from "../resp/errors.ts";
import type { CommandLink } from "./command-link.ts";
import {
  countSlots,
  flawIn,
  isBlank,
  parseView,
  signatureOf,
  splitSlots,
  type NodeView,
} from "./node-view.ts";

export interface JoinOptions {
  readonly masters: number;
  /** Per master. */
  readonly replicas: number;
  /** When to give up, counted from now. Closing the links breaks the join off sooner. */
  readonly timeoutMs: number;
}

export interface JoinedCluster {
  /** One view; all nodes share it. */
  readonly view: NodeView;
  /** False when the nodes were a cluster already. */
  readonly created: boolean;
}

/** Between two looks at the nodes: short at first, longer as it takes longer, for looking costs the nodes time. */
const POLL_MS = 5;
const LONGEST_POLL_MS = 50;

/**
 * @param links to all nodes, those meant as masters first
 * Rejects with an Error that says what was still missing when the time was up.
 */
export async function join(links: readonly CommandLink[], options: JoinOptions): Promise<JoinedCluster> {
  const deadlineMs = nowMs() + options.timeoutMs;
  const views = await Promise.all(links.map((link) => onceLoaded(deadlineMs, () => viewOf(link))));
  const created = !isWhole(views);
  if (created) await form(links, views, options, deadlineMs);
  else await reintroduce(links, views, deadlineMs);
  const view = await agreement(links, deadlineMs);
  return { view, created };
}

/** Whether these nodes were made one cluster before: they know each other and share out all slots. */
function isWhole(views: readonly NodeView[]): boolean {
  const ids = new Set(views.map(({ myself }) => myself.id));
  const known = views.every(({ nodes }) => nodes.length === ids.size && nodes.every(({ id }) => ids.has(id)));
  const slots = views.reduce((sum, { myself }) => sum + countSlots(myself.slots), 0);
  const idle = views.filter(
    ({ myself }) => myself.masterId === undefined && myself.slots.length === 0,
  ).length;
  // After a failover two nodes may claim the same slots from memory; they settle that between them.
  return known && slots >= SLOT_COUNT && idle === 0;
}

async function form(
  links: readonly CommandLink[],
  views: readonly NodeView[],
  { masters }: JoinOptions,
  deadlineMs: number,
): Promise<void> {
  const taken = ownedSlots(views);
  const ranges = splitSlots(masters);
  await Promise.all(
    links.map(async (link, i) => {
      const view = views[i]!;
      if (isBlank(view)) await link.ask("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
      const range = ranges[i];
      if (range === undefined || view.myself.masterId !== undefined) return;
      const free = freeRuns(taken, range.start, range.end);
      if (free.length > 0) await link.ask("CLUSTER", "ADDSLOTSRANGE", ...free);
    }),
  );
  await meetOthers(links, views, 0, deadlineMs); // gossip does the rest
  await Promise.all(
    links.slice(masters).map(async (link, i) => {
      const master = views[i % masters]!.myself;
      const { myself } = views[masters + i]!;
      if (myself.masterId !== undefined || myself.slots.length > 0) return;
      await replicate(link, master.masterId ?? master.id, deadlineMs);
    }),
  );
}

function ownedSlots(views: readonly NodeView[]): Uint8Array {
  const taken = new Uint8Array(SLOT_COUNT);
  for (const { nodes } of views) {
    for (const { slots } of nodes) for (const { start, end } of slots) taken.fill(1, start, end + 1);
  }
  return taken;
}

/** Runs of slots nobody owns, as `start end start end ...`. */
function freeRuns(taken: Uint8Array, start: number, end: number): number[] {
  const runs: number[] = [];
  for (let slot = start; slot <= end; slot++) {
    if (taken[slot] !== 0) continue;
    const first = slot;
    while (slot < end && taken[slot + 1] === 0) slot++;
    runs.push(first, slot);
  }
  return runs;
}

/**
 * Nodes that come back on other ports than their peers remember are met again, each by each: gossip changes the
 * address of a known node only once it is suspected to have failed.
 */
async function reintroduce(
  links: readonly CommandLink[],
  views: readonly NodeView[],
  deadlineMs: number,
): Promise<void> {
  const portOf = new Map(links.map((link, i) => [views[i]!.myself.id, link.target.port]));
  const moved = views.some(({ nodes }) => nodes.some(({ id, port }) => portOf.get(id) !== port));
  if (moved) await Promise.all(links.map((_, i) => meetOthers(links, views, i, deadlineMs)));
}

/** The node at this index meets all others. */
async function meetOthers(
  links: readonly CommandLink[],
  views: readonly NodeView[],
  from: number,
  deadlineMs: number,
): Promise<void> {
  const meetings = links.map(async ({ target: { host, port } }, i) => {
    if (i === from) return;
    const { busPort } = views[i]!.myself;
    await onceLoaded(deadlineMs, () => links[from]!.ask("CLUSTER", "MEET", host, port, busPort));
  });
  await Promise.all(meetings);
}

/** Asks until the replica has heard of its master. */
async function replicate(link: CommandLink, master: string, deadlineMs: number): Promise<void> {
  for (;;) {
    try {
      await link.ask("CLUSTER", "REPLICATE", master);
      return;
    } catch (reason) {
      const unheard = reason instanceof ReplyError && reason.message.startsWith("ERR Unknown node");
      if (!unheard || nowMs() > deadlineMs) throw reason;
      await pause(POLL_MS);
    }
  }
}

/** Waits until all nodes tell the same whole story and every replica is in step with its master. */
async function agreement(links: readonly CommandLink[], deadlineMs: number): Promise<NodeView> {
  for (let waitMs = POLL_MS; ; waitMs = Math.min(waitMs * 1.3, LONGEST_POLL_MS)) {
    const looks = await Promise.all(links.map(lookUnlessLoading));
    const loading = looks.indexOf(undefined);
    const missing: string | undefined =
      loading < 0 ? flawAmong(looks as Look[]) : `port ${links[loading]!.target.port} is loading its copy`;
    if (missing === undefined && looks[0] !== undefined) return looks[0].view;
    if (nowMs() > deadlineMs) throw new Error(`the cluster is not ready: ${missing ?? "no node"}`);
    await pause(waitMs);
  }
}

interface Look {
  readonly view: NodeView;
  readonly info: string;
  readonly replication: string;
  /** CLUSTER SLOTS, as text. */
  readonly slots: string;
}

/** A replica that is loading its master's copy says nothing else; undefined then. */
async function lookUnlessLoading(link: CommandLink): Promise<Look | undefined> {
  try {
    return await look(link);
  } catch (reason) {
    if (isLoading(reason)) return undefined;
    throw reason;
  }
}

/** Asks a node again until it has loaded its data. */
async function onceLoaded<T>(deadlineMs: number, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (reason) {
      if (!isLoading(reason) || nowMs() > deadlineMs) throw reason;
      await pause(POLL_MS);
    }
  }
}

function isLoading(reason: unknown): boolean {
  return reason instanceof ReplyError && reason.message.startsWith("LOADING ");
}

async function look(link: CommandLink): Promise<Look> {
  const [view, info] = await Promise.all([viewOf(link), link.text("CLUSTER", "INFO")]);
  const hasReplicas = view.nodes.some(({ masterId }) => masterId !== undefined);
  if (!hasReplicas) return { view, info, replication: "", slots: "" };
  const [replication, slots] = await Promise.all([
    link.text("INFO", "replication"),
    link.ask("CLUSTER", "SLOTS"),
  ]);
  return { view, info, replication, slots: JSON.stringify(slots) };
}

async function viewOf(link: CommandLink): Promise<NodeView> {
  return parseView(await link.text("CLUSTER", "NODES"));
}

function flawAmong(looks: readonly Look[]): string | undefined {
  const expected = signatureOf(looks[0]!.view);
  for (const { view, info, replication, slots } of looks) {
    const who = `port ${view.myself.port}`;
    const flaw = flawIn(view, looks.length);
    if (flaw !== undefined) return flaw;
    if (signatureOf(view) !== expected) return `${who} disagrees with the others about roles or slots`;
    if (!info.includes("cluster_state:ok")) return `${who} says cluster_state:fail`;
    if (view.myself.masterId === undefined) {
      const wanted = view.nodes.filter(({ masterId }) => masterId === view.myself.id).length;
      const online = replication.match(/^slave\d+:.*state=online/gm)?.length ?? 0;
      if (online < wanted) return `${who} has ${online} of ${wanted} replicas online`;
    } else if (!replication.includes("master_link_status:up")) {
      return `${who} is not in step with its master`;
    }
    const unlisted = view.nodes.find(({ id, masterId }) => masterId !== undefined && !slots.includes(id));
    if (unlisted !== undefined) return `${who} does not name port ${unlisted.port} in CLUSTER SLOTS`;
  }
  return undefined;
}
