// What the engine's refusals say to a client.
import * as abi from "../../assembly/abi.ts";
import {
  COUNT_NOT_POSITIVE,
  COUNT_RANGE,
  DECREMENT_OVERFLOW,
  FIELD_NOT_INTEGER,
  INDEX_OUT_OF_RANGE,
  INVALID_CURSOR,
  LEX_RANGE,
  LIMIT_BY_RANK,
  LPOS_COUNT,
  LPOS_MAXLEN,
  LPOS_RANK,
  NEGATIVE_LIMIT,
  NOT_FLOAT,
  NOT_INTEGER,
  NOT_POSITIVE,
  NO_SUCH_KEY,
  NUMKEYS_NOT_POSITIVE,
  NUMKEYS_TOO_MANY,
  OUT_OF_MEMORY,
  OUT_OF_RANGE_OFFSET,
  OVERFLOW,
  PAIR_COUNT_RANGE,
  SCORE_NAN,
  SCORE_RANGE,
  STRING_TOO_LONG,
  SYNTAX,
  WEIGHT_NOT_FLOAT,
  WITHSCORES_BY_LEX,
  WRONG_TYPE,
  ZADD_INCR_PAIRS,
  ZADD_NX_GT_LT,
  ZADD_NX_XX,
  type ReplyError,
} from "../resp/errors.ts";

const refusals: readonly (readonly [number, ReplyError])[] = [
  [abi.REFUSED_WRONG_TYPE, WRONG_TYPE],
  [abi.REFUSED_NOT_INTEGER, NOT_INTEGER],
  [abi.REFUSED_OVERFLOW, OVERFLOW],
  [abi.REFUSED_SYNTAX, SYNTAX],
  [abi.REFUSED_OUT_OF_MEMORY, OUT_OF_MEMORY],
  [abi.REFUSED_STRING_TOO_LONG, STRING_TOO_LONG],
  [abi.REFUSED_OFFSET, OUT_OF_RANGE_OFFSET],
  [abi.REFUSED_DECREMENT_OVERFLOW, DECREMENT_OVERFLOW],
  [abi.REFUSED_NO_SUCH_KEY, NO_SUCH_KEY],
  [abi.REFUSED_FIELD_NOT_INTEGER, FIELD_NOT_INTEGER],
  [abi.REFUSED_COUNT_RANGE, COUNT_RANGE],
  [abi.REFUSED_PAIR_COUNT_RANGE, PAIR_COUNT_RANGE],
  [abi.REFUSED_INDEX, INDEX_OUT_OF_RANGE],
  [abi.REFUSED_NOT_POSITIVE, NOT_POSITIVE],
  [abi.REFUSED_NUMKEYS_NOT_POSITIVE, NUMKEYS_NOT_POSITIVE],
  [abi.REFUSED_COUNT_NOT_POSITIVE, COUNT_NOT_POSITIVE],
  [abi.REFUSED_LPOS_RANK, LPOS_RANK],
  [abi.REFUSED_LPOS_COUNT, LPOS_COUNT],
  [abi.REFUSED_LPOS_MAXLEN, LPOS_MAXLEN],
  [abi.REFUSED_ZADD_NX_XX, ZADD_NX_XX],
  [abi.REFUSED_ZADD_NX_GT_LT, ZADD_NX_GT_LT],
  [abi.REFUSED_ZADD_INCR_PAIRS, ZADD_INCR_PAIRS],
  [abi.REFUSED_NOT_FLOAT, NOT_FLOAT],
  [abi.REFUSED_SCORE_NAN, SCORE_NAN],
  [abi.REFUSED_SCORE_RANGE, SCORE_RANGE],
  [abi.REFUSED_LEX_RANGE, LEX_RANGE],
  [abi.REFUSED_LIMIT_BY_RANK, LIMIT_BY_RANK],
  [abi.REFUSED_WITHSCORES_BY_LEX, WITHSCORES_BY_LEX],
  [abi.REFUSED_WEIGHT, WEIGHT_NOT_FLOAT],
  [abi.REFUSED_NUMKEYS_TOO_MANY, NUMKEYS_TOO_MANY],
  [abi.REFUSED_NEGATIVE_LIMIT, NEGATIVE_LIMIT],
  [abi.REFUSED_CURSOR, INVALID_CURSOR],
];

const byCode = new Map(refusals);

/** The error behind a REFUSED_ code. (Texts that hold the command's name are not here: commands/refusal.ts.) */
export function refusal(code: number): ReplyError {
  const error = byCode.get(code);
  if (error === undefined) throw new Error(`the engine refused with an unknown code: ${code}`);
  return error;
}

/** The result of an engine call, unless it is a refusal, which is thrown. */
export function orThrow(result: number): number {
  if (result < 0) throw refusal(result);
  return result;
}
