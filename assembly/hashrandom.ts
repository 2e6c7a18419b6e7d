// HRANDFIELD: fields drawn by chance, either each at most once or each time from all of them.
import {
  REFUSED_COUNT_RANGE,
  REFUSED_NOT_INTEGER,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_PAIR_COUNT_RANGE,
  REFUSED_SYNTAX,
  REFUSED_WRONG_TYPE,
  STATE_PROTOCOL,
} from "./abi";
import { Args, isWord } from "./args";
import { below } from "./chance";
import { Entry } from "./entry";
import { lookupRead } from "./expiry";
import { countFields, isHash, isListpack, readField, readValue, textLength, textPtr } from "./hashvalue";
import { parse, parsed } from "./integers";
import { Listpack, seekElement, skipElements } from "./listpack";
import { drawMember } from "./members";
import { Walk } from "./memberwalk";
import { LINE_ROOM, Reply, replyArray, replyBulk, replyNull } from "./reply";
import { Sample } from "./sample";

/** The least bytes a field takes in a reply. */
const LEAST_REPLY: i64 = 6;
/** No reply gets longer than memory. */
const REPLY_LIMIT: i64 = 1 << 32;

let withValues: bool = false;

/** HRANDFIELD key [count [WITHVALUES]] */
export function hrandfield(): i32 {
  const start = Reply.written();
  const refused = Args.count() == 2 ? replyOne() : replySeveral();
  if (refused < 0) Reply.truncate(start);
  return refused;
}

function replyOne(): i32 {
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  if (entry == 0) {
    if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
    replyNull();
    return 0;
  }
  withValues = false;
  return replyPlace(entry, drawPlace(entry)) ? 0 : REFUSED_OUT_OF_MEMORY;
}

function replySeveral(): i32 {
  if (!parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  const count = parsed;
  if (count == i64.MIN_VALUE) return REFUSED_COUNT_RANGE;
  withValues = Args.count() > 3;
  if (Args.count() > 4 || (withValues && !isWord(3, "WITHVALUES"))) return REFUSED_SYNTAX;
  if (withValues && (count > i64.MAX_VALUE / 2 || count < -(i64.MAX_VALUE / 2)))
    return REFUSED_PAIR_COUNT_RANGE;
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  if (entry == 0 || count == 0) return replyHead(0) ? 0 : REFUSED_OUT_OF_MEMORY;
  const done = count < 0 ? replyRepeated(entry, -count) : replyDistinct(entry, count);
  return done ? 0 : REFUSED_OUT_OF_MEMORY;
}

/** Pairs are arrays of two in RESP3, and follow each other in RESP2. */
function replyHead(count: u32): bool {
  if (!Reply.reserve(LINE_ROOM)) return false;
  replyArray(withValues && load<u32>(STATE_PROTOCOL) == 2 ? count << 1 : count);
  return true;
}

function replyPlace(entry: usize, place: usize): bool {
  readField(entry, place);
  if (!Reply.reserve(textLength + 2 * LINE_ROOM)) return false;
  if (withValues && load<u32>(STATE_PROTOCOL) == 3) replyArray(2);
  replyBulk(textPtr, textLength);
  if (!withValues) return true;
  readValue(entry, place);
  if (!Reply.reserve(textLength + LINE_ROOM)) return false;
  replyBulk(textPtr, textLength);
  return true;
}

function drawPlace(entry: usize): usize {
  const value = Entry.value(entry);
  if (!isListpack(entry)) return drawMember(value);
  const count = countFields(entry);
  return seekElement(value, below(count) << 1, count << 1);
}

function replyRepeated(entry: usize, count: i64): bool {
  if (count > REPLY_LIMIT / LEAST_REPLY || !replyHead(<u32>count)) return false;
  for (let left = count; left > 0; left--) {
    if (!replyPlace(entry, drawPlace(entry))) return false;
  }
  return true;
}

/** As many different fields, all of them when there are fewer. */
function replyDistinct(entry: usize, count: i64): bool {
  const all = countFields(entry);
  const size = <u32>min(count, <i64>all);
  if (!replyHead(size)) return false;
  if (isListpack(entry)) return replyChosen(entry, all, size);
  if (size > all / 3) return replyWalked(entry, all, size);
  return replyDrawn(entry, size);
}

/** Each field in turn is taken with the chance that makes all choices of `size` out of `all` alike. */
function replyChosen(entry: usize, all: u32, size: u32): bool {
  let at = Listpack.first(Entry.value(entry));
  for (let left = all, need = size; need > 0; left--) {
    if (below(left) < need) {
      need--;
      if (!replyPlace(entry, at)) return false;
    }
    at = skipElements(at, 2);
  }
  return true;
}

/** As `replyChosen` of a hashtable. */
function replyWalked(entry: usize, all: u32, size: u32): bool {
  const record = Entry.value(entry);
  let place = Walk.first(record);
  for (let left = all, need = size; need > 0; left--) {
    if (below(left) < need) {
      need--;
      if (!replyPlace(entry, Walk.item(place))) return false;
    }
    place = Walk.next(record, place);
  }
  return true;
}

/** Draws until `size` different ones were drawn, which are few of all. */
function replyDrawn(entry: usize, size: u32): bool {
  if (!Sample.begin(size)) return false;
  for (let need = size; need > 0;) {
    const item = drawMember(Entry.value(entry));
    if (!Sample.add(item)) continue;
    need--;
    if (!replyPlace(entry, item)) {
      Sample.end();
      return false;
    }
  }
  Sample.end();
  return true;
}
