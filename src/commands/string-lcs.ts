// LCS: the subsequence itself, its length, or where it lies in both strings.
import { STRING_LIMIT, TYPE_NONE, TYPE_STRING } from "../../assembly/abi.ts";
import type { Args } from "../engine/args.ts";
import { HOW_READ, HOW_TRACELESS } from "../engine/keys.ts";
import { LCS_AMBIGUOUS, LCS_NOT_STRINGS, LCS_TOO_LARGE, SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import { integerAt } from "./arguments.ts";
import type { Context } from "./context.ts";
import { commonLength, commonSubsequence, type Match, type Subsequence, tableBytes } from "./lcs.ts";

interface LcsOptions {
  readonly indexes: boolean;
  readonly length: boolean;
  readonly leastMatch: bigint;
  readonly withMatchLength: boolean;
}

function readOptions(args: Args): LcsOptions {
  let indexes = false;
  let length = false;
  let leastMatch = 0n;
  let withMatchLength = false;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "IDX")) indexes = true;
    else if (args.is(i, "LEN")) length = true;
    else if (args.is(i, "WITHMATCHLEN")) withMatchLength = true;
    else if (args.is(i, "MINMATCHLEN") && i + 1 < args.count) {
      leastMatch = integerAt(args, ++i);
    } else throw SYNTAX;
  }
  if (indexes && length) throw LCS_AMBIGUOUS;
  return { indexes, length, leastMatch, withMatchLength };
}

/** A copy of a string: the next look-up may move it. Absent reads as empty. */
function stringAt(ctx: Context, args: Args, index: number): Uint8Array {
  const value = ctx.keys.string(args.at(index), HOW_TRACELESS);
  return value === undefined ? new Uint8Array(0) : ctx.keys.bytesOf(value);
}

export function lcs(ctx: Context, args: Args, reply: Reply): void {
  // Both count as read, whatever comes of it.
  const types = [ctx.keys.type(args.at(1), HOW_READ), ctx.keys.type(args.at(2), HOW_READ)];
  if (types.some((type) => type !== TYPE_NONE && type !== TYPE_STRING)) throw LCS_NOT_STRINGS;
  const options = readOptions(args);
  const a = stringAt(ctx, args, 1);
  const b = stringAt(ctx, args, 2);
  if (tableBytes(a, b) >= STRING_LIMIT) throw LCS_TOO_LARGE;
  if (options.length) return reply.integer(commonLength(a, b));
  const found = commonSubsequence(a, b);
  if (options.indexes) writeIndexes(found, options, reply);
  else reply.bulk(found.bytes);
}

function lengthOf({ aStart, aEnd }: Match): number {
  return aEnd - aStart + 1;
}

function writeIndexes({ bytes, matches }: Subsequence, options: LcsOptions, reply: Reply): void {
  const told = matches.filter((match) => BigInt(lengthOf(match)) >= options.leastMatch);
  reply.map(2);
  reply.bulk("matches");
  reply.array(told.length);
  for (const match of told) {
    reply.array(options.withMatchLength ? 3 : 2);
    reply.array(2);
    reply.integer(match.aStart);
    reply.integer(match.aEnd);
    reply.array(2);
    reply.integer(match.bStart);
    reply.integer(match.bEnd);
    if (options.withMatchLength) reply.integer(lengthOf(match));
  }
  reply.bulk("len");
  reply.integer(bytes.length);
}
