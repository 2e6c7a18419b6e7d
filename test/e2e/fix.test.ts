// Half-done moves of slots, of every kind: `redis-cli --cluster fix` comes to the same end as with redis-server.
import { expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { judge } from "../support/half-done/judge.ts";
import { KINDS } from "../support/half-done/kinds.ts";
import { endOfDeadNode } from "../support/half-done/dead-node.ts";

const kinds = KINDS.filter(({ long }) => long !== true);
const stages = judge(fileScope(), [["ours", "ours"]], kinds);

test("a node without a replica dies, the target of one move and the source of another", async () => {
  const { theirs, subjects } = stages();
  const [expected, ours] = await Promise.all([theirs, ...subjects].map(endOfDeadNode));
  expect(ours!.refused.code).toBe(1);
  expect([ours!.fix.code, ours!.after.code, ours!.returned.code]).toEqual([0, 0, 0]);
  expect(ours).toEqual(expected!);
});
