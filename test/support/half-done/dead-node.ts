// A master without a replica is killed while one slot was on its way to it and one of its own on its way elsewhere. What
// it alone had is lost; the rest is mended once redis-cli is told to go on without it; and its return changes nothing.
import { nodesOf } from "../cluster.ts";
import { eventually } from "../eventually.ts";
import { ENTRY } from "./judge.ts";
import { isSettled, said, standOf, type Said, type Stands } from "./outcome.ts";
import { Scene } from "./scene.ts";
import type { Stage } from "./stage.ts";
import { slotsOfTags } from "./tags.ts";

const WAIT_MS = 20_000;
const DEAD = "D";
const MOVED = Scene.SAMPLES.slice(0, 5);

export interface DeadEnd {
  readonly refused: Said;
  readonly fix: Pick<Said, "code">;
  readonly after: Said;
  /** The slot that was A's, and the one that was D's on its way to B. */
  readonly coming: Held;
  readonly going: Held;
  readonly returned: Said;
  readonly comingThen: Held;
  readonly goingThen: Held;
  /** Roles of the one that was dead. */
  readonly flags: readonly string[];
}

interface Held {
  readonly slot: Stands;
  readonly keys: Readonly<Record<string, string>>;
}

export async function endOfDeadNode(stage: Stage): Promise<DeadEnd> {
  const tags = await slotsOfTags(stage.node("A").client, 20_000);
  const scene = (isIt: (slot: number) => boolean): Scene => {
    const { tag, slot } = tags.findLast((each) => isIt(each.slot))!;
    return new Scene(stage, slot, tag);
  };
  const coming = scene((slot) => slot <= 5460);
  const going = scene((slot) => slot >= 16_380);
  await coming.fill("A");
  await coming.open("A", DEAD);
  await coming.carry("A", DEAD, MOVED);
  await going.fill(DEAD);
  await going.open(DEAD, "B");
  await going.carry(DEAD, "B", MOVED);

  const dead = stage.node(DEAD);
  await dead.kill();
  await eventually(() => hasFailedEverywhere(stage, dead.id), WAIT_MS, `${DEAD} has failed`);
  const refused = said(await stage.cli("fix", ENTRY));
  const fix = said(await stage.cli("fix", ENTRY, "--cluster-fix-with-unreachable-masters"));
  const agreed = async (): Promise<Said | false> => {
    const check = said(await stage.cli("check", ENTRY));
    return check.code === 0 && (await areSettled([coming, going])) && check;
  };
  const after = await eventually(agreed, WAIT_MS, "all nodes agree, and nothing is open");
  const held = { coming: await holdOf(coming), going: await holdOf(going) };

  await dead.start();
  const hasYielded = async (): Promise<boolean> => {
    const line = (await nodesOf(dead.port)).find(({ id }) => id === dead.id)!;
    return line.flags.join() === "slave" && line.slots.length === 0;
  };
  await eventually(hasYielded, WAIT_MS, `${DEAD} has yielded its slots`);
  await stage.untilHeard();
  const returned = said(await stage.cli("check", ENTRY));
  const then = { comingThen: await holdOf(coming), goingThen: await holdOf(going) };
  const { flags } = (await nodesOf(stage.node(ENTRY).port)).find(({ id }) => id === dead.id)!;
  // Which nodes took over slots without keys is a throw of redis-cli's dice, and so is what it says of that.
  return { refused, fix: { code: fix.code }, after, ...held, returned, ...then, flags };
}

async function holdOf(scene: Scene): Promise<Held> {
  return { slot: await standOf(scene), keys: await scene.places() };
}

async function areSettled(scenes: readonly Scene[]): Promise<boolean> {
  const stands = await Promise.all(scenes.map(standOf));
  return stands.every(isSettled);
}

async function hasFailedEverywhere(stage: Stage, id: string): Promise<boolean> {
  const views = await Promise.all(stage.running.map(({ port }) => nodesOf(port)));
  return views.every((lines) => lines.find((line) => line.id === id)!.flags.includes("fail"));
}
