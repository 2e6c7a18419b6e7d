import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createMachine } from "../../../src/cluster/machine.ts";
import {
  NodesConfError,
  describeNodes,
  formatNodesConf,
  parseNodesConf,
} from "../../../src/cluster/nodes-conf.ts";
import { DEFAULT_OPTIONS } from "../../../src/cluster/options.ts";
import { Random } from "../../support/random.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);
const VARS = "vars currentEpoch 5 lastVoteEpoch 4\n";
const KEYSPACE = { countKeysInSlot: () => 0, isEmpty: () => true };

const recall = (text: string): ReturnType<typeof createMachine> =>
  createMachine(
    parseNodesConf(text),
    () => 0.5,
    { ...DEFAULT_OPTIONS, port: 7001, busPort: 17_001 },
    KEYSPACE,
    1_700_000_000_000,
  );

const FILE = [
  `${A} 10.0.0.1:7001@17001 myself,master - 0 0 3 connected 0-99 200 [99->-${B}] [300-<-${B}]`,
  `${B} 10.0.0.2:7002@17002,two.example master,nofailover - 0 1600000000000 2 disconnected 300-400`,
  `${C} 10.0.0.3:7003@17003 slave,fail? ${B} 0 1600000000001 2 disconnected`,
  "vars currentEpoch 5 lastVoteEpoch 4",
  "",
].join("\n");

test("a file is written as it was read", () => {
  expect(formatNodesConf(recall(FILE).state)).toBe(FILE);
});

test("CLUSTER NODES says the same without the variables", () => {
  expect(describeNodes(recall(FILE).state)).toBe(FILE.split("\n").slice(0, 3).join("\n") + "\n");
});

test("what newer servers add after the host name is read over", () => {
  const newer = FILE.replace(
    "two.example",
    "two.example,shard-id=0123456789abcdef0123456789abcdef01234567,nodename=two",
  ).replace("@17003", "@17003,,tls-port=0,shard-id=0123456789abcdef0123456789abcdef01234567");
  expect(formatNodesConf(recall(newer).state)).toBe(FILE);
});

test("an address may be IPv6, or have no bus port", () => {
  const [node] = parseNodesConf(`${A} fe80::1:7001 myself,master - 0 0 0 connected\n${VARS}`).nodes;
  expect(node).toMatchObject({ ip: "fe80::1", port: 7001, busPort: 17_001 });
});

describe("what cannot be understood is refused with its line", () => {
  test.each([
    [1, "nonsense"],
    [1, `${A} 10.0.0.1:7001@17001 myself,master - 0 0 0`],
    [1, `${A.slice(1)} 10.0.0.1:7001@17001 myself,master - 0 0 0 connected`],
    [1, `${A} 10.0.0.1 myself,master - 0 0 0 connected`],
    [1, `${A} 10.0.0.1:7001@17001 myself,ruler - 0 0 0 connected`],
    [1, `${A} 10.0.0.1:7001@17001 myself,master - 0 0 x connected`],
    [1, `${A} 10.0.0.1:7001@17001 myself,master - 0 0 0 connected 16384`],
    [1, `${A} 10.0.0.1:7001@17001 myself,master - 0 0 0 connected 5-3`],
    [1, `${A} 10.0.0.1:7001@17001 myself,master - 0 0 0 connected [5-x-${B}]`],
    [
      2,
      `${A} 10.0.0.1:7001@17001 myself,master - 0 0 0 connected\n${B} 10.0.0.2:7002 slave self 0 0 0 connected`,
    ],
    [2, `${A} 10.0.0.1:7001@17001 myself,master - 0 0 0 connected\nvars currentEpoch minus lastVoteEpoch 1`],
    [1, `${A} 10.0.0.1:7001@17001 master - 0 0 0 connected`],
  ])("line %d of %p", (line, text) => {
    let error: unknown;
    try {
      parseNodesConf(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(NodesConfError);
    expect((error as NodesConfError).line).toBe(line);
    expect((error as NodesConfError).message).toStartWith(`line ${line}: `);
  });
});

test("a file cut off anywhere is refused: votes and slots would be forgotten", () => {
  for (let length = 1; length < FILE.length; length++) {
    expect(() => parseNodesConf(FILE.slice(0, length))).toThrow(NodesConfError);
  }
});

test("any text is either understood or refused as such", () => {
  const word = fc.constantFrom(
    A,
    B,
    "-",
    "myself,master",
    "slave",
    "1.2.3.4:1@2",
    "0",
    "5-9",
    "connected",
    "vars",
    "x\ny",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      try {
        parseNodesConf(words.join(" "));
      } catch (error) {
        expect(error).toBeInstanceOf(NodesConfError);
      }
    }),
    { numRuns: 500 },
  );
});

test("a new node draws its identity from its own chance", () => {
  const empty = { nodes: [], currentEpoch: 0, lastVoteEpoch: 0 };
  const make = (seed: number): string => {
    const random = new Random(seed);
    return createMachine(empty, () => random.unit(), DEFAULT_OPTIONS, KEYSPACE, 0).state.myself.id;
  };
  expect(make(1)).toMatch(/^[0-9a-f]{40}$/);
  expect(make(1)).toBe(make(1));
  expect(make(1)).not.toBe(make(2));
});
