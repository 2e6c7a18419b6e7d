// LPOS: at which places of a list an element stands, in one walk from either end.
import {
  REFUSED_LPOS_COUNT,
  REFUSED_LPOS_MAXLEN,
  REFUSED_LPOS_RANK,
  REFUSED_NOT_INTEGER,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SYNTAX,
} from "./abi";
import { Args, isWord } from "./args";
import { NOT_OPEN, closeWithArray, openReply } from "./deferred";
import { parse, parsed } from "./integers";
import { openToRead } from "./listaccess";
import { Listpack } from "./listpack";
import { elementIs, seekText } from "./listpackelement";
import { Chunk, List } from "./listvalue";
import { LINE_ROOM, Reply, replyArray, replyInteger, replyNull } from "./reply";

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

function replyPlaces(): i32 {
  // Redis tells all matches for a rank without an opposite.
  const most = matchCount == 0 || rank == i64.MIN_VALUE ? <i64>u32.MAX_VALUE : matchCount;
  const start = openReply();
  if (start == NOT_OPEN) return REFUSED_OUT_OF_MEMORY;
  let count: u32 = 0;
  Search.begin();
  while (<i64>count < most) {
    const index = Search.next();
    if (index == -1) break;
    if (index < 0 || !Reply.reserve(LINE_ROOM)) {
      Reply.truncate(start);
      return REFUSED_OUT_OF_MEMORY;
    }
    replyInteger(index);
    count++;
  }
  closeWithArray(start, count);
  return 0;
}
