// All half-done moves, those that take seconds too, in a cluster of ours and in mixed ones.
import { fileScope } from "../support/cleanup.ts";
import { judge } from "../support/half-done/judge.ts";
import { KINDS } from "../support/half-done/kinds.ts";

judge(
  fileScope(),
  [
    ["ours", "ours"],
    ["redis", "ours"],
    ["ours", "redis"],
  ],
  KINDS,
);
