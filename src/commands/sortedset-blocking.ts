// Sorted sets that are waited for: BZPOPMIN, BZPOPMAX, BZMPOP. What is taken is taken by the commands that do not wait,
// and so replicas are told.
import { TYPE_ZSET } from "../../assembly/abi.ts";
import { engine } from "../engine/exports.ts";
import { manyPopper, popper } from "./blocking.ts";
import { family, keysCounted, keysFrom } from "./family.ts";

/** ZPOPMIN's reply is `*2` and the end of its line, the member and its score. */
const bzpopmin = popper(TYPE_ZSET, "ZPOPMIN", { command: engine.zpopmin, parts: 2, head: 4 });
const bzpopmax = popper(TYPE_ZSET, "ZPOPMAX", { command: engine.zpopmax, parts: 2, head: 4 });

const FRACTION = ["6.0.0", "`timeout` is interpreted as a double instead of an integer."] as const;

export const blockingSortedSets = family("sorted-set", [
  {
    name: "bzmpop",
    arity: -5,
    flags: ["write", "blocking"],
    keys: [keysCounted(2, "RW", "access", "delete")],
    since: "7.0.0",
    complexity:
      "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.",
    syntax: "timeout:double numkeys key... where(MIN | MAX) [COUNT count]",
    summary:
      "Takes the lowest or highest members of the first of several sorted sets that is there, once one is.",
    run: manyPopper(TYPE_ZSET, ["ZMPOP", engine.zmpop], ["MIN", "MAX"]),
  },
  {
    name: "bzpopmax",
    arity: -3,
    flags: ["write", "noscript", "blocking", "fast"],
    keys: [keysFrom(1, -2, 1, "RW", "access", "delete")],
    since: "5.0.0",
    complexity: "O(log(N)) with N being the number of elements in the sorted set.",
    syntax: "key... timeout:double",
    history: [FRACTION],
    summary: "Takes the highest member of the first of several sorted sets that is there, once one is.",
    run: bzpopmax,
  },
  {
    name: "bzpopmin",
    arity: -3,
    flags: ["write", "noscript", "blocking", "fast"],
    keys: [keysFrom(1, -2, 1, "RW", "access", "delete")],
    since: "5.0.0",
    complexity: "O(log(N)) with N being the number of elements in the sorted set.",
    syntax: "key... timeout:double",
    history: [FRACTION],
    summary: "Takes the lowest member of the first of several sorted sets that is there, once one is.",
    run: bzpopmin,
  },
]);
