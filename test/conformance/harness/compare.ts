// Comparisons for replies that are right without being equal: unordered ones, and those that hold a time or chance.
import { plain, type Plain, printable, type Reply, type Value } from "../../support/resp.ts";
import type { Compare } from "./step.ts";

export const sameBytes: Compare = (theirs, ours) =>
  theirs.raw.equals(ours.raw) ? undefined : "the bytes differ";

/** Integers that may lie `tolerance` apart; values below zero have meanings of their own and must be equal. */
export function near(tolerance: number): Compare {
  return (theirs, ours) => {
    const [a, b] = [theirs.value, ours.value];
    if (a.kind !== "integer" || b.kind !== "integer") return sameBytes(theirs, ours);
    const [x, y] = [Number(a.text), Number(b.text)];
    if (x < 0 || y < 0) return sameBytes(theirs, ours);
    return Math.abs(x - y) <= tolerance ? undefined : `more than ${tolerance} apart`;
  };
}

/** The same members in any order. */
export const unordered: Compare = (theirs, ours) => {
  const [a, b] = [membersOf(theirs.value), membersOf(ours.value)];
  if (a === undefined || b === undefined) return sameBytes(theirs, ours);
  if (theirs.value.kind !== ours.value.kind) return "another kind of reply";
  if (a.length !== b.length) return `${a.length} members against ${b.length}`;
  return a.every((member, i) => member === b[i]) ? undefined : "other members";
};

/** The same pairs in any order: a map, or a flat array of names and values. */
export const unorderedPairs: Compare = (theirs, ours) => {
  const [a, b] = [pairsOf(theirs.value), pairsOf(ours.value)];
  if (a === undefined || b === undefined) return sameBytes(theirs, ours);
  if (theirs.value.kind !== ours.value.kind) return "another kind of reply";
  if (a.length !== b.length) return `${a.length} pairs against ${b.length}`;
  return a.every((pair, i) => pair === b[i]) ? undefined : "other pairs";
};

/** As many members, whichever they are. */
export const sameCount: Compare = (theirs, ours) => {
  const [a, b] = [membersOf(theirs.value), membersOf(ours.value)];
  if (a === undefined || b === undefined) return sameBytes(theirs, ours);
  return a.length === b.length ? undefined : `${a.length} members against ${b.length}`;
};

/** The same kinds all the way down; only what the leaves say may differ. Errors must be equal. */
export const sameShape: Compare = (theirs, ours) => {
  if (theirs.value.kind === "error") return sameBytes(theirs, ours);
  const [a, b] = [shapeOf(theirs.value), shapeOf(ours.value)];
  return a === b ? undefined : `shape ${a} against ${b}`;
};

/** Equal once the values of the named fields are blotted out, in a map or in a flat list of pairs. */
export function exceptFields(...names: readonly string[]): Compare {
  return (theirs, ours) => {
    const [a, b] = [blot(theirs, names), blot(ours, names)];
    return a === b ? undefined : "fields differ";
  };
}

function blot(reply: Reply, names: readonly string[]): string {
  const { value } = reply;
  const isNamed = (field: Value): boolean => names.includes(String(plain(field)));
  if (value.kind === "map") {
    return JSON.stringify(
      value.pairs.map(([field, item]) => [plain(field), isNamed(field) ? "*" : plain(item)]),
    );
  }
  if (value.kind === "array") {
    return JSON.stringify(
      value.items.map((item, i): Plain => {
        const before = value.items[i - 1];
        return i % 2 === 1 && before !== undefined && isNamed(before) ? "*" : plain(item);
      }),
    );
  }
  return printable(reply.raw, Infinity);
}

function membersOf(value: Value): string[] | undefined {
  if (value.kind !== "array" && value.kind !== "set") return undefined;
  return value.items.map(fingerprint).toSorted();
}

function pairsOf(value: Value): string[] | undefined {
  if (value.kind === "map")
    return value.pairs.map(([name, item]) => `${fingerprint(name)}=${fingerprint(item)}`).toSorted();
  if (value.kind !== "array" || value.items.length % 2 !== 0) return undefined;
  const prints = value.items.map(fingerprint);
  return prints.flatMap((name, i) => (i % 2 === 0 ? [`${name}=${prints[i + 1]}`] : [])).toSorted();
}

function fingerprint(value: Value): string {
  if (value.kind === "bulk") return `$${value.bytes.toString("latin1")}`;
  return JSON.stringify(plain(value));
}

function shapeOf(value: Value): string {
  switch (value.kind) {
    case "array":
    case "set":
    case "push":
      return `${value.kind}(${value.items.map(shapeOf).join(",")})`;
    case "map":
    case "attribute":
      return `${value.kind}(${value.pairs.map(([field, item]) => `${shapeOf(field)}:${shapeOf(item)}`).join(",")})`;
    default:
      return value.kind;
  }
}
