// What a SORT asks for, and which of its arguments are keys.
//
//   SORT key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC] [ALPHA] [STORE destination]
//
// In cluster mode patterns are refused: the keys they name may be anywhere.
import type { Args } from "../engine/args.ts";
import { SORT_BY_IN_CLUSTER, SORT_GET_IN_CLUSTER, SYNTAX } from "../resp/errors.ts";
import type { Slice } from "../resp/reply.ts";
import { integerAt } from "./arguments.ts";
import type { KeyFinder, KeyPlaces, Words } from "./getkeys.ts";
import { readPattern, type SortPattern } from "./sort-pattern.ts";

/** How elements are put in order. */
export interface SortOrder {
  /** Elements stay in the order they have. */
  readonly isUnsorted: boolean;
  readonly isDescending: boolean;
  /** By bytes; else by the number they spell. */
  readonly isAlpha: boolean;
  /** What is compared in place of the elements themselves. */
  readonly by: SortPattern | undefined;
  /** The outcome is to be the same everywhere. */
  readonly isStored: boolean;
}

export interface SortRequest extends SortOrder {
  readonly offset: number;
  /** Below 0 = all. */
  readonly limit: number;
  readonly gets: readonly SortPattern[];
  readonly store: Slice | undefined;
}

/** The same way round, by the bytes of the elements. */
export function byBytes(order: SortOrder): SortOrder {
  return {
    isUnsorted: false,
    isDescending: order.isDescending,
    isAlpha: true,
    by: undefined,
    isStored: true,
  };
}

const STAR = 42;

export function readSort(args: Args, canStore: boolean, inCluster: boolean): SortRequest {
  let [offset, limit] = [0, -1];
  let [isUnsorted, isDescending, isAlpha] = [false, false, false];
  let by: SortPattern | undefined;
  let store: Slice | undefined;
  const gets: SortPattern[] = [];
  for (let i = 2; i < args.count; i++) {
    const left = args.count - i - 1;
    if (args.is(i, "ASC")) isDescending = false;
    else if (args.is(i, "DESC")) isDescending = true;
    else if (args.is(i, "ALPHA")) isAlpha = true;
    else if (args.is(i, "LIMIT") && left >= 2) {
      [offset, limit] = [Number(integerAt(args, ++i)), Number(integerAt(args, ++i))];
    } else if (args.is(i, "STORE") && left >= 1 && canStore) store = args.at(++i);
    else if (args.is(i, "BY") && left >= 1) {
      const pattern = args.bytes(++i);
      by = readPattern(pattern);
      // A pattern without a star is the same for all, and says: as they are.
      if (!pattern.includes(STAR)) isUnsorted = true;
      else if (inCluster) throw SORT_BY_IN_CLUSTER;
    } else if (args.is(i, "GET") && left >= 1) {
      if (inCluster) throw SORT_GET_IN_CLUSTER;
      gets.push(readPattern(args.bytes(++i)));
    } else throw SYNTAX;
  }
  return { offset, limit, isUnsorted, isDescending, isAlpha, by, gets, store, isStored: store !== undefined };
}

export const sortedKey: KeyFinder = (_, found) => {
  found.add(1, ["RO", "access"]);
  return true;
};

export const sortedKeyAndStore: KeyFinder = (words, found) => {
  found.add(1, ["RO", "access"]);
  addStore(words, found);
  return true;
};

/** The last STORE counts; what other options take is no option. */
function addStore(words: Words, found: KeyPlaces): void {
  let store = 0;
  for (let i = 2; i < words.count; i++) {
    if (words.is(i, "LIMIT")) i += 2;
    else if (words.is(i, "GET") || words.is(i, "BY")) i++;
    else if (words.is(i, "STORE") && i + 1 < words.count) store = ++i;
  }
  if (store !== 0) found.add(store, ["OW", "update"]);
}
