// ZPOPMIN, ZPOPMAX and ZMPOP: members of the lowest or highest scores, replied and taken out.
//
// Replies are written first, while nothing has changed: so they can still fail.
import {
  EVENT_ZPOPMAX,
  EVENT_ZPOPMIN,
  RECORDED,
  REFUSED_COUNT_NOT_POSITIVE,
  REFUSED_NOT_POSITIVE,
  REFUSED_NUMKEYS_NOT_POSITIVE,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SYNTAX,
  REFUSED_WRONG_TYPE,
} from "./abi";
import { Args, isWord } from "./args";
import { slotOf } from "./crc16";
import { lookupWrite } from "./expiry";
import { parse, parsed } from "./integers";
import { RECORD_HEAD, Record } from "./record";
import { LINE_ROOM, Reply, replyArray, replyBulk, replyNullArray } from "./reply";
import { Zset } from "./zset";
import { removeRanks } from "./zsetchange";
import { pairsAreNested, replyElements } from "./zsetreply";
import { endRemoval } from "./zsets";

/** Names of the commands, as record.ts takes words. */
const WORD_ZPOPMIN: u64 = 0x4e494d504f505a;
const WORD_ZPOPMAX: u64 = 0x58414d504f505a;

/** ZPOPMIN key [count] */
export function zpopmin(): i32 {
  return pop(false);
}

/** ZPOPMAX key [count] */
export function zpopmax(): i32 {
  return pop(true);
}

function pop(isMax: bool): i32 {
  if (Args.count() > 3) return REFUSED_SYNTAX;
  let count: i64 = 1;
  const isCounted = Args.count() == 3;
  if (isCounted) {
    if (!parse(Args.ptr(2), Args.length(2)) || parsed < 0) return REFUSED_NOT_POSITIVE;
    count = parsed;
  }
  const start = Reply.written();
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const zset = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  if (zset != 0 && !Zset.is(zset)) return REFUSED_WRONG_TYPE;
  if (zset == 0 || count == 0) {
    replyArray(0);
    return 0;
  }
  Zset.open(zset);
  const size = <u32>min(count, <i64>Zset.count());
  const isNested = isCounted && pairsAreNested();
  replyArray(isNested ? size : size << 1);
  const done = popCells(zset, Args.slot(), 1, size, isMax, isNested);
  if (done < 0) Reply.truncate(start);
  return done;
}

/** ZMPOP numkeys key … MIN | MAX [COUNT count]; replicas are told of the pop from one key that it is. */
export function zmpop(): i32 {
  if (!parse(Args.ptr(1), Args.length(1)) || parsed < 1) return REFUSED_NUMKEYS_NOT_POSITIVE;
  const keys = parsed;
  if (keys >= <i64>(Args.count() - 2)) return REFUSED_SYNTAX;
  const where: u32 = 2 + <u32>keys;
  const isMax = isWord(where, "MAX");
  if (!isMax && !isWord(where, "MIN")) return REFUSED_SYNTAX;
  let count: i64 = 1;
  if (Args.count() > where + 1) {
    if (Args.count() == where + 2 || !isWord(where + 1, "COUNT")) return REFUSED_SYNTAX;
    if (!parse(Args.ptr(where + 2), Args.length(where + 2)) || parsed < 1) return REFUSED_COUNT_NOT_POSITIVE;
    count = parsed;
    if (Args.count() > where + 3) return REFUSED_SYNTAX;
  }
  for (let i: u32 = 2; i < where; i++) {
    const done = popNested(i, count, isMax);
    if (done != 0) return done;
  }
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  replyNullArray();
  return 0;
}

/** Pops from the key at argument `i`: | key | pairs |. Returns 0 when there is no such key. */
function popNested(i: u32, count: i64, isMax: bool): i32 {
  const key = Args.ptr(i);
  const length = Args.length(i);
  const slot = slotOf(key, length);
  const zset = lookupWrite(slot, key, length);
  if (zset == 0) return 0;
  if (!Zset.is(zset)) return REFUSED_WRONG_TYPE;
  const start = Reply.written();
  if (!Reply.reserve(length + 3 * LINE_ROOM) || !Record.reserve(length + 4 * RECORD_HEAD))
    return REFUSED_OUT_OF_MEMORY;
  Zset.open(zset);
  const size = <u32>min(count, <i64>Zset.count());
  replyArray(2);
  replyBulk(key, length);
  replyArray(size);
  const done = popCells(zset, slot, i, size, isMax, true);
  if (done < 0) {
    Reply.truncate(start);
    return done;
  }
  Record.begin();
  Record.request(3);
  Record.word(isMax ? WORD_ZPOPMAX : WORD_ZPOPMIN);
  Record.bytes(key, length);
  Record.integer(size);
  return done | RECORDED;
}

/**
 * Replies `count` pairs of the open sorted set, which is there under argument `i` and was just found, and takes them out.
 * Returns the count, or a REFUSED_ code, some of the pairs being in the reply.
 */
function popCells(zset: usize, slot: u32, i: u32, count: u32, isMax: bool, isNested: bool): i32 {
  const all = Zset.count();
  if (!replyElements(isMax ? all - 1 : 0, count, isMax, true, isNested)) return REFUSED_OUT_OF_MEMORY;
  const isEmpty = count == all;
  if (!isEmpty) assert(removeRanks(zset, isMax ? all - count : 0, count) != 0);
  endRemoval(slot, Args.ptr(i), Args.length(i), isMax ? EVENT_ZPOPMAX : EVENT_ZPOPMIN, isEmpty);
  return count;
}
