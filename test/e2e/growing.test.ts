// The story of a cluster that grows and shrinks under load: six nodes, a seventh that takes 4000 slots, its replica,
// and back to six. redis-servers and our nodes tell it side by side, and both must come to the same at every step;
// clusters of both kinds tell it too, where slots move from one kind to the other.
import { beforeAll, describe, expect, test } from "bun:test";
import { fileScope, type Scope } from "../support/cleanup.ts";
import { ClusterLoad, type Report } from "../support/cluster-load.ts";
import { type Alone, GrowingCluster, type Kind, type Step } from "../support/growing.ts";

const SIX = ["8001", "8002", "8003", "8004", "8005", "8006"];
const SEVEN = [...SIX, "8007"];
const EIGHT = [...SEVEN, "8008"];

/** Requests a second of each of the load's eight clients. */
const RATE = 30;

/** How many slots move, and which of 8001, 8002 and 8003 those are: each gives its first. */
interface Share {
  readonly count: number;
  readonly moved: readonly [string, string, string];
  readonly kept: readonly [string, string, string];
  /** What 8003 has once all have come to it. */
  readonly gathered: string;
}

const WHOLE_STORY: Share = {
  count: 4000,
  moved: ["0-1332", "5461-6794", "10923-12255"],
  kept: ["1333-5460", "6795-10922", "12256-16383"],
  gathered: "0-1332 5461-6794 10923-16383",
};
/** Where the number of slots is not the point. */
const SHORT_STORY: Share = {
  count: 400,
  moved: ["0-132", "5461-5594", "10923-11055"],
  kept: ["133-5460", "5595-10922", "11056-16383"],
  gathered: "0-132 5461-5594 10923-16383",
};

const STEPS = [
  "six nodes",
  "8007 joined",
  "its slots given to 8007",
  "8008 replicates 8007",
  "8008 deleted",
  "the slots given to 8003",
  "8007 deleted",
] as const;
type StepName = (typeof STEPS)[number];

/** Who has which slots and epoch after each step; replicas tell their master's epoch. */
function tables({ moved, kept, gathered }: Share): Record<StepName, string[]> {
  const masters = (...slots: string[]): string[] =>
    slots.map((text, i) => `800${i + 1} master ${i + 1} ${text}`);
  const replicas = ["8004 slave of 8001 1", "8005 slave of 8002 2", "8006 slave of 8003 3"];
  const split = [...masters(...kept), ...replicas, `8007 master 7 ${moved.join(" ")}`];
  const six = [
    ...masters(kept[0], kept[1]),
    `8003 master 8 ${gathered}`,
    "8004 slave of 8001 1",
    "8005 slave of 8002 2",
    "8006 slave of 8003 8",
  ];
  const whole = [...masters("0-5460", "5461-10922", "10923-16383"), ...replicas];
  return {
    "six nodes": whole,
    "8007 joined": [...whole, "8007 master 0"],
    "its slots given to 8007": split,
    "8008 replicates 8007": [...split, "8008 slave of 8007 7"],
    "8008 deleted": split,
    // A master whose last slot goes follows the one that took it.
    "the slots given to 8003": [...six, "8007 slave of 8003 8"],
    "8007 deleted": six,
  };
}

interface Story {
  readonly steps: Readonly<Record<StepName, Step>>;
  readonly keyCount: number;
  /** Keys that the replicas did not hold as they were when there were most of them, and at the end. */
  readonly copiesChanged: readonly string[];
  readonly load: Report;
  /** What the two deleted nodes are. */
  readonly deleted: readonly Alone[];
}

async function tell(scope: Scope, kinds: readonly Kind[], share: Share): Promise<Story> {
  const cluster = new GrowingCluster(scope, kinds);
  const at = (name: string): string => cluster.address(name);
  const id = (name: string): string => cluster.id(name);
  /** What an operator types at the questions of `reshard`. */
  const answers = [
    ["How many slots do you want to move (from 1 to 16384)? ", String(share.count)],
    ["Do you want to proceed with the proposed reshard plan (yes/no)? ", "yes"],
  ] as const;

  const created = await cluster.create();
  await cluster.write();
  const load = new ClusterLoad({ ports: cluster.ports, rate: RATE, keysPerClient: 64 });
  scope.defer(() => load.close());
  await load.start();

  await cluster.startCopy("8007");
  const joined = await cluster.run(["add-node", at("8007"), at("8006")], SEVEN);
  const all = ["8001", "8002", "8003"].map(id).join(",");
  const away = ["reshard", at("8003"), "--cluster-from", all, "--cluster-to", id("8007")];
  const given = await cluster.run(away, SEVEN, answers);
  await cluster.startCopy("8008");
  const asReplica = ["--cluster-slave", "--cluster-master-id", id("8007")];
  const replicated = await cluster.run(["add-node", at("8008"), at("8001"), ...asReplica], EIGHT);
  const copiesChanged = await cluster.copiesChanged();
  const withoutReplica = await cluster.run(["del-node", at("8001"), id("8008")], SEVEN);
  const back = ["reshard", at("8003"), "--cluster-from", id("8007"), "--cluster-to", id("8003")];
  const gathered = await cluster.run(back, SEVEN, answers);
  // A client that did not hear of the move would ask a node that is in no cluster any more.
  await load.hold();
  await load.settle();
  load.resume();
  const over = await cluster.run(["del-node", at("8001"), id("8007")], SIX);
  return {
    steps: {
      "six nodes": created,
      "8007 joined": joined,
      "its slots given to 8007": given,
      "8008 replicates 8007": replicated,
      "8008 deleted": withoutReplica,
      "the slots given to 8003": gathered,
      "8007 deleted": over,
    },
    keyCount: cluster.keyCount,
    load: await load.stop(),
    copiesChanged: [...copiesChanged, ...(await cluster.copiesChanged())],
    deleted: [await cluster.alone("8007"), await cluster.alone("8008")],
  };
}

const kinds = (six: Kind, seventh: Kind, eighth: Kind): Kind[] => [...SIX.map(() => six), seventh, eighth];

function expectNothingLost({ steps, keyCount, copiesChanged, load, deleted }: Story): void {
  expect(keyCount).toBeGreaterThan(500);
  for (const step of STEPS) expect(steps[step].changes).toEqual([]);
  expect(copiesChanged).toEqual([]);
  expect(load).toMatchObject({ errorTexts: {}, errors: 0, lost: 0, stale: 0, wrong: 0 });
  expect(load.requests).toBeGreaterThan(500);
  expect(load.moved).toBeGreaterThan(0);
  // A soft reset leaves a node its epoch, which 8007 won with the slots.
  expect(deleted).toEqual([
    { nodes: ["master 7"], keys: 0 },
    { nodes: ["master 0"], keys: 0 },
  ]);
}

describe("4000 slots to a seventh node and back", () => {
  const scope = fileScope();
  let judge: Story;
  let ours: Story;

  beforeAll(async () => {
    [judge, ours] = await Promise.all([
      tell(scope, kinds("redis", "redis", "redis"), WHOLE_STORY),
      tell(scope, kinds("subject", "subject", "subject"), WHOLE_STORY),
    ]);
  }, 600_000);

  test.each(STEPS)("%s: slots, roles and epochs are the story's, in either cluster", (step) => {
    expect(judge.steps[step].table).toEqual(tables(WHOLE_STORY)[step]);
    expect(ours.steps[step].table).toEqual(tables(WHOLE_STORY)[step]);
  });

  test.each(STEPS)("%s: redis-cli says the same of both", (step) => {
    expect(ours.steps[step].said).toEqual(judge.steps[step].said);
    expect(ours.steps[step].said.join("\n")).not.toMatch(/ERR|WARNING\] (?!Some slaves)/);
  });

  test("no key is lost or changed, on masters or replicas, nor one that the load wrote", () => {
    expectNothingLost(judge);
    expectNothingLost(ours);
  });
});

describe("400 slots to a seventh node of the other kind and back", () => {
  const scope = fileScope();
  let toOurs: Story;
  let toTheirs: Story;

  beforeAll(async () => {
    [toOurs, toTheirs] = await Promise.all([
      tell(scope, kinds("redis", "subject", "redis"), SHORT_STORY),
      tell(scope, kinds("subject", "redis", "subject"), SHORT_STORY),
    ]);
  }, 240_000);

  test.each(STEPS)("%s: slots, roles and epochs are the story's, in either cluster", (step) => {
    expect(toOurs.steps[step].table).toEqual(tables(SHORT_STORY)[step]);
    expect(toTheirs.steps[step].table).toEqual(tables(SHORT_STORY)[step]);
  });

  test.each(STEPS)("%s: redis-cli says the same of both", (step) => {
    expect(toTheirs.steps[step].said).toEqual(toOurs.steps[step].said);
  });

  test("no key is lost or changed, on masters or replicas, nor one that the load wrote", () => {
    expectNothingLost(toOurs);
    expectNothingLost(toTheirs);
  });
});
