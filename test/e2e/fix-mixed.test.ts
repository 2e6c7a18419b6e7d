// Half-done moves in mixed clusters: the source is a redis-server and all others are ours, and the other way round.
import { fileScope } from "../support/cleanup.ts";
import { judge } from "../support/half-done/judge.ts";
import { KINDS } from "../support/half-done/kinds.ts";

judge(
  fileScope(),
  [
    ["redis", "ours"],
    ["ours", "redis"],
  ],
  KINDS.filter(({ mixed }) => mixed === true),
);
