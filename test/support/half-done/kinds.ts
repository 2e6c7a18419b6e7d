// Every way in which moving a slot may have been left half done. The slot is A's at first, B is where it was to go, C
// a third master.
import { nodesOf } from "../cluster.ts";
import { eventually } from "../eventually.ts";
import { ownerIn, Scene } from "./scene.ts";

const UNASSIGN_MS = 20_000;

export interface HalfDone {
  readonly name: string;
  make(scene: Scene): Promise<void>;
  /** After the fix: takes back what `make` did besides the slot. */
  undo?(scene: Scene): Promise<void>;
  /** Options of redis-cli --cluster fix. */
  readonly options?: readonly string[];
  /** Whether redis-cli can do it. */
  readonly outcome: "mended" | "refused";
  /** The nodes of ours see for themselves that the source's part is over; redis-server 7.0 leaves it open there. */
  /** A node of ours keeps the keys that `lost` names, which a redis-server deletes. */
  readonly keepsKeys?: true;
  readonly closesAlone?: boolean;
  /** Suffixes of keys that are lost, as with redis-server. */
  readonly lost?: readonly string[];
  /** Whom redis-cli gives the slot is a throw of its dice. */
  readonly anyOwner?: boolean;
  /** Looked at in mixed clusters as well, whenever the tests are run. */
  readonly mixed?: boolean;
  /** Takes seconds, and another kind is much like it. */
  readonly long?: boolean;
}

/** What is moved when part of the keys is: more than half, for redis-cli may take whoever has most for the owner. */
const PART = Scene.SAMPLES.slice(0, 5);
const REST = Scene.SAMPLES.slice(5);

export const KINDS: readonly HalfDone[] = [
  // --- One side open ------------------------------------------------------------------------------------------
  {
    name: "importing at the target alone, no keys",
    make: (scene) => scene.set("B", "IMPORTING", "A"),
    outcome: "mended",
  },
  {
    name: "importing at the target alone, keys at the source",
    make: async (scene) => {
      await scene.fill("A");
      await scene.set("B", "IMPORTING", "A");
    },
    outcome: "mended",
  },
  {
    name: "importing at the target alone, part of the keys there",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B", PART);
      await scene.stable("A");
    },
    mixed: true,
    outcome: "mended",
  },
  {
    name: "migrating at the source alone, no keys",
    make: (scene) => scene.set("A", "MIGRATING", "B"),
    outcome: "mended",
  },
  {
    name: "migrating at the source alone, keys there",
    make: async (scene) => {
      await scene.fill("A");
      await scene.set("A", "MIGRATING", "B");
    },
    outcome: "mended",
  },
  {
    name: "migrating at the source alone, part of the keys at the target",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B", PART);
      await scene.stable("B");
    },
    outcome: "mended",
  },
  {
    name: "migrating at the source alone, all keys at the target",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B");
      await scene.stable("B");
    },
    outcome: "mended",
  },
  // --- Both sides open ----------------------------------------------------------------------------------------
  {
    name: "open at both ends, no keys",
    make: (scene) => scene.open("A", "B"),
    outcome: "mended",
  },
  {
    name: "open at both ends, no key moved",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
    },
    outcome: "mended",
  },
  {
    name: "open at both ends, part of the keys moved",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B", PART);
    },
    mixed: true,
    outcome: "mended",
  },
  {
    name: "open at both ends, all keys moved",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B");
    },
    outcome: "mended",
  },
  {
    name: "open at both ends, big keys of all types",
    make: async (scene) => {
      await fillBig(scene);
      await scene.open("A", "B");
      await scene.carry("A", "B", ["list", "hash"]);
    },
    mixed: true,
    outcome: "mended",
  },
  // --- Closed at one side -------------------------------------------------------------------------------------
  {
    name: "given to the target at the target alone, all keys moved",
    make: async (scene) => {
      await settleEpochs(scene);
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B");
      await scene.set("B", "NODE", "B");
      await scene.untilOwner("B");
    },
    closesAlone: true,
    mixed: true,
    outcome: "mended",
  },
  {
    name: "given to the target at the target alone, part of the keys moved",
    make: async (scene) => {
      await settleEpochs(scene);
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B", PART);
      await scene.set("B", "NODE", "B");
      // The new owner is believed. A redis-server deletes what it has of the slot; a node of ours leaves it open.
      await scene.untilOwner("B");
      if (scene.stage.node("A").role.kind === "redis") await scene.untilEmpty("A");
    },
    keepsKeys: true,
    outcome: "mended",
    lost: REST,
  },
  {
    name: "given to the target at the source alone, no keys",
    make: async (scene) => {
      await scene.open("A", "B");
      await scene.set("A", "NODE", "B");
    },
    anyOwner: true,
    outcome: "mended",
  },
  {
    name: "given to the target at the source alone, all keys moved",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B");
      await scene.set("A", "NODE", "B");
    },
    outcome: "mended",
  },
  // --- More than two nodes ------------------------------------------------------------------------------------
  {
    name: "migrating at the source, importing at two nodes, no keys",
    make: async (scene) => {
      await scene.open("A", "B");
      await scene.set("C", "IMPORTING", "A");
    },
    outcome: "mended",
  },
  {
    name: "migrating at the source, importing at two nodes, keys at the source",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.set("C", "IMPORTING", "A");
    },
    outcome: "mended",
  },
  {
    name: "migrating at the source, importing at two nodes, keys at the source and at the target",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.set("C", "IMPORTING", "A");
      await scene.carry("A", "B", PART);
    },
    outcome: "mended",
  },
  {
    name: "migrating at the source, importing at two nodes, keys at all of them",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.set("C", "IMPORTING", "A");
      await scene.carry("A", "B", PART.slice(0, 2));
      await scene.carry("A", "C", PART.slice(2, 3));
    },
    outcome: "mended",
  },
  {
    name: "migrating to one node, importing at another, keys at both ends",
    make: async (scene) => {
      await scene.fill("A");
      await scene.set("A", "MIGRATING", "B");
      await scene.set("C", "IMPORTING", "A");
      await scene.carry("A", "C", PART);
    },
    outcome: "mended",
  },
  {
    name: "migrating to one node, importing at two others",
    make: async (scene) => {
      await scene.fill("A");
      await scene.set("A", "MIGRATING", "B");
      await scene.set("C", "IMPORTING", "A");
      await scene.set("D", "IMPORTING", "A");
    },
    outcome: "mended",
  },
  {
    name: "importing at two nodes, keys there and at the owner",
    make: async (scene) => {
      await scene.fill("A");
      await scene.set("B", "IMPORTING", "A");
      await scene.set("C", "IMPORTING", "A");
      await scene.carry("A", "B", PART.slice(0, 2));
      await scene.carry("A", "C", PART.slice(2, 3));
    },
    outcome: "mended",
  },
  // --- Keys in two places -------------------------------------------------------------------------------------
  {
    name: "keys on both sides with equal values",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.copy("A", "B", PART);
    },
    mixed: true,
    outcome: "mended",
  },
  {
    name: "a key on both sides with different values",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.runAsking("B", ["SET", scene.key("string"), "written at the target"]);
    },
    outcome: "refused",
  },
  {
    name: "a key on both sides with different values, and leave to replace",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.runAsking("B", ["SET", scene.key("string"), "written at the target"]);
    },
    options: ["--cluster-replace"],
    outcome: "mended",
  },
  {
    name: "keys on both sides of different types, and leave to replace",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.runAsking(
        "B",
        ["RPUSH", scene.key("string"), "an element"],
        ["SET", scene.key("hash"), "a string"],
      );
    },
    options: ["--cluster-replace"],
    outcome: "mended",
  },
  {
    name: "importing at the target alone, equal values there and at the owner",
    make: async (scene) => {
      await scene.fill("A");
      await scene.set("B", "IMPORTING", "A");
      await scene.copy("A", "B", PART);
    },
    outcome: "mended",
  },
  // --- No owner -----------------------------------------------------------------------------------------------
  {
    name: "nobody owns the slot, no keys",
    make: unassign,
    anyOwner: true,
    outcome: "mended",
  },
  {
    name: "nobody owns the slot, keys at one node",
    make: async (scene) => {
      await scene.fill("A");
      await unassign(scene);
    },
    outcome: "mended",
  },
  {
    name: "nobody owns the slot, keys at another node than its last owner",
    make: async (scene) => {
      await scene.fill("A");
      await scene.set("B", "IMPORTING", "A");
      await scene.carry("A", "B");
      await scene.stable("B");
      await unassign(scene);
    },
    outcome: "mended",
  },
  {
    name: "nobody owns the slot, keys at two nodes",
    make: async (scene) => {
      await scene.fill("A");
      await scene.set("B", "IMPORTING", "A");
      await scene.carry("A", "B", PART.slice(0, 3));
      await scene.stable("B");
      await unassign(scene);
    },
    mixed: true,
    outcome: "mended",
  },
  {
    name: "nobody owns the slot, equal keys at two nodes",
    make: async (scene) => {
      await scene.fill("A");
      await scene.plant("A", "B", PART.slice(0, 3));
      await unassign(scene);
    },
    outcome: "mended",
  },
  {
    name: "nobody owns the slot, which the target still imports with keys",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B", PART);
      await unassign(scene);
    },
    outcome: "mended",
  },
  {
    name: "nobody owns the slot, which the target still imports, no keys",
    make: async (scene) => {
      await scene.open("A", "B");
      await unassign(scene);
    },
    anyOwner: true,
    outcome: "mended",
  },
  // --- Keys where nothing is open -----------------------------------------------------------------------------
  {
    name: "keys at a node that neither owns nor imports the slot, migrating at the source",
    make: async (scene) => {
      await scene.fill("A");
      await scene.plant("A", "C", PART);
      await scene.set("A", "MIGRATING", "B");
      await scene.set("B", "IMPORTING", "A");
    },
    outcome: "mended",
  },
  // --- Several owners -----------------------------------------------------------------------------------------
  {
    name: "two nodes own the slot, keys at the first",
    make: async (scene) => {
      await scene.fill("A");
      await split(scene);
    },
    undo: unite,
    options: ["--cluster-search-multiple-owners"],
    outcome: "mended",
  },
  {
    name: "two nodes own the slot, keys at the first, several owners not searched for",
    make: async (scene) => {
      await scene.fill("A");
      await split(scene);
    },
    undo: unite,
    long: true,
    outcome: "refused",
  },
  // --- A node that was forgotten ------------------------------------------------------------------------------
  {
    name: "the source forgot the target, keys at the source",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "D");
      await scene.forget("A", "D");
    },
    undo: (scene) => scene.meet("A", "D"),
    long: true,
    outcome: "mended",
  },
  {
    name: "the source forgot the target, part of the keys moved",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "D");
      await scene.carry("A", "D", REST);
      await scene.forget("A", "D");
    },
    undo: (scene) => scene.meet("A", "D"),
    outcome: "mended",
  },
  {
    name: "the target forgot the source, part of the keys moved",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "D");
      await scene.carry("A", "D", PART);
      await scene.forget("D", "A");
    },
    undo: (scene) => scene.meet("D", "A"),
    outcome: "mended",
  },
  // --- After a restart ----------------------------------------------------------------------------------------
  {
    name: "open at both ends, part of the keys moved, the source restarted",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B", PART);
      await scene.restart("A");
    },
    long: true,
    outcome: "mended",
  },
  {
    name: "open at both ends, part of the keys moved, the target restarted",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B", PART);
      await scene.restart("B");
    },
    outcome: "mended",
  },
  {
    name: "keys at a node that neither owns nor imports the slot, restarted",
    make: async (scene) => {
      await scene.fill("A");
      await scene.open("A", "B");
      await scene.carry("A", "B", REST);
      await scene.stable("A");
      await scene.stable("B");
      await scene.restart("B");
    },
    outcome: "mended",
  },
  {
    name: "nobody owns the slot, keys at a node that was restarted",
    make: async (scene) => {
      await scene.fill("A");
      await unassign(scene);
      await scene.restart("A");
    },
    outcome: "mended",
  },
];

/** DELSLOTS at every node; a heartbeat on its way from the owner may bring the slot back at one of them. */
async function unassign({ stage, slot }: Scene): Promise<void> {
  const isNobodys = async (): Promise<boolean> => {
    for (const { client } of stage.nodes) await client.ask("CLUSTER", "DELSLOTS", slot);
    await stage.untilHeard(1);
    const views = await Promise.all(stage.nodes.map(({ port }) => nodesOf(port)));
    return views.every((lines) => ownerIn(lines, slot) === undefined);
  };
  await eventually(isNobodys, UNASSIGN_MS, `nobody owns slot ${slot}`);
}

/**
 * Epochs that the case before took are known everywhere: two nodes that take the same one, because neither has heard of
 * the other's, settle that between them, and the one that comes out above takes the slot with it.
 */
async function settleEpochs({ stage }: Scene): Promise<void> {
  await stage.untilHeard();
}

/** D owns the slot as well, and the one who owns it, A, does not know D, nor hears of it. */
async function split(scene: Scene): Promise<void> {
  await settleEpochs(scene);
  // With the greatest epoch D yields to nobody.
  await scene.run("D", ["CLUSTER", "BUMPEPOCH"]);
  await scene.forget("A", "D");
  await scene.run(
    "D",
    ["MULTI"],
    ["CLUSTER", "DELSLOTS", scene.slot],
    ["CLUSTER", "ADDSLOTS", scene.slot],
    ["EXEC"],
  );
}

async function unite(scene: Scene): Promise<void> {
  await scene.meet("A", "D");
}

/** Values far beyond every threshold of Redis's small encodings. */
async function fillBig(scene: Scene): Promise<void> {
  const many = Array.from({ length: 5000 }, (_, i) => `element number ${i}`);
  const scored = many.flatMap((member, i) => [i / 3, member]);
  await scene.run(
    "A",
    ["SET", scene.key("string"), "x".repeat(1 << 20)],
    ["RPUSH", scene.key("list"), ...many],
    ["SET", scene.key("number"), Number.MAX_SAFE_INTEGER],
    ["SADD", scene.key("set"), ...many],
    ["SADD", scene.key("ints"), ...many.keys()],
    ["HSET", scene.key("hash"), ...many.flatMap((field, i) => [field, i])],
    ["ZADD", scene.key("zset"), ...scored],
    ["SET", scene.key("expiring"), "y".repeat(100_000), "EX", 3600],
  );
}
