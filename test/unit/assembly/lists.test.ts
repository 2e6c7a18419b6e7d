// Lists against arrays: every command, on lists of one listpack, of few nodes and of nodes that are packed.
import { expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import type { EngineName } from "../../../src/engine/exports.ts";
import { OUT_OF_MEMORY } from "../../../src/resp/errors.ts";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";
import { seeded, type Random } from "../../support/random.ts";

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const array = (items: readonly string[]): string => `*${items.length}\r\n${items.map(bulk).join("")}`;
const NIL = "$-1\r\n";
const NIL_ARRAY = "*-1\r\n";

type Outcome = readonly [name: EngineName, args: readonly (string | number)[], expected: string | number];

/** Elements that compress, that do not, and that are numbers; few enough to be met again. */
function someElement(random: Random): string {
  return random.weighted<string>([
    [8, () => `element:${String(random.below(40)).padStart(10, "0")}`],
    [3, () => String(random.between(-300, 300))],
    [2, () => random.bytes(random.below(90)).toString("latin1")],
    [0.1, () => random.bytes(random.between(100, 9000)).toString("latin1")],
    [0.2, () => "x".repeat(random.between(60, 5000))],
  ]);
}

/** A range as its readers mean it. */
function cut(start: number, stop: number, length: number): [from: number, to: number] {
  const from = start < 0 ? Math.max(0, start + length) : start;
  const to = Math.min(stop < 0 ? stop + length : stop, length - 1);
  return from > to ? [0, 0] : [from, to + 1];
}

function place(random: Random, length: number): number {
  return random.chance(0.9)
    ? random.between(-length, length)
    : random.between(-length * 2 - 3, length * 2 + 3);
}

/** A command with what it must answer; `list` becomes what it leaves behind. */
function draw(random: Random, list: string[], grows: boolean): Outcome {
  const length = list.length;
  const element = length > 0 && random.chance(0.7) ? random.pick(list) : someElement(random);
  return random.weighted<Outcome>([
    [grows ? 40 : 5, () => push(random, list)],
    [grows ? 4 : 30, () => pop(random, list)],
    [6, () => lrange(list, place(random, length), place(random, length))],
    [6, () => lindex(list, place(random, length))],
    [5, () => lset(list, place(random, length), someElement(random))],
    [6, () => linsert(list, random.chance(0.5), element, someElement(random))],
    [2, () => lrem(list, random.between(-2, 2), element)],
    [grows ? 0.1 : 1, () => ltrim(list, random.below(5), random.between(-4, -1))],
    [0.05, () => ltrim(list, place(random, length), place(random, length))],
    [4, () => lpos(random, list, element)],
    [4, () => rotate(random, list)],
    [1, () => ["llen", ["k"], `:${length}\r\n`]],
  ]);
}

function push(random: Random, list: string[]): Outcome {
  const atFront = random.chance(0.5);
  const elements = Array.from({ length: random.pick([1, 1, 1, 2, 30]) }, () => someElement(random));
  if (atFront) list.unshift(...elements.toReversed());
  else list.push(...elements);
  return [atFront ? "lpush" : "rpush", ["k", ...elements], `:${list.length}\r\n`];
}

function pop(random: Random, list: string[]): Outcome {
  const fromFront = random.chance(0.5);
  const name = fromFront ? "lpop" : "rpop";
  if (random.chance(0.7)) {
    const popped = fromFront ? list.shift() : list.pop();
    return [name, ["k"], popped === undefined ? NIL : bulk(popped)];
  }
  const count = random.pick([0, 1, 3, 50]);
  if (list.length === 0) return [name, ["k", count], NIL_ARRAY];
  const popped = fromFront
    ? list.splice(0, count)
    : list.splice(Math.max(0, list.length - count)).toReversed();
  return [name, ["k", count], array(popped)];
}

function lrange(list: string[], start: number, stop: number): Outcome {
  return ["lrange", ["k", start, stop], array(list.slice(...cut(start, stop, list.length)))];
}

function lindex(list: string[], index: number): Outcome {
  const element = list.at(index);
  return ["lindex", ["k", index], element === undefined ? NIL : bulk(element)];
}

function lset(list: string[], index: number, element: string): Outcome {
  if (list.length === 0) return ["lset", ["k", index, element], abi.REFUSED_NO_SUCH_KEY];
  const at = index < 0 ? index + list.length : index;
  if (at < 0 || at >= list.length) return ["lset", ["k", index, element], abi.REFUSED_INDEX];
  list[at] = element;
  return ["lset", ["k", index, element], "+OK\r\n"];
}

function linsert(list: string[], after: boolean, pivot: string, element: string): Outcome {
  const args = ["k", after ? "AFTER" : "before", pivot, element];
  if (list.length === 0) return ["linsert", args, ":0\r\n"];
  const at = list.indexOf(pivot);
  if (at < 0) return ["linsert", args, ":-1\r\n"];
  list.splice(after ? at + 1 : at, 0, element);
  return ["linsert", args, `:${list.length}\r\n`];
}

function lrem(list: string[], count: number, element: string): Outcome {
  const places = list.flatMap((one, i) => (one === element ? [i] : []));
  const gone = count === 0 ? places : count > 0 ? places.slice(0, count) : places.slice(count);
  for (const i of gone.toReversed()) list.splice(i, 1);
  return ["lrem", ["k", count, element], `:${gone.length}\r\n`];
}

function ltrim(list: string[], start: number, stop: number): Outcome {
  list.splice(0, list.length, ...list.slice(...cut(start, stop, list.length)));
  return ["ltrim", ["k", start, stop], "+OK\r\n"];
}

function lpos(random: Random, list: string[], element: string): Outcome {
  const rank = random.pick([1, 1, 2, 5, -1, -2]);
  const most = random.chance(0.5) ? 0 : random.below(list.length + 5);
  const order = rank > 0 ? list.map((_, i) => i) : list.map((_, i) => list.length - 1 - i);
  const seen = most === 0 ? order : order.slice(0, most);
  const matches = seen.filter((i) => list[i] === element).slice(Math.abs(rank) - 1);
  const args = ["k", element, "RANK", rank, "maxlen", most];
  if (random.chance(0.5)) return ["lpos", args, matches.length === 0 ? NIL : `:${matches[0]}\r\n`];
  const count = random.below(4);
  const shown = count === 0 ? matches : matches.slice(0, count);
  return ["lpos", [...args, "COUNT", count], `*${shown.length}\r\n${shown.map((i) => `:${i}\r\n`).join("")}`];
}

function rotate(random: Random, list: string[]): Outcome {
  const [from, to] = [random.pick(["LEFT", "right"]), random.pick(["left", "RIGHT"])];
  const moved = from === "LEFT" ? list.shift() : list.pop();
  if (moved !== undefined && to === "left") list.unshift(moved);
  else if (moved !== undefined) list.push(moved);
  return ["lmove", ["k", "k", from, to], moved === undefined ? NIL : bulk(moved)];
}

/** Bytes in use but for the reply arena, which stays as long as it became. */
function usedBytes({ memory }: Keyspace): number {
  return memory.usedBytes - memory.getU32(abi.STATE_REPLY_LIMIT) + memory.getU32(abi.STATE_REPLY);
}

test.each([[-2], [-1], [-5], [1], [3], [100], [0]])(
  "a list does as an array does: nodes of %d",
  async (size) => {
    await seeded((random) => {
      const space = new Keyspace(random.seed);
      space.put("other", "x");
      space.memory.setU32(abi.STATE_LIST_MAX_LISTPACK_SIZE, size >>> 0);
      const before = usedBytes(space);
      const list: string[] = [];
      for (let phase = 0; phase < 6; phase++) {
        for (let i = 0; i < 700; i++) {
          const [name, args, expected] = draw(random, list, phase % 2 === 0);
          const got = space.run(name, ...args.map((arg) => bytesOf(String(arg))));
          if (got !== expected)
            throw new Error(`${name} ${args.join(" ").slice(0, 200)}: ${got} not ${expected}`);
          if (i % 100 === 0) expect(space.run("lrange", "k", "0", "-1")).toBe(array(list));
        }
        expect(space.run("lrange", "k", "0", "-1")).toBe(array(list));
      }
      space.run("del", "k");
      while (space.memory.wasm.releaseWaiting(1000)) continue;
      expect(space.run("exists", "k")).toBe(":0\r\n");
      // The request at hand, and the nodes last read as they were expanded.
      expect(usedBytes(space) - before).toBeLessThan(300_000);
    });
  },
);

test("what finds no memory is refused, and the list is as it was", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed, 6 * 2 ** 20);
    space.memory.setU32(abi.STATE_LIST_MAX_LISTPACK_SIZE, random.pick([-2, -5, 3, 100]) >>> 0);
    let list: string[] = [];
    let refused = 0;
    for (let i = 0; i < 6000; i++) {
      const left = [...list];
      const [name, args, expected] = draw(random, left, list.length < 15_000);
      const got = answer(space, name, args);
      if (got === abi.REFUSED_OUT_OF_MEMORY) refused++;
      else if (got === expected) list = left;
      else throw new Error(`${name} ${args.join(" ").slice(0, 200)}: ${got} not ${expected}`);
      if (i % 1000 === 999) fillUp(space, i);
    }
    expect(refused).toBeGreaterThan(50);
    for (let i = 0; i < 6000; i++) space.keys.delete(bytesOf(`filler${i}`));
    for (let i = 0; i < list.length; i += 20) {
      expect(space.run("lrange", "k", String(i), String(i + 19))).toBe(array(list.slice(i, i + 20)));
    }
  });
});

function answer(space: Keyspace, name: EngineName, args: readonly (string | number)[]): string | number {
  try {
    return space.run(name, ...args.map((arg) => bytesOf(String(arg))));
  } catch (error) {
    // Not even the request's arguments found room.
    if (error !== OUT_OF_MEMORY) throw error;
    return abi.REFUSED_OUT_OF_MEMORY;
  }
}

/** Takes what memory there is, and gives a little of it back. */
function fillUp(space: Keyspace, at: number): void {
  let count = at;
  try {
    for (; count < at + 1000; count++) space.put(`filler${count}`, "v".repeat(6000));
  } catch (error) {
    if (error !== OUT_OF_MEMORY) throw error;
  }
  for (let i = 0; i < 12; i++) space.keys.delete(bytesOf(`filler${count - 1 - i * 2}`));
}

test("a list at the longest listpack an entry holds loses elements and keeps to its own block", () => {
  for (let length = 990; length <= 1030; length++) {
    const keyspace = new Keyspace(length);
    keyspace.memory.setU32(abi.STATE_LIST_MAX_LISTPACK_SIZE, -2 >>> 0);
    const text = "e".repeat(length);
    keyspace.put("neighbour", "n".repeat(1000));
    for (const [count, words] of [
      [-2, [text]],
      [0, [text, "abcd"]],
      [1, [...Array.from({ length: 45 }, () => "x".repeat(20)), "abcd", text.slice(0, length - 970)]],
    ] as const) {
      for (const word of words) keyspace.run("rpush", "k", word);
      expect(keyspace.run("lrem", "k", String(count), words.at(-1)!)).toBe(":1\r\n");
      const rest = words.slice(0, -1).filter((word) => word !== words.at(-1));
      expect(keyspace.run("lrange", "k", "0", "-1")).toBe(array(rest));
      keyspace.run("del", "k");
    }
    expect(keyspace.value("neighbour")).toBe("n".repeat(1000));
  }
});
