// When a master that crashed may come back. It comes back with what its disk has, which may be old or nothing at all; a
// replica, which has all of it, would copy that if it found its master at the old place. So the replica goes first.
import { nowMs, pause } from "../io/clock.ts";
import { CommandLink, type LinkTarget } from "./command-link.ts";
import { type NodeView, parseView } from "./node-view.ts";

const LOOK_EVERY_MS = 100;
const ANSWER_TIMEOUT_MS = 2000;

/** How long a replica that was told to may take over, and the others may take to hear of it, milliseconds. */
const TOLD_MS = 10_000;

/**
 * Waits until no replica is to take the slots of the node on `port` any more. Where none has in time, as too few masters
 * live to vote, the one that has most is told to do so without votes.
 * @param others nodes to ask, as long as there are any
 * @param untilMs unix milliseconds
 * @returns false = a replica has the node's data and does not take its place: the node must not come back
 */
export async function untilTakenOver(
  port: number,
  others: () => readonly LinkTarget[],
  untilMs: number,
): Promise<boolean> {
  if (await isTakenOver(port, others, untilMs)) return true;
  await tellToTakeOver(port, others());
  return await isTakenOver(port, others, nowMs() + TOLD_MS);
}

async function isTakenOver(
  port: number,
  others: () => readonly LinkTarget[],
  untilMs: number,
): Promise<boolean> {
  while (nowMs() < untilMs) {
    const views = await Promise.all(others().map((target) => asked(target, viewOf)));
    if (views.length === 0) return true;
    const told = views.filter((view) => view !== undefined);
    if (told.length > 0 && !told.some((view) => awaitsTakeover(view, port))) return true;
    await pause(LOOK_EVERY_MS);
  }
  return false;
}

async function tellToTakeOver(port: number, others: readonly LinkTarget[]): Promise<void> {
  const offsets = await Promise.all(others.map((target) => asked(target, (link) => offsetOf(link, port))));
  const most = Math.max(...offsets.map((offset) => offset ?? -1));
  const chosen = others[offsets.indexOf(most)];
  if (chosen !== undefined) await asked(chosen, (link) => link.ask("CLUSTER", "FAILOVER", "TAKEOVER"));
}

/** How much a replica of the node on `port` has of its stream; undefined = this is none. */
async function offsetOf(link: CommandLink, port: number): Promise<number | undefined> {
  const { myself, nodes } = await viewOf(link);
  const master = nodes.find(({ id }) => id === myself.masterId);
  if (master?.port !== port) return undefined;
  return Number(/^slave_repl_offset:(\d+)/m.exec(await link.text("INFO", "replication"))?.[1] ?? 0);
}

const viewOf = async (link: CommandLink): Promise<NodeView> => parseView(await link.text("CLUSTER", "NODES"));

/** What a node answers; undefined = nothing now. */
async function asked<T>(target: LinkTarget, ask: (link: CommandLink) => Promise<T>): Promise<T | undefined> {
  let link: CommandLink | undefined;
  try {
    link = await CommandLink.open(target, ANSWER_TIMEOUT_MS);
    return await ask(link);
  } catch {
    return undefined; // it may be ending, too
  } finally {
    link?.close();
  }
}

/** Whether the node still has slots that a replica could take. */
export function awaitsTakeover({ nodes }: NodeView, port: number): boolean {
  const node = nodes.find((each) => each.port === port);
  if (node === undefined || node.slots.length === 0) return false;
  return nodes.some(({ masterId, flags }) => masterId === node.id && !flags.has("fail"));
}
