// What is going to happen in virtual time: a binary heap by moment, then by order of adding.
interface Work {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class EventQueue {
  readonly #heap: Work[] = [];
  #order = 0;

  get nextAtMs(): number {
    return this.#heap[0]?.atMs ?? Infinity;
  }

  add(atMs: number, run: () => void): void {
    const work = { atMs, order: this.#order++, run };
    const heap = this.#heap;
    let at = heap.push(work) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(work, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = work;
  }

  take(): Work {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) throw new Error("nothing left to happen");
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Work, b: Work): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
}
