// FUNCTION, as far as a server without functions can go: it tells that it has none, and takes over none. redis-cli asks
// for that before it adds a node to a cluster: a new node is to have the functions that the others have.
import {
  RDB_PAYLOAD_CHECKSUM,
  RDB_PAYLOAD_FOOTER,
  RDB_FUNCTION2,
  RDB_FUNCTION_PRE_GA,
  RDB_VERSION,
} from "../../assembly/rdbformat.ts";
import type { Args } from "../engine/args.ts";
import { PAYLOAD_REJECTED, ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { Context } from "./context.ts";
import { family } from "./family.ts";
import { writeHelp } from "./help.ts";

const NO_LIBRARY_NAME = new ReplyError("ERR library name argument was not given");
const WRONG_POLICY = new ReplyError(
  "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
);
const WRONG_COUNT = new ReplyError(
  "ERR unknown subcommand or wrong number of arguments for 'RESTORE'. Try FUNCTION HELP.",
);
const NO_FUNCTIONS = new ReplyError("ERR slotmesh runs no functions; the payload holds some");
const PRE_GA = new ReplyError("ERR Pre-GA function format not supported");
const OTHER_TYPE = new ReplyError("ERR given type is not a function");

/** All libraries in one payload: none, so nothing but what ends it. */
function dump(ctx: Context, _args: Args, reply: Reply): void {
  const payload = Buffer.alloc(RDB_PAYLOAD_FOOTER);
  payload.writeUInt16LE(RDB_VERSION);
  payload.writeBigUInt64LE(
    ctx.rdb.crc64(0n, payload.subarray(0, -RDB_PAYLOAD_CHECKSUM)),
    RDB_PAYLOAD_FOOTER - RDB_PAYLOAD_CHECKSUM,
  );
  reply.bulk(payload);
}

function list(_ctx: Context, args: Args, reply: Reply): void {
  let hasPattern = false;
  let hasCode = false;
  for (let i = 2; i < args.count; i++) {
    if (!hasCode && args.is(i, "WITHCODE")) hasCode = true;
    else if (!hasPattern && args.is(i, "LIBRARYNAME")) {
      if (++i >= args.count) throw NO_LIBRARY_NAME;
      hasPattern = true;
    } else throw new ReplyError(`ERR Unknown argument ${args.latin1(i)}`);
  }
  reply.array(0);
}

function restore(ctx: Context, args: Args, reply: Reply): void {
  if (args.count > 4) throw WRONG_COUNT;
  const policies = ["FLUSH", "APPEND", "REPLACE"];
  if (args.count === 4 && !policies.some((policy) => args.is(3, policy))) throw WRONG_POLICY;
  const payload = Buffer.from(args.bytes(2));
  const length = payload.length - RDB_PAYLOAD_FOOTER;
  if (length < 0 || payload.readUInt16LE(length) > RDB_VERSION) throw PAYLOAD_REJECTED;
  if (
    payload.readBigUInt64LE(payload.length - RDB_PAYLOAD_CHECKSUM) !==
    ctx.rdb.crc64(0n, payload.subarray(0, -RDB_PAYLOAD_CHECKSUM))
  )
    throw PAYLOAD_REJECTED;
  if (length > 0) throw refusalOf(payload[0]);
  reply.ok();
}

function refusalOf(opcode: number | undefined): ReplyError {
  if (opcode === RDB_FUNCTION2) return NO_FUNCTIONS;
  return opcode === RDB_FUNCTION_PRE_GA ? PRE_GA : OTHER_TYPE;
}

function help(_ctx: Context, _args: Args, reply: Reply): void {
  const lines = [
    ["DUMP", "Give all libraries as bytes that RESTORE takes; there are none."],
    ["LIST [LIBRARYNAME <pattern>] [WITHCODE]", "List the libraries; there are none."],
    ["RESTORE <payload> [FLUSH|APPEND|REPLACE]", "Take over what DUMP gave, as long as it holds no library."],
  ] as const;
  writeHelp("FUNCTION", lines, reply);
}

export const functionFamily = family("scripting", [
  {
    name: "function",
    arity: -2,
    flags: [],
    since: "7.0.0",
    complexity: "Depends on subcommand.",
    summary: "Libraries of functions.",
    subcommands: [
      {
        name: "dump",
        arity: 2,
        flags: ["noscript"],
        since: "7.0.0",
        complexity: "O(N) where N is the number of functions",
        summary: "Gives all libraries as bytes that FUNCTION RESTORE takes.",
        run: dump,
      },
      {
        name: "help",
        arity: 2,
        flags: ["loading", "stale"],
        since: "7.0.0",
        complexity: "O(1)",
        summary: "Describes the subcommands.",
        run: help,
      },
      {
        name: "list",
        arity: -2,
        flags: ["noscript"],
        since: "7.0.0",
        complexity: "O(N) where N is the number of functions",
        summary: "Lists the libraries and their functions.",
        syntax: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
        tips: ["nondeterministic_output_order"],
        run: list,
      },
      {
        name: "restore",
        arity: -3,
        flags: ["write", "denyoom", "noscript"],
        since: "7.0.0",
        complexity: "O(N) where N is the number of functions on the payload",
        summary: "Takes over the libraries that FUNCTION DUMP gave.",
        syntax: "serialized-value [policy(FLUSH | APPEND | REPLACE)]",
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        run: restore,
      },
    ],
  },
]);
