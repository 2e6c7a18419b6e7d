// What a row of the command table is. Everything else about a command derives from its row.
import type { Args } from "../engine/args.ts";
import type { EngineCommand } from "../engine/exports.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";

export type Flag =
  | "write"
  | "readonly"
  | "denyoom"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "skip_monitor"
  | "skip_slowlog"
  | "asking"
  | "fast"
  | "no_auth"
  | "may_replicate"
  | "sentinel"
  | "only_sentinel"
  | "no_mandatory_keys"
  | "protected"
  | "no_async_loading"
  | "no_multi"
  | "allow_busy"
  | "movablekeys";

export type Handler = (ctx: Context, args: Args, reply: Reply) => void;

/** Where keys stand among the arguments, in the terms of Redis's key specifications. */
export interface KeySpec {
  /** RO, RW, OW, RM and what is done with the key: access, update, insert, delete; `variable_flags`, ... */
  readonly flags: readonly string[];
  readonly begin: { readonly index: number } | { readonly keyword: string; readonly startFrom: number } | "unknown";
  readonly find:
    | { readonly range: readonly [last: number, step: number, limit: number] }
    | { readonly keynum: readonly [keynumIndex: number, firstKey: number, step: number] }
    | "unknown";
  readonly notes?: string;
}

export interface Command {
  readonly name: string;
  /** Number of arguments with the name; negative = at least that many. */
  readonly arity: number;
  readonly flags: readonly Flag[];
  readonly keys?: readonly KeySpec[];
  readonly since: string;
  readonly complexity: string;
  readonly summary: string;
  /** The arguments as redis.io writes them: `key value [NX | XX] [GET] [EX seconds | PX milliseconds]`. */
  readonly syntax?: string;
  /** ACL categories beyond those the group and the flags imply. */
  readonly categories?: readonly string[];
  readonly tips?: readonly string[];
  readonly history?: readonly (readonly [since: string, change: string])[];
  /** An engine export runs without TypeScript in between; a handler has the server's state. */
  readonly run?: EngineCommand | Handler;
  readonly subcommands?: readonly Command[];
}
