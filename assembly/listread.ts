// LRANGE and LINDEX: what reads a list by places.
import { REFUSED_NOT_INTEGER, REFUSED_OUT_OF_MEMORY } from "./abi";
import { Args } from "./args";
import { parse, parsed } from "./integers";
import { ELEMENT_REPLY_ROOM, openToRead, replyElement, replyOne } from "./listaccess";
import { Listpack, seekElement } from "./listpack";
import { Chunk, List, foundChunk, foundIndex, seekChunk } from "./listvalue";
import { LINE_ROOM, Reply, replyArray, replyNull } from "./reply";

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
