// What redis-cli made of a half-done move: what it said, how it ended, what the nodes tell afterwards, where the keys are.
import { nodesOf } from "../cluster.ts";
import { eventually } from "../eventually.ts";
import type { HalfDone } from "./kinds.ts";
import { ownerIn, type Scene } from "./scene.ts";
import type { Ran, Stage, StageNode } from "./stage.ts";

/** How long the nodes may take to agree after a fix, and until a slot that stayed open is closed by force. */
const SETTLE_MS = 5000;
const CLEAR_MS = 20_000;

export interface Outcome {
  readonly before: Said;
  readonly fix: Said;
  readonly after: Said;
  /** By node: the slot's owner as it sees it, and what of the slot is open there. */
  readonly slot: Stands;
  readonly keys: Readonly<Record<string, string>>;
}

export type Stands = Readonly<Record<string, string>>;

export interface Said {
  readonly code: number;
  readonly lines: readonly string[];
}

/** Lines that say where the work stands, in the order of redis-cli's nodes, which the order of CLUSTER NODES decides. */
const PROGRESS =
  /^(\[OK\]|\[ERR\]|\[WARNING\]|>>>|\*\*\*|Set as |The folowing|The following|Moving slot|- |Node )/;

/** redis-cli colours what it says, whoever reads it. */
const COLOURS = new RegExp(`${String.fromCodePoint(27)}\\[[\\d;]*m`, "g");

/** What it said, line by line, whichever node it came to first. */
export function said({ code, output }: Ran): Said {
  const lines = output
    .replace(COLOURS, "")
    .split("\n")
    // Dots are one for each key of a batch, in whatever batches.
    .map((line) => line.replace(/: \.*$/, ":").trimEnd())
    .map(sortNames)
    .filter((line) => PROGRESS.test(line));
  return { code, lines: [...new Set(lines)].toSorted() };
}

/** Lists of nodes and of slots stand in the order in which nodes were come to. */
function sortNames(line: string): string {
  const sorted = (list: string): string => list.split(",").toSorted().join(",");
  return line.replace(/\b\w+(?:,\w+)+/g, sorted);
}

/** Who owns the slot and where it is open, as each node tells. */
export async function standOf({ stage, slot }: Scene): Promise<Stands> {
  const stands = stage.running.map(async (node) => {
    const lines = await nodesOf(node.port);
    const owner = ownerIn(lines, slot);
    const open = lines.flatMap(({ slots }) => slots.filter((each) => each.startsWith(`[${slot}-`)));
    return [node.name, stage.named([`owner ${owner?.id ?? "nobody"}`, ...open].join(" "))] as const;
  });
  return Object.fromEntries(await Promise.all(stands));
}

/** Whether all nodes tell the same of the slot: one owner, and nothing open. */
export function isSettled(stands: Stands): boolean {
  const told = new Set(Object.values(stands));
  return told.size === 1 && ![...told].some((stand) => stand.includes("[") || stand.includes("nobody"));
}

/** Checks, fixes and checks again, once the nodes agree or, where they will not, have all heard of each other. */
export async function mend(
  scene: Scene,
  at: string,
  { options, outcome, undo }: Pick<HalfDone, "options" | "outcome" | "undo">,
): Promise<Outcome> {
  const { stage } = scene;
  const before = said(await stage.cli("check", at));
  const fix = said(await stage.cli("fix", at, ...(options ?? [])));
  await undo?.(scene);
  if (outcome !== "mended" || !(await settles(scene))) await stage.untilHeard();
  const after = said(await stage.cli("check", at));
  return { before, fix, after, slot: await standOf(scene), keys: await scene.places() };
}

async function settles(scene: Scene): Promise<boolean> {
  try {
    return await eventually(async () => isSettled(await standOf(scene)), SETTLE_MS);
  } catch {
    return false;
  }
}

/** The same, whichever node redis-cli's dice gave the slot. */
export function forAnyOwner(outcome: Outcome): Outcome {
  const mask = (text: string): string => text.replaceAll(/\b(owner|with|to) [A-D]\b/g, "$1 ?");
  const maskAll = ({ code, lines }: Said): Said => ({ code, lines: lines.map(mask) });
  const { before, fix, after, slot, keys } = outcome;
  return {
    before: maskAll(before),
    fix: maskAll(fix),
    after: maskAll(after),
    slot: Object.fromEntries(Object.entries(slot).map(([name, stand]) => [name, mask(stand)])),
    keys,
  };
}

/** Puts the slot back to its first owner and takes all keys away, whatever became of it. */
export async function clear(scene: Scene, owner: string): Promise<void> {
  const { stage, slot } = scene;
  const masters = await mastersOf(stage);
  await Promise.all(masters.map(({ client }) => client.ok("FLUSHALL")));
  if (isSettled(await standOf(scene))) return;
  const isClear = async (): Promise<boolean> => {
    for (const { client, name } of masters) {
      await client.ok("CLUSTER", "SETSLOT", slot, "STABLE");
      await client.ok("CLUSTER", "SETSLOT", slot, "NODE", stage.node(owner).id);
      if (name === owner) await client.ask("CLUSTER", "BUMPEPOCH");
    }
    await stage.untilHeard();
    return isSettled(await standOf(scene));
  };
  await eventually(isClear, CLEAR_MS, `slot ${slot} is ${owner}'s again`);
}

export async function mastersOf(stage: Stage): Promise<StageNode[]> {
  const roles = await Promise.all(stage.running.map(({ client }) => client.ask("ROLE")));
  return stage.running.filter((_, i) => (roles[i] as string[])[0] === "master");
}
