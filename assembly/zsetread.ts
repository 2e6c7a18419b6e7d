// The commands that read single members of a sorted set, and those that count.
import { REFUSED_LEX_RANGE, REFUSED_OUT_OF_MEMORY, REFUSED_SCORE_RANGE, REFUSED_WRONG_TYPE } from "./abi";
import { Args } from "./args";
import { lookupRead } from "./expiry";
import { LINE_ROOM, Reply, replyArray, replyDouble, replyInteger, replyNull } from "./reply";
import { Zset, findScore, foundScore, rankOfFound } from "./zset";
import { endRank, firstRank, readScoreBounds, scoreRanks } from "./zsetbounds";
import { lexRanks, readLexBounds } from "./zsetlex";

/** Opens the sorted set under argument 1: 1, or 0 = there is none, or a REFUSED_ code. The reply has room for a line. */
function openRead(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry == 0) return 0;
  if (!Zset.is(entry)) return REFUSED_WRONG_TYPE;
  Zset.open(entry);
  return 1;
}

/** ZCARD key */
export function zcard(): i32 {
  const opened = openRead();
  if (opened < 0) return opened;
  replyInteger(opened == 0 ? 0 : Zset.count());
  return 0;
}

/** ZSCORE key member */
export function zscore(): i32 {
  const opened = openRead();
  if (opened < 0) return opened;
  if (opened != 0 && findScore(Args.ptr(2), Args.length(2))) replyDouble(foundScore);
  else replyNull();
  return 0;
}

/** ZMSCORE key member … */
export function zmscore(): i32 {
  const opened = openRead();
  if (opened < 0) return opened;
  if (!Reply.reserve(LINE_ROOM * Args.count())) return REFUSED_OUT_OF_MEMORY;
  replyArray(Args.count() - 2);
  for (let i: u32 = 2; i < Args.count(); i++) {
    if (opened != 0 && findScore(Args.ptr(i), Args.length(i))) replyDouble(foundScore);
    else replyNull();
  }
  return 0;
}

/** ZRANK key member */
export function zrank(): i32 {
  return replyRank(false);
}

/** ZREVRANK key member */
export function zrevrank(): i32 {
  return replyRank(true);
}

function replyRank(isReverse: bool): i32 {
  const opened = openRead();
  if (opened < 0) return opened;
  if (opened == 0 || !findScore(Args.ptr(2), Args.length(2))) {
    replyNull();
    return 0;
  }
  const rank = rankOfFound(Args.ptr(2), Args.length(2));
  replyInteger(isReverse ? Zset.count() - 1 - rank : rank);
  return 0;
}

/** ZCOUNT key min max */
export function zcount(): i32 {
  if (!readScoreBounds(2, 3)) return REFUSED_SCORE_RANGE;
  const opened = openRead();
  if (opened < 0) return opened;
  if (opened != 0) scoreRanks();
  replyInteger(opened == 0 ? 0 : endRank - firstRank);
  return 0;
}

/** ZLEXCOUNT key min max */
export function zlexcount(): i32 {
  if (!readLexBounds(2, 3)) return REFUSED_LEX_RANGE;
  const opened = openRead();
  if (opened < 0) return opened;
  if (opened != 0) lexRanks(false, 0);
  replyInteger(opened == 0 ? 0 : endRank - firstRank);
  return 0;
}
