// The same half-done move in a cluster of redis-servers and in others: what redis-cli makes of it must be the same.
import { beforeAll, describe, expect, test } from "bun:test";
import type { Scope } from "../cleanup.ts";
import { subjectIsRedis } from "../servers.ts";
import type { HalfDone } from "./kinds.ts";
import { clear, forAnyOwner, isSettled, mend, type Outcome } from "./outcome.ts";
import { Scene } from "./scene.ts";
import { Stage, type Kind, type Role } from "./stage.ts";
import { slotsOfTags, type Tag } from "./tags.ts";

const NODE_TIMEOUT_MS = 2000;
/** Neither end of a move. */
export const ENTRY = "C";
const SLOTS = { A: "0-5460", B: "5461-10922", C: "10923-16379", D: "16380-16383" };

/** What the source of moves, A, is made of, and what all other nodes are. */
export type Make = readonly [source: Kind, others: Kind];

function rolesOf([source, others]: Make): Role[] {
  return Object.entries(SLOTS).map(([name, slots]) => ({
    name,
    slots,
    kind: name === "A" ? source : others,
  }));
}

export interface Stages {
  readonly theirs: Stage;
  readonly subjects: readonly Stage[];
}

/** Starts a cluster of redis-servers and those under judgement. */
export async function startStages(scope: Scope, makes: readonly Make[]): Promise<Stages> {
  const all = [["redis", "redis"], ...makes] as const;
  const stages: Stage[] = [];
  for (const make of all) stages.push(await Stage.start(scope, rolesOf(make), NODE_TIMEOUT_MS));
  const [theirs, ...subjects] = stages;
  return { theirs: theirs!, subjects };
}

/** Declares a test a kind. @returns the clusters, for further tests of the file */
export function judge(scope: Scope, makes: readonly Make[], kinds: readonly HalfDone[]): () => Stages {
  let stages: Stages;
  let tags: Tag[];

  beforeAll(async () => {
    stages = await startStages(scope, makes);
    const all = await slotsOfTags(stages.theirs.node("A").client, kinds.length * 8 + 50);
    tags = all.filter(({ slot }) => slot <= 5460);
  }, 120_000);

  describe("a half-done move is mended as with redis-server", () => {
    test.each(kinds.map((kind) => [kind.name, kind] as const))("%s", async (_name, kind) => {
      const tag = tags[kinds.indexOf(kind)]!;
      const all = [stages.theirs, ...stages.subjects];
      const [theirs, ...ours] = await Promise.all(all.map((stage) => outcomeOf(stage, kind, tag)));
      for (const [i, outcome] of ours.entries()) expectSame(outcome, theirs!, kind, makes[i]![0]);
    });
  });
  return () => stages;
}

async function outcomeOf(stage: Stage, kind: HalfDone, { tag, slot }: Tag): Promise<Outcome> {
  const scene = new Scene(stage, slot, tag);
  let undo = kind.undo;
  try {
    await kind.make(scene);
    const outcome = await mend(scene, ENTRY, kind);
    undo = undefined; // it is done
    return kind.anyOwner === true ? forAnyOwner(outcome) : outcome;
  } finally {
    await undo?.(scene);
    await clear(scene, "A");
  }
}

function expectSame(ours: Outcome, theirs: Outcome, kind: HalfDone, source: Kind): void {
  const isOurs = source !== "redis" && !subjectIsRedis();
  if (kind.keepsKeys === true && isOurs) return expectMended(ours, { ...kind, lost: [] });
  if (kind.outcome === "mended") expectMended(ours, kind);
  else expect([ours.fix.code, ours.after.code]).not.toEqual([0, 0]);
  if (kind.closesAlone !== true || !isOurs) return expect(ours).toEqual(theirs);
  // Before the fix nothing is open at a source of ours; what there is in the end is the same.
  const { before, fix, ...end } = ours;
  expect([before.code, fix.code]).toEqual([0, 0]);
  expect(end).toEqual({ after: theirs.after, slot: theirs.slot, keys: theirs.keys });
}

/** What holds of any server: a mended slot has one owner, which has all its keys, and nobody else has one. */
function expectMended({ before, fix, after, slot, keys }: Outcome, { lost = [] }: HalfDone): void {
  const why = [...fix.lines, "--", ...after.lines, "--", JSON.stringify(slot)].join("\n");
  expect([fix.code, after.code], why).toEqual([0, 0]);
  expect(isSettled(slot)).toBe(true);
  const [owner] = Object.values(slot).map((stand) => stand.replace("owner ", ""));
  const places = Object.values(keys).map((place) => place.replace(/:\w{40}$/, ""));
  expect(places.filter((place) => place !== owner)).toEqual([]);
  if (before.lines.some((line) => line.startsWith("[OK] 0 keys "))) return;
  expect(Scene.SAMPLES.filter((suffix) => !(suffix in keys))).toEqual([...lost]);
}
