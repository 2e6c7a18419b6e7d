// ZRANDMEMBER: members drawn by chance, either each at most once or each time from all of them. Ranks are drawn, which any
// sorted set finds quickly.
import {
  REFUSED_COUNT_RANGE,
  REFUSED_NOT_INTEGER,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_PAIR_COUNT_RANGE,
  REFUSED_SYNTAX,
  REFUSED_WRONG_TYPE,
} from "./abi";
import { Args, isWord } from "./args";
import { below } from "./chance";
import { lookupRead } from "./expiry";
import { parse, parsed } from "./integers";
import { LINE_ROOM, Reply, replyArray, replyNull } from "./reply";
import { Sample } from "./sample";
import { Zset, nextCell, seekCell } from "./zset";
import { pairsAreNested, replyCell, replyCells } from "./zsetreply";

/** The least bytes a member takes in a reply, and the most there can be of a reply. */
const LEAST_REPLY: i64 = 6;
const REPLY_LIMIT: i64 = 1 << 32;

let withScores: bool = false;
let isNested: bool = false;

/** ZRANDMEMBER key [count [WITHSCORES]] */
export function zrandmember(): i32 {
  const start = Reply.written();
  const refused = Args.count() == 2 ? replyOne() : replySeveral();
  if (refused < 0) Reply.truncate(start);
  return refused;
}

function replyOne(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const zset = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (zset == 0) {
    replyNull();
    return 0;
  }
  if (!Zset.is(zset)) return REFUSED_WRONG_TYPE;
  Zset.open(zset);
  seekCell(below(Zset.count()));
  return replyCell(false, false) ? 0 : REFUSED_OUT_OF_MEMORY;
}

function replySeveral(): i32 {
  if (!parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  const count = parsed;
  if (count == i64.MIN_VALUE) return REFUSED_COUNT_RANGE;
  withScores = Args.count() > 3;
  if (Args.count() > 4 || (withScores && !isWord(3, "WITHSCORES"))) return REFUSED_SYNTAX;
  if (withScores && (count > i64.MAX_VALUE / 2 || count < -(i64.MAX_VALUE / 2)))
    return REFUSED_PAIR_COUNT_RANGE;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const zset = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (zset != 0 && !Zset.is(zset)) return REFUSED_WRONG_TYPE;
  if (zset == 0 || count == 0) {
    replyArray(0);
    return 0;
  }
  Zset.open(zset);
  isNested = withScores && pairsAreNested();
  const all = Zset.count();
  // All of them come as Redis shows them, the highest first.
  if (count >= <i64>all) return replyCells(all - 1, all, true, withScores);
  const done = count < 0 ? replyRepeated(all, -count) : replyDistinct(all, <u32>count);
  return done ? 0 : REFUSED_OUT_OF_MEMORY;
}

function replyHead(count: u32): void {
  replyArray(withScores && !isNested ? count << 1 : count);
}

function replyRepeated(all: u32, count: i64): bool {
  if (count > REPLY_LIMIT / LEAST_REPLY) return false;
  replyHead(<u32>count);
  for (let left = count; left > 0; left--) {
    seekCell(below(all));
    if (!replyCell(withScores, isNested)) return false;
  }
  return true;
}

/** `size` different members, which are fewer than all. */
function replyDistinct(all: u32, size: u32): bool {
  replyHead(size);
  return size > all / 3 ? replyWalked(all, size) : replyDrawn(all, size);
}

/** Each member in turn is taken with the chance that makes all choices of `size` out of `all` alike. */
function replyWalked(all: u32, size: u32): bool {
  seekCell(0);
  for (let left = all, need = size; need > 0; left--) {
    if (below(left) < need) {
      need--;
      if (!replyCell(withScores, isNested)) return false;
    }
    if (left > 1) nextCell();
  }
  return true;
}

/** Draws until `size` different ones were drawn, which are few of all. */
function replyDrawn(all: u32, size: u32): bool {
  if (!Sample.begin(size)) return false;
  let isDone = true;
  for (let need = size; need > 0 && isDone;) {
    const rank = below(all);
    // As an address is expected: never 0, and a multiple of eight.
    if (!Sample.add((rank + 1) << 3)) continue;
    need--;
    seekCell(rank);
    isDone = replyCell(withScores, isNested);
  }
  Sample.end();
  return isDone;
}
