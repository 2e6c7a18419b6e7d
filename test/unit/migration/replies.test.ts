import { expect, test } from "bun:test";
import { RestoreReplies } from "../../../src/migration/replies.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Case {
  readonly about: string;
  readonly preludes: number;
  readonly restores: number;
  readonly said: string;
  readonly acknowledged: readonly boolean[];
  readonly error?: string;
  readonly isWhole?: boolean;
}

const cases: readonly Case[] = [
  { about: "all stored", preludes: 0, restores: 2, said: "+OK\r\n+OK\r\n", acknowledged: [true, true] },
  {
    about: "one refused",
    preludes: 0,
    restores: 3,
    said: "+OK\r\n-BUSYKEY there\r\n+OK\r\n",
    acknowledged: [true, false, true],
    error: "BUSYKEY there",
  },
  {
    about: "SELECT refused: nothing counts as stored",
    preludes: 1,
    restores: 2,
    said: "-ERR DB\r\n+OK\r\n+OK\r\n",
    acknowledged: [false, false],
    error: "ERR DB",
  },
  {
    about: "AUTH and SELECT refused: the first is told",
    preludes: 2,
    restores: 1,
    said: "-WRONGPASS\r\n-NOAUTH\r\n-NOAUTH\r\n",
    acknowledged: [false],
    error: "WRONGPASS",
  },
  { about: "no key sent, AUTH refused", preludes: 1, restores: 0, said: "-ERR no\r\n", acknowledged: [] },
  { about: "lines that end in LF alone", preludes: 1, restores: 1, said: "+OK\n+OK\n", acknowledged: [true] },
  { about: "cut off", preludes: 0, restores: 2, said: "+OK\r\n-BUS", acknowledged: [true], isWhole: false },
];

for (const { about, preludes, restores, said, acknowledged, error, isWhole = true } of cases) {
  for (const pieces of [[said], [...said]]) {
    test(`${about}, in ${pieces.length === 1 ? "one piece" : "single bytes"}`, () => {
      const replies = new RestoreReplies(preludes, restores);
      for (const piece of pieces) expect(replies.feed(bytes(piece))).toBe(true);
      expect(replies.acknowledged).toEqual([...acknowledged]);
      expect(replies.error).toBe(error);
      expect(replies.isWhole).toBe(isWhole);
    });
  }
}

test("more than was asked for is no answer", () => {
  expect(new RestoreReplies(0, 1).feed(bytes("+OK\r\n+OK\r\n"))).toBe(false);
});

test("a line without an end is no answer", () => {
  const replies = new RestoreReplies(0, 1);
  expect(replies.feed(new Uint8Array(65_536).fill(43))).toBe(true);
  expect(replies.feed(Uint8Array.of(43))).toBe(false);
});

test("an error comes through byte by byte", () => {
  const replies = new RestoreReplies(0, 1);
  expect(replies.feed(Uint8Array.from([45, 69, 0x80, 0x9f, 0xc3, 0xff, 13, 10]))).toBe(true);
  expect(Array.from(replies.error!, (character) => character.charCodeAt(0))).toEqual([
    69, 0x80, 0x9f, 0xc3, 0xff,
  ]);
});
