// The transactions family: MULTI and what follows it. What is queued and what runs at once is the dispatcher's to see
// to; EXEC of a transaction too, since it runs requests.
import type { Args } from "../engine/args.ts";
import { ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Client, Context } from "./context.ts";
import { family, keysFrom } from "./family.ts";

/** What a client says after MULTI, and the keys it WATCHes, as handlers see them. */
export interface Transactions {
  /** What the client sends from here on waits for EXEC. */
  begin(client: Client): void;
  /** Forgets what waits, and the keys watched. */
  discard(client: Client): void;
  /** EXEC will fail if the key at this argument changes before. */
  watch(client: Client, args: Args, index: number): void;
  /** Forgets the keys watched, and that one of them has changed. */
  unwatch(client: Client): void;
  /** A database, or each, is about to lose its keys. */
  emptying(database?: number): void;
  /** Two databases are about to change places. */
  swapping(a: number, b: number): void;
}

const NESTED = new ReplyError("ERR MULTI calls can not be nested");
const WATCH_INSIDE = new ReplyError("ERR WATCH inside MULTI is not allowed");
const DISCARD_ALONE = new ReplyError("ERR DISCARD without MULTI");
const EXEC_ALONE = new ReplyError("ERR EXEC without MULTI");

const isBegun = (client: Client): boolean => client.queuedCount >= 0;

function multi({ client, server }: Context, _args: Args, reply: Reply): void {
  if (isBegun(client)) throw NESTED;
  server.transactions.begin(client);
  reply.ok();
}

function discard({ client, server }: Context, _args: Args, reply: Reply): void {
  if (!isBegun(client)) throw DISCARD_ALONE;
  server.transactions.discard(client);
  reply.ok();
}

function execAlone(): void {
  throw EXEC_ALONE;
}

function watch({ client, server }: Context, args: Args, reply: Reply): void {
  if (isBegun(client)) throw WATCH_INSIDE;
  for (let i = 1; i < args.count; i++) server.transactions.watch(client, args, i);
  reply.ok();
}

function unwatch({ client, server }: Context, _args: Args, reply: Reply): void {
  server.transactions.unwatch(client);
  reply.ok();
}

export const transactionsFamily = family("transactions", [
  {
    name: "discard",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    since: "2.0.0",
    complexity: "O(N), when N is the number of queued commands",
    summary: "Forgets the transaction that was begun.",
    duringMulti: "ends",
    run: discard,
  },
  {
    name: "exec",
    arity: 1,
    flags: ["noscript", "loading", "stale", "skip_slowlog"],
    since: "1.2.0",
    complexity: "Depends on commands in the transaction",
    summary: "Runs the requests of the transaction, with nobody else's between them.",
    duringMulti: "executes",
    inStream: true,
    run: execAlone,
  },
  {
    name: "multi",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    since: "1.2.0",
    complexity: "O(1)",
    summary: "Begins a transaction: requests wait for EXEC.",
    duringMulti: "refused",
    inStream: true,
    run: multi,
  },
  {
    name: "unwatch",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    since: "2.2.0",
    complexity: "O(1)",
    summary: "Forgets the keys that are watched.",
    run: unwatch,
  },
  {
    name: "watch",
    arity: -2,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    keys: [keysFrom(1, -1, 1, "RO")],
    since: "2.2.0",
    complexity: "O(1) for every key.",
    syntax: "key...",
    summary: "Lets the next transaction run only if these keys are as they were.",
    duringMulti: "refused",
    run: watch,
  },
]);
