// What HSCAN, SSCAN and ZSCAN have in common: the cursor, MATCH and COUNT, and the walk over a hashtable in steps.
//
//   key cursor [MATCH pattern] [COUNT count]        reply: | next cursor | elements |
//
// The cursor is a family of the table (families.ts); small encodings are shown whole at once. What fits the pattern is
// written as it is met: COUNT bounds the work, not the outcome. The order of checks: cursor, type, options.
//
//   const refused = beginScan(TYPE_SET);
//   if (refused < 0 || Scan.entry() == 0) return refused;
//   if (…hashtable) return scanTable(record);
//   … if (Scan.fits(ptr, length) && !Scan.show(ptr, length)) return Scan.fail(); …
//   return endScan(0);
import {
  REFUSED_CURSOR,
  REFUSED_NOT_INTEGER,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SYNTAX,
  REFUSED_WRONG_TYPE,
  TYPE_HASH,
  TYPE_ZSET,
} from "./abi";
import { Args, isWord } from "./args";
import { Bucket } from "./bucket";
import { NOT_OPEN, closeReply, openReply } from "./deferred";
import { renderDouble } from "./doubletext";
import { Entry } from "./entry";
import { lookupRead } from "./expiry";
import { firstOfFamily, nextFamily, secondOfFamily } from "./families";
import { matchesGlob } from "./glob";
import { parse, parsed } from "./integers";
import { Item } from "./item";
import { LINE_ROOM, Reply, replyArray, replyBulk, replyBulkInteger } from "./reply";

const FIRST_COUNT: i64 = 10;
/** Families looked at per element asked for, at most: a sparse table must not hold up everybody else. */
const PATIENCE: i64 = 10;
const STAR: u8 = 42;
const SCORE: usize = memory.data(40);

let entry: usize = 0;
let start: u32 = 0;
let cursor: u64 = 0;
let pattern: usize = 0;
let patternLength: u32 = 0;
let count: i64 = 0;
let met: i64 = 0;
let shown: u32 = 0;
let isComplete: bool = true;

export abstract class Scan {
  /** The entry that is scanned, of the type asked for; 0 = there is none, and that is replied already. */
  @inline static entry(): usize {
    return entry;
  }
  /** Whether a member or field is to be shown. */
  @inline static fits(ptr: usize, length: u32): bool {
    return pattern == 0 || matchesGlob(pattern, patternLength, ptr, length);
  }
  /** Writes one element of the reply; false = no memory. */
  static show(ptr: usize, length: u32): bool {
    if (!Reply.reserve(length + LINE_ROOM)) return false;
    replyBulk(ptr, length);
    shown++;
    return true;
  }
  /** Takes back what was written; to be returned. */
  static fail(): i32 {
    Reply.truncate(start);
    return REFUSED_OUT_OF_MEMORY;
  }
}

/** Reads the request and begins the reply; returns 0 or a REFUSED_ code. */
export function beginScan(type: u32): i32 {
  if (!readCursor(Args.ptr(2), Args.length(2))) return REFUSED_CURSOR;
  entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && Entry.type(entry) != type) return REFUSED_WRONG_TYPE;
  const refused = entry == 0 ? 0 : readOptions();
  if (refused < 0) return refused;
  start = openReply();
  if (start == NOT_OPEN) return REFUSED_OUT_OF_MEMORY;
  shown = 0;
  met = 0;
  return entry == 0 ? endScan(0) : 0;
}

/** Ends the reply with the cursor to go on with. */
export function endScan(next: u32): i32 {
  const end = Reply.written();
  Reply.truncate(start);
  replyArray(2);
  replyBulkInteger(next);
  replyArray(shown);
  closeReply(start, end);
  return 0;
}

/** One step over the items of a hashtable, from the cursor on. */
export function scanTable(record: usize): i32 {
  const type = Entry.type(entry);
  let patience = count > i64.MAX_VALUE / PATIENCE ? i64.MAX_VALUE : count * PATIENCE;
  let family = <u32>cursor;
  isComplete = true;
  do {
    showChain(firstOfFamily(record, family), type);
    const second = secondOfFamily(record, family);
    if (second != 0) showChain(second, type);
    family = nextFamily(record, family);
    patience--;
  } while (family != 0 && met < count && patience > 0 && isComplete);
  return isComplete ? endScan(family) : Scan.fail();
}

/** Shows the items of a chain; clears `isComplete` when there is no memory. */
function showChain(first: usize, type: u32): void {
  for (let line = first; line != 0; line = Bucket.next(line)) {
    for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
      met++;
      const item = Bucket.entry(line, ctz(taken));
      if (Scan.fits(Item.key(item), Item.keyLength(item)) && !showItem(item, type)) isComplete = false;
    }
  }
}

function showItem(item: usize, type: u32): bool {
  if (!Scan.show(Item.key(item), Item.keyLength(item))) return false;
  if (type == TYPE_HASH) return Scan.show(Item.value(item), Item.valueLength(item));
  return type != TYPE_ZSET || Scan.show(SCORE, renderDouble(Item.score(item), SCORE));
}

function readOptions(): i32 {
  pattern = 0;
  count = FIRST_COUNT;
  for (let i: u32 = 3; i < Args.count(); i += 2) {
    if (i + 1 == Args.count()) return REFUSED_SYNTAX;
    if (isWord(i, "COUNT")) {
      if (!parse(Args.ptr(i + 1), Args.length(i + 1))) return REFUSED_NOT_INTEGER;
      count = parsed;
      if (count < 1) return REFUSED_SYNTAX;
    } else if (isWord(i, "MATCH")) {
      const isAll = Args.length(i + 1) == 1 && load<u8>(Args.ptr(i + 1)) == STAR;
      pattern = isAll ? 0 : Args.ptr(i + 1);
      patternLength = Args.length(i + 1);
    } else return REFUSED_SYNTAX;
  }
  return 0;
}

/** Reads a cursor as C's strtoul does, up to a zero byte; false = it is none. */
function readCursor(ptr: usize, length: u32): bool {
  const end = ptr + length;
  let at = ptr;
  const sign: u8 = at < end ? load<u8>(at) : 0;
  if (sign == 0x2d || sign == 0x2b) at++;
  const digits = at;
  let value: u64 = 0;
  for (; at < end; at++) {
    const digit = <u64>load<u8>(at) - 48;
    if (digit > 9) break;
    if (value > (u64.MAX_VALUE - digit) / 10) return false;
    value = value * 10 + digit;
  }
  cursor = sign == 0x2d ? 0 - value : value;
  if (at == digits && digits != ptr) return false;
  return at == end || load<u8>(at) == 0;
}
