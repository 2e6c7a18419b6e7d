// ZRANGE and its many relatives: a range given by ranks, scores or members, walked either way, replied, stored or removed.
import {
  EVENT_ZRANGESTORE,
  EVENT_ZREMRANGEBYLEX,
  EVENT_ZREMRANGEBYRANK,
  EVENT_ZREMRANGEBYSCORE,
  REFUSED_LEX_RANGE,
  REFUSED_LIMIT_BY_RANK,
  REFUSED_NOT_INTEGER,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SCORE_RANGE,
  REFUSED_SYNTAX,
  REFUSED_WITHSCORES_BY_LEX,
  REFUSED_WRONG_TYPE,
} from "./abi";
import { Args, isWord } from "./args";
import { slotOf } from "./crc16";
import { lookupRead, lookupWrite } from "./expiry";
import { parse, parsed } from "./integers";
import { LINE_ROOM, Reply, replyArray, replyInteger } from "./reply";
import { Zset, cellLength, cellMember, cellScore, nextCell, previousCell, readCell, seekCell } from "./zset";
import { endRank, firstRank, readScoreBounds, scoreRanks } from "./zsetbounds";
import { removeRanks } from "./zsetchange";
import { lexRanks, readLexBounds } from "./zsetlex";
import { replyCells } from "./zsetreply";
import { Result, addResult, storeResult } from "./zsetresult";
import { endRemoval } from "./zsets";

/** What a range is given by. */
const BY_RANK: u32 = 0;
const BY_SCORE: u32 = 1;
const BY_LEX: u32 = 2;

/** The request at hand. */
let kind: u32 = BY_RANK;
let isReverse: bool = false;
let withScores: bool = false;
let offset: i64 = 0;
let limit: i64 = 0;
/** Ends of a range of ranks, as given. */
let lowRank: i64 = 0;
let highRank: i64 = 0;
/** What it comes to: the rank to begin at, and how many cells. */
let from: u32 = 0;
let count: u32 = 0;

/** ZRANGE key min max [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES] */
export function zrange(): i32 {
  begin(BY_RANK, false);
  return replyRange(readOptions(4, true, true));
}

/** ZREVRANGE key min max [WITHSCORES] */
export function zrevrange(): i32 {
  begin(BY_RANK, true);
  return replyRange(readOptions(4, false, true));
}

/** ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count] */
export function zrangebyscore(): i32 {
  begin(BY_SCORE, false);
  return replyRange(readOptions(4, false, true));
}

/** ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count] */
export function zrevrangebyscore(): i32 {
  begin(BY_SCORE, true);
  return replyRange(readOptions(4, false, true));
}

/** ZRANGEBYLEX key min max [LIMIT offset count] */
export function zrangebylex(): i32 {
  begin(BY_LEX, false);
  return replyRange(readOptions(4, false, true));
}

/** ZREVRANGEBYLEX key max min [LIMIT offset count] */
export function zrevrangebylex(): i32 {
  begin(BY_LEX, true);
  return replyRange(readOptions(4, false, true));
}

/** ZRANGESTORE destination source min max [BYSCORE | BYLEX] [REV] [LIMIT offset count] */
export function zrangestore(): i32 {
  begin(BY_RANK, false);
  let refused = readOptions(5, true, false);
  if (refused < 0) return refused;
  refused = readRange(3);
  if (refused < 0) return refused;
  const source = lookupRead(slotOf(Args.ptr(2), Args.length(2)), Args.ptr(2), Args.length(2));
  if (source != 0 && !Zset.is(source)) return REFUSED_WRONG_TYPE;
  Result.begin();
  if (source != 0) {
    Zset.open(source);
    findCells();
    Result.fillInOrder(kind == BY_RANK ? count : 0);
    if (!gather()) {
      Result.drop();
      return REFUSED_OUT_OF_MEMORY;
    }
  }
  return storeResult(EVENT_ZRANGESTORE);
}

/** ZREMRANGEBYRANK key start stop */
export function zremrangebyrank(): i32 {
  return removeRange(BY_RANK, EVENT_ZREMRANGEBYRANK);
}

/** ZREMRANGEBYSCORE key min max */
export function zremrangebyscore(): i32 {
  return removeRange(BY_SCORE, EVENT_ZREMRANGEBYSCORE);
}

/** ZREMRANGEBYLEX key min max */
export function zremrangebylex(): i32 {
  return removeRange(BY_LEX, EVENT_ZREMRANGEBYLEX);
}

function removeRange(by: u32, event: u32): i32 {
  begin(by, false);
  const refused = readRange(2);
  if (refused < 0) return refused;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const zset = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  count = 0;
  if (zset != 0) {
    if (!Zset.is(zset)) return REFUSED_WRONG_TYPE;
    Zset.open(zset);
    findCells();
  }
  if (count != 0) {
    const isEmpty = count == Zset.count();
    if (!isEmpty) assert(removeRanks(zset, from, count) != 0);
    endRemoval(Args.slot(), Args.ptr(1), Args.length(1), event, isEmpty);
  }
  replyInteger(count);
  return count;
}

function begin(by: u32, isBackwards: bool): void {
  kind = by;
  isReverse = isBackwards;
  withScores = false;
  offset = 0;
  limit = -1;
}

/** Reads options from an argument on; `isAny`: those that choose kind and direction are among them. */
function readOptions(first: u32, isAny: bool, isShown: bool): i32 {
  let isChosen = false;
  for (let i = first; i < Args.count(); i++) {
    if (isShown && isWord(i, "WITHSCORES")) {
      withScores = true;
    } else if (i + 2 < Args.count() && isWord(i, "LIMIT")) {
      if (!parse(Args.ptr(i + 1), Args.length(i + 1))) return REFUSED_NOT_INTEGER;
      offset = parsed;
      if (!parse(Args.ptr(i + 2), Args.length(i + 2))) return REFUSED_NOT_INTEGER;
      limit = parsed;
      i += 2;
    } else if (isAny && !isReverse && isWord(i, "REV")) {
      isReverse = true;
    } else if (isAny && !isChosen && isWord(i, "BYLEX")) {
      kind = BY_LEX;
      isChosen = true;
    } else if (isAny && !isChosen && isWord(i, "BYSCORE")) {
      kind = BY_SCORE;
      isChosen = true;
    } else {
      return REFUSED_SYNTAX;
    }
  }
  if (limit != -1 && kind == BY_RANK) return REFUSED_LIMIT_BY_RANK;
  return withScores && kind == BY_LEX ? REFUSED_WITHSCORES_BY_LEX : 0;
}

/** Reads the two ends at an argument and the one behind it; of scores and members the greater comes first in reverse. */
function readRange(first: u32): i32 {
  if (kind == BY_RANK) {
    if (!parse(Args.ptr(first), Args.length(first))) return REFUSED_NOT_INTEGER;
    lowRank = parsed;
    if (!parse(Args.ptr(first + 1), Args.length(first + 1))) return REFUSED_NOT_INTEGER;
    highRank = parsed;
    return 0;
  }
  const low = isReverse ? first + 1 : first;
  const high = isReverse ? first : first + 1;
  if (kind == BY_SCORE) return readScoreBounds(low, high) ? 0 : REFUSED_SCORE_RANGE;
  return readLexBounds(low, high) ? 0 : REFUSED_LEX_RANGE;
}

function replyRange(refusedOptions: i32): i32 {
  if (refusedOptions < 0) return refusedOptions;
  const refused = readRange(2);
  if (refused < 0) return refused;
  const zset = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (zset == 0) {
    if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
    replyArray(0);
    return 0;
  }
  if (!Zset.is(zset)) return REFUSED_WRONG_TYPE;
  Zset.open(zset);
  findCells();
  return replyCells(from, count, isReverse, withScores);
}

/** Finds where the range begins in the open sorted set, and how many cells it has. */
function findCells(): void {
  if (kind == BY_RANK) return findRanks();
  if (kind == BY_LEX) return findMembers();
  scoreRanks();
  const all: i64 = endRank - firstRank;
  if (offset < 0 || offset >= all) {
    count = 0;
    return;
  }
  const rest = all - offset;
  count = <u32>(limit < 0 ? rest : min(rest, limit));
  from = isReverse ? endRank - 1 - <u32>offset : firstRank + <u32>offset;
}

function findMembers(): void {
  count = 0;
  if (offset < 0) return;
  lexRanks(isReverse, offset);
  const all = endRank - firstRank;
  count = limit < 0 ? all : <u32>min(<i64>all, limit);
  from = isReverse ? endRank - 1 : firstRank;
}

function findRanks(): void {
  const all: i64 = Zset.count();
  // Negative ranks count from the end.
  const low = max(lowRank < 0 ? lowRank + all : lowRank, 0);
  const high = min(highRank < 0 ? highRank + all : highRank, all - 1);
  count = low > high ? 0 : <u32>(high - low + 1);
  from = <u32>(isReverse ? all - 1 - low : low);
}

/** Adds the cells of the range to the result. */
function gather(): bool {
  if (count != 0) seekCell(from);
  for (let left = count; left > 0; left--) {
    readCell();
    if (!addResult(cellMember, cellLength, cellScore)) return false;
    if (left == 1) break;
    if (isReverse) previousCell();
    else nextCell();
  }
  return true;
}
