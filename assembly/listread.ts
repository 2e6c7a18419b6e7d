// LRANGE, LINDEX and LPOS: what reads a list.
import {
  REFUSED_LPOS_COUNT,
  REFUSED_LPOS_MAXLEN,
  REFUSED_LPOS_RANK,
  REFUSED_NOT_INTEGER,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SYNTAX,
} from "./abi";
import { Args, isWord } from "./args";
import { parse, parsed } from "./integers";
import { ELEMENT_REPLY_ROOM, openToRead, replyElement, replyOne } from "./listaccess";
import { Listpack, seekElement } from "./listpack";
import { elementIs, seekText } from "./listpackelement";
import { Chunk, List, foundChunk, foundIndex, seekChunk } from "./listvalue";
import { LINE_ROOM, Reply, replyArray, replyInteger, replyNull } from "./reply";

/** A range of a list as its readers mean it: negative numbers count from the end. */
export abstract class Range {
  /** Cuts `start` and `stop` to a list of `count` elements; how many are in the range. Sets `rangeStart`. */
  static within(start: i64, stop: i64, count: u32): u32 {
    const from = start < 0 ? max(start + count, 0) : start;
    const to = min(stop < 0 ? stop + count : stop, <i64>count - 1);
    rangeStart = <u32>from;
    return from > to ? 0 : <u32>(to - from + 1);
  }
}
export let rangeStart: u32 = 0;

/** LRANGE key start stop */
export function lrange(): i32 {
  if (!parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  const start = parsed;
  if (!parse(Args.ptr(3), Args.length(3))) return REFUSED_NOT_INTEGER;
  const stop = parsed;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const found = openToRead();
  if (found < 0) return found;
  const count = found == 0 ? 0 : Range.within(start, stop, List.count());
  if (count == 0) {
    replyArray(0);
    return 0;
  }
  const written = Reply.written();
  if (replyRange(rangeStart, count)) return 0;
  Reply.truncate(written);
  return REFUSED_OUT_OF_MEMORY;
}

/** Replies `count` elements from `start` on as an array; false = no memory, maybe after some are written. */
function replyRange(start: u32, count: u32): bool {
  if (!Reply.reserve(LINE_ROOM)) return false;
  replyArray(count);
  seekChunk(start);
  let chunk = foundChunk;
  let index = foundIndex;
  for (let left = count; left > 0;) {
    const lp = Chunk.read(chunk);
    if (lp == 0) return false;
    const had = Chunk.count(chunk);
    const here = min(left, had - index);
    const at = seekElement(lp, index, had);
    if (!replyRun(at, here, here == had - index ? Listpack.end(lp) : 0)) return false;
    left -= here;
    index = 0;
    chunk = Chunk.next(chunk, true);
  }
  return true;
}

/** Replies `count` elements from `at` on; `end` = where they end, 0 = not known. */
function replyRun(at: usize, count: u32, end: usize): bool {
  if (end != 0 && Reply.reserve(<u32>(end - at) + count * ELEMENT_REPLY_ROOM)) {
    let here = at;
    for (let left = count; left > 0; left--) {
      replyElement(here);
      here = Listpack.next(here);
    }
    return true;
  }
  let here = at;
  for (let left = count; left > 0; left--) {
    if (!replyOne(here)) return false;
    here = Listpack.next(here);
  }
  return true;
}

/** Replies `count` elements from one end, the outermost first; false = no memory, maybe after some are written. */
export function replyFromEnd(count: u32, fromFront: bool): bool {
  if (fromFront) return replyRange(0, count);
  if (!Reply.reserve(LINE_ROOM)) return false;
  replyArray(count);
  let chunk = Chunk.first(false);
  for (let left = count; left > 0;) {
    const lp = Chunk.read(chunk);
    if (lp == 0) return false;
    let at = Listpack.end(lp);
    const here = min(left, Chunk.count(chunk));
    for (let more = here; more > 0; more--) {
      at = Listpack.previous(at);
      if (!replyOne(at)) return false;
    }
    left -= here;
    chunk = Chunk.next(chunk, false);
  }
  return true;
}

/** LINDEX key index */
export function lindex(): i32 {
  const found = openToRead();
  if (found < 0) return found;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  if (found == 0) {
    replyNull();
    return 0;
  }
  if (!parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  const count = List.count();
  const index = parsed < 0 ? parsed + count : parsed;
  if (index < 0 || index >= <i64>count) {
    replyNull();
    return 0;
  }
  seekChunk(<u32>index);
  const lp = Chunk.read(foundChunk);
  if (lp == 0 || !replyOne(seekElement(lp, foundIndex, Chunk.count(foundChunk))))
    return REFUSED_OUT_OF_MEMORY;
  return 0;
}

// --- LPOS ---------------------------------------------------------------------------------------------------------

let rank: i64 = 0;
/** -1 = not given. */
let matchCount: i64 = 0;
/** 0 = all. */
let mostCompared: i64 = 0;

/** LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len] */
export function lpos(): i32 {
  const refused = readOptions();
  if (refused < 0) return refused;
  const found = openToRead();
  if (found < 0) return found;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  if (found == 0) {
    if (matchCount < 0) replyNull();
    else replyArray(0);
    return 0;
  }
  return matchCount < 0 ? replyPlace() : replyPlaces();
}

function readOptions(): i32 {
  rank = 1;
  matchCount = -1;
  mostCompared = 0;
  for (let i: u32 = 3; i < Args.count(); i += 2) {
    const option: u32 = isWord(i, "RANK") ? 1 : isWord(i, "COUNT") ? 2 : isWord(i, "MAXLEN") ? 3 : 0;
    if (option == 0 || i + 1 == Args.count()) return REFUSED_SYNTAX;
    const isInteger = parse(Args.ptr(i + 1), Args.length(i + 1));
    if (option == 1) {
      if (!isInteger) return REFUSED_NOT_INTEGER;
      rank = parsed;
      if (rank == 0) return REFUSED_LPOS_RANK;
    } else if (option == 2) {
      matchCount = parsed;
      if (!isInteger || matchCount < 0) return REFUSED_LPOS_COUNT;
    } else {
      mostCompared = parsed;
      if (!isInteger || mostCompared < 0) return REFUSED_LPOS_MAXLEN;
    }
  }
  return 0;
}

/** A search through the list at hand: where it stands, and how many elements it may still look at. */
abstract class Search {
  static begin(): void {
    isForward = rank > 0;
    // The least number has no opposite; Redis then takes the first match.
    toSkip = isForward ? rank - 1 : rank == i64.MIN_VALUE ? 0 : -rank - 1;
    toCompare = mostCompared == 0 ? List.count() : <u32>min(mostCompared, <i64>List.count());
    place = isForward ? 0 : List.count();
    chunk = 0;
    left = 0;
    seekText(Args.ptr(2), Args.length(2));
  }
  /** The index of the next match that counts; -1 = none, REFUSED_OUT_OF_MEMORY. */
  static next(): i64 {
    const ptr = Args.ptr(2);
    const length = Args.length(2);
    while (toCompare > 0) {
      if (left == 0 && !Search.enter()) return REFUSED_OUT_OF_MEMORY;
      if (!isForward) at = Listpack.previous(at);
      const isMatch = elementIs(at, ptr, length);
      if (isForward) at = Listpack.next(at);
      left--;
      toCompare--;
      const index = isForward ? place++ : --place;
      if (!isMatch) continue;
      if (toSkip == 0) return index;
      toSkip--;
    }
    return -1;
  }
  /** Goes to the next chunk. */
  static enter(): bool {
    chunk = chunk == 0 ? Chunk.first(isForward) : Chunk.next(chunk, isForward);
    const lp = Chunk.read(chunk);
    if (lp == 0) return false;
    at = isForward ? Listpack.first(lp) : Listpack.end(lp);
    left = Chunk.count(chunk);
    return true;
  }
}
let isForward: bool = true;
let toSkip: i64 = 0;
let toCompare: u32 = 0;
let place: u32 = 0;
let chunk: usize = 0;
let at: usize = 0;
let left: u32 = 0;

function replyPlace(): i32 {
  Search.begin();
  const index = Search.next();
  if (index == REFUSED_OUT_OF_MEMORY) return REFUSED_OUT_OF_MEMORY;
  if (index < 0) replyNull();
  else replyInteger(index);
  return 0;
}

/** Room for the head of the array, whose length is known only behind it. */
const HEAD_ROOM: u32 = 16;

function replyPlaces(): i32 {
  const most = matchCount == 0 ? <i64>u32.MAX_VALUE : matchCount;
  const written = Reply.written();
  Reply.setEnd(Reply.end() + HEAD_ROOM);
  let count: u32 = 0;
  Search.begin();
  while (<i64>count < most) {
    const index = Search.next();
    if (index == -1) break;
    if (index < 0 || !Reply.reserve(LINE_ROOM)) {
      Reply.truncate(written);
      return REFUSED_OUT_OF_MEMORY;
    }
    replyInteger(index);
    count++;
  }
  const bytes = Reply.written() - written - HEAD_ROOM;
  Reply.truncate(written);
  const from = Reply.end() + HEAD_ROOM;
  replyArray(count);
  memory.copy(Reply.end(), from, bytes);
  Reply.setEnd(Reply.end() + bytes);
  return 0;
}
