// ZUNION, ZINTER, ZDIFF, what they are like as STORE, and ZINTERCARD.
import {
  EVENT_ZDIFFSTORE,
  EVENT_ZINTERSTORE,
  EVENT_ZUNIONSTORE,
  REFUSED_NEGATIVE_LIMIT,
  REFUSED_WEIGHT,
  REFUSED_NOT_INTEGER,
  REFUSED_NO_INPUT_KEYS,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SYNTAX,
} from "./abi";
import { Args, isWord } from "./args";
import { parseDouble, parsedDouble } from "./double";
import { parse, parsed } from "./integers";
import { LINE_ROOM, Reply, replyInteger } from "./reply";
import { Zset } from "./zset";
import {
  AGGREGATE_MAX,
  AGGREGATE_MIN,
  AGGREGATE_SUM,
  intersect,
  intersectionSize,
  subtract,
  unite,
} from "./zsetalgebra";
import { replyCells } from "./zsetreply";
import { Result, storeResult } from "./zsetresult";
import { Sources, gatherSources, sortSources } from "./zsetsources";

const UNION: u32 = 0;
const INTERSECTION: u32 = 1;
const DIFFERENCE: u32 = 2;

/** The request at hand. */
let operation: u32 = UNION;
let isStored: bool = false;
let isCounted: bool = false;
let withScores: bool = false;
let aggregate: u32 = AGGREGATE_SUM;
let limit: i64 = 0;

/** ZUNION numkeys key … [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] */
export function zunion(): i32 {
  return reply(UNION);
}

/** ZINTER numkeys key … [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] */
export function zinter(): i32 {
  return reply(INTERSECTION);
}

/** ZDIFF numkeys key … [WITHSCORES] */
export function zdiff(): i32 {
  return reply(DIFFERENCE);
}

/** ZUNIONSTORE destination numkeys key … [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX] */
export function zunionstore(): i32 {
  return keep(UNION, EVENT_ZUNIONSTORE);
}

/** ZINTERSTORE destination numkeys key … [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX] */
export function zinterstore(): i32 {
  return keep(INTERSECTION, EVENT_ZINTERSTORE);
}

/** ZDIFFSTORE destination numkeys key … */
export function zdiffstore(): i32 {
  return keep(DIFFERENCE, EVENT_ZDIFFSTORE);
}

/** ZINTERCARD numkeys key … [LIMIT limit] */
export function zintercard(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const refused = begin(INTERSECTION, 1, false, true);
  if (refused < 0) return refused;
  const size = intersectionSize(limit);
  Sources.end();
  replyInteger(size);
  return 0;
}

function reply(which: u32): i32 {
  const refused = compute(which, 1, false);
  if (refused < 0) return refused;
  Zset.openRecord(Result.record());
  const done = replyCells(0, Result.count(), false, withScores);
  Result.drop();
  return done;
}

function keep(which: u32, event: u32): i32 {
  const refused = compute(which, 2, true);
  return refused < 0 ? refused : storeResult(event);
}

/** Reads the request, from numkeys at argument `at` on, and makes the result. */
function compute(which: u32, at: u32, isKept: bool): i32 {
  const refused = begin(which, at, isKept, false);
  if (refused < 0) return refused;
  Result.begin();
  const done = which == UNION ? unite(aggregate) : which == INTERSECTION ? intersect(aggregate) : subtract();
  Sources.end();
  if (done) return 0;
  Result.drop();
  return REFUSED_OUT_OF_MEMORY;
}

/** Gathers the inputs and reads the options; `Sources.end` is to follow unless it refuses. */
function begin(which: u32, at: u32, isKept: bool, isCardinality: bool): i32 {
  operation = which;
  isStored = isKept;
  isCounted = isCardinality;
  if (!parse(Args.ptr(at), Args.length(at))) return REFUSED_NOT_INTEGER;
  if (parsed < 1) return REFUSED_NO_INPUT_KEYS;
  if (parsed > <i64>(Args.count() - at - 1)) return REFUSED_SYNTAX;
  const number = <u32>parsed;
  let refused = gatherSources(at + 1, number);
  if (refused < 0) return refused;
  refused = readOptions(at + 1 + number);
  if (refused < 0) Sources.end();
  else if (which != DIFFERENCE) sortSources();
  return refused;
}

function readOptions(first: u32): i32 {
  withScores = false;
  aggregate = AGGREGATE_SUM;
  limit = 0;
  const isWeighed = operation != DIFFERENCE && !isCounted;
  for (let i = first; i < Args.count(); i++) {
    const behind = Args.count() - i - 1;
    if (isWeighed && behind >= Sources.count() && isWord(i, "WEIGHTS")) {
      if (!readWeights(i + 1)) return REFUSED_WEIGHT;
      i += Sources.count();
    } else if (isWeighed && behind >= 1 && isWord(i, "AGGREGATE")) {
      if (!readAggregate(++i)) return REFUSED_SYNTAX;
    } else if (!isStored && !isCounted && isWord(i, "WITHSCORES")) {
      withScores = true;
    } else if (isCounted && behind >= 1 && isWord(i, "LIMIT")) {
      i++;
      if (!parse(Args.ptr(i), Args.length(i)) || parsed < 0) return REFUSED_NEGATIVE_LIMIT;
      limit = parsed;
    } else {
      return REFUSED_SYNTAX;
    }
  }
  return 0;
}

function readWeights(first: u32): bool {
  for (let i: u32 = 0; i < Sources.count(); i++) {
    if (!parseDouble(Args.ptr(first + i), Args.length(first + i))) return false;
    Sources.setWeight(i, parsedDouble);
  }
  return true;
}

function readAggregate(i: u32): bool {
  if (isWord(i, "SUM")) aggregate = AGGREGATE_SUM;
  else if (isWord(i, "MIN")) aggregate = AGGREGATE_MIN;
  else if (isWord(i, "MAX")) aggregate = AGGREGATE_MAX;
  else return false;
  return true;
}
