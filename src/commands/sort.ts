// SORT and SORT_RO: the rows. What a request asks for is read in sort-request.ts, the order is made in sort-order.ts,
// keys that patterns name are looked up in sort-pattern.ts.
import { EVENT_DEL, EVENT_SORTSTORE, TYPE_SET } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import type { Elements } from "../engine/elements.ts";
import type { Reply, Slice } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { family, keyAt, keysUnknown, noted } from "./family.ts";
import type { Command } from "./row.ts";
import { inGivenOrder, inOrder } from "./sort-order.ts";
import { lookUp } from "./sort-pattern.ts";
import { byBytes, readSort, sortedKey, sortedKeyAndStore, type SortRequest } from "./sort-request.ts";

const PATTERNS = noted(
  keysUnknown("RO", "access"),
  "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort",
);
const STORED = noted(
  keysUnknown("OW", "update"),
  "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array",
);
const SYNTAX =
  "key [BY pattern@1] [LIMIT offset_count(offset count)] [GET... pattern@1] [order(ASC | DESC)] [sorting=ALPHA]";
const SHARED = {
  arity: -2,
  complexity:
    "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N).",
  categories: ["-keyspace", "set", "sortedset", "list", "dangerous"],
} as const satisfies Partial<Command>;

export const sorting = family("generic", [
  {
    ...SHARED,
    name: "sort",
    flags: ["write", "denyoom"],
    keys: [keyAt(1, "RO", "access"), PATTERNS, STORED],
    findKeys: sortedKeyAndStore,
    since: "1.0.0",
    summary:
      "Puts the elements of a list, set or sorted set in order; replies them, or stores them as a list.",
    syntax: `${SYNTAX} [STORE destination:key]`,
    run: (ctx, args, reply) => sort(ctx, args, reply, true),
  },
  {
    ...SHARED,
    name: "sort_ro",
    flags: ["readonly"],
    keys: [keyAt(1, "RO", "access"), PATTERNS],
    findKeys: sortedKey,
    since: "7.0.0",
    summary: "Replies the elements of a list, set or sorted set in order.",
    syntax: SYNTAX,
    run: (ctx, args, reply) => sort(ctx, args, reply, false),
  },
]);

function sort(ctx: Context, args: Args, reply: Reply, canStore: boolean): void {
  const request = readSort(args, canStore, ctx.server.clusterEnabled);
  const key = args.at(1);
  const { type, count } = ctx.keys.collection(key);
  // What is stored must not hang on the order a set happens to have: replicas have another one.
  const how =
    request.isUnsorted && type === TYPE_SET && request.store !== undefined ? byBytes(request) : request;
  const from = Math.min(Math.max(request.offset, 0), count);
  const wanted = request.limit < 0 ? count - from : Math.min(request.limit, count - from);
  const isBackwards = how.isUnsorted && type !== TYPE_SET && how.isDescending;
  // Without an order to make, only what is wanted is looked at.
  const first = how.isUnsorted ? (isBackwards ? count - from - wanted : from) : 0;
  ctx.keys.withElements(key, first, how.isUnsorted ? wanted : count, (elements) => {
    const order = how.isUnsorted
      ? inGivenOrder(elements, isBackwards)
      : inOrder(ctx, how, elements).subarray(from, from + wanted);
    if (request.store === undefined) write(ctx, request, elements, order, reply);
    else store(ctx, request.store, shown(ctx, request, elements, order), reply);
  });
}

/** What the reply holds: each element, or what the GET patterns say of it; undefined = nothing there. */
function* shown(
  ctx: Context,
  { gets }: SortRequest,
  elements: Elements,
  order: Uint32Array,
): Generator<Slice | undefined> {
  for (const index of order) {
    const element = elements.at(index);
    if (gets.length === 0) yield element;
    for (const pattern of gets) yield lookUp(ctx, pattern, element);
  }
}

function write(
  ctx: Context,
  request: SortRequest,
  elements: Elements,
  order: Uint32Array,
  reply: Reply,
): void {
  reply.array(order.length * Math.max(request.gets.length, 1));
  for (const value of shown(ctx, request, elements, order)) {
    if (value === undefined) reply.null();
    else reply.bulk(value);
  }
}

const NOTHING = new Uint8Array(0);

function store(ctx: Context, key: Slice, values: Iterable<Slice | undefined>, reply: Reply): void {
  const copies = Array.from(values, (value) => (value === undefined ? NOTHING : ctx.keys.bytesOf(value)));
  if (copies.length > 0) {
    ctx.keys.setList(key, copies);
    ctx.changed(copies.length);
    ctx.notify(EVENT_SORTSTORE, key);
  } else if (ctx.keys.delete(key)) {
    ctx.changed();
    ctx.notify(EVENT_DEL, key);
  }
  reply.integer(copies.length);
}
