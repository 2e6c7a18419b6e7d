// The order SORT puts elements in: by the numbers they or their weights spell, equal ones by their bytes; or, with ALPHA,
// by bytes. Elements are told by their index.
//
// What is replied in the order of bytes is compared as C's texts, which end with a zero byte; what is stored, as a whole.
import type { Elements } from "../engine/elements.ts";
import { SORT_NOT_DOUBLE } from "../resp/errors.ts";
import type { Context } from "./context.ts";
import { latin1, parseLongDouble } from "./longdouble.ts";
import { lookUp } from "./sort-pattern.ts";
import type { SortOrder } from "./sort-request.ts";

type Comparison = (a: number, b: number) => number;

export function inGivenOrder(elements: Elements, isBackwards: boolean): Uint32Array {
  const order = Uint32Array.from({ length: elements.count }, (_, i) => i);
  return isBackwards ? order.toReversed() : order;
}

/** All elements, sorted; throws SORT_NOT_DOUBLE when one has a weight that is no number. */
export function inOrder(ctx: Context, order: SortOrder, elements: Elements): Uint32Array {
  const compare = order.isAlpha ? byText(ctx, order, elements) : byNumber(ctx, order, elements);
  return inGivenOrder(elements, false).toSorted(order.isDescending ? (a, b) => -compare(a, b) : compare);
}

function byNumber(ctx: Context, { by }: SortOrder, elements: Elements): Comparison {
  const weights = new Float64Array(elements.count);
  let isNumber = true;
  // All weights are looked at, also when one was no number: looking counts as a use of its key.
  for (let i = 0; i < elements.count; i++) {
    const element = elements.at(i);
    const found = by === undefined ? element : lookUp(ctx, by, element);
    if (found === undefined) continue; // no weight counts as 0
    const weight = parseWeight(latin1(ctx.keys.bytesOf(found)));
    if (weight === undefined) isNumber = false;
    else weights[i] = weight;
  }
  if (!isNumber) throw SORT_NOT_DOUBLE;
  return (a, b) => {
    const [x, y] = [weights[a]!, weights[b]!];
    return x < y ? -1 : x > y ? 1 : Buffer.compare(elements.view(a), elements.view(b));
  };
}

function byText(ctx: Context, { by, isStored }: SortOrder, elements: Elements): Comparison {
  const part = isStored ? (bytes: Uint8Array): Uint8Array => bytes : untilZero;
  if (by === undefined) return (a, b) => Buffer.compare(part(elements.view(a)), part(elements.view(b)));
  const weights = Array.from({ length: elements.count }, (_, i) => {
    const found = lookUp(ctx, by, elements.at(i));
    return found === undefined ? undefined : part(ctx.keys.bytesOf(found));
  });
  return (a, b) => {
    const [x, y] = [weights[a], weights[b]];
    // Elements without a weight come first.
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? -1 : 1;
    return Buffer.compare(x, y);
  };
}

function untilZero(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const LEAST_NORMAL = 2 ** -1022;

/** A number as C's strtod reads it, all of it up to a zero byte; undefined = it is none, or out of range. */
export function parseWeight(bytes: string): number | undefined {
  const text = bytes.replace(/\0[^]*$/, "");
  if (text === "") return 0;
  const trimmed = text.replace(/^[ \t\n\v\f\r]+/, "");
  if (!DECIMAL.test(trimmed)) return parseOther(trimmed);
  const value = Number(trimmed);
  const isZero = !/[1-9]/.test(trimmed.replace(/e.*$/i, ""));
  if (isZero) return value;
  return Number.isFinite(value) && Math.abs(value) >= LEAST_NORMAL ? value : undefined;
}

/** Infinity, and hexadecimal numbers. */
function parseOther(text: string): number | undefined {
  const read = parseLongDouble(text);
  if (read === undefined || read.kind === "nan") return undefined;
  if (read.kind === "infinite") return read.negative ? -Infinity : Infinity;
  const size = Number(read.significand) * 2 ** read.exponent;
  if (read.significand !== 0n && (!Number.isFinite(size) || size < LEAST_NORMAL)) return undefined;
  return read.negative ? -size : size;
}
