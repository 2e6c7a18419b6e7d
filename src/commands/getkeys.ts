// Which arguments of a request are keys, and what is done with them: for routing and for COMMAND GETKEYS. Most rows
// need only first, last and step; the rest go through their key specs, or through their own finder where those
// cannot tell.
import type { KeyFlag, KeySpec } from "./row.ts";
import type { CommandTable } from "./table.ts";

/** The arguments of a request, name first, as key finding reads them. */
export interface Words {
  readonly count: number;
  /** Whether the argument is this upper-case word, in any case. */
  is(index: number, word: string): boolean;
  /** The argument as a 64-bit decimal integer, if it is one. */
  integer(index: number): bigint | undefined;
  /** The argument as text, one character per byte. */
  latin1(index: number): string;
}

/** A request inside another's arguments: COMMAND GETKEYS get k. */
export class WordsFrom implements Words {
  constructor(
    private readonly words: Words,
    private readonly start: number,
  ) {}

  get count(): number {
    return this.words.count - this.start;
  }

  is(index: number, word: string): boolean {
    return this.words.is(this.start + index, word);
  }

  integer(index: number): bigint | undefined {
    return this.words.integer(this.start + index);
  }

  latin1(index: number): string {
    return this.words.latin1(this.start + index);
  }
}

/** Adds the keys of a request to `found`; @returns false when the request's form is wrong. */
export type KeyFinder = (words: Words, found: KeyPlaces) => boolean;

/** Indexes of arguments that are keys; made once and filled again for each request. */
export class KeyPlaces {
  count = 0;
  #places = new Uint32Array(64);
  readonly #flags: (readonly KeyFlag[])[] = [];

  clear(): void {
    this.count = 0;
  }

  /** The argument the nth key stands at. */
  place(n: number): number {
    return this.#places[n]!;
  }

  /** What is done with the nth key. */
  flags(n: number): readonly KeyFlag[] {
    return this.#flags[n] ?? [];
  }

  add(place: number, flags: readonly KeyFlag[]): void {
    if (this.count === this.#places.length) {
      const larger = new Uint32Array(this.count * 2);
      larger.set(this.#places);
      this.#places = larger;
    }
    this.#flags[this.count] = flags;
    this.#places[this.count++] = place;
  }
}

/**
 * Fills `found` with the keys of a request that belongs to row `id` and has the right number of arguments; sharded
 * channels, flagged `not_key`, are among them: they too are routed by slot.
 * @returns false when the keys cannot be told because the request is malformed; `found` is then empty
 */
export function findKeys(table: CommandTable, id: number, words: Words, found: KeyPlaces): boolean {
  found.clear();
  const { keys = [], findKeys: finder } = table.rows[id]!.command;
  if (finder === undefined && table.hasPlainKeys[id] === 1)
    return addPlain(table, id, keys, words.count, found);
  const isComplete = !keys.some(({ flags }) => flags.includes("variable_flags"));
  if (isComplete && keys.length > 0 && followSpecs(keys, words, found)) return true;
  found.clear();
  if (finder === undefined ? keys.length === 0 || addLoosely(keys, words, found) : finder(words, found))
    return true;
  found.clear();
  return false;
}

/** Keys from first, last and step alone: nothing is allocated. */
function addPlain(
  table: CommandTable,
  id: number,
  keys: readonly KeySpec[],
  count: number,
  found: KeyPlaces,
): boolean {
  if (keys.length === 0) return true;
  const first = table.firstKey[id]!;
  const step = table.keyStep[id]!;
  let last = table.lastKey[id]!;
  if (last < 0) last += count;
  if (last >= count || last < first || first >= count) return false;
  for (let at = first, n = 0; at <= last; at += step, n++) {
    found.add(at, keys[n < keys.length ? n : keys.length - 1]!.flags);
  }
  return true;
}

function followSpecs(specs: readonly KeySpec[], words: Words, found: KeyPlaces): boolean {
  for (const spec of specs) {
    const first = beginOf(spec, words);
    if (first === undefined) return false;
    if (first === 0) continue; // its keyword is not there
    if (!addFound(spec, first, words, found) || spec.flags.includes("incomplete")) return false;
  }
  return true;
}

/** Where a spec's search begins; 0 = its keyword is missing, undefined = no rule tells. */
function beginOf({ begin }: KeySpec, words: Words): number | undefined {
  if (begin === "unknown") return undefined;
  if ("index" in begin) return begin.index;
  const { keyword, startFrom } = begin;
  const step = startFrom > 0 ? 1 : -1;
  const end = startFrom > 0 ? words.count - 1 : 1;
  const start = startFrom > 0 ? startFrom : words.count + startFrom;
  for (let at = start; (end - at) * step > 0; at += step) if (words.is(at, keyword)) return at + 1;
  return 0;
}

function addFound({ find, flags }: KeySpec, begin: number, words: Words, found: KeyPlaces): boolean {
  if (find === "unknown") return false;
  let first = begin;
  let last: number;
  let step: number;
  if ("range" in find) {
    const [lastKey, stride, limit] = find.range;
    step = stride;
    if (lastKey >= 0) last = first + lastKey;
    else
      last =
        limit === 0 ? words.count + lastKey : first + Math.trunc((words.count - first) / limit) + lastKey;
  } else {
    const [countIndex, firstKey, stride] = find.keynum;
    step = stride;
    const count = first + countIndex < words.count ? words.integer(first + countIndex) : undefined;
    if (count === undefined || count < 0n) return false;
    first += firstKey;
    last = (first + (asInt(count) - 1) * step) | 0;
  }
  if (last >= words.count || last < first || first >= words.count) return false;
  for (let at = first; at <= last; at += step) found.add(at, flags);
  return true;
}

/** Keys behind a number that is none: as many as C's atoi reads of it, then those at fixed places; flags say nothing then. */
function addLoosely(specs: readonly KeySpec[], words: Words, found: KeyPlaces): boolean {
  if (!specs.some(({ find }) => find !== "unknown" && "keynum" in find)) return false;
  for (const { begin, find } of specs.toReversed()) {
    if (begin === "unknown" || find === "unknown" || !("index" in begin)) return false;
    if ("range" in find) {
      found.add(begin.index, []);
      continue;
    }
    const first = begin.index + find.keynum[1];
    const count = leadingInteger(words.latin1(begin.index + find.keynum[0]));
    if (count < 1 || count > words.count - first) return false;
    for (let n = 0; n < count; n++) found.add(first + n, []);
  }
  return true;
}

/** C's atoi on a 64-bit machine: leading space, a sign, digits; what exceeds 64 bits is cut to them, then to 32. */
function leadingInteger(text: string): number {
  const digits = /^[\t-\r ]*([+-]?\d+)/.exec(text)?.[1];
  if (digits === undefined) return 0;
  const value = BigInt(digits.replace("+", ""));
  const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
  return asInt(value < least ? least : value > most ? most : value);
}

/** What is left of a 64-bit number where redis-server keeps it as an int. */
function asInt(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

/** For a row with one key, overwritten, but read too when the option's word stands behind it (SET key value GET). */
export function readWhen(word: string, from: number): KeyFinder {
  return (words, found) => {
    for (let at = from; at < words.count; at++) {
      if (words.is(at, word)) {
        found.add(1, ["RW", "access", "update"]);
        return true;
      }
    }
    found.add(1, ["OW", "update"]);
    return true;
  };
}
