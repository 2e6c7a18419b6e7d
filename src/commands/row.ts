// What a row of the command table is. Everything else about a command derives from its row.
import type { Args } from "../engine/args.ts";
import type { EngineCommand } from "../engine/exports.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import type { Flag } from "./flags.ts";
import type { KeyFinder } from "./getkeys.ts";

/** The group of COMMAND DOCS; a family of rows shares one. */
export type Group =
  | "bitmap"
  | "cluster"
  | "connection"
  | "generic"
  | "geo"
  | "hash"
  | "hyperloglog"
  | "list"
  | "pubsub"
  | "scripting"
  | "sentinel"
  | "server"
  | "set"
  | "sorted-set"
  | "stream"
  | "string"
  | "transactions";

/** ACL categories, in the order COMMAND INFO prints them. */
export const aclCategories = [
  "keyspace",
  "read",
  "write",
  "set",
  "sortedset",
  "list",
  "hash",
  "string",
  "bitmap",
  "hyperloglog",
  "geo",
  "stream",
  "pubsub",
  "admin",
  "fast",
  "slow",
  "blocking",
  "dangerous",
  "connection",
  "transaction",
  "scripting",
] as const;
export type AclCategory = (typeof aclCategories)[number];

/** What is done with a key, in the order COMMAND INFO prints it. */
export const keyFlags = [
  "RO",
  "RW",
  "OW",
  "RM",
  "access",
  "update",
  "insert",
  "delete",
  "not_key",
  "incomplete",
  "variable_flags",
] as const;
export type KeyFlag = (typeof keyFlags)[number];

/** Where keys stand among the arguments, in the terms of Redis's key specifications. */
export interface KeySpec {
  readonly flags: readonly KeyFlag[];
  readonly begin:
    | { readonly index: number }
    /** After a keyword, looked for from `startFrom`; a negative one counts from the end and looks backwards. */
    | { readonly keyword: string; readonly startFrom: number }
    | "unknown";
  readonly find:
    /** `last` counts from the first key, or from the end when negative; `limit` 2 = half of what is left. */
    | { readonly range: readonly [last: number, step: number, limit: number] }
    /** All three count from where the search began. */
    | { readonly keynum: readonly [keynumIndex: number, firstKey: number, step: number] }
    | "unknown";
  readonly notes?: string;
}

/** Reads its arguments from `args`, appends one reply to `reply`; throws a ReplyError before its first change. */
export type Handler = (ctx: Context, args: Args, reply: Reply) => void;

export interface Command {
  /** Lower case; inside a container the subcommand's own name. */
  readonly name: string;
  /** Number of arguments with the name (and the container's); negative = at least that many. */
  readonly arity: number;
  readonly flags: readonly Flag[];
  readonly keys?: readonly KeySpec[];
  /** Finds the keys of commands whose key specs cannot tell all (their flags, or keys in odd places). */
  readonly findKeys?: KeyFinder;
  readonly since: string;
  readonly complexity?: string;
  readonly summary: string;
  /** The arguments in the notation of syntax.ts: `key value [condition(NX | XX)] [GET ^6.2.0]`. */
  readonly syntax?: string;
  /** ACL categories beyond (`name`) or short of (`-name`) those the group and the flags imply. */
  readonly categories?: readonly (AclCategory | `-${AclCategory}`)[];
  readonly tips?: readonly string[];
  readonly history?: readonly (readonly [since: string, change: string])[];
  readonly deprecated?: { readonly since: string; readonly replacedBy: string };
  /** Refused as writes are while the data cannot be saved: whoever watches the server shall notice. */
  readonly tellsDiskFaults?: true;
  /** Does not use up the ASKING before it, even where it is refused. */
  readonly keepsAsking?: true;
  /**
   * Its reply stands before it changes anything, when it reads what it changes: what is pushed to its own connection
   * about the change follows the reply. Otherwise it goes before.
   */
  readonly answersFirst?: true;
  /** It changes the last of its keys first: whoever waits for them is told in that order. */
  readonly changesLastFirst?: true;
  /**
   * What it does after MULTI in place of waiting for EXEC: it is refused by itself, ends the transaction, or runs it.
   */
  readonly duringMulti?: "refused" | "ends" | "executes";
  /** A client of RESP2 that is subscribed to anything may still send it. */
  readonly whileSubscribed?: true;
  /** Changes nothing, and a master's stream may hold it all the same. */
  readonly inStream?: true;
  /** It may take long, and may be prepared in steps before it runs. */
  readonly inSteps?: true;
  /** Not meant for users; COMMAND DOCS says `syscmd`. */
  readonly system?: true;
  /** An engine export runs without TypeScript in between; a handler has the server's state. Containers have none. */
  readonly run?: EngineCommand | Handler;
  /** What runs in place of the handler, to the same effect, when a request has exactly `count` arguments. */
  readonly shortcut?: { readonly count: number; readonly run: EngineCommand };
  readonly subcommands?: readonly Command[];
}
