// MIGRATE: keys go to another server and, unless they are copied, are gone here. The request's client waits for the
// target; server/migration/ does the rest.
import type { Args } from "../engine/args.ts";
import { HOW_READ } from "../engine/keys.ts";
import { ReplyError, SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import { integerAt } from "./arguments.ts";
import type { Client, Context } from "./context.ts";
import { family, keyAt, keysAfter } from "./family.ts";
import type { KeyFinder, Words } from "./getkeys.ts";
import type { KeyFlag } from "./row.ts";

const KEY_NOT_EMPTY = new ReplyError(
  "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
);
const NOT_INSIDE = new ReplyError(
  "ERR MIGRATE waits for its target, and nothing can wait inside a transaction: send it outside of MULTI",
);

/** Where its arguments stand, and where its options begin. */
const HOST = 1;
const PORT = 2;
const KEY = 3;
const DATABASE = 4;
const TIMEOUT = 5;
const OPTIONS = 6;

/** Milliseconds, where none or less than one was asked for. */
const DEFAULT_TIMEOUT_MS = 1000;

/** What MIGRATE was asked to do. Bytes are the request's own: it is still going on when the next one is read. */
export interface MigrateRequest {
  readonly host: string;
  /** As C's atoi reads it. */
  readonly port: number;
  /** Keys that are here. */
  readonly keys: readonly Uint8Array[];
  /** Number of the target's database, not looked at here. */
  readonly database: bigint;
  /** How long the target may do nothing, milliseconds. */
  readonly timeoutMs: number;
  readonly copy: boolean;
  readonly replace: boolean;
  /** What AUTH is sent with: a password, or a user and a password. */
  readonly auth: readonly Uint8Array[] | undefined;
}

/** The node as a source of keys that move. */
export interface Migration {
  /** Holds the client until the target has answered, and writes to the keys as long. */
  begin(client: Client, request: MigrateRequest): void;
  /** Connections to targets that are kept for the next request. */
  readonly cachedLinkCount: number;
}

function migrate(ctx: Context, args: Args, reply: Reply): void {
  const options = readOptions(ctx, args);
  const timeout = Number(integerAt(args, TIMEOUT));
  const database = integerAt(args, DATABASE);
  const keys: Uint8Array[] = [];
  for (let at = options.keysFrom; at < options.keysTo; at++) {
    if (ctx.keys.has(args.at(at), HOW_READ)) keys.push(args.bytes(at));
  }
  if (keys.length === 0) return reply.simple("NOKEY");
  if (ctx.client.cannotWait) throw NOT_INSIDE;
  ctx.server.migration.begin(ctx.client, {
    host: args.latin1(HOST),
    port: leadingInteger(args.latin1(PORT)),
    keys,
    database,
    timeoutMs: timeout > 0 ? timeout : DEFAULT_TIMEOUT_MS,
    copy: options.copy,
    replace: options.replace,
    auth: options.auth,
  });
}

interface Options {
  readonly copy: boolean;
  readonly replace: boolean;
  readonly auth: readonly Uint8Array[] | undefined;
  readonly keysFrom: number;
  readonly keysTo: number;
}

function readOptions(ctx: Context, args: Args): Options {
  let copy = false;
  let replace = false;
  let auth: readonly Uint8Array[] | undefined;
  const secret = (at: number): Uint8Array => {
    ctx.redact(at);
    return args.bytes(at);
  };
  for (let at = OPTIONS; at < args.count; at++) {
    const more = args.count - 1 - at;
    if (args.is(at, "COPY")) {
      copy = true;
    } else if (args.is(at, "REPLACE")) {
      replace = true;
    } else if (args.is(at, "AUTH") && more >= 1) {
      // A user named by an AUTH2 before it stays.
      auth = [...(auth?.length === 2 ? [auth[0]!] : []), secret(++at)];
    } else if (args.is(at, "AUTH2") && more >= 2) {
      auth = [secret(++at), secret(++at)];
    } else if (args.is(at, "KEYS")) {
      if (args.length(KEY) > 0) throw KEY_NOT_EMPTY;
      return { copy, replace, auth, keysFrom: at + 1, keysTo: args.count };
    } else {
      throw SYNTAX;
    }
  }
  return { copy, replace, auth, keysFrom: KEY, keysTo: KEY + 1 };
}

/** C's atoi; what it would make of a number that no int holds is no port either. */
function leadingInteger(text: string): number {
  return Number(/^[\t-\r ]*([+-]?\d+)/.exec(text)?.[1] ?? 0);
}

const MOVED: readonly KeyFlag[] = ["RW", "access", "delete"];

/** How many arguments of an option are no options. */
function argumentsOf(words: Words, at: number): number {
  if (words.is(at, "AUTH")) return 1;
  return words.is(at, "AUTH2") ? 2 : 0;
}

const findMigrateKeys: KeyFinder = (words, found) => {
  for (let at = OPTIONS; at < words.count; at += 1 + argumentsOf(words, at)) {
    if (!words.is(at, "KEYS")) continue;
    if (words.latin1(KEY) !== "") return false;
    for (let key = at + 1; key < words.count; key++) found.add(key, MOVED);
    return true;
  }
  found.add(KEY, MOVED);
  return true;
};

export const migrateFamily = family("generic", [
  {
    name: "migrate",
    arity: -6,
    flags: ["write"],
    keys: [
      keyAt(KEY, "RW", "access", "delete"),
      keysAfter("KEYS", -2, [-1, 1, 0], "RW", "access", "delete", "incomplete"),
    ],
    findKeys: findMigrateKeys,
    categories: ["dangerous"],
    tips: ["nondeterministic_output"],
    since: "2.6.0",
    complexity:
      "This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the target instance. See the pages of these commands for time complexity. Also an O(N) data transfer between the two instances is performed.",
    summary: "Moves keys to another server, or copies them there.",
    history: [
      ["3.0.0", "Added the `COPY` and `REPLACE` options."],
      ["3.0.6", "Added the `KEYS` option."],
      ["4.0.7", "Added the `AUTH` option."],
      ["6.0.0", "Added the `AUTH2` option."],
    ],
    syntax:
      'host port key_or_empty_string(key | empty_string="") destination-db:integer timeout:integer [COPY ^3.0.0] ' +
      "[REPLACE ^3.0.0] [authentication([AUTH password ^4.0.7] | " +
      "[AUTH2 username_password(username password) ^6.0.0])] [KEYS key... ^3.0.6]",
    run: migrate,
  },
]);
