// The tree of sorted sets by random operations, against a sorted array.
import { expect, test } from "bun:test";
import { compileParts } from "../../support/parts.ts";
import { seeded, type Random } from "../../support/random.ts";

const parts = compileParts("scoretree", "scoresearch", "scorenode", "item", "heap");
const STATE_MEMORY_LIMIT = 152;
new DataView(parts.memory.buffer).setFloat64(STATE_MEMORY_LIMIT, 2 ** 30, true);
parts.call("initHeap");

const TEXT = parts.call("alloc", 1024) >>> 0;
const used = (): number => parts.call("usedBytes");

interface Cell {
  readonly score: number;
  readonly member: string;
  readonly item: number;
}

function write(text: string): number {
  Buffer.from(text, "latin1").copy(parts.bytes, TEXT);
  return text.length;
}

function order(a: Cell, b: Cell): number {
  return (
    a.score - b.score || Buffer.compare(Buffer.from(a.member, "latin1"), Buffer.from(b.member, "latin1"))
  );
}

/** A tree beside the array it must equal. */
class Model {
  readonly tree = parts.call("alloc", 8) >>> 0;
  cells: Cell[] = [];
  #members = new Set<string>();

  constructor(private readonly random: Random) {
    parts.call("initTree", this.tree);
  }

  #place(cell: Cell): number {
    let low = 0;
    let high = this.cells.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order(this.cells[middle]!, cell) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #member(): string {
    for (;;) {
      const { random } = this;
      const text = random.chance(0.1)
        ? random.bytes(random.between(1, 30)).toString("latin1")
        : `member:${random.below(1e6)}`;
      if (this.#members.has(text)) continue;
      this.#members.add(text);
      return text;
    }
  }

  add(score: number): void {
    const member = this.#member();
    const item = parts.call("createItem", TEXT, write(member), 8) >>> 0;
    expect(parts.call("insertCell", this.tree, score, item)).toBe(1);
    const cell = { score, member, item };
    this.cells.splice(this.#place(cell), 0, cell);
  }

  remove(index: number): void {
    const cell = this.cells[index]!;
    if (this.random.chance(0.5)) parts.call("removeCell", this.tree, cell.score, cell.item);
    else expect(parts.call("removeRank", this.tree, index) >>> 0).toBe(cell.item);
    this.#forget(index, cell);
  }

  #forget(index: number, cell: Cell): void {
    parts.call("free", cell.item);
    this.cells.splice(index, 1);
    this.#members.delete(cell.member);
  }

  move(index: number, score: number): void {
    const cell = this.cells[index]!;
    if (cell.score === score) return;
    expect(parts.call("moveCell", this.tree, cell.score, score, cell.item)).toBe(1);
    this.cells.splice(index, 1);
    const moved = { ...cell, score };
    this.cells.splice(this.#place(moved), 0, moved);
  }

  /** Ranks of members and of bounds that may fall on a score, between two, or outside of all. */
  checkSearch(score: number): void {
    const { cells, random, tree } = this;
    const isPast = random.chance(0.5);
    const before = cells.filter((cell) => (isPast ? cell.score <= score : cell.score < score)).length;
    expect(parts.call("searchScore", tree, score, Number(isPast))).toBe(before);
    if (cells.length === 0) return;
    const rank = random.below(cells.length);
    const cell = cells[rank]!;
    const length = write(cell.member);
    expect(parts.call("searchMember", tree, cell.score, TEXT, length, 0)).toBe(rank);
    expect(parts.call("searchMember", tree, cell.score, TEXT, length, 1)).toBe(rank + 1);
    parts.call("seekRank", tree, rank);
    const leaf = parts.global("foundLeaf") >>> 0;
    expect(
      new DataView(parts.memory.buffer).getUint32(leaf + 512 + parts.global("foundCell") * 4, true),
    ).toBe(cell.item);
  }

  checkAll(): void {
    const nodes = checkNode(this.tree);
    expect(nodes.map((cell) => `${cell.score} ${cell.item}`)).toEqual(
      this.cells.map((cell) => `${cell.score} ${cell.item}`),
    );
  }

  clear(): void {
    while (this.cells.length > 0) this.remove(this.random.below(this.cells.length));
    expect(new DataView(parts.memory.buffer).getUint32(this.tree, true)).toBe(0);
    parts.call("free", this.tree);
  }
}

type Placed = Omit<Cell, "member">;

/** Walks the tree by its own links: counts, first cells and the chain of leaves must all agree. */
function checkNode(tree: number): Placed[] {
  const view = new DataView(parts.memory.buffer);
  const u32 = (at: number): number => view.getUint32(at, true);
  const leaves: number[] = [];
  const visit = (node: number, height: number): Placed[] => {
    const count = u32(node);
    if (count === 0) throw new Error("an empty node");
    if (height === 0) {
      leaves.push(node);
      return Array.from({ length: count }, (_, i) => ({
        score: view.getFloat64(node + 16 + i * 8, true),
        item: u32(node + 512 + i * 4),
      }));
    }
    return Array.from({ length: count }, (_, i) => {
      const cells = visit(u32(node + 8 + i * 4), height - 1);
      expect(u32(node + 208 + i * 4)).toBe(cells.length);
      const first = { score: view.getFloat64(node + 408 + i * 8, true), item: u32(node + 808 + i * 4) };
      expect(first).toEqual(cells[0]!);
      return cells;
    }).flat();
  };
  const root = u32(tree);
  if (root === 0) return [];
  const cells = visit(root, u32(tree + 4));
  leaves.forEach((leaf, i) => {
    expect(u32(leaf + 4)).toBe(leaves[i - 1] ?? 0);
    expect(u32(leaf + 8)).toBe(leaves[i + 1] ?? 0);
  });
  return cells;
}

/** Scores that come in any order, in one, or as very few. */
function scoring(random: Random): () => number {
  let next = 0;
  return random.pick([
    () => random.unit() * 1000 - 500,
    () => random.below(5),
    () => next++,
    () => next--,
    () => 0,
    () => random.below(100_000),
  ]);
}

test("the tree holds what a sorted array holds", () =>
  seeded((random) => {
    const before = used();
    for (let round = 0; round < 30; round++) {
      const model = new Model(random);
      const score = scoring(random);
      const size = random.pick([10, 100, 1000, 6000]);
      for (let phase = 0; phase < 4; phase++) {
        const grows = phase % 2 === 0 ? 0.8 : 0.2;
        const takesEnds = random.chance(0.3);
        for (let i = 0; i < size; i++) {
          const count = model.cells.length;
          if (count === 0 || random.chance(grows)) model.add(score());
          else if (random.chance(0.2)) model.move(random.below(count), random.chance(0.5) ? score() : model.cells[random.below(count)]!.score + 1e-9);
          else model.remove(takesEnds ? random.pick([0, count - 1]) : random.below(count));
          if (i % 16 === 0) model.checkSearch(random.chance(0.5) ? score() : (model.cells[0]?.score ?? 0));
        }
        model.checkAll();
      }
      model.clear();
    }
    expect(used()).toBe(before);
  })); // prettier-ignore

test("members of one score are found by their bytes alone", () =>
  seeded((random) => {
    const model = new Model(random);
    for (let i = 0; i < 3000; i++) model.add(7);
    for (let i = 0; i < 300; i++) {
      const text = random.chance(0.5) ? random.pick(model.cells).member : `member:${random.below(1e6)}`;
      const isPast = random.chance(0.5);
      const bytes = Buffer.from(text, "latin1");
      const before = model.cells.filter((cell) => {
        const side = Buffer.compare(Buffer.from(cell.member, "latin1"), bytes);
        return side < 0 || (isPast && side === 0);
      }).length;
      expect(parts.call("searchLex", model.tree, TEXT, write(text), Number(isPast))).toBe(before);
    }
    model.clear();
  }));

test("a cell takes 16 bytes at most when they come in any order, and little more than itself when they come in one", () =>
  seeded((random) => {
    const room = (scores: () => number): number => {
      const tree = parts.call("alloc", 8) >>> 0;
      parts.call("initTree", tree);
      const items = Array.from({ length: 50_000 }, () => parts.call("createItem", TEXT, 0, 8) >>> 0);
      const before = used();
      for (const item of items) parts.call("insertCell", tree, scores(), item);
      const bytes = (used() - before) / items.length;
      let steps = 1;
      while (parts.call("releaseTree", tree, 100) === 0) steps++;
      expect(steps).toBeGreaterThan(5);
      expect(used()).toBe(before);
      for (const item of items) parts.call("free", item);
      return bytes;
    };
    let next = 0;
    expect(room(() => random.unit())).toBeLessThan(16);
    expect(room(() => next++)).toBeLessThan(13.5);
    expect(room(() => next--)).toBeLessThan(13.5);
  }));

test("without memory an insertion is refused and nothing changes", () =>
  seeded((random) => {
    const model = new Model(random);
    for (let i = 0; i < 5000; i++) model.add(random.unit());
    const items = Array.from({ length: 50_000 }, () => parts.call("createItem", TEXT, write("x"), 8) >>> 0);
    new DataView(parts.memory.buffer).setFloat64(STATE_MEMORY_LIMIT, 65536, true);
    while (parts.call("alloc", 65536) !== 0);
    let refused = 0;
    let at = 0;
    while (refused < 50 && at < items.length) {
      const item = items[at++]!;
      const score = random.unit();
      if (parts.call("insertCell", model.tree, score, item) === 0) refused++;
      else model.cells.push({ score, member: "x", item });
    }
    expect(refused).toBe(50);
    new DataView(parts.memory.buffer).setFloat64(STATE_MEMORY_LIMIT, 2 ** 30, true);
    model.cells.sort(order);
    model.checkAll();
  }));
