// When a master that crashed may come back. It comes back with what its disk has, which may be old or nothing at all; a
// replica, which has all of it, would copy that if it found its master at the old place. So the replica goes first.
import { nowMs, pause } from "../io/clock.ts";
import { CommandLink, type LinkTarget } from "./command-link.ts";
import { type NodeView, parseView } from "./node-view.ts";

const LOOK_EVERY_MS = 100;
const ANSWER_TIMEOUT_MS = 2000;

/**
 * Waits until no replica is to take the slots of the node on `port` any more, or until the time is over.
 * @param others nodes to ask, as long as there are any
 * @param untilMs unix milliseconds
 */
export async function untilTakenOver(
  port: number,
  others: () => readonly LinkTarget[],
  untilMs: number,
): Promise<void> {
  while (nowMs() < untilMs) {
    const views = await Promise.all(others().map(viewOf));
    if (views.length === 0) return;
    const told = views.filter((view) => view !== undefined);
    if (told.length > 0 && !told.some((view) => awaitsTakeover(view, port))) return;
    await pause(LOOK_EVERY_MS);
  }
}

/** What a node says; undefined = nothing now. */
async function viewOf(target: LinkTarget): Promise<NodeView | undefined> {
  let link: CommandLink | undefined;
  try {
    link = await CommandLink.open(target, ANSWER_TIMEOUT_MS);
    return parseView(await link.text("CLUSTER", "NODES"));
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
