// The cluster commands that look at keys and slots, and every way to get the changing ones refused.
import { Random } from "../support/random.ts";
import type { Argument } from "../support/resp.ts";
import { sameCount, unordered } from "./harness/compare.ts";
import { conformance } from "./harness/conformance.ts";
import type { Compare, Step } from "./harness/step.ts";
import { integer, key, keys, mixCase, value } from "./harness/values.ts";

const UNKNOWN_ID = "0123456789abcdef0123456789abcdef01234567";
/** Slots of the keys that are met often, so that counting finds something. */
const BUSY_SLOTS = ["15495", "3300", "1649", "12182", "12185", "16000"] as const;

function slot(random: Random): string {
  return random.weighted([
    [6, () => random.pick(BUSY_SLOTS)],
    [2, () => String(random.below(16384))],
    [2, () => random.pick(["-1", "16384", "16383", "0", "abc", "", "1.5", "99999999999999999999"])],
    [1, () => integer(random)],
  ]);
}

/** All that is refused by a node that owns every slot and knows nobody; nothing here changes it. */
function refused(random: Random): readonly Argument[] {
  return random.pick<readonly Argument[]>([
    ["ADDSLOTS", slot(random)],
    ["ADDSLOTS", "1", "1"],
    ["ADDSLOTSRANGE", slot(random), slot(random)],
    ["ADDSLOTSRANGE", "5", "1"],
    ["ADDSLOTSRANGE", "1"],
    ["DELSLOTS", random.pick(["-1", "16384", "abc", ""])],
    ["DELSLOTS", "7", "7"],
    ["DELSLOTSRANGE", "9", "3"],
    ["DELSLOTSRANGE", "1", "x"],
    ["SETSLOT", slot(random), random.pick(["NOSUCH", ""])],
    ["SETSLOT", random.pick(["0", "16384", "abc"]), "MIGRATING", UNKNOWN_ID],
    ["SETSLOT", "0", "IMPORTING", UNKNOWN_ID],
    ["SETSLOT", "0", "NODE", UNKNOWN_ID],
    ["SETSLOT", "0", "MIGRATING"],
    ["FORGET", UNKNOWN_ID],
    ["FORGET", "short"],
    ["REPLICATE", UNKNOWN_ID],
    ["REPLICAS", UNKNOWN_ID],
    ["SLAVES", UNKNOWN_ID],
    ["COUNT-FAILURE-REPORTS", UNKNOWN_ID],
    ["MEET", "not-an-address", "7000"],
    ["MEET", "127.0.0.1", random.pick(["0", "-1", "65536", "abc", "99999999999999999999"])],
    ["MEET", "127.0.0.1", "7000", random.pick(["abc", "-1", "70000"])],
    ["MEET", "127.0.0.1"],
    ["SET-CONFIG-EPOCH", random.pick(["-1", "abc"])],
    ["FAILOVER"],
    ["FAILOVER", random.pick(["NOSUCH", "FORCE", "TAKEOVER"])],
    ["RESET", "NOSUCH"],
    ["NOSUCH"],
    [""],
  ]);
}

function clusterStep(random: Random): Step {
  const count = random.pick(["0", "1", "2", "-1", "abc"]);
  const [args, compare] = random.weighted<readonly [readonly Argument[], Compare?]>([
    [20, () => [["SET", key(random), value(random)]]],
    [5, () => [["DEL", ...keys(random, random.between(1, 4), "cluster")]]],
    [4, () => [["MGET", ...keys(random, random.between(1, 4), "cluster")]]],
    [3, () => [["MGET", key(random), key(random)]]],
    [10, () => [["CLUSTER", mixCase(random, "keyslot"), key(random)]]],
    [2, () => [["CLUSTER", "KEYSLOT", random.bytes(random.between(0, 40))]]],
    [10, () => [["CLUSTER", "COUNTKEYSINSLOT", slot(random)]]],
    [8, () => [["CLUSTER", "GETKEYSINSLOT", slot(random), "1000"], unordered]],
    [3, () => [["CLUSTER", "GETKEYSINSLOT", slot(random), count], sameCount]],
    [3, () => [["DBSIZE"]]],
    [6, () => [["CLUSTER", ...refused(random)]]],
    [1, () => [["CLUSTER", random.pick(["KEYSLOT", "COUNTKEYSINSLOT", "GETKEYSINSLOT", "NODES", "INFO", "MYID"]), "1", "2", "3"]]],
    [0.2, () => [["FLUSHALL"]]],
    [1, () => [["SELECT", random.pick(["0", "1"])]]],
    [1, () => [["MOVE", key(random), "1"]]],
    [1, () => [["SWAPDB", "0", "1"]]],
    [1, () => [["CLUSTER"]]],
  ]); // prettier-ignore
  return { args, ...(compare === undefined ? {} : { compare }) };
}

conformance("cluster keyspace", clusterStep, { modes: ["cluster"] });
conformance(
  "cluster commands with cluster mode off",
  (random) => ({ args: ["CLUSTER", ...refused(random)] }),
  {
    modes: ["alone"],
    steps: 300,
  },
);
