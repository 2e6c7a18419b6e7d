// A family is a group of rows; the helpers say where a row's keys stand.
import type { Command, Group, KeyFlag, KeySpec } from "./row.ts";

export interface Family {
  readonly group: Group;
  readonly rows: readonly Command[];
}

export function family(group: Group, rows: readonly Command[]): Family {
  return { group, rows };
}

/** One key at this argument (the command's name is argument 0). */
export function keyAt(index: number, ...flags: readonly KeyFlag[]): KeySpec {
  return keysFrom(index, 0, 1, ...flags);
}

/** Keys from `index`; `last` counts from there, or from the end of the request when negative (-1 = its last argument). */
export function keysFrom(index: number, last: number, step: number, ...flags: readonly KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { range: [last, step, 0] } };
}

/** As many keys as the number at `index` says, right behind it: `numkeys key [key ...]`. */
export function keysCounted(index: number, ...flags: readonly KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { keynum: [0, 1, 1] } };
}

/** Keys behind a keyword; `limit` 2 = only the first half of the arguments left (`STREAMS key [key ...] id [id ...]`). */
export function keysAfter(
  keyword: string,
  startFrom: number,
  [last, step, limit]: readonly [last: number, step: number, limit: number],
  ...flags: readonly KeyFlag[]
): KeySpec {
  return { flags, begin: { keyword, startFrom }, find: { range: [last, step, limit] } };
}

/** Keys no rule describes; the row's `findKeys` finds them. */
export function keysUnknown(...flags: readonly KeyFlag[]): KeySpec {
  return { flags, begin: "unknown", find: "unknown" };
}

/** The same keys with a remark, printed by COMMAND INFO. */
export function noted(spec: KeySpec, notes: string): KeySpec {
  return { ...spec, notes };
}
