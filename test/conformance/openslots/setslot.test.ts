// CLUSTER SETSLOT and its kin at both ends of a slot's move and at their replicas: every refusal in its order, every
// change that is accepted, and what CLUSTER NODES, SLOTS, SHARDS and INFO tell afterwards, epochs included.
import { fileScope } from "../../support/cleanup.ts";
import { bothEnds } from "../harness/open-slots.ts";

const scene = bothEnds(fileScope(), { replicas: true, slots: [3300, 3301, 3302] });

const STRANGER = "0123456789abcdef0123456789abcdef01234567";
const SHOW = "cluster nodes | cluster slots | cluster shards | cluster info";

scene(
  "what SETSLOT refuses, and in which order",
  ["a", "b", "ra", "rb"]
    .map(
      (who) => `
  ${who}: cluster setslot 3300 | cluster setslot | cluster setslot x | cluster setslot x migrating
  ${who}: cluster setslot x migrating ${STRANGER} | cluster setslot -1 migrating $B | cluster setslot 16384 stable
  ${who}: cluster setslot 3300 foo | cluster setslot 3300 foo bar | cluster setslot 3300 stable x | cluster setslot 3300 node
  ${who}: cluster setslot 3300 migrating | cluster setslot 3300 importing | cluster setslot 3300 migrating $B x
  ${who}: cluster setslot 3300 node $B x | cluster setslot 3300 '' | cluster setslot 03300 stable | cluster setslot 3300.0 stable
  ${who}: cluster setslot 3300 migrating ${STRANGER} | cluster setslot 3300 importing ${STRANGER} | cluster setslot 3300 node ${STRANGER}
  ${who}: cluster setslot 3300 node '' | cluster setslot 3300 migrating '' | cluster setslot 3300 migrating nosuch
  ${who}: cluster setslot 3300 migrating $RA | cluster setslot 3300 importing $RA | cluster setslot 3300 node $RA
  ${who}: cluster setslot 3300 migrating $RB | cluster setslot 3300 importing $RB | cluster setslot 3300 node $RB
  ${who}: cluster setslot 16000 migrating $RA | cluster setslot 16000 importing $RA | cluster setslot 16000 node $RA
  ${who}: cluster setslot 16000 migrating ${STRANGER} | cluster setslot 16000 importing ${STRANGER} | CLUSTER SetSlot 3300 StAbLe
  ${who}: cluster nodes`,
    )
    .join("\n"),
);

scene(
  "opening and closing, with what the nodes tell",
  `
  a: set {b}1 x
  b: cluster setslot 3300 importing $A | ${SHOW}
  a: cluster setslot 3300 migrating $B | ${SHOW}
  a: cluster setslot 3300 migrating $A | cluster nodes | cluster setslot 3300 migrating $B | cluster setslot 3300 migrating $B
  a: cluster setslot 3300 importing $B | cluster setslot 3301 migrating $B | cluster nodes | cluster setslot 3301 stable
  b: cluster setslot 3300 migrating $A | cluster setslot 3300 importing $B | cluster nodes | cluster setslot 3300 importing $A
  b: cluster setslot 3302 importing $A | cluster nodes | cluster setslot 3302 stable | cluster setslot 3302 stable
  a: cluster setslot 3300 node $B | cluster setslot 3300 node $A | cluster nodes | cluster setslot 3300 migrating $B
  ra: cluster nodes | readonly | get {b}1 | get {b}2 | cluster setslot 3300 stable
  b: cluster setslot 3300 node $A | cluster nodes | cluster setslot 3300 importing $A
  a: del {b}1
  b: cluster setslot 3300 node $B | ${SHOW}
  a: cluster setslot 3300 node $B | ${SHOW}
  a: cluster setslot 3300 node $B | cluster setslot 3300 stable | cluster setslot 3300 migrating $B
  b: cluster setslot 3300 node $B | cluster setslot 3300 importing $A | cluster nodes
`,
);

scene(
  "NODE alone, without the slot being open",
  `
  a: set {b}1 x | cluster setslot 3300 node $B | cluster setslot 3300 node $A
  b: cluster setslot 3300 node $A | cluster nodes
  a: del {b}1 | cluster setslot 3300 node $B | cluster nodes | get {b}1 | set {b}1 y
  b: get {b}1
`,
);

scene(
  "the source keeps nothing of a slot it gives away, whichever end is closed first",
  async (talk, ends) => {
    await ends.open();
    await talk.play(`
  b: asking | set {b}1 x | asking | get {b}1
  a: cluster setslot 3300 node $B | cluster nodes | get {b}1
  b: get {b}1 | asking | get {b}1 | cluster nodes
  b: cluster setslot 3300 node $B | cluster nodes | get {b}1`);
    await ends.untilAgreed();
    await talk.play(`
  a: cluster nodes | cluster info
  ra: cluster nodes
  rb: cluster nodes | readonly | get {b}1`);
  },
);

const LEFT_OPEN = {
  reason:
    "a slot that the bus takes away is no longer migrating: redis-server leaves the mark until SETSLOT clears it",
  leftOut: / \[3300->-\$B\]/g,
};
const KEPT = {
  reason:
    "a master that is up to date keeps the keys of a slot that another claims, in sight: they may be the only ones",
  leftOut: / \[3300-<-\$B\]/g,
};

scene(
  "the bus tells the source that its slot is taken",
  async (talk, ends) => {
    await ends.open();
    await talk.play(`b: cluster setslot 3300 node $B | cluster nodes`);
    await ends.untilAgreed();
    await talk.play(`
  a: cluster nodes | get {b}1 | cluster setslot 3300 node $B | cluster nodes
  ra: cluster nodes`);
  },
  [LEFT_OPEN],
);

scene(
  "the bus tells a source that holds keys still",
  async (talk, ends) => {
    await talk.play(`a: set {b}1 x | set {b}2 y`);
    await ends.open();
    await talk.play(`b: cluster setslot 3300 node $B`);
    await ends.untilAgreed();
    await ends.untilCaughtUp();
    await talk.play(`
  a: cluster nodes | get {b}1 | cluster setslot 3300 node $B
  b: dbsize | get {b}1`);
  },
  [LEFT_OPEN, KEPT],
);

scene(
  "in a transaction, as redis-cli mends a slot",
  `
  a: multi | cluster delslots 3300 | cluster addslots 3300 | cluster setslot 3300 stable | cluster bumpepoch | exec | cluster nodes
  a: multi | cluster delslots 3300 | cluster addslots 3300 | cluster setslot 3300 stable | cluster bumpepoch | exec
  b: multi | cluster setslot 3300 importing $A | cluster nodes | exec | multi | cluster setslot 3300 stable | discard | cluster nodes
  b: multi | cluster setslot x stable | cluster setslot 3300 | cluster nosuch | exec | multi | cluster setslot 9 | exec
  a: multi | cluster setslot 3300 migrating $B | get {b}1 | exec | multi | get {b}1 | exec
  a: multi | cluster setslot 3300 stable | get {b}1 | exec | multi | get {b}1 | cluster setslot 3300 stable | exec
  a: multi | cluster delslots 3300 | get {b}1 | set {b}1 x | cluster addslots 3300 | exec | cluster info | cluster bumpepoch
`,
);

scene(
  "slots that are open are deleted, added and flushed",
  `
  a: set {b}1 x
  b: cluster setslot 3300 importing $A
  a: cluster setslot 3300 migrating $B
  a: cluster delslots 3300 | cluster nodes | cluster setslot 3300 migrating $B | cluster addslots 3300 | cluster nodes
  a: cluster setslot 3300 stable | cluster setslot 3300 migrating $B | cluster delslotsrange 3300 3301 | cluster nodes
  a: cluster addslotsrange 3300 3301 | cluster nodes | cluster setslot 3300 stable | cluster flushslots | del {b}1
  // The source claims the slot again with its next heartbeat: what is told in between is told in one go.
  b: multi | cluster delslots 3300 | cluster nodes | cluster setslot 3300 importing $A | cluster nodes | exec
  b: multi | cluster delslots 3300 | cluster addslots 3300 | cluster nodes | cluster delslots 3300 | cluster nodes | exec
  b: cluster setslot 3300 importing $A | cluster setslot 3300 node $A | cluster nodes
  b: cluster setslot 3300 stable | cluster nodes
`,
);

scene(
  "keys of a slot, counted and named",
  `
  a: mset {b}1 1 {b}2 2 {b}3 3 {b}4 4 {b}5 5
  b: cluster setslot 3300 importing $A
  a: cluster setslot 3300 migrating $B
  b: restore-asking {b}6 0 x | asking | set {b}6 x | cluster countkeysinslot 3300 | cluster getkeysinslot 3300 10
  a: cluster countkeysinslot 3300 | cluster getkeysinslot 3300 0 | cluster getkeysinslot 3300 -1 | cluster getkeysinslot 3300 x
  a: cluster getkeysinslot 3300 1.0 | cluster getkeysinslot 16384 1 | cluster getkeysinslot -1 1 | cluster getkeysinslot x -1
  a: cluster getkeysinslot 3300 99999999999999999999 | cluster getkeysinslot 3300 -9223372036854775808 | cluster getkeysinslot 3301 100
  a: cluster countkeysinslot 16384 | cluster countkeysinslot -1 | cluster countkeysinslot x | cluster getkeysinslot 3300
  a: del {b}1 {b}2 {b}3 {b}4 | cluster getkeysinslot 3300 1 | cluster getkeysinslot 3300 9223372036854775807
  a: cluster getkeysinslot 3300 2147483648 | cluster getkeysinslot 3300 4294967296 | cluster getkeysinslot 3300 18446744073709551615
  ra: cluster countkeysinslot 3301
  rb: cluster getkeysinslot 3301 10
`,
);

scene("as many names as are asked for, the same ones each time", async (talk, ends) => {
  await talk.play(`a- mset ${Array.from({ length: 100 }, (_, i) => `{b}${i} x`).join(" ")}`);
  const link = ends.link("a");
  const name = async (count: number): Promise<string[]> =>
    (await link.ask("CLUSTER", "GETKEYSINSLOT", 3300, count)) as string[];
  const all = await name(1000);
  talk.note(all.toSorted().join(" "));
  for (const count of [1, 10, 99, 100, 101]) {
    const some = await name(count);
    talk.note(`${count}: ${some.length}, ${new Set(some).size} different`);
    talk.note(String(some.every((key, i) => key === all[i])));
  }
});

scene(
  "epochs are bumped",
  `
  a: cluster bumpepoch | cluster bumpepoch
  b: cluster bumpepoch x | cluster nosuch
  ra: cluster addslots 3300 | cluster delslots 16383 16383
`,
);
